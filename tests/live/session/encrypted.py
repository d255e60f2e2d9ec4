# SPDX-License-Identifier: Apache-2.0
"""A read grant within an encrypted folder does not lock the folder: commands of file systems act on more than the descriptor."""
import ctypes
import fcntl
import os
import shutil
import struct
import subprocess

from live import PYTHON, Scratch, expect, hold, skip

ADD_KEY, REMOVE_KEY, SET_POLICY, MIGRATE = 0xC0506617, 0xC0406618, 0x800C6613, 0x6609
MS_PRIVATE, MS_REC, CLONE_NEWNS = 1 << 18, 1 << 14, 0x20000
MKFS = shutil.which("mkfs.ext4") or shutil.which("mkfs.ext4", path="/usr/sbin:/sbin")
TUNE = shutil.which("tune2fs") or shutil.which("tune2fs", path="/usr/sbin:/sbin")

if os.geteuid() != 0 or not MKFS or not TUNE:
    skip("needs root and e2fsprogs to make a file system")
s = Scratch()
place = s.path("mnt")
os.mkdir(place)
# Nobody else sees the mount, and it ends with this process.
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0:
    skip("no mount namespace of its own")


def make(*features):
    image = s.path("image")
    with open(image, "wb") as out:
        out.truncate(32 << 20)
    subprocess.run([MKFS, "-q", "-O", ",".join(features), image], check=True)
    return image


def attach(image):
    if subprocess.run(["mount", "-o", "loop", image, place], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        skip("no loop device here")


def encrypt(folder, locked):
    """The folder, with a key that is there for as long as nobody removes it; how its key is named."""
    fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    key = b"K" * 64
    argument = bytearray(struct.pack("II32sII32s", 2, 0, b"", len(key), 0, b"") + key)
    try:
        fcntl.ioctl(fd, ADD_KEY, argument)
    except OSError as error:
        skip(f"no encryption in this kernel: {error.strerror}")
    name = bytes(argument[8:24])
    os.mkdir(folder)
    inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.ioctl(inside, SET_POLICY, bytearray(struct.pack("BBBBB3s16s", 2, 1, 4, 3, 0, b"", name)))
    os.mkdir(locked)
    os.close(inside)
    os.close(fd)
    return name


LOCK = s.script("lock.py", f"""\
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
try: fcntl.ioctl(fd, {REMOVE_KEY}, bytearray(struct.pack('II32sI5I', 2, 0, bytes.fromhex(sys.argv[2]), 0, 0, 0, 0, 0, 0))); print('removed')
except OSError as error: print(error.errno)
""")
MOVE = s.script("migrate.py", f"""\
import fcntl, os, sys
try: fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), {MIGRATE}); print('migrated')
except OSError as error: print(error.errno)
""")
GRANTS = f'files: {{read: ["${{WORKSPACE}}", "{place}/home/open", "{place}/file"]}}\n'

attach(make("encrypt"))
home, opened = f"{place}/home", f"{place}/home/open"
name = encrypt(home, opened).hex()
s.manifest(GRANTS)
for options in ((), ("--no-shim",)):
    run = s.run(PYTHON, "-I", LOCK, opened, name, options=options)
    expect(f"the key is out of reach {run.stderr}", run.stdout, "1\n")
    hold("the folder is open", os.listdir(home) == ["open"], str(os.listdir(home)))
    hold("recorded", any(r.get("object") == "FS_IOC_REMOVE_ENCRYPTION_KEY" for r in s.records()))
expect("the same outside", subprocess.run([PYTHON, "-I", LOCK, opened, name], stdout=subprocess.PIPE, text=True, check=True).stdout, "removed\n")
subprocess.run(["umount", place], check=True)

# Files from before extents: converting one changes it, however it was opened.
image = make("^extents", "^64bit", "^huge_file", "^metadata_csum")
attach(image)
with open(f"{place}/file", "w") as out:
    out.write("data")
subprocess.run(["umount", place], check=True)
subprocess.run([TUNE, "-O", "extents", image], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
attach(image)
for options in ((), ("--no-shim",)):
    run = s.run(PYTHON, "-I", MOVE, f"{place}/file", options=options)
    expect(f"nothing is converted {run.stderr}", run.stdout, "1\n")
expect("the same outside", subprocess.run([PYTHON, "-I", MOVE, f"{place}/file"], stdout=subprocess.PIPE, text=True, check=True).stdout, "migrated\n")
subprocess.run(["umount", place], check=True)
