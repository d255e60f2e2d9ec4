# SPDX-License-Identifier: Apache-2.0
"""A file that lost its name is still the stranger's for one who holds only a handle of it, or has it open for reading;
a session's own files without a name work as natively."""
import os
import subprocess
import time

from live import Scratch, expect, hold

s = Scratch()
os.mkdir(s.path("out"))
os.mkdir(s.path("ro"))
s.manifest('files: {read: ["%s"], write: ["${WORKSPACE}", "${TMP}"]}\n' % s.path("ro"))
COMMON = """\
import ctypes, errno, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    result = libc.syscall(*arguments)
    if result < 0: raise OSError(ctypes.get_errno(), '')
    return result
class times(ctypes.Structure): _fields_ = [('t', ctypes.c_long * 4)]
past = times((ctypes.c_long * 4)(5, 0, 5, 0))
def watch(path):
    call(254, call(294, 0), path, 0xfff)
def ways(fd):
    proc = b'/proc/self/fd/%d' % fd
    return {
        'chmod': lambda: os.chmod(proc, 0o640), 'utime': lambda: os.utime(proc, (5, 5)),
        'chown': lambda: os.chown(proc, os.getuid(), os.getgid()),
        'setxattr': lambda: os.setxattr(proc, b'user.x', b'y'), 'inotify': lambda: watch(proc),
        'fchownat': lambda: call(260, fd, b'', os.getuid(), os.getgid(), 0x1000),
        'utimensat': lambda: call(280, fd, b'', ctypes.byref(past), 0x1000),
        'fchmod': lambda: os.fchmod(fd, 0o604), 'futimens': lambda: os.utime(fd, (6, 6)),
        'fsetxattr': lambda: os.setxattr(fd, b'user.z', b'y'),
    }
def attempt(name, fd):
    for way, act in ways(fd).items():
        try: act(); seen = 'done'
        except OSError as e: seen = errno.errorcode[e.errno]
        print(name, way, seen, flush=True)
"""
strangers = s.script("strangers.py", COMMON + """\
held = {'handle': os.open(sys.argv[1], os.O_PATH), 'reader': os.open(sys.argv[2], os.O_RDONLY)}
open('ready', 'w').close()
while any('(deleted)' not in os.readlink('/proc/self/fd/%d' % fd) for fd in held.values()): time.sleep(0.02)
for name, fd in held.items(): attempt(name, fd)
""")
own = s.script("own.py", COMMON + """\
attempt('tmpfile', os.open('.', os.O_TMPFILE | os.O_RDWR))
def gone(flags):
    os.close(os.open('mine', os.O_CREAT | os.O_WRONLY, 0o600))
    fd = os.open('mine', flags)
    os.unlink('mine')
    return fd
for name in ('O_RDWR', 'O_WRONLY', 'O_RDONLY', 'O_PATH'): attempt(name, gone(getattr(os, name)))
attempt('memory', os.memfd_create('x'))
attempt('pipe', os.pipe()[0])
fd = os.open('.', os.O_TMPFILE | os.O_WRONLY)
call(265, -100, b'/proc/self/fd/%d' % fd, -100, b'linked', 0x400)
print(os.path.exists('linked'))
os.unlink('linked')
""")


def meet(start):
    """What the holder saw, and the strangers' files afterwards: mode, time, attributes."""
    paths = [s.path("out/victim"), s.path("ro/victim")]
    files = []
    for path in paths:
        files.append(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        os.fchmod(files[-1], 0o600)
        os.utime(files[-1], (1000, 1000))
    holder = start("/usr/bin/python3", "-I", strangers, *paths)
    for _ in range(1000):
        if os.path.exists(s.path("w/ready")) or holder.poll() is not None:
            break
        time.sleep(0.02)
    for path in paths:
        os.unlink(path)
    out = holder.communicate(timeout=60)
    os.unlink(s.path("w/ready"))
    marks = [(oct(os.fstat(fd).st_mode & 0o777), int(os.fstat(fd).st_mtime), os.listxattr(fd)) for fd in files]
    for fd in files:
        os.close(fd)
    return out, marks


def outside(*command):
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=s.work)


(text, _), marks = meet(outside)
natively = subprocess.run(["/usr/bin/python3", "-I", own], stdout=subprocess.PIPE, text=True, cwd=s.work).stdout
hold("it works outside", text.count("done") >= 13 and all(mark[:2] != ("0o600", 1000) for mark in marks), text)
hold("a session's own works outside", natively.count("done") > 40, natively)
for options in ((), ("--no-shim",)):
    (text, errors), marks = meet(lambda *command: s.start(*command, options=options, cwd=s.work))
    expect("the strangers' files", marks, [("0o600", 1000, [])] * 2)
    done = {line for line in text.splitlines() if line.endswith("done")}
    expect("what is done to them", done, {"reader inotify done"})
    hold("all was tried", len(text.splitlines()) == 20, text + errors)
    out = s.run("/usr/bin/python3", "-I", own, options=options, cwd=s.work)
    expect("a session's own files", out.stdout, natively)
