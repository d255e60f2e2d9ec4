# SPDX-License-Identifier: Apache-2.0
"""openat2() through the gate, which does itself what it can and says ENOSYS to the rest; the same in the wall and in the gap."""
import os
import subprocess

from live import PYTHON, Scratch, expect

SCRIPT = r"""
import ctypes, errno, os, stat, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
BENEATH, IN_ROOT, NO_MAGICLINKS = 8, 16, 2
def openat2(name, flags, mode=0, resolve=0, base=-100):
    how = struct.pack("QQQ", flags, mode, resolve)
    fd = libc.syscall(437, base, name.encode(), how, len(how))
    if fd < 0:
        return errno.errorcode[ctypes.get_errno()]
    about = oct(os.fstat(fd).st_mode)
    os.close(fd)
    return about
os.umask(0o027)
for folder in sys.argv[1:]:
    base = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for case in (("there", os.O_RDWR), ("made", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666),
                 ("made", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666), (".", os.O_RDWR | os.O_TMPFILE, 0o600),
                 ("beneath", os.O_WRONLY | os.O_CREAT, 0o666, BENEATH), ("../there", os.O_RDONLY, 0, BENEATH),
                 ("/there", os.O_RDONLY, 0, IN_ROOT), ("link", os.O_RDONLY), ("link", os.O_RDONLY | os.O_NOFOLLOW),
                 ("none", os.O_RDONLY), (".", os.O_RDONLY | os.O_DIRECTORY), ("there", os.O_RDONLY | os.O_TRUNC)):
        print(*case, openat2(*case, *(0, 0)[len(case) - 2:], base=base))
print("null", openat2("/dev/null", os.O_RDWR), "self", openat2("/proc/self/status", os.O_RDONLY))
print("handle", openat2(folder, os.O_PATH), "bounded self", openat2("/proc/self/status", os.O_RDONLY, 0, NO_MAGICLINKS))
"""


def fill(folder):
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    with open(os.path.join(folder, "there"), "w") as out:
        out.write("there")
    os.symlink("there", os.path.join(folder, "link"))


def main():
    scratch = Scratch()
    script = scratch.script("agent.py", SCRIPT)
    wall, gap = scratch.path("w", "wall"), scratch.path("gap")
    scratch.manifest('files: {write: ["${WORKSPACE}", "${TMP}", "%s*"]}\n' % gap)

    def told(command, run):
        for folder in (wall, gap):
            fill(folder)
        done = run(command)
        return done.stdout.splitlines() or [done.stderr]

    command = [PYTHON, script, wall, gap]
    native = told(command, lambda it: subprocess.run(it, capture_output=True, text=True, check=False))
    expect("the same in both", native[:12], native[12:24])
    # The kernel takes no handle from the gate, and of what it walks in /proc only the kernel knows whose it is.
    wanted = [*native[:-1], "handle ENOSYS bounded self ENOSYS"]
    expect("inside", told(command, lambda it: scratch.run(*it)), wanted)
    expect("without the shim", told(command, lambda it: scratch.run(*it, options=("--no-shim",))), wanted)


main()
