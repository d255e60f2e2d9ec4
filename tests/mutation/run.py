#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Switches one mechanism off at a time and shows which tests go red.

In a private copy of the tree: apply a mutation, build what changed, run its tests without their controls, take it
back. What was learnt is kept in WORK/state.json, so an interrupted run goes on where it stopped; RESULTS.md is
written from all of it. A mutation that leaves every test green is a missing test, and the exit status says so.

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

MUTATIONS = filter_mutations.MUTATIONS + gate_mutations.MUTATIONS + layer_mutations.MUTATIONS
BUILD = "build/mutant"
PROGRAMS = ("remit", "libremit.so", "tests/escapes/escapes", "tests/escapes/escapes-static", "tests/escapes/tool",
            "tests/escapes/tool-did", "tests/escapes/stranger", "tests/escapes/evil.so", "tests/race/race",
            "tests/race/race-static")
RED = re.compile(r"^(\S+) \(([^)]*)\): FAIL (?:escaped|lost|the race)", re.M)
SESSION_RED = re.compile(r"^  FAILED\s+(\S+) \(([^)]*)\)", re.M)


class Tree:
    """The private copy, with whatever the working tree holds."""

    def __init__(self, place):
        self.place = place
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


def command(tree, kind, which, user):
    build = os.path.join(tree.place, BUILD)
    if kind == "escapes":
        words = ["tests/live/escapes/run.py", build, "--no-control", "--summary", "--only", which]
        return words + (["--user", user] if user and os.getuid() == 0 else [])
    if kind == "race":
        return ["tests/race/run.py", build, "--only", which, "--loops", os.environ.get("LOOPS", "20000")]
    return ["tests/live/run", build, "--only", which]


def run_tests(tree, mutation):
    """(red tests as "NAME (way)", how many ran)"""
    red, ran = [], 0
    wanted = ([("escapes", mutation.escapes)] if mutation.escapes else []) + list(mutation.others)
    for kind, which in wanted:
        done = subprocess.run([sys.executable] + command(tree, kind, which, mutation.user), cwd=tree.place,
                              capture_output=True, text=True, timeout=1800)
        found = (SESSION_RED if kind == "session" else RED).findall(done.stdout)
        red += [f"{name} ({way})" for name, way in found]
        if "FAIL no session" in done.stdout:
            raise ValueError("no session starts: " + done.stdout.strip()[:300])
        counts = re.search(r"(\d+) passed, (\d+) failed", done.stdout)
        ran += sum(map(int, counts.groups())) if counts else 0
    return red, ran


def key(mutation):
    return hashlib.blake2b(repr(mutation).encode(), digest_size=8).hexdigest()


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
    listing = subprocess.run([os.path.join(tree.place, BUILD, "tests/escapes/escapes"), "--list"], check=True,
                             capture_output=True, text=True).stdout
    return [(name, int(flags)) for name, flags, _ in (line.split("\t") for line in listing.splitlines())]


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


def report(tree, state):
    lines = ["# What goes red", "",
             "Written by `make check-mutation`. Each row is one mechanism, switched off alone by an exact edit of the sources (`NAME_mutations.py`),",
             "and the tests that then see something get out; ×3: in all three ways. Where another layer holds the same by itself, that layer was",
             "taken away too, which the third column says.", "",
             "| mutation | mechanism | with | red |", "|---|---|---|---|"]
    ever = set()
    for mutation in MUTATIONS:
        result = state.get(key(mutation), {})
        red = result.get("red", [])
        ever |= set(ways_of(red))
        what = cell(red) if red else "**" + result.get("broken", "green" if result else "not run") + "**"
        lines.append(f"| {mutation.name} | {mutation.mechanism} | {', '.join(mutation.with_layers)} | {what} |")
    rest = [name for name, flags in cases(tree) if name not in ever and not flags & 8]
    lines += ["", f"{sum(1 for m in MUTATIONS if state.get(key(m), {}).get('red'))} of {len(MUTATIONS)} mutations are red.",
              "", "Escape cases that none of these turned red (held by more than what was taken away, by the kernel itself, or lacking here):",
              "", ", ".join(rest) or "none", ""]
    with open(os.path.join(HERE, "RESULTS.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", default=os.path.join(tempfile.gettempdir(), f"remit-mutation-{os.getuid()}"))
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
    bad = 0
    for mutation in MUTATIONS:
        if not re.search(options.only, mutation.name):
            continue
        if key(mutation) in state and not options.only:
            result = state[key(mutation)]
        else:
            began = time.monotonic()
            result = one(tree, mutation)
            state[key(mutation)] = result
            with open(kept + ".new", "w", encoding="utf-8") as file:
                json.dump(state, file)
            os.replace(kept + ".new", kept)
            words = result.get("broken") or cell(result["red"]) or f"GREEN, {result['ran']} tests ran"
            print(f"{mutation.name}: {words} [{time.monotonic() - began:.0f} s]", flush=True)
        bad += not result.get("red")
    tree.make()
    if not options.no_report:
        report(tree, state)
    print(f"mutation: {bad} without a red test")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
