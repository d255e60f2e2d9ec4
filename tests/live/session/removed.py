# SPDX-License-Identifier: Apache-2.0
"""The end of a session removes its private folder, and nothing that the agent could not have removed itself."""
import os
import shutil

from live import BUILD, NESTING, PROFILES, Scratch, expect, hold

s = Scratch()
SECRET = "denied"


def fill(*folders):
    for folder in folders:
        shutil.rmtree(s.path(folder), ignore_errors=True)
        os.makedirs(s.path(folder, "deep"))
        for name in (".env", "deep/.env", "plain"):
            with open(s.path(folder, name), "w") as out:
                out.write(SECRET)


def whole(folder):
    """Wherever it is now: both denied files of it."""
    found = [os.path.join(top, ".env") for top, _, names in os.walk(s.root) if ".env" in names]
    return len(found) == 2 and all(open(name).read() == SECRET for name in found)


def sh(text, options=(), **how):
    return s.run("/bin/sh", "-c", text, options=options, cwd=s.work, **how)


app, inside = s.path("w/app"), dict(os.environ, TMPDIR=s.path("w/t"))
EXCHANGE = s.script("exchange.py", """\
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(316, -100, os.environ['TMPDIR'].encode(), -100, sys.argv[1].encode(), 2))
""")



def clear():
    for left in os.listdir(s.work):
        if left != "exchange.py":
            shutil.rmtree(s.path("w", left), ignore_errors=True)
    os.makedirs(s.path("w/t"))


# The acts work where nothing is denied beneath.
s.manifest()
for act in ('mv app $TMPDIR/app', f"/usr/bin/python3 -I {EXCHANGE} {app}"):
    clear()
    fill("w/app")
    out = sh(act, env=inside)
    hold(f"nothing is denied: {act}", not os.path.exists(s.path("w/app/.env")), out.stderr)
clear()

s.manifest('files: {write: ["${WORKSPACE}", "${TMP}"], deny: ["/**/.env"]}\n')
for options in ((), ("--no-shim",)):
    for name, act in (("its own end", "mv app $TMPDIR/app"), ("an exchange", f"/usr/bin/python3 -I {EXCHANGE} {app}"),
                      ("by way of a folder", "mkdir z; mv app z/app; mv z $TMPDIR/z; mv z/app app"),
                      ("the private folder first", "mv $TMPDIR z; mv app z/app; mv -T app z"),
                      ("an impostor", "d=$(dirname $TMPDIR); mv $d t/away; mkdir $d; mv -T app $d/tmp")):
        fill("w/app")
        out = sh(act, options, env=inside)
        hold(f"{name} {options}: what is denied is there", whole("w/app"), out.stderr)
        clear()
    # Within the private folder folders are renamed as ever.
    out = sh("cd $TMPDIR; mkdir a b; mv a b/c; mv -T b d; ls d", options)
    expect(f"renamed in the private folder {options}", out.stdout, "c\n")

# What only an inner session denies, by the end of that.
inner, free = s.path("inner.yaml"), s.path("free.yaml")
for path, denial in ((inner, ', deny: ["/**/.env"]'), (free, "")):
    with open(path, "w") as out:
        out.write("remit: 1\nagent: {id: inner, purpose: Remove}\ninclude: [base, shell]\n"
                  f'files: {{write: ["{s.work}", "${{TMP}}"]{denial}}}\n')
s.manifest(f'files: {{read: ["{inner}", "{free}", "{BUILD}/remit", "{BUILD}/libremit.so", "{PROFILES}"], write: ["${{WORKSPACE}}", "${{TMP}}"]}}\n',
           programs=(f"{BUILD}/remit",))
for where in ("", f"TMPDIR={s.path('w/t')} "):
    # The act works in an inner session that denies nothing beneath.
    fill("w/app")
    sh(f"{where}{BUILD}/remit run -q -m {free} --profiles {PROFILES} --workspace {s.work} {' '.join(NESTING)} -- "
       "/bin/sh -c 'mv app $TMPDIR/app'", NESTING)
    hold(f"an inner session's end without a denial {where}", not os.path.exists(s.path("w/app")))
    fill("w/app")
    out = sh(f"{where}{BUILD}/remit run -q -m {inner} --profiles {PROFILES} --workspace {s.work} {' '.join(NESTING)} -- "
             "/bin/sh -c 'mv app $TMPDIR/app || echo kept'", NESTING)
    hold(f"the inner session's end {where}: {out.stderr}", "kept" in out.stdout and whole("w/app"), out.stdout)

# Folders whose rights are gone are removed all the same.
s.manifest(f'files: {{write: ["{s.work}", "${{TMP}}"]}}\n')
out = sh("echo x > $TMPDIR/secret; chmod 000 $TMPDIR $(dirname $TMPDIR); echo done", env=inside)
expect("rights taken away", (out.stdout, out.returncode, os.listdir(s.path("w/t"))), ("done\n", 0, []))

# Root's agent has no capabilities, and neither has who removes what it left.
if os.geteuid() == 0:
    os.makedirs(s.path("w/theirs/private/deep"))
    with open(s.path("w/theirs/private/deep/file"), "w") as out:
        out.write(SECRET)
    for folder in ("theirs/private/deep", "theirs/private", "theirs"):
        os.chown(s.path("w", folder), 12345, 12345)
    os.chmod(s.path("w/theirs/private"), 0o700)
    os.chmod(s.path("w/theirs"), 0o777)
    os.chmod(s.work, 0o777)
    out = sh("rm -rf theirs/private; mv theirs t/theirs; mv t/theirs $TMPDIR/", env=inside)
    left = [top for top, _, names in os.walk(s.root) if "file" in names]
    hold("another user's folder is not emptied", left, out.stderr)
