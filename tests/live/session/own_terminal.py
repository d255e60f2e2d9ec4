# SPDX-License-Identifier: Apache-2.0
"""/dev/tty where a pattern grants it: which terminal that is depends on who opens it."""
import subprocess

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
GRANTED = 'files: {read: ["${WORKSPACE}", "/dev/*"], write: ["/dev/*"]}\n'
DENIED = 'files: {read: ["${WORKSPACE}", "/dev/*"], write: ["/dev/*"], deny: ["/dev/tt*"]}\n'


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


main()
