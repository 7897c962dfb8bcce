#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=170
#
# 100 reloads and 100 changes of trust while two loads run: one on an origin whose CA stays trusted (not one request may fail), one
# on an origin whose self-signed certificate comes and goes (200 while it is trusted, 502 while it is not, nothing else ever).
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin reload
origins_start
ASSAY_LOG_REQUESTS=off
ASSAY_TIMEOUTS="{client_idle: 60s}"
assay_config
assay_start
ctl trust add "$work/pki/tomcat-ec.crt" >/dev/null || die "trust add failed"
stays=$(mra_path cucm.steven.lab 8443)/cucm-uds/version
changes=$(mra_path cucm.steven.lab 6972)/CSFemusk.cnf.xml
fingerprint=$(cat "$work/pki/tomcat-ec.sha256")

load() # NAME CONNECTIONS TARGET...
{
    local name=$1 connections=$2
    shift 2
    lab_exec phone wrk -t 1 -c "$connections" -d 150s --timeout 10s -s "$here/statuses.lua" "https://$LAB_PROXY:8443" -- "$@" >"$work/$name.wrk" 2>&1 &
    loads+=($!)
}
loads=()
load stays 8 "$stays"
load changes 4 "$changes"
load fresh 2 close "$stays"
sleep 1

refused=0 wrong=0 slowest=0
for i in $(seq 100); do
    sed -i "s/client_idle: [0-9]*s/client_idle: $((60 + i))s/" "$work/assay.yaml"
    begin=$(date +%s%N)
    ctl reload >"$work/ctl.out" 2>&1 || { refused=$((refused + 1)); cat "$work/ctl.out"; }
    took=$((($(date +%s%N) - begin) / 1000000))
    [ "$took" -le "$slowest" ] || slowest=$took
    if [ $((i % 2)) = 1 ]; then
        ctl trust remove "$fingerprint" >"$work/ctl.out" 2>&1 || { refused=$((refused + 1)); cat "$work/ctl.out"; }
        expected=502
    else
        ctl trust add "$work/pki/tomcat-ec.crt" >"$work/ctl.out" 2>&1 || { refused=$((refused + 1)); cat "$work/ctl.out"; }
        expected=200
    fi
    if [ $((i % 10)) -le 1 ]; then
        fetch "$changes"
        [ "$status" = "$expected" ] || { wrong=$((wrong + 1)); echo "change $i: expected $expected, got $status"; }
    fi
done
sleep 1
for pid in "${loads[@]}"; do
    pkill -INT -P "$pid" wrk || kill -INT "$pid"
done
wait "${loads[@]}"

status_count() { sed -n "s/^status $2 //p" "$work/$1.wrk" | grep . || echo 0; }
others() { grep -E '^status ' "$work/$1.wrk" | grep -vE "^status ($2) " | tr '\n' ' '; }
errors() { sed -n 's/.*Socket errors: //p' "$work/$1.wrk"; }
check "changes refused" 0 "$refused"
check "the change is in force when assayctl returns: wrong answers" 0 "$wrong"
check_above "requests on the origin that stays trusted" 500 "$(status_count stays 200)"
check "all of them 200: other answers" "" "$(others stays 200)"
check "socket errors there" "" "$(errors stays)"
check_above "with a new connection for each" 50 "$(status_count fresh 200)"
check "all of them 200: other answers" "" "$(others fresh 200)"
check_above "requests on the one that comes and goes, answered 200" 20 "$(status_count changes 200)"
check_above "and 502" 20 "$(status_count changes 502)"
check "and nothing else" "" "$(others changes '200|502')"
check "socket errors there" "" "$(errors changes)"
ok "slowest reload: $slowest ms"
fetch "$changes"
check "at the end it is trusted" 200 "$status"
e2e_end
