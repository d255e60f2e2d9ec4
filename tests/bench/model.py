# SPDX-License-Identifier: Apache-2.0
"""A model of the cost: what a kind of call costs more than natively, times how many of them a program makes, against what
the program really takes more. Prints it; MODEL.md says what it means.

Both sides are processor time: prices are taken on one cpu, where the time of a gated call is what agent, kernel and gate
compute, and programs are judged by what they and the gate used. So a machine that is shared spoils neither.
"""
import collections
import os
import re
import statistics
import subprocess

import rows_calls
import rows_programs
from stats import fit_line

# Acts whose price is measured, and which system calls are charged with what part of it. An act of two calls is halved.
PRICES = {
    "open_read_close": (("open", "openat"), 1),
    "create_write_unlink": (("unlink", "unlinkat"), 0.5),
    "mkdir_rmdir": (("mkdir", "mkdirat", "rmdir"), 0.5),
    "rename_twice": (("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"), 0.5),
    "chmod": (("chmod", "fchmodat", "fchmod", "chown", "fchown", "lchown", "fchownat", "utimensat"), 1),
    "connect_close": (("connect",), 1),
    "fork_exec_true": (("execve", "execveat"), 1),
}
FILTER = "pread"  # the price of the filter, charged to every call that is not one of those
PROGRAMS = ("grep -r", "make -j2", "git clone", "tar -x")
MODES = ("wall", "gap")


def count_calls(row, world, folder):
    """Calls of one native run, by name; those on an absolute path outside the world, which are in the wall in every mode,
    with a "/" behind it."""
    log = world.own / "strace"
    command = ["strace", "-f", "-qq", "-o", str(log), *row.command]
    rows_programs.clean(folder, row.fresh)
    subprocess.run(command, cwd=folder, env=world.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False, timeout=300)
    counts = collections.Counter()
    with log.open(errors="replace") as lines:
        for line in lines:
            call = re.match(r'\d+ +(\w+)\([^"]*("/[^"]*)?', line)
            # A search along PATH fails natively as it does inside: no program starts.
            if call and not (call[1] in ("execve", "execveat") and " = -1 " in line):
                outside = call[2] and not call[2].startswith(f'"{world.base}')
                counts[call[1] + ("/" if outside else "")] += 1
    return counts


def prices(world, usable, rounds):
    """{mode: {act: extra nanoseconds}} of the dynamic driver on one cpu: the difference of the lower quartiles, because
    whatever else runs on that cpu only adds."""
    modes = [mode for mode in usable if mode.name in ("native", *MODES)]
    table = rows_calls.measure(world, modes, rounds, "dynamic", True, (FILTER, *PRICES))
    return {mode: {act: max(low(table, act, mode) - low(table, act, "native"), 0.0) for act in (FILTER, *PRICES)}
            for mode in MODES}


def low(table, act, mode):
    return (table.cell(act, mode) or {}).get("q1", 0.0)


def predict(counts, mode, price):
    """Milliseconds."""
    charged = {}
    for act, (names, part) in PRICES.items():
        for name in names:
            charged[name] = price[mode][act] * part
            charged[f"{name}/"] = price["wall"][act] * part
    return sum(number * charged.get(name, price[mode][FILTER]) for name, number in counts.items()) / 1e6


def used(row, mode, folder):
    """Milliseconds of processor time of one run and all that it started, or None when it failed."""
    rows_programs.clean(folder, row.fresh)
    process = subprocess.Popen(mode.wrap(row.command, row.policy, folder), cwd=folder, env=mode.environment(),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return (usage.ru_utime + usage.ru_stime) * 1e3 if process.returncode == row.expect else None


def measure_program(row, world, modes, rounds):
    """{"counts": …, "native": ms, mode: extra ms, …}, or None when some mode failed."""
    folders = rows_programs.folders_of(row, world, modes)
    native = next(mode for mode in modes if mode.name == "native")
    counts = count_calls(row, world, folders[native.place])
    empty = rows_programs.Row("true", ["/bin/true"], row.policy)
    extras, base = collections.defaultdict(list), []
    for _ in range(rounds):
        took = {mode.name: used(row, mode, folders[mode.place]) for mode in modes}
        start = {mode.name: used(empty, mode, folders[mode.place]) for mode in modes}
        if None in (*took.values(), *start.values()):
            return None
        base.append(took["native"])
        for mode in MODES:
            # What the start of the session costs is not the program's.
            extras[mode].append(took[mode] - took["native"] - (start[mode] - start["native"]))
    return {"counts": dict(counts), "native": statistics.median(base),
            **{mode: statistics.median(extras[mode]) for mode in MODES}}


def lines(depth_series):
    """{name: (microseconds at depth 0, microseconds per folder)}"""
    return {name: fit_line([(x, middle) for x, _, middle, _ in points]) for name, points in depth_series.items()}


def measure(world, usable, depth_series, rounds):
    modes = [mode for mode in usable if mode.name in ("native", *MODES)]
    fitted = lines(depth_series)
    print("\nopen+read+close = fixed + per folder (us)\n")
    for name, (fixed, each) in fitted.items():
        print(f"{name:20} {fixed:8.3f} + {each:6.3f} per folder")
    price = prices(world, usable, rounds)
    print("\nWhat an act costs more than natively (us)\n\n" + f"{'':22}" + "".join(f"{mode:>10}" for mode in MODES))
    for act in (FILTER, *PRICES):
        print(f"{act:22}" + "".join(f"{price[mode][act] / 1e3:10.2f}" for mode in MODES))
    print("\nPrograms: what the prices predict and what is measured more than natively, without the session's start\n"
          "(ms of processor time)\n\n"
          f"{'':24}{'native':>9}" + "".join(f"{mode + ' ' + what:>16}" for mode in MODES for what in ("predicted", "measured")))
    programs = {}
    for row in rows_programs.rows(False):
        if not row.name.startswith(PROGRAMS) or row.absent(world):
            continue
        found = measure_program(row, world, modes, max(3, rounds // 3))
        if found is None:
            print(f"{row.name:24}error")
            continue
        found["predicted"] = {mode: predict(found["counts"], mode, price) for mode in MODES}
        programs[row.name] = found
        print(f"{row.name:24}{found['native']:9.1f}"
              + "".join(f"{value:16.1f}" for mode in MODES for value in (found["predicted"][mode], found[mode])), flush=True)
    return {"depth": fitted, "prices": price, "programs": programs}
