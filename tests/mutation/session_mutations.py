# SPDX-License-Identifier: Apache-2.0
"""Sessions within a session, objects that are not files, programs with conditions, other processes, what is never
allowed, and what ends a session."""
from mutation import mutation

JUDGE = "shim/broker/judge.c"
NEST = "shim/broker/nest.c"
TABLE = "shim/broker/nest_table.c"
DOOR = "shim/broker/nest_door.c"
EXEC = "shim/broker/exec.c"
PROCESS = "shim/broker/process.c"
SET = "shim/broker/process_set.c"
NEVER = "shim/broker/never.c"
NESTED = (("session", "nested"),)
USAGE = (("session", "usage"),)
# Landlock knows no scopes for signals and abstract sockets: the gate has them.
UNSCOPED = "landlock=5"

INNER = [
    mutation("nest-inner-scope", "an inner process is judged by its own scope", (NEST, "\trequest->nested = nested;\n", "\trequest->nested = NULL;\n"),
             others=NESTED),
    mutation("nest-outer-scope", "and by those around it", (NEST, "return n == depth ? broker_scope(request->broker) : NULL;", "return n == 0 && depth == 0 ? broker_scope(request->broker) : NULL;"),
             others=NESTED, without=("hull",)),
    mutation("nest-insides", "the gate does not look into processes around the inner session for it",
             ("shim/broker/judge_proc.c", "if (!request->nested || len < 6 ||", "if (len > 0 ||"), others=NESTED),
    mutation("nest-others", "an inner process acts on no process around it",
             (NEST, "return !nested || (nest_cell(pid, &cell)", "return !nested || cell.low != 1 || (nest_cell(pid, &cell)"), others=NESTED),
    mutation("nest-orphans", "a session whose launcher dies is closed and ended", (TABLE, "\tif (!atomic_load(&nest_table.used))\n\t\treturn;\n", "\tif (nest_table.lock.__data.__kind >= 0)\n\t\treturn;\n"),
             others=NESTED),
    mutation("nest-begins", "an inner session that is still beginning is not ended", (TABLE, "\tif (nested && !nested->begun)\n\t\tnested = NULL;\n", ""),
             others=(("session", "nested_begin"),)),
    mutation("nest-cost", "no inner scope makes the gate decide for minutes", (TABLE, "if (!scope_costs_within(&nested->scope, NEST_PATTERNS_MAX))", "if (!scope_costs_within(&nested->scope, UINT64_MAX))"),
             others=(("session", "nested_cost"),)),
    mutation("nest-log", "an inner log that could make the gate wait is not taken", (DOOR, "S_ISREG(about.st_mode) && (flags & O_APPEND);", "flags >= 0;"),
             others=NESTED),
    mutation("nest-name", "the name of an inner session is a plain word", (TABLE, "return is_id(begin->session, sizeof(begin->session)) ? 0 : -EINVAL;", "return is_id(begin->session, sizeof(begin->session)) ? 0 : 0;"),
             others=NESTED),
    mutation("nest-capabilities", "the gate lends no capability to an inner session", (TABLE, "return about.capabilities & ~nested->about.capabilities ? -EKEYREJECTED : 0;", "return 0;"),
             others=NESTED),
    mutation("nest-processes", "limits.processes of an inner session counts",
             ("shim/broker/process_count.c", "\tif (about.processes == 0)\n", "\tif (about.processes == 0 || nested)\n"), others=NESTED),
    mutation("nest-usage", "an inner process gets no memory that it shares with the session around it",
             ("shim/broker/hypercall.c", "usage_fd(counts) < 0 || request->nested)", "usage_fd(counts) < 0)"), others=USAGE),
    mutation("usage-size", "the size of the counters' memory cannot change under a reader",
             ("shim/broker/usage.c", "F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL", "0"), others=USAGE),
    mutation("usage-bounded", "no count is told that a reader of JSON would take for another",
             ("shim/broker/usage.c", "return count < COUNT_MAX ? count : COUNT_MAX;", "return count;"), others=USAGE),
    mutation("usage-exec", "a program that was tried and not started is no use of its rule",
             ("shim/preload/exec.c", "\t\tusage_take_back(counter);\n", "\t\tif (result == -EACCES)\n\t\t\tusage_take_back(counter);\n"), others=USAGE),
    mutation("nest-ipc", "an inner process does not reach the outer session's IPC objects", (NEST, "i = 0; request->nested && i <", "i = 0; request->held && i <"),
             others=(("session", "ipc"), *NESTED)),
]

OBJECTS = [
    mutation("ipc-queues", "queue names are the session's own", ("shim/broker/ipc_mqueue.c", "\tint error = read_name(request, request->notif.data.args[0], name);\n\n\tif (!error)\n\t\terror = read_opening",
              "\tint error = read_name(request, request->notif.data.args[0], name);\n\n\tif (!error)\n\t\treturn reply_continue();\n\tif (!error)\n\t\terror = read_opening"),
             escapes="^F9-mq$", others=(("session", "ipc"),)),
    mutation("ipc-end", "the session's IPC objects are removed at its end", ("shim/broker/ipc.c", "\tipc_lock(ipc);\n\twhile (ipc->count > 0) {", "\tipc_lock(ipc);\n\twhile (ipc->count > 1000000) {"),
             ("tools/janitor_ipc.c", "ipc_remove(last.kind, last.id, broker);", ";"), others=(("session", "ipc"),)),
]

CONDITIONS = [
    mutation("exec-trace", "a program with conditions is followed to its start", (EXEC, "\tif (conditions)\n\t\treturn follow(request);\n", "\tif (conditions && !request)\n\t\treturn follow(request);\n"),
             others=(("session", "arguments"), ("session", "swapped"), ("race", "^E9-"))),
    mutation("exec-second-look", "what was started is judged", (EXEC, "\terror = judge_exec(request, &object, &args, true);", "\terror = 0;"),
             others=(("session", "arguments"), ("session", "swapped"))),
    mutation("exec-first-look", "what was asked for is judged", (EXEC, "\tint error = judge_exec(request, object, args, false);", "\tint error = 0;"),
             escapes="^E1-.*", without=("wall", "hull")),
    mutation("exec-loader", "the program that a loader is told is judged", ("shim/broker/exec_loader.c", "\tconst struct domain *wall = &broker_plan(request->broker)->wall;\n",
              "\tconst struct domain *wall = &broker_plan(request->broker)->wall;\n\n\tif (object->len)\n\t\treturn false;\n"), others=(("session", "arguments"),)),
    mutation("exec-sealed", "a digest holds only what nobody may write", (EXEC, "\t\terror = judge_sealed(request, &object);", "\t\terror = 0;"),
             (EXEC, "static int judge_sealed(", "__attribute__((unused)) static int judge_sealed("),
             (EXEC, "\tint error = more ? judge_script(request, script) : 0;", "\tint error = 0;"),
             (EXEC, "static int judge_script(", "__attribute__((unused)) static int judge_script("), others=(("session", "digest"), ("session", "arguments"))),
]

OTHERS = [
    mutation("pid-once", "a number counts only while its caller waits", ("shim/broker/request.c", "\treturn result == 0;\n", "\treturn result <= 0;\n"),
             others=(("race", "^R5-"),)),
    mutation("signals-unscoped", "where Landlock does not scope signals the gate keeps them inside",
             ("shim/broker/process_target.c", "if (process_is_callers(request, pid) || process_in_session(request, pid))", "if (pid)"),
             escapes="^F7-(kill|tkill|tgkill|sigqueue|tgsigqueue|pidfd).*", user="nobody", lacks=UNSCOPED),
    mutation("signal-groups-unscoped", "the same for groups", ("shim/broker/process_target.c", "return members > 0 &&", "return members + 1 > 0 &&"),
             escapes="^F7-kill-group$", user="nobody", lacks=UNSCOPED),
    mutation("signal-owners-unscoped", "the same for the owners of descriptors", (SET, "\tif (known && who >= 0 && process_is_callers(request, who))", "\tif (who)"),
             escapes="^F7-sigio$", user="nobody", lacks=UNSCOPED),
    mutation("signal-owners-by-ioctl", "the same by ioctl", (NEVER, "\tuint32_t command = (uint32_t)request->notif.data.args[1];\n",
              "\tuint32_t command = (uint32_t)request->notif.data.args[1];\n\n\tif (command)\n\t\treturn reply_continue();\n"),
             escapes="^F7-sigio-ioctl$|^F4-.*|^P9-attribute-flags$", user="nobody", lacks=UNSCOPED),
    mutation("traced-by-us", "what asks its parent to trace it and gets the gate goes on, and is in nobody's way",
             ("shim/broker/watch.c", "\t\treturn let_go(info);\n", "\t\treturn 0;\n"), others=(("session", "traceme"),)),
    mutation("traces", "nobody traces what is outside: Landlock has the last word", (PROCESS, "\tint error = pid < 0 ? pid : process_look(request, pid);\n\n\tif (!error && request->notif.data.nr == SYS_kcmp)", "\tint error = pid < 0 ? pid : 0;\n\n\tif (!error && pid == 0)"),
             escapes="^F6-.*", without=("capabilities", "wall", "hull")),
]

REFUSED = [
    mutation("never-calls", "what no rule grants is refused by the gate, too", (NEVER, "\trequest->name = row->name;\n\treturn reply_error(-judge_never(",
              "\tif (row)\n\t\treturn reply_continue();\n\treturn reply_error(-judge_never("),
             escapes="^(F8|P15|P16|P17)-.*", without=("capabilities", "wall", "hull")),
    mutation("never-values", "the same by the values of arguments", (NEVER, "\tconst char *name = NULL, *why = row ? row->why : \"no rule can grant it\";\n",
              "\tconst char *name = NULL, *why = row ? row->why : \"no rule can grant it\";\n\n\tif (why)\n\t\treturn reply_continue();\n"),
             escapes="^(F8-(personality|set-mm)|P15-unshare.*|N11-source.*)$", without=("capabilities",)),
    mutation("never-sockets", "the same for socket families", (NEVER, "\tif (socket_may_be(request->notif.data.nr, family, type, protocol))\n\t\treturn false;\n",
              "\tif (socket_may_be(request->notif.data.nr, family, type, protocol))\n\t\treturn false;\n\t*ret_reply = reply_continue();\n\tif (family)\n\t\treturn true;\n"),
             escapes="^N4-.*", without=("capabilities",)),
    mutation("hypercalls", "an unknown request at the shim's door is refused", ("shim/broker/hypercall.c", "\tdefault:\n\t\treturn reply_error(EINVAL);", "\tdefault:\n\t\treturn reply_value(0);"),
             escapes="^L2-unknown-hypercalls$"),
    mutation("testimony", "what the shim says is read from its memory, and judged", ("shim/broker/hypercall.c", "\tif (error)\n\t\treturn reply_error(-error);\n\tif (!query_of", "\tif (error)\n\t\treturn reply_value(0);\n\tif (!query_of"),
             escapes="^L2-bad-testimony$"),
]

ENDS = [
    mutation("log-bound", "the log does not grow beyond audit.max_size", ("shim/broker/record.c", "\tif (fits(records, len))\n", "\tif (len || fits(records, len))\n"),
             others=(("session", "log_full"), ("unit", "test_record"))),
    mutation("limits", "the agent's limits are set", ("shim/broker/launch.c", "\terror = kernel_limits(launch->about);", "\terror = 0;"),
             others=(("session", "limits"),)),
    mutation("processes-counted", "limits.processes is counted", ("shim/broker/process_count.c", "\tif (about.processes == 0)\n", "\tif (about.processes > 0)\n"),
             others=(("session", "limits"),)),
    mutation("adopted", "what a shell started before it became remit is not taken for the agent's", ("shim/broker/session.c", "\tif (has_children())\n", "\tif (has_children() && !session)\n"),
             others=(("session", "adopted"),)),
    mutation("census", "what ran without the shim is counted", ("shim/broker/census.c", "__builtin_popcountll(seen & ~hello);", "__builtin_popcountll(seen & ~hello & 0);"), others=(("session", "census"),)),
    mutation("translated-denials", "a denied IPv4 network is denied by the names that translators have for it",
             ("policy/compile/image_networks.c", "if (!any && rule->denial && span.family == FAMILY_IP4)", "if (!any && rule->denial && span.family == 0)"),
             others=(("session", "network"),)),
    mutation("janitor-bare", "who removes the private folder has no capabilities", ("tools/janitor_serve.c", "\tif (kernel_drop_capabilities(0))\n", "\tif (0)\n"),
             others=(("session", "removed"),)),
    mutation("janitor-named", "what stands in the private folder's place is not removed",
             ("tools/janitor_serve.c", "about.st_dev == there.st_dev && about.st_ino == there.st_ino ? 0 : -ENOENT;", "0;"),
             others=(("session", "planted"),)),
    mutation("warden", "the session of a broker that was killed is ended", ("shim/broker/warden.c", "while (end_some() > 0)", "while (0 && end_some() > 0)"),
             others=(("session", "killed"),)),
    mutation("agent-kept-back", "an agent whose end its tracer keeps to itself has ended", ("shim/broker/watch.c", "return now - *since >= UNSEEN_MS;", "return false;"),
             others=(("session", "kept_back"),)),
]

MUTATIONS = INNER + OBJECTS + CONDITIONS + OTHERS + REFUSED + ENDS
