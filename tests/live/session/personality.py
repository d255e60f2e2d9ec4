# SPDX-License-Identifier: Apache-2.0
"""personality(2): what setarch and gdb ask for is let go on, what loosens the protection of memory is refused and recorded."""
import subprocess

from live import Scratch, expect, hold

s = Scratch()
s.manifest()
ask = s.script("ask.py", """\
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
for value in sys.argv[1:]:
    answer = libc.personality(ctypes.c_ulong(int(value, 0)))
    print(answer if answer >= 0 else -ctypes.get_errno())
""")
values = ("0xffffffff", "0x40000", "0xffffffff", "0x400000", "0xffffffff00400000", "0")
kept, both = str(0x40000), str(0x400000)
natively = subprocess.run(["/usr/bin/python3", "-I", ask, *values], capture_output=True, text=True, check=True).stdout.split()
expect("natively all are taken", natively, ["0", "0", kept, kept, both, both])
inside = s.run("/usr/bin/python3", "-I", ask, *values).stdout.split()
expect("inside READ_IMPLIES_EXEC is not, whatever stands in the upper half", inside, ["0", "0", kept, "-1", "-1", kept])
refused = [record for record in s.records() if "personality" in str(record)]
hold("and recorded", refused and all("0x400000" in str(record) for record in refused), str(s.records()[-3:]))
