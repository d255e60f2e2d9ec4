# SPDX-License-Identifier: Apache-2.0
"""The broker is killed: what the gate decided is refused from then on, and nothing hangs."""
import os
import signal
import time

from live import Scratch, alive, expect, hold

s = Scratch()
s.manifest('files: {write: ["${WORKSPACE}", "${TMP}"], read: ["%s/*.txt"]}\n' % s.path("gap"))
os.mkdir(s.path("gap"))
with open(s.path("gap", "a.txt"), "w") as out:
    out.write("granted by a glob\n")
agent = s.script("agent.py", """\
import os, socket, sys, time
def attempt():
    try: return open(sys.argv[1]).read().strip()
    except OSError as error: return f'errno {error.errno}'
parent = os.getppid()
print(os.getpid(), attempt(), flush=True)
while os.getppid() == parent: time.sleep(0.02)
verdicts = [attempt()]
for call in (lambda: socket.socket().connect(('127.0.0.1', 9)), lambda: os.chmod('agent.py', 0o700),
             lambda: os.memfd_create('x')):
    try: call(); verdicts.append('done')
    except OSError as error: verdicts.append(error.errno)
open(sys.argv[2], 'w').write(repr(verdicts))
""")
for options in ((), ("--no-shim",)):
    result = s.path("w", "result")
    if os.path.exists(result):
        os.unlink(result)
    process = s.start("/usr/bin/python3", "-I", agent, s.path("gap", "a.txt"), result, options=options, cwd=s.work)
    pid, text = process.stdout.readline().split(" ", 1)
    expect("while it lives", text, "granted by a glob\n")
    process.kill()
    process.wait()
    end = time.time() + 20
    while alive(int(pid)) and time.time() < end:
        time.sleep(0.02)
    hung = alive(int(pid))
    if hung:
        os.kill(int(pid), signal.SIGKILL)
    hold("the agent goes on", not hung)
    process.stdout.close()
    process.stderr.close()
    # Without a gate an untagged open cannot be answered at all, so the result may be missing: fail closed.
    if os.path.exists(result):
        with open(result) as seen:
            verdicts = eval(seen.read())
        hold("all refused", all(v != "done" and v != "granted by a glob" for v in verdicts), str(verdicts))
