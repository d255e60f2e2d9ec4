# SPDX-License-Identifier: Apache-2.0
"""The stage of the escape tests: a scratch tree, a stranger process and listeners.

Tree under ROOT (the manifest's rights in brackets):
  in/    [write] with denied files, a denied folder with an exception, folders closed to writing
  free/  [write] with nothing denied beneath
  ro/    [read]      out/ []      sock/ []      refused/ []
  bin/   [exec], bin/denied excepted      home/ [] where remit keeps its own, so that free/ is all in the wall
  spot   [write] and not there     post/ [write] a socket, and a granted name that no socket has
  kit/   [write] manifest, audit log, shim and profiles of the session itself
"""
import hashlib
import os
import select
import shutil
import socket
import stat
import struct
import subprocess
import threading
import time

CAP_NET_RAW_FILE = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)  # linux/capability.h, v2, effective
TAKE_SECONDS = 60  # against a listener that has ended; a busy machine needs a moment


class Listeners:
    """Accepts on forbidden and granted addresses, answers with the token, counts by label."""

    def __init__(self, token):
        self.token, self.arrived, self.open, self.lock = token, [], [], threading.Lock()

    def receive(self, sock, label, what):
        """The next of what comes, noted in the moment that it leaves the socket; None when the socket is closed."""
        try:
            ready = select.poll()
            ready.register(sock, select.POLLIN)
            while True:
                ready.poll()
                with self.lock:
                    try:
                        came = what()
                    except BlockingIOError:
                        continue
                    self.arrived.append(label)
                return came
        except (OSError, ValueError):
            return None

    def take(self):
        """What has come since the last time, with what is still in a socket: over loopback that is all that was sent."""
        waiting = select.poll()
        for sock in self.open:
            waiting.register(sock, select.POLLIN)
        end = time.monotonic() + TAKE_SECONDS
        while time.monotonic() < end:
            with self.lock:
                if not any(events & select.POLLIN for _, events in waiting.poll(0)):
                    arrived, self.arrived = self.arrived, []
                    return arrived
            time.sleep(0.001)
        raise TimeoutError("a listener does not take what was sent to it")

    def stream(self, family, address, label, kind=socket.SOCK_STREAM, serve=None):
        sock = socket.socket(family, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(64)
        self.start(sock, serve or self.serve_stream, label)
        return sock.getsockname()

    def datagram(self, family, address, label):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.bind(address)
        self.start(sock, self.serve_datagram, label)
        return sock.getsockname()

    def start(self, sock, serve, label):
        sock.setblocking(False)
        self.open.append(sock)
        threading.Thread(target=serve, args=(sock, label), daemon=True).start()

    def serve_stream(self, sock, label):
        while came := self.receive(sock, label, sock.accept):
            peer, _ = came
            try:
                peer.sendall(self.token)
            except OSError:
                pass
            peer.close()

    def serve_folder(self, sock, label):
        """Hands over handles: of the folder that its label names, and of the secret in it."""
        while came := self.receive(sock, label, sock.accept):
            peer, _ = came
            fds = [os.open(path, os.O_PATH | os.O_CLOEXEC) for path in (label, os.path.join(label, "secret"))]
            try:
                socket.send_fds(peer, [b"x"], fds)
            except OSError:
                pass
            for fd in fds:
                os.close(fd)
            peer.close()

    def serve_datagram(self, sock, label):
        while self.receive(sock, label, lambda: sock.recvfrom(4096)):
            pass

    def close(self):
        for sock in self.open:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


MANIFEST = """\
remit: 1
agent: {{id: escapes, purpose: Try every way out}}
include: [base]
files:
  read: [{root}/ro]
  write: [{root}/in, {root}/free, {root}/kit, {root}/spot, {root}/post]
  deny:
    - {root}/in/denied.txt
    - {root}/in/late.txt
    - "{root}/in/**/.env"
    - {root}/in/absent/key
    - {root}/in/void/key
    - "{root}/in/**/keys/own"
    - {{path: {root}/in/vault, except: [{root}/in/vault/public]}}
  deny_write: [{root}/in/hooks, {root}/in/deep/er/hooks]
exec:
  allow: [{root}/bin]
  deny: [{root}/bin/denied]
network:
  connect: ["127.0.0.1:{tcp_granted}", "0.0.0.0:{tcp_any}", "[::]/0:{tcp_mapped}"{sends}]
  listen: ["127.0.0.1:{tcp_listen}"]
env:
  pass: [PATH, HOME]
"""

# Nothing recorded, and all of it held by the wall: what goes without the gate has to hold as well. `in` is not
# granted, so that what it protects is protected still.
NATIVE = """\
remit: 1
agent: {{id: escapes, purpose: Try every way out of a session without records}}
files:
  read: [{system}, {root}/ro]
  write: [{root}/free]
exec:
  allow: [{programs}]
network:
  connect: ["127.0.0.1:{tcp_granted}", "0.0.0.0:{tcp_any}", "[::]/0:{tcp_mapped}"{sends}]
  listen: ["127.0.0.1:{tcp_listen}"]
env:
  pass: [PATH, HOME]
audit: {{record: none}}
"""
SYSTEM = ("/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache")

WIDE = """\
remit: 1
agent: {id: wide, purpose: Have everything}
files: {read: [/], write: [/]}
exec: {allow: [/]}
network: {connect: ["*:*"], listen: ["*:*"]}
"""


REMIT = "kit/build/it/remit"


def product(build):
    """Where remit looks for its parts: the command finds them from its own place."""
    yield REMIT, os.path.join(build, "remit"), 0o755
    yield "kit/build/it/libremit.so", os.path.join(build, "libremit.so"), 0o755
    profiles = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../policy/profiles")
    for name in sorted(os.listdir(profiles)):
        if name.endswith(".yaml"):
            yield "kit/policy/profiles/" + name, os.path.join(profiles, name), 0o644


FIRST_LINE = b'{"op":"stage"}\n'


class Stage:
    def __init__(self, root, build, token, uid, gid):
        self.root, self.build, self.token, self.uid, self.gid = root, build, token, uid, gid
        self.kept = {}
        os.chmod(root, 0o755)
        os.chown(root, uid, gid)
        self.facts = {}
        self.listeners = Listeners(token.encode())
        self.build_tree()
        self.open_network()
        self.start_stranger()

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    # --- the tree ---

    def file(self, name, content=b"x\n", mode=0o644):
        path = os.path.join(self.root.encode(), name if isinstance(name, bytes) else name.encode())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content)
        os.chmod(path, mode)

    def big(self, name, source, mode=0o755):
        """A copy that is made again only when something touched it."""
        path = self.path(name)
        try:
            if self.kept.get(name) == self.mark(path):
                return
        except FileNotFoundError:
            pass
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.lexists(path):
            os.unlink(path)
        shutil.copyfile(source, path)
        os.chmod(path, mode)
        os.chown(path, self.uid, self.gid)
        self.kept[name] = self.mark(path)

    @staticmethod
    def mark(path):
        about = os.lstat(path)
        return about.st_ino, about.st_ctime_ns

    def clear(self):
        keep = {self.path(name) for name in self.kept}
        for folder, folders, files in os.walk(self.root, topdown=False):
            os.chmod(folder, 0o755)
            for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
                path = os.path.join(folder, name)
                if path not in keep and not folder.endswith(("/sock", "/spare")):
                    os.unlink(path)
            # The stranger stands in out/, which must stay the same folder.
            if folder not in (self.root, self.path("out")):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass

    def build_tree(self):
        token = self.token.encode() + b"\n"
        self.clear()
        for name in ("in/a0", "in/void", "in/sub/made", "free", "ro/dir", "out/dir", "out/empty", "out/odd", "sock", "home"):
            os.makedirs(self.path(name), exist_ok=True)
        for name in ("in/denied.txt", "in/sub/.env", "in/vault/key", "in/vault/public/card", "in/hooks/hook",
                     "in/deep/er/hooks/hook", "out/secret", "ro/granted"):
            self.file(name, token)
        for name in ("in/ok.txt", "free/mine", "out/victim", "ro/data", "ro/marked", "out/name-" + self.token):
            self.file(name)
        for name in (b"n" * 255, b'new\nline","verdict":"allowed', b"\033[2Jred", b"\xff\xfe\xc0\x80", b"back\\slash",
                     b"*"):
            self.file(b"out/odd/" + name, token)
        try:
            os.setxattr(self.path("ro/marked"), "user.mark", b"x")
        except OSError:
            pass
        tests = os.path.join(self.build, "tests/escapes")
        for name in ("bin/tool", "bin/denied", "ro/tool", "refused/tool", "bin/suid", "bin/caps"):
            self.big(name, os.path.join(tests, "tool"))
        self.file("bin/script", f"#!{self.path('bin/tool')} DID\n".encode(), 0o755)
        self.big("bin/escapes", os.path.join(tests, "escapes"))
        self.big("bin/escapes-static", os.path.join(tests, "escapes-static"))
        self.big("ro/evil.so", os.path.join(tests, "evil.so"))
        for name, source, mode in product(self.build):
            self.big(name, source, mode)
        self.big("bin/remit", os.path.join(self.build, "remit"))
        self.file("in/wide.yaml", WIDE.encode())
        self.file("kit/audit.jsonl", FIRST_LINE)
        self.restore_sockets()
        if self.facts:
            self.write_manifest(True)
        if self.uid != 0:
            self.own()

    def restore_sockets(self):
        """A socket's second name outlives whatever a case does to its first."""
        os.makedirs(self.path("spare"), exist_ok=True)
        for name in os.listdir(self.path("spare")):
            if not os.path.lexists(self.path("sock", name)):
                os.link(self.path("spare", name), self.path("sock", name))
        for name in os.listdir(self.path("sock")):
            if not os.path.lexists(self.path("spare", name)):
                os.unlink(self.path("sock", name))
        os.makedirs(self.path("post"), exist_ok=True)
        if os.path.lexists(self.path("spare/moved.sock")) and not os.path.lexists(self.path("post/other.sock")):
            os.link(self.path("spare/moved.sock"), self.path("post/other.sock"))

    def own(self):
        if os.getuid() != 0:
            return
        for folder, folders, files in os.walk(self.root.encode()):
            for name in folders + files:
                path = os.path.join(folder, name)
                if os.lstat(path).st_uid != self.uid and not path.endswith((b"/suid", b"/caps")):
                    os.lchown(path, self.uid, self.gid)
        for name in ("bin/suid", "bin/caps"):
            os.chown(self.path(name), 0, 0)
        os.chmod(self.path("bin/suid"), 0o4755)
        try:
            os.setxattr(self.path("bin/caps"), "security.capability", CAP_NET_RAW_FILE)
        except OSError:
            pass
        for name in ("bin/suid", "bin/caps"):
            self.kept[name] = self.mark(self.path(name))

    def write_manifest(self, sends, native=False):
        extra = f', "udp:127.0.0.1:{self.facts["udp_granted"]}", "unix:{self.path("sock/granted.sock")}", "unix:{self.path("sock/fds.sock")}", "unix:{self.path("post/granted.sock")}"' if sends else ""
        programs = ", ".join(self.path("bin", name) for name in sorted(os.listdir(self.path("bin"))) if name != "denied")
        system = ", ".join(path for path in SYSTEM if os.path.exists(path))
        text = (NATIVE if native else MANIFEST).format(root=self.root, sends=extra, programs=programs, system=system,
                                                       **self.facts)
        self.file("kit/manifest.yaml", text.encode())
        if os.getuid() == 0:
            os.chown(self.path("kit/manifest.yaml"), self.uid, self.gid)

    # --- the world outside ---

    def open_network(self):
        listen, name = self.listeners, self.token[:12]
        inet, inet6, unix = socket.AF_INET, socket.AF_INET6, socket.AF_UNIX
        granted = listen.stream(inet, ("127.0.0.1", 0), "granted")[1]
        other = listen.stream(inet, ("127.0.0.1", 0), "!tcp 127.0.0.1 other port")[1]
        listen.stream(inet, ("127.0.0.2", granted), "!tcp 127.0.0.2")
        listen.stream(inet6, ("::1", granted), "!tcp ::1")
        listen.stream(inet6, ("::1", other), "!tcp ::1 other port")
        # Granted by the name that was asked for, not as what the kernel makes of it.
        any_port = listen.stream(inet, ("127.0.0.1", 0), "!tcp behind 0.0.0.0")[1]
        mapped = listen.stream(inet, ("127.0.0.1", 0), "!tcp behind ::ffff:0:0")[1]
        udp_granted = listen.datagram(inet, ("127.0.0.1", 0), "granted")[1]
        udp_other = listen.datagram(inet, ("127.0.0.1", 0), "!udp 127.0.0.1")[1]
        listen.stream(unix, self.path("sock/granted.sock"), "granted")
        listen.stream(unix, self.path("sock/fds.sock"), self.path("out"), serve=listen.serve_folder)
        listen.stream(unix, self.path("sock/other.sock"), "!unix other.sock")
        listen.stream(unix, self.path("sock/moved.sock"), "!unix moved.sock")
        listen.stream(unix, self.path("sock/seq.sock"), "!unix seq.sock", socket.SOCK_SEQPACKET)
        listen.datagram(unix, self.path("sock/dgram.sock"), "!unix dgram.sock")
        listen.stream(unix, b"\0a" + name.encode(), "!unix abstract")
        listen.datagram(unix, b"\0d" + name.encode(), "!unix abstract datagram")
        for entry in os.listdir(self.path("sock")):
            os.chown(self.path("sock", entry), self.uid, self.gid)
            os.link(self.path("sock", entry), self.path("spare", entry))
        self.restore_sockets()
        self.master, slave = os.openpty()
        os.fchown(slave, self.uid, self.gid)
        self.facts.update(tcp_granted=granted, tcp_other=other, tcp_any=any_port, tcp_mapped=mapped, udp_granted=udp_granted, udp_other=udp_other,
                          tcp_unused=free_port(), tcp_listen=free_port(), abstract="a" + name,
                          abstract_datagram="d" + name, terminal=os.ttyname(slave))
        self.slave = slave
        os.set_blocking(self.master, False)
        self.write_manifest(True)

    def start_stranger(self):
        key, queue = str(int(self.token[:7], 16)), "remit-" + self.token[:12]
        self.stranger = subprocess.Popen(
            [os.path.join(self.build, "tests/escapes/stranger"), self.token, self.root, key, queue],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, **self.as_user())
        pid, start, shm, msg, sem = self.stranger.stdout.readline().decode().split()
        self.facts.update(stranger=pid, env_start=start, shm_key=key, queue=queue, shm_id=shm, msg_id=msg, sem_id=sem)

    def await_stranger(self):
        """Returns when the stranger has handled what was sent to it, or cannot answer."""
        try:
            self.stranger.stdin.write(b".")
            self.stranger.stdin.flush()
        except BrokenPipeError:
            return
        if select.select([self.stranger.stdout], [], [], 2)[0]:
            os.read(self.stranger.stdout.fileno(), 1)

    def as_user(self):
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if os.getuid() == 0 and self.uid else {}

    def close(self):
        self.stranger.stdin.close()
        self.stranger.wait(10)
        self.listeners.close()
        os.close(self.master)
        os.close(self.slave)
        shutil.rmtree(self.root, ignore_errors=True)

    # --- canaries ---

    PROTECTED = ("out", "ro", "refused", "bin", "sock", "in/denied.txt", "in/vault/key", "in/hooks",
                 "in/deep/er/hooks", "in/late.txt", "kit/manifest.yaml", "kit/build/it/remit",
                 "kit/build/it/libremit.so", "kit/policy/profiles", "free/survived", "spot")

    def fingerprint(self):
        """What must not change, with times and attributes, so that no change goes unseen."""
        seen = {}
        for name in self.PROTECTED:
            self.look(os.path.join(self.root.encode(), name.encode()), seen)
        for folder, _, files in os.walk(self.path("in").encode()):
            for name in files:
                if name == b".env":
                    self.look(os.path.join(folder, name), seen)
        return seen

    def log(self):
        """The log's identity, mode and first line, and what was appended to it."""
        path = self.path("kit/audit.jsonl")
        try:
            about = os.lstat(path)
            with open(path, "rb") as file:
                content = file.read()
        except OSError:
            return None, b""
        return (about.st_ino, about.st_mode, content.startswith(FIRST_LINE)), content[len(FIRST_LINE):]

    def terminal_heard(self):
        try:
            return os.read(self.master, 4096) != b""
        except OSError:
            return False

    def look(self, path, seen):
        try:
            about = os.lstat(path)
        except OSError:
            return
        content = b""
        if stat.S_ISREG(about.st_mode):
            with open(path, "rb") as file:
                content = hashlib.blake2b(file.read()).digest()
        elif stat.S_ISLNK(about.st_mode):
            content = os.readlink(path)
        names = [] if stat.S_ISLNK(about.st_mode) else os.listxattr(path)
        marks = {name: os.getxattr(path, name) for name in names}
        seen[path] = (about.st_mode, about.st_uid, about.st_gid, about.st_size, about.st_mtime_ns, about.st_ctime_ns,
                      about.st_ino, content, tuple(sorted(marks.items())))
        if stat.S_ISDIR(about.st_mode):
            for name in sorted(os.listdir(path)):
                self.look(os.path.join(path, name), seen)
