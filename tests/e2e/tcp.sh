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
# shellcheck source=tests/e2e/lib_wire.sh
. "$(dirname "$0")/lib_wire.sh"
program=${1:-$build/tests/e2e/tcp_peer}
bytes=$((${MEGABYTES:-100} * 1000000))

start() { # DEVICE SECONDS [CONNECT-TO PORT BYTES COUNT]
    wire_run "$program" "$1" 198.18.0.2/24 "${@:2}"
    wait_for 20 "^ready $driver"
}

stops_clean() {
    wire_stop && at_most "mbufs lost" 64 && ! grep -E "^(drop_short|drop_options|drop_memory|timed_out|keepalive_failed) " "$work/out"
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
    wire_up 1500
    in_ns sysctl -qw net.ipv4.tcp_congestion_control=cubic
    start "$2" 250 || { cat "$work/out" "$work/err"; failures=$((failures + 1)); wire_down; return; }
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
    wire_down
}

wire_begin tcp
run_port net_af_packet "net_af_packet0,iface=port0,qdisc_bypass=1"
run_port net_af_xdp "net_af_xdp0,iface=port0,start_queue=0"
wire_end
