# SPDX-License-Identifier: Apache-2.0
"""The broker is killed at any moment of a busy session: nothing opens, nothing hangs, the private folder goes.

Its warden ends what the agent left behind, which runs on inside the wall, without a gate, until then. LOOPS says how
often.
"""
import os
import random
import time

from live import Scratch, alive, expect, hold

LOOPS = int(os.environ.get("LOOPS_KILLED", "6"))
TOKEN = "it was read all the same"

s = Scratch()
for folder in ("gap", "out", "tmp"):
    os.mkdir(s.path(folder))
with open(s.path("gap", "a.txt"), "w") as out:
    out.write("granted by a glob\n")
with open(s.path("out", "secret"), "w") as out:
    out.write(TOKEN)
s.manifest('files: {write: ["${WORKSPACE}", "${TMP}", "%s/*.txt"]}\n' % s.path("gap"))
os.environ["TMPDIR"] = s.path("tmp")
agent = s.script("agent.py", """\
import os, socket, sys, threading, time
gap, secret, parent = sys.argv[1], sys.argv[2], os.getppid()
for n in range(3):
    if os.fork() == 0:
        break
start, end = time.time(), time.time() + 8
def work():
    gone = None
    while time.time() < end and (gone is None or time.time() < gone + 0.5):
        for act in (lambda: open(gap).read(), lambda: os.chmod(gap, 0o644), lambda: os.memfd_create('x'),
                    lambda: socket.socket().connect(('127.0.0.1', 9)), lambda: os.truncate(gap, 5),
                    lambda: print(open(secret).read(), flush=True), lambda: os.chmod(secret, 0o777),
                    lambda: os.rename(secret, gap), lambda: os.kill(parent, 0)):
            try: fd = act()
            except OSError: fd = None
            if isinstance(fd, int): os.close(fd)
        if gone is None and not os.path.exists(f'/proc/{parent}'):
            gone = time.time()
threads = [threading.Thread(target=work) for n in range(3)]
print(os.getpid(), flush=True)
for thread in threads: thread.start()
for thread in threads: thread.join()
""")


def pids_of(process, pids):
    """The numbers that the agent's processes say; what they read would be among them."""
    while len(pids) < 4:
        line = process.stdout.readline()
        hold("nothing is read", TOKEN not in line, line)
        if not line:
            return
        if line.strip().isdigit():
            pids.append(int(line))


def left():
    """Without a sanitizer's own files, which it removes when it exits and not when it is killed."""
    return [name for name in os.listdir(s.path("tmp")) if not name.startswith("tsan.")]


for loop in range(LOOPS):
    option = ("--no-shim",) if loop % 2 else ()
    before = os.stat(s.path("out", "secret"))
    process = s.start("/usr/bin/python3", "-I", agent, s.path("gap", "a.txt"), s.path("out", "secret"), options=option,
                      cwd=s.work)
    pids = []
    if loop % 3:  # else during the launch
        pids_of(process, pids)
    time.sleep(random.uniform(0, 0.3))
    process.kill()
    process.wait()
    end = time.time() + 20
    while any(alive(pid) for pid in pids) and time.time() < end:
        time.sleep(0.02)
    hold("everything ends by itself", not any(alive(pid) for pid in pids), f"{pids} in loop {loop}")
    text = process.stdout.read()  # to its end: nobody holds it open any more
    hold("nothing was read", TOKEN not in text, text)
    process.stdout.close()
    process.stderr.close()
    after = os.stat(s.path("out", "secret"))
    expect("the secret's mode and time", (after.st_mode, after.st_ctime_ns), (before.st_mode, before.st_ctime_ns))
    while left() and time.time() < end + 10:
        time.sleep(0.02)
    expect("what is left of the private folder", left(), [])
