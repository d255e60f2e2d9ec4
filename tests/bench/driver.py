# SPDX-License-Identifier: Apache-2.0
"""A driver of calls, alive inside one mode, that is told by line what to do next and answers with a time."""
import os
import select
import subprocess
import tempfile
import time


class Failed(Exception):
    """The mode or the act failed; the text says why."""


def told(stderr):
    """One line of what was printed (bytes): the first that speaks of an error, else the last."""
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "without a word")[:160]


class Driver:
    def __init__(self, mode, command, policy="bench", prefix=lambda command: command, start_limit=60):
        self.errors = tempfile.TemporaryFile()
        self.buffer = b""
        wrapped = mode.wrap(command, policy)
        if wrapped is None:
            raise Failed("this mode has no such policy")
        try:
            self.process = subprocess.Popen(prefix(wrapped), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=self.errors, env=mode.environment(), cwd=mode.world.base / mode.place)
        except OSError as error:
            raise Failed(str(error)) from error
        try:
            if self.line(start_limit) != "ready":
                raise Failed("no driver at the other end")
        except Failed:
            self.stop()
            raise

    def line(self, limit):
        """One line of its answer, within `limit` seconds."""
        end = time.monotonic() + limit
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Failed(f"no answer in {limit} s")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise Failed(self.last_words())
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode(errors="replace").strip()

    def last_words(self):
        self.errors.seek(0)
        return f"ended: {told(self.errors.read())}"

    def ask(self, request, limit=60):
        """The nanoseconds of an act."""
        try:
            self.process.stdin.write(request.encode() + b"\n")
            self.process.stdin.flush()
        except OSError as error:
            raise Failed(self.last_words()) from error
        answer = self.line(limit)
        if answer.startswith("error"):
            raise Failed(answer[6:])
        try:
            return float(answer)
        except ValueError as error:
            raise Failed(f"no number: {answer[:80]}") from error

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()
