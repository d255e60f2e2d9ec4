# SPDX-License-Identifier: Apache-2.0
"""The profile `cc` holds all that a build of C and C++ asks for, with optimization at link time, and nothing is refused."""
import os
import subprocess

from live import Scratch, expect, hold, skip

TOOLS = ("/usr/bin/make", "/usr/bin/cc", "/usr/bin/c++", "/usr/bin/ar")
if not all(map(os.path.exists, TOOLS)):
    skip("no compilers here")

MAKEFILE = """\
all: plain lto
plain: plain.o libpart.a
\t$(CC) -o $@ plain.o -L. -lpart
libpart.a: part.o
\t$(AR) rcs $@ part.o
lto: lto.cc
\t$(CXX) -O2 -flto -o $@ lto.cc
\tstrip lto
clean:
\trm -f plain lto *.o *.a
"""
SOURCES = {
    "Makefile": MAKEFILE,
    "plain.c": "int part(void);\nint main(void) { return part(); }\n",
    "part.c": "#include <stdio.h>\nint part(void) { return puts(\"built\") < 0; }\n",
    "lto.cc": "#include <iostream>\nint main() { std::cout << \"linked\\n\"; }\n",
}

s = Scratch()
for name, text in SOURCES.items():
    with open(s.path("w", name), "w") as out:
        out.write(text)
for target in ("all", "clean"):
    subprocess.run(["make", "-C", s.work, target], check=True, capture_output=True)
s.manifest(include="base, shell, cc", programs=("${WORKSPACE}/plain", "${WORKSPACE}/lto"))
for options in ((), ("--no-shim",)):
    out = s.run("/usr/bin/make", "-j2", options=options, cwd=s.work)
    expect("a build " + " ".join(options), (out.returncode, out.stderr), (0, ""))
    for name, says in (("plain", "built\n"), ("lto", "linked\n")):
        out = s.run(s.path("w", name), options=options + ("--quiet",), cwd=s.work)
        expect(name, (out.returncode, out.stdout), (0, says))
    out = s.run("/usr/bin/make", "clean", options=options, cwd=s.work)
    hold("clean again", out.returncode == 0 and not os.path.exists(s.path("w", "plain")), out.stderr)
