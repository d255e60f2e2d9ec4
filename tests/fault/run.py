#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes every call that the command and its gate make of the kernel or the C library fail, one place at a time.

The places come from the program's own code, so none can be forgotten; which of them the acts reach is counted in
runs without a fault; the others have to stand in tests/fault/unreached, with a reason. A run holds when no refused act
went through, nothing changed, arrived or was left behind, nothing hung, and the session ended with a status that
says what happened.

usage: run.py BUILD [--sites N|all] [--only REGEX] [--jobs N] [--list]
"""
import argparse
import collections
import concurrent.futures
import errno
import os
import queue
import re
import select
import signal
import struct
import subprocess
import sys
import time

from calls import faulty
from world import HERE, World

WAYS = {"shim": ("denials", ["--usage"]), "strict": ("strict", ["--no-shim"]),
        "older": ("denials", ["--no-shim", "--without", "process-vm,landlock=5", "--allow-degraded"])}
TABLE = 8 + 8192 * 8
PATIENCE = 40
SPARE = 3  # descriptors that a fault may keep open
# Granted only where the manifest has conditions.
CONDITIONAL = ("G program with its arguments", "G program with its digest")
# Without their keeper (tools/janitor_ipc.c) these are not there at all.
KEPT_ELSEWHERE = ("private objects", "objects by key", "queues")
# Memory that may not be read: openat2() is ENOSYS then, since only the kernel could know its flags.
UNREADABLE = {f"{name} {errno.ENOSYS}: no errno for a program" for name in ("open beneath", "create beneath")}
# What a fault may lead to, by its place and errno (None: any).
EXCUSED = {
    # What no second attempt could mend: the empty folder itself cannot be removed.
    ("tools/janitor_serve.c", "rmdir", None): {"left the private folder"},
    ("shim/broker/memory.c", "process_vm_readv", "EPERM"): UNREADABLE,
    ("shim/broker/memory.c", "open", "EACCES"): UNREADABLE,
}

# Answers that are no failure: where no name is there, or none may be looked at, no link leads from one to another, and
# nothing is removed.
LIES = {("policy/compile/resolve.c", "readlink", "ENOENT"), ("policy/compile/resolve.c", "readlink", "EACCES"),
        ("tools/janitor_serve.c", "fstatat", "ENOENT")}

Site = collections.namedtuple("Site", "offset symbol place")
Result = collections.namedtuple("Result", "status output errors hung fds counts fired")


def excuses(site, word):
    place = site.place.split(":")[0], site.symbol
    return EXCUSED.get((*place, word), set()) | EXCUSED.get((*place, None), set())


def sites_of(program):
    """Each call of a wrapped symbol: its return address, and where it stands in the source."""
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program], check=True, capture_output=True, text=True).stdout
    found, call = [], None
    for line in code.splitlines():
        at = re.match(r"\s*([0-9a-f]+):\t(?:call\s.*<__wrap_(\w+)>)?", line)
        if not at:
            continue
        if call:
            found.append((int(at[1], 16), call))
        call = at[2]
    asked = "".join(f"{offset - 1:#x}\n" for offset, _ in found)
    lines = subprocess.run(["addr2line", "-a", "-i", "-e", program], input=asked, check=True, capture_output=True,
                           text=True).stdout
    places = [re.findall(r"((?:policy|shim|tools)/[\w./]+\.[ch]:\d+)", part) for part in re.split(r"^0x.*\n", lines, flags=re.M)[1:]]
    return [Site(offset, symbol, place[-1] if place else "?") for (offset, symbol), place in zip(found, places)
            if place]


class Runner:
    def __init__(self, options):
        self.remit = os.path.join(options.build, "fault/remit-fault")
        self.acts = os.path.join(options.build, "tests/fault/acts")
        self.profiles = os.path.join(HERE, "../../policy/profiles")
        self.worlds = queue.Queue()
        self.all = [World(self.remit, self.acts) for _ in range(options.jobs)]
        for world in self.all:
            self.worlds.put(world)

    def session(self, world, way, spec=None):
        record, options = WAYS[way]
        trace, log = world.path("kit/trace"), world.path("kit/log")
        with open(trace, "wb") as out:
            out.truncate(TABLE)
        if os.path.exists(log):
            os.unlink(log)
        environment = {"PATH": os.environ["PATH"], "TMPDIR": world.path("tmp"), "HOME": world.path("kit"), "REMIT_FAULT_TRACE": trace}
        if spec:
            environment["REMIT_FAULT"] = spec
        command = [self.remit, "run", "-m", world.path("kit", record), "--profiles", self.profiles, "--workspace",
                   world.path("gap"), "--audit", log, *options, "--", *world.arguments()]
        with open(world.path("kit/errors"), "w+b") as errors:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment,
                                       cwd=world.path("gap"), start_new_session=True, bufsize=0)
            output, hung, fds = self.hear(process, self.fds.get(way, 0) + SPARE)
            errors.seek(0)
            told = errors.read().decode(errors="replace")
        with open(trace, "rb") as table:
            fired, *pairs = struct.unpack(f"<Q{2 * 8192}I", table.read(TABLE))
        counts = {offset: count for offset, count in zip(pairs[::2], pairs[1::2]) if offset}
        return Result(process.returncode, output, told, hung, fds, counts, fired)

    @staticmethod
    def descriptors(pid, enough):
        """How many it holds once it has closed what it keeps of its last callers, for which it gets two seconds."""
        time.sleep(0.2)
        for _ in range(20):
            try:
                count = len(os.listdir(f"/proc/{pid}/fd"))
            except OSError:
                return None
            if count <= enough:
                break
            time.sleep(0.1)
        return count

    def hear(self, process, enough):
        """Reads to the end; when the acts are through, the gate's descriptors are counted."""
        data, fds, end = b"", None, time.time() + PATIENCE
        out = process.stdout.fileno()
        while True:
            ready, _, _ = select.select([out], [], [], max(0, end - time.time()))
            block = os.read(out, 65536) if ready else None
            if not block:
                break
            data += block
            if b"\nready\n" in data and fds is None:
                fds = self.descriptors(process.pid, enough)
                process.stdin.close()
        hung = block is None
        try:
            process.wait(max(0.1, end - time.time()))
        except subprocess.TimeoutExpired:
            hung = True
        if hung:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if not process.stdin.closed:
            process.stdin.close()
        process.stdout.close()
        return data.decode(errors="replace"), hung, fds

    def judge(self, world, before, way, result, words):
        wrong = world.breaches(before, result.output + result.errors)
        if result.hung:
            wrong.append("hung")
        processes, files = world.left()
        for pid in processes:
            os.kill(pid, signal.SIGKILL)
        if processes and "cannot be ended" not in result.errors:
            wrong.append(f"left {len(processes)} processes")
        if files and "cannot remove" not in result.errors:
            wrong.append("left the private folder")
        status = result.status
        if status == 125 and not result.errors.strip():
            wrong.append("125 without a sentence")
        if status not in (0, 125, 126, 127, 128 + signal.SIGKILL, 128 + signal.SIGTERM):
            wrong.append(f"status {status}")
        if status == 0 and "\nready\n" not in result.output:
            wrong.append("status 0, and the acts were not through")
        for line in result.output.splitlines():
            if line.startswith("G "):
                name, number = line[2:].rsplit(" ", 1)[0], int(line.rsplit(" ", 1)[1])
                absent = number == errno.ENOSYS and "ENOSYS" not in words and name not in KEPT_ELSEWHERE
                if absent or number >= 134:
                    wrong.append(f"{line[2:]}: no errno for a program")
        if result.fds and self.fds.get(way) and result.fds > self.fds[way] + SPARE:
            wrong.append(f"{result.fds} descriptors, natively {self.fds[way]}")
        return wrong

    def run(self, way, spec=None, words=""):
        world = self.worlds.get()
        try:
            world.refresh()
            world.listeners.take()
            before = world.fingerprint()
            result = self.session(world, way, spec)
            return result, self.judge(world, before, way, result, words)
        finally:
            self.worlds.put(world)

    def baseline(self):
        """Without a fault: what is reached how, and that all acts end as they should."""
        self.fds, reached, wrong = {}, {}, []
        for way in WAYS:
            result, bad = self.run(way)
            bad += [line for line in result.output.splitlines() if line.startswith("G ") and not line.endswith(" 0")
                    and (way == "strict" or not line.startswith(CONDITIONAL))]
            if result.status != 0:
                bad.append(f"status {result.status}: {result.errors[-800:]}")
            wrong += [f"without a fault ({way}): {text}" for text in bad]
            self.fds[way] = result.fds
            for offset in result.counts:
                reached.setdefault(offset, way)
        return reached, wrong

    def close(self):
        for world in self.all:
            world.close()


def unreached():
    """PATTERN | REASON of places that no act reaches."""
    with open(os.path.join(HERE, "unreached")) as lines:
        return [line.split(" | ", 1) for line in lines if line.strip() and not line.startswith("#")]


def specs(site, thorough):
    _, words = faulty()[site.symbol]
    errors = [word for word in words if word != "short" and (site.place.split(":")[0], site.symbol, word) not in LIES]
    for word in errors if thorough else errors[:1]:
        yield word, "1"
        # A call that is interrupted again and again is no failure of the kernel's.
        if word not in ("EINTR", "EAGAIN"):
            yield word, "1+"
        if thorough:
            yield word, "2"
    if "short" in words and thorough:
        yield "short", "1"
        yield "short", "1+"
        yield "none", "1"


def number(word):
    return word if word in ("short", "none") else str(getattr(errno, word))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--sites", default="60", help="how many places to try, spread over all of them, or all")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="every place, and how it is reached")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    runner = Runner(options)
    try:
        return tried(options, runner)
    finally:
        runner.close()


def tried(options, runner):
    sites = sites_of(runner.remit)
    reached, wrong = runner.baseline()
    excused = unreached()
    # The compiler may have made two of one.
    met = {f"{site.place} {site.symbol}" for site in sites if site.offset in reached}
    for site in sites:
        name = f"{site.place} {site.symbol}"
        if options.list:
            print(f"{reached.get(site.offset, '-'):7}{name}")
        if name not in met and not any(re.search(pattern, name) for pattern, _ in excused):
            wrong.append(f"{name}: no act reaches it, and tests/fault/unreached says nothing of it")
    if options.list:
        return bool(print("\n".join(wrong)))
    chosen = [site for site in sites if site.offset in reached and re.search(options.only, f"{site.place} {site.symbol}")]
    thorough = options.sites == "all"
    if not thorough and not options.only:
        chosen = chosen[::max(1, len(chosen) // int(options.sites))]
    runs, held = 0, 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [(site, word, nth, pool.submit(runner.run, reached[site.offset], f"{site.offset:x}:{nth}:{number(word)}", word))
                for site in chosen for word, nth in specs(site, thorough)]
        for site, word, nth, job in jobs:
            result, bad = job.result()
            bad = [text for text in bad if text not in excuses(site, word)]
            runs += 1
            held += not bad
            if bad:
                wrong.append(f"{site.place} {site.symbol} {nth} {word} ({reached[site.offset]}, status {result.status}): {', '.join(bad)}")
                print(wrong[-1], flush=True)
    print("\n".join(text for text in wrong if "no act reaches" in text or "without a fault" in text))
    print(f"faults: {len(sites)} places, {len(reached)} reached, {len(chosen)} tried in {runs} runs: {held} passed, {len(wrong)} failed")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
