# SPDX-License-Identifier: Apache-2.0
"""audit.max_size: a flood of records stops there, and what would need one more is refused from then on."""
import json
import os

from live import Scratch, expect, hold

LEAST = 65536  # a line beyond the bound says that it was met, another that the session ended
MORE = 2000    # refusals; a record of one is longer than 200 bytes

s = Scratch()
os.mkdir(s.path("gap"))
granted = s.path("gap", "a.txt")
with open(granted, "w") as out:
    out.write("granted by a glob\n")
with open(s.path("secret"), "w") as out:
    out.write("not granted\n")
agent = s.script("agent.py", """\
import errno, sys
refused, granted, times = sys.argv[1:]
def tried(path):
    try:
        with open(path): return 'opened'
    except OSError as error: return errno.errorcode[error.errno]
print(tried(granted), flush=True)
answers = [tried(refused) for n in range(int(times))]
print(answers[0], answers[-1], tried(granted), flush=True)
""")


def flooded(audit, options):
    s.manifest('files: {write: ["${WORKSPACE}", "${TMP}", "%s/*.txt"]}\n%s' % (s.path("gap"), audit))
    if os.path.exists(s.path("audit.jsonl")):
        os.unlink(s.path("audit.jsonl"))
    run = s.run("/usr/bin/python3", "-I", agent, s.path("secret"), granted, str(MORE), options=options)
    return run, os.path.getsize(s.path("audit.jsonl")), s.records()


for options in (("--no-shim",), ()):
    run, size, records = flooded("", options)
    expect(f"{options} without a bound: as granted, to the end", run.stdout.split(), ["opened", "EACCES", "EACCES", "opened"])
    hold(f"{options} without a bound: the flood is in the log", size > 200 * MORE, size)

    run, size, records = flooded("audit: {max_size: 64KiB}\n", options)
    expect(f"{options} with one: refused since, what is granted too", run.stdout.split(), ["opened", "EACCES", "EIO", "EIO"])
    hold(f"{options} the log ends where it should", LEAST - 1024 < size - sum(len(json.dumps(r)) for r in records[-2:]) <= LEAST, size)
    expect(f"{options} it says so", [(r["event"], r.get("max_size")) for r in records[-2:]], [("full", LEAST), ("end", None)])
    expect(f"{options} no line is lost before", [r["seq"] for r in records], list(range(len(records))))
    hold(f"{options} all are counted", records[-1]["refused"] >= MORE, records[-1])
    hold(f"{options} the operator is told", "has reached audit.max_size" in run.stderr, run.stderr[-300:])

# --- what cannot be recorded any more is not done first ---
changer = s.script("changer.py", """\
import os, sys
folder, flags = sys.argv[1], int(sys.argv[2])
for n in range(5000):
    name = f'{folder}/{n}.txt' if flags & os.O_CREAT else f'{folder}/a.txt'
    try: fd = os.open(name, os.O_WRONLY | flags)
    except OSError:
        print(n, os.path.exists(name) and os.path.getsize(name))
        break
    os.write(fd, b'filled')
    os.close(fd)
""")
s.manifest('files: {read: ["${WORKSPACE}"], write: ["%s/*.txt"]}\naudit: {record: all, max_size: 256KiB}\n' % s.path("gap"))
for options in (("--no-shim",), ()):
    for flags, kept in ((os.O_TRUNC, "6"), (os.O_CREAT, "False"), (os.O_CREAT | os.O_TRUNC, "False")):
        os.unlink(s.path("audit.jsonl"))
        run = s.run("/usr/bin/python3", "-I", changer, s.path("gap"), str(flags), options=options)
        hold(f"{options} it starts", run.stdout, run.stderr[-600:])
        times, size = run.stdout.split()
        hold(f"{options} changes until the log is full", int(times) > 10, run.stdout)
        expect(f"{options} nothing beyond the record", size, kept)
        for name in os.listdir(s.path("gap")):
            if name != "a.txt":
                os.unlink(s.path("gap", name))
