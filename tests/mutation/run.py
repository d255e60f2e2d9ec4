#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Switches one mechanism off at a time and shows which tests go red.

In a private copy of the tree: apply a mutation, build what changed, run its tests without their controls, take it
back. What was learnt is kept in WORK/state.json under the mutation and the content of the tree, so an interrupted run
goes on where it stopped, and what was learnt of other sources counts for nothing; RESULTS.md is written from all of
it. A mutation that leaves every test green is a missing test, and a case that no mutation turns red shows nothing:
the exit status says so of each that unseen.py does not know with a reason, and of each reason that is out of date.

usage: run.py [--work DIR] [--only REGEX] [--fresh] [--list] [--no-report]
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import filter_mutations  # noqa: E402
import gate_mutations  # noqa: E402
import layer_mutations  # noqa: E402
import session_mutations  # noqa: E402
import unseen  # noqa: E402

MUTATIONS = filter_mutations.MUTATIONS + gate_mutations.MUTATIONS + layer_mutations.MUTATIONS + session_mutations.MUTATIONS
BUILD = "build/mutant"
PROGRAMS = ("remit", "libremit.so", "tests/escapes/escapes", "tests/escapes/escapes-static", "tests/escapes/tool",
            "tests/escapes/tool-did", "tests/escapes/stranger", "tests/escapes/evil.so", "tests/race/race",
            "tests/race/race-static")
RED = re.compile(r"^(\S+) \(([^)]*)\): FAIL (?:escaped|lost)", re.M)
SKIPPED = re.compile(r"^(\S+) \(([^)]*)\): skip", re.M)
SHAPES = ("policy/", "shim/", "tools/", "tests/live/", "tests/race/", "Makefile")
LOOPS = os.environ.get("LOOPS", "3000")
SESSION_RED = re.compile(r"^  FAILED\s+(\S+) \(([^)]*)\)", re.M)


class Tree:
    """The private copy, with whatever the working tree holds."""

    def __init__(self, place):
        self.place, self.digest = place, hashlib.blake2b(digest_size=8)
        names = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "-c", "-o", "--exclude-standard"], check=True,
                               capture_output=True).stdout.decode().split("\0")
        for name in filter(None, names):
            self.copy(name)

    def copy(self, name):
        source, target = os.path.join(ROOT, name), os.path.join(self.place, name)
        if not os.path.isfile(source):
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(source, "rb") as file:
            content = file.read()
        if name.startswith(SHAPES):
            self.digest.update(name.encode() + b"\0" + hashlib.blake2b(content).digest())
        if os.path.exists(target):
            with open(target, "rb") as file:
                if file.read() == content:
                    return
        shutil.copy(source, target)

    def read(self, path):
        with open(os.path.join(self.place, path), encoding="utf-8") as file:
            return file.read()

    def write(self, path, text):
        with open(os.path.join(self.place, path), "w", encoding="utf-8") as file:
            file.write(text)

    def make(self):
        return subprocess.run(["make", "-s", "-j2", "-C", self.place, "BUILD=" + BUILD, "Q=@"] +
                              [f"{BUILD}/{name}" for name in PROGRAMS], capture_output=True, text=True)


def apply(tree, mutation):
    """{path: the text before}; raises ValueError when an edit does not fit."""
    before = {}
    for edit in mutation.edits:
        text = tree.read(edit.path)
        if text.count(edit.old) != 1:
            raise ValueError(f"{edit.path}: stands there {text.count(edit.old)} times: {edit.old!r}")
        before.setdefault(edit.path, text)
        tree.write(edit.path, text.replace(edit.old, edit.new))
    return before


def command(tree, kind, which, mutation):
    build = os.path.join(tree.place, BUILD)
    if kind == "escapes":
        words = ["tests/live/escapes/run.py", build, "--no-control", "--summary", "--only", which]
        words += ["--user", mutation.user] if mutation.user and os.getuid() == 0 else []
        return words + (["--without", mutation.lacks] if mutation.lacks else [])
    if kind == "race":
        return ["tests/race/run.py", build, "--no-control", "--only", which, "--loops", LOOPS]
    return ["tests/live/run", build, "--only", which]


def unit_fails(tree, program):
    """A unit test is one program, built with the sources that it tries."""
    target = f"{BUILD}/tests/unit/{program}"
    built = subprocess.run(["make", "-s", "-C", tree.place, "BUILD=" + BUILD, target], capture_output=True, text=True)
    if built.returncode != 0:
        raise ValueError(f"{program} does not build: " + built.stderr.strip()[-300:])
    return subprocess.run([os.path.join(tree.place, target)], cwd=tree.place, capture_output=True, timeout=600).returncode != 0


def run_tests(tree, mutation):
    """(red tests as "NAME (way)", how many ran)"""
    red, ran = [], 0
    wanted = ([("escapes", mutation.escapes)] if mutation.escapes else []) + list(mutation.others)
    for kind, which in wanted:
        if kind == "unit":
            red += [f"unit/{which} (unit)"] if unit_fails(tree, which) else []
            ran += 1
            continue
        done = subprocess.run([sys.executable] + command(tree, kind, which, mutation), cwd=tree.place,
                              capture_output=True, text=True, timeout=1800)
        found = (SESSION_RED if kind == "session" else RED).findall(done.stdout)
        if kind == "session":
            ran += len(re.findall(r"^  (?:PASSED|FAILED) ", done.stdout, re.M))
        red += [f"{name} ({way})" for name, way in found]
        if "FAIL no session" in done.stdout and not found:
            raise ValueError("no session starts: " + done.stdout.strip()[:300])
        counts = re.search(r"(\d+) passed, (\d+) failed", done.stdout)
        ran += sum(map(int, counts.groups())) if counts else 0
    return red, ran


def key(tree, mutation):
    return hashlib.blake2b((tree.digest.hexdigest() + repr(mutation)).encode(), digest_size=8).hexdigest()


def one(tree, mutation):
    before = {}
    try:
        before = apply(tree, mutation)
        built = tree.make()
        if built.returncode != 0:
            return {"broken": "does not build: " + built.stderr.strip()[-600:]}
        red, ran = run_tests(tree, mutation)
        return {"red": red, "ran": ran} if ran else {"broken": "no test ran"}
    except ValueError as error:
        return {"broken": str(error)}
    finally:
        for path, text in before.items():
            tree.write(path, text)


def cases(tree):
    """Every case that shows a refusal: the escapes, the races, the session tests."""
    tests = os.path.join(tree.place, BUILD, "tests")
    listing = subprocess.run([os.path.join(tests, "escapes/escapes"), "--list"], check=True, capture_output=True, text=True)
    races = subprocess.run([os.path.join(tests, "race/race"), "--list"], check=True, capture_output=True, text=True)
    granted = 8  # MUST_WORK, harness.h
    names = [name for name, flags, _ in (line.split("\t") for line in listing.stdout.splitlines()) if not int(flags) & granted]
    session = sorted(os.listdir(os.path.join(tree.place, "tests/live/session")))
    return names, races.stdout.split(), ["session/" + name for name in session if name.endswith(".py") and name != "live.py"]


def lacking(tree, names):
    """Of these escapes, those whose act this machine does not let happen outside a session either."""
    shown = set()
    pattern = "^(" + "|".join(map(re.escape, names)) + ")$"
    for user in (["root", "nobody"] if os.getuid() == 0 else [""]):
        done = subprocess.run([sys.executable, "tests/live/escapes/run.py", os.path.join(tree.place, BUILD), "--control", "--only",
                               pattern] + (["--user", user] if user else []), cwd=tree.place, capture_output=True, text=True)
        skipped = {name for name, _ in SKIPPED.findall(done.stdout)}
        shown |= set(names) - skipped
    return set(names) - shown


def ways_of(red):
    """{name: ways}, in the order in which they were seen."""
    seen = {}
    for entry in red:
        name, way = entry.rstrip(")").split(" (", 1)
        seen.setdefault(name, []).append(way.split(",")[0])
    return {name: len(set(ways)) for name, ways in seen.items()}


def cell(red):
    names = ways_of(red)
    shown = [f"{name} ×{count}" for name, count in names.items()]
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")


HEAD = """\
# What goes red

Written by `make check-mutation`. Each row is one mechanism, switched off alone by an exact edit of the sources (`NAME_mutations.py`),
and the tests that then see something get out; ×3: in all three ways. Where another layer holds the same by itself, that layer was
taken away too, which the third column says.

| mutation | mechanism | with | red |
|---|---|---|---|
"""


def with_of(mutation):
    return ", ".join(mutation.with_layers + ((f"no {mutation.lacks}",) if mutation.lacks else ()))


def account(tree, state):
    """(lines for the report, what is wrong): every mutation is red and every case was red, or a reason is known."""
    lines, wrong, ever = [], [], set()
    for mutation in MUTATIONS:
        result = state.get(key(tree, mutation), {})
        red, reason = result.get("red", []), unseen.GREEN.get(mutation.name)
        ever |= set(ways_of(red))
        words = cell(red) or "**" + result.get("broken", "green" if result else "not run") + "**" + (f": {reason}" if reason else "")
        lines.append(f"| {mutation.name} | {mutation.mechanism} | {with_of(mutation)} | {words} |")
        if bool(red) == bool(reason) or result.get("broken"):
            wrong.append(f"{mutation.name}: " + ("red, yet there is a reason why not" if red else words))
    wrong += [f"{name}: no such mutation, yet there is a reason" for name in set(unseen.GREEN) - {m.name for m in MUTATIONS}]
    escapes, races, sessions = cases(tree)
    rest = [name for name in escapes + races + sessions if name not in ever]
    absent = lacking(tree, [name for name in rest if name in set(escapes)])
    count = sum(1 for m in MUTATIONS if state.get(key(tree, m), {}).get("red"))
    lines += ["", f"{count} of {len(MUTATIONS)} mutations are red, and so were {len(escapes + races + sessions) - len(rest)} of "
              f"{len(escapes + races + sessions)} cases. The others:", "", "| case | why nothing here turns it red |", "|---|---|"]
    for name in rest:
        reason = unseen.reason(name) or ("this machine does not let the act happen outside a session either" if name in absent else None)
        lines.append(f"| {name} | {reason or '**not known**'} |")
        if not reason:
            wrong.append(f"{name}: nothing turns it red, and no reason is known")
    wrong += [f"{name}: was red, yet there is a reason why not" for name in sorted(ever) if name in unseen.CASES]
    return lines + [""], wrong


def main():
    parser = argparse.ArgumentParser()
    # Each checkout has its own: two that ran at once would build in each other's tree.
    checkout = hashlib.blake2b(HERE.encode(), digest_size=4).hexdigest()
    parser.add_argument("--work", default=os.path.join(tempfile.gettempdir(), f"remit-mutation-{os.getuid()}-{checkout}"))
    parser.add_argument("--only", default="")
    parser.add_argument("--fresh", action="store_true", help="forget what was learnt")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--no-report", action="store_true")
    options = parser.parse_args()
    if options.list:
        print("\n".join(m.name for m in MUTATIONS))
        return 0
    os.makedirs(options.work, mode=0o755, exist_ok=True)
    if os.stat(options.work).st_uid != os.getuid():
        sys.exit(f"{options.work} belongs to another user")
    kept = os.path.join(options.work, "state.json")
    state = {}
    if os.path.exists(kept) and not options.fresh:
        with open(kept, encoding="utf-8") as file:
            state = json.load(file)
    tree = Tree(os.path.join(options.work, "tree"))
    first = tree.make()
    if first.returncode != 0:
        sys.exit("the unchanged tree does not build:\n" + first.stderr)
    for mutation in MUTATIONS:
        if not re.search(options.only, mutation.name):
            continue
        if key(tree, mutation) in state and not options.only:
            result = state[key(tree, mutation)]
        else:
            began = time.monotonic()
            result = one(tree, mutation)
            state[key(tree, mutation)] = result
            with open(kept + ".new", "w", encoding="utf-8") as file:
                json.dump(state, file)
            os.replace(kept + ".new", kept)
            words = result.get("broken") or cell(result["red"]) or f"GREEN, {result['ran']} tests ran"
            print(f"{mutation.name}: {words} [{time.monotonic() - began:.0f} s]", flush=True)
    built = tree.make()
    if built.returncode != 0:
        sys.exit("the tree that was put back does not build:\n" + built.stderr)
    if options.only or options.no_report:
        return 0
    lines, wrong = account(tree, state)
    with open(os.path.join(HERE, "RESULTS.md"), "w", encoding="utf-8") as file:
        file.write(HEAD + "\n".join(lines))
    print("\n".join(wrong + [f"mutation: {len(wrong)} that should not be"]))
    return len(wrong) != 0


if __name__ == "__main__":
    sys.exit(main())
