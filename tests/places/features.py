# SPDX-License-Identifier: Apache-2.0
"""Kernel features taken away one by one: what is refused to start, what a session says of itself, what still holds.

The command's own three voices (run, doctor, the first record) are held against each other and against the table
below; then the ways out are tried again, and none may be open that the table does not name as lost.
"""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# START: no session even with --allow-degraded. WORK: only with it. SPEED: as if nothing were missing.
START, WORK, SPEED = "no session", "degraded", "full"
# without -> what becomes of it, a word of what it says, the layers that change.
FEATURES = {
    "landlock": (START, "no Landlock", None),
    "landlock=1": (WORK, "REFER", {"truncate": "gate", "tcp": "gate", "abstract": "gate", "signals": "gate",
                                   "devices": "filter"}),
    "landlock=2": (WORK, "TRUNCATE", {"truncate": "gate", "tcp": "gate", "abstract": "gate", "signals": "gate",
                                      "devices": "filter"}),
    "landlock=3": (WORK, "TCP rules", {"tcp": "gate", "abstract": "gate", "signals": "gate", "devices": "filter"}),
    "landlock=4": (WORK, "IOCTL_DEV", {"abstract": "gate", "signals": "gate", "devices": "filter"}),
    "landlock=5": (WORK, "scopes", {"abstract": "gate", "signals": "gate"}),
    "landlock=6": (SPEED, "", {}),
    "seccomp-notify": (START, "user notification", None),
    "seccomp-addfd": (START, "ADDFD", None),
    "seccomp-addfd-send": (SPEED, "", {}),
    "seccomp-wait-killable": (WORK, "WAIT_KILLABLE_RECV", {}),
    "seccomp-wait-killable,seccomp-addfd-send": (WORK, "WAIT_KILLABLE_RECV", {}),
    "seccomp-sync-wake-up": (SPEED, "", {}),
    "pidfd-getfd": (START, "pidfd_getfd", None),
    "pidfd-thread": (SPEED, "", {}),
    "process-vm": (SPEED, "", {}),
    "proc-mem": (SPEED, "", {}),
    "process-vm,proc-mem": (WORK, "process_vm_readv", {"programs": "wall"}),
    "openat2": (START, "openat2", None),
    "close-range": (START, "close_range", None),
    "unshare-fs": (WORK, "unshare", {}),
    "memfd-noexec": (WORK, "MFD_NOEXEC_SEAL", {}),
    "proc": (START, "/proc", None),
    "yama=1": (SPEED, "", {}),
    "yama=2": (START, "ptrace_scope", None),
}
# Ways out that open when a feature is gone. None: whatever a layer lacks, another holds or refuses.
LOST = {}
# A gate that cannot read its callers' memory records no object.
UNRECORDED = {"process-vm,proc-mem": r"."}
# Granted acts (MUST_WORK) that a loss takes along.
DEAD = {"landlock=1": r"rename|link|move", "process-vm,proc-mem": r".", "unshare-fs": r"unix|bind", "memfd-noexec": r"memfd"}
# Without arguments the gate lets programs of the wall run, and changes no mode and connects to nothing.
BLIND, SIMPLE = ("process-vm,proc-mem",), ["/usr/bin/python3", "-c", "print('DID')"]
SHORT = r"^(P0-granted|P6-link-secret|P8-(open|trunc|mode3)$|P4-reopen-trunc|U1-open|F7-sigio|N1-tcp|E0-|E1-script$)"


def tell(place, command, without, *more):
    return subprocess.run([place.remit, command, "--profiles", place.profiles, "--without", without, *more],
                          capture_output=True, text=True, cwd=place.work, env=place.environment, check=False)


def findings(place, without):
    done = tell(place, "doctor", without, "-m", place.manifest, "--json")
    said = json.loads(done.stdout)
    losses = [f["found"] for f in said["findings"] if f["what"] == "enforcement"]
    return losses, {line["name"]: "+".join(line["held_by"]) or "nothing" for line in said["layers"]}, said


def check(place, without):
    """A list of what is wrong."""
    kind, word, layers = FEATURES[without]
    wrong = []

    def hold(what, truth):
        if not truth:
            wrong.append(what)

    full = findings(place, "yama=0")[1]
    losses, held, said = findings(place, without)
    hold("doctor's losses", bool(losses) == (kind != SPEED) and (not word or any(word in text for text in losses)))
    expected = dict.fromkeys(full, "nothing") if layers is None else {**full, **layers}
    hold(f"doctor's layers {held}", held == expected)
    hold("doctor complete", said["complete"] == (kind == SPEED) or kind == SPEED)
    planned = json.loads(tell(place, "plan", without, "--json", place.manifest).stdout)
    hold("plan's losses", planned["losses"] == losses)

    def session(*more):
        if os.path.exists(place.log):
            os.unlink(place.log)
        return tell(place, "run", without, "-m", place.manifest, "--audit", place.log, *more, "--",
                    *(SIMPLE if without in BLIND else place.act))

    plain = session()
    if kind == SPEED:
        hold(f"starts: {plain.stderr}", plain.returncode == 0)
    else:
        hold("is refused", plain.returncode == 125 and "DID" not in plain.stdout)
        hold("says why", all(f"not enforced here: {text}" in plain.stderr for text in losses))
    degraded = session("--allow-degraded")
    if kind == START:
        hold("is refused degraded", degraded.returncode == 125 and "no session" in degraded.stderr)
        return wrong
    hold(f"starts degraded: {degraded.stderr}", degraded.returncode == 0 and "DID" in degraded.stdout)
    hold("summary", all(f"was not enforced: {text}" in degraded.stderr for text in losses))
    with open(place.log, encoding="utf-8") as log:
        first = json.loads(log.readline())
    hold("record's losses", first["plan"]["losses"] == losses)
    hold("record's layers", first["held_by"] == held)
    gone = [name for name in without.split(",") if "=" not in name]
    hold(f"record's features {first['without']}", first["without"] == sorted(gone))
    return wrong


def escapes(build, without, whole):
    """A list of what is wrong; every way out tried again."""
    command = [sys.executable, os.path.join(HERE, "../live/escapes/run.py"), build, "--summary", "--without", without]
    done = subprocess.run(command + ([] if whole else ["--only", SHORT]), capture_output=True, text=True, check=False)
    wrong, lost = [], set()
    for line in re.findall(r"^(\S+ \(.*\): FAIL.*)$", done.stdout, re.M):
        name = line.split()[0]
        if "FAIL escaped" in line:
            lost.add(name)
            if not re.search(LOST.get(without, "$^"), name):
                wrong.append(line)
        elif "no refusal of it is recorded" in line and re.search(UNRECORDED.get(without, "$^"), name):
            continue
        elif "refused what is granted" in line and re.search(DEAD.get(without, "$^"), name):
            continue
        else:
            wrong.append(line)
    if without in LOST and not lost and whole:
        wrong.append("what the table calls lost is not")
    if not re.search(r"^escapes: \d+ passed", done.stdout, re.M):
        wrong.append(done.stderr[-500:])
    return wrong
