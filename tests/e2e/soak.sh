#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=175
#
# wrk without pause on 32 kept connections, a second one with a new connection for each request, h2load and a slow trickle beside them:
# no error, no stall of a second, and connections, packet buffers and heap flat from the first quarter to the last.
#
# soak.sh [--long]: 12 seconds, or 5 minutes. E2E_CORES=2: with two cores of the data plane.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

seconds=12
[ "${1:-}" != --long ] || seconds=300
e2e_begin soak
origins_start
lab_origin lab --listen 198.18.2.15:8443=lab
ASSAY_LOG_REQUESTS=off
assay_config
assay_start
cucm=$(mra_path cucm.steven.lab 8443)
imp=$(mra_path imp.steven.lab 8443)
unity=$(mra_path unity.steven.lab 8443)
tftp=$(mra_path cucm.steven.lab 6970 http)
lab=$(mra_path lab.steven.lab 8443)/lab

load() # NAME CONNECTIONS TARGETS...
{
    local name=$1 connections=$2
    shift 2
    lab_exec phone wrk -t 1 -c "$connections" -d "${seconds}s" --timeout 10s -s "$here/statuses.lua" "https://$LAB_PROXY:8443" -- "$@" >"$work/$name.wrk" 2>&1 &
    loads+=($!)
}

# sample: what must not grow, and what must
sample()
{
    echo "{\"requests\": $(counter requests), \"heap\": $(heap), \"buffers\": $(buffers), \"dropped\": $(counter log_dropped)}"
}

# A short load first: pools, caches and the origin's connections reach their size.
seconds_all=$seconds
seconds=4
loads=()
load warm 32 "$cucm/cucm-uds/version" "$imp/EPASSoap/service/v105" "$unity/vmrest/version" "$tftp/CSFemusk.cnf.xml" "$lab/chunked/3000"
wait "${loads[@]}"
seconds=$seconds_all
sleep 2
calm=$(sample)
resident=$(awk '/^VmRSS/ { print $2 }' "/proc/$assay_pid/status")

loads=()
load kept 32 "$cucm/cucm-uds/version" "$imp/EPASSoap/service/v105" "$cucm/cucm-uds/user/emusk/devices" "$unity/vmrest/version" "$tftp/CSFemusk.cnf.xml"
load fresh 4 close "$imp/EPASSoap/service/v105" "$unity/vmrest/version"
load bodies 4 "$lab/chunked/20000" "$lab/bytes/100000" "$lab/last"
lab_exec phone h2load --h1 -c 4 -t 1 -D "$seconds" "https://$LAB_PROXY:8443$cucm/cucm-uds/version" >"$work/h2load.out" 2>&1 &
loads+=($!)

last=0 stalls=0 samples=0 longest=0
sleep 1
end=$((SECONDS + seconds - 3))
while [ "$SECONDS" -lt "$end" ]; do
    begin=$(date +%s%N)
    now=$(counter requests)
    took=$((($(date +%s%N) - begin) / 1000000))
    [ "$took" -le "$longest" ] || longest=$took
    samples=$((samples + 1))
    if [ "$now" = "$last" ]; then
        stalls=$((stalls + 1))
        echo "no request between two samples, at $SECONDS s"
    fi
    last=$now
    sleep 1
done
wait "${loads[@]}"
status_count() { sed -n "s/^status $2 //p" "$work/$1.wrk" | grep . || echo 0; }
for name in kept fresh bodies; do
    check_above "$name: requests" 20 "$(status_count $name 200)"
    check "$name: other answers" "" "$(grep -E '^status ' "$work/$name.wrk" | grep -vE '^status 200 ' | tr '\n' ' ')"
    check "$name: socket errors" "" "$(sed -n 's/.*Socket errors: //p' "$work/$name.wrk")"
    ok "$name: $(sed -n 's/^Requests\/sec: *//p' "$work/$name.wrk") requests/s, slowest $(awk '$1 == "Latency" { print $4 }' "$work/$name.wrk")"
done
check "h2load: errors" "0 failed, 0 errored, 0 timeout" "$(sed -n 's/^requests:.* \([0-9]* failed, [0-9]* errored, [0-9]* timeout\).*/\1/p' "$work/h2load.out")"
check "seconds without a request, of $samples" 0 "$stalls"
ok "slowest answer of the admin API: $longest ms"
check "socket of assayd is alive" 0 "$(kill -0 "$assay_pid" && echo 0)"

# Everything has ended: what is left must be what was there before.
until_true 15 test "$(counter client_connections_now)" = 0
check_below "client connections left" 3 "$(counter client_connections_now)"
sleep 3
now=$(sample)
echo "before: $calm"
echo "after:  $now"
check_below "heap grown, bytes" 500000 "$(jq -n "$now.heap - $calm.heap")"
check_below "packet buffers grown" 600 "$(jq -n "$now.buffers - $calm.buffers")"
# The address sanitizer keeps what was freed for a while: it says itself what leaks.
grep -q __asan_init "$build/assayd" || check_below "resident memory grown, KiB" 60000 $(($(awk '/^VmRSS/ { print $2 }' "/proc/$assay_pid/status") - resident))
check "log records dropped" 0 "$(jq -r .dropped <<<"$now")"
e2e_end
