# SPDX-License-Identifier: Apache-2.0
"""The machine: what it is, where files live in memory, how to stay on one cpu."""
import os
import pathlib
import platform
import shutil
import subprocess
import sys

MARK = "REMIT_BENCH_MEMORY"  # set once the memory folder is mounted


def about():
    """What a reader must know to judge the numbers."""
    return {"kernel": platform.release(), "machine": platform.machine(), "cpus": len(os.sched_getaffinity(0)),
            "load": [round(load, 2) for load in os.getloadavg()], "user": "root" if os.geteuid() == 0 else "ordinary",
            "python": platform.python_version()}


def pinned(command):
    """The command on the last of the cpus that may be used, or None without taskset."""
    if not shutil.which("taskset"):
        return None
    return ["taskset", "-c", str(max(os.sched_getaffinity(0))), *command]


def on_cpus(count, command):
    cpus = sorted(os.sched_getaffinity(0))[-count:]
    return ["taskset", "-c", ",".join(map(str, cpus)), *command]


def is_memory(folder):
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=False)
    return kind.stdout.strip() == "tmpfs" and os.access(folder, os.W_OK)


def mount_memory(build):
    """Root only: starts this program again in a mount namespace of its own that has a tmpfs beneath the build folder,
    because /dev/shm and /tmp are what several peers put something else over."""
    if os.geteuid() != 0 or os.environ.get(MARK) or is_memory(os.environ.get("TMPDIR", "/")):
        return
    folder = pathlib.Path(build) / "bench-memory"
    folder.mkdir(parents=True, exist_ok=True)
    script = 'mount -t tmpfs -o mode=0755 remit-bench "$1" || exit 77; shift; exec "$@"'
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]
    if subprocess.run([*command, script, "sh", folder, "true"], capture_output=True, check=False).returncode == 0:
        os.environ[MARK] = str(folder)
        os.execvp("unshare", [*command, script, "sh", str(folder), sys.executable, *sys.argv])


def memory():
    """(folder for files, what to say of it). A disk's journal is louder than what is measured, and some disks grow slow
    after many removals."""
    for folder in (os.environ.get(MARK), os.environ.get("TMPDIR"), "/dev/shm"):
        if folder and is_memory(folder):
            return folder, f"files in {'a tmpfs' if folder != '/dev/shm' else '/dev/shm'}"
    return None, "files on a disk: no tmpfs that may be written"
