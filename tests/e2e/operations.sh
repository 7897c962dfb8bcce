#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=150 parallel
#
# What an operator does: check, trust, verify off for a while, reload a bad file, rotate the log, drain, start with a broken file; and what
# happens to requests that are in flight when the trust they stand on is taken away.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin ops
origins_start
lab_origin lab --listen 198.18.2.15:8443=lab --listen 198.18.2.16:8443=sni
allow_list 'https://selfsigned.steven.lab:8443/lab/,1,"GET",prefix,self-signed'
ASSAY_VERIFY="{mode: enforced, revoke_grace: 3s}"
ASSAY_TIMEOUTS="{drain: 8s, client_idle: 60s}"
ASSAY_MORE=""
assay_config
sed -i 's|^admin: .*|admin: {socket: admin.sock, readiness: 127.0.0.1:8080}|' "$work/assay.yaml"
lab=$(mra_path lab.steven.lab 8443)/lab
own=$(mra_path selfsigned.steven.lab 8443)/lab
cucm=$(mra_path cucm.steven.lab 8443)/cucm-uds/version
ready() { lab_exec proxy curl -s -o /dev/null -w '%{http_code}' --max-time 3 http://127.0.0.1:8080/v1/ready; }

# --- check, without a daemon -----------------------------------------------------------------------------------------------
"$build/assayctl" check "$work/assay.yaml" >"$work/check.out" 2>&1
check "assayctl check of a good file" 0 $?
sed 's/^via: .*/via: edge\nlistner: 1/; s/port: 8443, clients/port: 84430, clients/; s/^allow_list:.*/allow_list: nowhere.csv/' "$work/assay.yaml" >"$work/bad.yaml"
"$build/assayctl" check "$work/bad.yaml" >"$work/check.out" 2>&1
check "assayctl check of a bad file" 1 $?
check_above "it names every fault with its line: of 3" 2 "$(grep -cE 'bad\.yaml:[0-9]+' "$work/check.out")"
"$build/assayd" --config "$work/bad.yaml" --state-directory "$work/empty" >"$work/refused.out" 2>&1
check "assayd refuses a bad file where there is no last good one" 1 $?

assay_start
check "readiness" 200 "$(ready)"
check "readiness by HEAD" 200 "$(lab_exec proxy curl -sI -o /dev/null -w '%{http_code}' --max-time 3 http://127.0.0.1:8080/v1/ready)"
check_match "another method: 405, and which there are" 'HTTP/1.1 405.*Allow: GET, HEAD' \
    "$(lab_exec proxy curl -sD - -o /dev/null --max-time 3 -X POST http://127.0.0.1:8080/v1/ready | tr -d '\r' | tr '\n' ' ')"
check "no thread holds a capability any more" "" "$(grep -h '^Cap\(Prm\|Eff\)' "/proc/$assay_pid/task/"*/status | grep -v '0000000000000000$')"
fetch "$cucm"
check "a request" 200 "$status"
check_match "status names version and generation" 'generation' "$(ctl status --json | tr -d ' \n')"

# --- trust ---------------------------------------------------------------------------------------------------------------------
fetch "$own/echo"
check "self-signed, not trusted" 502 "$status"
got=$(ctl trust add "$work/pki/selfsigned.crt" 2>&1)
check "trust add" 0 $?
check_match "it says the role it took" 'leaf-only' "$got"
fetch "$own/echo"
check "trusted" 200 "$status"
ctl trust add "$work/pki/selfsigned.crt" >"$work/again.out" 2>&1
check_match "adding it again is skipped" '[Dd]uplicate|already|skipped' "$(cat "$work/again.out")"
fingerprint=$(cat "$work/pki/selfsigned.sha256")
check_match "trust list has it" "$(cut -c 1-16 <<<"$fingerprint")" "$(ctl trust list --json | tr -d ': \n' | tr 'A-F' 'a-f')"
check_match "trust show" 'selfsigned.steven.lab' "$(ctl trust show "$fingerprint")"
printf 'no certificate' >"$work/junk.pem"
ctl trust add "$work/junk.pem" >/dev/null 2>&1
check "trust add of no certificate is refused" 1 $?

# In flight: a transfer and a slow answer on that certificate.
lab_exec phone curl -sS --max-time 60 --limit-rate 4M --cacert "$work/pki/edge-root.crt" --resolve "$SNI:8443:$LAB_PROXY" -o /dev/null \
    "https://$SNI:8443$own/bytes/500000000" >/dev/null 2>"$work/long.err" &
long=$!
lab_exec phone curl -sS --max-time 60 --cacert "$work/pki/edge-root.crt" --resolve "$SNI:8443:$LAB_PROXY" -o /dev/null -w '%{http_code}' \
    "https://$SNI:8443$own/slow-head/2" >"$work/short.out" 2>/dev/null &
short=$!
sleep 1
ctl trust remove "$fingerprint" >/dev/null
check "trust remove" 0 $?
removed=$SECONDS
fetch "$own/echo"
check "no longer trusted" 502 "$status"
wait "$short"
check "a request in flight ends within revoke_grace: it gets its answer" 200 "$(cat "$work/short.out")"
until_true 10 eval '[ "$(counter verify_revoked_in_flight)" = 1 ]'
check "a longer one is ended, and counted" 1 "$(counter verify_revoked_in_flight)"
check_below "seconds after the removal" 7 $((SECONDS - removed))
wait "$long"
check_match "curl's complaint" 'curl: \((18|56)\)' "$(cat "$work/long.err")"

# --- the switch, with its end --------------------------------------------------------------------------------------------------
ctl set verify off --for 3s >/dev/null
check "set verify off --for 3s" 0 $?
fetch "$own/echo"
check "off" 200 "$status"
sleep 4
fetch "$own/echo"
check "and on again by itself" 502 "$status"
ctl xconfiguration EdgeConfigServer VerifyOriginServer: Off >/dev/null
check "xconfiguration … Off" 0 $?
fetch "$own/echo"
check "off" 200 "$status"
ctl xconfiguration EdgeConfigServer VerifyOriginServer: On >/dev/null
fetch "$own/echo"
check "on" 502 "$status"
# A body that is not understood is not "all, for ever".
for body in '{"mode":"off","for_s":"4h"}' '{"mode":"off","orign":"cucm.steven.lab"}' '{"mode":"off","deployment":1}'; do
    got=$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$work/admin.sock" -d "$body" http://assayd/v1/verify)
    check "POST /v1/verify $body" 400 "$got"
done
check "verification is as it was" enforced "$(ctl status --json | jq -r .verify.mode)"
ctl status >&- 2>/dev/null
check "standard output closed: not lost quietly" 2 $?
ctl stats --json >/dev/full 2>/dev/null
check "standard output full" 2 $?
check "a command that takes no words" 2 "$(ctl status now >/dev/null 2>&1; echo $?)"
check "assayctl and assayd are of one version" "$("$build/assayd" --version | cut -d ' ' -f 2)" "$("$build/assayctl" --version | cut -d ' ' -f 2)"
for view in origins verdicts stats "trust list" status; do
    # shellcheck disable=SC2086
    ctl $view >"$work/view.out" 2>&1
    check "assayctl $view" 0 $?
    # shellcheck disable=SC2086
    check "assayctl $view --json is JSON" 0 "$(ctl $view --json | jq empty >/dev/null 2>&1; echo $?)"
done

# --- reload ----------------------------------------------------------------------------------------------------------------------
cp "$work/assay.yaml" "$work/good.yaml"
cp "$work/bad.yaml" "$work/assay.yaml"
ctl reload >"$work/reload.out" 2>&1
check "reload of a bad file" 1 $?
check_match "names file and line" 'assay\.yaml:[0-9]+' "$(cat "$work/reload.out")"
fetch "$cucm"
check "traffic goes on" 200 "$status"
mark=$(log_mark)
kill -HUP "$assay_pid"
check_match "SIGHUP of a bad file is in the log" 'assay\.yaml:[0-9]+' "$(log_wait "$mark" 'assay\.yaml')"

# --- log rotation ------------------------------------------------------------------------------------------------------------------
mv "$work/assayd.log" "$work/assayd.log.1"
kill -USR1 "$assay_pid"
until_true 3 test -f "$work/assayd.log"
fetch "$cucm"
check "SIGUSR1: the log is reopened" 0 "$(until_true 3 grep -q 'Sending Response' "$work/assayd.log"; echo $?)"
mv "$work/assayd.log" "$work/assayd.log.2"
mkdir "$work/assayd.log"
kill -USR1 "$assay_pid"
check "a log that cannot be reopened: the old file goes on, and says so" 0 \
    "$(until_true 3 grep -q 'assayd.log cannot be opened: Is a directory: the one before goes on' "$work/assayd.log.2"; echo $?)"
rmdir "$work/assayd.log"
kill -USR1 "$assay_pid"
until_true 3 test -f "$work/assayd.log"

# --- drain ---------------------------------------------------------------------------------------------------------------------------
lab_exec phone curl -sS --max-time 20 --limit-rate 1M --cacert "$work/pki/edge-root.crt" --resolve "$SNI:8443:$LAB_PROXY" -o "$work/drain.bin" -w '%{http_code}' \
    "https://$SNI:8443$lab/bytes/3000000" >"$work/drain.out" 2>"$work/drain.err" &
transfer=$!
sleep 1
kill -TERM "$assay_pid"
sleep 0.5
check "draining: not ready" 503 "$(ready)"
FETCH_TIMEOUT=3 fetch "$cucm"
check_match "draining: new connections are turned away" '^(none|503)$' "$status"
wait "$transfer"
check "draining: a transfer goes on to its end" "200 3000000" "$(cat "$work/drain.out") $(wc -c <"$work/drain.bin")"
until_true 10 eval "! kill -0 $assay_pid"
wait "$assay_pid"
check "exit code after the drain" 0 $?

# --- a broken file at start: the last good one; and state that cannot be used ----------------------------------------------------------
printf '# of %s\nmode off until 0\n' "$(realpath "$work/assay.yaml")" >"$work/state/assay.yaml.verify"
assay_start
check_match "a state file that cannot be used is named" 'assay.yaml.verify:2: not used: ' "$(grep -m 1 'not used' "$work/assayd.log")"
check "and nothing of it is taken" enforced "$(ctl status --json | jq -r .verify.mode)"
check_match "started with the last good configuration, with an alarm" 'ALARM' "$(cat "$work/assayd.log" "$work/assayd.out" | grep -m 1 ALARM)"
fetch "$cucm"
check "and works" 200 "$status"
cp "$work/good.yaml" "$work/assay.yaml"
ctl reload >/dev/null
check "the file repaired" 0 $?
e2e_end
