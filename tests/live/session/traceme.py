# SPDX-License-Identifier: Apache-2.0
"""PTRACE_TRACEME: a debugger inside works; where the parent is remit, who asked goes on and hinders nobody."""
import os
import subprocess

from live import Scratch, expect

# TRACEME, then a signal that stops a traced process: with a handler it is harmless to others.
SCRIPT = """\
import ctypes, os, signal, sys, threading, time
libc = ctypes.CDLL(None)
mode, done = sys.argv[1:3]

def orphan(act):
    if os.fork() == 0:
        parent = os.getpid()
        if os.fork() == 0:
            while os.getppid() == parent: time.sleep(0.005)
            act()
            os._exit(0)
        os._exit(0)
    os.wait()

def traced(how=signal.SIGUSR1):
    signal.signal(signal.SIGUSR1, lambda *_: None)
    assert libc.ptrace(0, 0, 0, 0) == 0
    os.kill(os.getpid(), how)
    open(done, 'w').close()

def traced_thread():
    thread = threading.Thread(target=lambda: (libc.ptrace(0, 0, 0, 0), signal.pthread_kill(threading.get_ident(), signal.SIGUSR2)))
    signal.signal(signal.SIGUSR2, lambda *_: None)
    thread.start()
    thread.join()
    open(done, 'w').close()

if mode == 'debugger':
    pid = os.fork()
    if pid == 0:
        traced()
        os._exit(5)
    _, status = os.waitpid(pid, 0)
    print('stopped by', os.WSTOPSIG(status))
    libc.ptrace(7, pid, 0, 0)
    print('ended with', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    sys.exit()
if mode == 'self':
    traced()
elif mode == 'dies':
    traced(signal.SIGTERM)
else:
    orphan({'orphan': traced, 'thread': traced_thread, 'held': lambda: (traced(), time.sleep(5))}[mode])
end = time.monotonic() + 10
while not os.path.exists(done) and time.monotonic() < end: time.sleep(0.01)
print('went on', os.path.exists(done))
for n in range(90):
    orphan(lambda: None)
    time.sleep(0.01)
print('reaped')
"""
s = Scratch()
s.manifest("limits: {processes: 40}\n")
script = s.script("traceme.py", SCRIPT)
done = s.path("w", "done")
DEBUGGER = "stopped by 10\nended with 5\n"
out = subprocess.run(["/usr/bin/python3", script, "debugger", done], capture_output=True, text=True, timeout=20)
expect("a debugger outside", out.stdout, DEBUGGER)
os.unlink(done)
for options in ((), ("--no-shim",)):
    for mode, wanted in (("debugger", (0, DEBUGGER)), ("self", (0, "went on True\nreaped\n")), ("dies", (143, "")),
                         ("orphan", (0, "went on True\nreaped\n")), ("thread", (0, "went on True\nreaped\n")),
                         ("held", (0, "went on True\nreaped\n"))):
        out = s.run("/usr/bin/python3", script, mode, done, options=options, timeout=40)
        expect(f"{mode} {options}", (out.returncode, out.stdout), wanted)
        if os.path.exists(done):
            os.unlink(done)
