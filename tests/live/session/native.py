# SPDX-License-Identifier: Apache-2.0
"""audit.record none: what the wall holds whole goes without the gate, nothing else does, and nothing single is recorded."""
import errno
import os
import shutil

from live import BUILD, NESTING, PROFILES, PYTHON, SANITIZED, Scratch, expect, hold

BUSYBOX = "/bin/busybox"
LIBRARIES = [path for path in ("/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache") if os.path.exists(path)]
s = Scratch()
for folder in ("in", "out", "refused"):
    os.mkdir(s.path("w", folder))
    for n in range(40):
        with open(s.path("w", folder, f"f{n}"), "w") as out:
            out.write("content\n")
shutil.copy(BUSYBOX, s.path("w", "refused", "program"))


def manifest(more="", record="none", read="", programs=()):
    allow = ", ".join([BUSYBOX, "/bin/cat", os.path.realpath("/bin/sh"), PYTHON, *programs])
    with open(s.path("manifest.yaml"), "w") as out:
        out.write(f"""\
remit: 1
agent: {{id: live, purpose: Go without the gate}}
files:
  read: [{', '.join(LIBRARIES)}, "${{WORKSPACE}}/in"{read}]
  write: ["${{WORKSPACE}}/out", "${{TMP}}", /dev/null]
{more}exec: {{allow: [{allow}]}}
env: {{pass: [PATH]}}
audit: {{record: {record}}}
""")


def session(*command, **how):
    """(the run, the first record, the last, how many lie between)"""
    run = s.run(*command, cwd=s.work, **how)
    records = s.records()
    first = max(n for n, record in enumerate(records) if record.get("event") == "begin")
    return run, records[first], records[-1], len(records) - first - 2


names = [f"in/f{n}" for n in range(40)]
manifest(record="denials")
run, begin, gated, between = session(BUSYBOX, "cat", *names)
expect("with records", (run.stdout.count("content"), begin["plan"]["native"]), (40, []))
manifest()
run, begin, end, between = session(BUSYBOX, "cat", *names)
expect("without", (run.stdout.count("content"), begin["plan"]["native"], begin["held_by"]["programs"]),
       (40, ["read", "write", "exec"], "wall"))
hold("the gate sees none of it", gated["allowed"] >= 40 and end["allowed"] <= 1, f"{gated}\n{end}")

# What a static program may not, it may not here; no record, no explanation, but held.
acts = "cat refused/f0; echo x > refused/f1; echo x > refused/new; refused/program true; echo x >> out/f0; " \
       "rm out/f1; mkdir out/d; mv out/f2 out/d/f2; rm refused/f2; cat in/f0 > /dev/null"
run, begin, end, between = session(BUSYBOX, "sh", "-c", acts)
hold("refused", "content" not in run.stdout and run.stderr.count("ermission denied") == 5, run.stdout + run.stderr)
hold("unharmed", os.path.getsize(s.path("w/refused/f1")) == 8 and not os.path.exists(s.path("w/refused/new")) and
     os.path.exists(s.path("w/refused/f2")))
hold("done", os.path.getsize(s.path("w/out/f0")) == 10 and not os.path.exists(s.path("w/out/f1")) and
     os.path.exists(s.path("w/out/d/f2")))
hold("nothing single is recorded, what the gate refused is counted", between == 0 and end["refused"] >= 1, str(end))

# The shim asks the gate about what the wall refused, so its programs are told.
look = s.script("out/look.py", """\
import os
for act in (lambda: open('refused/f0'), lambda: os.listdir('refused'), lambda: open('refused/f1', 'w'),
            lambda: os.execv('refused/program', ['x']), lambda: os.truncate('refused/f3', 0)):
    try: act(); print('OUT')
    except PermissionError: pass
""")
run, begin, end, between = session(PYTHON, "-I", look)
explained = [line for line in run.stderr.splitlines() if line.startswith("remit: refused ") and s.path("w/refused") in line]
expect("explained by the shim's asking", (run.stdout, len({line.split(":")[1] for line in explained}), between), ("", 5, 0))
run, begin, end, between = session("/bin/cat", "refused/f0")
hold("a program's own open too", "remit: refused read" in run.stderr and end["refused"] == 1, run.stderr)

# An open that asks Landlock for nothing is the gate's, and so are names.
odd = s.script("out/odd.py", """\
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for name in (b'refused/f0', b'/dev/null'):
    print(libc.syscall(2, name, 3, 0) >= 0)
os.rename('out/d', 'out/e')
try: os.rename('out/e', 'refused/e')
except PermissionError: print('kept')
""")
run, begin, end, between = session(PYTHON, "-I", odd, options=("--no-shim",))
expect("access mode 3 and names", run.stdout, "False\nTrue\nkept\n")

# One thing that the wall does not hold, and all of its class is the gate's again.
for more, read, native in (("  deny: [\"${WORKSPACE}/in/f7\"]\n", "", ["exec"]),
                           ("  deny_write: [\"${WORKSPACE}/out/f7\"]\n", "", ["read", "exec"]),
                           ("", ", \"${WORKSPACE}/absent\"", ["exec"]), ("", ", \"${WORKSPACE}/refused/*9\"", ["exec"]),
                           ("", ", /proc/self", ["exec"])):
    manifest(more, read=read)
    run, begin, end, between = session(BUSYBOX, "cat", "in/f6")
    expect(f"{more}{read}", (run.stdout, begin["plan"]["native"]), ("content\n", native))
manifest(read=", \"${WORKSPACE}/refused/*9\"")
expect("the gap is granted to a static program", session(BUSYBOX, "cat", "refused/f9")[0].stdout, "content\n")

door = s.script("out/door.py", """\
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
begin = ctypes.create_string_buffer(struct.pack('<II', 104, 0), 104)
print(libc.prctl(0x52454d54, 17, begin, 0, 0), ctypes.get_errno())
""")
manifest()
expect("nor by the door itself", session(PYTHON, "-I", door)[0].stdout, f"-1 {errno.EOPNOTSUPP}\n")
inner = s.path("inner.yaml")
with open(inner, "w") as out:
    out.write("remit: 1\nagent: {id: inner, purpose: Try}\ninclude: [base]\nexec: {allow: [/bin/cat]}\n")
remit = os.path.join(BUILD, "remit")
manifest(read=f", '{s.root}', '{PROFILES}', '{BUILD}'", programs=(remit,))
run = s.run(remit, "run", "-m", inner, "--profiles", PROFILES, "--", "/bin/cat", "/etc/hosts", cwd=s.work, options=NESTING)
# A sanitized command looks for leaks by tracing itself, which it may not here, and ends with a status of its own.
hold("no session fits inside", (SANITIZED or run.returncode == 125) and "audit.record" in run.stderr, run.stderr)
