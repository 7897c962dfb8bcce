#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tcp/ with the Linux kernel as its peer, on both virtual ports, clean and with loss:
#
#   namespace assay-tcp-PID
#   +------------------------------------------+
#   |  kernel TCP         tcp_peer (DPDK port) |
#   |  peer0 ------------ port0                |      198.18.0.1/24 (kernel), 198.18.0.2 (tcp/)
#   +------------------------------------------+
#
# usage: tcp.sh [PATH-TO-tcp_peer]      (root; MEGABYTES=1000 for the long form; VERBOSE=1 shows the counters)
# test: timeout=300
set -u
program=${1:-${ASSAY_BUILD:-build}/tests/e2e/tcp_peer}
here=$(cd "$(dirname "$0")" && pwd)
bytes=$((${MEGABYTES:-100} * 1000000))
ns=assay-tcp-$$
work=$(mktemp -d)
failures=0
checks=0
child=
server=

cleanup() {
    [ -z "$child" ] || kill "$child" 2>/dev/null
    [ -z "$server" ] || kill "$server" 2>/dev/null
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
        echo "ok   $driver: $name  $(grep -o '[0-9.]* s, [0-9]* MB/s' "$work/check" | head -1)"
    else
        echo "FAIL $driver: $name"
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

start() { # DEVICE SECONDS [CONNECT-TO PORT BYTES COUNT]
    local device=$1
    shift
    ip netns exec "$ns" "$program" --no-huge --no-pci -m 512 --no-telemetry --no-shconf --file-prefix "$ns" --lcores 0 -- \
        "$device" 198.18.0.2/24 "$@" >"$work/out" 2>"$work/err" &
    child=$!
    wait_for 20 "^ready $driver" "$work/out"
}

stops_clean() {
    kill "$child" 2>/dev/null
    wait "$child"
    local status=$?
    child=
    cat "$work/out" "$work/err"
    [ "${VERBOSE:-0}" = 0 ] || cat "$work/out" >&2
    [ $status -eq 0 ] && [ "$(sed -n 's/^mbufs lost //p' "$work/out")" -le 64 ] &&
        ! grep -E "^(drop_short|drop_options|drop_memory|timed_out|keepalive_failed) " "$work/out"
}

# We open, the kernel echoes.
connects_out() { # DEVICE BYTES COUNT
    ip netns exec "$ns" /usr/bin/python3 "$here/tcp_peer.py" serve 198.18.0.1 5000 "$3" >"$work/serve" 2>&1 &
    server=$!
    wait_for 5 serving "$work/serve"
    start "$1" 60 198.18.0.1 5000 "$2" "$3" || return 1
    wait "$child"
    local status=$?
    child=
    # A connection that did not come to its end would keep the server waiting for ever.
    [ "$(grep -c "^client sent" "$work/out")" = "$3" ] || kill "$server" 2>/dev/null
    wait "$server"
    server=
    cat "$work/out" "$work/err" "$work/serve"
    [ $status -eq 0 ] && [ "$(grep -c "^client sent $2 read $2 wrong 0$" "$work/out")" = "$3" ]
}

lossy() { # PERCENT: both ways
    in_ns nft -f - <<NFT
table inet lossy {
    chain from_us { type filter hook prerouting priority -300; iif peer0 meta l4proto tcp numgen random mod 100 < $1 drop; }
    chain to_us { type filter hook output priority -300; oif peer0 meta l4proto tcp numgen random mod 100 < $1 drop; }
}
NFT
}

run_port() { # DRIVER DEVICE-ARGUMENTS
    driver=$1
    ip netns add "$ns" || exit 1
    in_ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    in_ns ip link add peer0 type veth peer name port0 || exit 1
    in_ns ip address add 198.18.0.1/24 dev peer0
    in_ns ip link set peer0 up
    in_ns ip link set port0 up
    in_ns ip link set lo up
    in_ns sysctl -qw net.ipv4.tcp_congestion_control=cubic
    in_ns ethtool -K peer0 tx off >/dev/null 2>&1
    in_ns ethtool -K port0 tx off >/dev/null 2>&1
    start "$2" 250 || { cat "$work/out" "$work/err"; failures=$((failures + 1)); ip netns del "$ns"; return; }
    check "to us" peer put 198.18.0.2 "$bytes"
    check "from us" peer get 198.18.0.2 "$bytes"
    check "both ways at once" peer echo 198.18.0.2 $((bytes / 4))
    check "one byte, no byte" peer echo 198.18.0.2 1
    check "64 at once, both ways" peer echo 198.18.0.2 $((bytes / 400)) 64
    check "2000 connections" peer churn 198.18.0.2 2000
    check "stops clean" stops_clean
    lossy 2
    start "$2" 250
    check "2% loss, to us" peer put 198.18.0.2 $((bytes / 10))
    check "2% loss, from us" peer get 198.18.0.2 $((bytes / 10))
    check "2% loss, 32 both ways" peer echo 198.18.0.2 $((bytes / 1000)) 32
    check "stops clean" stops_clean
    in_ns nft delete table inet lossy
    check "we open, 1000 times" connects_out "$2" 20000 1000
    check "we open, bulk" connects_out "$2" $((bytes / 10)) 4
    ip netns del "$ns"
}

[ "$(id -u)" = 0 ] || { echo "tcp.sh: needs root for network namespaces: skipped" >&2; exit 77; }
export LSAN_OPTIONS=suppressions=$here/lsan.supp:print_suppressions=0
run_port net_af_packet "net_af_packet0,iface=port0,qdisc_bypass=1"
run_port net_af_xdp "net_af_xdp0,iface=port0,start_queue=0"
echo "$((checks - failures)) of $checks"
[ "$failures" = 0 ]
