# SPDX-License-Identifier: Apache-2.0
"""What the gate keeps of its last caller is never taken for another's, nor for what the caller is no more."""
import os
import socket
import threading

from live import Scratch, hold

s = Scratch()
os.mkdir(s.path("gap"))
servers = [socket.create_server(("127.0.0.1", 0)) for i in range(2)]
met = [[], []]


def serve(i):
    while True:
        peer = servers[i].accept()[0]
        met[i].append(peer.recv(100).decode())
        peer.close()


for i in range(2):
    threading.Thread(target=serve, args=(i,), daemon=True).start()
ports = [server.getsockname()[1] for server in servers]
s.manifest('files: {write: ["${WORKSPACE}", "${TMP}", "%s/*"]}\nnetwork: {connect: ["127.0.0.1:%d", "127.0.0.1:%d"]}\n'
           % (s.path("gap"), *ports))
agent = s.script("agent.py", """\
import os, signal, socket, stat, sys, threading
signal.alarm(50) # one that fails leaves the other waiting
gap, ports = sys.argv[1], [int(port) for port in sys.argv[2:]]
def make(name, mask, wanted):
    path = gap + '/' + name
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    mode = stat.S_IMODE(os.stat(path).st_mode)
    os.unlink(path)
    if mode != wanted: sys.exit(f'umask {mask:o}: made {mode:o}')
def call(port, word):
    with socket.socket() as sock:
        sock.connect(('127.0.0.1', port))
        sock.sendall(word.encode())
        sock.recv(1)
def turns(who, mask, mine, yours):
    os.umask(mask)
    for i in range(100):
        os.read(mine, 1)
        make(f'new{who}', mask, 0o666 & ~mask)
        if i % 10 == 0: call(ports[who], str(who))
        os.umask(mask ^ 0o70)
        make(f'new{who}', mask ^ 0o70, 0o666 & ~(mask ^ 0o70))
        os.umask(mask)
        os.write(yours, b'x')
# Two processes by turns, so that one worker of the gate has each after the other.
a, b = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    turns(1, 0o007, a[0], b[1])
    os._exit(0)
os.write(b[1], b'x')
turns(0, 0o022, b[0], a[1])
if os.waitpid(child, 0)[1]: sys.exit('the other process failed')
# Many that end, one after the other: numbers of the dead.
for i in range(30):
    mask = i * 7 & 0o77
    if os.fork() == 0:
        os.umask(mask)
        make('of-child', mask, 0o666 & ~mask)
        call(ports[0], '0')
        os._exit(0)
    if os.wait()[1]: sys.exit('a child failed')
# A thread has its own number in the same process.
threads = [threading.Thread(target=call, args=(ports[i % 2], str(i % 2))) for i in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print('done')
""")
for options in ((), ("--no-shim",)):
    done = s.run("/usr/bin/python3", "-I", "-S", agent, s.path("gap"), *map(str, ports), options=options, cwd=s.work)
    hold("each caller is itself", done.returncode == 0 and done.stdout == "done\n", done.stdout + done.stderr)
hold("each word came to its own port", all(word == str(i) for i in range(2) for word in met[i]), str(met))
hold("all came", [len(words) for words in met] == [100, 40], str([len(words) for words in met]))
