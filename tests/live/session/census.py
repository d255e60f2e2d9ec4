# SPDX-License-Identifier: Apache-2.0
"""The log's last line says how many programs ran without the shim."""
from live import Scratch, expect, hold

s = Scratch()
s.manifest()


def count(*command, options=()):
    s.run(*command, options=options)
    last = s.records()[-1]
    return last["processes"], last["unshimmed"]


expect("one with", count("/bin/cat", "/etc/hostname"), (1, 0))
expect("one without", count("/bin/cat", "/etc/hostname", options=("--no-shim",)), (1, 1))
expect("a static one", count("/bin/busybox", "cat", "/etc/hostname"), (1, 1))
expect("several", count("/bin/sh", "-c", "cat /etc/hostname; cat /etc/hostname; exit 0"), (3, 0))
expect("a static one of a shimmed one", count("/bin/sh", "-c", "/bin/busybox cat /etc/hostname; exit 0"), (2, 1))
forks = s.script("forks.py", """\
import os
for i in range(5):
    if os.fork() == 0:
        open('/proc/self/status').read(); os._exit(0)
    os.wait()
""")
hold("forks are no programs", count("/usr/bin/python3", "-I", forks) == (1, 0), str(s.records()[-1]))
