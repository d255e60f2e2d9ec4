# SPDX-License-Identifier: Apache-2.0
"""The agent holds 0, 1, 2 and what --keep-fd names: no listener, no log, no scope, no pipe of remit's."""
import os
import subprocess

from live import Scratch, expect, hold

s = Scratch()
s.manifest()
show = s.script("show.py", "import os\nfor n in range(0, 4096):\n    try: print(n, os.readlink(f'/proc/self/fd/{n}'))\n"
                "    except OSError: pass\n")
secret = os.open(s.path("secret"), os.O_RDWR | os.O_CREAT)
kept = os.open(s.path("kept"), os.O_RDWR | os.O_CREAT)
high = 1000
os.dup2(secret, high)
fds = [secret, kept, high]
for options in ((), ("--no-shim",)):
    outside = subprocess.run(["/usr/bin/python3", "-I", show], pass_fds=fds, stdout=subprocess.PIPE, text=True).stdout
    hold("inherited outside", s.path("secret") in outside and f"\n{high} " in outside, outside)
    out = s.run("/usr/bin/python3", "-I", show, options=(*options, "--keep-fd", str(kept)), pass_fds=fds)
    seen = dict(line.split(" ", 1) for line in out.stdout.splitlines())
    expect("inside", sorted(map(int, seen)), [0, 1, 2, kept])
    expect("the kept one", seen[str(kept)], s.path("kept"))
closed = s.run("/bin/true", options=("--keep-fd", "77"))
expect("a closed one", closed.returncode, 125)
