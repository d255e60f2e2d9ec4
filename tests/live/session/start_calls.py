# SPDX-License-Identifier: Apache-2.0
"""What a start costs, counted: time is as the machine has it, the system calls of a launch are not."""
import collections
import os
import re
import shutil
import subprocess

from live import Scratch, expect, hold, skip

if not shutil.which("strace"):
    skip("no strace")
s = Scratch()
if subprocess.run(["strace", "-f", "-o", s.path("control"), "/bin/true"]).returncode:
    skip("strace may not trace here")

RULES = 200
os.mkdir(s.path("there"))
for i in range(RULES):
    open(s.path("there", f"f{i}"), "w").close()


def trace(extra=(), options=()):
    """The calls of a session that runs true, by name, and their lines."""
    reads = ["${WORKSPACE}", *extra]
    s.manifest("files:\n  write: [\"${WORKSPACE}\"]\n  read:\n" + "".join(f'    - "{path}"\n' for path in reads))
    log = s.path("trace")
    command = ["strace", "-f", "-qq", "-o", log, *s.command("/bin/true", options=options)]
    # A sanitized command looks for leaks by tracing itself, and is traced already.
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120,
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    hold("a session", done.returncode == 0, done.stderr)
    with open(log) as lines:
        calls = [m[1] for line in lines if (m := re.match(r"\d+\s+(\w+)\(", line))]
    with open(log) as lines:
        return collections.Counter(calls), lines.read()


plain, text = trace()
# The program that libseccomp made with the command was taken, and where none fits it is made now: the control.
hold("a program that was ready", "remit-filter" not in text and plain["seccomp"] < 8, str(plain))
_, older = trace(options=("--allow-degraded", "--without", "landlock=5"))
hold("a program that was not", "remit-filter" in older)

# The janitor by way of a child, one probe with a thread, the agent, and the gate's threads, each of which asks for
# clone3 first.
hold("processes and threads", sum(plain[name] for name in ("clone", "clone3", "fork", "vfork")) <= 24, str(plain))

# What a rule may cost: its links, its kind, its mark, and three calls for each of two Landlock domains.
some, _ = trace([s.path("there", f"f{i}") for i in range(RULES)])
hold("a rule on a file", some.total() - plain.total() <= 12 * RULES, f"{plain.total()} {some.total()}")
some, _ = trace([s.path("nowhere", f"f{i}") for i in range(RULES)])
hold("a rule on what is not there", some.total() - plain.total() <= RULES // 2, f"{plain.total()} {some.total()}")
# The rules of base and shell themselves: about 3700 calls where all their programs are there.
hold("the whole", plain.total() <= 8000, str(plain.total()))
