# SPDX-License-Identifier: Apache-2.0
"""Where /proc hides those that may not be traced (hidepid): they are ended all the same, and no limit counts them."""
import os
import signal
import subprocess

from live import Scratch, alive, expect, hold, skip

USER = "54321"
IN = ["unshare", "-m", "--propagation", "private", "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', "sh",
      "setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"]
if os.getuid() != 0 or subprocess.run([*IN, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
    skip("cannot mount another /proc")
s = Scratch()
for folder in (s.root, s.work):
    os.chmod(folder, 0o777)
hide = s.script("hide.py", """\
import ctypes, os, time
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
ready, told = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        os.close(1)
        os.write(told, b'x')
        time.sleep(60)
    os._exit(0)
os.read(ready, 1)
""")


# Outside a session it outlives who started it.
left = int(subprocess.run([*IN, "/usr/bin/python3", hide], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=True).stdout)
hold("outside it stays", alive(left))
os.kill(left, signal.SIGKILL)


def run(*options):
    return subprocess.run([*IN, *s.command("/usr/bin/python3", hide, options=options)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False, env=dict(os.environ, TMPDIR="/tmp"))


s.manifest()
out = run("--no-shim")
hold("its status", out.returncode == 0, out.stderr)
hold("it is gone with the session", not alive(int(out.stdout)), out.stderr)
hold("remit says so", "ended 1 process that" in out.stderr, out.stderr)

s.manifest("limits: {processes: 20}\n")
out = run()
hold("processes cannot be counted", out.returncode == 125 and "limits.processes" in out.stderr, out.stderr)
told = subprocess.run([*IN, s.command()[0], "doctor"], capture_output=True, text=True, check=False)
hold("the doctor says why", "MISSING  hidepid" in told.stdout, told.stdout)
expect("unless that is accepted", run("--allow-degraded", "--no-shim").returncode, 0)
