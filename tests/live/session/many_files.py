# SPDX-License-Identifier: Apache-2.0
"""Thousands of single files, whether the wall or the gate holds them; and links among so many names that their folder is listed."""
import os

from live import Scratch, expect

FILES, LINKS = 700, 120
s = Scratch()
for name in ("many", "data", "links"):
    os.mkdir(s.path(name))
for number in range(FILES + 1):
    with open(s.path("many", str(number)), "w") as out:
        out.write(f"{number}\n")
for number in range(LINKS):
    with open(s.path("data", str(number)), "w") as out:
        out.write("secret\n")
    os.symlink(s.path("data", str(number)), s.path("links", str(number)))
    with open(s.path("links", f"plain{number}"), "w") as out:
        out.write("plain\n")
granted = [s.path("many", str(number)) for number in range(FILES)]
plain = [s.path("links", f"plain{number}") for number in range(LINKS)]
denied = [s.path("links", str(number)) for number in range(LINKS)]
lines = "".join(f"    - {path}\n" for path in granted + plain)
s.manifest(f'files:\n  write: ["${{WORKSPACE}}", "{s.path("data")}"]\n  read:\n{lines}  deny:\n'
           + "".join(f"    - {path}\n" for path in denied))
ask = s.script("ask.py", """import os, sys
def can(path, flags=os.O_RDONLY):
    try:
        os.close(os.open(path, flags))
        return True
    except PermissionError:
        return False
root, files, links = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
print(sum(can(f"{root}/many/{n}") for n in range(files)), sum(can(f"{root}/links/plain{n}") for n in range(links)),
      sum(can(f"{root}/many/{n}", os.O_WRONLY) for n in range(files)), can(f"{root}/many/{files}"),
      sum(can(f"{root}/links/{n}") + can(f"{root}/data/{n}") for n in range(links)))
""")
words = ("/usr/bin/python3", "-I", ask, s.root, str(FILES), str(LINKS))
# Outside, all of it can be had.
expect("outside", os.popen(" ".join(words)).read(), f"{FILES} {LINKS} {FILES} True {2 * LINKS}\n")
for options in ((), ("--no-shim",)):
    out = s.run(*words, options=(*options, "--quiet"))
    expect("what can be opened", out.stdout, f"{FILES} {LINKS} 0 False 0\n")
