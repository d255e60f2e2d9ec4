# SPDX-License-Identifier: Apache-2.0
"""Limits: time by the clock, expiry, processes, descriptors."""
import datetime
import os
import resource
import time

from live import Scratch, expect, hold

s = Scratch()
s.manifest("limits: {wall_time: 1s}\n")
begun = time.time()
out = s.run("/bin/sh", "-c", "sleep 30")
hold("wall_time", 143 == out.returncode and 0.9 < time.time() - begun < 6, f"{out.returncode} {out.stderr}")
hold("remit says so", "wall_time" in out.stderr, out.stderr)
expect("the record says so", s.records()[-1]["ending"], "wall_time")

begun = time.time()
out = s.run("/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done")
hold("a deaf agent is killed", out.returncode == 137 and 5 < time.time() - begun < 12, f"{out.returncode}")

# Stopping itself does not stop the clock.
begun = time.time()
out = s.run("/bin/sh", "-c", "kill -STOP $$; sleep 30")
hold("a stopped agent", out.returncode == 143 and time.time() - begun < 8, f"{out.returncode}")

soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
s.manifest(expires=", expires: " + soon.strftime("%Y-%m-%dT%H:%M:%SZ"))
out = s.run("/bin/sh", "-c", "sleep 30")
expect("expiry", (out.returncode, s.records()[-1]["ending"]), (143, "expired"))

count = s.script("count.py", """\
import os, sys, time, errno
made = 0
try:
    for i in range(60):
        if os.fork() == 0:
            time.sleep(3); os._exit(0)
        made += 1
except OSError as error:
    print(made, errno.errorcode[error.errno])
else:
    print(made, 'all')
""")
for options in ((), ("--no-shim",)):
    s.manifest()
    expect("processes without a limit", s.run("/usr/bin/python3", count, options=options).stdout, "60 all\n")
    s.manifest("limits: {processes: 20}\n")
    expect("processes", s.run("/usr/bin/python3", count, options=options).stdout, "19 EAGAIN\n")

# Places are given back; threads take none.
again = s.script("again.py", """\
import os, threading
for i in range(300):
    if os.fork() == 0: os._exit(0)
    os.wait()
hold = [threading.Thread(target=threading.Event().wait, args=(1,)) for i in range(40)]
for t in hold: t.start()
print('fine')
""")
expect("places", s.run("/usr/bin/python3", again).stdout, "fine\n")
refused = [r for r in s.records() if r.get("op") == "fork"]
hold("recorded", len(refused) >= 1 and refused[0]["verdict"] == "refused")

race = s.script("race.py", """\
import os, threading, time
made = []
def many():
    for i in range(20):
        try: pid = os.fork()
        except OSError: continue
        if pid == 0:
            time.sleep(4); os._exit(0)
        made.append(pid)
threads = [threading.Thread(target=many) for i in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(len(made))
""")
hold("threads racing", int(s.run("/usr/bin/python3", race).stdout) <= 19)

s.manifest("limits: {open_files: 50}\n")
out = s.run("/usr/bin/python3", "-c", "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE))")
expect("descriptors", out.stdout, "(50, 50)\n")

# What the gate explains on the agent's own stderr grows no file beyond its limit.
talk = s.script("talk.py", """\
import os, sys
os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | (os.O_APPEND if sys.argv[2] == 'append' else 0), 0o600), 2)
if sys.argv[2] == 'beyond': os.lseek(2, 5000, os.SEEK_SET)
for n in range(60):
    try: os.open(f'{sys.argv[3]}/{n}', os.O_RDONLY)
    except OSError: pass
""")
told, secrets = s.path("w", "told"), s.path("secrets")
os.mkdir(secrets)
for number in range(60):
    open(os.path.join(secrets, str(number)), "w").close()
for options in ((), ("--no-shim",)):
    for how in ("append", "write", "beyond"):
        s.manifest()
        s.run("/usr/bin/python3", talk, told, how, secrets, options=options)
        hold("told without a limit", os.path.getsize(told) > 4096, os.path.getsize(told))
        s.manifest("limits: {file_size: 4KiB}\n")
        s.run("/usr/bin/python3", talk, told, how, secrets, options=options)
        size = os.path.getsize(told)
        hold(f"file_size {how} {options}", size == 0 if how == "beyond" else 2048 < size <= 4096, size)

# The operator's limit of a file's size is the caller's as it has raised it, whatever the gate's own was.
grow = s.script("grow.py", """\
import os, resource
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
open('grown', 'w').close()
os.truncate('grown', soft + 1)
print(os.stat('grown').st_size > soft)
""")
s.manifest('files: {write: ["${WORKSPACE}"], deny: ["${WORKSPACE}/**/.env"]}\n')
out = s.run("/usr/bin/python3", grow, cwd=s.work,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (16 << 20, resource.RLIM_INFINITY)))
expect("past a limit that may be raised", (out.returncode, out.stdout), (0, "True\n"))
