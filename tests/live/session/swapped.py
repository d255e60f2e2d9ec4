# SPDX-License-Identifier: Apache-2.0
"""What is swapped between the gate's look and the kernel's: a folder for a file that is being renamed, the name of a
program that is being executed."""
import hashlib
import os
import shutil

from live import Scratch, expect, hold

SECONDS = 3
s = Scratch()
s.manifest('files: {write: ["${WORKSPACE}", "${TMP}"], deny_write: ["${WORKSPACE}/.git/hooks"]}\n')
agent = s.script("rename.py", f"""\
import ctypes, os, time
syscall = ctypes.CDLL(None, use_errno=True).syscall
L = ctypes.c_long
def rename(a, b, flags, tag):
    return syscall(L(316), L(-100), ctypes.c_char_p(a), L(-100), ctypes.c_char_p(b), L(flags), L(tag))
for folder in ('gap', 'pub/D/hooks'): os.makedirs(folder, exist_ok=True)
open('pub/D/hooks/evil', 'w').close()
open('pub/f', 'w').close()
hooks = b'.git/hooks/evil'
end = time.monotonic() + {SECONDS}
child = os.fork()
while time.monotonic() < end:
    for _ in range(1000):
        if child == 0:
            rename(b'pub/f', b'pub/D', 2, 0x72656d6974746167)
        elif rename(b'pub/f', b'.git', 0, 0) == 0:
            if os.path.exists(hooks): print('OUT', flush=True); os._exit(0)
            os.rename('.git', 'pub/f')
if child: os.waitpid(child, 0)
""")
for folder in ("pub", "gap"):
    os.makedirs(s.path("w", folder))
out = s.run("/usr/bin/python3", "-I", agent, options=("--no-shim", "--quiet"), cwd=s.work)
expect("a folder in a file's place", out.stdout, "")
hold("nothing denied was made", not os.path.exists(s.path("w/.git/hooks")), out.stderr)

good, evil = s.path("aaaa"), s.path("bbbb")
for path, text in ((good, "#!/bin/busybox true\n"), (evil, "#!/bin/busybox echo\n")):
    with open(path, "w") as script:
        script.write(text)
    os.chmod(path, 0o755)
with open(good, "rb") as script:
    digest = hashlib.sha256(script.read()).hexdigest()
manifest = s.manifest('files: {write: ["${WORKSPACE}", "${TMP}"]}\n')
with open(manifest) as text:
    both = text.read().replace("allow: [", f"allow: [{{path: {good}, sha256: {digest}}}, {{path: {evil}, sha256: {digest}}}, ")
with open(manifest, "w") as text:
    text.write(both)
agent = s.script("exec.py", f"""\
import ctypes, mmap, os, time
libc = ctypes.CDLL(None)
good, evil = {good.encode()!r} + b'\\0', {evil.encode()!r} + b'\\0'
memory = mmap.mmap(-1, 4096)
name = ctypes.addressof(ctypes.c_char.from_buffer(memory))
argv = (ctypes.c_char_p * 3)(b'x', b'OUT', None)
end = time.monotonic() + {SECONDS}
flipper = os.fork()
while flipper == 0 and time.monotonic() < end:
    for _ in range(1000):
        ctypes.memmove(name, good, len(good)); ctypes.memmove(name, evil, len(evil))
if flipper == 0: os._exit(0)
while time.monotonic() < end:
    child = os.fork()
    if child == 0:
        for _ in range(50): libc.syscall(59, ctypes.c_void_p(name), argv, ctypes.c_void_p(0))
        os._exit(1)
    os.waitpid(child, 0)
""")
out = s.run("/usr/bin/python3", "-I", agent, options=("--no-shim", "--quiet"))
expect("a program with another digest", out.stdout, "")
out = s.run(good, options=("--no-shim", "--quiet"))
expect("the program with the digest", out.returncode, 0)
shutil.rmtree(s.work, True)
