# SPDX-License-Identifier: Apache-2.0
"""The place where the acts are made: files granted and refused, peers, a stranger; and what may not have changed."""
import hashlib
import os
import resource
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../live/escapes"))
from stage import Listeners  # noqa: E402

MANIFEST = """\
remit: 1
agent: {{id: faults, purpose: Go on while the kernel fails}}
include: [base]
files:
  read: [{root}/ro]
  write: ["{root}/ga?", {root}/in, {root}/state/named, "${{TMP}}"]
  deny: [{root}/alias/secret, "{root}/gap/**/*.key", "{root}/in/note (deleted)"]
exec: {{allow: [{root}/bin{conditions}]}}
network:
  connect: ["127.0.0.1:{tcp}", "udp:127.0.0.1:{udp}", "unix:{root}/ga?"]
  listen: ["127.0.0.1:{listen}", "unix:{root}/in/sock", "unix:{root}/gap/*.sock"]
env: {{pass: [PATH]}}
limits: {{processes: 24, file_size: 16MiB}}
audit: {{record: {record}}}
"""


# With any of these each program is looked at once more when it has started.
CONDITIONS = ', {{path: {root}/cond/asked, args: ["yes"]}}, {{path: {root}/cond/known, sha256: {digest}}}'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class World:
    def __init__(self, remit, acts):
        self.token = secrets.token_hex(16)
        self.root = tempfile.mkdtemp(prefix="rf", dir="/tmp")
        self.remit = remit
        os.chmod(self.root, 0o755)
        for folder in ("bin", "cond", "tmp", "state", "kit", "gap/sub", "in/sock", "out/file.folder", "ro"):
            os.makedirs(self.path(folder))
        for name, source in (("bin/acts", acts), ("bin/tool", "/bin/true"), ("out/tool", "/bin/true"),
                             ("cond/asked", "/bin/true"), ("cond/known", "/bin/true")):
            shutil.copy2(source, self.path(name))
        with open(self.path("bin/script"), "w") as out:
            out.write(f"#!{self.root}/bin/tool\n")
        os.chmod(self.path("bin/script"), 0o755)
        for name in ("out/secret", "out/file", "out/file.spare"):
            self.put(name, self.token)
        self.put("ro/data", "to read\n")
        os.symlink("in", self.path("alias"))  # what is denied through it is found by asking the kernel
        self.listeners = Listeners(self.token.encode())
        self.listen()
        self.victim = subprocess.Popen(["/bin/sleep", "100000"])
        self.stranger = self.look()
        with open("/bin/true", "rb") as known:
            conditions = CONDITIONS.format(root=self.root, digest=hashlib.sha256(known.read()).hexdigest())
        for record, more in (("denials", ""), ("strict", conditions)):
            with open(self.path("kit", record), "w") as out:
                out.write(MANIFEST.format(root=self.root, record=record, conditions=more, **self.ports))

    def listen(self):
        inet, stream, datagram = socket.AF_INET, self.listeners.stream, self.listeners.datagram
        self.ports = {
            "tcp": stream(inet, ("127.0.0.1", 0), "tcp")[1], "tcp_refused": stream(inet, ("127.0.0.1", 0), "!tcp")[1],
            "udp": datagram(inet, ("127.0.0.1", 0), "udp")[1], "udp_refused": datagram(inet, ("127.0.0.1", 0), "!udp")[1],
            "listen": free_port(), "listen_refused": free_port(),
        }
        for folder, mark in (("gap", ""), ("out", "!")):
            stream(socket.AF_UNIX, self.path(folder, "peer"), mark + "unix")
            datagram(socket.AF_UNIX, self.path(folder, "box"), mark + "box")
        stream(socket.AF_UNIX, "\0" + self.root + "\0", "!abstract")

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def put(self, name, text):
        with open(self.path(name), "w") as out:
            out.write(text)

    def refresh(self):
        """What the acts may change, as it was before."""
        for folder in ("gap", "in", "state"):
            for entry in os.scandir(self.path(folder)):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                elif entry.name not in ("peer", "box"):
                    os.unlink(entry.path)
        for folder in ("gap/sub", "gap/folder", "gap/file.folder", "in/sock"):
            os.mkdir(self.path(folder))
        for name in ("gap/data", "gap/file", "gap/file.spare", "gap/sub/plain", "gap/big", "in/data", "in/public"):
            self.put(name, "granted\n")
        for name in ("in/secret", "gap/sub/a.key", "in/note (deleted)"):
            self.put(name, self.token)
        for name, target in (("gap/link", "out/secret"), ("gap/inner", "gap/data"), ("gap/dangling", "out/new")):
            os.symlink(self.path(target), self.path(name))
        os.mkfifo(self.path("gap/fifo"))
        shutil.copy2("/bin/true", self.path("gap/tool"))
        self.empty_tmp()

    def empty_tmp(self):
        for entry in os.scandir(self.path("tmp")):
            subprocess.run(["chmod", "-R", "u+rwx", entry.path], check=False)
            shutil.rmtree(entry.path, ignore_errors=True)

    def fingerprint(self):
        seen = {}
        for top in ("out", "ro", "in/secret", "in/note (deleted)"):
            for name in [top] + ([f"{top}/{n}" for n in os.listdir(self.path(top))] if os.path.isdir(self.path(top)) else []):
                about = os.lstat(self.path(name))
                seen[name] = (about.st_mode, about.st_uid, about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_nlink)
        return seen

    def breaches(self, before, output):
        wrong = [f"succeeded: {line[2:-2]}" for line in output.splitlines() if line.startswith("X ") and line.endswith(" 0")]
        if self.token in output:
            wrong.append("a secret was read")
        try:
            after = self.fingerprint()
        except FileNotFoundError as gone:
            after = {str(gone): None}
        wrong += [f"changed: {name}" for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
        wrong += sorted({f"arrived: {label}" for label in self.listeners.take() if label.startswith("!")})
        if os.path.islink(self.path("state/named")):
            wrong.append("a link at a granted place")
        if self.look() != self.stranger:
            wrong.append("the stranger was reached")
        return wrong

    def look(self):
        if self.victim.poll() is not None:
            return None
        return os.getpriority(os.PRIO_PROCESS, self.victim.pid), resource.prlimit(self.victim.pid, resource.RLIMIT_NOFILE)

    def left(self):
        """Processes of a session that has ended, by their program; and files in the private folder."""
        ours = (os.path.realpath(self.remit), self.path("bin/acts"), self.path("bin/tool"))
        end = time.time() + 4
        while True:
            found = []
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    words = open(f"/proc/{pid}/cmdline", "rb").read().decode(errors="replace").split("\0")
                    if os.readlink(f"/proc/{pid}/exe") in ours and any(self.root in word for word in words):
                        found.append(int(pid))
                except OSError:
                    pass
            files = os.listdir(self.path("tmp"))
            if not found and not files or time.time() > end:
                return found, files
            time.sleep(0.02)

    def arguments(self):
        ports = self.ports
        return [self.path("bin/acts"), self.root] + [str(ports[name]) for name in (
            "tcp", "tcp_refused", "udp", "udp_refused", "listen", "listen_refused")] + [str(self.victim.pid)]

    def close(self):
        self.victim.kill()
        self.victim.wait()
        self.listeners.close()
        shutil.rmtree(self.root, ignore_errors=True)
