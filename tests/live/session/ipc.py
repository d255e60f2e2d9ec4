# SPDX-License-Identifier: Apache-2.0
"""System V IPC and POSIX queues: shared inside the session, nothing of outside reachable, nothing left behind."""
import ctypes
import os
import secrets
import signal
import subprocess
import sys
import time

from live import PYTHON, Scratch, expect, hold, skip

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.shmat.restype = ctypes.c_void_p
IPC_CREAT, IPC_EXCL, IPC_RMID = 0o1000, 0o2000, 0
KEYS = {"shm": "shmid", "sem": "semid", "msg": "msqid"}
KEY = secrets.randbits(30) | 1
NAME = "/live" + secrets.token_hex(6)


def mine():
    """What the kernel has of this user: ids by kind."""
    seen = {}
    for kind in ("shm", "sem", "msg"):
        with open("/proc/sysvipc/" + kind) as table:
            lines = table.read().splitlines()
        heading = lines[0].split()
        rows = [dict(zip(heading, line.split())) for line in lines[1:]]
        seen[kind] = {row[KEYS[kind]]: row for row in rows if int(row["cuid"]) == os.getuid()}
    return seen


def ids(seen):
    return {(kind, number) for kind, rows in seen.items() for number in rows}


def settle(before, what):
    """Other sessions of the same user come and go meanwhile: only what is made under no key counts."""
    end = time.time() + 10
    while time.time() < end:
        left = [(kind, number) for kind, rows in mine().items() for number, row in rows.items()
                if (kind, number) not in before and int(row["key"]) == 0]
        if not left or not still_ours(left):
            return
        time.sleep(0.1)
    sys.exit(f"{what}: left behind: {left}")


def still_ours(left):
    return [entry for entry in left if entry in OURS]


OURS = set()
AGENT = r"""
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
libc.shmdt.argtypes = [ctypes.c_void_p]
CREAT, EXCL, RMID, STAT, SET = 0o1000, 0o2000, 0, 2, 1
KEY, NAME = int(sys.argv[1]), sys.argv[2].encode()
def call(name, *arguments):
    result = getattr(libc, name)(*arguments)
    return -ctypes.get_errno() if result in (-1, 2**64 - 1) else result
def child(body):
    pid = os.fork()
    if pid == 0:
        try: body()
        except BaseException as error:
            print('in the child:', repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    return pid
def end(pid):
    assert os.waitpid(pid, 0)[1] == 0
def is_(seen, wanted):
    assert seen == wanted, (seen, wanted)
# Shared memory, by key.
is_(call('shmget', KEY, 4096, 0o600), -2)
shm = call('shmget', KEY, 4096, CREAT | EXCL | 0o600)
assert shm >= 0, shm
is_(call('shmget', KEY, 4096, CREAT | EXCL | 0o600), -17)
is_(call('shmget', KEY, 4097, 0o600), -22)
def writer():
    is_(call('shmget', KEY, 100, CREAT | 0o600), shm)
    at = call('shmat', shm, None, 0)
    ctypes.memmove(at, b'through memory', 15)
    is_(libc.shmdt(at), 0)
end(child(writer))
at = call('shmat', shm, None, 0o10000)
is_(ctypes.string_at(at), b'through memory')
about = ctypes.create_string_buffer(112)
is_(call('shmctl', shm, STAT, about), 0)
key, uid, gid, cuid, cgid, mode = struct.unpack_from('IIIIII', about)
is_((key, cuid, mode & 0o777), (KEY, os.getuid(), 0o600))
size, _, _, _, cpid, lpid, nattch = struct.unpack_from('QQQQiiQ', about, 48)
is_((size, cpid, nattch), (4096, os.getpid(), 1))
# Removed memory lives on by its id, not by its key.
is_(call('shmctl', shm, RMID, None), 0)
is_(call('shmget', KEY, 0, 0), -2)
assert call('shmat', shm, None, 0) > 0
fresh = call('shmget', KEY, 4096, CREAT | 0o400)
assert fresh not in (-1, shm)
is_(call('shmget', KEY, 0, 0o200), -13)
is_(call('shmctl', 7 * 32768 + 31, STAT, about), -22)
# Semaphores: a child waits for what the parent adds.
class Sembuf(ctypes.Structure):
    _fields_ = [('num', ctypes.c_ushort), ('op', ctypes.c_short), ('flg', ctypes.c_short)]
def semop(sem, op, flags=0):
    buf = Sembuf(0, op, flags)
    return call('semop', sem, ctypes.byref(buf), 1)
sem = call('semget', KEY, 3, CREAT | 0o600)
is_(call('semget', KEY, 4, 0), -22)
is_(semop(sem, -1, 0o4000), -11)
is_(call('semctl', sem, 1, 16, 5), 0)  # SETVAL
is_(call('semctl', sem, 1, 12), 5)  # GETVAL
waiting = child(lambda: is_(semop(call('semget', KEY, 0, 0), -1), 0))
is_(semop(sem, 1), 0)
end(waiting)
waiting = child(lambda: is_(semop(sem, -1), -43))  # EIDRM
import time
while call('semctl', sem, 0, 14) != 1: time.sleep(0.01)  # GETNCNT
is_(call('semctl', sem, 0, RMID), 0)
end(waiting)
is_(semop(sem, 1), -22)
sem = call('semget', KEY, 1, CREAT | 0o600)
# Message queues.
msg = call('msgget', KEY, CREAT | 0o600)
def sender():
    is_(call('msgsnd', call('msgget', KEY, 0), struct.pack('l6s', 7, b'letter'), 6, 0), 0)
sending = child(sender)
buf = ctypes.create_string_buffer(64)
is_(call('msgrcv', msg, buf, 56, 7, 0), 6)
end(sending)
is_(buf.raw[8:14], b'letter')
qbuf = ctypes.create_string_buffer(120)
is_(call('msgctl', msg, STAT, qbuf), 0)
is_(struct.unpack_from('I', qbuf)[0], KEY)
private = [call('msgget', 0, 0o600) for _ in range(2)]
assert private[0] != private[1] and min(private) >= 0
# POSIX queues.
libc.mq_open.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p]
is_(call('mq_open', NAME, os.O_RDWR, 0, None), -2)
attributes = (ctypes.c_long * 8)(0, 4, 32, 0)
q = call('mq_open', NAME, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600, attributes)
assert q >= 0, q
is_(call('mq_open', NAME, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600, attributes), -17)
assert not os.get_inheritable(q)
def mq_sender():
    end = call('mq_open', NAME, os.O_WRONLY, 0, None)
    assert end >= 0, end
    is_(call('mq_send', end, b'note', 4, 3), 0)
end(child(mq_sender))
priority = ctypes.c_uint()
is_(call('mq_receive', q, buf, 32, ctypes.byref(priority)), 4)
is_((buf.raw[:4], priority.value), (b'note', 3))
seen = (ctypes.c_long * 8)()
is_(call('mq_getattr', q, seen), 0)
is_(list(seen[1:3]), [4, 32])
is_(call('mq_open', b'/' + b'n' * 255, os.O_RDWR | os.O_CREAT, 0o600, attributes) >= 0, True)
is_(call('mq_open', b'/' + b'n' * 256, os.O_RDWR | os.O_CREAT, 0o600, attributes), -36)
is_(call('mq_open', b'/a/b', os.O_RDWR | os.O_CREAT, 0o600, attributes), -13)
is_(call('mq_unlink', b'/nothing'), -2)
other = call('mq_open', b'/two', os.O_RDWR | os.O_CREAT, 0o600, attributes)
is_(call('mq_unlink', b'/two'), 0)
is_(call('mq_open', b'/two', os.O_RDWR, 0, None), -2)
is_(call('mq_send', other, b'x', 1, 0), 0)
# What is not of the session.
foreign = [int(n) for n in sys.argv[3:6]]
is_(call('shmat', foreign[0], None, 0o10000), -13)
is_(call('shmctl', foreign[0], STAT, about), -13)
is_(call('shmctl', foreign[0], RMID, None), -13)
is_(semop(foreign[1], 1), -13)
is_(call('semctl', foreign[1], 0, 12), -13)
is_(call('semctl', foreign[1], 0, RMID), -13)
is_(call('msgsnd', foreign[2], struct.pack('lc', 1, b'x'), 1, 0), -13)
is_(call('msgrcv', foreign[2], buf, 8, 0, 0), -13)
is_(call('msgctl', foreign[2], RMID, None), -13)
for name, commands in (('shmctl', (13, 14, 15)), ('msgctl', (11, 12, 13))):
    for command in commands: is_(call(name, 0, command, qbuf), -13)
for command in (18, 19, 20): is_(call('semctl', 0, 0, command, qbuf), -13)
print('ids', fresh, sem, msg, *private)
print('done', flush=True)
if len(sys.argv) > 6: time.sleep(60)
"""


def foreign_objects():
    """Made outside: under the key that the agent uses, and one of each by id."""
    made = [LIBC.shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0o600), LIBC.semget(KEY, 1, IPC_CREAT | IPC_EXCL | 0o600),
            LIBC.msgget(KEY, IPC_CREAT | IPC_EXCL | 0o600)]
    hold("objects outside", min(made) >= 0, str(made))
    hold("reachable outside", LIBC.shmat(made[0], None, 0o10000) not in (None, 2 ** 64 - 1))
    return made


def remove(made):
    LIBC.shmctl(made[0], IPC_RMID, None)
    LIBC.semctl(made[1], 0, IPC_RMID)
    LIBC.msgctl(made[2], IPC_RMID, None)


def note(output):
    for line in output.splitlines():
        if line.startswith("ids "):
            shm, sem, *msgs = line.split()[1:]
            OURS.update({("shm", shm), ("sem", sem), *(("msg", m) for m in msgs)})


def check_finished(s, agent, options, made):
    before = ids(mine())
    done = s.run("/usr/bin/python3", "-I", agent, str(KEY), NAME, *map(str, made), options=options, cwd=s.work)
    expect("the agent", (done.returncode, done.stdout.splitlines()[-1:]), (0, ["done"]))\
        if done.returncode == 0 else sys.exit(done.stdout + done.stderr)
    note(done.stdout)
    settle(before, "after the session")
    refused = {(r["op"], r["object"]) for r in s.records() if r.get("verdict") == "refused"}
    for wanted in (("shmat", f"shared memory {made[0]}"), ("semtimedop", f"semaphores {made[1]}"),
                   ("msgrcv", f"message queue {made[2]}"), ("shmctl", "shared memory")):
        hold(f"a record of {wanted}", wanted in refused, str(refused))


def check_killed(s, agent, made):
    """SIGKILL for the gate: the janitor removes what is left."""
    before = ids(mine())
    process = s.start("/usr/bin/python3", "-I", agent, str(KEY), NAME, *map(str, made), "stay", cwd=s.work)
    lines = []
    while not lines or lines[-1] not in ("done\n", ""):
        lines.append(process.stdout.readline())
    expect("the agent is there", lines[-1], "done\n")
    note("".join(lines))
    hold("its objects exist", all(entry in ids(mine()) for entry in OURS), str(OURS))
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    process.kill()
    process.wait()
    for child in children:
        try:
            os.kill(int(child), signal.SIGKILL)
        except ProcessLookupError:
            pass
    settle(before, "after the gate was killed")
    process.stdout.close()
    process.stderr.close()


def queues():
    """Every queue there is, by mounting what lists them; None where that is not possible."""
    probe = ("mkdir -p q && mount -t mqueue none q && ls q")
    folder = Scratch()
    done = subprocess.run(["unshare", "-m", "sh", "-c", probe], cwd=folder.root, capture_output=True, text=True)
    return set(done.stdout.split()) if done.returncode == 0 else None


def check_fakeroot():
    """fakeroot keeps what files pretend to be in a daemon that it talks to by message queues."""
    if not os.path.exists("/usr/bin/fakeroot"):
        return
    s = Scratch()
    s.manifest(programs=("/usr/bin/*", "/bin/*"))
    for options in ((), ("--no-shim",)):
        done = s.run("/usr/bin/fakeroot", "sh", "-c", "touch f && chown 33:34 f && stat -c %u:%g f; id -u",
                     options=options, cwd=s.work)
        expect("fakeroot", (done.returncode, done.stdout), (0, "33:34\n0\n"))
    hold("nothing is refused to fakeroot", not [r for r in s.records() if r.get("verdict") == "refused"])


def main():
    if LIBC.msgget(0x7fffff00 + os.getpid() % 100, 0) < 0 and ctypes.get_errno() == 38:
        skip("this kernel has no System V IPC")
    check_fakeroot()
    s = Scratch()
    s.manifest()
    agent = s.script("agent.py", AGENT)
    made = foreign_objects()
    try:
        alone = subprocess.run([PYTHON, "-c", "import ctypes,sys\nsys.exit(ctypes.CDLL(None).msgget(%d, 0) < 0)" % KEY])
        expect("by key, another process outside", alone.returncode, 0)
        for options in ((), ("--no-shim",)):
            OURS.clear()
            check_finished(s, agent, options, made)
        OURS.clear()
        check_killed(s, agent, made)
        hold("what is outside is still there", all(number in ids(mine()) for number in zip(
            ("shm", "sem", "msg"), map(str, made))))
        there = queues()
        hold("no queue is left", there is None or not any(n.startswith("remit.") and session_over(n) for n in there),
             str(there))
    finally:
        remove(made)


def session_over(name):
    """Queues of sessions that other tests run at this moment do not count."""
    time.sleep(0.5)
    return name in (queues() or ())


main()
