# SPDX-License-Identifier: Apache-2.0
"""What the agent leaves running is ended, what it leaves in the private tmp is removed, nothing else is."""
import os
import subprocess
import time

from live import Scratch, alive, expect, hold

s = Scratch()
s.manifest()
daemon = s.script("daemon.py", """\
import os, signal, sys, time
# Twice orphaned, in a session of its own, deaf to everything that one can be deaf to.
ready, told = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for n in range(1, 65):
            try: signal.signal(n, signal.SIG_IGN)
            except (OSError, ValueError): pass
        print(os.getpid(), flush=True)
        os.close(1)
        os.write(told, b'x')
        time.sleep(600)
    os._exit(0)
os.read(ready, 1)
""")
outside = subprocess.run(["python3", daemon], stdout=subprocess.PIPE, text=True)
pid = int(outside.stdout)
hold("it survives outside", alive(pid))
os.kill(pid, 9)
for options in ((), ("--no-shim",)):
    out = s.run("/usr/bin/python3", daemon, options=options)
    hold("it is gone with the session", not alive(int(out.stdout)), out.stdout)
    hold("remit says so", "left running" in out.stderr, out.stderr)

# A stopped one, and one that makes a child and ends, for as long as it is let.
chain = s.script("chain.py", """\
import os, signal, time
if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
end = time.time() + 10
if os.fork() == 0:
    while time.time() < end:
        if os.fork() != 0: os._exit(0)
    open('chain.out', 'w')
time.sleep(0.2)
""")
begun = time.time()
out = s.run("/usr/bin/python3", chain, cwd=s.work)
expect("the chain's end", out.returncode, 0)
hold("it was cut", time.time() - begun < 9 and not os.path.exists(s.path("w", "chain.out")))

# The tmp: folders without rights, links to outside, names of all kinds, deeper than descriptors last.
os.mkdir(s.path("w", "keep"))
with open(s.path("w", "keep", "file"), "w"):
    pass
mess = s.script("mess.py", """\
import os, socket, sys
os.chdir(os.environ['TMPDIR'])
print(os.getcwd())
os.symlink(sys.argv[1], 'link')
os.symlink('/', 'root')
os.mkdir('hard'); os.link(sys.argv[1] + '/file', 'hard/file') if False else None
for name in ('new\\nline', '-rf', '.hidden', 'x' * 255, '.remit-removed-0'):
    os.mkdir(name)
    open(name + '/file', 'w').close()
os.mkfifo('fifo')
os.mkdir('closed'); open('closed/file', 'w').close(); os.mkdir('closed/in'); os.chmod('closed/in', 0); os.chmod('closed', 0)
for i in range(400):
    os.mkdir('deep'); os.chdir('deep')
    open('file', 'w').close()
# What is moved for its depth takes rights on itself.
for i in range(400):
    os.chdir('..'); os.chmod('deep', 0o100)
""")
for options in ((), ("--no-shim",)):
    out = s.run("/usr/bin/python3", mess, s.path("w", "keep"), options=options)
    expect("the mess", (out.returncode, out.stderr), (0, ""))
    hold("the tmp is gone", not os.path.exists(out.stdout.strip()), out.stdout)
    hold("and nothing else", os.path.exists(s.path("w", "keep", "file")))


# Somebody kills the janitor: the launcher empties the folder itself, and says that it cannot remove it.
def janitor_of(folder):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if open(f"/proc/{pid}/comm").read() == "remit-janitor\n" and os.readlink(f"/proc/{pid}/fd/1") == folder:
                return int(pid)
        except OSError:
            pass
    return None


wait = s.script("wait.py", """\
import os, sys
os.mkdir(os.environ['TMPDIR'] + '/in')
print(os.environ['TMPDIR'], flush=True)
sys.stdin.read()
""")
process = s.start("/usr/bin/python3", wait, stdin=subprocess.PIPE)
tmp = process.stdout.readline().strip()
janitor = janitor_of(os.path.dirname(tmp))
hold("there is a janitor", janitor)
os.kill(janitor, 9)
_, said = process.communicate()
expect("the end without a janitor", process.returncode, 0)
hold("it says so", f"cannot remove {os.path.dirname(tmp)}: " in said, said)
hold("the tmp is gone without it", not os.path.exists(tmp), tmp)
os.rmdir(os.path.dirname(tmp))
