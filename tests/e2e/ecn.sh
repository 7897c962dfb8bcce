#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ECN (RFC 3168) with the kernel as peer, over a path that marks one segment in so many instead of dropping it:
#
#   namespace assay-ecn-PID
#   +------------------------------------------+
#   |  kernel TCP         tcp_peer (DPDK port) |      198.18.0.1, 2001:db8::1 (kernel)
#   |  peer0 -- marks --- port0                |      198.18.0.2, 2001:db8::2 (tcp/)
#   +------------------------------------------+
#
# usage: ecn.sh [PATH-TO-tcp_peer]      (root)
# test: timeout=120 parallel
set -u
# shellcheck source=tests/e2e/lib_wire.sh
. "$(dirname "$0")/lib_wire.sh"
program=${1:-$build/tests/e2e/tcp_peer}
device="net_af_packet0,iface=port0,qdisc_bypass=1"
options=()

start() { # DEVICE SECONDS [CONNECT-TO PORT BYTES COUNT]
    wire_run "$program" "${options[@]}" "$1" "$address" "${@:2}"
    wait_for 20 '^ready'
}

exactly() { # COUNTER N
    echo "$1 is $(counter "$1")"
    [ "$(counter "$1")" = "$2" ]
}

# Marks cost no retransmission; a loss by the load of the machine may.
fewer_than_marks() { # COUNTER
    echo "$1 is $(counter "$1"), ecn_echoes_in $(counter ecn_echoes_in)"
    [ "$(counter "$1")" -lt $(($(counter ecn_echoes_in) / 4)) ]
}

# What the kernel counts in this namespace.
kernel_counts() { # NAME N
    local got
    got=$(in_ns nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }')
    echo "$1 is $got"
    [ "$got" -ge "$2" ]
}

marks() { # ONE-IN: each way, of what is ECT
    in_ns nft -f - <<NFT
table inet marks {
    chain from_us {
        type filter hook prerouting priority -300
        iif peer0 ip ecn ect0 numgen inc mod $1 0 ip ecn set ce
        iif peer0 ip6 ecn ect0 numgen inc mod $1 0 ip6 ecn set ce
    }
    chain to_us {
        type filter hook postrouting priority -300
        oif peer0 ip ecn ect0 numgen inc mod $1 0 ip ecn set ce
        oif peer0 ip6 ecn ect0 numgen inc mod $1 0 ip6 ecn set ce
    }
}
NFT
}

wire_begin ecn
wire_up 1500
in_ns sysctl -qw net.ipv6.conf.peer0.disable_ipv6=0 net.ipv6.conf.peer0.accept_dad=0
in_ns ip address add 2001:db8::1/64 dev peer0

address=198.18.0.2/24
start "$device" 100 || { cat "$work/out" "$work/err"; exit 1; }
in_ns sysctl -qw net.ipv4.tcp_ecn=2
check "a kernel that does not ask gets none" peer ecn 198.18.0.2 0
in_ns sysctl -qw net.ipv4.tcp_ecn=1
check "one that asks gets it, and our text is ECT" peer ecn 198.18.0.2 1
check "stops" wire_stop
check "one connection of two agreed" exactly ecn_agreed 1

start "$device" 100
marks 100
check "marked, to us" peer put 198.18.0.2 20000000
check "the kernel heard us echo its marks" kernel_counts TcpExtTCPDeliveredCE 100
check "marked, from us" peer get 198.18.0.2 20000000
check "marked, both ways, 8 at once" peer echo 198.18.0.2 1000000 8
check "marked segments came to the kernel" kernel_counts IpExtInCEPkts 100
check "stops" wire_stop
check "marks came to us" at_least ecn_marked_in 100
check "and echoes" at_least ecn_echoes_in 100
check "the window fell for them" at_least ecn_reductions 10
check "nothing was sent again for them" fewer_than_marks retransmits

address=2001:db8::2/64
start "$device" 100
check "IPv6, to us" peer put 2001:db8::2 10000000
check "IPv6, from us" peer get 2001:db8::2 10000000
check "stops" wire_stop
check "IPv6: marks came to us" at_least ecn_marked_in 20
check "IPv6: the window fell" at_least ecn_reductions 5
check "IPv6: nothing was sent again" fewer_than_marks retransmits

address=198.18.0.2/24
options=(--ecn on)
in_ns sysctl -qw net.ipv4.tcp_ecn=2
check "we ask, 4 at once" connects_out "$device" 2000000 4
check "the kernel agrees" exactly ecn_agreed 4
check "and its marks count" at_least ecn_marked_in 10
in_ns nft delete table inet marks
in_ns nft -f - <<'NFT'
table inet drops {
    chain from_us {
        type filter hook prerouting priority -300
        tcp flags & (syn | ack | ecn | cwr) == syn | ecn | cwr drop
    }
}
NFT
check "we ask where that is dropped" connects_out "$device" 20000 2
check "and then no longer" exactly ecn_fallbacks 2
check "so there is none" exactly ecn_agreed 0
wire_end
