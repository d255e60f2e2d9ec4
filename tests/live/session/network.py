# SPDX-License-Identifier: Apache-2.0
"""Addresses: what is granted works as natively, what is not does not arrive; each case is tried outside first."""
import os
import socket
import subprocess
import sys
import threading

from live import PYTHON, Scratch, expect, hold

s = Scratch()
AGENT = """\
import array, os, socket, struct, sys, threading, signal
where = dict(a.split('=', 1) for a in sys.argv[1:])
W = where['W']; T = os.environ['TMPDIR']
P = {k: int(v) for k, v in where.items() if k not in ('W', 'N')}
N = where['N']
def case(name, act):
    try: result = act()
    except OSError as error: result = f'errno {error.errno}'
    print(name, result, sep=': ', flush=True)
def ask(family, address, kind=socket.SOCK_STREAM):
    def act():
        sock = socket.socket(family, kind); sock.settimeout(5); sock.connect(address)
        if kind == socket.SOCK_DGRAM: sock.send(b'?')
        return sock.recv(16)
    return act
def throw(address, family=socket.AF_INET):
    def act():
        sock = socket.socket(family, socket.SOCK_DGRAM); sock.settimeout(5); sock.sendto(b'?', address)
        return sock.recv(16)
    return act
def take(family, address, kind=socket.SOCK_STREAM, show=True):
    def act():
        sock = socket.socket(family, kind); sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        if kind == socket.SOCK_STREAM: sock.listen(1)
        return sock.getsockname() if show else 'done'
    return act
I4, I6, UX, DG = socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.SOCK_DGRAM
case('tcp', ask(I4, ('127.0.0.1', P['tcp'])))
case('tcp mapped', ask(I6, ('::ffff:127.0.0.1', P['tcp'])))
case('tcp6', ask(I6, ('::1', P['tcp6'])))
case('tcp other port', ask(I4, ('127.0.0.1', P['other'])))
case('tcp other address', ask(I4, ('127.0.0.2', P['tcp'])))
case('tcp any', ask(I4, ('0.0.0.0', P['other'])))
case('udp', ask(I4, ('127.0.0.1', P['udp']), DG))
case('udp thrown', throw(('127.0.0.1', P['udp'])))
case('udp other', ask(I4, ('127.0.0.1', P['udpother']), DG))
case('udp other thrown', throw(('127.0.0.1', P['udpother'])))
case('udp other mapped', throw(('::ffff:127.0.0.1', P['udpother']), I6))
def unspec():
    import ctypes
    sock = socket.socket(I4, DG); sock.settimeout(2)
    name = struct.pack('=HH4s8x', 0, socket.htons(P['udpother']), socket.inet_aton('127.0.0.1'))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.sendto(sock.fileno(), b'?', 1, 0, name, 16) < 0: raise OSError(ctypes.get_errno(), '')
    return sock.recv(16)
case('udp other as AF_UNSPEC', unspec)
def mmsg(port):
    def act():
        import ctypes
        sock = socket.socket(I4, DG); sock.settimeout(2)
        libc = ctypes.CDLL(None, use_errno=True)
        names = [ctypes.create_string_buffer(struct.pack('=HH4s8x', 2, socket.htons(p), socket.inet_aton('127.0.0.1')))
                 for p in port]
        data = ctypes.create_string_buffer(b'?')
        iov = ctypes.create_string_buffer(struct.pack('QQ', ctypes.addressof(data), 1))
        vector = ctypes.create_string_buffer(b''.join(
            struct.pack('QI4xQQQQi4xI4x', ctypes.addressof(n), 16, ctypes.addressof(iov), 1, 0, 0, 0, 0) for n in names))
        sent = libc.sendmmsg(sock.fileno(), vector, len(names), 0)
        if sent < 0: raise OSError(ctypes.get_errno(), '')
        return sent, [struct.unpack_from('I', vector, 64 * i + 56)[0] for i in range(sent)]
    return act
case('mmsg', mmsg([P['udp'], P['udp']]))
case('mmsg cut', mmsg([P['udp'], P['udpother'], P['udp']]))
case('unix', ask(UX, W + '/yes.sock'))
case('unix relative', lambda: (os.chdir(W), ask(UX, 'yes.sock')())[1])
case('unix linked', ask(UX, W + '/link.sock'))
case('unix other', ask(UX, W + '/no.sock'))
case('unix linked to other', ask(UX, W + '/badlink.sock'))
case('unix absent', ask(UX, W + '/absent.sock'))
case('abstract', ask(UX, '\\0yes' + N))
case('abstract other', ask(UX, '\\0no' + N))
case('listen', take(I4, ('127.0.0.1', P['listen']), show=False))
case('listen everywhere', take(I4, ('0.0.0.0', P['listen']), show=False))
case('listen everywhere 6', take(I6, ('::', P['listen']), show=False))
case('listen other', take(I4, ('127.0.0.1', P['nolisten']), show=False))
case('listen unbound', lambda: socket.socket(I4).listen(1))
case('bind udp 0', take(I4, ('127.0.0.1', 0), DG, False))
case('bind udp other', take(I4, ('127.0.0.1', P['nolisten']), DG, False))
os.chdir(T); os.mkdir('d')
case('listen unix', lambda: take(UX, T + '/a.sock')() == T + '/a.sock')
case('listen unix relative', take(UX, 'd/b.sock'))
def spelled(folder):
    path = folder + '/p.sock'
    def act():
        sock = socket.socket(UX); sock.bind(path); sock.listen(1)
        name, there = sock.getsockname(), os.path.exists(os.path.abspath('p.sock'))
        # Natively the name is the spelling; inside it may be where that leads.
        alike = os.path.realpath(os.path.dirname(name)) == os.getcwd()
        peer = socket.socket(UX); peer.connect(name)
        os.unlink('p.sock')
        return there, alike
    return act
handle = os.open('d', os.O_PATH)
os.chdir('d')
case('listen unix by cwd', spelled('/proc/self/cwd'))
case('listen unix by thread', spelled('/proc/thread-self/cwd'))
case('listen unix by handle', spelled('/proc/self/fd/%d' % handle))
case('listen unix by dev', spelled('/dev/fd/%d' % handle))
os.symlink('/proc/self/cwd', 'way')
case('listen unix by link', spelled('way'))
os.unlink('way')
os.chdir('..')
case('listen unix twice', take(UX, 'd/b.sock'))
case('listen unix other', take(UX, W + '/mine.sock'))
case('listen unix literal', take(UX, W + '/lit.sock', show=False))
case('listen abstract', take(UX, '\\0mine' + N, show=False))
case('listen abstract other', take(UX, '\\0theirs' + N, show=False))
case('within', ask(UX, 'd/b.sock'))
os.umask(0o027)
sock = socket.socket(UX); sock.bind('m.sock'); case('umask', lambda: oct(os.stat('m.sock').st_mode))
a, b = socket.socketpair()
def passing():
    r, w = os.pipe()
    a.sendmsg([b'12345', b'6'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [r]).tobytes())])
    data, control, _, _ = b.recvmsg(16, 64)
    os.write(w, b'through')
    return data, os.read(struct.unpack('i', control[0][2])[0], 16)
case('descriptors', passing)
def big():
    got = [0]
    def read():
        while got[0] < 3000000: got[0] += len(b.recv(65536))
    thread = threading.Thread(target=read); thread.start()
    sent = a.sendmsg([b'z' * 3000000]); thread.join()
    return sent, got[0]
case('much', big)
hits = []
signal.signal(signal.SIGPIPE, lambda *_: hits.append(1))
b.close()
case('broken pipe', lambda: a.sendmsg([b'x']))
case('quietly', lambda: a.sendmsg([b'x'], [], socket.MSG_NOSIGNAL))
case('signals', lambda: len(hits))
case('at once', lambda: (lambda k: (k.setblocking(False), k.connect_ex(('127.0.0.1', P['tcp']))))(socket.socket())[1])
case('nobody there', ask(I4, ('127.0.0.1', P['closed'])))
"""
agent = s.script("agent.py", AGENT)
name = str(os.getpid())


def answer(sock, text):
    while True:
        try:
            if sock.type == socket.SOCK_DGRAM:
                _, peer = sock.recvfrom(64)
                sock.sendto(text, peer)
            else:
                peer = sock.accept()[0]
                peer.send(text)
                peer.close()
        except OSError:
            pass


def serve(family, address, text, kind=socket.SOCK_STREAM):
    sock = socket.socket(family, kind)
    sock.bind(address)
    if kind == socket.SOCK_STREAM:
        sock.listen(64)
    threading.Thread(target=answer, args=(sock, text), daemon=True).start()
    return sock.getsockname()[1] if family != socket.AF_UNIX else None


def free():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


I4, UX, DG = socket.AF_INET, socket.AF_UNIX, socket.SOCK_DGRAM
ports = {"tcp": serve(I4, ("0.0.0.0", 0), b"tcp"), "other": serve(I4, ("0.0.0.0", 0), b"OTHER"),
         "tcp6": serve(socket.AF_INET6, ("::1", 0), b"tcp6"), "udp": serve(I4, ("127.0.0.1", 0), b"udp", DG),
         "udpother": serve(I4, ("127.0.0.1", 0), b"OTHER", DG), "listen": free(), "nolisten": free(), "closed": free()}
serve(UX, s.path("w", "yes.sock"), b"yes")
serve(UX, s.path("w", "no.sock"), b"OTHER")
serve(UX, "\0yes" + name, b"yes")
serve(UX, "\0no" + name, b"OTHER")
os.symlink("yes.sock", s.path("w", "link.sock"))
os.symlink("no.sock", s.path("w", "badlink.sock"))
s.manifest(f"""\
network:
  connect: ["127.0.0.1:{ports['tcp']}", "127.0.0.1:{ports['closed']}", "[::1]:{ports['tcp6']}",
            "udp:127.0.0.1:{ports['udp']}", "unix:{s.work}/yes.sock", "unix:@yes{name}", "unix:${{TMP}}"]
  listen: ["127.0.0.1:{ports['listen']}", "unix:${{TMP}}", "unix:{s.work}/lit.sock", "unix:@mine{name}"]
""")
arguments = [f"{k}={v}" for k, v in ports.items()] + ["W=" + s.work, "N=" + name]


def read(text):
    return dict(line.split(": ", 1) for line in text.splitlines())


def tidy():
    for made in ("mine.sock", "lit.sock"):
        if os.path.exists(s.path("w", made)):
            os.unlink(s.path("w", made))


with __import__("tempfile").TemporaryDirectory() as tmp:
    outside = read(subprocess.run(["/usr/bin/python3", "-I", agent, *arguments], stdout=subprocess.PIPE, text=True,
                                  env=dict(os.environ, TMPDIR=tmp)).stdout)
REFUSED = {"tcp other port", "tcp other address", "tcp any", "udp other", "udp other thrown", "udp other mapped",
           "udp other as AF_UNSPEC", "unix other", "unix linked to other", "abstract other", "listen everywhere",
           "listen everywhere 6", "listen other", "listen unbound", "bind udp other", "listen unix other",
           "listen abstract other"}
for case in REFUSED:
    hold(f"{case} works outside", case in outside and "errno" not in outside[case], str(outside.get(case)))
for options in (("--quiet",), ("--quiet", "--no-shim")):
    tidy()
    out = s.run("/usr/bin/python3", "-I", agent, *arguments, options=options)
    inside = read(out.stdout)
    expect("all cases", sorted(inside), sorted(outside))
    for case, native in outside.items():
        if case == "mmsg cut":
            expect(case, inside[case], "(1, [1])")
        elif case in REFUSED:
            expect(f"{case} {options}", inside[case], "errno 13")
        else:
            expect(f"{case} {options}", inside[case], native)
    hold("nothing of the others came through", "OTHER" not in out.stdout, out.stdout)
refused = [r for r in s.records() if r.get("verdict") == "refused" and r.get("source") == "broker"]
hold("each refusal is recorded", len(refused) >= len(REFUSED), str([(r["op"], r["object"]) for r in refused]))

# Without any datagram grant there is no datagram socket at all.
probe = s.script("probe.py", """\
import socket
for family, kind in ((2, 2), (10, 2), (1, 2), (1, 1), (2, 1)):
    for make in (socket.socket, socket.socketpair):
        if make is socket.socketpair and family != 1: continue
        try: made = make(family, kind); print('made', end=' ')
        except OSError as error: print(error.errno, end=' ')
""")
s.manifest(f'network: {{connect: ["127.0.0.1:{ports["tcp"]}"]}}\n')
for options in ((), ("--no-shim",)):
    out = s.run("/usr/bin/python3", "-I", probe, options=options)
    expect("datagrams", (out.stdout.split(), out.stderr.count("refused socket")), (["13", "13", "13", "13", "made", "made", "made"], 0))

# --- a denied IPv4 network by its names in IPv6; connecting a datagram socket sends nothing ---
NAMES = ("::ffff:192.0.2.1", "64:ff9b::192.0.2.1", "2002:c000:201::1", "::ffff:198.51.100.1", "64:ff9b::198.51.100.1", "2002:c633:6401::1")
translated = s.script("translated.py", f"""\
import errno, socket
for name in {NAMES!r}:
    try: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).connect((name, 53)); print('reached')
    except OSError as error: print('refused' if error.errno == errno.EACCES else 'reached')
""")
expect("all of them outside", subprocess.run([PYTHON, "-I", translated], stdout=subprocess.PIPE, text=True, check=True).stdout, 6 * "reached\n")
s.manifest('network: {connect: ["udp:*:53"], deny: ["udp:192.0.2.0/24:*"]}\n')
for options in ((), ("--no-shim",)):
    expect("the denied network alone", s.run(PYTHON, "-I", translated, options=options).stdout, 3 * "refused\n" + 3 * "reached\n")

# --- a socket without a port listens on one that the kernel chooses, and that may be denied ---
with open("/proc/sys/net/ipv4/ip_local_port_range") as ports_chosen:
    low, high = ports_chosen.read().split()
unbound = s.script("unbound.py", """\
import socket
def listens(family, *options):
    sock = socket.socket(family)
    for level, option, value in options: sock.setsockopt(level, option, value)
    try: sock.listen(1)
    except OSError as error: return error.errno
    return sock.getsockname()[1] > 0
LATE = (socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
ONLY = (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
print(listens(socket.AF_INET), listens(socket.AF_INET6), listens(socket.AF_INET6, ONLY), listens(socket.AF_INET, LATE) is True)
""")
for deny, wanted in (("", "True True True False\n"), (f"0.0.0.0/0:{low}-{high}", "13 13 True False\n"),
                     (f"[::]/0:{low}-{high}", "True 13 13 False\n")):
    s.manifest(f'network: {{listen: ["0.0.0.0:*", "[::]:*"], deny: [{chr(34) + deny + chr(34) if deny else ""}]}}\n')
    for options in ((), ("--no-shim",)):
        expect(f"unbound with {deny} denied", s.run(PYTHON, "-I", unbound, options=options).stdout, wanted)
