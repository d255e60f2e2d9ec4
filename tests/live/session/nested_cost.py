# SPDX-License-Identifier: Apache-2.0
"""An inner scope of many long patterns, which the gate would need minutes to decide by, is not taken; one of some is."""
import os
import subprocess

from live import BUILD, PROFILES, Scratch, expect

REMIT = os.path.join(BUILD, "remit")
SCRIPT = """\
import ctypes, errno, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
with open(sys.argv[1], 'rb') as image: text = image.read()
image = ctypes.create_string_buffer(text)
begin = struct.pack('=IIQQii40sQQQQ', 104, 0, ctypes.addressof(image), len(text), -1, -1, b'inner', 0, 0, 0, 0)
ok = libc.prctl(0x52454d54, 17, ctypes.create_string_buffer(begin, 104), 0, 0) == 0
print('begun' if ok else errno.errorcode[ctypes.get_errno()])
"""
s = Scratch()
s.manifest()
script = s.script("begin.py", SCRIPT)
for count, wanted in ((500, "begun\n"), (5000, "E2BIG\n")):
    manifest, image = s.path("inner.yaml"), s.path("w", "image")
    with open(manifest, "w") as out:
        out.write("remit: 1\nagent: {id: inner, purpose: Be slow}\nfiles:\n  read: [/]\n  deny:\n")
        out.writelines(f'    - "/**/*{"a" * 90}{n}"\n' for n in range(count))
    subprocess.run([REMIT, "compile", "--profiles", PROFILES, "-o", image, manifest], check=True, stdout=subprocess.DEVNULL)
    run = s.run("/usr/bin/python3", script, image, options=("--no-shim",))
    expect(f"{count} patterns", (run.returncode, run.stdout), (0, wanted))
