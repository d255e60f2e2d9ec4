# SPDX-License-Identifier: Apache-2.0
"""Only what the manifest passes or sets is in the agent's environment, in any form."""
import os
import subprocess

from live import Scratch, expect, hold

SECRET = "s3cr3t-0123456789"
s = Scratch()
s.manifest('env: {pass: [PATH, "LC_*", SHOWN], set: {FIXED: "a b=c", SHOWN: set}}\n')
given = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "SHOWN": "passed", "TOKEN": SECRET, "LD_LIBRARY_PATH": SECRET,
         "LD_PRELOAD": "", "LD_AUDIT": SECRET, "TMPDIR": "/var/tmp", "ODD\n": SECRET, "REMIT_X": SECRET}
seen = subprocess.run(["cat", "/proc/self/environ"], env=given, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL).stdout
hold("the secret is there outside", SECRET in seen)

for options in ((), ("--no-shim",)):
    out = s.run("/bin/cat", "/proc/self/environ", options=options, env=given)
    variables = dict(entry.split("=", 1) for entry in out.stdout.split("\0") if entry)
    hold("the secret", SECRET not in out.stdout, out.stdout)
    tmp = variables.pop("TMPDIR")
    preload = variables.pop("LD_PRELOAD", None)
    expect("the rest", variables, {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "SHOWN": "set", "FIXED": "a b=c"})
    hold("TMPDIR is a private folder that is gone", tmp != "/var/tmp" and not os.path.exists(tmp), tmp)
    hold("the shim", preload is None if options else preload.endswith("libremit.so"), str(preload))
    # The strings above the stack and the auxiliary vector: all of the process's memory that is not a file's.
    look = s.script("look.py", "import re\nfound = False\nfor line in open('/proc/self/maps'):\n"
                    "    m = re.match(r'(\\w+)-(\\w+) r\\S* \\S+ \\S+ 0 *(\\S*)', line)\n"
                    "    if m and m[3] not in ('[vvar]', '[vsyscall]', '[vvar_vclock]'):\n"
                    "        with open('/proc/self/mem', 'rb') as mem:\n"
                    "            mem.seek(int(m[1], 16)); data = mem.read(int(m[2], 16) - int(m[1], 16))\n"
                    "        found |= bool(re.search(rb's3cr3t-\\d{10}', data))\nprint(found)\n")
    out = s.run("/usr/bin/python3", "-I", look, options=options, env=given)
    expect("in memory", out.stdout, "False\n")
