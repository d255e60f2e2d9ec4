# SPDX-License-Identifier: Apache-2.0
# The command line itself: help, unknown words, near matches.

expect 2 no-command "$remit"
expect 0 help "$remit" help
expect 0 help-flag "$remit" --help
holds version sh -c "'$remit' --version | grep -qx 'remit [0-9.]*'"
for command in run check explain test show plan compile doctor self-test; do
	expect 0 "help-$command" "$remit" "$command" --help
	holds "help-same-$command" sh -c "[ \"\$('$remit' help $command)\" = \"\$('$remit' $command --help)\" ]"
done
expect 2 unknown-near "$remit" rnu
expect 2 unknown-far "$remit" xyzzy
expect 2 help-unknown "$remit" help chekc
expect 2 option-near "$remit" check --jsno -m m.yaml read /x
expect 2 option-far "$remit" check --frobnicate read /x
expect 2 option-letter "$remit" check -z
expect 2 option-value "$remit" check -m
expect 2 no-manifest "$remit" check read /x
expect 2 no-query "$remit" check -m m.yaml
expect 2 set-shape "$remit" check -m m.yaml --set NAME read /x
expect 2 workspace-absent "$remit" check -m m.yaml --workspace "$W/none" read /x
expect 2 profiles-file "$remit" check -m m.yaml --profiles "$remit" read /x
holds full-disk sh -c "! '$remit' help >/dev/full 2>/dev/null"
