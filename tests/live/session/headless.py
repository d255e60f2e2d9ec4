# SPDX-License-Identifier: Apache-2.0
"""A process whose first thread has ended shows as a zombie while the others go on: it is ended, stopped and waited for."""
import os
import pty
import re
import select
import subprocess
import time

from live import BUILD, NESTING, PROFILES, Scratch, alive, expect, hold

REMIT = os.path.join(BUILD, "remit")
# mode: how the process that is forked behaves once its first thread has ended.
SCRIPT = """\
import ctypes, os, signal, sys, threading, time
mode, ticks = sys.argv[1:3]

def tick():
    for n in range(600):
        with open(ticks, 'a') as out: out.write(f'{os.getpid()}\\n')
        time.sleep(0.05)
    os._exit(0)

def headless():
    if mode != 'job':
        os.setsid()
        for n in range(1, 65):
            try: signal.signal(n, signal.SIG_IGN)
            except (OSError, ValueError): pass
        null = os.open('/dev/null', os.O_RDWR)
        for fd in range(3): os.dup2(null, fd)
    threading.Thread(target=tick).start()
    ctypes.CDLL(None).syscall(60 if os.uname().machine == 'x86_64' else 93, 0)

def wait():
    while not os.path.exists(ticks) or not os.path.getsize(ticks): time.sleep(0.01)

if mode == 'job' or os.fork() == 0:
    headless()
wait()
if mode == 'stay': time.sleep(100)
"""
s = Scratch()
s.manifest()
script = s.script("headless.py", SCRIPT)
ticks = s.path("w", "ticks")


def seen():
    with open(ticks) as text:
        return text.read().split()


def settled():
    """Nobody writes any more; the process's number."""
    pids = seen()
    expect("one process", len(set(pids)), 1)
    hold("it has ended", not alive(int(pids[0])))
    time.sleep(0.2)
    expect("and writes no more", len(seen()), len(pids))
    os.unlink(ticks)


def ended(what, mode, options, body=""):
    s.manifest(body)
    begun = time.monotonic()
    out = s.run("/usr/bin/python3", script, mode, ticks, options=options)
    hold(f"{what} {options}: in time", time.monotonic() - begun < 9, out.stderr)
    hold(f"{what} {options}: remit says so", "ended 1 process that the agent left running" in out.stderr, out.stderr)
    hold(f"{what} {options}: and nothing else", "cannot be ended" not in out.stderr, out.stderr)
    settled()


def within():
    """The gate ends what an inner session leaves; the outer one goes on."""
    inner = s.path("inner.yaml")
    os.rename(s.manifest(), inner)
    s.manifest(f'files: {{write: ["${{WORKSPACE}}", "${{TMP}}"], read: [/usr/bin, "{BUILD}", "{PROFILES}", "{s.root}"]}}\n',
               programs=(REMIT, os.path.join(BUILD, "remit-probe")))
    out = s.run(REMIT, "run", "-m", inner, "--profiles", PROFILES, "--workspace", s.work, "--", "/usr/bin/python3",
                script, "leave", ticks, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"), options=NESTING)
    hold("within: the inner remit says so", "ended 1 process that the agent left running" in out.stderr, out.stderr)
    settled()


def job():
    """The shell sees the agent stop, though its first thread cannot."""
    s.manifest()
    pid, master = pty.fork()
    if pid == 0:
        os.environ.update(PS1="PROMPT> ", TERM="dumb", HISTFILE="/dev/null")
        os.execv("/bin/bash", ["bash", "--norc", "--noprofile", "-i"])
    text = ""

    def until(pattern):
        nonlocal text
        text = ""
        end = time.monotonic() + 20
        while not re.search(pattern, text):
            ready, _, _ = select.select([master], [], [], max(0, end - time.monotonic()))
            hold(f"waiting for {pattern}", ready, text)
            text += os.read(master, 4096).decode(errors="replace")

    until("PROMPT> ")
    line = " ".join(s.command("/usr/bin/python3", script, "job", ticks, options=("--quiet",)))
    os.write(master, f"{line}\n".encode())
    while not os.path.exists(ticks):
        time.sleep(0.05)
    # The child sets its own threads up first; the terminal's stop must find only the last.
    agent = int(seen()[0])
    while open(f"/proc/{agent}/stat").read().rsplit(")", 1)[1].split()[0] != "Z":
        time.sleep(0.01)
    os.write(master, b"\x1a")
    until("Stopped(?s:.*)PROMPT> ")
    os.killpg(os.getpgid(agent), 9)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(master)
    end = time.monotonic() + 5
    while alive(agent):
        hold("ended with remit", time.monotonic() < end)
        time.sleep(0.05)


outside = subprocess.run(["/usr/bin/python3", script, "leave", ticks], check=True, timeout=20)
survivor = int(seen()[0])
with open(f"/proc/{survivor}/stat") as stat:
    expect("outside it shows as", stat.read().rsplit(")", 1)[1].split()[0], "Z")
first = len(seen())
time.sleep(0.3)
hold("and goes on", alive(survivor) and len(seen()) > first)
os.kill(survivor, 9)
os.unlink(ticks)
for how in ((), ("--no-shim",)):
    ended("left running", "leave", how)
    ended("wall_time", "stay", how, "limits: {wall_time: 1s}\n")
within()
if os.path.exists("/bin/bash"):
    job()
