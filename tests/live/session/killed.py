# SPDX-License-Identifier: Apache-2.0
"""The broker is killed: what the gate decided is refused from then on, nothing hangs, and the session is ended."""
import os
import signal
import subprocess
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
orphan = os.fork()
if orphan == 0:
    os.setsid()
    if os.fork(): os._exit(0)
    print(os.getpid(), flush=True)
    while True: time.sleep(1)
os.waitpid(orphan, 0)
print(os.getpid(), os.environ['TMPDIR'], attempt(), flush=True)
while os.getppid() == parent: time.sleep(0.02)
verdicts = [attempt()]
for call in (lambda: socket.socket().connect(('127.0.0.1', 9)), lambda: os.chmod('agent.py', 0o700),
             lambda: os.memfd_create('x')):
    try: call(); verdicts.append('done')
    except OSError as error: verdicts.append(error.errno)
open(sys.argv[2], 'w').write(repr(verdicts))
while True: time.sleep(1)
""")


def wardens():
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if open(f"/proc/{pid}/comm").read() == "remit-warden\n" and s.root in open(f"/proc/{pid}/cmdline").read():
                found.add(int(pid))
        except OSError:
            pass
    return found


# Behind a filter as well, and of the same user.
bystander = s.start("/bin/busybox", "sleep", "60")
stranger = subprocess.Popen(["/bin/sleep", "60"])
while not wardens():
    time.sleep(0.02)
for options in ((), ("--no-shim",)):
    result = s.path("w", "result")
    if os.path.exists(result):
        os.unlink(result)
    others = wardens()
    process = s.start("/usr/bin/python3", "-I", agent, s.path("gap", "a.txt"), result, options=options, cwd=s.work)
    lines = sorted((process.stdout.readline() for n in range(2)), key=len)
    orphan, (pid, tmp, text) = int(lines[0]), lines[1].split(" ", 2)
    expect("while it lives", text, "granted by a glob\n")
    # Held, so that what the agent can do without a gate is seen.
    held = wardens() - others
    hold("there is a warden", held)
    for warden in held:
        os.kill(warden, signal.SIGSTOP)
    process.kill()
    process.wait()
    time.sleep(1)
    # Without a gate an untagged open cannot be answered at all, so the result may be missing: fail closed.
    if os.path.exists(result):
        with open(result) as seen:
            verdicts = eval(seen.read() or "[]")
        hold("all refused", all(v != "done" and v != "granted by a glob" for v in verdicts), str(verdicts))
    hold("an orphan is there", alive(orphan))
    for warden in held:
        os.kill(warden, signal.SIGCONT)
    end = time.time() + 20
    while (any(map(alive, (int(pid), orphan, *held))) or os.path.exists(os.path.dirname(tmp))) and time.time() < end:
        time.sleep(0.02)
    hold("its warden is gone", not any(map(alive, held)))
    hold("the session is ended", not alive(int(pid)) and not alive(orphan), lines)
    hold("its folder is gone", not os.path.exists(os.path.dirname(tmp)), tmp)
    process.stdout.close()
    process.stderr.close()

# A limit of time does not end with the broker, and what it had stopped to end it goes as well.
s.manifest("limits: {wall_time: 1h}\n")
loop = s.script("loop.py", "import os, sys\nprint(os.getpid(), flush=True)\nwhile True: pass\n")
for stopped in (False, True):
    process = s.start("/usr/bin/python3", "-I", loop, cwd=s.work)
    pid = int(process.stdout.readline())
    if stopped:
        os.kill(pid, signal.SIGSTOP)
    process.kill()
    process.wait()
    end = time.time() + 20
    while alive(pid) and time.time() < end:
        time.sleep(0.02)
    hold(f"the agent is ended, stopped {stopped}", not alive(pid))

hold("nobody else", bystander.poll() is None and stranger.poll() is None)
for process in (bystander, stranger):
    process.terminate()
    process.wait()
