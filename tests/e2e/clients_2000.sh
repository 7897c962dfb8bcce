#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=170 build=release
#
# 2,000 TLS clients at once: all connect, none is turned away, each gets its answers, all are still there, and what they held is given
# back when they leave.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

clients=${1:-2000}
e2e_begin crowd
origins_start
ASSAY_LOG_REQUESTS=off
# All of them ask at the same moment: they wait for the origin's connections, and none is refused.
ASSAY_LIMITS="{origin_queue_max: 10000}"
ASSAY_TIMEOUTS="{origin_queue: 60s, origin_idle: 1s}"
assay_config
assay_start
ulimit -n 20000 2>/dev/null || ulimit -n "$(ulimit -Hn)"
target=$(mra_path cucm.steven.lab 8443)/cucm-uds/version
fetch "$target"
check "one client" 200 "$status"
sleep 3
heap=$(heap)
lab_exec phone "$here/client.py" crowd --ca "$work/pki/edge-root.crt" --clients "$clients" --rounds 3 --timeout 120 "$target" >"$work/crowd.out" 2>&1 &
crowd=$!
most=0 peak=0
while kill -0 "$crowd" 2>/dev/null; do
    now=$(counter client_connections_now)
    if [ "${now:-0}" -gt "$most" ]; then
        most=$now
        peak=$(heap)
    fi
    sleep 0.3
done
wait "$crowd"
check "exit code of the crowd" 0 $?
check "answers" "{\"200\":$((clients * 3))}" "$(jq -c .status "$work/crowd.out")"
check "errors" '{}' "$(jq -c '.errors' "$work/crowd.out")"
check_above "clients seen at once" $((clients * 9 / 10)) "$most"
check_below "TLS heap of a client at that moment, bytes" 40000 $(((peak - heap) / (most > 0 ? most : 1)))
until_true 20 test "$(counter client_connections_now)" = 0
check_below "clients left" 3 "$(counter client_connections_now)"
sleep 2
check_below "TLS heap left above the start, bytes" 400000 $(($(heap) - heap))
fetch "$target"
check "one client, afterwards" 200 "$status"
ok "$(jq -r '"\(.seconds) s from the first connection to the last answer"' "$work/crowd.out")"
e2e_end
