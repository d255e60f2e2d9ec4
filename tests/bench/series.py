# SPDX-License-Identifier: Apache-2.0
"""Series: the price of one act against one quantity, in every mode by turns."""
import time

import machine
import rows_calls
import rows_decide
from driver import Driver, Failed
from stats import Table, quartiles

# Names of series: a mode, and how its driver is built.
SESSIONS = (("native", "dynamic"), ("landlock", "dynamic"), ("wall", "dynamic"), ("gap", "dynamic"), ("wall", "static"),
            ("gap", "static"))


def label(mode, kind):
    return mode if mode == "native" or kind == "dynamic" else f"{mode}, static"


class Series:
    """One plot's worth: points[name][x] are the samples."""

    def __init__(self, key, title, x_label, y_label, logarithmic=False):
        self.key, self.title, self.x_label, self.y_label, self.logarithmic = key, title, x_label, y_label, logarithmic
        self.points, self.errors = {}, {}

    def add(self, name, x, value):
        self.points.setdefault(name, {}).setdefault(x, []).append(value)

    def summary(self):
        """{name: [(x, lower quartile, median, upper quartile)]}"""
        result = {}
        for name, points in self.points.items():
            result[name] = [(x, *quartiles(values)) for x, values in points.items()]
        return result

    def plain(self):
        return {"title": self.title, "x": self.x_label, "y": self.y_label, "series": self.summary(),
                "errors": {f"{name} at {x}": why for (name, x), why in self.errors.items()}}


def open_sessions(world, usable, series, x, policy="bench", cpus=None):
    """{name: driver} of those of SESSIONS that start. Errors go to the series."""
    modes = {mode.name: mode for mode in usable}
    drivers = {}
    for name, kind in SESSIONS:
        if name not in modes:
            continue
        mode = modes[name]
        prefix = (lambda command: machine.on_cpus(cpus, command)) if cpus else (lambda command: command)
        try:
            drivers[label(name, kind)] = Driver(mode, world.driver(kind, mode.place), policy, prefix)
        except Failed as why:
            series.errors[(label(name, kind), x)] = str(why)
    return drivers


def collect(series, drivers, x, act, suffix, rounds):
    """Adds a point in microseconds to every session's line."""
    table = Table("", "ns", drivers)
    rows_calls.measure_act(table, act, drivers, (act, suffix), rounds)
    for name in drivers:
        for value in table.samples.get(act, {}).get(name, {}).values():
            series.add(name, x, value / 1e3)
        if (act, name) in table.errors:
            series.errors[(name, x)] = table.errors[(act, name)]


def stop(drivers):
    for driver in drivers.values():
        driver.stop()


def of_requests(world, usable, series, act, points, rounds):
    """points: [(x, what follows the count in a request)], all asked of the same sessions."""
    drivers = open_sessions(world, usable, series, 0)
    try:
        for x, suffix in points:
            collect(series, drivers, x, act, suffix, rounds)
    finally:
        stop(drivers)
    return series


def decisions(world, rounds, sizes):
    """(the same queries of all scopes, queries all over each scope)"""
    same = Series("decide-rules", "A decision, by number of rules", "rules", "ns per decision")
    spread = Series("decide-spread", "Decisions about objects all over the scope: cache misses", "rules", "ns per decision")
    table, _ = rows_decide.table(world, rounds, sizes)
    wanted = ("hit, 8 components", "hit, 32 components", "miss, 8 components", "hit beside a ** denial, 8", "glob hit", "address hit")
    for row, columns in table.samples.items():
        series = spread if "spread" in row else same if row in wanted else None
        # A scope of ten rules has no objects all over it.
        for size in sizes[1:] if series is spread else sizes:
            for value in columns.get(f"{size:,}", {}).values() if series else ():
                series.add(row, size, value)
    same.errors = dict(table.errors)
    return same, spread


def rules(world, usable, rounds, sizes):
    """(open+read+close, start to end of a session) against the number of rules, each a file that exists."""
    calls = Series("call-rules", "open+read+close, by number of rules", "rules, each of a file", "µs per act")
    starts = Series("start-rules", "Start of a session, by number of rules", "rules, each of a file", "ms", logarithmic=True)
    for size in sizes:
        policy = f"many-{size}"
        world.manifest(policy)
        for _ in range(min(rounds, 5)):
            for name in ("landlock", "wall"):
                one_start(world, usable, starts, name, size, policy)
        drivers = open_sessions(world, [mode for mode in usable if mode.wrap([], policy) is not None], calls, size, policy)
        try:
            collect(calls, drivers, size, "open_read_close", "", rounds)
        finally:
            stop(drivers)
    return calls, starts


def one_start(world, usable, series, name, size, policy):
    for mode in usable:
        if mode.name == name:
            begin = time.monotonic_ns()
            try:
                driver = Driver(mode, world.driver("static", "wall"), policy)
            except Failed as why:
                series.errors[(name, size)] = str(why)
                return
            series.add("remit" if name == "wall" else name, size, (time.monotonic_ns() - begin) / 1e6)
            driver.stop()


def cpus(world, usable, rounds):
    """As many processes as cpus; the machine's own number at most."""
    series = Series("call-cpus", "open+read+close by as many processes as cpus", "cpus", "µs per act of all processes together")
    for count in range(1, min(machine.about()["cpus"], 8) + 1):
        drivers = open_sessions(world, usable, series, count, cpus=count)
        try:
            collect(series, drivers, count, "open_read_close", f" {count} processes 4", rounds)
        finally:
            stop(drivers)
    return series
