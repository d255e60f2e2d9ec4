# SPDX-License-Identifier: Apache-2.0
"""Rows of whole programs: each started anew in every mode, its time from start to end as the caller sees it."""
import os
import pathlib
import shutil
import subprocess
import sys
import time

from driver import told
from stats import Table

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 300
MODES = ("native", "again", "landlock", "wall", "gap", "wall-noshim", "gap-noshim", "bwrap", "firejail", "proot", "strace", "srt",
         "codex")


class Row:
    """A command in a folder of its own beneath the mode's place; `fresh` is what a run makes and the next must not find."""

    def __init__(self, name, command, policy="work", needs=(), prepare=None, fresh=(), expect=0):
        self.name, self.command, self.policy, self.needs = name, command, policy, needs
        self.prepare, self.fresh, self.expect = prepare, fresh, expect

    def absent(self, world):
        missing = [need for need in self.needs if not shutil.which(need, path=world.environment["PATH"])]
        return f"{', '.join(missing)} not installed" if missing else None


def make_tree(folder, size):
    """Copies of the first `size` headers of this machine, 100 to a folder."""
    count = 0
    for path in sorted(pathlib.Path("/usr/include").rglob("*.h")):
        if count == size:
            break
        if path.is_file():
            (folder / f"part-{count // 100}").mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / f"part-{count // 100}/{count}-{path.name}")
            count += 1


def make_build(folder):
    """policy/core, and a makefile of its own."""
    shutil.copytree(ROOT / "policy/core", folder / "policy/core")
    (folder / "Makefile").write_text("export TMPDIR := $(CURDIR)\nOBJECTS := $(patsubst %.c,%.o,$(wildcard policy/core/*.c))\nall: $(OBJECTS)\n"
                                     "%.o: %.c\n\tcc -std=gnu17 -D_GNU_SOURCE -O1 -I. -c -o $@ $<\n"
                                     "clean:\n\trm -f $(OBJECTS)\n")


def make_repository(folder):
    make_tree(folder / "from", 1000)
    for command in (["init", "-q", "."], ["add", "."],
                    ["-c", "user.name=b", "-c", "user.email=b@example.com", "commit", "-q", "-m", "all"]):
        subprocess.run(["git", *command], cwd=folder / "from", check=True, capture_output=True)


def make_archive(folder):
    """3,000 files of some hundred bytes."""
    for number in range(3000):
        part = folder / f"files/part-{number % 50}"
        part.mkdir(parents=True, exist_ok=True)
        (part / f"{number}.txt").write_text(f"file {number}\n" * 20)
    subprocess.run(["tar", "-cf", "files.tar", "files"], cwd=folder, check=True)
    shutil.rmtree(folder / "files")


def rows(short):
    files = 500 if short else 3000
    return [
        Row("true, small manifest", ["/bin/true"], "small"),
        Row("true, shell profile", ["/bin/true"], "shell"),
        Row("true, 10,000 rules", ["/bin/true"], "many"),
        Row("true, policy of those below", ["/bin/true"]),
        Row("python3 -c pass", ["/usr/bin/python3", "-c", "pass"], needs=["python3"]),
        Row("node -e 0", [shutil.which("node", path="/usr/local/bin:/usr/bin:/bin") or "node", "-e", "0"], needs=["node"]),
        Row(f"grep -r, {files:,} files", ["/usr/bin/grep", "-rc", "no such text", "tree"], needs=["grep"], expect=1,
            prepare=lambda folder: make_tree(folder / "tree", files)),
        Row("make -j2 of policy/core", ["/usr/bin/make", "-s", "-j2"], needs=["make", "cc"], prepare=make_build,
            fresh=["policy/core/*.o", "cc*"]),
        Row("git clone + status", ["/bin/sh", "-c", "git clone -q --no-hardlinks from to && git -C to status --short"],
            needs=["git"], prepare=make_repository, fresh=["to"]),
        Row("tar -x, 3,000 files", ["/usr/bin/tar", "-xf", "files.tar"], needs=["tar"], prepare=make_archive, fresh=["files"]),
    ]


def clean(folder, patterns):
    for pattern in patterns:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def run_once(row, mode, folder):
    """(milliseconds, None) or (None, why)."""
    command = mode.wrap(row.command, row.policy, folder)
    clean(folder, row.fresh)
    begin = time.monotonic_ns()
    try:
        done = subprocess.run(command, cwd=folder, env=mode.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)[:160]
    took = (time.monotonic_ns() - begin) / 1e6
    if done.returncode != row.expect:
        return None, f"ended with {done.returncode}: {told(done.stderr)}"
    return took, None


def folders_of(row, world, modes):
    """{place: a folder there with the row's data}, for each place that a mode works in."""
    folders = {}
    for place in {mode.place for mode in modes}:
        folder = world.place(place) / "".join(c if c.isalnum() else "-" for c in row.name)
        folder.mkdir(exist_ok=True)
        if row.prepare:
            row.prepare(folder)
        folders[place] = folder
    return folders


def progress(words):
    """For whoever watches: a row of programs takes a while."""
    if sys.stderr.isatty() or os.environ.get("REMIT_BENCH_PROGRESS"):
        print(f"  {words}", file=sys.stderr, flush=True)


def empty_table(modes):
    return Table("programs, start to end", "ms", [mode.name for mode in modes if mode.name in MODES])


def measure(table, world, modes, rounds, options, extra=()):
    """Fills the table, row by row."""
    modes = [mode for mode in modes if mode.name in MODES]
    for row in [*rows(options.short), *extra]:
        if options.only not in row.name:
            continue
        why = row.absent(world)
        if why:
            table.fail(row.name, "native", why)
            continue
        able = [mode for mode in modes if mode.wrap(["true"], row.policy) is not None]
        for mode in modes:
            if mode not in able:
                table.leave_out(row.name, mode.name, "not tried: its command line has no such form")
        measure_row(table, row, able, folders_of(row, world, modes), rounds)


def measure_row(table, row, modes, folders, rounds):
    failed = set()
    progress(row.name)
    for number in range(-1, rounds):  # the first round warms up
        turn = number % len(modes)
        for mode in modes[turn:] + modes[:turn]:
            if mode.name in failed:
                continue
            took, why = run_once(row, mode, folders[mode.place])
            if why:
                progress(f"{mode.name}: {why}")
                table.fail(row.name, mode.name, why)
                failed.add(mode.name)
            elif number >= 0:
                table.add(row.name, mode.name, number, took)
    for folder in folders.values():
        shutil.rmtree(folder, ignore_errors=True)
