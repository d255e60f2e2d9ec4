# SPDX-License-Identifier: Apache-2.0
"""Memory files work, and none of them can be executed; of huge pages there are none, nor segments."""
import subprocess

from live import Scratch, expect, hold

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
huge = make(4)
if huge >= 0: os.fchmod(huge, 0o700)
print(huge >= 0 and oct(os.fstat(huge).st_mode & 0o777), libc.shmget(0, 1 << 21, 0o4600) >= 0)
""")
outside = subprocess.run(["/usr/bin/python3", "-I", script], stdout=subprocess.PIPE, text=True).stdout.splitlines()
expect("outside", outside[0], "['EPERM', 'sealed', 'sealed'] [0, 0, 0] True")
# A kernel without huge pages has none to show, and one with none set aside no segments of them.
hold("huge pages outside", outside[1].split()[0] in ("0o700", "False"), outside[1])
for options in ((), ("--no-shim",)):
    out = s.run("/usr/bin/python3", "-I", script, options=options)
    expect("inside", out.stdout, "['EPERM', 'sealed', 'sealed'] [126, 126, 126] False\nFalse False\n")
