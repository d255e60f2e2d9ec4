# SPDX-License-Identifier: Apache-2.0
# self-test: that it runs from what is installed, cleans up, and does not praise a session that is open.

probe=$(dirname "$remit")/remit-probe
expect 2 self-test-operand r self-test x
expect 2 self-test-absent r self-test --include none.yaml

matches() { grep -q -- "$1" "$W/out"; }
if ! $enforced; then
	skip self-test "this kernel has no Landlock ABI 6"
elif [ ! -x "$probe" ]; then
	skip self-test "remit-probe is not beside the command"
else
	status 0 self-test-holds "$remit" self-test --profiles "$profiles"
	holds self-test-said matches '^held     P8-open '
	holds self-test-counts said ' 0 led out; '
	holds self-test-json sh -c "'$remit' self-test --profiles '$profiles' --json | python3 -c 'import json,sys; d=json.load(sys.stdin); assert d[\"out\"] == 0 and d[\"held\"] > 60, d'"
	cat >wide.yaml <<-END
		remit: 1
		files: {read: [/], write: ["$TMPDIR"]}
		exec: {allow: [/]}
		network: {connect: ["*:*"]}
	END
	status 1 self-test-wide "$remit" self-test --profiles "$profiles" --include wide.yaml
	for case in P1-link-read P8-creat P10-chmod E1-path N1-other-port; do
		holds "self-test-wide-$case" matches "^OUT      $case .*shim: .*no-shim: .*static: "
	done
	holds self-test-wide-denied matches '^held     P8-denied '
	holds self-test-wide-filter matches '^held     F7-kill '
	holds self-test-clean sh -c "! ls -d '$TMPDIR'/remit-self-test-* 2>/dev/null"
fi
