# SPDX-License-Identifier: Apache-2.0
# run: exit codes, what is refused before anything starts, what a session leaves behind.

cat >s.yaml <<'M'
remit: 1
agent: {id: cli, purpose: Run small programs}
include: [base, shell]
files: {write: ["${WORKSPACE}", "${TMP}"]}
env: {pass: [GREETING]}
M
a="--audit $W/audit.jsonl"
# shellcheck disable=SC2086
{
	expect 125 run-no-manifest r run -- true
	expect 125 run-no-program r run -m s.yaml
	expect 125 run-option r run --quite -m s.yaml -- true
	expect 125 run-typo r run -m typo.yaml -- true
	expect 125 run-fd-shape r run -m s.yaml --keep-fd x -- true
	expect 125 run-fd-standard r run -m s.yaml --keep-fd 1 -- true
	expect 125 run-fd-closed r run -m s.yaml --keep-fd 77 -- true
	expect 125 run-audit-closed r run -m s.yaml --audit-fd 77 -- true
	expect 125 run-audit-both r run -m s.yaml --audit x --audit-fd 2 -- true
	expect 125 run-audit-readonly sh -c "'$remit' run --profiles '$profiles' -m s.yaml --audit-fd 8 -- true 8<s.yaml"
	expect 125 run-audit-kept sh -c "'$remit' run --profiles '$profiles' -m s.yaml --audit-fd 8 --keep-fd 8 -- true 8>x"
	expect 125 run-audit-nowhere r run -m s.yaml --audit none/x -- true
	expect 127 run-absent r run -m s.yaml -- no-such-program
	expect 127 run-absent-path r run -m s.yaml -- ./no-such-program
	echo text >plain
	expect 126 run-plain r run -m s.yaml -- ./plain
	expect 126 run-folder r run -m s.yaml -- /
	printf 'remit: 1\nagent: {id: old, purpose: b, expires: 2020-01-01T00:00:00Z}\n' >old.yaml
	expect 125 run-expired r run -m old.yaml -- true
	printf 'remit: 1\nagent: {id: h, purpose: b}\nnetwork:\n  connect: ["api.example.com:443",\n    {address: "*.example.org:443", id: org}]\n' >hosts.yaml
	expect 125 run-hosts r run -m hosts.yaml -- true
	status 125 run-degraded r run --without landlock=3 -m s.yaml -- true
	holds run-degraded-said said 'not enforced here'
	holds run-nothing-left sh -c '[ -z "$(ls "$TMPDIR")" ]'

	session status 0 run-true r run -m s.yaml $a -- true
	session status 7 run-status r run -m s.yaml $a -- sh -c 'exit 7'
	session status 125 run-own-125 r run -m s.yaml $a -- sh -c 'exit 125'
	session status 143 run-signal r run -m s.yaml $a -- sh -c 'kill -TERM $$'
	session status 137 run-kill r run -m s.yaml $a -- sh -c 'kill -KILL $$'
	session status 0 run-no-shim r run -m s.yaml $a --no-shim -- true
	session status 0 run-audit-fd sh -c "'$remit' run --profiles '$profiles' -m s.yaml --audit-fd 8 -- true 8>fd.jsonl"
	session status 0 run-default-log r run -m s.yaml -- true
	holds run-folder-private sh -c '[ "$(stat -c %a "$XDG_STATE_HOME/remit")" = 700 ]'
	session status 0 run-greeting env GREETING=hi OTHER=no "$remit" run --profiles "$profiles" -m s.yaml $a -- \
		sh -c '[ "$GREETING" = hi ] && [ -z "$OTHER" ]'
	session status 0 run-tmp r run -m s.yaml $a -- \
		sh -c 'case $TMPDIR in */tmp) ;; *) exit 1 ;; esac; mkdir -p "$TMPDIR/a/b" && echo x >"$TMPDIR/a/b/c"'
	session status 0 run-tmp-locked r run -m s.yaml $a -- \
		sh -c 'cd "$TMPDIR" && mkdir -p a/b/c && ln -s / a/root && touch a/b/c/f && chmod 0 a/b/c a/b a'
	session status 0 run-keep-fd sh -c "echo kept >k; '$remit' run --profiles '$profiles' -m s.yaml $a --keep-fd 9 -- sh -c 'read x <&9; [ \"\$x\" = kept ]' 9<k"
	holds run-drop-fd-control sh -c "sh -c ': <&9' 9<k"
	session status 2 run-drop-fd sh -c "'$remit' run --profiles '$profiles' -m s.yaml $a -- sh -c ': <&9' 9<k"
	session status 0 run-closed-streams sh -c "'$remit' run --profiles '$profiles' -m s.yaml --audit closed.jsonl -- sh -c 'echo forged; echo forged >&2; echo forged >&0; true' <&- >&- 2>&-"
	holds run-closed-streams-log sh -c '! grep -q "^forged" closed.jsonl'
	holds run-tmp-removed sh -c '[ -z "$(ls "$TMPDIR")" ]'
}
$enforced || return 0

# The manifest and the log cannot be written from inside; the workspace around them can.
status 0 run-write-control sh -c 'echo "# end" >>s.yaml'
status 0 run-write-other r run -m s.yaml --audit log.jsonl -- sh -c 'echo x >other'
status 2 run-write-manifest r run -m s.yaml --audit log.jsonl -- sh -c 'echo x >>s.yaml'
status 2 run-write-log r run -m s.yaml --audit log.jsonl -- sh -c 'echo x >>log.jsonl'
status 1 run-remove-log r run -m s.yaml --audit log.jsonl -- rm -f log.jsonl
holds run-log-whole sh -c 'python3 -c "import json,sys; [json.loads(l) for l in open(\"log.jsonl\")]"'

# A refusal is told, and --quiet does not tell it; it is recorded both times.
echo secret >"$W/home/secret"
status 0 run-read-control cat "$W/home/secret"
status 1 run-refused r run -m s.yaml --audit "$W/refused.jsonl" -- cat "$W/home/secret"
holds run-refused-told said "remit: refused read $W/home/secret: no grant covers it"
status 1 run-quiet r run -m s.yaml -q --audit "$W/quiet.jsonl" -- cat "$W/home/secret"
holds run-quiet-silent sh -c "! grep -q 'remit:' '$W/out'"
holds run-quiet-recorded grep -q '"object":"[^"]*/home/secret"' "$W/quiet.jsonl"

# A program that is not granted: 126, and what would grant it.
status 126 run-not-granted r run -m s.yaml --audit "$W/audit.jsonl" -- "$(command -v env >/dev/null && realpath /usr/bin/python3)" -c 0
holds run-not-granted-told said 'exec.allow: '

# Nothing of the session outlives its broker, not even when that is killed.
"$remit" run --profiles "$profiles" -m s.yaml --audit "$W/killed.jsonl" -- sleep 60 >/dev/null 2>&1 &
broker=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ -s "$W/killed.jsonl" ] && [ -n "$(ls "$TMPDIR")" ] && break
	sleep 0.2
done
holds run-tmp-there sh -c '[ -n "$(ls "$TMPDIR")" ]'
kill -KILL $broker
{ wait $broker; } 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ -z "$(ls "$TMPDIR")" ] && break
	sleep 0.2
done
holds run-tmp-gone-after-kill sh -c '[ -z "$(ls "$TMPDIR")" ]'

# Inside a session another may run.
cat >nested.yaml <<M
remit: 1
agent: {id: outer, purpose: Hold another remit}
include: [base, shell]
files: {read: ["$profiles"], write: ["\${WORKSPACE}", "\${TMP}"]}
exec: {allow: ["$remit"]}
# No LeakSanitizer in it: it looks at its threads through /proc/PID, which base does not grant.
env: {set: {HOME: "$W/ws", XDG_STATE_HOME: "$W/ws/state", ASAN_OPTIONS: detect_leaks=0}}
M
status 0 run-nested r run -m nested.yaml --audit "$W/nested.jsonl" -- \
	"$remit" run --profiles "$profiles" -m s.yaml -- true
status 0 check-nested r run -m nested.yaml --audit "$W/nested.jsonl" -- \
	"$remit" check --profiles "$profiles" -m s.yaml write ./x

status 0 run-compile r compile -o run.scope -m s.yaml
status 125 run-image r run -m run.scope -- true
holds run-image-said said 'this is a scope image'
mkfifo run.fifo
status 125 run-fifo timeout 20 "$remit" run --profiles "$profiles" -m s.yaml --audit run.fifo -- true
