# SPDX-License-Identifier: Apache-2.0
"""What one process of the session does to another has its native effect; what nobody may do is recorded once."""
import os
import subprocess

from live import PYTHON, Scratch, expect, hold

AGENT = r"""
import ctypes, fcntl, os, resource, signal, socket, struct, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def call(nr, *arguments):
    result = libc.syscall(ctypes.c_long(nr), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    return result if result >= 0 else -ctypes.get_errno()
def buffer(text): return ctypes.create_string_buffer(text, len(text))
PTRACE, QUEUE, SETPARAM, SETSCHEDULER, IOPRIO_SET, IOPRIO_GET = 101, 129, 142, 144, 251, 252
VM_READ, KCMP, SETATTR, PIDFD_GETFD, TGKILL, TKILL, ROBUST = 310, 312, 314, 438, 234, 200, 274
os.setpgrp()
secret = ctypes.create_string_buffer(b'held by the parent', 64)
report, up = os.pipe()
own = os.fork()
if own == 0:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGRTMIN})
    os.close(report)
    os.setpgid(0, 0)
    os.write(up, b'.')
    while True:
        info = signal.sigwaitinfo({signal.SIGUSR1, signal.SIGRTMIN})
        os.write(up, struct.pack('ii', info.si_signo, info.si_code))
os.read(report, 1)
def heard():
    return struct.unpack('ii', os.read(report, 8))
def say(what, *seen): print(what, *seen, flush=True)
# Priorities and limits of the child, looked at from outside of it.
say('nice', call(141, 0, own, 5), os.getpriority(os.PRIO_PROCESS, own))
say('nice of its group', call(141, 1, own, 6), os.getpriority(os.PRIO_PROCESS, own))
say('nice of mine', call(141, 0, 0, 1), call(141, 1, 0, 1), os.getpriority(os.PRIO_PROCESS, 0))
say('batch', call(SETSCHEDULER, own, 3, buffer(struct.pack('i', 0))), os.sched_getscheduler(own))
say('bad policy', call(SETSCHEDULER, own, 77, buffer(struct.pack('i', 0))))
say('no parameter', call(SETPARAM, own, 0))
say('parameter', call(SETPARAM, own, buffer(struct.pack('i', 0))))
say('bad parameter', call(SETPARAM, own, buffer(struct.pack('i', 9))))
say('unreadable', call(SETPARAM, own, 8))
attr = struct.pack('IIQiIQQQII', 56, 3, 0, 7, 0, 0, 0, 0, 0, 0)
say('attr', call(SETATTR, own, buffer(attr), 0), os.getpriority(os.PRIO_PROCESS, own))
say('attr too small', call(SETATTR, own, buffer(struct.pack('II', 4, 0)), 0))
say('attr with flags', call(SETATTR, own, buffer(attr), 1))
say('affinity', os.sched_setaffinity(own, {0}), sorted(os.sched_getaffinity(own)))
say('affinity of none', call(203, own, 8, buffer(bytes(8))))
say('io', call(IOPRIO_SET, 1, own, (2 << 13) | 6), call(IOPRIO_GET, 1, own))
say('io of nobody', call(IOPRIO_SET, 9, own, 0))
say('limit', resource.prlimit(own, resource.RLIMIT_NOFILE, (60, 120))[0] > 0, resource.prlimit(own, resource.RLIMIT_NOFILE))
say('limit upside down', call(302, own, 4, buffer(struct.pack('QQ', 9, 8)), 0))
say('limit to nowhere', call(302, own, 4, 0, 8))
say('robust', call(ROBUST, own, buffer(bytes(8)), buffer(bytes(8))))
# Signals.
os.kill(own, signal.SIGUSR1); say('kill', *heard())
os.killpg(own, signal.SIGUSR1); say('killpg', *heard())
say('tgkill', call(TGKILL, own, own, signal.SIGUSR1), *heard())
say('tkill', call(TKILL, own, signal.SIGUSR1), heard()[0])
info = struct.pack('iiiiiiq', signal.SIGRTMIN, 0, -1, 0, os.getpid(), os.getuid(), 42).ljust(128, b'\0')
say('sigqueue', call(QUEUE, own, signal.SIGRTMIN, buffer(info)), *heard())
forged = struct.pack('iiiiiiq', signal.SIGRTMIN, 0, 0, 0, 1, 0, 42).ljust(128, b'\0')
say('forged', call(QUEUE, own, signal.SIGRTMIN, buffer(forged)))
signal.pidfd_send_signal(os.pidfd_open(own), signal.SIGUSR1); say('pidfd', *heard())
caught = []
signal.signal(signal.SIGUSR2, lambda *_: caught.append('me'))
os.kill(os.getpid(), signal.SIGUSR2); say('self', caught)
thread = threading.Thread(target=time.sleep, args=(0.3,))
thread.start()
say('thread', call(TGKILL, os.getpid(), thread.native_id, 0), call(141, 0, thread.native_id, 2))
thread.join()
# The kernel's own signals for a descriptor.
ends = socket.socketpair()
signal.signal(signal.SIGIO, lambda *_: caught.append('io'))
fcntl.fcntl(ends[0], fcntl.F_SETOWN, os.getpid())
fcntl.fcntl(ends[0], fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
ends[1].send(b'x'); time.sleep(0.05); say('owner', caught); fcntl.fcntl(ends[0], fcntl.F_SETFL, 0)
# Tracing.
ended = os.fork()
if ended == 0: time.sleep(60)
local = buffer(bytes(18))
iov = lambda address: buffer(struct.pack('QQ', address, 18))
say('read', call(VM_READ, ended, iov(ctypes.addressof(local)), 1, iov(ctypes.addressof(secret)), 1, 0), local.raw)
say('compare', call(KCMP, os.getpid(), ended, 0, 1, 1))
handle = os.pidfd_open(ended)
say('take', call(PIDFD_GETFD, handle, 1, 0) > 2)
say('attach', call(PTRACE, 16, ended, 0, 0), os.WIFSTOPPED(os.waitpid(ended, 0)[1]), call(PTRACE, 17, ended, 0, 0))
for pid in (own, ended): os.kill(pid, signal.SIGKILL); os.waitpid(pid, 0)
say('gone', call(62, own, 0), call(141, 0, own, 1), call(302, own, 4, 0, 0), call(VM_READ, own, iov(0), 1, iov(0), 1, 0))
"""

NEVER = r"""
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(nr, *arguments):
    return -ctypes.get_errno() if libc.syscall(nr, *arguments) < 0 else 0
for nr in (165, 161, 250, 321, 298, 308, 304, 428): print(nr, call(nr, 0, 0, 0, 0, 0))
print('ioctl', call(16, 0, ctypes.c_long(0x5412), b'x'), call(16, 0, ctypes.c_long(0x40086602), b'x'))
print('unshare', call(272, 0x10000000), call(56, 0x20011, 0, 0, 0, 0), call(135, 0x400000), call(157, 35, 0))
for kind in ((17, 3, 0), (38, 5, 0), (2, 3, 1), (2, 1, 262), (16, 3, 15)):
    try: socket.socket(*kind); print(kind, 'made')
    except OSError as error: print(kind, error.errno)
print('quick', call(44, 0, b'x', 1, 0x20000000, 0, 0))
print('probed', call(425, 1, 0), call(435, 0, 0), call(447, 0))
"""
WANTED = {"mount", "chroot", "keyctl", "bpf", "perf_event_open", "setns", "open_by_handle_at", "open_tree", "TIOCSTI",
          "FS_IOC_SETFLAGS", "CLONE_NEWUSER", "CLONE_NEWNS", "0x400000", "PR_SET_MM", "packet socket, type 3, protocol 0",
          "alg socket, type 5, protocol 0", "inet socket, type 3, protocol 1"}
QUIET = {"inet socket, type 1, protocol 262", "netlink socket, type 3, protocol 15"}


def same_as_outside(s):
    agent = s.script("agent.py", AGENT)
    native = subprocess.run([PYTHON, "-I", agent], capture_output=True, text=True, cwd=s.work)
    expect("outside", (native.returncode, len(native.stdout.splitlines()) > 30), (0, True))
    for off in ((), ("--without", "landlock=5")):
        for options in ((), ("--no-shim",)):
            done = s.run("/usr/bin/python3", "-I", agent, options=("--allow-degraded", *off, *options), cwd=s.work)
            for outside, inside in zip(native.stdout.splitlines(), done.stdout.splitlines()):
                expect(f"{options} {off}", inside, outside)
            hold(f"{options} {off} goes on to the end", len(done.stdout) == len(native.stdout), done.stdout + done.stderr)
            hold("nothing is refused of it", "remit: refused" not in done.stderr, done.stderr)


def refused_and_recorded(s):
    agent = s.script("never.py", NEVER)
    for options in ((), ("--no-shim",)):
        if os.path.exists(s.path("audit.jsonl")):
            os.unlink(s.path("audit.jsonl"))
        done = s.run("/usr/bin/python3", "-I", agent, options=options, cwd=s.work)
        expect("the agent", done.returncode, 0)
        lines = done.stdout.splitlines()
        expect("EPERM", [line.split()[1] for line in lines[:8]], ["-1"] * 8)
        expect("EPERM by argument", lines[8:10], ["ioctl -1 -1", "unshare -1 -1 -1 -1"])
        expect("kinds of sockets", [line.rsplit(None, 1)[1] for line in lines[10:15]], ["97", "97", "93", "93", "97"])
        expect("what falls back", lines[16], "probed -38 -38 -38")
        refused = [r for r in s.records() if r.get("verdict") == "refused"]
        objects = [r["object"] for r in refused]
        for wanted in WANTED | QUIET:
            expect(f"records of {wanted}", objects.count(wanted), 1)
        for told in WANTED:
            hold(f"{told} is told", told in done.stderr, done.stderr)
        for quiet in QUIET:
            hold(f"{quiet} is not told", quiet not in done.stderr, done.stderr)


def main():
    s = Scratch()
    s.manifest()
    same_as_outside(s)
    refused_and_recorded(s)


main()
