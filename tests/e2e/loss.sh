#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=170 parallel
#
# The switch of the lab drops 2 % of all packets, then 10 %, in every direction: transfers both ways keep their digest, requests and new
# connections keep coming through, and nothing is left behind.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin loss
origins_start
lab_origin lab --listen 198.18.2.15:8443=lab --listen 198.18.2.15:8080
ASSAY_TIMEOUTS="{client_handshake: 30s, origin_connect: 20s}"
assay_config
assay_start
lab=$(mra_path lab.steven.lab 8443)/lab
cucm=$(mra_path cucm.steven.lab 8443)/cucm-uds/version
fetch "$cucm"
check "without loss" 200 "$status"

# drop PERCENT: of the IP packets that cross the switch
drop()
{
    lab_exec sw nft delete table bridge loss 2>/dev/null
    [ "$1" != 0 ] || return 0
    lab_exec sw nft -f - <<NFT
table bridge loss {
    chain in {
        type filter hook prerouting priority -300; policy accept;
        ether type != ip accept
        numgen random mod 1000 < $(($1 * 10)) drop
    }
}
NFT
}

for percent in 2 10; do
    drop "$percent" || die "the switch cannot drop packets here"
    export FETCH_TIMEOUT=60
    size=$((16000000 / percent))
    head -c "$size" /dev/urandom >"$work/up.bin"
    up=$(sha256sum "$work/up.bin" | cut -d ' ' -f 1)
    down=$(lab_exec origin curl -sS "http://198.18.2.15:8080/lab/bytes/$size" | sha256sum | cut -d ' ' -f 1)
    begin=$(date +%s%N)
    fetch "$lab/bytes/$size"
    check "$percent % lost: $size bytes down" "200 $down" "$status $(sha256sum "$body" | cut -d ' ' -f 1)"
    ok "in $((($(date +%s%N) - begin) / 1000000)) ms"
    begin=$(date +%s%N)
    fetch "$lab/echo" -T "$work/up.bin" -H 'Expect:'
    check "$percent % lost: $size bytes up" "200 $up" "$status $(jq -r .body_sha256 "$body")"
    ok "in $((($(date +%s%N) - begin) / 1000000)) ms"
    lab_exec phone "$here/client.py" crowd --ca "$work/pki/edge-root.crt" --clients 40 --rounds 5 --timeout 60 "$cucm" "$lab/bytes/30000" >"$work/crowd.out" 2>&1
    check "$percent % lost: 40 clients, 5 requests each" "0 {\"200\":200} {}" "$? $(jq -c .status "$work/crowd.out") $(jq -c .errors "$work/crowd.out")"
done
drop 0
fetch "$cucm"
check "without loss again" 200 "$status"
until_true 20 test "$(counter client_connections_now)" = 0
check_below "client connections left" 3 "$(counter client_connections_now)"
check_above "segments were sent again" 50 "$(counter retransmits)"
e2e_end
