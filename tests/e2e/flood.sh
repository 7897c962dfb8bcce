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
program=${1:-${ASSAY_BUILD:-build}/tests/e2e/tcp_peer}
flooder=$(dirname "$program")/syn_flood
here=$(cd "$(dirname "$0")" && pwd)
syns=${SYNS:-100000}
rate=${RATE:-15000}
ns=assay-flood-$$
work=$(mktemp -d)
failures=0
checks=0
child=
flood=

cleanup() {
    [ -z "$flood" ] || kill "$flood" 2>/dev/null
    [ -z "$child" ] || kill "$child" 2>/dev/null
    wait 2>/dev/null
    ip netns del "$ns" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

in_ns() { ip netns exec "$ns" "$@"; }
peer() { in_ns /usr/bin/python3 "$here/tcp_peer.py" "$@"; }

check() { # NAME COMMAND…
    local name=$1
    shift
    checks=$((checks + 1))
    if "$@" >"$work/check" 2>&1; then
        echo "ok   $name  $(grep -o '[0-9.]* s, [0-9]* MB/s' "$work/check" | head -1)"
    else
        echo "FAIL $name"
        sed 's/^/     /' "$work/check" | tail -12
        failures=$((failures + 1))
    fi
}

wait_for() { # SECONDS PATTERN FILE
    for _ in $(seq "$(($1 * 10))"); do
        grep -q "$2" "$3" && return 0
        sleep 0.1
    done
    return 1
}

flood_begin() { # SOURCE/BITS PORT
    ip netns exec "$ns" "$flooder" "$1" 198.18.0.2 "$2" "$syns" "$rate" >"$work/flood" 2>&1 &
    flood=$!
    # half of the table (8192 connections) is half-open by then
    sleep "$(awk -v r="$rate" 'BEGIN { print 6000 / r + 0.2 }')"
}

flood_still_on() { kill -0 "$flood" 2>/dev/null; }

flood_end() {
    wait "$flood"
    local status=$?
    flood=
    cat "$work/flood"
    [ $status -eq 0 ]
}

counter() { sed -n "s/^$1 //p" "$work/out"; }

stops_clean() {
    kill "$child" 2>/dev/null
    wait "$child"
    local status=$?
    child=
    cat "$work/out" "$work/err"
    [ $status -eq 0 ] && [ "$(sed -n 's/^mbufs lost //p' "$work/out")" -le 64 ] &&
        ! grep -E "^(drop_short|drop_options|drop_memory|timed_out|drop_no_slot|syn_cookies_bad|syn_cookies_old) " "$work/out"
}

at_least() { # COUNTER N
    echo "$1 is $(counter "$1")"
    [ "$(counter "$1" | grep . || echo 0)" -ge "$2" ]
}

at_most() { # COUNTER N
    echo "$1 is $(counter "$1")"
    [ "$(counter "$1" | grep . || echo 0)" -le "$2" ]
}

[ "$(id -u)" = 0 ] || { echo "flood.sh: needs root for network namespaces: skipped" >&2; exit 77; }
ip netns add "$ns" || exit 1
in_ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
in_ns ip link add peer0 type veth peer name port0 || exit 1
in_ns ip address add 198.18.0.1/24 dev peer0
in_ns ip link set peer0 up
in_ns ip link set port0 up
in_ns ip link set lo up
in_ns ethtool -K peer0 tx off >/dev/null 2>&1
in_ns ethtool -K port0 tx off >/dev/null 2>&1
ip netns exec "$ns" "$program" --no-huge --no-pci -m 512 --no-telemetry --no-shconf --file-prefix "$ns" --lcores 0 -- \
    "net_af_packet0,iface=port0,qdisc_bypass=1" 198.18.0.2/24 150 >"$work/out" 2>"$work/err" &
child=$!
wait_for 20 "^ready" "$work/out" || { cat "$work/out" "$work/err"; exit 1; }

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
[ "${VERBOSE:-0}" = 0 ] || cat "$work/out"
echo "$((checks - failures)) of $checks"
[ "$failures" = 0 ]
