# SPDX-License-Identifier: Apache-2.0
"""/dev/tty where a pattern grants it: which terminal that is depends on who opens it."""
import fcntl
import os
import pty
import struct
import subprocess
import termios

from live import PYTHON, Scratch, expect

SCRIPT = r"""
import os, pty
pid, master = pty.fork()
if pid == 0:
    with open("/dev/tty", "r+b", buffering=0) as tty:
        tty.write(b"mine")
        os._exit(0 if os.fstat(tty.fileno()).st_rdev == os.makedev(5, 0) else 1)
seen = b""
try:
    while part := os.read(master, 100):
        seen += part
except OSError:
    pass
print(seen.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
# Access mode 3 is enough for commands, and is not left to the kernel.
RESIZE = r"""
import fcntl, os, struct, sys, termios
def resize(mode):
    try:
        fcntl.ioctl(os.open("/dev/tty", mode), termios.TIOCSWINSZ, struct.pack("HHHH", 11, 22, 0, 0))
    except OSError:
        pass
if sys.argv[1] == "own":
    resize(3)
elif os.fork() == 0:
    os.setsid()
    resize(3)
    os._exit(0)
else:
    os.wait()
"""
GRANTED = 'files: {read: ["${WORKSPACE}", "/dev/*"], write: ["/dev/*"]}\n'
DENIED = 'files: {read: ["${WORKSPACE}", "/dev/*"], write: ["/dev/*"], deny: ["/dev/tt*"]}\n'


def size_after(command):
    """What becomes of the size of the terminal that the command runs in."""
    pid, master = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    try:
        while os.read(master, 1000):
            pass
    except OSError:
        pass
    os.waitpid(pid, 0)
    size = struct.unpack("HHHH", fcntl.ioctl(master, termios.TIOCGWINSZ, bytes(8)))[:2]
    os.close(master)
    return size


def lent(scratch):
    """The gate's terminal is not for those who have none."""
    script = scratch.script("resize.py", RESIZE)
    expect("its own, outside", size_after([PYTHON, script, "own"]), (11, 22))
    expect("another's, outside", size_after([PYTHON, script, "none"]), (0, 0))
    scratch.manifest(GRANTED)
    for options in ((), ("--no-shim",)):
        command = scratch.command(PYTHON, script, "none", options=options)
        expect(f"another's, inside {options}", size_after(command), (0, 0))


def main():
    scratch = Scratch()
    script = scratch.script("own.py", SCRIPT)
    native = subprocess.run([PYTHON, script], capture_output=True, text=True, timeout=60).stdout.strip()
    expect("outside", native, "mine 0")
    for options in ((), ("--no-shim",)):
        scratch.manifest(GRANTED)
        expect(f"inside {options}", scratch.run(PYTHON, script, options=options).stdout.strip(), "mine 0")
        scratch.manifest(DENIED)
        seen = scratch.run(PYTHON, script, options=options).stdout.strip()
        expect(f"denied {options}", seen.endswith("1"), True)
    lent(scratch)


main()
