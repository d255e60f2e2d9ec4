# SPDX-License-Identifier: Apache-2.0
"""A real shell with job control on a real pty: Ctrl-C, Ctrl-Z, fg, an interactive shell inside, modes given back."""
import os
import pty
import re
import select
import shlex
import signal
import sys
import time

from live import Scratch, hold, skip

if not os.path.exists("/bin/bash"):
    skip("no bash")
s = Scratch()
s.manifest()


class Shell:
    """An interactive bash; each command's output is awaited by what it prints, never by time."""

    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Started in the background by a script, these come ignored, and stay so.
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
                signal.signal(number, signal.SIG_DFL)
            os.environ.update(PS1="PROMPT> ", TERM="dumb", HISTFILE="/dev/null")
            os.execv("/bin/bash", ["bash", "--norc", "--noprofile", "-i"])
        self.seen = ""
        self.wait("PROMPT> ")

    def wait(self, pattern, seconds=20):
        end = time.time() + seconds
        while True:
            found = re.search(pattern, self.seen)
            if found:
                before, self.seen = self.seen[:found.end()], self.seen[found.end():]
                return before
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.time()))
            hold(f"waiting for {pattern!r}", ready, self.seen)
            try:
                self.seen += os.read(self.fd, 4096).decode(errors="replace").replace("\r", "")
            except OSError:
                sys.exit(f"the shell ended before {pattern!r}: {self.seen}")

    def type(self, text):
        os.write(self.fd, text.encode())

    def line(self, text):
        """Runs one line to the next prompt."""
        self.type(text + "\n")
        # The echo of the line ends before its output begins.
        self.wait(re.escape(text[-20:]) + "\n")
        return self.wait("PROMPT> ")

    def end(self):
        self.type("exit\n")
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def until(what, test, seconds=20):
    end = time.time() + seconds
    while not test():
        hold(what, time.time() < end, sh.seen)
        time.sleep(0.1)


def content(path):
    with open(path) as f:
        return f.read()


def remit(*command):
    return " ".join(map(shlex.quote, s.command(*command, options=("--quiet",))))


loop = s.script("loop.sh", "#!/bin/sh\necho started\nwhile :; do sleep 0.05; done\n")
sh = Shell()

# Ctrl-C ends the agent by its own hand; the status is a signal's.
for command in (f"/bin/sh {loop}", remit("/bin/sh", loop)):
    sh.type(command + "\n")
    sh.wait("\nstarted\n")
    sh.type("\x03")
    sh.wait("PROMPT> ")
    hold("130 after Ctrl-C", "code 130" in sh.line("echo co''de $?"))

# Ctrl-Z stops the job, fg goes on, Ctrl-C ends it.
# No shell here: dash starts programs by vfork, and a child that stops before its exec leaves its parent
# waiting in the kernel, so that natively, too, the job now and then never counts as stopped.
ticking = s.script("tick.py", """\
import time
print('started', flush=True)
n = 0
while True:
    time.sleep(0.05); n += 1
    with open('tick', 'w') as out: out.write(str(n))
""")
python = "/usr/bin/python3"
for command in (f"cd {s.work}; {python} -I {ticking}", remit(python, "-I", ticking)):
    sh.type(command + "\n")
    sh.wait("\nstarted\n")
    time.sleep(0.3)
    sh.type("\x1a")
    sh.wait("Stopped")
    sh.wait("PROMPT> ")
    time.sleep(0.2)
    first = content(s.path("w", "tick"))
    time.sleep(0.3)
    hold("nothing runs while stopped", content(s.path("w", "tick")) == first)
    hold("the shell knows the job", "Stopped" in sh.line("jobs"))
    sh.type("fg\n")
    until("it goes on", lambda: content(s.path("w", "tick")) not in ("", first))
    sh.type("\x1a")
    sh.wait("Stopped")
    sh.wait("PROMPT> ")
    sh.line("bg")
    until("in the background", lambda: "Running" in sh.line("jobs"))
    sh.type("fg\n")
    time.sleep(1)
    sh.type("\x03")
    sh.wait("PROMPT> ")

# Reading from the background stops it, as it does natively.
reader = s.script("reader.sh", "#!/bin/sh\nread x\necho got $x\n")
for command in (f"/bin/sh {reader}", remit("/bin/sh", reader)):
    sh.line(command + " &")
    until("stopped on terminal input", lambda: "Stopped" in sh.line("jobs"))
    sh.type("fg\n")
    time.sleep(0.3)
    sh.type("word\n")
    sh.wait("got word\n")
    sh.wait("PROMPT> ")

# An interactive shell inside has job control of its own.
sh.type(remit("/bin/bash", "--norc", "--noprofile", "-i") + "\n")
sh.wait("bash[^\n]*[$#] ")
sh.type("PS1='INSIDE> '\n")
sh.wait("\nINSIDE> ")
sh.type(f"{python} -I {ticking}\n")
sh.wait("\nstarted\n")
sh.type("\x1a")
sh.wait("Stopped")
sh.wait("INSIDE> ")
sh.type("fg\n")
time.sleep(0.2)
sh.type("\x03")
sh.wait("INSIDE> ")
sh.type("echo co''de $?\n")
sh.wait("code 130")
sh.wait("INSIDE> ")
sh.type("tty\n")
sh.wait("/dev/pts/")
sh.type("exit 7\n")
sh.wait("PROMPT> ")
hold("its status", "code 7" in sh.line("echo co''de $?"))

# Killed in raw mode, with the terminal in its own hands: both come back.
raw = s.script("raw.py", """\
import os, signal, sys, termios, tty
os.setpgid(0, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
os.tcsetpgrp(0, os.getpgrp())
tty.setraw(0)
print('raw now', flush=True)
os.kill(os.getpid(), signal.SIGKILL)
""")
sh.line("stty -a > before")
sh.type(remit("/usr/bin/python3", raw) + "\n")
sh.wait("PROMPT> ")
hold("137 when killed", "code 137" in sh.line("echo co''de $?"))
sh.line("stty -a > after")
with open(s.path("w", "before")) as a, open(s.path("w", "after")) as b:
    hold("the modes are back", a.read() == b.read())

# What the terminal does to a group it does to all of it: nobody inside joins a job outside. Groups made inside are joined
# as ever, also those whose first process has ended, and the first one is come back to.
join = s.script("join.py", """\
import os, signal, sys, time
def joins(group):
    child = os.fork()
    if child == 0:
        try: os.setpgid(0, group)
        except PermissionError: os._exit(1)
        if group == int(sys.argv[1]): os.read(0, 1)
        os._exit(0)
    for _ in range(20):
        pid, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
        if pid: break
        time.sleep(0.05)
    if not pid or os.WIFSTOPPED(status): os.kill(child, signal.SIGKILL); os.waitpid(child, 0)
    return not pid or status == 0 or os.WIFSTOPPED(status)
def member(group):
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, group); os.write(told, b'x'); time.sleep(30); os._exit(0)
    os.read(ready, 1)
    return child
first = os.getpgrp()
leader = member(0); second = member(leader)
print('inside', joins(leader))
os.kill(leader, signal.SIGKILL); os.waitpid(leader, 0)
print('left', joins(leader))
os.setpgid(0, 0); os.setpgid(0, first); print('back', os.getpgrp() == first)
try: os.setpgid(0, 4194304); print('none joined')
except PermissionError: print('none refused')
print('outside', joins(int(sys.argv[1])))
os.kill(second, signal.SIGKILL)
""")
for command, joined, state in ((lambda *words: shlex.join(words), "True", "T"), (remit, "False", "S")):
    out = sh.line("sleep 60 < /dev/null & echo jo''b $!")
    job = re.search(r"job (\d+)", out).group(1)
    out = sh.line(command("/usr/bin/python3", join, job))
    hold(f"other groups: {joined}",
         re.search(rf"inside True\nleft True\nback True\nnone refused\noutside {joined}\n", out), out)
    hold(f"the job outside is {state}", content(f"/proc/{job}/stat").split()[2] == state)
    sh.line(f"kill -KILL {job}; wait {job}")

# A pty made inside works; another terminal of the same user does not open.
inside = s.script("inside.py", """\
import os, pty, sys
master, slave = pty.openpty()
os.write(slave, b'through'); print(os.read(master, 9))
print(os.ttyname(slave).startswith('/dev/pts/'))
fd = os.open(os.ttyname(slave), os.O_RDWR | os.O_NOCTTY); print('own', fd > 0)
peer = __import__('fcntl').ioctl(master, 0x5441, os.O_RDWR | os.O_NOCTTY); print('peer', os.ttyname(peer) == os.ttyname(slave))
print('tty', os.isatty(os.open('/dev/tty', os.O_RDWR)))
try: os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print('other opened')
except PermissionError: print('other refused')
""")
master, slave = os.openpty()
out = sh.line(remit("/usr/bin/python3", inside, os.ttyname(slave)))
hold("ptys", re.search(r"b'through'\nTrue\nown True\npeer True\ntty True\nother refused\n", out), out)
sh.end()
