# SPDX-License-Identifier: Apache-2.0
"""`npm ci` of a real set of packages: fetched once, natively; measured from npm's cache, so that it is no network's time."""
import pathlib
import shutil
import subprocess

from rows_programs import Row

HERE = pathlib.Path(__file__).resolve().parent


def fill(folder):
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / "npm" / name, folder / name)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--cache", folder / "cache"],
                   cwd=folder, check=True, capture_output=True, timeout=300)


def rows(world, notes):
    """One row, or none and a note why."""
    npm = shutil.which("npm", path=world.environment["PATH"])
    trial = world.own / "npm"
    trial.mkdir()
    try:
        if not npm:
            raise OSError("npm is not installed")
        fill(trial)
    except (OSError, subprocess.SubprocessError) as why:
        notes[("absent", "npm ci", f"the packages cannot be had: {why}")] = [": programs"]
        return []

    def prepare(folder):
        shutil.copytree(trial, folder, dirs_exist_ok=True, symlinks=True)

    return [Row("npm ci, from its cache", ["/bin/sh", "-c", f"exec {npm} ci --silent --offline --no-audit --no-fund "
                                           "--ignore-scripts --cache ./cache"],
                needs=["npm", "node"], prepare=prepare, fresh=["node_modules"])]
