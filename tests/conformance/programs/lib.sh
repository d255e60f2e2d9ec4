# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts share: a step is a name and a command; its line goes where run.py looks.

prefix=$(basename "$0" .sh)

put() {
	echo "$1 $prefix.$2" >>"$CONFORMANCE_RESULTS"
}

# step NAME COMMAND…: passes if the command does
step() {
	local name=$1
	shift
	put began "$name"
	if "$@"; then
		put passed "$name"
	else
		echo "== failed $prefix.$name: $* (status $?)" >&2
		put failed "$name"
	fi
}

# fails STATUS COMMAND…: passes if the command ends with that very status
fails() {
	local wanted=$1
	shift
	"$@"
	local status=$?
	[ "$status" -eq "$wanted" ]
}

# gives TEXT COMMAND…: passes if the command succeeds and prints the text
gives() {
	local wanted=$1 seen
	shift
	seen=$("$@") && [ "$seen" = "$wanted" ] || {
		echo "expected: $wanted, saw: $seen" >&2
		return 1
	}
}

finish() {
	echo end >>"$CONFORMANCE_RESULTS"
}
