#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=290
#
# Two poll-mode cores on a port without RSS, on two of its queues: connections are spread over both, packets that the kernel puts into
# the other core's queue cross the mesh, ARP is learned by both and answered by one, a trusted certificate counts on both at once,
# limits are shared out, and load, churn at the limit of source ports, loss, kill and drain leave no error.
#
# two_cores.sh [af_packet|af_xdp]
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

kind=${1:-af_packet}
seconds=${TWO_CORES_SECONDS:-12}
LAB_QUEUES=2
e2e_begin two-cores
origins_start
lab_origin lab --listen 198.18.2.15:8443=lab --listen 198.18.2.15:8080
ASSAY_CORES="[0, 1]"
ASSAY_PORT_DEVICE=$(lab_device "$kind")
ASSAY_LOG_REQUESTS=off
ASSAY_TIMEOUTS="{client_handshake: 30s, origin_connect: 20s}"
ASSAY_TCP="{port_min: 30000, port_max: 30299}"
ASSAY_LIMITS="{origin_connections_max: 20}"
assay_config
assay_start
cucm=$(mra_path cucm.steven.lab 8443)
imp=$(mra_path imp.steven.lab 8443)
ecdsa=$(mra_path cucm.steven.lab 6972)
lab=$(mra_path lab.steven.lab 8443)/lab
plain=$(mra_path lab.steven.lab 8080 http)/lab

# of GROUP NAME: that counter of each core, "3 5"
of()
{
    ctl stats --json | jq -r --arg g "$1" --arg n "$2" '[.cores[] | .[$g][$n]] | map(tostring) | join(" ")'
}

# both WHAT GROUP NAME: it is above zero on both cores
both()
{
    check_match "$1, each core" '^[1-9][0-9]* [1-9][0-9]*$' "$(of "$2" "$3")"
}

# answers FILE: what wrk got: statuses, and socket errors
answers()
{
    { sed -n 's/^status \([0-9]*\) .*/\1/p' "$1" | sort -u; sed -n 's/.*Socket errors: //p' "$1"; } | tr '\n' ' '
}

check "cores" "0 1" "$(ctl status --json | jq -r '[.cores[].core | tostring] | join(" ")')"

# --- neighbours, ping -------------------------------------------------------------------------------------------
lab_exec phone ip neigh flush dev eth0
check "ping" 0 "$(lab_exec phone ping -q -c 5 -i 0.2 -W 2 "$LAB_PROXY" >/dev/null; echo $?)"
both "ARP requests heard" net arp_requests_received
check_match "only the first core answers them" '^[1-9][0-9]* 0$' "$(of net arp_replies_sent)"

# --- connections spread, and cross ------------------------------------------------------------------------------
wrong=0
for _ in $(seq 24); do
    fetch "$cucm/cucm-uds/version"
    [ "$status" = 200 ] || wrong=$((wrong + 1))
done
check "24 new connections, answers other than 200" 0 "$wrong"
both "client connections" proxy client_connections
both "connections to origins" proxy origin_connections
check "the origins' view has one row for both cores" "1 [0,1]" \
    "$(ctl origins --json | jq -c '[.origins[] | select(.host == "cucm.steven.lab" and .port == 8443)] | [length, .[0].cores]' | sed 's/^\[\([0-9]*\),\(.*\)\]$/\1 \2/')"
check "so has the verdicts' view" "[0,1]" "$(ctl verdicts --json | jq -c '[.verdicts[] | select(.identity | test("cucm"))][0].cores')"

# --- a change counts on both --------------------------------------------------------------------------------------
for _ in 1 2 3 4 5 6; do fetch "$ecdsa/CSFemusk.cnf.xml"; echo "$status $reason"; done | sort | uniq -c >"$work/before"
check "self-signed, on whichever core" "6 502 connect failed" "$(sed 's/^ *//' "$work/before")"
check_match "trust add" "all cores after" "$(ctl trust add "$work/pki/tomcat-ec.crt" 2>&1 | tr '\n' ' ')"
check "one generation on both" 1 "$(ctl status --json | jq -r '[.cores[].generation] | unique | length')"
for _ in $(seq 12); do fetch "$ecdsa/CSFemusk.cnf.xml"; echo "$status"; done | sort | uniq -c >"$work/after"
check "and it is trusted, on whichever core" "12 200" "$(sed 's/^ *//' "$work/after")"
both "verdicts made" proxy verify_checks

# --- transfers ----------------------------------------------------------------------------------------------------
head -c 20000000 /dev/urandom >"$work/www/lab/cucm-uds/lab/20m.bin"
want=$(sha256sum "$work/www/lab/cucm-uds/lab/20m.bin" | cut -d ' ' -f 1)
for i in 1 2 3; do
    fetch "$cucm/cucm-uds/lab/20m.bin"
    check "20 MB down, $i" "200 $want" "$status $(sha256sum "$body" | cut -d ' ' -f 1)"
done
fetch "$cucm/cucm-uds/lab/up.bin" -T "$work/www/lab/cucm-uds/lab/20m.bin" -H 'Expect:'
check "20 MB up" "201 $want" "$status $(sha256sum "$work/www/lab/cucm-uds/lab/up.bin" | cut -d ' ' -f 1)"

# --- load and churn -------------------------------------------------------------------------------------------------
loads=()
load() # NAME CONNECTIONS TARGETS...
{
    local name=$1 connections=$2
    shift 2
    lab_exec phone wrk -t 1 -c "$connections" -d "${seconds}s" --timeout 10s -s "$here/statuses.lua" "https://$LAB_PROXY:8443" -- "$@" >"$work/$name.wrk" 2>&1 &
    loads+=($!)
}
load kept 32 "$cucm/cucm-uds/version" "$imp/EPASSoap/service/v105"
load fresh 4 close "$imp/EPASSoap/service/v105"
wait "${loads[@]}"
for name in kept fresh; do
    check "$name, $seconds s: answers, errors" "200 " "$(answers "$work/$name.wrk")"
    ok "$name: $(sed -n 's/^status 200 //p' "$work/$name.wrk") requests"
done
both "requests" proxy requests
both "packets handed over" dispatch handed_over
both "packets taken over" dispatch taken
ok "packets that found the other core's ring full: $(of dispatch drop_full)"

# Each request a connection of its own to the origin: a core has about 150 ports toward it. One that was closed by us rests a second in
# TIME-WAIT before it is used again (RFC 6191); when none is left, that is 503, and counted.
seconds_all=$seconds seconds=$(((seconds + 3) / 4)) loads=()
load last 8 "$plain/last"
wait "${loads[@]}"
seconds=$seconds_all
check_match "at the limit of source ports: answers, errors" '^200 (503 )?$' "$(answers "$work/last.wrk")"
check_above "  requests served, by 300 ports" 400 "$(sed -n 's/^status 200 //p' "$work/last.wrk")"
ok "  ports taken out of TIME-WAIT: $(counter time_wait_reused)"
refused=$(sed -n 's/^status 503 //p' "$work/last.wrk")
check_match "  503 no source port, each counted (wrk leaves the last ones unread)" "^[0-8]\$" $(($(counter origin_no_port) - ${refused:-0}))

# --- loss -----------------------------------------------------------------------------------------------------------
lab_exec sw nft -f - <<'NFT' || die "the switch cannot drop packets here"
table bridge loss {
    chain in {
        type filter hook prerouting priority -300; policy accept;
        ether type != ip accept
        numgen random mod 100 < 3 drop
    }
}
NFT
lab_exec phone "$here/client.py" crowd --ca "$work/pki/edge-root.crt" --clients 30 --rounds 4 --timeout 60 "$cucm/cucm-uds/version" "$lab/bytes/30000" >"$work/crowd.out" 2>&1
check "3 % lost: 30 clients, 4 requests each" "0 {\"200\":120} {}" "$? $(jq -c .status "$work/crowd.out") $(jq -c .errors "$work/crowd.out")"
lab_exec sw nft delete table bridge loss

# --- nothing left, kill, drain --------------------------------------------------------------------------------------
until_true 20 test "$(counter client_connections_now)" = 0
check_below "client connections left" 3 "$(counter client_connections_now)"
kill -KILL "$assay_pid"
wait "$assay_pid" 2>/dev/null
assay_start
fetch "$cucm/cucm-uds/version"
check "killed and started again" 200 "$status"
lab_exec phone "$here/client.py" crowd --ca "$work/pki/edge-root.crt" --clients 20 --rounds 3 --timeout 30 "$cucm/cucm-uds/version" >"$work/crowd.out" 2>&1
check "20 clients, 3 requests each" "{\"200\":60} {}" "$(jq -c .status "$work/crowd.out") $(jq -c .errors "$work/crowd.out")"
e2e_end
