#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs foreign programs natively and inside sessions, and compares which of their tests pass.

usage: run.py BUILD [--lanes gate,wall,shim,gate-shim] [--only WORD] [--group fast|python|programs|root]
              [--jobs N] [--keep DIR]

A job is a module of Python's test suite or a script of programs/. It runs twice natively (what differs
between the two is dropped, and said) and once in each lane. A test that passes natively and not in a
lane is a difference; exceptions.txt lists those that have a reason. A crash or a hang is never one.
"""
import argparse
import concurrent.futures
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3.11"
LANES = {
    "gate": ("gate.yaml", ["--no-shim"]),
    "wall": ("wall.yaml", ["--no-shim"]),
    "shim": ("wall.yaml", []),
    "gate-shim": ("gate.yaml", []),
}
NATIVE = ("native", "native-again")

FAST = """test_glob test_fileio test_file test_tempfile test_mmap test_fcntl test_stat test_poll test_epoll test_pty
test_wait4 test_wait3 test_fork1""".split()
MODULES = """test_os test_posix test_io test_shutil test_pathlib test_socket test_subprocess test_signal test_threading test_ssl
test_posixpath test_genericpath test_select test_selectors
test_openpty test_popen test_socketserver test_threadsignals test_eintr test_ioctl test_largefile test_mailbox
test_tarfile test_zipfile test_bufio test_filecmp test_resource test_pwd test_grp
test_ftplib test_httplib test_httpservers test_smtplib test_xmlrpc test_fileinput test_dbm_gnu test_dbm_dumb
test_gzip test_bz2 test_lzma test_logging
test_multiprocessing_main_handling test_compileall test_py_compile test_import test_runpy test_cmd_line_script
test_faulthandler test_venv test_readline test_syslog test_netrc test_linecache test_zipapp
test_poplib test_imaplib test_urllib2_localnet test_wsgiref test_asyncore test_asynchat test_kqueue
test_getpass test_sched test_time test_timeout test_telnetlib test_cgi test_shelve
test_multiprocessing_spawn test_concurrent_futures test_asyncio test_multiprocessing_fork test_multiprocessing_forkserver""".split()
AS_ROOT = "test_os test_posix test_shutil test_tempfile test_pathlib test_fileio test_mmap test_socket".split()
SECONDS = {"test_multiprocessing_spawn": 1500, "test_multiprocessing_fork": 900, "test_multiprocessing_forkserver": 1500,
           "test_asyncio": 900, "test_concurrent_futures": 900, "test_subprocess": 600, "test_logging": 600}


def programs():
    return sorted(name for name in os.listdir(os.path.join(HERE, "programs")) if name not in ("lib.sh", "collect.py") and name[0] != "_")


def ordinary_user():
    for name in ("remit-check", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    return None


LIVE = set()


def stop(number, _frame):
    for child in list(LIVE):
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
    os._exit(128 + number)


class Place:
    """What the sessions need, where the user who runs them can read it."""

    def __init__(self, build, user, keep):
        self.user = user
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="cf", dir="/tmp"))
        self.keep = keep
        for name in ("remit", "libremit.so"):
            shutil.copy2(os.path.join(build, name), self.root)
        shutil.copytree(os.path.join(HERE, "../../policy/profiles"), self.path("profiles"))
        for name in ("gate.yaml", "wall.yaml"):
            shutil.copy2(os.path.join(HERE, name), self.root)
        shutil.copytree(os.path.join(HERE, "programs"), self.path("programs"))
        shutil.copy2(os.path.join(HERE, "collect.py"), self.path("programs"))
        os.mkdir(self.path("j"))
        os.chmod(self.root, 0o755)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def own(self, path):
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def remove(self):
        if not self.keep:
            shutil.rmtree(self.root, ignore_errors=True)


def command_of(place, job, results):
    if job.startswith("test_"):
        return [PYTHON, "-u", "-X", "faulthandler", place.path("programs", "collect.py"), job, results]
    script = place.path("programs", job)
    runner = {".sh": ["/bin/bash"], ".py": [PYTHON], ".mjs": ["/usr/bin/node"]}[os.path.splitext(job)[1]]
    return [*runner, script]


def run(place, job, lane):
    """One job in one lane: its set of outcomes, and how it ended."""
    # Short: names of unix sockets end at 108 bytes, and a session's private folder takes its share.
    name = job.removeprefix("test_")
    folder = place.path("j", f"{name[:8]}{name[8:][-6:]}.{lane}")
    work = os.path.join(folder, "w")
    for path in (folder, work, os.path.join(work, "tmp"), os.path.join(work, "home")):
        os.mkdir(path)
        place.own(path)
    results = os.path.join(work, "results")
    name = place.user.pw_name if place.user else "root"
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": os.path.join(work, "home"), "USER": name, "LOGNAME": name,
                   "TMPDIR": os.path.join(work, "tmp"), "LANG": "C.UTF-8", "TERM": "xterm", "SHELL": "/bin/bash",
                   "PYTHONDONTWRITEBYTECODE": "1", "SOURCE_DATE_EPOCH": "1700000000"}
    if not job.startswith("test_"):
        del environment["SOURCE_DATE_EPOCH"]
    seconds = SECONDS.get(job, 300)
    environment["CONFORMANCE_DUMP"] = str(seconds - 20)
    environment["CONFORMANCE_RESULTS"] = results
    command = command_of(place, job, results)
    who = {}
    if place.user:
        who = {"user": place.user.pw_uid, "group": place.user.pw_gid, "extra_groups": []}
    if lane in NATIVE:
        # What a session does to root natively: the scope names no capability, so none is kept.
        if not place.user:
            command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", *command]
    else:
        manifest, options = LANES[lane]
        command = [place.path("remit"), "run", "-m", place.path(manifest), "--profiles", place.path("profiles"),
                   "--workspace", work, "--audit", os.path.join(folder, "audit.jsonl"), *options, "--", *command]
    start = time.monotonic()
    with open(os.path.join(folder, "output"), "wb") as output:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=work,
                                 env=environment, start_new_session=True, **who)
        LIVE.add(child.pid)
        try:
            status = child.wait(seconds)
        except subprocess.TimeoutExpired:
            status = "hang"
            os.killpg(child.pid, signal.SIGTERM)
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        LIVE.discard(child.pid)
    return outcomes(results), status, time.monotonic() - start, folder


def outcomes(results):
    """{id: outcome}; what began and did not end is "unfinished"."""
    seen = {}
    try:
        with open(results, errors="backslashreplace") as lines:
            for line in lines:
                outcome, _, name = line.rstrip("\n").partition(" ")
                if outcome == "end":
                    seen["(end)"] = "passed"
                elif outcome == "began":
                    seen.setdefault(name, "unfinished")
                elif seen.get(name) not in ("failed", "skipped"):
                    seen[name] = outcome
    except FileNotFoundError:
        pass
    return seen


def exceptions():
    """[(regular expression of the id, lanes, reason)]"""
    listed = []
    with open(os.path.join(HERE, "exceptions.txt")) as lines:
        for line in lines:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            name, lanes, reason = line.split(None, 2)
            listed.append((re.compile(re.escape(name).replace(r"\*", ".*")), lanes.split(","), reason))
    return listed


def refusals(folder):
    """The refusals of a session, as short lines."""
    seen = {}
    try:
        with open(os.path.join(folder, "audit.jsonl")) as log:
            for line in log:
                record = json.loads(line)
                if record.get("verdict") == "refused":
                    key = f"{record.get('op')} {record.get('object')}"
                    seen[key] = seen.get(key, 0) + 1
    except (FileNotFoundError, ValueError):
        pass
    return [f"{count}x {key}" for key, count in sorted(seen.items(), key=lambda item: -item[1])]


class Judge:
    def __init__(self, user):
        self.user = user
        self.listed = exceptions()
        self.used = set()
        self.failed = self.excepted = self.passed = 0

    def excuse(self, name, lane):
        for place, (pattern, lanes, reason) in enumerate(self.listed):
            if pattern.fullmatch(name) and (lane in lanes or "all" in lanes) and \
                    ("root" not in lanes or self.user == "root"):
                self.used.add(place)
                return reason
        return None

    def job(self, job, runs, lanes):
        (first, status, took, folder), (again, _, took_again, _) = (runs[lane] for lane in NATIVE)
        label = f"{job} ({self.user})"
        unsteady = sorted(name for name in first.keys() | again.keys() if first.get(name) != again.get(name))
        base = {name for name, outcome in first.items() if outcome == "passed" and again.get(name) == "passed"}
        for name in unsteady:
            print(f"  UNSTEADY {label}: {name}: natively {first.get(name)}, then {again.get(name)}", flush=True)
        if "(end)" not in base:
            print(f"  FAILED  {label}: does not end natively (status {status}); see {folder}", flush=True)
            self.failed += 1
        native = max(took, took_again)
        for lane in lanes:
            seen, status, took, folder = runs[lane]
            missing = sorted(name for name in base if seen.get(name) != "passed")
            bad = []
            for name in missing:
                reason = self.excuse(name, lane)
                outcome = seen.get(name, "absent")
                if reason is None or outcome in ("unfinished", "absent"):
                    bad.append((name, outcome))
                else:
                    self.excepted += 1
            self.failed += len(bad)
            self.passed += len(base) - len(missing)
            slow = f" SLOW {took / native:.1f}x" if took > 5 * native and took > 5 else ""
            word = "FAILED" if bad else "PASSED"
            print(f"  {word}  {label} {lane}: {len(base) - len(missing)}/{len(base)} in {took:.0f} s, natively {native:.0f} s"
                  f"{slow}" + (f", status {status}, {folder}" if bad else ""), flush=True)
            for name, outcome in bad[:60]:
                print(f"          {outcome} {name}", flush=True)


def selected(options):
    jobs = {"fast": FAST, "python": FAST + MODULES, "programs": programs(), "root": AS_ROOT,
            "all": programs() + FAST + MODULES}[options.group]
    return [job for job in jobs if any(word in job for word in options.only.split(","))]


def judge_user(options, user, jobs):
    name = user.pw_name if user else pwd.getpwuid(os.getuid()).pw_name
    place = Place(os.path.abspath(options.build), user, options.keep)
    lanes = options.lanes.split(",")
    judge = Judge(name)
    print(f"{len(jobs)} jobs as {name}" + (f", kept in {place.root}" if options.keep else ""), flush=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = [(job, {lane: pool.submit(run, place, job, lane) for lane in (*NATIVE, *lanes)}) for job in jobs]
        for job, runs in futures:
            judge.job(job, {lane: future.result() for lane, future in runs.items()}, lanes)
    place.remove()
    return judge


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--lanes", default=",".join(LANES))
    parser.add_argument("--only", default="")
    parser.add_argument("--group", default="all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if not os.path.exists("/usr/lib/python3.11/test/test_os.py"):
        print("skip: libpython3.11-testsuite is not installed")
        return 0
    judges = []
    jobs = selected(options)
    if os.getuid() == 0 and options.group != "root":
        judges.append(judge_user(options, ordinary_user(), jobs))
    else:
        judges.append(judge_user(options, None, jobs))
    if os.getuid() == 0 and options.group == "all":
        judges.append(judge_user(options, None, [job for job in AS_ROOT if job in jobs]))
    total = [sum(getattr(judge, key) for judge in judges) for key in ("passed", "failed", "excepted")]
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} excepted")
    return total[1] != 0 or total[0] == 0


if __name__ == "__main__":
    sys.exit(main())
