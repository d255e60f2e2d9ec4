# SPDX-License-Identifier: Apache-2.0
"""A digest holds a program only while the agent cannot write it: else the refusal says so."""
import hashlib
import os

from live import Scratch, expect, hold

s = Scratch()
program = s.path("w", "tool")
with open(program, "w") as script:
    script.write("#!/bin/busybox true\n")
os.chmod(program, 0o755)
with open(program, "rb") as script:
    digest = hashlib.sha256(script.read()).hexdigest()


def run(body):
    manifest = s.manifest(body)
    with open(manifest) as text:
        granted = text.read().replace("allow: [", f"allow: [{{path: {program}, sha256: {digest}}}, ")
    with open(manifest, "w") as text:
        text.write(granted)
    return s.run(program)


out = run('files: {write: ["${WORKSPACE}", "${TMP}"]}\n')
expect("writable by the agent", out.returncode, 126)
hold("the refusal says what would mend it", "deny_write it" in out.stderr, out.stderr)
out = run('files: {write: ["${WORKSPACE}", "${TMP}"], deny_write: ["${WORKSPACE}/tool"]}\n')
expect("held by deny_write", out.returncode, 0)
