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

# What the agent was handed it may open again by its number, wherever that file is, with no more access.
outside = s.path("outside")
os.makedirs(outside, exist_ok=True)
again = s.script("again.py", """\
import os, sys
def tried(path, flags, act):
    try: fd = os.open(path, flags)
    except OSError as error: return error.errno
    done = act(fd)
    os.close(fd)
    return done
out = [tried('/dev/stdin', os.O_RDONLY, lambda fd: os.read(fd, 9).decode()), tried('/dev/stdin', os.O_WRONLY, bool),
       tried('/dev/stderr', os.O_WRONLY | os.O_APPEND, lambda fd: os.write(fd, b'told')), tried('/dev/stderr', os.O_RDONLY, bool),
       tried('/dev/fd/' + sys.argv[1], os.O_RDONLY, lambda fd: os.read(fd, 9).decode()), tried(sys.argv[2], os.O_RDONLY, bool)]
print(out)
""")
for options in ((), ("--no-shim",)):
    for name in ("in", "kept", "beside"):
        with open(os.path.join(outside, name), "w") as file:
            file.write(name)
    with open(os.path.join(outside, "in")) as given, open(os.path.join(outside, "err"), "w") as told, \
            open(os.path.join(outside, "kept")) as kept:
        os.set_inheritable(kept.fileno(), True)
        command = s.command("/usr/bin/python3", "-I", again, str(kept.fileno()), os.path.join(outside, "beside"),
                            options=(*options, "--quiet", "--keep-fd", str(kept.fileno())))
        done = subprocess.run(command, stdin=given, stdout=subprocess.PIPE, stderr=told, text=True, pass_fds=(kept.fileno(),))
    expect(f"opened again {options}", done.stdout, str(["in", 13, 4, 13, "kept", 13]) + "\n")
    with open(os.path.join(outside, "err")) as told:
        hold(f"it is told there {options}", told.read().endswith("told"))
