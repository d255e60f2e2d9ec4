# SPDX-License-Identifier: Apache-2.0
"""The static part of the filter: each row that an escape tries, and each clause of the rows (filter_*.c)."""
from mutation import SAYS_YES, mutation

ROWS = "policy/plan/syscalls.c"
FILTER = "policy/plan/filter.c"
PATHS = "policy/plan/filter_paths.c"
PROCESSES = "policy/plan/filter_processes.c"
ARGUMENTS = "policy/plan/filter_arguments.c"
OPTIONS = "policy/plan/socket_options.c"
ROUTES = (
    "    {IPPROTO_IP, IP_OPTIONS, 0, \"source route\"},\n"
    "    {IPPROTO_IPV6, IPV6_2292PKTOPTIONS, 0, \"source route\"},\n"
    "    {IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, 0, \"source route\"},\n"
    "    {IPPROTO_IPV6, IPV6_RTHDR, 0, \"source route\"},\n")
PORT_RANGE = "    {IPPROTO_IP, IP_LOCAL_PORT_RANGE, 0, \"port of its own choice\"},\n"
GROUPS = (
    "    {IPPROTO_IP, IP_ADD_MEMBERSHIP, IP_ADD_MEMBERSHIP ^ IP_ADD_SOURCE_MEMBERSHIP,\n"
    "     \"multicast group\"},\n"
    "    {IPPROTO_IP, MCAST_JOIN_GROUP, MCAST_JOIN_GROUP ^ MCAST_JOIN_SOURCE_GROUP, \"multicast group\"},\n"
    "    {IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, 0, \"multicast group\"},\n"
    "    {IPPROTO_IPV6, MCAST_JOIN_GROUP, MCAST_JOIN_GROUP ^ MCAST_JOIN_SOURCE_GROUP, \"multicast group\"},\n")
GATED = "TREAT_OBJECT, 0"
NEVER = "TREAT_NEVER, 0"
ABSENT = "TREAT_ERRNO, ENOSYS"


NATIVE = (("session", "native"),)
NO_GATE = [
    mutation("native-whole", "a call goes without the gate only where the wall holds all that is granted",
             ("policy/plan/native.c", "\t\tif (b->inexact[i].why)\n", "\t\tif (b->inexact[i].on)\n"), others=NATIVE),
    mutation("native-records", "and only where no refusal needs a record",
             ("policy/plan/native.c", "if (!b->plan->records_none || why)", "if (why)"), others=NATIVE),
    mutation("native-mode-3", "an open that asks Landlock for nothing is the gate's there too",
             (PATHS, "if (tag || w->terms->native_read)", "if (tag && !w->terms->native_read)"), others=NATIVE),
    mutation("native-asks", "the shim is heard there, or refusals could not be explained",
             (PATHS, "\twhen_equal(add(w, FILTER_NOTIFY, 0), TAG_ARG, REMIT_TAG_GATE);\n\tadd(w, FILTER_ALLOW, 0);", "\tadd(w, FILTER_ALLOW, 0);"), others=NATIVE),
    mutation("native-nest", "no inner session where the gate does not see every call",
             ("shim/broker/nest_door.c", "if (broker_session_flags(request->broker) & SESSION_NATIVE)", "if (broker_session_flags(request->broker) & 0)"), others=NATIVE),
]


def row(number, name, treatment, escapes, **more):
    return mutation(f"row-{name}", f"{name} is {treatment.split(',')[0]}",
                    (ROWS, f'{{{number}, {treatment}, "{name}"', f'{{{number}, TREAT_ALLOW, 0, "{name}"'),
                    escapes=f"^({escapes})$", **more)


OBJECT_ROWS = [
    row(42, "connect", GATED, "N1-.*|N6-path|N10-.*|U1-connect|U1-unix|N2-fastopen-connect|L1-tagged-connect", without=("wall", "hull")),
    row(49, "bind", GATED, "N5-bind-udp|N6-bind-outside|N6-bind-denied|N10-bind-unspec", without=("wall", "hull")),
    row(50, "listen", GATED, "N5-listen-.*|N6-.*listen.*|N6-abstract-autobind|L1-tagged-bind"),
    row(90, "chmod", GATED, "P10-chmod.*|L1-tagged-chmod|U1-chmod|F10-own-.*"),
    row(91, "fchmod", GATED, "P10-fchmod|L1-tagged-fchmod|U1-fchmod"),
    row(92, "chown", GATED, "P10-chown|L1-tagged-chown"),
    row(93, "fchown", GATED, "P10-fchown"),
    row(94, "lchown", GATED, "P10-lchown"),
    row(132, "utime", GATED, "P10-utime"),
    row(188, "setxattr", GATED, "P10-setxattr.*|L1-tagged-xattr|U1-setxattr"),
    row(189, "lsetxattr", GATED, "P10-lsetxattr"),
    row(190, "fsetxattr", GATED, "P10-fsetxattr"),
    row(197, "removexattr", GATED, "P10-removexattr"),
    row(199, "fremovexattr", GATED, "P10-fremovexattr"),
    row(235, "utimes", GATED, "P10-utimes"),
    row(254, "inotify_add_watch", GATED, "P17-inotify|U1-inotify"),
    row(260, "fchownat", GATED, "P10-fchownat.*|L1-tagged-chown"),
    row(261, "futimesat", GATED, "P10-futimesat"),
    row(268, "fchmodat", GATED, "P10-fchmodat|L1-tagged-chmod"),
    row(280, "utimensat", GATED, "P10-utimensat.*|L1-tagged-times|U1-utimensat"),
    row(319, "memfd_create", GATED, "F5-memfd-.*"),
    row(452, "fchmodat2", GATED, "P10-fchmodat2.*"),
    row(463, "setxattrat", GATED, "P10-setxattrat"),
    row(466, "removexattrat", GATED, "P10-removexattrat"),
]

ERRNO_ROWS = [
    row(103, "syslog", NEVER, "F8-syslog", without=("capabilities",)),
    row(155, "pivot_root", NEVER, "P15-pivot-root", without=("capabilities", "wall", "hull")),
    row(161, "chroot", NEVER, "P15-chroot", without=("capabilities", "wall", "hull")),
    mutation("row-mount", "mount is TREAT_NEVER, with namespaces let through", (ROWS, '{165, TREAT_NEVER, 0, "mount"', '{165, TREAT_ALLOW, 0, "mount"'),
             (PROCESSES, "when(never(w), 0, namespaces[i], namespaces[i]);",
              "when(add(w, FILTER_ALLOW, 0), 0, namespaces[i], namespaces[i]);"),
             escapes="^P15-mount$", without=("capabilities", "wall", "hull")),
    row(248, "add_key", NEVER, "F8-keys"),
    row(249, "request_key", NEVER, "F8-request-key"),
    row(250, "keyctl", NEVER, "F8-keys"),
    row(298, "perf_event_open", NEVER, "F8-perf"),
    row(300, "fanotify_init", NEVER, "P17-fanotify.*", without=("capabilities",)),
    row(170, "sethostname", NEVER, "F8-sethostname", without=("capabilities",)),
    row(164, "settimeofday", NEVER, "F8-clock", without=("capabilities",)),
    row(179, "quotactl", NEVER, "F8-quota", without=("capabilities",)),
    row(304, "open_by_handle_at", NEVER, "P16-.*", without=("capabilities", "wall", "hull")),
    row(308, "setns", NEVER, "P15-setns", without=("capabilities",)),
    row(321, "bpf", NEVER, "F8-bpf", without=("capabilities",)),
    row(323, "userfaultfd", NEVER, "F8-userfaultfd"),
    row(428, "open_tree", NEVER, "P15-open-tree.*", without=("capabilities", "wall", "hull")),
    row(430, "fsopen", NEVER, "P15-fsopen", without=("capabilities",)),
    row(425, "io_uring_setup", ABSENT, "F1-.*"),
    row(435, "clone3", ABSENT, "P15-clone3-user"),
    row(447, "memfd_secret", ABSENT, "F5-memfd-secret"),
    row(469, "file_setattr", ABSENT, "P10-file-setattr"),
]

FILE_SYSTEM_ROWS = [
    # Landlock holds these too; what the gate adds to them is asked in gate_mutations.py.
    row(2, "open", "TREAT_OPEN, 1", "P8-open|P1-link-read|U1-open", without=("wall", "hull")),
    row(76, "truncate", "TREAT_PATH, 0", "P9-truncate|P4-reopen-truncate", without=("wall", "hull")),
    row(82, "rename", "TREAT_PATH, 0", "P6-rename-denied|P7-move-folder|P9-rename-out|P11-rename",
        without=("wall", "hull")),
    row(83, "mkdir", "TREAT_PATH, 0", "P9-mkdir|P11-mkdir", without=("wall", "hull")),
    row(84, "rmdir", "TREAT_PATH, 0", "P9-rmdir", without=("wall", "hull")),
    row(85, "creat", "TREAT_PATH, 0", "P8-creat.*", without=("wall", "hull")),
    row(86, "link", "TREAT_PATH, 0", "P6-link-denied|P6-link-secret|P9-link-out|P11-link|N6-hard-link",
        without=("wall", "hull")),
    row(87, "unlink", "TREAT_PATH, 0", "P9-unlink.*", without=("wall", "hull")),
    row(88, "symlink", "TREAT_PATH, 0", "P9-symlink|P11-symlink", without=("wall", "hull")),
    row(133, "mknod", "TREAT_PATH, 0", "P9-fifo|P9-socket|P9-file|P14-.*", without=("wall", "hull")),
    row(257, "openat", "TREAT_OPEN, 2", "P8-openat.*|P4-handle-folder|P12-.*", without=("wall", "hull")),
    row(258, "mkdirat", "TREAT_PATH, 0", "P9-mkdirat.*", without=("wall", "hull")),
    row(259, "mknodat", "TREAT_PATH, 0", "P9-mknodat", without=("wall", "hull")),
    row(263, "unlinkat", "TREAT_PATH, 0", "P9-unlinkat", without=("wall", "hull")),
    row(265, "linkat", "TREAT_PATH, 0", "P6-link-.*|P8-tmpfile-linked-out|P11-tmpfile", without=("wall", "hull")),
    row(266, "symlinkat", "TREAT_PATH, 0", "P9-symlinkat", without=("wall", "hull")),
    row(316, "renameat2", "TREAT_PATH, 0", "P6-exchange.*|P6-rename-(handle|whiteout)|P7-exchange-folder",
        without=("wall", "hull")),
    row(437, "openat2", GATED, "P8-openat2.*|P4-handle-openat2|L1-tagged-openat2.*", without=("wall", "hull")),
    row(59, "execve", "TREAT_EXEC, 0", "E1-.*|E3-copy.*|U1-exec", without=("wall", "hull")),
    row(322, "execveat", "TREAT_EXEC, 0", "E1-handle|F5-.*execveat", without=("wall", "hull")),
]


def clause(name, mechanism, old, new, escapes, file=ARGUMENTS, **more):
    return mutation(f"clause-{name}", mechanism, (file, old, new), escapes=f"^({escapes})$", **more)


CLAUSES = [
    clause("tag-everywhere", "calls that the wall does not cover are notified whatever their sixth argument",
           "\tw->class = CLASS_OBJECT;\n\tadd(w, FILTER_NOTIFY, 0);",
           "\tw->class = CLASS_OBJECT;\n\twhen_equal(add(w, FILTER_ALLOW, 0), TAG_ARG, REMIT_TAG);\n"
           "\tadd(w, FILTER_NOTIFY, 0);", "L1-tagged-(chmod|fchmod|chown|times|xattr|bind)", file=PATHS),
    clause("open-for-commands", "an open that asks for no right of Landlock is gated whatever its tag",
           "when(add(w, FILTER_NOTIFY, 0), w->from->value, O_ACCMODE, O_ACCMODE);",
           "when(add(w, FILTER_ALLOW, 0), w->from->value, O_ACCMODE, O_ACCMODE);", "L1-tagged-mode3", file=PATHS),
    clause("tiocsti", "TIOCSTI is refused", "0x5412, /* TIOCSTI", "0x5400, /* TIOCSTI", "F4-tiocsti.*"),
    mutation("clause-tioclinux", "TIOCLINUX is refused", (ARGUMENTS, "0x541c, /* TIOCLINUX", "0x5400, /* TIOCLINUX"), *SAYS_YES,
             escapes="^F4-tioclinux$", without=("capabilities", "wall", "hull")),
    clause("ioctl-high-bits", "ioctl commands are compared on the bits that the kernel looks at",
           "when(never(w), 1, COMMAND, refused[i]);", "when(never(w), 1, COMMAND | ~LOW32, refused[i]);", "F4-tiocsti-high-bits"),
    clause("file-system-commands", "commands of file systems are refused by type",
           "when(never(w), 1, refused[i].mask, refused[i].command);", "when(add(w, FILTER_ALLOW, 0), 1, refused[i].mask, refused[i].command);",
           "P9-attribute-flags|F4-(remove-key|add-key|password|migrate|allocate|unlisted|reflink|pin|atomic|ceph|smb).*",
           others=(("session", "encrypted"),)),
    clause("namespaces", "clone and unshare take no namespace flags",
           "when(never(w), 0, namespaces[i], namespaces[i]);",
           "when(add(w, FILTER_ALLOW, 0), 0, namespaces[i], namespaces[i]);", "P15-(unshare|clone)-.*", without=("capabilities",), file=PROCESSES),
    clause("clone-high-bits", "flags of clone are compared bit by bit",
           "when(never(w), 0, namespaces[i], namespaces[i]);",
           "when(never(w), 0, namespaces[i] | ~LOW32, namespaces[i]);", "P15-clone-high-bits", file=PROCESSES),
    clause("fast-open", "MSG_FASTOPEN is refused",
           "when(never(w), flags_arg, MSG_FASTOPEN, MSG_FASTOPEN);",
           "(void)flags_arg;", "N2-fastopen-send.*", without=("wall", "hull")),
    clause("fast-open-high-bits", "MSG_FASTOPEN is looked for in the bits that the kernel looks at",
           "flags_arg, MSG_FASTOPEN, MSG_FASTOPEN);", "flags_arg, MSG_FASTOPEN | ~LOW32, MSG_FASTOPEN);",
           "N2-fastopen-sendto-high-bits", without=("wall", "hull")),
    clause("sendto", "an addressed sendto is gated where datagrams are granted",
           "\twhen_equal(add(w, FILTER_ALLOW, 0), 4, 0);\n\tadd(w, w->terms->gated_sends ? FILTER_NOTIFY : FILTER_ALLOW, 0);",
           "\twhen_equal(add(w, FILTER_ALLOW, 0), 4, 0);\n\tadd(w, FILTER_ALLOW, 0);",
           "N3-udp-(sendto|mapped)|N6-datagram.*|N6-abstract-datagram|U1-sendto|N3-multicast"),
    clause("sendmsg", "sendmsg and sendmmsg are gated where datagrams are granted",
           "\trefuse_fast_open(w, w->from->value);\n\tadd(w, w->terms->gated_sends ? FILTER_NOTIFY : FILTER_ALLOW, 0);",
           "\trefuse_fast_open(w, w->from->value);\n\tadd(w, FILTER_ALLOW, 0);", "N3-udp-send(msg|mmsg)"),
    clause("datagram-sockets", "without a granted datagram there is no datagram socket",
           "\tfor (size_t i = 0; i < sizeof(tcp) / sizeof(*tcp); i++)\n",
           "\tallow_socket(w, EITHER_INET, AF_INET, TYPE, SOCK_DGRAM);\n\tfor (size_t i = 0; i < sizeof(tcp) / sizeof(*tcp); i++)\n",
           "N3-udp-.*", others=(("session", "nested"),)),
    clause("unix-datagrams", "without a granted datagram there is no unix datagram socket",
           "allow_socket(w, DOMAIN, AF_UNIX, EITHER_STREAM, SOCK_STREAM);",
           "allow_socket(w, DOMAIN, AF_UNIX, 0, SOCK_STREAM);", "N6-datagram.*"),
    mutation("datagrams-of-all", "an inner session grants its datagram sockets itself",
             ("shim/broker/network.c", "if (!about.has_datagrams)", "if (!about.has_datagrams && !request->nested)"),
             others=(("session", "nested"),)),
    mutation("narrow-kill", "kill of an inner session that records all goes to the gate",
             ("shim/kernel/filter.c", "(row->class != CLASS_PATH && row->nr != SYS_kill)", "row->class != CLASS_PATH"),
             others=(("session", "nested"),)),
    clause("protocols", "IP sockets speak TCP or UDP", "\tsocket_unix(w);\n\tfor",
           "\tsocket_unix(w);\n\twhen(add(w, FILTER_ALLOW, 0), 0, DOMAIN, AF_INET);\n\tfor",
           "N4-(raw|ping|mptcp|udplite|sctp|dccp|old).*", without=("capabilities",)),
    clause("families", "only IP, unix and route sockets", "\tnever(w);\n}\n\nstatic void socket_pair",
           "\tadd(w, FILTER_ALLOW, 0);\n}\n\nstatic void socket_pair", "N4-(packet|old-packet|vsock|alg|smc|kcm|tipc|rds|netlink).*", without=("capabilities",)),
    clause("netlink-protocols", "netlink is the routing table's only",
           "when(allow_socket(w, DOMAIN, AF_NETLINK, EITHER_RAW, SOCK_RAW), 2, PROTOCOL,\n\t     0 /* NETLINK_ROUTE */);",
           "allow_socket(w, DOMAIN, AF_NETLINK, EITHER_RAW, SOCK_RAW);", "N4-netlink-.*"),
    clause("source-routes", "no socket option chooses a route",
           ROUTES, "", "N11-.*", without=("capabilities",), file=OPTIONS),
    clause("source-routes-high-bits", "socket options are compared on the bits that the kernel looks at",
           "when(clause, 1, SOCKET_LEVEL_BITS,", "when(clause, 1, 0x1000001ffULL,",
           "N11-source-route-high-bits", without=("capabilities",)),
    clause("port-range", "no socket option chooses a port", PORT_RANGE, "", "N5-choose-port.*", file=OPTIONS),
    clause("groups", "no multicast group is joined", GROUPS, "",
           "N3-multicast-join.*", file=OPTIONS),
    clause("setpriority", "setpriority on others is gated", "self_or_notify(w, 0 /* PRIO_PROCESS, linux/resource.h */);",
           "allow(w);", "F7-setpriority.*", user="nobody", file=PROCESSES),
    clause("ioprio", "ioprio_set on others is gated", "self_or_notify(w, 1 /* IOPRIO_WHO_PROCESS, linux/ioprio.h */);",
           "allow(w);", "F7-ioprio.*", user="nobody", file=PROCESSES),
    clause("others", "prlimit, sched_* and their kin on others are gated",
           "\twhen_equal(add(w, FILTER_ALLOW, 0), w->from->value, 0);\n\tadd(w, FILTER_NOTIFY, 0);",
           "\tadd(w, FILTER_ALLOW, 0);", "F7-(setaffinity|setscheduler|prlimit.*)", user="nobody", file=PROCESSES),
    mutation("personality", "personality is one of the harmless",
             ("shim/broker/personality.c", "if (value == harmless[i])", "if (value || harmless[i])"), escapes="^F8-personality$"),
    clause("memory-map", "PR_SET_MM is refused", "when(never(w), 0, 0xff, PR_SET_MM);", "",
           "F8-set-mm"),
]

LOADER = "shim/kernel/filter.c"
LOADING = [
    mutation("unknown-numbers", "what has no row is the gate's", (LOADER, "seccomp_init(SCMP_ACT_NOTIFY)", "seccomp_init(SCMP_ACT_ALLOW)"),
             (LOADER, "if (action == SCMP_ACT_NOTIFY) /* the default */", "if (action == SCMP_ACT_ALLOW)"),
             escapes="^(F11-.*)$", others=(("unit", "test_filter"),)),
    mutation("unknown-at-the-gate", "and the gate says ENOSYS",
             ("shim/broker/never.c", "\tif (!row)\n\t\treturn reply_error(ENOSYS);\n", "\tif (!row)\n\t\treturn reply_continue();\n"),
             escapes="^(F11-.*)$"),
    mutation("other-machines", "calls of another architecture are refused",
             (LOADER, "SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)", "SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW"),
             escapes="^F[23]-.*", without=("wall", "hull")),
    mutation("no-filter", "the filter is loaded at all: every call that only the filter holds",
             (FILTER, "row_of(from->treatment)(w);",
              "row_of(from->treatment == TREAT_PRCTL ? TREAT_PRCTL : TREAT_ALLOW)(w);"),
             escapes="^(F|N4|N11|N2|N3|P10|P15|P16|P17)", without=("wall", "hull")),
]

MUTATIONS = NO_GATE + OBJECT_ROWS + ERRNO_ROWS + FILE_SYSTEM_ROWS + CLAUSES + LOADING
