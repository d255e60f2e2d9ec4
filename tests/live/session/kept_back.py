# SPDX-License-Identifier: Apache-2.0
"""An agent whose end is kept back by whoever traces it: the session ends all the same, with its tracer."""
import time

from live import Scratch, alive, expect, hold

s = Scratch()
AGENT = s.script("agent.py", """\
import ctypes, os, signal, sys, time
libc = ctypes.CDLL(None, use_errno=True)
SEIZE = 0x4206
agent, (up, down) = os.getpid(), os.pipe()
if os.fork() == 0:
    for number in (signal.SIGTERM, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
    seized = libc.ptrace(SEIZE, agent, None, None) == 0
    with open(sys.argv[1] + '/tracer', 'w') as out: out.write(str(os.getpid()) if seized else 'not seized')
    os.write(down, b'x')
    if sys.argv[2] == 'waits':
        time.sleep(.2)
        os.waitpid(agent, 0)
        os._exit(0)
    time.sleep(60)
    os._exit(0)
os.read(up, 1)
if sys.argv[2] == 'stays': time.sleep(60)
os._exit(5)
""")


def run(how, options=(), command=()):
    begun = time.monotonic()
    out = s.run(*command, "/usr/bin/python3", "-I", AGENT, s.work, how, options=options)
    with open(s.path("w/tracer")) as said:
        tracer = said.read()
    hold(f"{how} {options}: it is traced", tracer.isdigit(), tracer)
    hold(f"{how} {options}: the tracer is ended", not alive(int(tracer)))
    return out, time.monotonic() - begun


s.manifest()
for options in ((), ("--no-shim",)):
    out, took = run("waits", options)
    expect(f"a tracer that waits {options}", out.returncode, 5)
    out, took = run("ends", options)
    expect(f"one that does not {options}", out.returncode, 128 + 9)
    hold(f"the session ends {options}", took < 20, took)
s.manifest("limits: {wall_time: 1s}\n")
out, took = run("stays")
expect("a limit of time", (out.returncode, s.records()[-1]["ending"]), (128 + 9, "wall_time"))
hold("the session ends in time", took < 30, took)
