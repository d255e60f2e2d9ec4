#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every case of `escapes --list`: a control outside any session, then inside, three ways.

A case is held when none of its canaries is seen inside: the run's secret token in its output, "DID", a
change of the protected tree, an arrival at a refused listener. The control must show one, or the test is
broken. Each refusal that the gate makes must stand in the log. The table is in the C files; nothing here
looks at errno.

usage: run.py BUILD [--user NAME] [--only REGEX] [--jobs N] [--summary] [--native] [--control]
"""
import argparse
import json
import multiprocessing
import os
import pwd
import re
import secrets
import select
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stage import REMIT, Stage  # noqa: E402

NEEDS_ROOT, NO_CONTROL, MAY_LACK, MUST_WORK, NEEDS_ORDINARY = 1, 2, 4, 8, 16
WAYS = ("shim", "no-shim", "static")
# Cases whose gate depends on whether the manifest grants any addressed send.
BOTH_FLAVOURS = re.compile(r"^(N1|N2|N3|N6|N10|N11)-|^N4-(udplite|ping|mptcp)|^L1-tagged-connect")


class Case:
    def __init__(self, line):
        self.name, flags, self.record = line.split("\t")
        self.flags = int(flags)


class Outcome:
    def __init__(self, canaries, stdout, stderr, status, records, broken_log):
        self.canaries, self.stdout, self.stderr, self.status = canaries, stdout, stderr, status
        self.records, self.broken_log = records, broken_log

    def story(self):
        tail = self.stderr.decode(errors="backslashreplace").strip()[-1500:]
        refused = [(r.get("op"), r.get("object")) for r in self.records if r.get("verdict") == "refused"]
        return f"    canaries {self.canaries}\n    status {self.status}\n    stderr {tail}\n    records {refused}"


class Runner:
    def __init__(self, stage, options):
        self.stage, self.options = stage, options
        self.program = {way: stage.path("bin/escapes" + ("-static" if way == "static" else "")) for way in WAYS}

    def command(self, case, way):
        facts = dict(self.stage.facts, dynamic=self.program["shim"], static=self.program["static"],
                     self=self.program[way], evil=self.stage.path("ro/evil.so"), remit=self.stage.path("bin/remit"))
        return [self.program[way], case.name, self.stage.root] + [f"{k}={v}" for k, v in facts.items()]

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "HOME": self.stage.path("home"), "ESCAPE_TOKEN": self.stage.token}

    def session(self, case, way):
        shim = [] if way == "shim" else ["--no-shim"]
        if self.options.without:
            shim += ["--without", self.options.without, "--allow-degraded"]
        return [self.stage.path(REMIT), "run", "-m", self.stage.path("kit/manifest.yaml"),
                "--workspace", self.stage.path("in"), "--audit", self.stage.path("kit/audit.jsonl")] + shim + [
                    "--"] + self.command(case, way)

    def outside(self, case, way):
        # A parent that holds the token in its environment and an fd that it passes on.
        return ["/bin/sh", "-c", 'exec 9</dev/null; "$@"; exit 0', "sh"] + self.command(case, way)

    def run(self, command, case):
        before, log_before = self.stage.fingerprint(), self.stage.log()[0]
        self.stage.listeners.take()
        lifeline, keep = os.pipe()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.environment(), cwd=self.stage.path("in"), pass_fds=[keep],
                                   start_new_session=True, **self.stage.as_user())
        os.close(keep)
        try:
            stdout, stderr = process.communicate(timeout=40)
            status = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = self.rest(process)
            status = "timeout"
        if case.name.startswith("E7-"):
            self.outwait(lifeline)
        elif case.name.startswith(("F7-", "N")):
            # Datagrams arrive in their own time, and so does what the kernel signals of itself.
            time.sleep(0.1)
        os.close(lifeline)
        self.stage.await_stranger()
        log_after, lines = self.stage.log()
        if log_after is None:
            log_after = ()
        return self.judge(before, log_before, log_after, lines, stdout, stderr, status)

    @staticmethod
    def outwait(lifeline):
        """What still runs outside holds the other end until it has done its deed. A session closed it: two seconds then."""
        start = time.monotonic()
        select.select([lifeline], [], [], 10)
        time.sleep(max(0, start + 2 - time.monotonic()))

    @staticmethod
    def rest(process):
        try:
            return process.communicate(timeout=5)
        except subprocess.TimeoutExpired as late:
            # What got away from the session holds the other ends.
            return late.stdout or b"", late.stderr or b""

    def judge(self, before, log_before, log_after, lines, stdout, stderr, status):
        canaries, records, broken = [], [], ""
        if self.stage.token.encode() in stdout:
            canaries.append("token read")
        if b"DID" in stdout.split(b"\n"):
            canaries.append("act done")
        after = self.stage.fingerprint()
        canaries += ["changed " + os.fsdecode(p).removeprefix(self.stage.root + "/").encode("unicode_escape").decode()
                     for p in sorted(before.keys() | after.keys()) if before.get(p) != after.get(p)]
        arrived = self.stage.listeners.take()
        canaries += ["arrived " + label for label in arrived if label.startswith("!")]
        if self.stage.terminal_heard():
            canaries.append("wrote to the terminal")
        if log_after != log_before:
            canaries.append("changed the log")
        for line in lines.split(b"\n"):
            if line == b"":
                continue
            try:
                records.append(json.loads(line.decode("utf-8", "strict")))
            except ValueError:
                broken = f"not a clean record: {line!r}"
        if b"CHANGED" in lines:
            canaries.append("wrote the log")
        return Outcome(canaries, stdout, stderr, status, records, broken)

    def control(self, case, way):
        """None when the act works outside; else why the case cannot be run here."""
        if case.flags & NO_CONTROL:
            return None
        if case.flags & NEEDS_ROOT and self.stage.uid != 0:
            return "needs root"
        if case.flags & NEEDS_ORDINARY and (self.stage.uid == 0 or os.getuid() != 0):
            return "needs a set-uid file and an ordinary user"
        outcome = self.run(self.outside(case, way), case)
        self.stage.build_tree()
        if outcome.canaries:
            return None
        if case.flags & MAY_LACK:
            return "this kernel does not let the act happen anyway"
        return "FAIL control: the act does not work outside a session\n" + outcome.story()

    def inside(self, case, way, sends):
        self.stage.write_manifest(sends, self.options.native)
        outcome = self.run(self.session(case, way), case)
        self.stage.build_tree()
        must_work = case.flags & MUST_WORK
        if outcome.canaries and not must_work:
            return "FAIL escaped\n" + outcome.story()
        if not any(r.get("op") != "stage" for r in outcome.records) or outcome.status in ("timeout", 125, 126, 127):
            if case.name != "E8-session-in-session":
                return "FAIL no session\n" + outcome.story()
        begin = next((r for r in outcome.records if r.get("event") == "begin"), None)
        if self.options.native and begin and begin["plan"]["native"] != ["read", "write", "exec"]:
            return f"FAIL the gate was kept for some of it: only {begin['plan']['native']} go without\n" + outcome.story()
        if must_work and not outcome.canaries:
            return "FAIL refused what is granted\n" + outcome.story()
        if must_work:
            return None
        if outcome.broken_log:
            return "FAIL " + outcome.broken_log
        if self.options.native:
            return "FAIL a refusal is recorded" if any("verdict" in r for r in outcome.records) else None
        if case.record != "-" and not self.recorded(case, outcome.records):
            return "FAIL held, but no refusal of it is recorded\n" + outcome.story()
        return None

    def recorded(self, case, records):
        return any(r.get("verdict") == "refused" and case.record in str(r.get("object", "")) for r in records)

    def case(self, case):
        """(name, way, result) for each way; result None is a pass."""
        flavours = (True, False) if BOTH_FLAVOURS.search(case.name) else (True,)
        for way in WAYS:
            why = None if self.options.no_control else self.control(case, way)
            if why is not None:
                yield case.name, way, why if why.startswith("FAIL") else "skip " + why
                continue
            for sends in flavours:
                label = way if sends else way + ", no sends granted"
                yield case.name, label, None if self.options.control else self.inside(case, way, sends)


def work(arguments):
    options, cases = arguments
    user = pwd.getpwnam(options.user) if options.user else pwd.getpwuid(os.getuid())
    root = tempfile.mkdtemp(prefix="rm", dir="/tmp")
    stage = Stage(root, options.build, secrets.token_hex(16), user.pw_uid, user.pw_gid)
    results = []
    try:
        runner = Runner(stage, options)
        for case in cases:
            for name, way, result in runner.case(case):
                if result is not None or not options.summary:
                    print(f"{name} ({way}): {'ok' if result is None else result}", flush=True)
                results.append(result)
    finally:
        stage.close()
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--user")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--without", default="", help="features that the sessions do without")
    parser.add_argument("--native", action="store_true", help="nothing is recorded, and the wall holds all that is granted")
    parser.add_argument("--control", action="store_true", help="run only the controls")
    parser.add_argument("--no-control", action="store_true", help="only inside: for mutations, which show escapes")
    parser.add_argument("--summary", action="store_true", help="say nothing of what is as it should be")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    listing = subprocess.run([os.path.join(options.build, "tests/escapes/escapes"), "--list"], check=True,
                             capture_output=True, text=True).stdout
    cases = [case for case in map(Case, listing.splitlines()) if re.search(options.only, case.name)]
    if options.native:  # what must work there is not granted here
        cases = [case for case in cases if not case.flags & MUST_WORK]
    shares = [(options, cases[i::options.jobs]) for i in range(options.jobs)]
    with multiprocessing.Pool(options.jobs) as pool:
        results = [result for share in pool.map(work, shares, 1) for result in share]
    failed = sum(1 for r in results if r is not None and r.startswith("FAIL"))
    skipped = sum(1 for r in results if r is not None and r.startswith("skip"))
    print(f"escapes: {len(results) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return failed != 0 or not results


if __name__ == "__main__":
    sys.exit(main())
