#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every case of `race --list` three ways, as the escapes are run: by canaries, after a control.

A race that the gate loses even once in many thousand tries shows the token, a change or an arrival. A case of
liveness (LIVE) has no canary: it holds when every call of it got its answer in time.

usage: run.py BUILD [--user NAME] [--only REGEX] [--loops N] [--control] [--no-control]
"""
import argparse
import hashlib
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../live/escapes"))
from stage import REMIT, Listeners, product  # noqa: E402

WAYS = (("shim", "race", []), ("no-shim", "race", ["--no-shim"]), ("static", "race-static", ["--no-shim"]))
LIVE = ("R7-", "R8-")
# Nothing in them is granted or says "fine", or (a digest of a file that the agent may rewrite) held by never running it.
REFUSED_ONLY = ("R5-death", "P2-dotdot", "E9-digest", "R1-how-handle")

MANIFEST = """\
remit: 1
agent: {{id: races, purpose: Be quicker than the gate}}
include: [base]
files:
  write: [{root}/free, {root}/in]
  deny: [{root}/in/secret]
exec: {{allow: [{root}/bin, {{path: {root}/free/digest, sha256: {digest}}}]}}
network: {{connect: ["127.0.0.1:{tcp_granted}", "udp:127.0.0.1:{udp_granted}"]}}
env: {{pass: [PATH]}}
"""


class Races:
    def __init__(self, options):
        self.options = options
        user = pwd.getpwnam(options.user) if options.user else pwd.getpwuid(os.getuid())
        self.ids = (user.pw_uid, user.pw_gid)
        self.user = {"user": self.ids[0], "group": self.ids[1], "extra_groups": []} if os.getuid() == 0 else {}
        self.token = secrets.token_hex(16)
        self.root = tempfile.mkdtemp(prefix="rr", dir="/tmp")
        self.listeners = Listeners(self.token.encode())
        inet = socket.AF_INET
        self.facts = {
            "tcp_granted": self.listeners.stream(inet, ("127.0.0.1", 0), "granted")[1],
            "tcp_other": self.listeners.stream(inet, ("127.0.0.1", 0), "!tcp")[1],
            "udp_granted": self.listeners.datagram(inet, ("127.0.0.1", 0), "granted")[1],
            "udp_other": self.listeners.datagram(inet, ("127.0.0.1", 0), "!udp")[1],
        }
        # UDP to the port where only TCP is granted.
        self.listeners.datagram(inet, ("127.0.0.1", self.facts["tcp_granted"]), "!udp on the tcp port")

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def put(self, name, content, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as out:
            out.write(content)
        os.chmod(self.path(name), mode)

    def build(self):
        shutil.rmtree(self.root)
        os.makedirs(self.path("free/deep/a"))
        os.chmod(self.root, 0o755)
        fine, token = b"fine\n", self.token.encode() + b"\n"
        for name, content in (("free/data", fine), ("outs/data", token), ("in/public", fine), ("in/secret", token)):
            self.put(name, content)
        os.mkfifo(self.path("in/fifo"))
        tests = os.path.join(self.options.build, "tests")
        copies = [(name, os.path.join(tests, source), 0o755)
                  for name, source in (("bin/true", "escapes/tool"), ("bad/true", "escapes/tool-did"),
                                       ("bin/race", "race/race"), ("bin/race-static", "race/race-static"),
                                       ("free/digest", "escapes/tool"), ("free/other", "escapes/tool-did"))]
        for name, source, mode in copies + list(product(self.options.build)):
            with open(source, "rb") as program:
                self.put(name, program.read(), mode)
        self.put("kit/manifest.yaml", MANIFEST.format(root=self.root, digest=self.digest("bin/true"), **self.facts).encode())
        if os.getuid() == 0:
            for folder, folders, files in os.walk(self.root):
                for name in ["."] + folders + files:
                    os.lchown(os.path.join(folder, name), *self.ids)

    def digest(self, name):
        with open(self.path(name), "rb") as program:
            return hashlib.sha256(program.read()).hexdigest()

    def fingerprint(self):
        seen = {}
        for name in ("outs", "outs/data", "in/secret", "bad", "bad/true"):
            about = os.lstat(self.path(name))
            seen[name] = about.st_mode, about.st_size, about.st_mtime_ns, about.st_ctime_ns
        seen["names"] = os.listdir(self.path("outs"))
        return seen

    def run(self, case, program, session, times=1):
        self.build()
        before = self.fingerprint()
        # What the run before sent may still be on its way.
        time.sleep(0.2)
        self.listeners.take()
        log = self.path("kit/audit.jsonl")
        command = [self.path("bin", program), case, self.root, str(self.options.loops * times)]
        command += [f"{k}={v}" for k, v in self.facts.items()]
        if session is not None:
            command = [self.path(REMIT), "run", "--quiet", "-m",
                       self.path("kit/manifest.yaml"), "--workspace", self.path("free"), "--audit", log
                       ] + session + ["--"] + command
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   cwd=self.path("free"), start_new_session=True, **self.user)
        head = b""
        if case == "R6-orphan":
            head = process.stdout.readline()
            if session is not None:
                process.kill()
        try:
            stdout, stderr = process.communicate(timeout=300)
            time.sleep(0.1)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
            stderr += b"\nrace: it hung"
        return self.judge(case, session, before, head + stdout, stderr, process.returncode)

    def judge(self, case, session, before, stdout, stderr, status):
        told = re.search(rb"race: (\d+) tries, (\d+) went through", stderr)
        tries, through = map(int, told.groups()) if told else (0, 0)
        canaries = []
        if self.token.encode() in stdout:
            canaries.append("token read")
        if b"DID" in stdout:
            canaries.append("refused program ran, or a refused file was opened for commands")
        after = self.fingerprint()
        canaries += [f"changed {name}" for name in after if after[name] != before.get(name)]
        canaries += sorted({"arrived " + label for label in self.listeners.take() if label.startswith("!")})
        story = f"{tries} tries, {through} through, status {status}"
        tail = stderr.decode(errors="backslashreplace").strip()[-600:]
        if b"it hung" in stderr:
            return canaries, story, "hung: " + tail
        if case.startswith(LIVE) and (tries == 0 or through != tries):
            return canaries, story, "some calls got no answer in time: " + tail
        if session is not None and case != "R6-orphan":
            if status != 0 or (through == 0 and case not in REFUSED_ONLY):
                return canaries, story, "nothing granted went through, so nothing was shown: " + tail
            return canaries, story, self.bad_log()
        return canaries, story, None

    def bad_log(self):
        with open(self.path("kit/audit.jsonl"), "rb") as lines:
            for line in lines:
                try:
                    json.loads(line)
                except ValueError:
                    return f"a broken record: {line[:200]!r}"
        return None

    def case(self, case):
        for way, program, session in WAYS:
            if not case.startswith(LIVE) and not self.options.no_control:
                for chance in range(10):  # on a busy machine the other thread may hardly run
                    canaries, story, wrong = self.run(case, program, None, 1 << min(chance, 4))
                    if canaries or wrong:
                        break
                if not canaries or wrong:
                    yield way, f"FAIL control: the race cannot be seen outside a session: {story} {wrong or ''}"
                    continue
            if self.options.control:
                yield way, None
                continue
            canaries, story, wrong = self.run(case, program, session)
            if canaries:
                yield way, f"FAIL lost: {canaries} ({story})"
            elif wrong:
                yield way, f"FAIL {wrong} ({story})"
            else:
                yield way, None

    def close(self):
        self.listeners.close()
        shutil.rmtree(self.root, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--user")
    parser.add_argument("--only", default="")
    parser.add_argument("--loops", type=int, default=10000)
    parser.add_argument("--control", action="store_true", help="run only the controls")
    parser.add_argument("--no-control", action="store_true", help="only inside: for mutations, which show escapes")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    names = subprocess.run([os.path.join(options.build, "tests/race/race"), "--list"], check=True, capture_output=True,
                           text=True).stdout.split()
    races, passed, failed = Races(options), 0, 0
    try:
        for name in names:
            if not re.search(options.only, name):
                continue
            for way, result in races.case(name):
                print(f"{name} ({way}): {result or 'ok'}", flush=True)
                passed, failed = passed + (result is None), failed + (result is not None)
    finally:
        races.close()
    print(f"races: {passed} passed, {failed} failed")
    return failed != 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
