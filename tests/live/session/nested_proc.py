# SPDX-License-Identifier: Apache-2.0
"""An inner session that may read /proc does not see into the processes around it: the gate may look where it may not."""
import os

from live import BUILD, NESTING, PROFILES, Scratch, expect, hold

REMIT, py = os.path.join(BUILD, "remit"), "/usr/bin/python3"
TOKEN = "token-of-the-outer-session"
INSIDES = ("environ", "maps", "auxv", "mem", "fdinfo", "task/{}/environ", "task/{}/mem")
PUBLIC = ("stat", "status", "comm", "cmdline", "task/{}/stat", "task", "fd", "limits")
s = Scratch()

# Opened by libc's own function and by the bare call; what can be read of it is told.
LOOK = s.script("look.py", f"""\
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
who, seen = sys.argv[1], []
def bare(path):
    fd = libc.syscall(257, -100, path.encode(), os.O_RDONLY, 0)
    if fd < 0: raise OSError(ctypes.get_errno(), 'openat')
    return fd
for name in {INSIDES + PUBLIC!r}:
    path = f'/proc/{{who}}/' + name.format(who)
    for way, opens in (('libc', lambda: os.open(path, os.O_RDONLY)), ('bare', lambda: bare(path))):
        try:
            fd = opens()
            if name.endswith('mem'): os.lseek(fd, int(open(f'/proc/{{who}}/maps').read().split('-')[0], 16), 0)
            if (os.listdir(fd) if os.path.isdir(f'/proc/self/fd/{{fd}}') else os.read(fd, 4096)): seen.append(f'{{name}} {{way}}')
            os.close(fd)
        except OSError: pass
print(*seen, sep='\\n')
""")


def manifest(name, program=""):
    path = s.path("w", name + ".yaml")
    with open(path, "w") as out:
        out.write(f"remit: 1\nagent: {{id: {name}, purpose: Look around}}\ninclude: [base, shell]\n"
                  f'files: {{read: [/proc, "{BUILD}", "{PROFILES}", "{s.work}"], write: ["${{TMP}}"]}}\n'
                  f"exec: {{allow: [{py}, /bin/busybox{program}]}}\nenv: {{pass: [PATH, HOME, SECRET]}}\n")
    return path


def session(manifest_path, *command, options=()):
    return [REMIT, "run", "-m", manifest_path, "--profiles", PROFILES, "--workspace", s.work, *options, "--", *command]


# The outer agent: a child with a secret, then whoever is to look at it.
START = s.script("start.py", """\
import os, subprocess, sys
child = subprocess.Popen(['/bin/busybox', 'sleep', '100'], env={'SECRET': sys.argv[1]})
os.environ.pop('SECRET', None)
run = subprocess.run([word.replace(sys.argv[2], str(child.pid)) for word in sys.argv[3:]])
child.kill()
""")
OUTER, INNER = manifest("outer", f", {REMIT}"), manifest("inner")
s.manifest()


def look(*command, options=()):
    run = s.run(py, "-I", START, TOKEN, "CHILD", *command, options=("-m", OUTER, *options, *NESTING))
    return run.stdout.splitlines(), run


def both(names):
    return sorted(f"{name} {way}" for name in names for way in ("libc", "bare"))


for outer_options in ((), ("--no-shim",)):
    seen, run = look(py, "-I", LOOK, "CHILD", options=outer_options)
    expect(f"the outer agent sees its own {run.stderr}", sorted(seen), both(INSIDES + PUBLIC))
    seen, run = look("/bin/busybox", "cat", "/proc/CHILD/environ", options=outer_options)
    hold("so does a static program", TOKEN in run.stdout, run.stderr)
    for options in ((), ("--no-shim",)):
        seen, run = look(*session(INNER, py, "-I", LOOK, "CHILD", options=options), options=outer_options)
        expect(f"the inner one sees what all may see {run.stderr}", sorted(seen), both(PUBLIC))
        seen, run = look(*session(INNER, "/bin/busybox", "cat", "/proc/CHILD/environ", options=options),
                         options=outer_options)
        hold("a static program sees no more", TOKEN not in run.stdout and "outside the session" in run.stderr,
             f"{run.stdout} {run.stderr}")
        seen, run = look(*session(INNER, "/bin/busybox", "cat", "/proc/self/environ", options=options))
        hold("but its own", "PATH=" in run.stdout, run.stderr)
        seen, run = look(*session(INNER, py, "-I", START, TOKEN, "OWN", "/bin/busybox", "cat", "/proc/OWN/environ",
                                  options=options), options=outer_options)
        hold("and its children's", TOKEN in run.stdout, run.stderr)
hold("refusals are recorded", any(r.get("object", "").endswith("/environ") and r.get("verdict") == "refused"
                                  for r in s.records()))
