# SPDX-License-Identifier: Apache-2.0
"""Arguments and digests of programs hold for what the kernel starts, not for what it was asked to start."""
import hashlib
import os
import shutil
import subprocess
import sys

from live import PYTHON, Scratch, expect, hold

SECONDS = float(os.environ.get("SECONDS_EACH", "3"))

s = Scratch()
tool = s.path("busybox.tool")
shutil.copy("/bin/busybox", tool)
script = s.path("deploy")
with open(script, "w") as out:
    out.write(f'#!{s.path("sh")} -e\necho "deployed $*"\n')
shutil.copy("/bin/busybox", s.path("sh"))
os.chmod(script, 0o755)


def manifest(rules, body='files: {read: ["' + s.root + '"], write: ["${WORKSPACE}", "${TMP}"]}\n', deny="[]"):
    path = s.manifest(body)
    with open(path) as text:
        granted = text.read().replace("exec: {allow: [", f"exec: {{deny: {deny}, allow: [{rules}, ")
    with open(path, "w") as text:
        text.write(granted)


def attempt(*argv):
    return s.run(*argv, options=("--no-shim", "--quiet"))


manifest(f'{{path: {tool}, args: ["echo IN", "true **"]}}, {{path: {script}, args: [status]}}')
for argv, status, said in (((tool, "echo", "IN"), 0, "IN\n"), ((tool, "echo", "OUT"), 126, ""), ((tool,), 126, ""),
                           ((tool, "true", "a b", ""), 0, ""), ((script, "status"), 0, "deployed status\n"),
                           ((script, "now"), 126, ""), ((s.path("sh"), "-e", script, "now"), 126, ""),
                           ((s.path("sh"), "-c", "echo OUT"), 126, "")):
    expect(f"natively {argv}", subprocess.run(argv, capture_output=True).returncode == 0 or argv == (tool,), True)
    out = attempt(*argv)
    expect(f"status of {argv}", (out.returncode, out.stdout), (status, said))

# What follows an exec that fails, and one by a thread that is not the first.
garbage = s.path("garbage")
with open(garbage, "w") as out:
    out.write("no program\n")
os.chmod(garbage, 0o755)
agent = s.script("agent.py", f"""\
import errno, os, signal, subprocess, threading
try: os.execv({garbage!r}, ['x'])
except OSError as error: print(error.errno == errno.ENOEXEC, flush=True)
print(subprocess.run([{tool!r}, 'echo', 'IN'], stdout=1).returncode, flush=True)
got = []
signal.signal(signal.SIGALRM, lambda *_: got.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for _ in range(200):
    if subprocess.run([{tool!r}, 'true']).returncode != 0: print('failed', flush=True)
signal.setitimer(signal.ITIMER_REAL, 0)
print(len(got) > 0, flush=True)
threading.Thread(target=lambda: os.execv({tool!r}, ["busybox", "echo", "IN"])).start()
threading.Event().wait()
""")
manifest(f'{{path: {tool}, args: ["echo IN", "true"]}}, {garbage}')
out = attempt(PYTHON, "-I", agent)
expect("failed, spawned, interrupted and threaded execs", (out.stdout, out.returncode), ("True\nIN\n0\nTrue\nIN\n", 0))

# A denial of arguments.
manifest(f"{tool}", deny=f'[{{path: {tool}, args: ["** OUT **"]}}]')
expect("not denied", attempt(tool, "echo", "IN").stdout, "IN\n")
expect("denied", attempt(tool, "echo", "a", "OUT").returncode, 126)

# A loader is held to what is granted of the program that it is told to start.
dynamic = s.path("echo.dynamic")
shutil.copy("/bin/echo", dynamic)
loader = os.path.realpath(subprocess.run(["sh", "-c", "ldd /bin/echo | sed -n 's,^[[:space:]]*\\(/[^ ]*ld[^ ]*\\).*,\\1,p'"],
                                         capture_output=True, text=True, check=True).stdout.strip())
manifest(f"{{path: {dynamic}, args: [IN]}}, {loader}")
for argv, status, said in (((loader, dynamic, "IN"), 0, "IN\n"), ((loader, dynamic, "OUT"), 126, ""),
                           ((loader, "--argv0", "IN", dynamic, "OUT"), 126, ""), ((loader, "--no-such", dynamic, "IN"), 126, "")):
    if "--no-such" not in argv:
        expect(f"natively {argv}", subprocess.run(argv, capture_output=True).returncode, 0)
    out = attempt(*argv)
    expect(f"status of {argv} {out.stderr}", (out.returncode, out.stdout), (status, said))

# The words are flipped by another process, in memory that both have.
racer = s.script("racer.py", f"""\
import ctypes, mmap, os, sys, time
libc, memory = ctypes.CDLL(None), mmap.mmap(-1, 4096)
word = ctypes.addressof(ctypes.c_char.from_buffer(memory))
argv = (ctypes.c_void_p * 4)(*[ctypes.cast(ctypes.c_char_p(t), ctypes.c_void_p) for t in (b"busybox", b"echo")], word, None)
end = time.monotonic() + float(sys.argv[1])
flipper = os.fork()
while flipper == 0 and time.monotonic() < end:
    for _ in range(1000): ctypes.memmove(word, b'IN\\0\\0', 4); ctypes.memmove(word, b'OUT\\0', 4)
if flipper == 0: os._exit(0)
while time.monotonic() < end:
    child = os.fork()
    if child == 0:
        for _ in range(50): libc.syscall(59, ctypes.c_char_p({tool.encode()!r}), argv, ctypes.c_void_p(0))
        os._exit(1)
    os.waitpid(child, 0)
""")
hold("the race can be won natively", "OUT" in subprocess.run([PYTHON, "-I", racer, "1"], capture_output=True,
                                                             text=True).stdout)
manifest(f'{{path: {tool}, args: ["echo IN"]}}')
out = attempt(PYTHON, "-I", racer, str(SECONDS))
hold("granted arguments run", "IN" in out.stdout, out.stderr)
hold("no others do", "OUT" not in out.stdout, out.stdout[-200:])

# A program that the agent may write, granted for its digest.
mine = s.path("w", "busybox.mine")
shutil.copy("/bin/busybox", mine)
with open(mine, "rb") as program:
    digest = hashlib.sha256(program.read()).hexdigest()
manifest(f"{{path: {mine}, sha256: {digest}}}")
expect("as it was", attempt(mine, "echo", "IN").stdout, "IN\n")
changer = s.script("changer.py", f"""\
import subprocess
with open({mine!r}, 'r+b') as program: program.seek(0, 2); program.write(b'x')
try: subprocess.run([{mine!r}, 'echo', 'OUT'])
except PermissionError: print('refused')
""")
expect("changed", attempt(PYTHON, "-I", changer).stdout, "refused\n")
sys.exit(0)
