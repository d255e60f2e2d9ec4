# SPDX-License-Identifier: Apache-2.0
"""What no mutation shows, each with its reason. run.py fails when a mutation is green or a case never red and stands not
here, and when something stands here and is red."""
import re

GREEN = {
    "unknown-at-the-gate": "a number that no table has is none of this kernel's either, and it says the same",
    "survivors-stop": "what outruns the killing is waited for, and nobody gets out while the session waits: only its length would tell",
    "pid-once": "takes a number that is given out again between two calls of the gate: R5-death tries for it and has never met it",
}

KERNEL = "the kernel itself refuses it, whatever we leave out: "

# Names of cases; a trailing * stands for all that begin so.
NO_REFUSAL = "shows that what is granted works, or is answered in time: no way out hangs on it"
CASES = {
    "F10-own-listener": KERNEL + "a chain of filters has one listener (EBUSY)",
    "F11-unknown-numbers": KERNEL + "to a number that it does not know either it says ENOSYS",
    "P20-*": KERNEL + "a descriptor that was opened for reading writes nothing",
    "E5-no-new-privs": "neither Landlock nor seccomp starts without no_new_privs",
    "E5-set-user-id": "neither Landlock nor seccomp starts without no_new_privs",
    "R6-orphan": KERNEL + "without a listener's holder a notified call is ENOSYS",
    "R5-death": NO_REFUSAL,
    "R7-*": NO_REFUSAL,
    "R8-crowd": NO_REFUSAL,
    "session/absent.py": NO_REFUSAL,
    "session/acts.py": NO_REFUSAL,
    "session/economy.py": NO_REFUSAL,
    "session/flood.py": NO_REFUSAL,
    "session/interrupted.py": NO_REFUSAL,
    "session/own_terminal.py": NO_REFUSAL,
    "session/start_calls.py": NO_REFUSAL,
    "session/status.py": NO_REFUSAL,
    "session/killed.py": KERNEL + "without a listener's holder a notified call is ENOSYS",
    "session/killed_anywhere.py": KERNEL + "without a listener's holder a notified call is ENOSYS",
}


def reason(name):
    for known, why in CASES.items():
        if re.fullmatch(re.escape(known).replace(r"\*", ".*"), name):
            return why
    return None
