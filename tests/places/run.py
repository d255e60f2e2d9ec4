#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""remit in unlike places, and without one kernel feature after the other.

A place either lets the same agent do the same as natively, or the launch is refused with a sentence that names what
is missing; never anything between. README.md lists what is tried.

usage: run.py BUILD [--only WORD] [--whole]
"""
import argparse
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import features  # noqa: E402

MANIFEST = """\
remit: 1
agent: {{id: places, purpose: Do the same everywhere}}
include: [base, python]
files: {{read: [{root}/kit], write: [{root}/w, "${{TMP}}"]}}
exec: {{allow: [/usr/bin/python3*, /bin/true, /usr/bin/true]}}
network: {{connect: ["127.0.0.1:{port}"]}}
env: {{pass: [PATH]}}
"""

# What is granted works, what is not does not; argv: root, port, another port.
AGENT = """\
import os, shutil, socket, subprocess, sys, tempfile
root, port, other = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
granted = len(sys.argv) > 4
def refused(act):
    try: act()
    except OSError: return True
    return granted
def connect(to):
    with socket.create_connection(('127.0.0.1', to), 5) as sock: assert sock.recv(9) == b'hello'
os.umask(0o027)
path = root + '/w/new'
with open(path, 'w') as out: out.write('made')
assert os.stat(path).st_mode & 0o777 == 0o640, oct(os.stat(path).st_mode)
assert open(path).read() == 'made'
shutil.rmtree(root + '/w/d', True)
os.mkdir(root + '/w/d'); shutil.move(path, root + '/w/d/moved'); os.chmod(root + '/w/d/moved', 0o600)
os.unlink(root + '/w/d/moved'); os.rmdir(root + '/w/d')
with tempfile.TemporaryFile() as file: file.write(b'x')
connect(port)
subprocess.run(['true'], check=True)
assert os.path.isdir('/proc/self/fd') and os.listdir('/proc/self/fd')
assert refused(lambda: open(root + '/secret').read())
assert refused(lambda: open(root + '/kit/new', 'w'))
assert refused(lambda: connect(other))
print('DID')
"""


class Place:
    """A scratch tree that every user can reach, with the build in it, and two listeners."""

    def __init__(self, build):
        self.root = tempfile.mkdtemp(prefix="remit-places", dir="/var/tmp")
        os.chmod(self.root, 0o755)
        kit = os.path.join(self.root, "kit")
        for folder in ("kit", "w", "home", "home/state", "profiles"):
            os.mkdir(os.path.join(self.root, folder))
        for name in ("remit", "libremit.so"):
            shutil.copy2(os.path.join(build, name), kit)
        shutil.copy2(os.path.join(HERE, "deny.py"), kit)
        for name in os.listdir(os.path.join(HERE, "../../policy/profiles")):
            shutil.copy2(os.path.join(HERE, "../../policy/profiles", name), os.path.join(self.root, "profiles"))
        self.ports = [self.listen(), self.listen()]
        self.write("kit/agent.py", AGENT)
        self.write("kit/manifest.yaml", MANIFEST.format(root=self.root, port=self.ports[0]))
        self.write("secret", "secret\n")
        self.remit, self.profiles = os.path.join(kit, "remit"), os.path.join(self.root, "profiles")
        self.manifest, self.work = os.path.join(kit, "manifest.yaml"), os.path.join(self.root, "w")
        self.log = os.path.join(self.root, "home", "log.jsonl")
        self.act = ["/usr/bin/python3", os.path.join(kit, "agent.py"), self.root, *map(str, self.ports)]
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": os.path.join(self.root, "home"),
                            "XDG_STATE_HOME": os.path.join(self.root, "home/state")}

    def write(self, name, text):
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as out:
            out.write(text)

    def listen(self):
        sock = socket.create_server(("127.0.0.1", 0))

        def serve():
            while True:
                peer = sock.accept()[0]
                peer.sendall(b"hello")
                peer.close()
        threading.Thread(target=serve, daemon=True).start()
        return sock.getsockname()[1]

    def give(self, uid):
        for name in ("w", "home", "home/state"):
            os.chown(os.path.join(self.root, name), uid, uid)
        for folder, folders, files in os.walk(os.path.join(self.root, "home")):
            for name in folders + files:
                os.chown(os.path.join(folder, name), uid, uid)

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)


# name -> (what stands before the command, environment changes, options of run, a word of the refusal or None: works)
UNSHARE = ["unshare", "-m", "--propagation", "private"]


def in_shell(text):
    return [*UNSHARE, "sh", "-c", text + '; exec "$@"', "sh"]


def places(place):
    deny = ["python3", os.path.join(place.root, "kit/deny.py")]
    degraded = ["--allow-degraded"]
    user = ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups"]
    yield "plain", [], {}, [], None
    yield "docker", [*deny, "docker"], {}, degraded, "pidfd_getfd"
    yield "docker, SYS_PTRACE", [*deny, "docker-ptrace"], {}, degraded, None
    yield "docker, SYS_PTRACE, not degraded", [*deny, "docker-ptrace"], {}, [], "unshare"
    yield "docker, SYS_PTRACE, user", [*user, *deny, "docker-ptrace"], {}, degraded, None
    yield "no process_vm_readv", [*deny, "no-vm"], {}, [], None
    yield "no Landlock", [*deny, "no-landlock"], {}, degraded, "Landlock"
    yield "no openat2", [*deny, "no-openat2"], {}, degraded, "openat2"
    yield "no seccomp", [*deny, "no-seccomp"], {}, degraded, "seccomp user notification"
    yield "no close_range", [*deny, "no-close-range"], {}, degraded, "close_range"
    yield "no memfd_create", [*deny, "no-memfd"], {}, degraded, "memfd"
    yield "no pidfd_open", [*deny, "no-pidfd-open"], {}, degraded, "pidfd_getfd"
    yield "no HOME", ["env", "-u", "HOME"], {}, [], None
    yield "no HOME, no state folder", [*user, "env", "-u", "HOME", "-u", "XDG_STATE_HOME"], {}, [], "no place for the audit log"
    yield "HOME missing", [], {"HOME": "/nowhere/home", "XDG_STATE_HOME": place.root + "/home/state"}, [], None
    yield "state folder missing", [], {"XDG_STATE_HOME": place.root + "/home/state/new/one"}, [], None
    yield "state folder unwritable", [*user], {"XDG_STATE_HOME": "/proc"}, [], "/proc/remit"
    yield "no passwd entry", user, {}, [], None
    yield "streams closed", ["sh", "-c", '"$@" <&- 2>&-', "sh"], {}, [], None
    yield "umask 077", ["sh", "-c", 'umask 077; exec "$@"', "sh"], {}, [], None
    yield "umask 000", ["sh", "-c", 'umask 000; exec "$@"', "sh"], {}, [], None
    yield "few descriptors", ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh"], {}, [], None
    yield "20 descriptors", ["sh", "-c", 'ulimit -n 20; exec "$@"', "sh"], {}, [], None
    yield "few processes", [*user[:1], *user[1:], "sh", "-c", 'ulimit -u 200; exec "$@"', "sh"], {}, [], None
    yield "user namespace", ["unshare", "-Urpf", "--mount-proc"], {}, [], None
    yield "pid 1", ["unshare", "-pf", "--mount-proc"], {}, [], None
    yield "pid 1 with strangers", ["unshare", "-pf", "--mount-proc", "sh", "-c",
                                   '(sleep 30 &) ; "$@"', "sh"], {}, [], None
    yield "no /proc", in_shell("mount -t tmpfs none /proc"), {}, degraded, "/proc"
    yield "hidepid", in_shell("mount -t proc -o hidepid=2 proc /proc"), {}, [], None
    yield "hidepid, user", [*in_shell("mount -t proc -o hidepid=2 proc /proc"), *user], {}, [], None
    yield "read-only root", in_shell(f"mount --bind / /mnt && mount --rbind {place.root} /mnt{place.root} && mount -t "
                                     "tmpfs tmp /mnt/tmp && mount -o remount,bind,ro /mnt && mount --rbind /proc "
                                     "/mnt/proc && mount --rbind /dev /mnt/dev && exec chroot /mnt "
                                     f"env -C {place.work} " + '"$@"'), {}, [], None
    yield "no /tmp", in_shell("mount -t tmpfs -o ro none /tmp"), {}, [], "private folder"
    yield "no /tmp, TMPDIR", in_shell("mount -t tmpfs -o ro none /tmp"), {"TMPDIR": place.root + "/home"}, [], None
    yield "no /dev", in_shell("mount -t tmpfs none /dev"), {}, [], None
    yield "no cgroups", in_shell("umount -l /sys/fs/cgroup 2>/dev/null"), {}, [], None


def needs_root(before):
    return bool(before) and (before[0] in ("setpriv", "unshare") and "-Urpf" not in before)


def able(before, place):
    """None, or why this cannot be tried here."""
    if needs_root(before) and os.getuid() != 0:
        return "needs root"
    done = subprocess.run([*before, "true"], capture_output=True, text=True, env=place.environment, cwd=place.work,
                          check=False)
    return None if done.returncode == 0 else (done.stderr.strip() or f"status {done.returncode}")[-200:]


def try_place(place, before, changes, options, word):
    """A list of what is wrong."""
    place.give(54321 if "54321" in before else os.getuid()) if os.getuid() == 0 else None
    environment = {**place.environment, **changes}
    how = {"capture_output": True, "text": True, "env": environment, "cwd": place.work, "check": False, "timeout": 60}
    if word is None:
        outside = subprocess.run([*before, *place.act, "granted"], **how)
        if "DID" not in outside.stdout:
            return [f"control: {outside.stderr}"]
    run = subprocess.run([*before, place.remit, "run", "--profiles", place.profiles, "-m", place.manifest, *options,
                          "--", *place.act], **how)
    if word is None:
        return [] if run.returncode == 0 and "DID" in run.stdout else [f"status {run.returncode}: {run.stderr[-900:]}"]
    wrong = [] if run.returncode == 125 and "DID" not in run.stdout else [f"started: {run.returncode} {run.stderr}"]
    return wrong if word in run.stderr else [*wrong, f"does not say {word}: {run.stderr}"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--only", default="")
    parser.add_argument("--whole", action="store_true", help="every way out, for every feature (an hour)")
    options = parser.parse_args()
    place = Place(os.path.abspath(options.build))
    counts = {"passed": 0, "failed": 0, "skipped": 0}

    def count(name, wrong, why=None):
        result = "skipped" if why else "failed" if wrong else "passed"
        counts[result] += 1
        if result != "passed":
            print(f"  {result.upper():8}{name}: {why or '; '.join(wrong)}", flush=True)

    try:
        for name, before, changes, more, word in places(place):
            if options.only in name:
                why = able(before, place)
                count(name, [] if why else try_place(place, before, changes, more, word), why)
        if os.getuid() == 0:
            place.give(0)
        for without, (kind, _, _) in features.FEATURES.items():
            if options.only in "without " + without:
                count("without " + without, features.check(place, without))
                if kind != features.START and (options.whole or without in ("landlock=2", "landlock=5", "unshare-fs")):
                    count("escapes without " + without, features.escapes(options.build, without, options.whole))
    finally:
        place.close()
    print("places: " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    return counts["failed"] != 0 or counts["passed"] == 0


if __name__ == "__main__":
    sys.exit(main())
