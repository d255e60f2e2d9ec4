# SPDX-License-Identifier: Apache-2.0
"""What a mutation is: one mechanism switched off by exact edits of the sources, and the tests that must go red."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Edit:
    path: str
    old: str  # stands there exactly once
    new: str


@dataclass(frozen=True)
class Mutation:
    name: str
    mechanism: str
    edits: tuple
    escapes: str = ""  # a regular expression over the names of the escape cases
    others: tuple = field(default=())  # further tests: ("race", REGEX), ("session", WORD), ("unit", PROGRAM)
    user: str = ""  # the escapes as this user (only root can)
    lacks: str = ""  # the escapes on a kernel that lacks these features (`remit run --without`)
    with_layers: tuple = field(default=())  # what else was taken away, because it holds the same by itself


# Layers that hold the same thing by themselves. A mutation of one layer takes the others away, and says so.
HULL = Edit("shim/broker/session.c", "error = put_hull_on(session->options);", "error = 0;")
WALL = Edit("shim/broker/launch.c", "error = kernel_landlock(&options->plan->wall);", "error = 0;")
CAPABILITIES = Edit("shim/broker/session.c", "int error = kernel_drop_capabilities(session->about.capabilities);",
                    "int error = 0;")
LAYERS = {"hull": HULL, "wall": WALL, "capabilities": CAPABILITIES}

# Every scope allows everything: what a performer asks is answered yes.
SAYS_YES = (("shim/broker/judge.c", "if (judgement.decision[n].verdict != VERDICT_ALLOWED)", "if (n > JUDGE_LEVELS)"),
            ("shim/broker/judge.c", "decide_path(scope, verb, path, len).verdict != VERDICT_ALLOWED)", "n > JUDGE_LEVELS)"))


def mutation(name, mechanism, *edits, without=(), **tests):
    """`edits` are (path, old, new); `without` names LAYERS that are taken away as well."""
    changes = tuple(Edit(*edit) for edit in edits) + tuple(LAYERS[layer] for layer in without)
    return Mutation(name, mechanism, changes, with_layers=tuple(without), **tests)
