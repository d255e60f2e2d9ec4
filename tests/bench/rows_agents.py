# SPDX-License-Identifier: Apache-2.0
"""Whole runs of pi and Codex through tests/agents: its script of shell commands, its model server, its manifests.

The time is that of the whole run, with the start of the model server, which is the same in every mode.
"""
import importlib.machinery
import importlib.util
import pathlib
import subprocess
import tempfile
import time

from stats import Table

ROOT = pathlib.Path(__file__).resolve().parents[2]


def runner():
    """tests/agents/run as a module; it has no suffix."""
    loader = importlib.machinery.SourceFileLoader("agents_run", str(ROOT / "tests/agents/run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def run_once(agents, agent, modules, remit):
    """(milliseconds, None) or (None, why)."""
    with tempfile.TemporaryDirectory(prefix="agents-") as folder:
        begin = time.monotonic_ns()
        try:
            run, told, records, world = agents.drive(agent, modules, pathlib.Path(folder).resolve(), remit)
        except (OSError, subprocess.SubprocessError) as error:
            return None, str(error)[:160]
        took = (time.monotonic_ns() - begin) / 1e6
        wrong = agents.judge(agent, bool(remit), run, told, records, world)
    return (None, wrong[0][:160]) if wrong else (took, None)


def measure(world, rounds):
    table = Table("agents, start to end", "ms", ["native", "again", "remit"])
    try:
        agents = runner()
        modules = agents.modules()
    except (OSError, subprocess.SubprocessError) as why:
        table.fail("pi, codex", "native", str(why))
        return table
    for agent in agents.PACKAGES:
        failed = set()
        for number in range(-1, rounds):
            for mode in table.modes:
                if mode in failed:
                    continue
                took, why = run_once(agents, agent, modules, world.remit if mode == "remit" else None)
                if why:
                    table.fail(agent, mode, why)
                    failed.add(mode)
                elif number >= 0:
                    table.add(agent, mode, number, took)
    return table
