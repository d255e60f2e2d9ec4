# SPDX-License-Identifier: Apache-2.0
"""--usage: how often each rule was used, by the gate's count and by the shims' word; what a hostile process may do to it."""
import errno
import os

from live import BUILD, NESTING, PROFILES, PYTHON, Scratch, expect, hold

s = Scratch()
for folder in ("often", "pattern", "idle", "linked"):
    os.mkdir(s.path("w", folder))
    with open(s.path("w", folder, "f"), "w") as out:
        out.write("x")
os.symlink("../idle/f", s.path("w", "linked", "to"))
s.manifest("""\
files:
  read:
    - "${WORKSPACE}/*.py"
    - {path: "${WORKSPACE}/often", id: often}
    - {path: "${WORKSPACE}/pat*", id: pattern}
    - {path: "${WORKSPACE}/idle", id: idle}
    - {path: "${WORKSPACE}/absent", id: absent}
  write: ["${TMP}", {path: "${WORKSPACE}/linked", id: linked}]
network: {listen: [{address: "127.0.0.1:*", id: listens}], connect: [{address: "127.0.0.1:9", id: connects}]}
env: {pass: [PATH, {name: USAGE_ONE, id: one}, {name: USAGE_TWO, id: two}], set: {SET: x}}
""")


def used(records):
    return {rule["id"]: (rule["broker"], rule["shim"])
            for record in records if record.get("event") == "usage" for rule in record.get("used", ())}


def unused(records):
    return {rule["id"] for record in records if record.get("event") == "usage" for rule in record.get("unused", ())}


def counted(*command, options=()):
    run = s.run(*command, options=("--usage", *options), cwd=s.work, env=dict(os.environ, USAGE_ONE="1", HOME=s.root))
    records = s.records()
    last = max(n for n, record in enumerate(records) if record.get("event") == "begin")
    return run, records[last:]


# Each way of naming a file that the fast lane has; by python, whose opens are libc's and hooked.
script = s.script("acts.py", """\
import os, socket
for i in range(50): open('often/f').close()
open(os.path.abspath('often/f')).close()
open('./often//../often/f').close()
d = os.open('often', os.O_RDONLY)
os.close(os.open('f', os.O_RDONLY, dir_fd=d))
for i in range(7): open('pattern/f').close()
try: open('often/none')
except FileNotFoundError: pass
try: open('/etc/shadow')
except PermissionError: pass
try: os.execv('/bin/busybox/none', ['x'])
except NotADirectoryError: pass
os.rename('linked/f', 'linked/g'); os.rename('linked/g', 'linked/f')
socket.create_server(('127.0.0.1', 0)).close()
for i in range(3):
    if os.fork() == 0:
        open('often/f').close(); os._exit(0)
    os.wait()
""")
run, records = counted(PYTHON, "-I", script)
hold("the program", run.returncode == 0, run.stderr)
seen, never = used(records), unused(records)
expect("the fast lane, by the shims' word", seen["often"], (0, 50 + 1 + 1 + 2 + 3))
expect("the gap, as the gate counts", seen["pattern"], (7, 0))
expect("both names of a move", seen["linked"], (0, 4))
expect("an address", seen["listens"], (1, 0))
expect("a variable", seen["one"], (1, 0))
hold("what was never used", {"idle", "absent", "connects", "two", "exec.allow[1]"} <= never and not never & set(seen), str(never))
hold("the program by what its link leads to", sum(seen["exec.allow[0]"]) == 1, str(seen))
end = records[-1]["usage"]
expect("the sum", (end["grants"], end["used"], end["source"]), (len(seen) + len(never), len(seen), ["broker", "shim"]))
hold("people are told", "never  idle at" in run.stderr and "57  often at" in run.stderr and "/etc/shadow" in run.stderr, run.stderr)

run, records = counted(PYTHON, "-I", script, options=("--no-shim", "--quiet"))
hold("without the shim all is the gate's", used(records)["often"][0] >= 57 and used(records)["often"][1] == 0, str(used(records)))
hold("and nobody is told who asked for quiet", "grants" not in run.stderr, run.stderr)

s.run(PYTHON, "-I", script, cwd=s.work)
hold("nothing is counted unasked", "usage" not in s.records()[-1], str(s.records()[-1]))

run, records = counted("/bin/sh", "-c", "/bin/busybox true; cat often/f linked/to; exec cat idle/f")
programs = {rule: count for rule, count in used(records).items() if "exec.allow" in rule}
hold("programs, and none that was not started", sum(gate + shim for gate, shim in programs.values()) == 4, str(programs))
expect("a name as it is written, whatever it leads to", used(records)["linked"], (0, 1))

# What a process could do to it: nobody outside its own counts believes it.
liar = s.script("liar.py", """\
import ctypes, fcntl, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.prctl(0x52454d54, 4, 0, 0, 0)
assert fd >= 0, os.strerror(ctypes.get_errno())
size = os.fstat(fd).st_size
for length in (0, size * 2):
    try: os.ftruncate(fd, length); print('CUT')
    except OSError: pass
try: fcntl.fcntl(fd, 1033, 8); print('SEALED')
except OSError: pass
try: mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_EXEC)
except OSError: pass
memory = mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
memory[:] = b'\\xff' * size
libc.fallocate(fd, 3, ctypes.c_long(0), ctypes.c_long(8))
try: open('/etc/shadow'); print('READ')
except PermissionError: print('refused')
try: os.execv('/proc/self/fd/%d' % fd, ['x'])
except OSError: print('no program')
""")
run, records = counted(PYTHON, "-I", liar)
expect("a lie changes no verdict, no size", (run.returncode, run.stdout), (0, "refused\nno program\n"))
hold("it is told as what it is, and bounded", used(records)["absent"] == (0, 2**53 - 1), str(used(records)["absent"]))

# An inner session has another scope, and may not reach memory of the one around it.
inner = s.path("inner.yaml")
with open(inner, "w") as out:
    out.write(f"remit: 1\nagent: {{id: inner, purpose: Count}}\ninclude: [base]\nfiles: {{read: ['{s.work}']}}\n"
              f"exec: {{allow: ['{PYTHON}']}}\n")
asks = s.script("asks.py", """\
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.prctl(0x52454d54, 4, 0, 0, 0), ctypes.get_errno())
""")
s.manifest(f"""\
files:
  read: ["{s.root}", "{PROFILES}", "{BUILD}", /proc]
  write: ["${{TMP}}"]
""", programs=(os.path.join(BUILD, "remit"),))
within = (os.path.join(BUILD, "remit"), "run", "-m", inner, "--profiles", PROFILES)
run = s.run(*within, "--", PYTHON, "-I", asks, options=("--usage", *NESTING))
expect("an inner process gets no counters", (run.returncode, run.stdout), (0, f"-1 {errno.EOPNOTSUPP}\n"))
run = s.run(*within, "--usage", "--", PYTHON, "-I", asks, options=NESTING)
hold("an inner session does not count", run.returncode == 125 and "outermost" in run.stderr, run.stderr)
