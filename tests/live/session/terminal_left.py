# SPDX-License-Identifier: Apache-2.0
"""What an agent does to the operator's terminal beyond its modes: undone at the end or refused, and remit always ends."""
import array
import fcntl
import os
import select
import stat
import subprocess
import termios
import threading

from live import Scratch, expect, hold

TIOCGEXCL = 0x80045440
ACTS = {
    "stopped": "refused()\nfcntl.ioctl(0, termios.TCXONC, termios.TCOOFF)",
    "stopped, then refused": "fcntl.ioctl(0, termios.TCXONC, termios.TCOOFF)\nrefused()",
    "stopped, failing": "refused()\nfcntl.ioctl(2, termios.TCXONC, termios.TCOOFF)\nos._exit(1)",
    "exclusive": "fcntl.ioctl(0, termios.TIOCEXCL)",
    "nonblocking": "fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_NONBLOCK)",
    "chmod": "tried(os.fchmod, 0, 0o666)",
    "chmod by name": "tried(os.chmod, os.ttyname(0), 0o622)",
    "chmod by link": "tried(os.chmod, '/proc/self/fd/0', 0o606)",
    "chmod of its own": "tried(os.fchmod, 0, 0)",
    "chown": "tried(os.fchown, 0, -1, groups[0])",
}
# Seen from outside after it: as after nothing at all?
LASTING = {"stopped": "stopped", "stopped, then refused": "stopped", "stopped, failing": "stopped",
           "exclusive": "exclusive", "nonblocking": "nonblocking", "chmod": "mode", "chmod by name": "mode",
           "chmod by link": "mode", "chmod of its own": "mode", "chown": "owner"}
HEAD = """\
import fcntl, os, sys, termios
groups = [g for g in (os.getgroups() or [1]) if g != os.fstat(0).st_gid] or [1]
def refused():
    try: os.open('/etc/shadow', os.O_RDONLY)
    except OSError: pass
def tried(act, *arguments):
    try: act(*arguments)
    except OSError: pass
"""


def look(fd):
    exclusive = array.array("i", [0])
    fcntl.ioctl(fd, TIOCGEXCL, exclusive)
    about = os.fstat(fd)
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return {"stopped": not poll.poll(0), "exclusive": exclusive[0], "mode": stat.S_IMODE(about.st_mode),
            "nonblocking": bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK), "owner": (about.st_uid, about.st_gid)}


def drain(fd):
    try:
        while os.read(fd, 4096):
            pass
    except OSError:
        pass


def after(command, controlling):
    """The terminal before and after the command, which must end."""
    master, slave = os.openpty()
    os.fchmod(slave, 0o620)
    threading.Thread(target=drain, args=(master,), daemon=True).start()

    def terminal():
        os.setsid()
        if controlling:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    before = look(slave)
    running = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, preexec_fn=terminal)
    try:
        running.wait(20)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
        fcntl.ioctl(slave, termios.TCXONC, termios.TCOON)
        hold(f"{command[-1]!r} ends", False)
    seen = look(slave)
    fcntl.ioctl(slave, termios.TCXONC, termios.TCOON)
    os.close(slave)
    os.close(master)
    return before, seen


def main():
    s = Scratch()
    s.manifest()
    scripts = {name: s.script(f"{number}.py", HEAD + act + "\n") for number, (name, act) in enumerate(ACTS.items())}
    for name, what in LASTING.items():
        before, seen = after(["/usr/bin/python3", scripts[name]], True)
        if name == "chown" and before == seen:
            print("this user has no other group: chown not tried")
            continue
        hold(f"{name}: outside it lasts", before[what] != seen[what], (before, seen))
    for options in ((), ("--no-shim",), ("--quiet",)):
        for controlling in (True, False):
            for name, script in scripts.items():
                before, seen = after(s.command("/usr/bin/python3", script, options=options), controlling)
                expect(f"{name} {options} {controlling}", seen, before)
    # What only takes rights from others is as it is natively, and so is a pty made inside.
    narrow = s.script("narrow.py", "import os\nown = os.openpty()[1]\nos.fchmod(own, 0o666)\nos.chmod(os.ttyname(own), 0o622)\n"
                                   "os.fchmod(0, 0o600)\n")
    _, seen = after(s.command("/usr/bin/python3", narrow), True)
    expect("mesg n", seen["mode"], 0o600)


main()
