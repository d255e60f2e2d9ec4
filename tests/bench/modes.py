# SPDX-License-Identifier: Apache-2.0
"""The modes: how a command line is put under each boundary, and what each cannot say.

A mode that is not installed has a reason in `absent`; one that cannot express a row of a policy has it in `cannot`, by the
first word of the row's name; both are printed, neither ends the run. The command lines are explained in README.md.
"""
import json
import os
import pathlib
import shutil

from world import many_count

LIBRARIES = ("/usr", "/bin", "/lib", "/lib64", "/etc")


class Mode:
    """Native, and what every other mode overrides."""

    name = "native"
    place = "wall"  # the folder that its driver and programs work in
    program = None  # what must be on PATH
    cannot = {}

    def __init__(self, world):
        self.world = world

    def absent(self):
        """Why it cannot be had here, or None."""
        if self.program and not shutil.which(self.program, path=self.world.environment["PATH"]):
            return f"{self.program} is not installed"
        return None

    def wrap(self, command, policy="bench", folder=None):
        """The command line under this boundary, in `folder` (default: the wall), or None where it has no such policy."""
        return None if many_count(policy) else command

    def environment(self):
        return self.world.environment


class Native(Mode):
    def wrap(self, command, policy="bench", folder=None):
        return command


class Again(Native):
    """The control: what it differs from native by is noise."""

    name = "again"


class LandlockAlone(Mode):
    name = "landlock"
    cannot = {"udp_send": "Landlock knows no UDP: not judged, runs as natively"}

    def wrap(self, command, policy="bench", folder=None):
        base = self.world.base
        flags = [part for path in ("/usr", "/bin", "/lib", "/lib64", str(self.world.programs)) for part in ("-x", path)]
        flags += [part for path in ("/etc", "/proc", "/sys", "/dev/urandom") for part in ("-r", path)]
        flags += [part for path in (base / "wall", base / "gap", base / "keep", "/dev/null") for part in ("-w", str(path))]
        if many_count(policy):
            self.world.manifest(policy)  # makes the files
            flags += [part for number in range(many_count(policy)) for part in ("-r", f"{base}/many/{number}")]
        flags += ["-c", self.world.tcp]
        return [str(self.world.programs / "landlock_alone"), *flags, "--", *command]


class NotifyAlone(Mode):
    """A supervisor by seccomp notification that judges nothing: the least that a gate costs."""

    name = "notify"

    def wrap(self, command, policy="bench", folder=None):
        return None if many_count(policy) else [str(self.world.programs / "notify_alone"), "--", *command]


class Remit(Mode):
    """In the wall; with the shim wherever the program is dynamic."""

    name = "wall"
    flags = ()

    def absent(self):
        return None if os.access(self.world.remit, os.X_OK) else "remit is not built"

    def wrap(self, command, policy="bench", folder=None):
        return [self.world.remit, "run", "-m", self.world.manifest(policy), "--workspace", str(self.world.base / "wall"),
                "--quiet", "--audit", "/dev/null", *self.flags, "--", *command]


class RemitGap(Remit):
    name, place = "gap", "gap"


class RemitNoShim(Remit):
    name, flags = "wall-noshim", ("--no-shim",)


class RemitGapNoShim(RemitNoShim):
    name, place = "gap-noshim", "gap"


class RemitUnrecorded(Remit):
    """With `audit: {record: none}`: what the wall holds exactly and nobody records never meets the gate."""

    name = "wall-norec"

    def wrap(self, command, policy="bench", folder=None):
        return super().wrap(command, "bench-norec", folder) if policy == "bench" else None


class Bubblewrap(Mode):
    """A view of the file system in which only what is granted exists; the network is the machine's."""

    name, program = "bwrap", "bwrap"

    def wrap(self, command, policy="bench", folder=None):
        if many_count(policy):
            return None
        base = self.world.base
        binds = [part for path in LIBRARIES for part in ("--ro-bind-try", path, path)]
        writes = [part for name in ("wall", "gap", "keep") for part in ("--bind", str(base / name), str(base / name))]
        return ["bwrap", "--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--die-with-parent", *binds, "--proc", "/proc",
                "--dev", "/dev", "--ro-bind", "/sys", "/sys", "--ro-bind", str(self.world.programs), str(self.world.programs),
                *writes, "--ro-bind", "/dev/null", str(base / "keep/secret"), "--chdir", str(folder or base / "wall"), *command]


class Firejail(Mode):
    """Read-only everywhere but in the granted folders, what is not granted blacklisted, and its own seccomp list."""

    name, program = "firejail", "firejail"

    def wrap(self, command, policy="bench", folder=None):
        if many_count(policy):
            return None
        base = self.world.base
        return ["firejail", "--noprofile", "--quiet", "--caps.drop=all", "--nonewprivs", "--seccomp", "--read-only=/",
                f"--read-write={base}/wall", f"--read-write={base}/gap", f"--read-write={base}/keep",
                f"--blacklist={base}/keep/secret", f"--blacklist={base}/keep/*/*.key", f"--blacklist={base}/other", f"--noexec={base}/wall", "--", *command]


class Proot(Mode):
    """A root folder of its own with the granted paths bound into it, by ptrace; it cannot make them read-only."""

    name, program = "proot", "proot"

    def wrap(self, command, policy="bench", folder=None):
        if many_count(policy):
            return None
        base, root = self.world.base, self.world.own / "proot"
        root.mkdir(exist_ok=True)
        paths = [*LIBRARIES, "/dev", "/proc", "/sys", self.world.programs, base / "wall", base / "gap", base / "keep"]
        return ["proot", "-r", str(root), *[part for path in paths for part in ("-b", str(path))],
                "-w", str(folder or base / "wall"), *command]


class Strace(Mode):
    """No policy: what a ptrace monitor costs that stops at the calls which remit's gate judges, and at no others."""

    name, program = "strace", "strace"

    def wrap(self, command, policy="bench", folder=None):
        if many_count(policy):
            return None
        return ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=%file,%network", *command]


class NodePeer(Mode):
    """From npm, in the folder that REMIT_BENCH_PEERS names, else in BUILD/tests/bench/peers."""

    def modules(self):
        return pathlib.Path(os.environ.get("REMIT_BENCH_PEERS", self.world.programs / "peers")).resolve() / "node_modules"

    def absent(self):
        if not (self.modules() / ".bin" / self.program).exists():
            return f"{self.program} is not installed (make bench-peers)"
        return None


class SandboxRuntime(NodePeer):
    """Anthropic's sandbox-runtime: bubblewrap, a seccomp filter, the network through a proxy."""

    name, program = "srt", "srt"
    cannot = {"connect_close": "its network is a proxy's: no grant of a loopback address",
              "udp_send": "its network is a proxy's: no UDP"}

    def wrap(self, command, policy="bench", folder=None):
        if many_count(policy):
            return None
        base, settings = self.world.base, self.world.own / "srt.json"
        if not settings.exists():
            settings.write_text(json.dumps({
                "network": {"allowedDomains": [], "deniedDomains": []},
                "filesystem": {"denyRead": [f"{base}/keep/secret", f"{base}/keep/**/*.key", f"{base}/other"],
                               "allowRead": [], "denyWrite": [f"{base}/keep/**/*.key"],
                               "allowWrite": [f"{base}/wall", f"{base}/gap", f"{base}/keep"]}}))
        return [str(self.modules() / ".bin/srt"), "-s", str(settings), "--", *command]


class Codex(NodePeer):
    """Codex's own sandbox (codex sandbox): bubblewrap and a seccomp filter, by a named permission profile."""

    name, program = "codex", "codex"

    def environment(self):
        # It refuses to keep its helpers beneath the temporary folder.
        return {**self.world.environment, "CODEX_HOME": str(self.world.own / "codex"), "TMPDIR": "/var/tmp"}

    def wrap(self, command, policy="bench", folder=None):
        if many_count(policy):
            return None
        base, home = self.world.base, self.world.own / "codex"
        if not home.exists():
            home.mkdir()
            reads = [":minimal", "/usr", str(self.modules()), str(home), str(self.world.programs)]
            writes = [f"{base}/wall", f"{base}/gap", f"{base}/keep"]
            lines = [f'"{path}" = "read"' for path in reads] + [f'"{path}" = "write"' for path in writes]
            (home / "config.toml").write_text("\n".join(["[permissions.bench.filesystem]", *lines,
                                                         f'"{base}/keep/secret" = "deny"', f'"{base}/keep/**/*.key" = "deny"', "[permissions.bench.network]",
                                                         "enabled = true", ""]))
        return [str(self.modules() / ".bin/codex"), "sandbox", "-P", "bench", "-C", str(folder or base / "wall"), "--",
                *command]


ALL = (Native, Again, LandlockAlone, Remit, RemitGap, RemitNoShim, RemitGapNoShim, RemitUnrecorded, NotifyAlone, Bubblewrap,
       Firejail, Proot, Strace, SandboxRuntime, Codex)


def choose(world, names, notes):
    """The modes that can be had, native always among them; why the others cannot goes to notes."""
    chosen = []
    for kind in ALL:
        mode = kind(world)
        if names and mode.name not in names and mode.name != "native":
            continue
        why = mode.absent()
        if why:
            notes[("absent", mode.name, why)] = [": all tables"]
        else:
            chosen.append(mode)
    return chosen
