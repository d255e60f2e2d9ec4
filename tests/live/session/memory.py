# SPDX-License-Identifier: Apache-2.0
"""What the gate holds for its callers is bounded: sends that block, messages that no socket takes, images of sessions."""
import errno
import os
import re
import subprocess
import time

from live import SANITIZED, UNSHIMMABLE, Scratch, expect, hold, skip

MEBIBYTE = 1 << 20

s = Scratch()
s.manifest('network: {connect: ["udp:127.0.0.1:53"]}\n')
lengths = s.script("lengths.py", """\
import errno, socket
def send(sock, size, *to):
    try: return sock.sendmsg([bytes(size)], [], 0, *to)
    except OSError as error: return errno.errorcode[error.errno]
for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
    for size in (4096, 1 << 17):
        a, b = socket.socketpair(socket.AF_UNIX, kind)
        a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
        a.setblocking(False)
        room = a.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        print([send(a, n) for n in (room - 31, 1 << 24, 1 << 25, 1 << 30)])
        print(send(a, room // 2) == room // 2)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print([send(udp, n, ('127.0.0.1', 53)) for n in (65508, 65536, 1 << 24)])
a, b = socket.socketpair()
a.setblocking(False)
print(0 < send(a, 1 << 24) < 1 << 24)
""")
outside = subprocess.run(["/usr/bin/python3", "-I", lengths], stdout=subprocess.PIPE, text=True).stdout
hold("lengths outside", outside.count("EMSGSIZE") == 19 and outside.count("True") == 5, outside)
for options in ((), ("--no-shim",)):
    done = s.run("/usr/bin/python3", "-I", lengths, options=options)
    expect("lengths inside", done.stdout, outside)

# Each holds as much as it can for as long as it can: blocked calls, images that are copied to be found broken.
crowd = s.script("crowd.py", """\
import ctypes, os, socket, struct, sys, threading, time
kind = getattr(socket, sys.argv[1], None)
libc = ctypes.CDLL(None, use_errno=True)
def send():
    a, b = socket.socketpair(socket.AF_UNIX, kind)
    data = bytes(1 << 24)
    def forever():
        while True:
            try: a.sendmsg([data])
            except OSError: pass
    return forever
def begin():
    image = ctypes.create_string_buffer(1 << 24)
    text = struct.pack('=IIQQii40sQQQQ', 104, 0, ctypes.addressof(image), 1 << 24, -1, -1, b'x', 0, 0, 0, 0)
    def forever():
        while True: libc.prctl(0x52454d54, 17, ctypes.create_string_buffer(text, 104), 0, 0)
    return forever
for process in range(20):
    if os.fork() == 0:
        act = send() if kind else begin()
        for n in range(8): threading.Thread(target=act, daemon=True).start()
        time.sleep(6)
        os._exit(0)
while True:
    try: os.wait()
    except ChildProcessError: break
print('done')
""")


def peaks(pid):
    """The highest resident size of each process called remit, from this one downwards."""
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        below = children.read().split()
    with open(f"/proc/{pid}/status") as status:
        text = status.read()
    peak = re.search(r"VmHWM:\s+(\d+) kB", text)
    own = [int(peak[1]) * 1024] if peak and re.match(r"Name:\s+remit\n", text) else []
    return own + [size for child in below for size in look(child)]


def look(pid):
    try:
        return peaks(pid)
    except OSError:
        return []


for act, most in (("SOCK_STREAM", 128), ("SOCK_SEQPACKET", 128), ("sessions", 192)):
    session = s.start("/usr/bin/python3", "-I", crowd, act, options=("--no-shim", "--quiet"))
    peak = 0
    while session.poll() is None:
        peak = max([peak] + look(session.pid))
        time.sleep(0.2)
    out = session.communicate()
    hold(f"{act}: the crowd came to its end", "done" in out[0], out[1])
    hold(f"{act}: the gate was looked at", peak > MEBIBYTE)
    hold(f"{act}: the gate's memory is bounded", SANITIZED or peak < most * MEBIBYTE, f"{peak >> 20} MiB")
    print(act, peak >> 20, "MiB")

# As many as the bound has room for wait, as natively; the next is told, and a short message finds room always.
waiting = s.script("waiting.py", """\
import os, socket, sys, threading, time
def pair():
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
    return a, b, a.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 8 * 7
def wait():
    a, b, size = pair()
    a.setblocking(False)
    try:
        while True: a.sendmsg([bytes(1 << 15)])
    except BlockingIOError: a.setblocking(True)
    try: a.sendmsg([bytes(size)])
    except OSError as error: os.write(1, b'errno %d\\n' % error.errno)
if pair()[2] * 96 < 35 << 20: print('small'); sys.exit()
for process in range(12):
    if os.fork() == 0:
        for n in range(8): threading.Thread(target=wait, daemon=True).start()
        time.sleep(5)
        os._exit(0)
time.sleep(4)
a, b, size = pair()
os.write(1, b'short %d\\n' % a.sendmsg([bytes(1 << 15)]))
""")
out = subprocess.run(["/usr/bin/python3", "-I", waiting], stdout=subprocess.PIPE, text=True).stdout
if out == "small\n":
    skip("the sockets of this machine are too small to fill the gate's memory")
expect("waiting outside", out, "short 32768\n")
lines = set(s.run("/usr/bin/python3", "-I", waiting, options=("--no-shim",)).stdout.splitlines())
# Under ThreadSanitizer the gate is too slow to be full by then.
full = lines & {f"errno {errno.ENOBUFS}"} if UNSHIMMABLE else {f"errno {errno.ENOBUFS}"}
expect("what those are told who do not wait", lines, {"short 32768"} | full)
