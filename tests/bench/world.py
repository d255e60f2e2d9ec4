# SPDX-License-Identifier: Apache-2.0
"""The scratch world of one run: folders, peers on the network, policies.

    WORLD/wall      write grant, literal: the kernel's wall holds it by itself
    WORLD/gap       write grant by a pattern (g?p): beyond what Landlock can express, so the gate's
    WORLD/keep      write grant with two denials beneath: `secret` by name, `*.key` by pattern
    WORLD/other     nothing granted
    WORLD/home      HOME of every mode; nothing granted
    WORLD/many      10,000 files, a read grant each, in the policy `many`
"""
import os
import pathlib
import subprocess
import tempfile

import machine

MANY = 10000
HEAD = "remit: 1\nagent: {id: bench, purpose: Measure}\n"
POLICIES = {
    "bench": """\
include: [base]
files:
  read: [/usr, /bin, /lib, /lib64, /etc/issue]
  write: ["%(base)s/wall", "%(base)s/g?p", "%(base)s/keep"]
  deny: ["%(base)s/keep/secret", "%(base)s/keep/**/*.key"]
exec:
  allow: [/bin/true, /usr/bin/true, "%(programs)s"]
network:
  connect: ["127.0.0.1:%(tcp)s", "udp:127.0.0.1:%(udp)s"]
env: {pass: [PATH]}
""",
    "work": """\
include: [base, shell, git, python, node, cc]
files:
  write: ["%(base)s/wall", "%(base)s/g?p"]
env: {pass: [PATH, HOME, "GIT_*", "npm_*"]}
""",
    "small": "include: [base]\nexec: {allow: [/bin/true]}\n",
    "shell": 'include: [base, shell]\nfiles: {write: ["%(base)s/wall"]}\n',
}


# What makes reading and writing native is that the wall is all of the scope: no pattern, no denial, nothing of /proc, so no `base`.
POLICIES["bench-norec"] = """\
audit: {record: none}
files:
  read: [/usr/lib, /etc/ld.so.cache]
  write: ["%(base)s/wall"]
exec:
  allow: [/bin/true, "%(programs)s"]
network:
  connect: ["127.0.0.1:%(tcp)s", "udp:127.0.0.1:%(udp)s"]
env: {pass: [PATH]}
"""


def many_rules(base, programs, count):
    """A grant for each of `count` files, beside what the driver needs; as text, without a head."""
    lines = "\n".join(f"    - {base}/many/{number}" for number in range(count))
    return (f'include: [base]\nexec: {{allow: [/bin/true, "{programs}"]}}\nfiles:\n'
            f'  write: ["{base}/wall", "{base}/g?p"]\n  read:\n{lines}\n')


def many_count(policy):
    """Of "many" or "many-COUNT"; 0 for another policy."""
    if not policy.startswith("many"):
        return 0
    return int(policy[5:] or MANY)


class World:
    """Made on entry, removed on exit. `build` holds remit and, in tests/bench, the programs of this folder."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.remit = str(self.build / "remit")
        self.programs = self.build / "tests/bench"
        self.environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "GIT_CONFIG_GLOBAL": "/dev/null",
                            "GIT_CONFIG_NOSYSTEM": "1", "npm_config_userconfig": "/dev/null"}

    def __enter__(self):
        folder, self.memory = machine.memory()
        self.holder = tempfile.TemporaryDirectory(prefix="remit-bench-", dir=folder, ignore_cleanup_errors=True)
        self.base = pathlib.Path(self.holder.name).resolve()
        # Everything that a mode keeps for itself; no mode's policy names it.
        self.own = self.base / "own"
        for name in ("wall", "gap", "keep/deep", "other", "many", "own", "home"):
            (self.base / name).mkdir(parents=True)
        (self.base / "keep/secret").write_text("secret\n")
        (self.base / "other/file").write_text("outside\n")
        (self.base / "wall/tool").write_text("#!/bin/sh\nexit 0\n")
        (self.base / "wall/tool").chmod(0o755)
        # Not the workspace: remit keeps its own log from whoever may write beneath HOME, which would carve the wall.
        self.environment["HOME"] = str(self.base / "home")
        self.peer = subprocess.Popen([self.programs / "bench_peer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.tcp, self.tcp_other, self.udp = self.peer.stdout.readline().split()
        return self

    def __exit__(self, *_):
        self.peer.stdin.close()
        self.peer.wait()
        self.holder.cleanup()

    def place(self, name):
        return self.base / name

    def manifest(self, policy):
        """The path of a policy's manifest, written on first use."""
        path = self.own / f"{policy}.yaml"
        if not path.exists():
            count = many_count(policy)
            if count:
                self.make_many(count)
                text = many_rules(self.base, self.programs, count)
            else:
                text = POLICIES[policy] % {"base": self.base, "programs": self.programs, "tcp": self.tcp, "udp": self.udp}
            path.write_text(HEAD + text)
        return str(path)

    def make_many(self, count):
        folder = self.base / "many"
        for number in range(len(os.listdir(folder)), count):
            (folder / str(number)).touch()

    def driver(self, kind, place):
        """The driver's command line; kind is "dynamic" or "static"."""
        name = "bench_calls" if kind == "dynamic" else "bench_calls_static"
        return [str(self.programs / name), str(self.place(place)), self.tcp, self.udp]
