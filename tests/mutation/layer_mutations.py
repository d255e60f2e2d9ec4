# SPDX-License-Identifier: Apache-2.0
"""Wall, hull, launch and end of a session: what is put on once and holds by itself."""
from mutation import SAYS_YES, mutation

WALL_C = "policy/plan/wall.c"
ACCESS = "policy/plan/access.c"
SESSION = "shim/broker/session.c"
LAUNCH = "shim/broker/launch.c"

# What a tagged call may do is what Landlock says, right by right.
RIGHTS = [
    ("write", "(ACCESS_MAKE_SYM << 1) - 1", "((ACCESS_MAKE_SYM << 1) - 1) & ~ACCESS_WRITE_FILE", "L1-tagged-(hook|write)|L1-tagged-creat|U1-hook|P4-.*|P20-.*"),
    ("remove-file", "(ACCESS_MAKE_SYM << 1) - 1", "((ACCESS_MAKE_SYM << 1) - 1) & ~ACCESS_REMOVE_FILE", "L1-tagged-unlink.*"),
    ("remove-folder", "(ACCESS_MAKE_SYM << 1) - 1", "((ACCESS_MAKE_SYM << 1) - 1) & ~ACCESS_REMOVE_DIR", "L1-tagged-rmdir"),
    ("make-folder", "(ACCESS_MAKE_SYM << 1) - 1", "((ACCESS_MAKE_SYM << 1) - 1) & ~ACCESS_MAKE_DIR", "L1-tagged-mkdir"),
    ("make-file", "(ACCESS_MAKE_SYM << 1) - 1", "((ACCESS_MAKE_SYM << 1) - 1) & ~ACCESS_MAKE_REG", "L1-tagged-(mknod|late)|U1-create-late"),
    ("make-link", "(ACCESS_MAKE_SYM << 1) - 1", "((ACCESS_MAKE_SYM << 1) - 1) & ~ACCESS_MAKE_SYM", "L1-tagged-symlink"),
    ("make-device", "(ACCESS_MAKE_SYM << 1) - 1", "((ACCESS_MAKE_SYM << 1) - 1) & ~(ACCESS_MAKE_CHAR | ACCESS_MAKE_BLOCK)", "L1-tagged-device"),
    ("make-fifo", "(ACCESS_MAKE_SYM << 1) - 1", "((ACCESS_MAKE_SYM << 1) - 1) & ~ACCESS_MAKE_FIFO", "L1-tagged-fifo"),
    ("make-socket", "(ACCESS_MAKE_SYM << 1) - 1", "((ACCESS_MAKE_SYM << 1) - 1) & ~ACCESS_MAKE_SOCK", "L1-tagged-socket"),
    ("refer", "access |= ACCESS_REFER;", "access |= 0;", ""),
    ("read-folder", "(ACCESS_MAKE_SYM << 1) - 1", "((ACCESS_MAKE_SYM << 1) - 1) & ~ACCESS_READ_DIR", "L1-tagged-folder"),
]


def right(name, old, new, escapes):
    layers = ("hull", "capabilities") if name == "make-device" else ("hull",)
    return mutation(f"wall-{name}", f"Landlock handles the right to {name.replace('-', ' ')}", (ACCESS, old, new),
                    escapes=f"^({escapes})$", without=layers)


def everywhere(name, access, escapes):
    """A session does not start without these two, so they are granted where they were not."""
    return mutation(f"wall-{name}", f"Landlock grants the right to {name} only where the scope does",
                    (WALL_C, "\tdomain_tidy(&b->plan->wall);",
                     f'\tdomain_tidy(&b->plan->wall);\n\tdomain_add(&b->plan->wall, &b->wall_room, "/", {access}, RULE_NONE);'),
                    escapes=f"^({escapes})$", without=("hull",))


LAYERS = [
    everywhere("execute", "ACCESS_EXECUTE", "L1-tagged-exec.*|E3-copy.*|U1-exec"),
    everywhere("read", "ACCESS_READ_FILE", "L1-tagged-open.*|U1-open.*|P4-peer-folder-tagged"),
    mutation("wall", "Landlock is put on the agent", escapes="^(L1|U1|F6|F7|P4|F9|N6-abstract|F10|E3|P20|F5)-",
             without=("wall", "hull")),
    mutation("hull", "the hull holds where the gate judges wrongly",
             *SAYS_YES,
             escapes="^(P8-(open|creat|trunc)|P1-link-(read|create|write)|N1-other-port)$", without=("hull",)),
    mutation("wall-signals", "Landlock keeps signals and abstract sockets inside",
             (ACCESS, "return abi >= 6 ? SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL : 0;", "return abi >= 99 ? SCOPE_SIGNAL : 0;"),
             ("policy/plan/filter_processes.c", "bool native = w->terms->scoped_signals && w->terms->fast_lane;", "bool native = true;"),
             ("policy/plan/filter_arguments.c", "\tif (!w->terms->scoped_signals) {\n", "\tif (!w->terms) {\n"),
             ("policy/plan/filter_arguments.c", " && !w->terms->scoped_signals; i++)", " && !w->terms; i++)"),
             ("policy/plan/syscalls.c", '{62, TREAT_KILL, 0, "kill"', '{62, TREAT_ALLOW, 0, "kill"'),
             ("policy/plan/syscalls.c", '{129, TREAT_KILL, 0, "rt_sigqueueinfo"', '{129, TREAT_ALLOW, 0, "rt_sigqueueinfo"'),
             ("policy/plan/syscalls.c", '{424, TREAT_KILL, 0, "pidfd_send_signal"', '{424, TREAT_ALLOW, 0, "pidfd_send_signal"'),
             escapes="^(L1-tagged-kill|F7-(kill|tkill|tgkill|sigqueue|tgsigqueue|pidfd|sigio).*)$"),
    mutation("wall-tcp", "Landlock denies native connects", (ACCESS, "return abi >= 4 ? ACCESS_BIND_TCP | ACCESS_CONNECT_TCP : 0;", "return abi >= 99 ? ACCESS_BIND_TCP : 0;"),
             ("policy/plan/syscalls.c", '{42, TREAT_OBJECT, 0, "connect"', '{42, TREAT_ALLOW, 0, "connect"'), escapes="^N1-.*"),
    mutation("wall-denials", "the wall is carved around denials",
             ("policy/plan/carve.c", "struct reach reach = denials_reach(&b->denials, path, wanted);", "struct reach reach = {0};\n\t(void)wanted;"),
             escapes="^(L1-tagged-(openat-denied|openat-glob|late|hook|unlink|link-denied|link-above|rename|renameat2)|U1-.*)$"),
    mutation("wall-sockets", "no socket natively gets the name of a granted one",
             (WALL_C, "return access & ~ACCESS_MOVE_SOCKETS;", "return access;"), escapes="^(N6-(moved|renamed|hard-link).*|L1-tagged-socket-rename)$"),
    mutation("capabilities", "capabilities are dropped", escapes="^(N12|N4|N11|P16|F8|P15|E5)-",
             without=("capabilities",)),
    mutation("broker-dumpable", "nobody of the same user may look into the broker",
             (SESSION, "if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)", "if (0)"), escapes="^(F6-.*broker|P5-broker-.*)$", without=("wall", "hull"), user="nobody"),
    mutation("descriptors", "the agent starts with no descriptor that nobody named",
             (LAUNCH, "\tif (!error)\n\t\terror = close_between(from, ~0U);", ""), escapes="^L2-inherited-fds$", others=(("session", "descriptors"),)),
    mutation("listener", "the agent does not hold the filter's listener", (LAUNCH, "\tclose(listener);\n", "\tfcntl(listener, F_SETFD, 0);\n"), escapes="^L2-listener-fd$"),
    mutation("environment", "a variable that no rule passes is nowhere",
             ("shim/broker/environment.c", "if (decide(scope, &query).verdict == VERDICT_ALLOWED)", "if (decide(scope, &query).verdict <= VERDICT_REFUSED)"),
             escapes="^M8-.*", others=(("session", "environment"),)),
    mutation("survivors", "what the agent left running is ended",
             ("shim/broker/session_end.c", "bool stuck = survivors_end(&left) != 0;", "bool stuck = false;"), escapes="^E7-.*", others=(("session", "survivors"),)),
    mutation("survivors-stop", "everything is stopped before anything is killed",
             ("shim/broker/survivors.c", "signal_descendant(selection, all[i].pid, SIGSTOP);", ""),
             ("shim/broker/survivors.c", "ended += signal_descendant(selection, all[i].pid, SIGKILL) == 0;", "ended += signal_descendant(selection, all[i].pid, SIGTERM) == 0;"),
             escapes="^E7-.*"),
    mutation("survivors-headless", "a process is ended that shows as a zombie because its first thread has ended",
             ("shim/broker/process_tree.c", "out->others = out->state == 'Z' && has_other_threads(after + 2);", "out->others = out->state == 'Z' && has_other_threads(NULL);"),
             others=(("session", "headless"),)),
    mutation("terminal-flow", "output that the agent stopped goes on, so that remit ends", ("shim/broker/terminal.c", "\ttcflow(fd, TCOON);\n", ""),
             ("shim/broker/terminal.c", "\ttcflow(terminal->fd, TCOON);\n", ""), others=(("session", "terminal_left"),)),
    mutation("terminal-exclusive", "others may open the terminal again", ("shim/broker/terminal.c", "ioctl(fd, TIOCNXCL);", ";"),
             others=(("session", "terminal_left"),)),
    mutation("terminal-flags", "the descriptors' flags are as they were", ("shim/broker/terminal.c", "fcntl(fd, F_SETFL, from->flags);", ";"),
             others=(("session", "terminal_left"),)),
    mutation("terminal-mode", "the operator's terminal is not opened to others",
             ("shim/broker/files_attributes.c", "if (operators && !(mode && only_narrows(about.st_mode, *mode)))", "if (operators && about.st_nlink == 0)"), others=(("session", "terminal_left"),)),
    mutation("subreaper", "no orphan is lost", (SESSION, "if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)", "if (prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) != 0)"),
             escapes="^E7-.*"),
    mutation("protected-files", "manifest, shim, profiles and log are closed to the agent",
             ("tools/load_protect.c", "int load_protect(struct loaded *loaded)\n{", "int load_protect(struct loaded *loaded)\n{\n\tif (loaded)\n\t\treturn 0;"),
             escapes="^P13-.*"),
    mutation("protected-parts", "what the command would load or start is closed to the agent where it would be looked for",
             ("tools/load_protect.c", "\t\terror = protect_parts(loaded);\n", "\t\terror = protect_parts ? 0 : -1;\n"), others=(("session", "own_files"),)),
    mutation("protected-log", "the audit log is closed to the agent",
             ("tools/run.c", "(run->audit.path && load_protect_path(", "(run->audit.path && false && load_protect_path("), escapes="^P13-log.*"),
    mutation("listed-links", "a denied link is followed also where its folder was listed",
             ("policy/compile/resolve.c", "if (type == DT_UNKNOWN || type == DT_LNK)", "if (type == DT_UNKNOWN)"),
             others=(("session", "many_files"),)),
    mutation("core-limit", "no core file", ("shim/kernel/limits.c", "int ret = lower(RLIMIT_CORE, 0);", "int ret = 0;"), escapes="^P22-core.*",
             without=("wall", "hull")),
]

MUTATIONS = [right(*entry) for entry in RIGHTS if entry[3]] + LAYERS
