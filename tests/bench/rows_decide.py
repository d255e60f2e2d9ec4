# SPDX-License-Identifier: Apache-2.0
"""Rows of single decisions, against the number of rules."""
import json
import subprocess

from stats import Table

SIZES = (10, 100, 1000, 10000, 100000, 1000000)
SHORT_SIZES = (10, 1000, 100000)


def run(world, rounds, sizes):
    """What bench_decide prints, or raises OSError, ValueError or subprocess.SubprocessError."""
    done = subprocess.run([world.programs / "bench_decide", str(rounds), *map(str, sizes)], capture_output=True, text=True,
                          check=True, timeout=900)
    return json.loads(done.stdout)


def names(sizes):
    return [f"{size:,}" for size in sizes]


def table(world, rounds, sizes=SIZES):
    """(table, {"10": {"us": …, "bytes": …}, …} of opening an image)."""
    result = Table("decisions, by number of rules", "ns", [*names(sizes), "again"], f"{sizes[0]:,}")
    try:
        measured = run(world, rounds, sizes)
    except (OSError, ValueError, subprocess.SubprocessError) as why:
        result.fail("bench_decide", result.base, str(why))
        return result, {}
    opened = measured.pop("open")
    for row, columns in measured.items():
        for column, values in columns.items():
            mode = column if column == "again" else f"{int(column):,}"
            for number, value in enumerate(values):
                result.add(row, mode, number, value)
    # A scope of ten rules has no objects all over it: the first that has is what the others are held against.
    for row in [row for row in result.samples if "spread" in row]:
        first = next(iter(result.samples[row]))
        result.samples[row][result.base] = result.samples[row][first]
    return result, opened


def show_open(opened, out=print):
    out("\nopening an image: " + ", ".join(f"{int(size):,} rules {cell['us']:,.0f} us ({cell['bytes']:,} bytes)"
                                          for size, cell in opened.items()))
