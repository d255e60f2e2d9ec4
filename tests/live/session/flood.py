# SPDX-License-Identifier: Apache-2.0
"""A flood at the gate slows the flooder: another process's gated calls are still answered, soon."""
import os

from live import Scratch, hold

# Times of a machine that others use too: what is shown is that nobody waits for the flood to end.
FACTOR, ALWAYS_FINE = 60, 0.05

s = Scratch()
os.mkdir(s.path("gap"))
with open(s.path("gap", "a.txt"), "w") as out:
    out.write("granted by a glob\n")
os.mkfifo(s.path("gap", "fifo.txt"))
s.manifest('files: {write: ["${WORKSPACE}", "${TMP}", "%s/*.txt"]}\n' % s.path("gap"))
agent = s.script("agent.py", """\
import os, signal, sys, threading, time
gap = sys.argv[1]
def median(seconds):
    times, end = [], time.time() + seconds
    while time.time() < end or len(times) < 20:
        start = time.perf_counter()
        os.chmod(gap + '/a.txt', 0o644)
        times.append(time.perf_counter() - start)
        time.sleep(0.001)
    return sorted(times)[len(times) // 2], max(times)
def flood(act):
    def forever():
        while True:
            try: act()
            except OSError: pass
    child = os.fork()
    if child == 0:
        for n in range(40): threading.Thread(target=forever, daemon=True).start()
        time.sleep(60)
        os._exit(0)
    return child
print(*median(1), flush=True)
for act in (lambda: os.chmod(gap + '/a.txt', 0o644), lambda: os.open(gap + '/fifo.txt', os.O_RDONLY)):
    child = flood(act)
    time.sleep(0.5)
    print(*median(2), flush=True)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
""")
for options in (("--no-shim",), ()):
    done = s.run("/usr/bin/python3", "-I", agent, s.path("gap"), options=options, cwd=s.work)
    lines = [[float(word) for word in line.split()] for line in done.stdout.splitlines()]
    hold("it came to its end", done.returncode == 0 and len(lines) == 3, done.stderr)
    alone = lines[0][0]
    for what, (middle, longest) in zip(("calls", "calls that block"), lines[1:]):
        hold(f"answered soon under a flood of {what}", middle < max(FACTOR * alone, ALWAYS_FINE),
             f"{alone:.6f} s alone, {middle:.6f} s, at most {longest:.3f} s")
        hold(f"answered at all under a flood of {what}", longest < 10, f"{longest:.3f} s")
