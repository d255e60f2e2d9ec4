#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the list of calls against the objects, and makes of it what the faulty build needs.

usage: calls.py check OBJECT… [with OBJECT…]  fails on an undefined symbol without a row, and on a failure without use;
                                          what the second list defines is no symbol from outside
       calls.py wraps                     one WRAP(symbol, KIND) a row, for inject.c
       calls.py options                   the linker's --wrap options
"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def rows():
    with open(os.path.join(HERE, "calls")) as lines:
        for line in lines:
            words = line.split()
            if words and not line.startswith("#"):
                yield words[0], words[1], words[2:]


def faulty():
    return {name: (kind, rest) for name, kind, rest in rows() if kind != "never"}


def symbols(objects, option):
    done = subprocess.run(["nm", option, *objects], check=True, capture_output=True, text=True)
    return {line.split()[-1] for line in done.stdout.splitlines() if len(line.split()) >= 2}


def check(objects):
    end = objects.index("with") if "with" in objects else len(objects)
    wanted = symbols(objects[:end], "--undefined-only") - symbols(objects[:end] + objects[end + 1:], "--defined-only")
    listed = [name for name, _, _ in rows()]
    wrong = [f"{name}: no row in tests/fault/calls says how it fails" for name in sorted(wanted - set(listed))]
    wrong += [f"{name}: listed twice" for name in sorted({n for n in listed if listed.count(n) > 1})]
    wrong += [f"{name}: listed, but nothing calls it" for name in sorted(set(faulty()) - wanted)]
    wrong += [f"{name}: no reason" for name, kind, rest in rows() if not rest]
    print("\n".join(wrong) or f"{len(wanted)} symbols, {len(faulty())} of them can be made to fail")
    return len(wrong) != 0


def main():
    what = sys.argv[1:2]
    if what == ["check"]:
        return check(sys.argv[2:])
    for name, (kind, _) in sorted(faulty().items()):
        print(f"WRAP({name}, {kind.upper()})" if what == ["wraps"] else f"-Wl,--wrap={name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
