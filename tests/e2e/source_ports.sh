#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=120
#
# Few source ports and two addresses (DESIGN 2): when the ports of the first address are used up toward an origin the second one
# serves; when both are, a request is answered with 503 and counted; and whoever comes when a port is free again is served.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin ports
origins_start
lab_origin lab --listen 198.18.2.15:8080
ASSAY_TCP="{port_min: 30000, port_max: 30003, time_wait: 1s}"
ASSAY_TIMEOUTS="{origin_idle: 0s}" # each request opens a connection of its own
assay_config
sed -i "s|address: $LAB_PROXY/$LAB_MASK}|address: [$LAB_PROXY/$LAB_MASK, 198.18.0.11/$LAB_MASK]}|" "$work/assay.yaml"
assay_start
plain=$(mra_path lab.steven.lab 8080 http)/lab
waits=()

# get N TARGET: its status, and what a refusal says, in $work/status.N
get()
{
    local code
    code=$(lab_exec phone curl -sS --max-time 30 --cacert "$work/pki/edge-root.crt" --resolve "$SNI:8443:$LAB_PROXY" -o "$work/body.$1" \
        -w '%{http_code}' "https://$SNI:8443$2" 2>/dev/null)
    [ "$code" = 200 ] || code+=" $(grep -o 'no source port' "$work/body.$1" | head -n 1)"
    echo "$code" >"$work/status.$1"
}

# statuses STATUS: how many of the last round
statuses() { cat "$work"/status.* | grep -cx "$1"; }

for i in {1..12}; do get "$i" "$plain/slow-head/5" & waits+=($!); done
peers() { lab_exec origin ss -Htn state established 'sport = :8080' | awk '{ print $4 }' | cut -d : -f 1 | sort | uniq -c | xargs; }
all_open() { [ "$(peers)" = "4 198.18.0.10 4 198.18.0.11" ]; }
until_true 10 all_open
check "four from each address" "4 198.18.0.10 4 198.18.0.11" "$(peers)"
wait "${waits[@]}"
check "eight ports, eight requests at a time" 8 "$(statuses 200)"
check "four more are told" 4 "$(statuses '503 no source port')"
check "and counted" 4 "$(counter origin_no_port)"
check "the stack counts each once, not once an address" "$(counter origin_no_port)" "$(counter no_port)"
rm -f "$work"/status.*
sleep 1.5 # then TIME-WAIT gives its port to a new connection (RFC 6191)
get 1 "$plain/echo"
check "later there are ports again" 1 "$(statuses 200)"

# Churn at the limit: twelve at a time want eight ports, again and again, and whoever is refused comes a little later. A port is
# free again a second after its connection (RFC 6191 §2), so in T seconds eight ports serve some 8 × T requests; a fifth and the first
# and last second are left to the machine. Where it is so slow that 240 requests take half a minute, half of them.
rm -f "$work"/status.*
before=$(counter origin_no_port)
waits=()
begin=$(date +%s%N)
for i in {1..12}; do
    (for k in {1..20}; do
        get "$i-$k" "$plain/bytes/1000"
        [ "$(cat "$work/status.$i-$k")" = 200 ] || sleep 0.3
    done) &
    waits+=($!)
done
wait "${waits[@]}"
took_ms=$((($(date +%s%N) - begin) / 1000000))
expected=$((8 * (took_ms - 2000) * 4 / 5000))
[ "$expected" -lt 120 ] || expected=120
refused=$(statuses '503 no source port')
check "churn: each is served, or told that there is no port" 240 "$(($(statuses 200) + refused))"
check_above "churn: a port serves again after a second ($took_ms ms)" "$expected" "$(statuses 200)"
check "churn: whoever is told is counted" "$((before + refused))" "$(counter origin_no_port)"
e2e_end
