# SPDX-License-Identifier: Apache-2.0
"""What the command itself loads, starts and trusts stays as it is in a session that may write all around it, also where
there is nothing yet: the next session would load it, and self-test start it outside any."""
import os
import shutil
import subprocess

from live import BUILD, PROFILES, Scratch, expect, hold

s = Scratch()
KIT, BIN = s.path("w/kit"), s.path("w/kit/build/release")
PARTS = ("build/release/remit", "build/release/libremit.so", "build/release/remit-probe", "policy/profiles/base.yaml")
ACTS = s.script("acts.py", """\
import os, sys
kit, parts = sys.argv[1], sys.argv[2:]
def act(name, what, *arguments):
    try: what(*arguments); print(name)
    except OSError: pass
def put(path):
    with open(path, 'w') as out: out.write('planted')
def replace(path):
    put(kit + '/new'); os.rename(kit + '/new', path)
def move(path):
    os.rename(path, path + '.old'); os.rename(path + '.old', path)
for part in parts:
    path = f'{kit}/{part}'
    if os.path.exists(path): act('move ' + part, move, path)
    act('make ' + part, lambda p: (os.makedirs(os.path.dirname(p), exist_ok=True), put(p)), path)
    act('replace ' + part, replace, path)
    act('link ' + part, lambda p: (os.path.exists(p) and os.unlink(p), os.symlink('/etc/hostname', p)), path)
""")


def fill(*parts):
    shutil.rmtree(KIT, ignore_errors=True)
    os.makedirs(BIN)
    for part in parts:
        os.makedirs(os.path.dirname(os.path.join(KIT, part)), exist_ok=True)
        source = os.path.join(PROFILES if "profiles" in part else BUILD, os.path.basename(part))
        if os.path.exists(source):
            shutil.copy2(source, os.path.join(KIT, part))
        else:
            with open(os.path.join(KIT, part), "w") as out:
                out.write("#!/bin/sh\n")


def tree():
    return sorted(os.path.join(at, name) for at, folders, files in os.walk(KIT) for name in files if name != "new")


def acts(*command):
    run = subprocess.run([*command, "/usr/bin/python3", "-I", ACTS, KIT, *PARTS], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    hold("it ran", run.returncode == 0, run.stderr)
    return run.stdout.split("\n")[:-1]


manifest = s.manifest('files: {write: ["${WORKSPACE}", "${TMP}"]}\n')
for there in (PARTS, PARTS[:1]):
    fill(*there)
    # A running program cannot be written to; ours runs in the session alone.
    expect("all of it outside", len(acts()), 3 * len(PARTS) + len(there))
    for options in ((), ("--no-shim",)) if there == PARTS else (("--no-shim",),):
        fill(*there)
        before = tree()
        content = {path: open(path, "rb").read() for path in before}
        seen = acts(f"{BIN}/remit", "run", "-q", "-m", manifest, "--profiles", PROFILES, "--workspace", s.work,
                    "--audit", s.path("audit.jsonl"), *options, "--")
        expect("none of it inside", seen, [])
        expect("nothing came or went", tree(), before)
        hold("nothing changed", all(open(path, "rb").read() == was for path, was in content.items()))
