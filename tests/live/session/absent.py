# SPDX-License-Identifier: Apache-2.0
"""What is asked about absent names where nothing is granted: the kernel's own answer, not a refusal."""
import errno
import os

from live import PYTHON, Scratch, expect

ACTS = r"""
import errno, os, sys
base = sys.argv[1]
gone, here, folder = (os.path.join(base, n) for n in ("gone", "here", "folder"))
acts = {
    "unlink absent": lambda: os.unlink(gone),
    "rmdir absent": lambda: os.rmdir(gone),
    "rename absent": lambda: os.rename(gone, gone + "2"),
    "open absent": lambda: os.open(gone, os.O_RDWR),
    "truncate absent": lambda: os.truncate(gone, 0),
    "chmod absent": lambda: os.chmod(gone, 0o600),
    "link absent": lambda: os.link(gone, gone + "2"),
    "mkdir existing": lambda: os.mkdir(folder),
    "symlink existing": lambda: os.symlink("x", here),
    "create exclusively": lambda: os.open(here, os.O_CREAT | os.O_EXCL | os.O_RDWR),
    "unlink": lambda: os.unlink(here),
    "rmdir": lambda: os.rmdir(folder),
    "rename": lambda: os.rename(here, gone),
    "create": lambda: os.open(gone, os.O_CREAT | os.O_RDWR),
    "mkdir": lambda: os.mkdir(gone),
}
for name, act in acts.items():
    try:
        act()
        print(name, "done")
    except OSError as error:
        print(name, errno.errorcode[error.errno])
"""
ABSENT = ["unlink absent ENOENT", "rmdir absent ENOENT", "rename absent ENOENT", "open absent ENOENT", "truncate absent ENOENT",
          "chmod absent ENOENT", "link absent ENOENT", "mkdir existing EEXIST", "symlink existing EEXIST",
          "create exclusively EEXIST"]
REFUSED = [f"{act} EACCES" for act in ("unlink", "rmdir", "rename", "create", "mkdir")]


def place(scratch, name):
    base = scratch.path(name)
    os.mkdir(base)
    os.mkdir(os.path.join(base, "folder"))
    with open(os.path.join(base, "here"), "w") as out:
        out.write("canary")
    return base


def main():
    scratch = Scratch()
    script = scratch.script("acts.py", ACTS)
    scratch.manifest()
    native = os.popen(f"{PYTHON} {script} {place(scratch, 'outside')}").read().splitlines()
    expect("outside: absent names", native[:len(ABSENT)], ABSENT)
    expect("outside: the acts", native[len(ABSENT):len(ABSENT) + 3], ["unlink done", "rmdir done", f"rename {errno.errorcode[errno.ENOENT]}"])
    for options in ((), ("--no-shim",)):
        base = place(scratch, "kept" + "".join(options))
        seen = scratch.run(PYTHON, script, base, options=options)
        expect(f"inside {options}", seen.stdout.splitlines(), ABSENT + REFUSED)
        expect("what is there", sorted(os.listdir(base)), ["folder", "here"])


main()
