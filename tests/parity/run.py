#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verdict parity: five judges of the same queries.

  decide   `remit check`, which asks decide()
  naive    naive.py, which knows only the manifest's words
  shim     the driver in a session with the shim
  bare     the driver in a session without it
  static   the driver built on bare system calls, in a session

The three sessions are judged by what happened, and every act is first shown to work outside a session. A
refusal must also stand in the log. Prints each difference with the five verdicts.

usage: run.py BUILD [--seeds 1,2,3] [--user NAME] [--keep] [--words]
"""
import argparse
import json
import os
import pwd
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from naive import Naive  # noqa: E402
from world import IPS4, PORTS, World  # noqa: E402

ANSWER = b"arrived"
# What any dynamic program needs; no part of the questions.
LOADER = [("files.read", p) for p in ("/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache", "/etc/ld.so.preload")]
ENVIRONMENT = {name: "value" for name in ("PARITY_A", "PARITY_B", "PARITY_BB", "PARITY_C", "PxRITY_C", "XX_a", "XX_bc",
                                          "XX_c", "HIDDEN")}


class Listeners:
    def __init__(self):
        self.selector, self.stop = selectors.DefaultSelector(), False

    def stream(self, family, address):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(64)
        self.selector.register(sock, selectors.EVENT_READ, self.accept)

    def datagram(self, address):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(address)
        self.selector.register(sock, selectors.EVENT_READ, self.echo)

    @staticmethod
    def accept(sock):
        peer, _ = sock.accept()
        try:
            peer.sendall(ANSWER)
        except OSError:
            pass
        peer.close()

    @staticmethod
    def echo(sock):
        _, peer = sock.recvfrom(4096)
        sock.sendto(ANSWER, peer)

    def serve(self):
        while not self.stop:
            for key, _ in self.selector.select(0.2):
                try:
                    key.data(key.fileobj)
                except OSError:
                    pass

    def close(self):
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


def free_block(count):
    """The first of `count` ports in a row that are free at every address."""
    for base in range(21000 + os.getpid() % 500 * 16, 32000, 16):
        socks = []
        try:
            for port in range(base, base + count):
                for family, ip in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                    sock = socket.socket(family, socket.SOCK_STREAM)
                    socks.append(sock)
                    if family == socket.AF_INET6:
                        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    sock.bind((ip, port))
            return base
        except OSError:
            continue
        finally:
            for sock in socks:
                sock.close()
    sys.exit("parity: no block of free ports")


class Parity:
    def __init__(self, options, seed):
        self.options, self.seed = options, seed
        self.root = tempfile.mkdtemp(prefix="rp", dir="/tmp")
        self.kit = tempfile.mkdtemp(prefix="rk", dir="/tmp")
        for folder in (self.root, self.kit):
            os.chmod(folder, 0o755)
        base = free_block(2 * PORTS)
        self.world = World(seed, self.root, base, base + PORTS, "remit" + os.path.basename(self.root),
                           options.native)
        self.tests = os.path.join(options.build, "tests")
        self.world.fill(os.path.join(self.tests, "escapes/tool"))
        for name in ("driver", "driver-static"):
            shutil.copy(os.path.join(self.tests, "parity", name), self.kit)
        self.listeners = Listeners()
        self.listen(base)
        self.write_questions()
        user = pwd.getpwnam(options.user) if options.user else pwd.getpwuid(os.getuid())
        self.user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        if os.getuid() == 0:
            for top in (self.root, self.kit):
                for folder, folders, files in os.walk(top):
                    for name in ["."] + folders + files:
                        os.lchown(os.path.join(folder, name), user.pw_uid, user.pw_gid)

    def listen(self, base):
        for i in range(PORTS):
            for ip in IPS4:
                self.listeners.stream(socket.AF_INET, (ip, base + i))
                self.listeners.datagram((ip, base + i))
            self.listeners.stream(socket.AF_INET6, ("::1", base + i))
        for path in self.world.sockets:
            self.listeners.stream(socket.AF_UNIX, path)
        for name in ("a", "b", "c"):
            self.listeners.stream(socket.AF_UNIX, f"\0{self.world.name}-{name}".encode())
        threading.Thread(target=self.listeners.serve, daemon=True).start()

    def write_questions(self):
        extra = [{"section": s, "text": t} for s, t in LOADER if os.path.exists(t) or not self.options.native]
        extra += [{"section": "exec.allow", "text": self.kit}, {"section": "env.pass", "text": "PATH"}]
        self.rules = self.world.rules + extra
        self.manifest = os.path.join(self.kit, "manifest.yaml")
        with open(self.manifest, "w") as out:
            out.write(self.world.manifest(extra))
        self.questions = os.path.join(self.kit, "questions")
        with open(self.questions, "w") as out:
            for query in self.world.queries:
                thing = query.thing
                content = self.world.files.get(query.token) or self.world.files.get(os.path.realpath(thing)) or ""
                query.expect = content if query.verb == "read" else ""
                out.write(f"{query.act}\t{thing}\t{content}\n")

    # --- the judges ---

    def naive(self):
        judge = Naive(self.rules)
        return [judge.allows(query.verb, query.thing) for query in self.world.queries]

    def decide(self):
        command = [os.path.join(self.options.build, "remit"), "check", "-m", self.manifest, "--workspace", self.kit,
                   "--json", "--stdin"]
        text = "".join(query.line() + "\n" for query in self.world.queries)
        done = subprocess.run(command, input=text, capture_output=True, text=True, env=self.environment(), **self.user)
        lines = done.stdout.splitlines()
        if len(lines) != len(self.world.queries):
            sys.exit(f"parity: remit check answered {len(lines)} of {len(self.world.queries)} queries, status "
                     f"{done.returncode}\n{done.stderr[-2000:]}")
        return [json.loads(line).get("verdict") == "allowed" for line in lines]

    def environment(self):
        return dict(ENVIRONMENT, PATH="/usr/bin:/bin", HOME=self.kit)

    def drive(self, command):
        """(happened, errno or what was read) for each query."""
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment(), cwd=self.kit,
                              stdin=subprocess.DEVNULL, **self.user)
        lines = done.stdout.splitlines()
        if len(lines) != len(self.world.queries):
            sys.exit(f"parity: {' '.join(command)}\nanswered {len(lines)} of {len(self.world.queries)} queries, "
                     f"status {done.returncode}; next: "
                     f"{vars(self.world.queries[min(len(lines), len(self.world.queries) - 1)])}\n{done.stderr[-3000:]}")
        self.clean()
        return [self.happened(query, *line.split("\t", 1)) for query, line in zip(self.world.queries, lines)]

    def happened(self, query, word, detail):
        if word == "ok" and query.verb == "read" and query.expect and detail != query.expect:
            return False, f"read {detail!r}, not {query.expect!r}"
        if word == "ok" and query.verb == "connect" and detail != ANSWER.decode():
            return False, "no answer"
        return word == "ok", detail

    def clean(self):
        """Sockets that were bound stay behind as files."""
        for query in self.world.queries:
            if query.act == "unix-listen":
                try:
                    os.unlink(query.thing.removeprefix("unix:"))
                except FileNotFoundError:
                    pass

    def degraded(self):
        return ["--without", self.options.without, "--allow-degraded"] if self.options.without else []

    def session(self, program, shim, log):
        return [os.path.join(self.options.build, "remit"), "run", "--quiet", "-m", self.manifest, "--workspace",
                self.kit, "--audit", log] + ([] if shim else ["--no-shim"]) + self.degraded() + [
                    "--", os.path.join(self.kit, program), self.questions]

    def refusals(self, log):
        refused = set()
        with open(log, encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if self.options.native and record.get("event") == "begin" and len(record["plan"]["native"]) != 3:
                    sys.exit(f"parity: seed {self.seed}: only {record['plan']['native']} go without the gate")
                if record.get("verdict") == "refused":
                    refused.add(record.get("object"))
        return refused

    # --- the comparison ---

    def run(self):
        controls = {name: self.drive([os.path.join(self.kit, name), self.questions])
                    for name in ("driver", "driver-static")}
        control = controls["driver"]
        judges = {"decide": self.decide(), "naive": self.naive()}
        logs = {}
        for name, program, shim in (("shim", "driver", True), ("bare", "driver", False),
                                    ("static", "driver-static", False)):
            log = os.path.join(self.kit, name + ".jsonl")
            judges[name] = self.drive(self.session(program, shim, log))
            logs[name] = self.refusals(log)
        return self.compare(control, controls["driver-static"], judges, logs)

    def words(self):
        """Only the two judges that need no session: quick enough for many seeds."""
        bad = 0
        for query, decide, naive in zip(self.world.queries, self.decide(), self.naive()):
            if decide != naive:
                bad += 1
                print(f"parity: seed {self.seed}: {query.line()}: decide {decide}, naive {naive}")
        print(f"parity: seed {self.seed}: {len(self.world.queries)} queries by two judges, {bad} bad")
        return len(self.world.queries), bad

    def compare(self, control, control_static, judges, logs):
        compared = allowed = bad = 0
        for i, query in enumerate(self.world.queries):
            words = {n: j[i] if isinstance(j[i], bool) else j[i][0] for n, j in judges.items()}
            details = {n: j[i][1] for n, j in judges.items() if not isinstance(j[i], bool)}
            if query.verb == "env":
                works = query.thing in ENVIRONMENT
            else:
                works = control[i][0] and control_static[i][0]
            if works:
                compared += 1
                allowed += words["naive"]
                differ = len(set(words.values())) != 1
            elif os.path.basename(query.thing) == "absent":
                differ = words["decide"] != words["naive"] or words["shim"] or words["bare"] or words["static"]
            else:
                print(f"parity: broken test: {query.act} {query.line()} does not work outside a session: {control[i]}")
                bad += 1
                continue
            if differ:
                bad += 1
                print(f"parity: seed {self.seed}: {query.act} {query.line()}\n    {words}\n    {details}")
            elif works and not words["naive"] and query.verb != "env" and not self.options.native:
                bad += self.unrecorded(query, logs)
        print(f"parity: seed {self.seed}: {compared} queries by five judges, {allowed} allowed, {bad} bad")
        return compared, bad

    def unrecorded(self, query, logs):
        if query.verb in ("connect", "listen") and not query.thing.startswith("unix:/"):
            return 0  # where no datagram is granted the refusal names the socket, not its peer
        prefix = "unix:" if query.thing.startswith("unix:") else ""
        real = os.path.realpath(query.thing.removeprefix(prefix))
        missing = [n for n, objects in logs.items() if real not in objects and prefix + real not in objects]
        if missing:
            print(f"parity: seed {self.seed}: {query.act} {query.line()}: refused without a record ({missing})")
        return len(missing) != 0

    def close(self):
        self.listeners.stop = True
        if self.options.keep:
            print(f"parity: kept {self.root} {self.kit}")
            return
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.rmtree(self.kit, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--user")
    parser.add_argument("--without", default="", help="features that the sessions do without")
    parser.add_argument("--native", action="store_true", help="worlds that need no gate, and no records")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--control", action="store_true", help="only the controls and the naive judge")
    parser.add_argument("--words", action="store_true", help="only decide and naive, without sessions")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    compared = bad = 0
    for seed in map(int, options.seeds.split(",")):
        parity = Parity(options, seed)
        try:
            if options.control:
                one = parity.drive([os.path.join(parity.kit, "driver"), parity.questions])
                two = parity.drive([os.path.join(parity.kit, "driver-static"), parity.questions])
                verdicts = parity.naive()
                odd = [(vars(q), a, b) for q, a, b in zip(parity.world.queries, one, two)
                       if not (a[0] and b[0]) and q.verb != "env" and not q.thing.endswith("/absent")]
                print(seed, len(verdicts), sum(verdicts), len(odd), *odd[:10], sep="\n")
                continue
            counts = parity.words() if options.words else parity.run()
            compared, bad = compared + counts[0], bad + counts[1]
        finally:
            parity.close()
    if options.control:
        return 0
    print(f"parity: {compared} queries, {bad} bad")
    if compared < 2000:
        print("parity: fewer than 2000 queries were compared")
        return 1
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
