# SPDX-License-Identifier: Apache-2.0
# plan and doctor: what this machine does is not pinned, that they answer and agree is.

status 0 plan-runs sh -c "'$remit' plan --profiles '$profiles' s.yaml; [ \$? -le 1 ]"
for part in rules wall hull filter; do
	status 0 "plan-$part" sh -c "'$remit' plan --profiles '$profiles' --$part s.yaml | grep -q ."
done
holds plan-json sh -c "'$remit' plan --profiles '$profiles' --json s.yaml | python3 -m json.tool"
status 0 plan-same sh -c "'$remit' plan --profiles '$profiles' s.yaml >a; '$remit' plan --profiles '$profiles' s.yaml >b; cmp a b"
status 1 plan-degraded r plan --without landlock=3 s.yaml
expect 2 plan-none r plan none.yaml
holds doctor-json sh -c "'$remit' doctor --profiles '$profiles' --json | python3 -m json.tool"
printf 'remit: 1\nagent: {id: a, purpose: b}\nnetwork: {connect: ["api.example.com:443"]}\n' >host.yaml
status 1 plan-host r plan -m host.yaml
status 1 doctor-host r doctor -m host.yaml
holds doctor-host-said said 'names hosts'
status 1 doctor-degraded r doctor --without landlock=3
holds doctor-degraded-said said 'MISSING  landlock'
expect 2 doctor-operand r doctor s.yaml
$enforced && status 0 doctor-complete r doctor
