# SPDX-License-Identifier: Apache-2.0
"""A session within a session: what either manifest refuses is refused, whatever the other grants."""
import json
import os
import secrets
import shutil
import socket
import subprocess
import time

from live import BUILD, NESTING, PROFILES, Scratch, expect, hold

REMIT = os.path.join(BUILD, "remit")
# A sanitized command looks for leaks by tracing itself, which the session around it does not let it.
UNTRACED = "ASAN_OPTIONS: detect_leaks=0"
s = Scratch()
for folder in ("both", "outer", "inner", "refused"):
    os.makedirs(s.path("w", folder))


def fill():
    for folder in ("both", "outer", "inner", "refused"):
        for name in ("a", "gone", "moved"):
            with open(s.path("w", folder, name), "w") as out:
                out.write(f"secret of {folder}")
        for name in ("made", "renamed", "linked"):
            if os.path.lexists(s.path("w", folder, name)):
                os.unlink(s.path("w", folder, name))


ACTS = s.script("acts.py", """\
import os, sys, subprocess, ctypes
root, out = sys.argv[1], []
def act(name, what):
    try: what(); out.append(name)
    except OSError: pass
def read(p):
    with open(p) as f: assert f.read()
def write(p):
    with open(p, 'a') as f: f.write('x')
libc = ctypes.CDLL(None, use_errno=True)
def raw(p):
    fd = libc.syscall(257, -100, p.encode(), 0, 0)
    if fd < 0: raise OSError(ctypes.get_errno(), 'raw')
    os.close(fd)
for f in ('both', 'outer', 'inner', 'refused'):
    d = f'{root}/{f}'
    act(f'read {f}', lambda: read(d + '/a'))
    act(f'raw {f}', lambda: raw(d + '/a'))
    act(f'write {f}', lambda: write(d + '/a'))
    act(f'make {f}', lambda: write(d + '/made'))
    act(f'unlink {f}', lambda: os.unlink(d + '/gone'))
    act(f'rename {f}', lambda: os.rename(d + '/moved', d + '/renamed'))
    act(f'chmod {f}', lambda: os.chmod(d + '/a', 0o640))
    act(f'link {f}', lambda: os.link(d + '/a', d + '/linked'))
print(*out, sep='\\n')
""")
VERBS = ("read", "raw", "write", "make", "unlink", "rename", "chmod", "link")

HEAD = "remit: 1\nagent: {{id: {id}, purpose: Try sessions within}}\ninclude: [base, shell]\n"


def manifest(name, write, programs=(), extra="", network="", env="[PATH, HOME, TERM]", head=""):
    path = s.path("w", name + ".yaml")
    allow = ", ".join(f'"{p}"' for p in ("/usr/bin/python3", "/bin/busybox", *programs))
    grants = ", ".join(f'"{p}"' for p in write)
    with open(path, "w") as out:
        out.write(HEAD.format(id=name) + head +
                  f'files: {{read: ["{BUILD}/remit", "{BUILD}/libremit.so", "{PROFILES}", "{s.work}/*.py", "{s.work}/*.yaml"], '
                  f'write: [{grants}, "${{TMP}}"]{extra}}}\n'
                  f"exec: {{allow: [{allow}]}}\nenv: {{pass: {env}, set: {{{UNTRACED}}}}}\n" + network)
    return path


def inner(manifest_path, *command, options=()):
    options = (*options, *NESTING)
    return [REMIT, "run", "-m", manifest_path, "--profiles", PROFILES, "--workspace", s.work, *options, "--", *command]


def outer(manifest_path, *command, options=(), **how):
    how.setdefault("timeout", 60)
    return subprocess.run([*inner(manifest_path, *command, options=("--audit", s.path("audit.jsonl"), *options))],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)


def acts(run):
    return sorted(line for line in run.stdout.splitlines() if line.split()[0] in VERBS)


def all_of(*folders):
    return sorted(f"{verb} {folder}" for verb in VERBS for folder in folders)


py = "/usr/bin/python3"
w = s.path("w")
places = {name: f"{w}/{name}" for name in ("both", "outer", "inner", "refused")}
OUTER = manifest("outer", [places["both"], places["outer"], f"{w}/log"], programs=(REMIT, "/usr/bin/env"))
INNER = manifest("inner", [places["both"], places["inner"]])
WIDE = manifest("wide", ["/"], programs=("/",))

# --- the intersection, with and without the shim on each side ---
fill()
control = subprocess.run([py, "-I", ACTS, w], stdout=subprocess.PIPE, text=True)
expect("all of it works outside", acts(control), all_of(*places))
for outer_options in ((), ("--no-shim",)):
    for inner_options in ((), ("--no-shim",)):
        fill()
        alone = outer(OUTER, py, "-I", ACTS, w, options=outer_options)
        hold("the outer alone", "read outer" in acts(alone) and "read inner" not in acts(alone), f"{alone}")
        fill()
        run = outer(OUTER, *inner(INNER, py, "-I", ACTS, w, options=inner_options), options=outer_options)
        expect(f"the intersection {run.stderr}", acts(run), all_of("both"))
        for folder in ("outer", "inner", "refused"):
            hold("unchanged", sorted(os.listdir(places[folder])) == ["a", "gone", "moved"])
        fill()
        run = outer(OUTER, *inner(WIDE, py, "-I", ACTS, w, options=inner_options), options=outer_options)
        expect(f"a wider one gains nothing {run.stderr}", acts(run), all_of("both", "outer"))

# --- programs, addresses, variables, statuses, records ---
fill()
PORT = s.script("port.py", """\
import socket, sys
for port in sys.argv[1:]:
    c = socket.socket()
    try: c.connect(('127.0.0.1', int(port))); print('connected', port)
    except OSError: pass
    c.close()
""")
SHOW = s.script("show.py", "import os\nprint(os.environ.get('SECRET'))\n")
servers = []
for _ in range(3):
    server = socket.create_server(("127.0.0.1", 0))
    servers.append(server)
ports = [str(server.getsockname()[1]) for server in servers]
expect("all of them outside", subprocess.run([py, "-I", PORT, *ports], stdout=subprocess.PIPE, text=True).stdout.count("\n"), 3)
grant = "network: {{connect: [{}]}}\n".format
os.mkdir(f"{w}/bin")
shutil.copy("/bin/busybox", f"{w}/bin/busybox")
NET_OUTER = manifest("netout", [places["both"], f"{w}/log"], programs=(REMIT, "/usr/bin/env", f"{w}/bin"), env="[PATH, HOME, SECRET]",
                     network=grant(f'"127.0.0.1:{ports[0]}", "127.0.0.1:{ports[1]}"'))
NET_INNER = manifest("netin", [places["both"]], env="[PATH]",
                     network=grant(f'"127.0.0.1:{ports[0]}", "127.0.0.1:{ports[2]}"'))
for options in ((), ("--no-shim",)):
    run = outer(NET_OUTER, *inner(NET_INNER, py, "-I", PORT, *ports, options=options))
    expect(f"addresses {run.stderr}", run.stdout, f"connected {ports[0]}\n")
    run = outer(NET_OUTER, *inner(NET_INNER, py, "-I", SHOW, options=options), env={**os.environ, "SECRET": "x"})
    expect("variables", run.stdout, "None\n")
    run = outer(NET_OUTER, f"{w}/bin/busybox", "true")
    expect(f"the outer one's program {run.stderr}", run.returncode, 0)
    run = outer(NET_OUTER, *inner(NET_INNER, f"{w}/bin/busybox", "true", options=options))
    expect("a program of the outer one only", (run.returncode, run.stdout), (126, ""))
for status, code in ((0, "pass"), (7, "import os; os._exit(7)"), (128 + 9, "import os; os.kill(os.getpid(), 9)")):
    expect("status", outer(OUTER, *inner(INNER, py, "-I", "-c", code)).returncode, status)
expect("no such program", outer(OUTER, *inner(INNER, "/no/such")).returncode, 127)

os.makedirs(f"{w}/log", exist_ok=True)
os.path.exists(s.path("audit.jsonl")) and os.unlink(s.path("audit.jsonl"))
outer(OUTER, *inner(INNER, py, "-I", "-c", f"open('{w}/outer/a')", options=("--audit", f"{w}/log/inner.jsonl")))


def lines(path):
    with open(path) as log:
        return [json.loads(line) for line in log]


log, own = lines(s.path("audit.jsonl")), lines(f"{w}/log/inner.jsonl")
hit = [r for r in log if r.get("object") == f"{w}/outer/a"]
hold("the outer log names the inner agent", hit and hit[0]["inner"]["agent"] == "inner" and hit[0]["by"] == "inner"
     and hit[0]["agent"] == "outer", str(log))
expect("it tells of the inner session", [r["event"] for r in log if "event" in r],
       ["begin", "inner_begin", "inner_end", "end"])
hold("the inner log has its own", [r["seq"] for r in own] == list(range(len(own))) and own[0]["event"] == "begin"
     and own[-1]["event"] == "end" and any(r.get("object") == f"{w}/outer/a" for r in own), str(own))

# --- what the filter alone decides in the outer session is the inner one's to refuse, and to record ---
SOCKETS = s.script("sockets.py", """\
import socket
for name, make in (('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)), ('udp6', lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)),
                   ('unix', lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)), ('pair', lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)),
                   ('tcp', socket.socket)):
    try: make(); print(name)
    except OSError as error: print(name, error.errno)
""")
every, none = "udp\nudp6\nunix\npair\ntcp\n", "udp 13\nudp6 13\nunix 13\npair 13\ntcp\n"
UDP = grant('"udp:127.0.0.1:53"')
UDP_OUTER = manifest("udpout", [places["both"], f"{w}/log"], programs=(REMIT,), network=UDP)
UDP_INNER = manifest("udpin", [places["both"]], network=UDP)
for options in ((), ("--no-shim",)):
    expect("granted, alone", outer(UDP_OUTER, py, "-I", SOCKETS, options=options).stdout, every)
    expect("not granted, alone", outer(INNER, py, "-I", SOCKETS, options=options).stdout, none)
    expect("granted by both", outer(UDP_OUTER, *inner(UDP_INNER, py, "-I", SOCKETS, options=options)).stdout, every)
    expect("by the outer only", outer(UDP_OUTER, *inner(INNER, py, "-I", SOCKETS, options=options)).stdout, none)
    expect("by the inner only", outer(OUTER, *inner(UDP_INNER, py, "-I", SOCKETS, options=options)).stdout, none)
refusals = [r for r in lines(s.path("audit.jsonl")) if r.get("object") == "udp socket"]
hold("a refused socket is recorded", refusals and refusals[-1]["inner"]["agent"] == "udpin", str(refusals))

STRICT = manifest("strict", [places["both"]], head="audit: {record: strict}\n")
# The tag is no secret (shim/common/protocol.h): with it the filter around would let a call pass every record.
SIGNAL = s.script("signal.py", """\
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for tag in (0x72656d6974746167, 0):
    print(libc.syscall(62, os.getpid(), 0, 0, 0, 0, ctypes.c_ulong(tag)), ctypes.get_errno())
os.kill(os.getpid(), 0)
""")
for options in ((), ("--no-shim",)):
    expect("alone", outer(STRICT, py, "-I", SIGNAL, options=options).stdout, "0 0\n0 0\n")
    expect("no strict log", outer(OUTER, *inner(INNER, py, "-I", SIGNAL, options=options)).stdout, "0 0\n0 0\n")
    expect("by the tag past a strict log", outer(OUTER, *inner(STRICT, py, "-I", SIGNAL, options=options)).stdout, "-1 1\n0 1\n")

# --- deeper, and beside each other ---
deep = [py, "-I", ACTS, w]
NEST = manifest("nest", [places["both"], places["inner"]], programs=(REMIT,))
for level in range(2):
    deep = inner(NEST, *deep)
fill()
run = outer(OUTER, *inner(WIDE, *deep))
expect(f"depth 4 {run.stderr}", acts(run), all_of("both"))
run = outer(OUTER, *inner(WIDE, *inner(WIDE, *inner(NEST, *inner(NEST, *inner(NEST, py, "-c", "pass"))))))
hold("depth 6 is refused", run.returncode == 125 and "too deep" in run.stderr, run.stderr)

SIBLINGS = s.script("siblings.py", """\
import subprocess, sys, json
runs = [subprocess.Popen(c, stdout=subprocess.PIPE, text=True) for c in json.loads(sys.argv[1])]
for r in runs: print(json.dumps(sorted(r.communicate()[0].splitlines())))
""")
READ = s.script("read.py", """\
import os, sys, time
time.sleep(.5)
for f in ('both', 'outer', 'inner'):
    try: open(f'{sys.argv[1]}/{f}/a').read(); print(f)
    except OSError: pass
""")
ONLY_BOTH, ONLY_OUTER = manifest("onlyboth", [places["both"]]), manifest("onlyouter", [places["outer"]])
run = outer(OUTER, py, "-I", SIBLINGS, json.dumps([inner(ONLY_BOTH, py, "-I", READ, w), inner(ONLY_OUTER, py, "-I", READ, w)]))
expect(f"siblings {run.stderr}", run.stdout, '["both"]\n["outer"]\n')

# --- its launcher killed; its own attempts ---
ORPHAN = s.script("orphan.py", """\
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        end = time.time() + 20
        open(sys.argv[1] + '/both/ready', 'w').close()
        while time.time() < end:
            for f in ('outer', 'inner', 'refused'):
                try:
                    os.truncate(f'{sys.argv[1]}/{f}/a', 0)
                except OSError: pass
    os._exit(0)
time.sleep(30)
""")
KILLER = s.script("killer.py", """\
import os, signal, subprocess, sys, time, json
p = subprocess.Popen(json.loads(sys.argv[1]))
while not os.path.exists(sys.argv[2] + '/both/ready'): time.sleep(.01)
p.send_signal(signal.SIGKILL); p.wait()
time.sleep(4)
""")
for options in ((), ("--no-shim",)):
    fill()
    if os.path.exists(f"{w}/both/ready"):
        os.unlink(f"{w}/both/ready")
    run = outer(OUTER, py, "-I", KILLER, json.dumps(inner(INNER, py, "-I", ORPHAN, w, options=options)), w)
    expect(f"the killer {run.stderr}", run.returncode, 0)
    for folder in ("outer", "inner", "refused"):
        expect("an orphan gains nothing", os.path.getsize(f"{w}/{folder}/a"), len(f"secret of {folder}"))
    ended = [r for r in lines(s.path("audit.jsonl")) if r.get("event") == "inner_end"][-1]
    expect("and is ended", ended["ending"], "launcher")

# --- its session ended around it ---
LEAVER = s.script("leaver.py", """\
import json, os, subprocess, sys, time
subprocess.Popen(json.loads(sys.argv[1]))
while not os.path.exists(sys.argv[2] + '/both/ready'): time.sleep(.01)
""")
WAITER = s.script("waiter.py", "import sys, time\nopen(sys.argv[1] + '/both/ready', 'w').close()\ntime.sleep(60)\n")
os.unlink(f"{w}/both/ready")
left = inner(INNER, py, "-I", WAITER, w, options=("--audit", f"{w}/log/left.jsonl"))
run = outer(OUTER, py, "-I", LEAVER, json.dumps(left), w)
expect(f"who leaves {run.stderr}", run.returncode, 0)
ends = [r for r in lines(s.path("audit.jsonl")) if "event" in r][-3:]
expect("what it left has an end in its log", [(r["event"], r.get("ending")) for r in ends],
       [("inner_begin", None), ("inner_end", "session"), ("end", "exit")])
expect("and in its own", lines(f"{w}/log/left.jsonl")[-1]["ending"], "session")

RAW = s.script("raw.py", """\
import ctypes, os, resource, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def door(op, data):
    b = ctypes.create_string_buffer(data, len(data))
    return libc.prctl(0x52454d54, ctypes.c_ulong(op), b, 0, 0)
def begin(image, size, session=b'forged', audit=-1):
    b = ctypes.create_string_buffer(image, max(len(image), 1))
    raw = struct.pack('<IIQQii40sQQQQ', 104, 0, ctypes.addressof(b), size, audit, -1, session, 0, 0, 0, 0)
    return door(17, raw)
fd = libc.prctl(0x52454d54, ctypes.c_ulong(1), ctypes.c_ulong(1), 0, 0)
image = os.pread(fd, 1 << 20, 0)
results = [begin(image[:64], 64), begin(b'\\0' * 4096, 4096), begin(image[:-1] + b'\\xff', len(image)),
           begin(image, 1 << 40), begin(image, len(image), b'../x'), begin(image, len(image), b'x', os.pipe()[1]), door(18, b'\\0' * 80)]
# Bytes that nothing hangs on may change; what counts is that the gate goes on.
if os.fork() == 0:
    for at in range(0, len(image), max(1, len(image) // 200)):
        changed = bytearray(image); changed[at] ^= 0x40
        begin(bytes(changed), len(image))
    os._exit(0)
os.wait()
print('hostile', {*results} == {-1})
print('own', begin(image, len(image)))
for limit in (resource.RLIMIT_RSS, 10):
    try: resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)); print('raised')
    except (OSError, ValueError): pass
try: open(sys.argv[1] + '/outer/a'); print('escaped')
except OSError: print('held')
x = resource.getrlimit(resource.RLIMIT_RSS)[1]
resource.setrlimit(resource.RLIMIT_RSS, (x - 5, x - 5))
try: open(sys.argv[1] + '/outer/a'); print('escaped')
except OSError: print('held')
""")
for options in ((), ("--no-shim",)):
    run = outer(OUTER, *inner(INNER, py, "-I", RAW, w, options=options))
    expect(f"by hand {run.stderr}", run.stdout, "hostile True\nown 0\nheld\nheld\n")
capable = manifest("capable", [places["both"]], programs=(REMIT,), head="capabilities: [chown]\n")
if os.geteuid() == 0:
    run = outer(capable, *inner(INNER, py, "-c", "pass"))
    hold("fewer capabilities", run.returncode == 125 and "capabilities" in run.stderr, run.stderr)

# --- objects of IPC: the outer session's are nothing of the inner one ---
KEY, QUEUE = secrets.randbits(30) | 1, "/nested" + secrets.token_hex(6)
OBJECTS = s.script("objects.py", f"""\
import ctypes, json, os, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.mq_open.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p]
flags, queue = (0o1000, os.O_CREAT) if sys.argv[1] == 'make' else (0, 0)
for name, opened in (('shm', libc.shmget({KEY}, 4096, flags | 0o600)), ('sem', libc.semget({KEY}, 1, flags | 0o600)),
                     ('msg', libc.msgget({KEY}, flags | 0o600)),
                     ('queue', libc.mq_open({QUEUE.encode()!r}, os.O_RDWR | queue, 0o600, None))):
    if opened >= 0: print(name)
sys.stdout.flush()
if sys.argv[2:]: subprocess.run(json.loads(sys.argv[2]))
""")
everything = ["shm", "sem", "msg", "queue"]
look = [py, "-I", OBJECTS, "look"]
for options in ((), ("--no-shim",)):
    run = outer(OUTER, py, "-I", OBJECTS, "make", json.dumps(look))
    expect(f"in one session {run.stderr}", run.stdout.split(), 2 * everything)
    run = outer(OUTER, py, "-I", OBJECTS, "make", json.dumps(inner(INNER, *look, options=options)))
    expect(f"in an inner one {run.stderr}", run.stdout.split(), everything)

# --- limits ---
started = time.monotonic()
timed = manifest("timed", [places["both"]], head="limits: {wall_time: 1s}\n")
run = outer(OUTER, *inner(timed, "/bin/busybox", "sleep", "30"))
hold("wall_time", time.monotonic() - started < 20 and "wall_time is used up" in run.stderr, run.stderr)
counted = manifest("counted", [places["both"]], head="limits: {processes: 4}\n")
run = outer(OUTER, *inner(counted, py, "-c", "pass"))
hold("uncounted processes", run.returncode == 125 and "limits.processes" in run.stderr, run.stderr)
counting = manifest("counting", [places["both"]], programs=(REMIT,), head="limits: {processes: 50}\n")
FORKS = s.script("forks.py", """\
import os, time
n = 0
try:
    for _ in range(20):
        if os.fork() == 0: time.sleep(5); os._exit(0)
        n += 1
except OSError: pass
print(n)
""")
run = outer(counting, *inner(counted, py, "-I", FORKS))
expect(f"counted processes {run.stderr}", run.stdout, "3\n")
