# SPDX-License-Identifier: Apache-2.0
"""Signals in a storm: what is never interrupted natively is not interrupted with the shim either; a FIFO is.

Without the shim a signal may end a call with EINTR that the gate has not taken yet: the kernel does that, and it is
declared. What is interrupted then was not done.
"""
import subprocess

from live import PYTHON, Scratch, expect, hold

STORM = r"""
import ctypes, errno, os, signal, sys
os.chdir(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
hits = 0
def handler(*_):
    global hits
    hits += 1
signal.signal(signal.SIGALRM, handler)  # without SA_RESTART
seen, odd = {}, 0
acts = [("mkdir", b"d", 0o700), ("rename", b"d", b"e"), ("symlink", b"x", b"l"), ("unlink", b"l"), ("rmdir", b"e"),
        ("open", b"f", os.O_CREAT | os.O_RDWR, 0o600), ("truncate", b"f", 0)]
signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
for _ in range(1500):
    for name, *arguments in acts:
        result = getattr(libc, name)(*arguments)
        if result < 0:
            key = f"{name} {errno.errorcode[ctypes.get_errno()]}"
            seen[key] = seen.get(key, 0) + 1
        elif name == "open":
            os.close(result)
signal.setitimer(signal.ITIMER_REAL, 0)
os.mkfifo("fifo")
signal.setitimer(signal.ITIMER_REAL, 0.3)
result = libc.open(b"fifo", os.O_RDONLY)
print(hits > 100, errno.errorcode[ctypes.get_errno()] if result < 0 else "opened", seen)
"""


def main():
    scratch = Scratch()
    script = scratch.script("storm.py", STORM)
    native = subprocess.run([PYTHON, script, scratch.root], capture_output=True, text=True, timeout=120).stdout.strip()
    expect("outside", native, "True EINTR {}")
    for place in ('files: {write: ["${WORKSPACE}"]}\n', 'files: {read: ["${WORKSPACE}"], write: ["${WORKSPACE}/**"]}\n'):
        scratch.manifest(place)
        for name in ("fifo", "f"):
            subprocess.run(["rm", "-f", scratch.path("w", name)], check=True)
        expect(f"inside, {place}", scratch.run(PYTHON, script, scratch.work).stdout.strip(), "True EINTR {}")
    hold("the storm was one", native.startswith("True"))


main()
