# SPDX-License-Identifier: Apache-2.0
"""What a call costs at the gate, counted: system calls of the gate, and how often its threads are woken.

Bounds, with room for a kernel or a library that takes another way; what is counted today stands beside them.
"""
import collections
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import time

from live import Scratch, hold

CALLS = 200
# Of the gate, for one act: (in the wall, in the gap). None: not counted there.
BOUNDS = {
    "read": (7, 12),  # 5, 9 (one more where the file system has no device of its own)
    "relative": (8, 13),  # 6, 10
    "create": (14, 26),  # 10, 20: with the unlink
    "mkdir": (14, 24),  # 10, 20: with the rmdir
    "rename": (19, 38),  # 16, 32: there and back
    "chmod": (11, 11),  # 8, 8
    "connect": (None, 16),  # 11
}
WAKES = 1.5  # of all threads of the gate for one call in the wall, beside those of its clock
CLOCK = ("nanosleep", "clock_nanosleep", "poll", "futex", "restart_syscall", "rt_sigtimedwait", "waitid", "wait4")

s = Scratch()
peer = socket.create_server(("127.0.0.1", 0), backlog=512)
for name in ("w/wall", "gap"):
    os.makedirs(s.path(name, "a/b"))
    with open(s.path(name, "a/b/file"), "w") as out:
        out.write("content\n")
s.manifest('files: {write: ["${WORKSPACE}", "${TMP}", "%s"]}\nnetwork: {connect: ["127.0.0.1:%d"]}\n'
           % (s.path("g?p"), peer.getsockname()[1]))
agent = s.script("agent.py", """\
import os, socket, sys
def read(): os.close(os.open(folder + '/file', os.O_RDONLY))
def relative(): os.close(os.open('file', os.O_RDONLY))
def create(): os.close(os.open(folder + '/new', os.O_WRONLY | os.O_CREAT | os.O_EXCL)); os.unlink(folder + '/new')
def mkdir(): os.mkdir(folder + '/d'); os.rmdir(folder + '/d')
def rename(): os.rename(folder + '/file', folder + '/moved'); os.rename(folder + '/moved', folder + '/file')
def chmod(): os.chmod(folder + '/file', 0o644)
def connect():
    with socket.socket() as sock: sock.connect(('127.0.0.1', port))
port = int(sys.argv[1])
print(os.getppid(), flush=True)
for line in sys.stdin:
    act, count, folder = line.split()
    os.chdir(folder)
    for i in range(int(count)): globals()[act]()
    print('done', flush=True)
""")
session = s.start("/usr/bin/python3", "-I", "-S", agent, str(peer.getsockname()[1]), options=("--no-shim",),
                  stdin=subprocess.PIPE, cwd=s.work)
gate = int(session.stdout.readline())


def drain():
    """Takes the connections, so that none is refused for a full queue."""
    while select.select([peer], [], [], 0)[0]:
        peer.accept()[0].close()


def ask(act, folder, count=CALLS):
    for i in range(0, count, 100):
        session.stdin.write(f"{act} {min(100, count - i)} {folder}\n")
        session.stdin.flush()
        hold(f"{act} works", session.stdout.readline() == "done\n", "the agent has ended")
        drain()


def traced(act, folder):
    """System calls of the gate for one act; None where it cannot be traced."""
    tracer = subprocess.Popen(["strace", "-c", "-f", "-p", str(gate)], stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "LC_ALL": "C"})
    end = time.monotonic() + 20
    tasks = os.listdir(f"/proc/{gate}/task")
    while tracer.poll() is None and time.monotonic() < end:
        if all(re.search(r"TracerPid:\t[1-9]", open(f"/proc/{gate}/task/{t}/status").read()) for t in tasks):
            break
        time.sleep(0.02)
    if tracer.poll() is not None:
        return None
    ask(act, folder)
    tracer.send_signal(signal.SIGINT)
    calls = collections.Counter()
    for line in tracer.communicate()[1].splitlines():
        words = line.split()
        if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
            calls[words[-1]] += int(words[3])
    counted = {name: count / CALLS for name, count in calls.items() if name not in CLOCK}
    return sum(counted.values()), counted


def wakes():
    """How often threads of the gate have slept and were woken."""
    total = 0
    for task in os.listdir(f"/proc/{gate}/task"):
        try:
            text = open(f"/proc/{gate}/task/{task}/status").read()
        except OSError:
            continue
        total += int(re.search(r"^voluntary_ctxt_switches:\t(\d+)", text, re.M).group(1))
    return total


WALL, GAP = s.path("w/wall/a/b"), s.path("gap/a/b")
ask("read", WALL)
before, start = wakes(), time.monotonic()
ask("read", WALL, 2000)
ticks = 2 * (time.monotonic() - start) * 1000
story = f"{wakes() - before} wake-ups for 2000 calls, {ticks:.0f} of them allowed to the clock"
hold("one thread is woken for a call", wakes() - before < WAKES * 2000 + ticks, story)

if shutil.which("strace"):
    for act, bounds in BOUNDS.items():
        for folder, bound in zip((WALL, GAP), bounds):
            seen = bound and traced(act, folder)
            if seen:
                hold(f"{act} in {'the wall' if folder == WALL else 'the gap'}: at most {bound} system calls",
                     seen[0] <= bound, f"{seen[0]:.2f}: " + ", ".join(f"{n} {c:.2f}" for n, c in seen[1].items()))
session.stdin.close()
hold("the session ends well", session.wait(timeout=30) == 0, session.stderr.read())
