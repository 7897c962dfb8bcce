#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A SYN flood (RFC 4987) beside a real Linux client, on the wire of tcp.sh:
#
#   namespace assay-flood-PID
#   +---------------------------------------------+
#   |  kernel TCP, syn_flood  tcp_peer (DPDK port)|
#   |  peer0 ---------------- port0               |      198.18.0.1/24 (kernel), 198.18.0.2 (tcp/)
#   +---------------------------------------------+
#
# While SYNs of sources that do not exist come in, the kernel's connections open, with everything they negotiate, and every byte
# of their transfers is right; afterwards nothing is left of the flood.
#
# usage: flood.sh [PATH-TO-tcp_peer]      (root; SYNS=1000000 RATE=200000 for more; VERBOSE=1 shows the counters)
# test: timeout=180
set -u
# shellcheck source=tests/e2e/lib_wire.sh
. "$(dirname "$0")/lib_wire.sh"
program=${1:-$build/tests/e2e/tcp_peer}
flooder=$(dirname "$program")/syn_flood
syns=${SYNS:-100000}
rate=${RATE:-15000}
flood=

flood_begin() { # SOURCE/BITS PORT
    ip netns exec "$ns" "$flooder" "$1" 198.18.0.2 "$2" "$syns" "$rate" >"$work/flood" 2>&1 &
    flood=$!
    pids=("$flood")
    # half of the table (8192 connections) is half-open by then
    sleep "$(awk -v r="$rate" 'BEGIN { print 6000 / r + 0.2 }')"
}

flood_still_on() { kill -0 "$flood" 2>/dev/null; }

flood_end() {
    wait "$flood"
    local status=$?
    pids=()
    cat "$work/flood"
    [ $status -eq 0 ]
}

stops_clean() {
    wire_stop && at_most "mbufs lost" 64 &&
        ! grep -E "^(drop_short|drop_options|drop_memory|timed_out|drop_no_slot|syn_cookies_bad|syn_cookies_old) " "$work/out"
}

wire_begin flood
wire_up 1500
wire_run "$program" "net_af_packet0,iface=port0,qdisc_bypass=1" 198.18.0.2/24 150
wait_for 20 "^ready" || { cat "$work/out" "$work/err"; exit 1; }

check "no flood: to us" peer put 198.18.0.2 10000000
check "no flood: from us" peer get 198.18.0.2 10000000

# Sources beyond the next router, of which there is none: the answers go nowhere.
flood_begin 198.19.0.0/16 7
check "flood: 20 with timestamps, SACK and scaling" peer terms 198.18.0.2 7 20
check "flood: to us" peer put 198.18.0.2 10000000
check "flood: from us" peer get 198.18.0.2 10000000
check "flood: 300 connections" peer churn 198.18.0.2 300
check "the flood went on all the time" flood_still_on
check "the flood ends" flood_end

# Sources on the wire itself, whose neighbours nobody finds; the kernel's connections do without timestamps.
in_ns sysctl -qw net.ipv4.tcp_timestamps=0
flood_begin 198.18.0.128/25 7
check "flood on the link: 20 without timestamps have neither" peer terms 198.18.0.2 0 20
check "flood on the link: to us" peer put 198.18.0.2 10000000
check "flood on the link: from us" peer get 198.18.0.2 10000000
check "flood on the link: 8 at once, both ways" peer echo 198.18.0.2 500000 8
check "the flood ends" flood_end

check "stops clean" stops_clean
check "cookies were sent" at_least syn_cookies_sent $((syns / 2))
check "and came back" at_least syn_cookies_accepted 100
check "half of the table was for others" at_most half_open_evicted 0
check "not one connection was reset" at_most closed_by_reset 0
wire_end
