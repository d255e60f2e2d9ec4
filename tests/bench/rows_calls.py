# SPDX-License-Identifier: Apache-2.0
"""Rows of single calls, by a dynamic and by a static driver, on one cpu and on all."""
import machine
from driver import Driver, Failed
from stats import Table

ACTS = ("pread", "stat", "open_read_close", "create_write_unlink", "mkdir_rmdir", "rename_twice", "chmod", "connect_close",
        "udp_send", "fork_exit", "fork_exec_true", "posix_spawn_true", "thread_start")
BATCH = 3e6  # nanoseconds that a batch is to take: short against what a noisy neighbour does, long against the clock
MODES = ("native", "again", "landlock", "wall", "gap", "wall-norec", "notify", "bwrap", "firejail", "proot", "strace", "srt", "codex")


def start_drivers(modes, table, command_of, prefix, policy="bench"):
    """{mode: driver} of those that start; the others become errors of the table's only row "start"."""
    drivers = {}
    for mode in modes:
        try:
            drivers[mode.name] = Driver(mode, command_of(mode), policy, prefix)
        except Failed as why:
            table.fail("start", mode.name, str(why))
    return drivers


def batch_size(driver, act, suffix=""):
    """How many times each worker is to act, so that all together fill a batch; the first ask also warms up."""
    workers = int(suffix.split()[0]) if suffix else 1
    driver.ask(f"{act} 1{suffix}")
    fitting = int(BATCH / driver.ask(f"{act} 3{suffix}") / workers)
    return max(1 if workers == 1 else 20, min(20000, fitting))


def measure_act(table, row, drivers, request, rounds, cannot=lambda mode: None):
    """request: (act, what follows the count). Every mode once in each round, beginning with another one each time."""
    act, suffix = request
    counts = {}
    for mode, driver in drivers.items():
        why = cannot(mode)
        if why:
            table.leave_out(row, mode, why)
            continue
        try:
            counts[mode] = batch_size(driver, act, suffix)
        except Failed as error:
            table.fail(row, mode, str(error))
    for number in range(rounds):
        order = list(counts)
        turn = number % max(len(order), 1)
        for mode in order[turn:] + order[:turn]:
            try:
                table.add(row, mode, number, drivers[mode].ask(f"{act} {counts[mode]}{suffix}"))
            except Failed as error:
                table.fail(row, mode, str(error))
                del counts[mode]


def measure(world, modes, rounds, kind, on_one_cpu, acts=ACTS):
    """One table."""
    modes = [mode for mode in modes if mode.name in MODES]
    table = Table(f"calls, {kind} driver, {'one cpu' if on_one_cpu else 'all cpus'}", "ns", [mode.name for mode in modes])
    prefix = machine.pinned if on_one_cpu else lambda command: command
    if on_one_cpu and machine.pinned([]) is None:
        table.fail("start", "native", "taskset is not installed")
        return table
    drivers = start_drivers(modes, table, lambda mode: world.driver(kind, mode.place), prefix)
    cannot = {mode.name: mode.cannot for mode in modes}
    try:
        for act in acts:
            measure_act(table, act, drivers, (act, ""), rounds, lambda mode, act=act: cannot[mode].get(act))
    finally:
        for driver in drivers.values():
            driver.stop()
    return table


def tables(world, modes, rounds, short):
    for on_one_cpu in (True, False):
        for kind in ("dynamic", "static"):
            if not (short and on_one_cpu):
                yield measure(world, modes, rounds, kind, on_one_cpu)
