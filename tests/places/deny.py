# SPDX-License-Identifier: Apache-2.0
"""Starts a program under a seccomp filter that refuses calls by number, as a container's profile would.

usage: deny.py PROFILE PROGRAM [ARGUMENT...]
"""
import ctypes
import os
import struct
import sys

EPERM, ENOSYS = 1, 38
# What Docker's default profile does not allow a container without capabilities on a kernel of 4.8 and newer:
# github.com/moby/profiles, seccomp/default.json (the calls that are in none of its unconditional lists), by x86-64
# number (arch/x86/entry/syscalls/syscall_64.tbl). clone with namespace flags is left out: remit makes none.
DOCKER = {
    "ustat": 136, "sysfs": 139, "_sysctl": 156, "pivot_root": 155, "acct": 163, "settimeofday": 164,
    "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170,
    "setdomainname": 171, "iopl": 172, "ioperm": 173, "create_module": 174, "init_module": 175, "delete_module": 176,
    "quotactl": 179, "nfsservctl": 180, "lookup_dcookie": 212, "clock_settime": 227, "mbind": 237,
    "set_mempolicy": 238, "get_mempolicy": 239, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250,
    "migrate_pages": 256, "unshare": 272, "move_pages": 279, "perf_event_open": 298, "fanotify_init": 300,
    "open_by_handle_at": 304, "setns": 308, "kcmp": 312, "finit_module": 313, "kexec_file_load": 320, "bpf": 321,
    "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "pidfd_getfd": 438,
    "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443,
}
# The conditional list of CAP_SYS_PTRACE, docker run --cap-add SYS_PTRACE.
PTRACE = {"kcmp", "pidfd_getfd", "process_madvise"}
PROFILES = {
    "docker": (DOCKER, EPERM),
    "docker-ptrace": ({name: number for name, number in DOCKER.items() if name not in PTRACE}, EPERM),
    "no-vm": ({"process_vm_readv": 310, "process_vm_writev": 311}, EPERM),
    "no-landlock": ({"landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446}, ENOSYS),
    "no-openat2": ({"openat2": 437}, ENOSYS),
    "no-seccomp": ({"seccomp": 317}, EPERM),
    "no-close-range": ({"close_range": 436}, ENOSYS),
    "no-memfd": ({"memfd_create": 319}, EPERM),
    "no-pidfd-open": ({"pidfd_open": 434}, ENOSYS),
}


def program(calls, error):
    """Loads the number, one jump for each call, then allow and errno (linux/filter.h, linux/seccomp.h)."""
    numbers = list(calls.values())
    code = [struct.pack("HBBI", 0x20, 0, 0, 0)]
    for at, number in enumerate(numbers):
        code.append(struct.pack("HBBI", 0x15, len(numbers) - at, 0, number))
    code.append(struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000))
    code.append(struct.pack("HBBI", 0x06, 0, 0, 0x00050000 | error))
    return b"".join(code), len(code)


def main():
    calls, error = PROFILES[sys.argv[1]]
    code, count = program(calls, error)
    buffer = ctypes.create_string_buffer(code, len(code))
    fprog = struct.pack("HxxxxxxQ", count, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    # PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP with SECCOMP_MODE_FILTER.
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.create_string_buffer(fprog, len(fprog))):
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
