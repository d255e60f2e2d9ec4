# SPDX-License-Identifier: Apache-2.0
"""What one session leaves behind does not widen the next, nor the end of its own: links planted where a grant names
the place, links that a denial goes through, a link in the place of the private folder's parent."""
import os
import subprocess

from live import Scratch, expect, hold

s = Scratch()


def put(path, text="secret"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write(text)


def read(path):
    with open(path) as text:
        return text.read()


def sh(text, **how):
    return s.run("/bin/busybox", "sh", "-c", text, options=("--no-shim", "--quiet"), **how)


put(s.path("out/canary"))
os.makedirs(s.path("free"))
os.makedirs(s.path("g"))
place, target = s.path("g/result"), s.path("out/canary")
s.manifest(f'files: {{write: ["{place}", "{s.path("free")}"]}}\n')
for plant in (f"ln -s {target} {place}", f"ln -s {target} {s.path('free/l')}; mv {s.path('free/l')} {place}",
              f"ln -s {target} {s.path('free/l')}; ln {s.path('free/l')} {place}"):
    sh(plant)
    hold("no link at a granted place: " + plant, not os.path.islink(place))
    sh(f"rm -f {place} {s.path('free/l')}; echo changed > {place}; ln -s {target} {s.path('free/free')}")
    expect("a file at a granted place", read(place), "changed\n")
    hold("a link elsewhere", os.path.islink(s.path("free/free")))
    sh(f"rm -f {place} {s.path('free/free')}")

put(s.path("w/real/key"))
os.makedirs(s.path("w/other"))
os.symlink("real", s.path("w/current"))
s.manifest('files: {write: ["${WORKSPACE}"], deny: ["${WORKSPACE}/current/key"]}\n')
for _ in range(2):
    out = sh(f"cat {s.path('w/real/key')}; rm {s.path('w/current')}; ln -s other {s.path('w/current')}; "
             f"mv {s.path('w/current')} {s.path('w/past')}")
    expect("a denial through a link of the agent's", out.stdout, "")
expect("the link", os.readlink(s.path("w/current")), "real")

put(s.path("t/tmp/keep/canary"))
for denial in ("t/tmp/keep", "t/**/keep"):
    s.manifest(f'files: {{write: ["{s.path("t")}", "${{TMP}}"], deny: ["{s.path(denial)}"]}}\n')
    out = sh(f'p=$(dirname $TMPDIR); mv $p {s.path("t")}/moved && ln -s {s.path("t")} $p; ls -d $p',
             env=dict(os.environ, TMPDIR=s.path("t")))
    expect("what the end of the session removes by " + out.stdout, read(s.path("t/tmp/keep/canary")), "secret")
    for name in os.listdir(s.path("t")):
        if os.path.islink(s.path("t", name)):
            os.unlink(s.path("t", name))
    sh(f'rm -rf {s.path("t/moved")}')

# The manifest and the log are reached by names; a link on the way to either is not the agent's to turn, nor followed.
os.makedirs(s.path("w/mine"))
s.manifest()
os.rename(s.path("manifest.yaml"), s.path("w/mine/manifest.yaml"))
os.symlink("mine", s.path("w/way"))
os.symlink("w/way/manifest.yaml", s.path("manifest.yaml"))
sh(f"rm {s.path('w/way')}; ln -s other {s.path('w/way')}; mv {s.path('w/way')} {s.path('w/gone')}")
expect("the link to the manifest", os.readlink(s.path("w/way")), "mine")
os.symlink(target, s.path("w/log"))
before = read(target)
out = s.run("/bin/busybox", "true", options=("--audit", s.path("w/log"), "--quiet"))
expect("a log through the agent's link", (out.returncode, read(target)), (125, before))
os.makedirs(s.path("w/.local"))
os.symlink(s.path("out"), s.path("w/.local/state"))
command = [word for word in s.command("/bin/busybox", "true") if word not in ("--audit", s.path("audit.jsonl"))]
out = subprocess.run(command, env=dict(os.environ, HOME=s.work), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
expect("the default log through the agent's link", (out.returncode, os.listdir(s.path("out"))), (125, ["canary"]))

# No log there yet: the folders on the way to it are made by the next session, and a link of the agent's is none of them.
home = s.path("home")
os.makedirs(home)
s.manifest(f'files: {{write: ["${{WORKSPACE}}", "{home}"]}}\n')
os.symlink(s.path("w/mine"), s.path("home/.local"))
hold("such a link outside a session", os.path.islink(s.path("home/.local")))
os.unlink(s.path("home/.local"))
for plant in (f"ln -s {s.path('w/mine')} .local", f"ln -s {s.path('w/mine')} l; mv -T l .local",
              f"mkdir .local; ln -s {s.path('w/mine')} .local/state", f"rm -r .local; ln -s {s.path('w/mine')} .local"):
    sh(f"cd {home}; {plant}", env=dict(os.environ, HOME=home))
    hold("no link on the way to the log: " + plant,
         not any(os.path.islink(s.path("home", name)) for name in (".local", ".local/state")))
sh(f"ln -s .local {home}/elsewhere", env=dict(os.environ, HOME=home))
hold("a link beside it", os.path.islink(s.path("home/elsewhere")))

# A folder in the place of the private one's parent is somebody's.
s.manifest(f'files: {{write: ["{s.path("t")}", "${{TMP}}"]}}\n')
out = sh(f'p=$(dirname $TMPDIR); mv $p {s.path("t")}/moved && mkdir $p && echo $p', env=dict(os.environ, TMPDIR=s.path("t")))
hold("it could be moved", out.stdout.strip(), out.stderr)
hold("what is there now stays", os.path.isdir(out.stdout.strip()), out.stderr)
expect("and what was moved is empty", os.listdir(s.path("t/moved")), [])
