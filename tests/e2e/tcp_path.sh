#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Packets of other sizes, with the kernel as peer and as router:
#
#   path MTU     namespace cli            namespace router           namespace our
#                198.18.2.1 ------------- .2 (MTU 1400)  198.18.1.1 ------- tcp_peer 198.18.1.2
#                   its port takes 1500, so that only the router's error tells us of the 1400
#   jumbo        cli 198.18.3.1 (MTU 9000) ------------- tcp_peer 198.18.3.2
#   cut by the   cli 198.18.4.1 on tap4 (net_tap offers checksums and TSO) ... tcp_peer 198.18.4.2
#   port (TSO)
# usage: tcp_path.sh [PATH-TO-tcp_peer]      (root)
# test: timeout=240 parallel
set -u
# shellcheck source=tests/e2e/lib_wire.sh
. "$(dirname "$0")/lib_wire.sh"
program=${1:-$build/tests/e2e/tcp_peer}

in_ns() { ip netns exec "$ns-$1" "${@:2}"; }
peer() { in_ns cli /usr/bin/python3 "$here/tcp_peer.py" "$@"; }

start() { # NAMESPACE ARGUMENTS…
    ip netns exec "$ns-$1" "$program" --no-huge --no-pci -m 512 --no-telemetry --no-shconf --file-prefix "$ns" --lcores 0 -- "${@:2}" \
        >"$work/out" 2>&1 &
    child=$!
    for _ in $(seq 200); do
        grep -q '^ready' "$work/out" && return 0
        kill -0 "$child" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

stop() {
    kill "$child" 2>/dev/null
    wait "$child"
    local status=$?
    child=
    return $status
}

namespace() {
    ip netns add "$ns-$1" || exit 1
    in_ns "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    in_ns "$1" ip link set lo up
}

wire() { # NAMESPACE INTERFACE MTU NAMESPACE INTERFACE MTU
    ip link add "$2" netns "$ns-$1" mtu "$3" type veth peer name "$5" netns "$ns-$4" mtu "$6" || exit 1
    in_ns "$1" ethtool -K "$2" tx off >/dev/null 2>&1
    in_ns "$4" ethtool -K "$5" tx off >/dev/null 2>&1
    in_ns "$1" ip link set "$2" up
    in_ns "$4" ip link set "$5" up
}

wire_begin path
namespaces=("$ns-cli" "$ns-router" "$ns-our")
for name in cli router our; do namespace "$name"; done

# --- path MTU -----------------------------------------------------------------------------------------------------------
wire cli out0 1500 router in0 1400
wire router in1 1500 our port0 1500
in_ns cli ip address add 198.18.2.1/24 dev out0
in_ns cli ip route add 198.18.1.0/24 via 198.18.2.2
in_ns router ip address add 198.18.2.2/24 dev in0
in_ns router ip address add 198.18.1.1/24 dev in1
in_ns router sysctl -qw net.ipv4.ip_forward=1
device="net_af_packet0,iface=port0,qdisc_bypass=1"
start our --gateway 198.18.1.1 "$device" 198.18.1.2/24 200 || { cat "$work/out"; exit 1; }
check "over a router with MTU 1400" peer get 198.18.1.2 20000000
check "the next connection knows" peer get 198.18.1.2 20000000
stop
check "the router's error was believed" at_least path_mtu_lowered 1
check "once: the second connection remembered" at_most path_mtu_lowered 1
check "no timeout was needed" at_most timeouts 0
start our --gateway 198.18.1.1 "$device" 198.18.1.2/24 200 || { cat "$work/out"; exit 1; }
in_ns router nft -f - <<'NFT'
table inet silent {
    chain out {
        type filter hook output priority 0
        icmp type destination-unreachable drop
    }
}
NFT
check "the same router, silent" peer get 198.18.1.2 20000000
stop
check "the black hole was found" at_least path_black_holes 1

# --- jumbo frames -------------------------------------------------------------------------------------------------------
wire cli out1 9000 our port1 9000
in_ns cli ip address add 198.18.3.1/24 dev out1
if start our --mtu 9000 "net_af_packet1,iface=port1" 198.18.3.2/24 100; then
    check "a ring whose slots cut frames is refused" false
else
    check "a ring whose slots cut frames is refused" grep -q "^tcp_peer: net_af_packet1.*: " "$work/out"
fi
child=
device="net_af_packet1,iface=port1,qdisc_bypass=1,framesz=9216,framecnt=512,blocksz=36864"
start our --mtu 9000 "$device" 198.18.3.2/24 200 || { cat "$work/out"; exit 1; }
check "jumbo, from us" peer get 198.18.3.2 100000000
check "jumbo, to us" peer put 198.18.3.2 100000000
check "jumbo, both ways" peer echo 198.18.3.2 20000000 4
stop
# 180 MB each way: with 8948 bytes in a segment 20,000 of them; with 1448, 124,000
check "few segments were enough" at_most segments_out 75000
check "nothing was lost or cut" at_most retransmits 100

# --- segments cut by the port -------------------------------------------------------------------------------------------
# --mtu: net_tap counts the Ethernet header against its MTU of 1500
start cli --mtu 1486 "net_tap4,iface=tap4" 198.18.4.2/24 200 || { cat "$work/out"; exit 1; }
in_ns cli ip address add 198.18.4.1/24 dev tap4
# net_tap gives the interface the port's own address; two hosts cannot share it
in_ns cli ip link set tap4 address 02:00:5e:00:04:01 up
check "TSO, from us" peer get 198.18.4.2 50000000
check "TSO, to us" peer put 198.18.4.2 5000000
check "TSO, both ways" peer echo 198.18.4.2 2000000 4
stop
check "many segments at once" at_least segments_joined 1000

wire_end
