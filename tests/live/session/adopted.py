# SPDX-License-Identifier: Apache-2.0
"""Children that a shell had before it became remit are no part of the session: it does not start, and they live."""
import subprocess

from live import Scratch, alive, expect, hold

s = Scratch()
s.manifest()
process = subprocess.Popen(["/bin/sh", "-c", 'sleep 60 >/dev/null 2>&1 & echo $!; exec "$@"', "sh",
                            *s.command("/bin/busybox", "true")],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
out, err = process.communicate(timeout=30)
child = int(out)
try:
    expect("status", process.returncode, 125)
    hold("said why", "without exec" in err, err)
    hold("the child lives", alive(child))
finally:
    subprocess.run(["kill", str(child)])
expect("a child that has ended does no harm",
       subprocess.run(["/bin/sh", "-c", 'true & wait; exec "$@"', "sh", *s.command("/bin/busybox", "true")],
                      stderr=subprocess.PIPE, stdin=subprocess.DEVNULL).returncode, 0)
