# SPDX-License-Identifier: Apache-2.0
"""A launcher that ends its inner session by other threads, or dies, while the session still begins: the gate outlives it."""
import fcntl
import json
import os
import subprocess
import threading
import time

from live import Scratch, expect, hold

# The session's own image for the inner one's; the requests as shim/common/protocol.h has them. What is refused meanwhile keeps the log.
SCRIPT = """\
import ctypes, os, signal, struct, sys, threading, time
libc = ctypes.CDLL(None)
DOOR, HELLO, BEGIN, END = 0x52454d54, 1, 17, 18
fd = libc.prctl(DOOR, HELLO, 1, 0, 0)
image = ctypes.create_string_buffer(os.pread(fd, 1 << 24, 0))
begin_text = struct.pack('=IIQQii40sQQQQ', 104, 0, ctypes.addressof(image), os.fstat(fd).st_size, -1, -1, b'inner', 0, 0, 0, 0)
end_text = struct.pack('=IiIIQQQQQ', 56, 0, 0, 0, 0, 0, 0, 0, 0)
stop = time.monotonic() + float(sys.argv[2])
begun = []

def begin():
    if libc.prctl(DOOR, BEGIN, ctypes.create_string_buffer(begin_text, 104), 0, 0) == 0: begun.append(1)

def end(): libc.prctl(DOOR, END, ctypes.create_string_buffer(end_text, 56), 0, 0)

def refused(): libc.syscall(257, -100, b'/etc/shadow', 0, 0, 0, 0)

def over_and_over(act):
    while time.monotonic() < stop: act()

def dies():
    pid = os.fork()
    if pid == 0:
        threading.Thread(target=begin).start()
        time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)

acts = [refused] * 5 + ([end] * 3 + [begin] if sys.argv[1] == 'ends' else [dies] * 3)
threads = [threading.Thread(target=over_and_over, args=(act,)) for act in acts]
for thread in threads: thread.start()
for thread in threads: thread.join()
stop = time.monotonic() + 10
while not begun and time.monotonic() < stop: begin()
print('began', len(begun) > 0)
"""
s = Scratch()
s.manifest()
script = s.script("begin.py", SCRIPT)


def read_slowly(fd, seconds, out):
    """Whoever wants to write into the log waits for who did before."""
    end = time.monotonic() + seconds
    while data := os.read(fd, 700 if time.monotonic() < end else 65536):
        out.append(data)
        if time.monotonic() < end:
            time.sleep(0.004)


for mode, seconds in (("ends", 4), ("dies", 3)):
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    text = []
    reader = threading.Thread(target=read_slowly, args=(reading, seconds + 1, text))
    reader.start()
    command = s.command("/usr/bin/python3", script, mode, str(seconds), options=("--no-shim", "--quiet"))
    at = command.index("--audit")
    command[at:at + 2] = ["--audit-fd", str(writing)]
    out = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                         pass_fds=(writing,))
    os.close(writing)
    reader.join()
    os.close(reading)
    expect(f"{mode}: the session", (out.returncode, out.stdout), (0, "began True\n"))
    begun = 0
    for record in map(json.loads, b"".join(text).splitlines()):
        if record.get("event") in ("inner_begin", "inner_end"):
            begun += 1 if record["event"] == "inner_begin" else -1
            expect(f"{mode}: whose", record["inner"]["session"], "inner")
        hold(f"{mode}: none ends before it begins", begun >= 0, record)
