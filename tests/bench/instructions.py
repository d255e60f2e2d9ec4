#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions per decision and per open hook of the shim, against a committed budget: a regression check without a clock.

    tests/bench/instructions.py [--update] BUILD

Each act is counted by callgrind in two runs, of FEW and of MANY times; the difference is the act's. Fails when an act takes
more than 5 % above its budget in tests/bench/instructions. Skips (77) where valgrind is missing, or where another compiler
than the budget's built the programs: its numbers are its own.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BUDGET = HERE / "instructions"
FEW, MANY = 100, 1100
TOLERANCE = 1.05
# Debian's valgrind is a shell script around this.
PROGRAM = shutil.which("valgrind.bin") or shutil.which("valgrind")
VALGRIND = [PROGRAM, "--tool=callgrind", "--vgdb=no", "--callgrind-out-file=/dev/null"]
DECISIONS = ("hit, 8 components", "hit, 32 components", "miss, 8 components", "hit beside a ** denial, 8", "glob hit",
             "glob denial", "address hit", "address miss")
# Paths of the same length on every machine: the hash of a path is in the price.
OPENS = {"open, in the wall": "/usr/share/common-licenses/GPL-3", "open, by the gate": "/etc/issue"}
MANIFEST = """\
remit: 1
agent: {{id: count, purpose: Count instructions}}
include: [base]
files: {{read: [/usr/libexec/valgrind, "/etc/iss?e"], write: ["${{TMP}}"]}}
exec: {{allow: ["{valgrind}", /usr/libexec/valgrind, "{programs}"]}}
env: {{pass: [PATH]}}
"""


class Failed(Exception):
    """Nothing was counted; the text says why."""


def compiler():
    version = subprocess.run([os.environ.get("CC", "cc"), "--version"], capture_output=True, text=True, check=False)
    return version.stdout.splitlines()[0] if version.stdout else "unknown"


def counted(command):
    """Instructions of one run."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    total = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not total:
        words = done.stderr.strip().splitlines()
        raise Failed(f"{' '.join(map(str, command))}: ended with {done.returncode}: {words[-1] if words else ''}")
    return int(total[1])


def per_act(command_of):
    return (counted(command_of(MANY)) - counted(command_of(FEW))) / (MANY - FEW)


def count_all(build):
    """{act: instructions}"""
    programs = build / "tests/bench"
    counts = {f"decide {name}": per_act(lambda n, name=name: [*VALGRIND, programs / "count_decide", name, str(n)])
              for name in DECISIONS}
    with tempfile.TemporaryDirectory(prefix="remit-count-") as folder:
        manifest = pathlib.Path(folder) / "manifest.yaml"
        manifest.write_text(MANIFEST.format(programs=programs, valgrind=PROGRAM))
        session = [build / "remit", "run", "-m", manifest, "--quiet", "--audit", "/dev/null", "--"]
        for name, path in OPENS.items():
            native = per_act(lambda n, path=path: [*VALGRIND, programs / "count_open", path, str(n)])
            inside = per_act(lambda n, path=path: [*session, *VALGRIND, programs / "count_open", path, str(n)])
            counts[f"shim {name}"] = inside - native
    return counts


def read_budget():
    """(compiler, {act: instructions}); ("", {}) when there is none."""
    built_by, budget = "", {}
    for line in BUDGET.read_text().splitlines() if BUDGET.exists() else ():
        if line.startswith("# compiler: "):
            built_by = line[12:]
        elif line and not line.startswith("#"):
            act, count = line.rsplit("\t", 1)
            budget[act] = float(count)
    return built_by, budget


def write_budget(counts):
    lines = ["# SPDX-License-Identifier: Apache-2.0",
             "# Instructions of one act, counted by callgrind; `make check-instructions UPDATE=1` writes this file.",
             f"# compiler: {compiler()}", *(f"{act}\t{count:.0f}" for act, count in counts.items())]
    BUDGET.write_text("\n".join(lines) + "\n")


def compare(counts, budget):
    """Prints every act; the number of those that are over their budget or have none."""
    over = 0
    for act, count in counts.items():
        allowed = budget.get(act)
        bad = allowed is None or count > allowed * TOLERANCE
        change = f"{100 * (count / allowed - 1):+.1f} %" if allowed else "no budget"
        print(f"{'FAIL' if bad else 'ok  '} {act:36}{count:9.0f}  budget {allowed or 0:9.0f}  {change}")
        over += bad
    for act in set(budget) - set(counts):
        print(f"FAIL {act}: in the budget, not counted")
        over += 1
    return over


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--update", action="store_true", help="write the budget instead of comparing with it")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    if not PROGRAM:
        print("skipped: valgrind is not installed")
        return 77
    built_by, budget = read_budget()
    if not options.update and built_by != compiler():
        print(f"skipped: the budget is for \"{built_by}\", this is \"{compiler()}\"")
        return 77
    try:
        counts = count_all(build)
    except (Failed, subprocess.TimeoutExpired) as why:
        print(f"FAIL nothing counted: {why}")
        return 1
    if options.update:
        write_budget(counts)
        print(BUDGET.read_text(), end="")
        return 0
    over = compare(counts, budget)
    print(f"{len(counts)} counted, {over} over budget" + ("; if that is meant: make check-instructions UPDATE=1" if over else ""))
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
