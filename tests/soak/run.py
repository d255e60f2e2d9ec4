#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hundreds of processes in one session, for as long as wanted; then the books are compared.

  verdicts  what each act got is what `remit check` says of its query, and what the table in acts.c says
  records   each refused act left exactly one record; only an act whose process was killed in it may have none
  leaks     descriptors, threads, memory and zombies of the broker at rest, before and after; what is left at the end

usage: run.py BUILD [--seconds N] [--workers N] [--pace MS] [--seed N] [--slack KiB] [--keep]
"""
import argparse
import collections
import json
import os
import random
import selectors
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROFILES = os.path.join(HERE, "../../policy/profiles")
SLOTS_MAX, KINDS_MAX, STORY = 250, 64, 400
KIND = collections.namedtuple("Kind", "name error op query")

MANIFEST = """\
remit: 1
agent: {{id: soak, purpose: Ask the gate all day}}
include: [base]
files:
  read: [{root}/only]
  write: [{root}/free, {root}/in]
  deny: ["{root}/in/*/secret"]
exec: {{allow: [{root}/bin]}}
network:
  connect: ["127.0.0.1:{tcp}", "udp:127.0.0.1:{udp}", "unix:{root}/free/socket"]
  listen: ["127.0.0.1:{first}-{last}"]
limits: {{processes: 4000}}
"""


class Listeners(threading.Thread):
    """Takes what comes; closes with a reset, so that no port stays in TIME_WAIT."""

    def __init__(self, unix):
        super().__init__(daemon=True)
        self.selector = selectors.DefaultSelector()
        self.tcp = self.listen(socket.AF_INET, ("127.0.0.1", 0)).getsockname()[1]
        self.listen(socket.AF_UNIX, unix)
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind(("127.0.0.1", 0))
        self.udp = datagrams.getsockname()[1]
        self.selector.register(datagrams, selectors.EVENT_READ, lambda sock: sock.recv(16))

    def listen(self, family, name):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.bind(name)
        sock.listen(1024)
        self.selector.register(sock, selectors.EVENT_READ, self.accept)
        return sock

    @staticmethod
    def accept(sock):
        peer, _ = sock.accept()
        if sock.family == socket.AF_INET:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()

    def run(self):
        while True:
            for key, _ in self.selector.select():
                try:
                    key.data(key.fileobj)
                except OSError:
                    pass


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


class Sample:
    """The broker as /proc shows it. Descriptors are only shown to root: the broker is not dumpable."""

    def __init__(self, pid):
        status = dict(line.split(":", 1) for line in read(f"/proc/{pid}/status").splitlines() if ":" in line)
        self.rss = int(status.get("VmRSS", "0").split()[0])
        self.peak = int(status.get("VmHWM", "0").split()[0])
        self.threads = int(status.get("Threads", "0"))
        try:
            self.fds = len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            self.fds = None
        self.zombies = set()
        for name in os.listdir("/proc"):
            if name.isdigit():
                fields = read(f"/proc/{name}/stat").rpartition(")")[2].split()
                if fields and fields[0] == "Z" and int(fields[17]) <= 1 and int(fields[1]) == pid:
                    self.zombies.add(int(name))

    def __str__(self):
        return f"{self.fds} fds, {self.threads} threads, {self.rss} KiB, {len(self.zombies)} zombies"


class Soak:
    def __init__(self, options):
        self.options, self.failures = options, []
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="soak"))
        self.stranger = subprocess.Popen(["sleep", "100000"])
        self.binary = os.path.join(options.build, "tests/soak/soak")
        self.kinds = [KIND(name, int(error), op, query) for name, error, op, query in (
            line.split("\t") for line in subprocess.run([self.binary, "list"], check=True, stdout=subprocess.PIPE,
                                                        text=True).stdout.splitlines())]
        self.build()

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def fail(self, story):
        self.failures.append(story)
        if len(self.failures) <= 20:
            print("FAIL", story, flush=True)

    def build(self):
        for name in ("free", "bin", "kit"):
            os.mkdir(self.path(name))
        with open(self.path("free/data"), "w") as data:
            data.write("fine\n")
        with open(self.path("free/tally"), "wb") as tally:
            tally.write(bytes(16 + SLOTS_MAX * KINDS_MAX * 8 + STORY))
        for name in ("soak", "soak-static"):
            shutil.copy2(os.path.join(self.options.build, "tests/soak", name), self.path("bin", name))
        shutil.copy2(os.path.join(self.options.build, "tests/escapes/tool"), self.path("bin/true"))
        for slot in range(self.options.workers):
            for folder in ("in", "out", "only"):
                os.makedirs(self.path(folder, str(slot)))
            for name in ("in/{}/public", "in/{}/secret", "only/{}/write", "out/{}/read", "out/{}/unlink",
                         "out/{}/truncate", "out/{}/chmod", "out/{}/utimes", "out/{}/xattr", "out/{}/watch"):
                open(self.path(name.format(slot)), "w").close()
            os.mkfifo(self.path(f"in/{slot}/fifo"))
            os.symlink(self.path("bin/true"), self.path(f"out/{slot}/link"))
            shutil.copy2(self.path("bin/true"), self.path(f"out/{slot}/exec"))
            socket.socket(socket.AF_UNIX).bind(self.path(f"out/{slot}/socket"))
        self.listeners = Listeners(self.path("free/socket"))
        self.listeners.start()
        first = random.Random(self.options.seed).randrange(11000, 30000)
        self.facts = {"tcp": self.listeners.tcp, "udp": self.listeners.udp, "first": first,
                      "stranger": self.stranger.pid}
        with open(self.path("kit/manifest.yaml"), "w") as manifest:
            manifest.write(MANIFEST.format(root=self.root, last=first + 4 * SLOTS_MAX, **self.facts))

    def object(self, kind, slot):
        return kind.query.format(root=self.root, slot=slot, **self.facts)

    def remit(self, *arguments):
        return [os.path.join(self.options.build, "remit"), arguments[0], "-m", self.path("kit/manifest.yaml"),
                "--profiles", PROFILES, "--workspace", self.path("free"), *arguments[1:]]

    def check_verdicts(self):
        """The table of the acts against decide()."""
        asked = [(kind, self.object(kind, slot)) for kind in self.kinds for slot in (0, self.options.workers - 1)
                 if kind.query and not kind.op]
        seen = subprocess.run(self.remit("check", "--json", "--stdin"), input="".join(q + "\n" for _, q in asked),
                              stdout=subprocess.PIPE, text=True)
        answers = [json.loads(line) for line in seen.stdout.splitlines()]
        if len(answers) != len(asked):
            self.fail(f"remit check answered {len(answers)} of {len(asked)} queries: {seen.stdout[:300]}")
        for (kind, query), answer in zip(asked, answers):
            if (answer["verdict"] == "allowed") != (kind.error == 0):
                self.fail(f"verdict of {query}: decide() says {answer['verdict']}, the act expects errno {kind.error}")

    def await_word(self, process, word):
        line = process.stdout.readline().strip()
        if line != word:
            self.fail(f"the agent said {line!r} instead of {word!r}: {read(self.path('kit/stderr'))[-2000:]}")
            raise SystemExit(self.report())

    def settle(self, pid):
        """At rest: as few descriptors and threads as there will be."""
        best = Sample(pid)
        for _ in range(20):
            time.sleep(0.1)
            now = Sample(pid)
            if now.fds == best.fds and now.threads == best.threads and not now.zombies:
                return now
            best = now
        return best

    def watch(self, process, over):
        """Samples once a second until the agent is over; a zombie seen thrice in a row is one."""
        self.worst = Sample(process.pid)
        begun, story, old, older = time.time(), 0, set(), set()
        while not over.is_set() and process.poll() is None:
            over.wait(1)
            now = Sample(process.pid)
            if now.zombies & old & older:
                self.fail(f"zombies of the broker: {sorted(now.zombies & old & older)}")
            old, older = now.zombies, old
            for name in ("rss", "threads"):
                setattr(self.worst, name, max(getattr(self.worst, name), getattr(now, name)))
            self.worst.fds = max(self.worst.fds, now.fds) if now.fds is not None else None
            if time.time() - begun > 60 * (story + 1):
                story += 1
                print(f"  {story} min: {now}", flush=True)

    def session(self):
        arguments = [self.path("bin/soak-static"), "run", self.root, str(self.options.seed), str(self.options.seconds),
                     str(self.options.workers), str(self.options.pace)]
        arguments += [f"{name}={value}" for name, value in self.facts.items()]
        with open(self.path("kit/stderr"), "w") as stderr:
            process = subprocess.Popen(
                self.remit("run", "--quiet", "--audit", self.path("kit/audit.jsonl"), "--", *arguments), text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr)
        say = lambda: (process.stdin.write("\n"), process.stdin.flush())  # noqa: E731
        self.await_word(process, "begun")
        self.idle = self.settle(process.pid)
        print(f"  idle: {self.idle}", flush=True)
        say()
        self.await_word(process, "warm")
        self.warm = self.settle(process.pid)
        print(f"  warm: {self.warm}", flush=True)
        say()
        over = threading.Event()
        watcher = threading.Thread(target=self.watch, args=(process, over))
        watcher.start()
        try:
            self.await_word(process, "over")
        finally:
            over.set()
            watcher.join()
        self.after = self.settle(process.pid)
        print(f"  worst: {self.worst}\n  after: {self.after}", flush=True)
        say()
        self.status = process.wait(60)
        self.pid = process.pid

    def check_rest(self):
        before, after = self.warm, self.after
        if after.fds != before.fds:
            self.fail(f"descriptors: {before.fds} before, {after.fds} after")
        if after.threads > before.threads + 8:
            self.fail(f"threads: {before.threads} before, {after.threads} after")
        if after.rss > before.rss + self.options.slack:
            self.fail(f"memory: {before.rss} KiB before, {after.rss} KiB after")
        if after.zombies:
            self.fail(f"zombies: {after.zombies}")
        if self.status != 0:
            self.fail(f"the session ended with {self.status}: {read(self.path('kit/stderr'))[-2000:]}")
        left = [pid for pid in os.listdir("/proc") if pid.isdigit() and self.path("bin") in read(f"/proc/{pid}/cmdline")]
        if left:
            self.fail(f"processes left: {left}")

    def check_tally(self):
        with open(self.path("free/tally"), "rb") as file:
            tally = file.read()
        _, wrong, self.deaths, self.starts = struct.unpack_from("<4I", tally)
        if wrong:
            self.fail(f"{wrong} wrong answers; the first: {tally[16 + SLOTS_MAX * KINDS_MAX * 8:].split(bytes(1))[0].decode()}")
        begun, done, self.acts = collections.Counter(), collections.Counter(), 0
        for slot in range(self.options.workers):
            counts = struct.unpack_from(f"<{2 * KINDS_MAX}I", tally, 16 + slot * KINDS_MAX * 8)
            for i, kind in enumerate(self.kinds):
                self.acts += counts[KINDS_MAX + i]
                if kind.error:
                    op, _, rest = (kind.op + " " + self.object(kind, slot) if kind.op else self.object(kind, slot)
                                   ).partition(" ")
                    rest = rest.replace("unix:/", "/")  # the record names the file
                    begun[op, rest] += counts[i]
                    done[op, rest] += counts[KINDS_MAX + i]
        return begun, done

    def check_records(self, begun, done):
        seen, lines, refused, last = collections.Counter(), 0, 0, None
        with open(self.path("kit/audit.jsonl"), "rb") as log:
            for line in log:
                if not line.endswith(b"\n"):
                    self.fail(f"a cut line: {line[:200]!r}")
                last = record = json.loads(line)
                if record["seq"] != lines:
                    self.fail(f"seq {record['seq']} in line {lines}")
                lines += 1
                if "event" in record:
                    continue
                refused += record["verdict"] == "refused"
                seen[record["op"], record["object"]] += 1
        for key in seen.keys() | begun.keys():
            if not done[key] <= seen[key] <= begun[key]:
                self.fail(f"{key}: {done[key]} refusals were seen, {begun[key]} begun, {seen[key]} records")
        if last.get("event") != "end" or last["refused"] != refused or last["written"] != lines - 1:
            self.fail(f"the last record does not add up: {last}, {lines} lines, {refused} refused")
        self.refused, self.lost = refused, sum(begun.values()) - refused

    def report(self):
        print(f"soak: {'FAILED' if self.failures else 'passed'}")
        return bool(self.failures)

    def run(self):
        self.check_verdicts()
        begun = time.time()
        self.session()
        took = time.time() - begun
        self.check_rest()
        self.check_records(*self.check_tally())
        print(f"  {self.acts} acts in {took:.0f} s by {self.options.workers} workers; {self.refused} refusals recorded, none missing"
              f" ({self.lost} more were begun by processes that were killed); {self.starts} workers started, {self.deaths} killed")
        return self.report()

    def close(self):
        self.stranger.kill()
        self.stranger.wait()
        if not self.options.keep:
            shutil.rmtree(self.root, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=200)
    parser.add_argument("--pace", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slack", type=int, default=2048)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    soak = Soak(options)
    try:
        return soak.run()
    finally:
        soak.close()


if __name__ == "__main__":
    sys.exit(main())
