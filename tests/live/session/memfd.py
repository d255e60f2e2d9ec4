# SPDX-License-Identifier: Apache-2.0
"""Memory files work, and none of them can be executed."""
import subprocess

from live import Scratch, expect

s = Scratch()
s.manifest()
script = s.script("memfd.py", """\
import ctypes, errno, fcntl, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
def make(flags):
    return libc.syscall(319, b'name', flags)
fd = make(1)
plain = os.open('/bin/busybox', os.O_RDONLY)
os.sendfile(fd, plain, 0, 1 << 24)
memory = mmap.mmap(fd, 4096); memory[0:1]; memory.close()
seals = []
for flags in (0, 2, 8):
    m = make(flags)
    try: fcntl.fcntl(m, 1033, 2); seals.append('sealed')
    except OSError as e: seals.append(errno.errorcode[e.errno])
try: os.fchmod(fd, 0o755)
except OSError as e: pass
results = []
for way in (lambda: os.execve(fd, ['true'], {}), lambda: os.execve(f'/proc/self/fd/{fd}', ['true'], {}),
            lambda: os.execve(f'/dev/fd/{fd}', ['true'], {})):
    pid = os.fork()
    if pid == 0:
        try: way()
        except OSError: os._exit(126)
    results.append(os.waitstatus_to_exitcode(os.wait()[1]))
print(seals, results, make(16) >= 0)
""")
outside = subprocess.run(["/usr/bin/python3", "-I", script], stdout=subprocess.PIPE, text=True).stdout
expect("outside", outside, "['EPERM', 'sealed', 'sealed'] [0, 0, 0] True\n")
for options in ((), ("--no-shim",)):
    out = s.run("/usr/bin/python3", "-I", script, options=options)
    expect("inside", out.stdout, "['EPERM', 'sealed', 'sealed'] [126, 126, 126] False\n")
