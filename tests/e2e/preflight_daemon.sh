#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=120 parallel
#
# assayd asks origins itself: those without traffic on its timer (S34), all of them when it is told to. What it found, and what
# traffic showed, in assayctl preflight --last, certs and ciphers explain; what would fail is an alarm.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin preflight-daemon
cucm_serves sha256 ecdsa
origins_start
ASSAY_MORE="preflight: {interval: 3s, timeout: 1s}"
ASSAY_VERIFY="{mode: permissive}"
assay_config
assay_start

# traffic: a request to IM&P, so that it is not idle; succeeds when the timer's report is there
reported()
{
    fetch "$(mra_path imp.steven.lab 8443)/EPASSoap/service/v105"
    ctl preflight --last --json >"$work/last.json"
    [ -s "$work/last.json" ]
}

# --- on the timer ------------------------------------------------------------------------------------------------------------
rc=0
ctl preflight --last >/dev/null 2>"$work/complaint" || rc=$?
check "nothing was asked yet" "1 assayctl preflight: assayd has not run one yet" "$rc $(cat "$work/complaint")"
until_true 15 reported || die "the timer's report did not come"
check "IM&P has traffic: it was not asked on 8443, but on its idle port" "7336" "$(jq -r '[.rows[] | select(.node == "imp.steven.lab") | .port] | unique | join(",")' "$work/last.json")"
check "an idle port with a bad certificate" "fail SELF_SIGNED_LEAF" "$(jq -r '.rows[] | select(.node == "cucm.steven.lab" and .port == 6972) | "\(.verdict) \(.code)"' "$work/last.json")"
check "is an alarm in the log" "[ALARM: preflight: cucm.steven.lab:6972 (198.18.2.11) would fail: self signed certificate. What to do: trust this certificate (assayctl trust add), or have it signed by a CA that is trusted]" \
    "[$(grep -o 'ALARM: preflight: cucm.steven.lab:6972.*' "$work/assayd.log" | head -n 1 | sed 's/"$//')]"
check "and in the status" "2 origins would fail, by the last preflight (assayctl preflight --last)" "$(ctl status --json | jq -r '.alarms[] | select(contains("preflight"))')"
rc=0
ctl enforce --json >"$work/enforce.json" || rc=$?
check "enforce: what no traffic has shown stands in the way, too" "1 false 0 6971,6972 self signed certificate" \
    "$rc $(jq -r '"\(.enforced) \(.failing | length) \([.preflight[].port] | join(",")) \(.preflight[0].error)"' "$work/enforce.json")"
rc=0
ctl preflight --last >"$work/table" || rc=$?
check_match "preflight --last: exit status, and when" "^1 [0-9TZ:-]+, of origins without traffic" "$rc $(head -n 1 "$work/table")"

# --- by order ----------------------------------------------------------------------------------------------------------------
ctl trust add "$work/pki/tomcat-ec.crt" "$work/pki/callmanager-ec.crt" >/dev/null || bad "trust add"
ASSAY_MORE="preflight: {interval: 0s, timeout: 1s}"
assay_config
ctl reload >/dev/null || bad "reload"
rc=1
# the timer's last run may be under way
for _ in 1 2 3 4 5; do
    rc=0
    ctl preflight --ports 8443,6972 --json >"$work/report.json" 2>"$work/complaint" || rc=$?
    grep -q 'under way' "$work/complaint" || break
    sleep 0.5
done
check "by order: all origins on these ports; trusted now; exit status 3: some ports are closed" "3 0 pass pass" \
    "$rc $(jq -r '"\(.summary.fail) \(.rows[] | select(.node == "cucm.steven.lab" and .port == 6972) | .verdict) \(.rows[] | select(.node == "imp.steven.lab" and .port == 8443) | .verdict)"' "$work/report.json")"
check "no alarm any more" "" "$(ctl status --json | jq -r '.alarms[] | select(contains("preflight"))')"
rc=0
ctl enforce --json >"$work/enforce.json" || rc=$?
check "enforce: repaired, and asked again" "0 true 0" "$rc $(jq -r '"\(.enforced) \(.preflight | length)"' "$work/enforce.json")"
check "no request of a probe reached CUCM" 0 "$(grep -c '198.18.2.11' "$work/nginx-access.log")"

# --- what is known -----------------------------------------------------------------------------------------------------------
fetch "$(mra_path cucm.steven.lab 8443)/cucm-uds/version"
check "a request" 200 "$status"
until_true 5 eval 'ctl certs cucm.steven.lab --filter traffic | grep -q "1 certificates"'
check "certs: from traffic and preflight" "cucm.steven.lab|tomcat|cucm-ms.steven.lab|on 8443; from preflight
cucm.steven.lab|tomcat-ECDSA|cucm-ms.steven.lab|on 8443; from traffic and preflight" "$(ctl certs cucm.steven.lab --filter 8443 | sed -E '1d;$d;s/ {2,}/|/g' | cut -d '|' -f 1-3,9)"
check "certs: JSON" "imp.steven.lab tomcat RSA" "$(ctl certs imp.steven.lab --json | jq -r '.certificates[0] | "\(.node) \(.certificate) \(.key_type)"')"
check_match "ciphers explain" "^cucm\.steven\.lab +198\.18\.2\.11 +8443 +EC P-256 .*it has a certificate of each type and follows the preference" "$(ctl ciphers explain cucm.steven.lab | grep ' 8443 ')"
e2e_end
