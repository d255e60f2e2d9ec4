# SPDX-License-Identifier: Apache-2.0
# check, explain, test, show, compile: answers that depend on no kernel.

cat >m.yaml <<'M'
remit: 1
agent: {id: cli, purpose: Try the command, owner: tests}
files:
  read: [/srv/data, {path: /srv/more, id: more, reason: because}]
  write: ["${WORKSPACE}/out", "${TMP}"]
  deny: ["/srv/data/**/.env", {path: /srv/more/private, except: [/srv/more/private/not]}]
exec:
  allow:
    - /opt/tool
    - {path: "${WORKSPACE}/fixed", sha256: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"}
network:
  connect: ["10.0.0.0/8:443", "unix:/run/x.sock"]
env: {pass: [PATH, "LC_*"], set: {TZ: UTC}}
limits: {memory: 2GiB, wall_time: 90s, processes: 12}
tests:
  allow: ["read /srv/data/a", "write ${TMP}/x", "connect 10.1.2.3:443"]
  deny: ["read /srv/data/x/.env", "env HOME"]
M
n="--no-resolve -m m.yaml"
# shellcheck disable=SC2086
{
	expect 0 check-allowed r check $n read /srv/data/a
	expect 0 check-variable r check $n 'write ${WORKSPACE}/out/f'
	expect 0 check-relative r check $n write out/f
	expect 1 check-refused r check $n read /etc/shadow
	expect 1 check-denied r check $n read /srv/data/x/.env
	expect 0 check-except r check $n read /srv/more/private/not/x
	expect 0 check-connect r check $n connect 10.1.2.3:443
	expect 1 check-connect-refused r check $n connect 11.1.2.3:443
	expect 0 check-env r check $n env LC_ALL
	expect 1 check-json-refused r check $n --json read /srv/data/x/.env
	expect 0 check-json-allowed r check $n --json read /srv/more/x
	expect 2 check-bad-query r check $n frob /x
	expect 2 check-bad-variable r check $n 'read ${NOPE}/x'
	expect 2 check-bad-address r check $n connect nohost
	expect 2 check-two-paths r check $n read /srv/data/a /srv/data/b
	expect 0 check-arguments r check $n exec /opt/tool -l --json
	expect 1 explain-refused r explain $n exec /bin/sh
	expect 0 explain-allowed r explain $n read /srv/more/x
	printf 'read /srv/data/a\n# comment\n\nread /etc/shadow\n' >queries
	expect 1 check-stdin sh -c "'$remit' check --profiles '$profiles' $n --stdin <queries"
	expect 1 check-stdin-json sh -c "'$remit' check --profiles '$profiles' $n --stdin --json <queries"
	expect 2 check-stdin-bad sh -c "echo frob | '$remit' check --profiles '$profiles' $n --stdin"
	expect 2 check-stdin-operand r check $n --stdin read /x
	expect 1 check-forged r check $n "$(printf 'read /x\033[31m\nremit: allowed')"

	expect 0 test-own r test --no-resolve m.yaml
	expect 0 test-own-verbose r test --no-resolve -v m.yaml
	expect 0 test-own-json r test --no-resolve --json m.yaml
	printf 'read /srv/data/a -> allowed files.read[0]\nread /srv/more/x -> allowed more\nread /x -> refused -\n' >good.table
	expect 0 test-table r test $n good.table
	printf '# wrong\nread /srv/data/a -> refused\nread /srv/more/x -> allowed files.read[0]\n' >bad.table
	expect 1 test-table-fails r test $n bad.table
	printf 'read /srv/data/a\nread /x -> perhaps\nfrob -> allowed\n' >broken.table
	expect 2 test-table-broken r test $n broken.table
	expect 2 test-table-absent r test $n none.table
	printf 'remit: 1\nagent: {id: a, purpose: b}\n' >empty.yaml
	expect 2 test-none r test empty.yaml
	: >empty.table
	expect 2 test-empty-table r test $n empty.table

	expect 0 show r show --workspace /usr --no-resolve m.yaml
	expect 0 show-json r show --workspace /usr --no-resolve --json m.yaml
	expect 0 show-canonical r show --workspace /usr --no-resolve --canonical m.yaml
	expect 2 show-two r show m.yaml empty.yaml
	holds show-json-valid sh -c "'$remit' show --profiles '$profiles' --json m.yaml | python3 -m json.tool"

	expect 0 compile-digest r compile --workspace /usr --no-resolve m.yaml
}
# A fact of the file itself: the digest.
echo hello >fixed
# A blank in a folder's name parts no words, in a value as little as in a word of the shell's.
mkdir -p 'a b'
cat >'a b/m.yaml' <<'M'
remit: 1
agent: {id: cli, purpose: Blanks}
exec: {allow: ["${WORKSPACE}/tool"]}
tests: {allow: ["exec ${WORKSPACE}/tool", "exec ${WORKSPACE}/tool x"], deny: ["exec ${WORKSPACE}"]}
M
status 0 test-blanks r test -m 'a b/m.yaml' --workspace "$PWD/a b"
status 0 check-blanks r check -m 'a b/m.yaml' --workspace "$PWD/a b" exec "$PWD/a b/tool" -x
status 0 check-blanks-variable r check -m 'a b/m.yaml' --workspace "$PWD/a b" 'exec ${WORKSPACE}/tool -x'
status 0 check-sha256 r check -m m.yaml exec ./fixed
echo other >fixed
status 1 check-sha256-changed r check -m m.yaml exec ./fixed

status 0 compile-file r compile --no-resolve -o m.scope m.yaml
status 0 compile-again r compile --no-resolve -o again.scope m.yaml
holds compile-same-bytes cmp m.scope again.scope
holds compile-stdout sh -c "'$remit' compile --profiles '$profiles' --no-resolve -o - m.yaml 2>/dev/null | cmp - m.scope"
holds compile-no-drafts sh -c '! ls | grep "scope\."'
expect 2 compile-image r compile m.scope
expect 2 compile-nowhere r compile -o none/x.scope m.yaml
expect 2 compile-folder r compile -o . m.yaml
holds show-image-same sh -c "'$remit' show m.scope >a && '$remit' show --profiles '$profiles' --no-resolve m.yaml >b && cmp a b"
expect 1 check-image r check --no-resolve -m m.scope read /srv/data/x/.env
head -c 200 m.scope >cut.scope
expect 2 image-cut r show cut.scope
expect 2 show-image-canonical r show --canonical m.scope

expect 2 manifest-absent r check -m none.yaml read /x
printf 'remit: 1\nagent: {id: a, purpose: b}\nfiles:\n  raed: [/x]\n' >typo.yaml
expect 2 manifest-typo r check -m typo.yaml read /x
# Each line is written at once: a pipe of packets keeps what was one write apart from the next.
holds manifest-typo-whole python3 - "$remit" typo.yaml <<'P'
import os, subprocess, sys
ends = os.pipe2(os.O_DIRECT)
subprocess.run([sys.argv[1], "check", "-m", sys.argv[2], "read", "/x"], stderr=ends[1])
os.close(ends[1])
lines = list(iter(lambda: os.read(ends[0], 4096), b""))
assert len(lines) > 2 and all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines), lines
P
expect 2 manifest-typo-json sh -c "'$remit' check --profiles '$profiles' --json -m typo.yaml read /x 2>/dev/null"
expect 0 manifest-stdin sh -c "'$remit' check --profiles '$profiles' --no-resolve -m - read /srv/data/a <m.yaml"
status 0 manifest-pipe bash -c "'$remit' check --profiles '$profiles' --no-resolve -m <(cat m.yaml) read /srv/data/a"
expect 2 manifest-folder r check -m . read /x

# A denied IPv4 address is denied by the names that translators have for it.
cat >translated.yaml <<'M'
remit: 1
agent: {id: a, purpose: b}
network: {connect: ["*:80"], deny: ["169.254.169.254:*", "10.0.0.0/8:80"]}
M
expect 0 translated-other r check -m translated.yaml connect '[64:ff9b::8.8.8.8]:80'
expect 1 translated-nat64 r check -m translated.yaml connect '[64:ff9b::169.254.169.254]:80'
expect 1 translated-network r check -m translated.yaml connect '[64:ff9b::a01:203]:80'
expect 1 translated-6to4 r check -m translated.yaml connect '[2002:a9fe:a9fe::1]:80'

# The rules by which remit protects itself are part of every answer.
printf 'remit: 1\nagent: {id: a, purpose: b}\nfiles: {write: ["${WORKSPACE}"]}\n' >wide.yaml
expect 0 protect-other r check -m wide.yaml write ./file
expect 1 protect-manifest r check -m wide.yaml write ./wide.yaml
login=$(getent passwd "$(id -u)" | cut -d: -f6)
printf 'remit: 1\nagent: {id: a, purpose: b}\nfiles: {write: [%s, /h]}\n' "${login:-/h}" >homes.yaml
status 1 protect-logs env -u XDG_STATE_HOME HOME=/h "$remit" check -m homes.yaml write /h/.local/state/remit/x
status 1 protect-logs-without-state env XDG_STATE_HOME=/s HOME=/h "$remit" check -m homes.yaml write /h/.local/state/remit/x
[ -z "$login" ] || status 1 protect-logs-of-the-login env HOME=/h "$remit" check -m homes.yaml write "$login/.local/state/remit/x"

for profile in "$profiles"/*.yaml; do
	status 0 "profile-$(basename "$profile" .yaml)" r test "$profile"
done
for example in invoice-bot ci-job coding-agent; do
	status 0 "example-$example" r test --set AGENT=/opt/agent --set MODEL=203.0.113.7:443 \
		--workspace "$W/ws" "$root/examples/$example.yaml"
done

# What is nowhere to be read is an error, and so is a stream that was closed.
status 2 closed-stdout sh -c "'$remit' show --no-resolve -m m.yaml >&-"
status 0 check-crlf sh -c "printf 'read /srv/data/a\\r\\n' | '$remit' check --no-resolve -m m.yaml --stdin"
