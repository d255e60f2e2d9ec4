# SPDX-License-Identifier: Apache-2.0
"""Acting on processes: the session's own yes, all others no; also where Landlock cannot tell them apart."""
import subprocess

from live import Scratch, expect

s = Scratch()
s.manifest()
agent = s.script("agent.py", """\
import os, resource, signal, subprocess, sys
other = int(sys.argv[1])
def case(name, act):
    try: act(); print(name, 'done')
    except OSError as error: print(name, error.errno)
own = subprocess.Popen(['/usr/bin/sleep', '60'], start_new_session=True)
case('signal own', lambda: os.kill(own.pid, 0))
case('signal self', lambda: os.kill(os.getpid(), 0))
case('signal own group', lambda: os.killpg(own.pid, 0))
case('limit own', lambda: resource.prlimit(own.pid, resource.RLIMIT_CORE, (0, 0)))
case('affinity own', lambda: os.sched_setaffinity(own.pid, os.sched_getaffinity(0)))
case('pidfd own', lambda: signal.pidfd_send_signal(os.pidfd_open(own.pid), 9))
case('signal gone', lambda: (own.wait(), os.kill(own.pid, 0)))
for name, pid in (('other', other), ('broker', os.getppid())):
    case('signal ' + name, lambda: os.kill(pid, 0))
    case('pidfd ' + name, lambda: signal.pidfd_send_signal(os.pidfd_open(pid), 0))
    case('limit ' + name, lambda: resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0)))
    case('priority ' + name, lambda: os.setpriority(os.PRIO_PROCESS, pid, 19))
    case('affinity ' + name, lambda: os.sched_setaffinity(pid, {0}))
""")
stranger = subprocess.Popen(["sleep", "120"])
try:
    outside = subprocess.run(["python3", agent, str(stranger.pid)], stdout=subprocess.PIPE, text=True).stdout
    own = [f"{what} done" for what in ("signal own", "signal self", "signal own group", "limit own", "affinity own",
                                       "pidfd own")] + ["signal gone 3"]
    acts = ("signal", "pidfd", "limit", "priority", "affinity")
    expect("outside", outside.splitlines(), own + [f"{act} {who} done" for who in ("other", "broker") for act in acts])
    inside = own + [f"{act} {who} 1" for who in ("other", "broker") for act in acts]
    for without in ((), ("--without", "landlock=5")):
        for options in ((), ("--no-shim",)):
            out = s.run("/usr/bin/python3", agent, str(stranger.pid),
                        options=("--quiet", "--allow-degraded", *without, *options))
            expect(f"inside {without} {options}", out.stdout.splitlines(), inside)
    space = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*space, "true"], stderr=subprocess.DEVNULL).returncode == 0:
        # The launcher's own group began outside this namespace, where it has no number.
        out = subprocess.run([*space, *s.command("/usr/bin/python3", agent, "1", options=(
            "--quiet", "--allow-degraded", "--without", "landlock=5"))], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, text=True, timeout=60)
        expect("in a PID namespace", out.stdout.splitlines(), inside)
finally:
    stranger.kill()
