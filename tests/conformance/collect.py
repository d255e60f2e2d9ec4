# SPDX-License-Identifier: Apache-2.0
"""Runs one module of Python's own test suite and writes a line for each test: outcome, id.

A line is written when a test ends, so a crash or a hang leaves all that came before; the test that
was under way is named by a line of its own. usage: collect.py MODULE OUTPUT
"""
import faulthandler
import importlib
import os
import sys
import unittest

# What is tried nowhere: it does not end on every machine, natively.
UNTRIED = {"test_socket": {"ThreadedVSOCKSocketStreamTest": "asks the hypervisor, and some never answer"}}


class Lines(unittest.TestResult):
    def __init__(self, path):
        super().__init__()
        self.out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.writer = os.getpid()
        self.outcome = None

    def put(self, outcome, test, story=""):
        if os.getpid() != self.writer:
            return
        name = " ".join(str(test.id()).split())
        os.write(self.out, f"{outcome} {name}\n".encode(errors="backslashreplace"))
        if story:
            sys.stderr.write(f"== {outcome} {name}\n{story}\n")
            sys.stderr.flush()

    def startTest(self, test):
        super().startTest(test)
        self.outcome = "passed"
        self.put("began", test)

    def stopTest(self, test):
        super().stopTest(test)
        self.put(self.outcome, test)

    def worsen(self, test, err):
        self.outcome = "failed"
        story = self._exc_info_to_string(err, test)
        if hasattr(test, "_testMethodName"):
            sys.stderr.write(f"== failed {test.id()}\n{story}\n")
        else:
            self.put("failed", test, story)

    def addError(self, test, err):
        self.worsen(test, err)

    def addFailure(self, test, err):
        self.worsen(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.worsen(test, err)

    def addSkip(self, test, reason):
        if hasattr(test, "_testMethodName"):
            if self.outcome == "passed":
                self.outcome = "skipped"
            sys.stderr.write(f"== skipped {test.id()}: {reason}\n")
        else:
            self.put("skipped", test, reason)

    def addUnexpectedSuccess(self, test):
        self.outcome = "failed"


def main():
    module, output = sys.argv[1:3]
    faulthandler.enable()
    faulthandler.dump_traceback_later(float(os.environ.get("CONFORMANCE_DUMP", "1e6")), exit=False)
    from test import support
    from test.support import import_helper, os_helper, threading_helper
    support.use_resources = ["cpu", "subprocess", "largefile"]
    support.LOOPBACK_TIMEOUT = support.SHORT_TIMEOUT = 60.0
    del import_helper, threading_helper
    result = Lines(output)
    try:
        with os_helper.temp_cwd(None, quiet=True):
            classes = importlib.import_module("test." + module)
            for name, why in UNTRIED.get(module, {}).items():
                unittest.skip(why)(getattr(classes, name))
            suite = unittest.defaultTestLoader.loadTestsFromModule(classes)
            suite.run(result)
    except unittest.SkipTest as reason:
        os.write(result.out, f"skipped {module} {reason}\n".encode())
    os.write(result.out, b"end\n")
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
