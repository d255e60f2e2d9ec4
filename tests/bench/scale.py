#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The price of a call against the number of rules, folders, processes, threads and cpus; plots, and a model fitted to it.

    tests/bench/scale.py [--short] [--plots DIR] [--json FILE] BUILD
"""
import argparse
import json
import os
import pathlib
import sys

import machine
import model
import modes
import series
from svg import Plot
from world import World


def measure(world, usable, short, rounds):
    sizes = (10, 1000, 100000) if short else (10, 100, 1000, 10000, 100000, 1000000)
    depths = (1, 8, 32) if short else (1, 2, 4, 8, 16, 32, 48)
    crowds = (1, 8, 64) if short else (1, 2, 4, 8, 16, 64, 256, 1000)
    threads = (1, 8) if short else (1, 2, 4, 8, 16, 64, 256)
    per = "µs per act of all together"
    yield from series.decisions(world, rounds, sizes)
    yield from series.rules(world, usable, rounds, (10, 1000) if short else (10, 100, 1000, 10000))
    yield series.of_requests(
        world, usable, series.Series("call-depth", "open+read+close, by depth of the path", "folders beneath the granted one",
                                     "µs per act"),
        "open_read_close", [(depth, f" 1 threads {depth}") for depth in depths], rounds)
    yield series.of_requests(
        world, usable, series.Series("call-processes", "open+read+close, by processes at once", "processes", per),
        "open_read_close", [(count, f" {count} processes 4") for count in crowds], rounds)
    yield series.of_requests(
        world, usable, series.Series("call-threads", "open+read+close, by threads at once", "threads", per),
        "open_read_close", [(count, f" {count} threads 4") for count in threads], rounds)
    yield series.cpus(world, usable, rounds)


def show(one):
    print(f"\n{one.title} ({one.y_label})\n")
    summary = one.summary()
    xs = sorted({x for points in summary.values() for x, *_ in points})
    print(f"{one.x_label:32}" + "".join(f"{x:>12,}" for x in xs))
    for name, points in summary.items():
        cells = {x: middle for x, _, middle, _ in points}
        print(f"{name:32}" + "".join(f"{cells[x]:12.4g}" if x in cells else " " * 12 for x in xs))
    for (name, x), why in one.errors.items():
        print(f"  error {name} at {x}: {why}")
    sys.stdout.flush()


def write(path, results):
    if path:
        pathlib.Path(path).write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--plots", metavar="DIR", help="a folder for the plots, one SVG a series")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    if not os.access(pathlib.Path(options.build) / "remit", os.X_OK):
        print(f"no remit in {options.build}: make first", file=sys.stderr)
        return 77
    machine.mount_memory(options.build)
    rounds = options.rounds or (5 if options.short else 15)
    results = {"machine": machine.about(), "series": {}}
    with World(options.build) as world:
        usable = modes.choose(world, ["landlock", "wall", "gap"], {})
        for one in measure(world, usable, options.short, rounds):
            show(one)
            results["series"][one.key] = one.plain()
            write(options.json, results)
            if options.plots and one.points:
                folder = pathlib.Path(options.plots)
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{one.key}.svg").write_text(
                    Plot(one.title, one.x_label, one.y_label, one.summary(), one.logarithmic).text())
        results["model"] = model.measure(world, usable, results["series"]["call-depth"]["series"], rounds)
    write(options.json, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
