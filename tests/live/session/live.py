# SPDX-License-Identifier: Apache-2.0
"""What the session tests share: a scratch folder, a manifest, a session, a check that says what was seen."""
import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

# An agent has its operator's dispositions, and a shell cannot trap what was ignored before it (nohup, a job in the background).
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

SKIP = 77
BUILD = os.environ["REMIT_BUILD"]
PROFILES = os.environ["REMIT_PROFILES"]
PYTHON = os.path.realpath("/usr/bin/python3")

with open(os.path.join(BUILD, "remit"), "rb") as remit:
    # A command under ThreadSanitizer does not survive the shim, which is called before the sanitizer has started.
    text = remit.read()
    UNSHIMMABLE = b"__tsan_init" in text
    # What a session in which this command is to run needs for it.
    NESTING = ("--no-shim",) if UNSHIMMABLE else ()
    # The sanitizers' own memory is no measure.
    SANITIZED = UNSHIMMABLE or b"__asan_init" in text
    del text

HEAD = """\
remit: 1
agent: {{id: live, purpose: Try the session{expires}}}
include: [{include}]
"""


def skip(why):
    print("skip:", why)
    sys.exit(SKIP)


def expect(what, seen, wanted):
    if seen != wanted:
        sys.exit(f"{what}: expected {wanted!r}, saw {seen!r}")


def hold(what, truth, story=""):
    if not truth:
        sys.exit(f"{what}: does not hold\n{story}")


class Scratch:
    """A folder with a workspace; removed at exit."""

    def __init__(self):
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="live"))
        self.work = self.path("w")
        os.mkdir(self.work)
        atexit.register(shutil.rmtree, self.root, True)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def script(self, name, text):
        path = self.path("w", name)
        with open(path, "w") as out:
            out.write(text)
        os.chmod(path, 0o755)
        return path

    def manifest(self, body="", expires="", programs=(), include="base, shell"):
        """Python, the shell and the workspace are granted; body adds sections."""
        path = self.path("manifest.yaml")
        allow = ", ".join(f'"{p}"' for p in ("/usr/bin/python3*", "/bin/busybox", *programs))
        text = HEAD.format(expires=expires, include=include) + body
        if "files:" not in body:
            text += 'files: {write: ["${WORKSPACE}", "${TMP}"]}\n'
        text += f"exec: {{allow: [{allow}]}}\n"
        if "env:" not in body:
            text += "env: {pass: [PATH, HOME, TERM]}\n"
        with open(path, "w") as out:
            out.write(text)
        return path

    def command(self, *arguments, options=()):
        return [os.path.join(BUILD, "remit"), "run", "-m", self.path("manifest.yaml"), "--profiles", PROFILES,
                "--workspace", self.work, "--audit", self.path("audit.jsonl"), *options, "--", *arguments]

    def run(self, *arguments, options=(), timeout=60, **how):
        """A finished session; stdout and stderr as text."""
        how.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.command(*arguments, options=options), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=timeout, **how)

    def start(self, *arguments, options=(), **how):
        how.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.command(*arguments, options=options), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **how)

    def records(self):
        with open(self.path("audit.jsonl")) as log:
            return [json.loads(line) for line in log]


def alive(pid):
    """Whether some thread of it is: where only the first has ended, the process is shown as a zombie, too."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return fields[0] not in "ZX" or int(fields[17]) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False
