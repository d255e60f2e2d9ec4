#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The benchmark: every mode by turns, one table for each kind of row.

    tests/bench/run.py [OPTIONS] BUILD

Each round runs every mode once, so that a machine that warms up or is shared slows all of them; a ratio is taken within
its round. The mode `again` is native a second time: what it differs from 1 by is noise.
"""
import argparse
import json
import os
import pathlib
import signal
import sys

import machine
import modes
import rows_agents
import rows_calls
import rows_decide
import rows_held
import rows_npm
import rows_programs
import table as tables
from world import World

GROUPS = ("held", "decide", "calls", "programs")


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", help="where remit and tests/bench are built")
    parser.add_argument("--short", action="store_true", help="few rounds and sizes: a minute")
    parser.add_argument("--rounds", type=int, help="of the call rows (default 31, short 7); programs: a third of it")
    parser.add_argument("--modes", default="", help="only these, by comma")
    parser.add_argument("--rows", default=",".join(GROUPS), help=f"only these groups, by comma: {', '.join(GROUPS)}")
    parser.add_argument("--only", default="", metavar="TEXT", help="of the programs only those whose name has this in it")
    parser.add_argument("--json", metavar="FILE", help="everything that was measured")
    parser.add_argument("--npm", action="store_true", help="with npm ci of tests/bench/npm (asks npm's registry once)")
    parser.add_argument("--agents", action="store_true", help="with runs of pi and Codex (installs them)")
    return parser.parse_args()


class Bench:
    def __init__(self, chosen):
        self.options = chosen
        self.rounds = chosen.rounds or (7 if chosen.short else 31)
        self.notes = {}
        self.results = {"tables": {}}

    def show(self, table):
        self.results["tables"][table.name] = table.plain()
        tables.show(table, self.notes)
        sys.stdout.flush()
        self.write()

    def write(self):
        """After every table, so that a run that is stopped has told what it had."""
        self.results["notes"] = [{"sign": sign, "mode": mode, "why": why, "where": where}
                                 for (sign, mode, why), where in self.notes.items()]
        if self.options.json:
            text = json.dumps(self.results, indent=1, ensure_ascii=False)
            pathlib.Path(self.options.json).write_text(text + "\n")

    def decide(self, world):
        sizes = rows_decide.SHORT_SIZES if self.options.short else rows_decide.SIZES
        table, opened = rows_decide.table(world, self.rounds, sizes)
        self.show(table)
        rows_decide.show_open(opened)
        self.results["open"] = opened

    def held(self, world, usable):
        held = rows_held.measure(world, [mode for mode in usable if mode.name in rows_calls.MODES and mode.name != "again"])
        self.results["held"] = held
        tables.show_held(held)
        for act, cells in held.items():
            for mode, cell in cells.items():
                if cell.startswith("error"):
                    self.notes.setdefault(("error", mode, cell[7:]), []).append(f"held: {act}")

    def programs(self, world, usable):
        extra = rows_npm.rows(world, self.notes) if self.options.npm else ()
        table = rows_programs.empty_table(usable)
        try:
            rows_programs.measure(table, world, usable, max(3, self.rounds // 3), self.options, extra)
        finally:
            self.show(table)  # what there is of it, when the run is stopped

    def run(self, world):
        names = [name for name in self.options.modes.split(",") if name]
        groups = self.options.rows.split(",")
        usable = modes.choose(world, names, self.notes)
        about = self.results["machine"] = {**machine.about(), "files": world.memory}
        print(f"Linux {about['kernel']}, {about['cpus']} cpus, load {about['load'][0]}, as {about['user']}, {world.memory}; "
              f"{self.rounds} rounds")
        if "held" in groups:
            self.held(world, usable)
        if "decide" in groups:
            self.decide(world)
        if "calls" in groups:
            for table in rows_calls.tables(world, usable, self.rounds, self.options.short):
                self.show(table)
        if "programs" in groups:
            self.programs(world, usable)
        if self.options.agents:
            self.show(rows_agents.measure(world, max(3, self.rounds // 6)))
        tables.show_notes(self.notes)
        self.write()


def main():
    chosen = options()
    if not os.access(pathlib.Path(chosen.build) / "remit", os.X_OK):
        print(f"no remit in {chosen.build}: make first", file=sys.stderr)
        return 77
    machine.mount_memory(chosen.build)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bench = Bench(chosen)
    with World(chosen.build) as world:
        bench.run(world)
    return 0


if __name__ == "__main__":
    sys.exit(main())
