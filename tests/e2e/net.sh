#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# net/ against the Linux kernel as its neighbour, on both virtual ports:
#
#   namespace assay-net-PID
#   +------------------------------------------+
#   |  kernel host        net_ping (DPDK port) |
#   |  peer0 ------------ port0                |      198.18.0.1/24 (kernel), 198.18.0.2 (net/)
#   +------------------------------------------+
#
# usage: net.sh [PATH-TO-net_ping]      (root; uses nothing outside its namespace; VERBOSE=1 shows the counters)
# test: timeout=120
set -u
program=${1:-${ASSAY_BUILD:-build}/tests/e2e/net_ping}
ns=assay-net-$$
work=$(mktemp -d)
failures=0
checks=0
child=

cleanup() {
    [ -z "$child" ] || kill "$child" 2>/dev/null
    wait 2>/dev/null
    ip netns del "$ns" 2>/dev/null
    rm -rf "$work" "/var/run/dpdk/$ns"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

in_ns() { ip netns exec "$ns" "$@"; }

check() { # NAME COMMAND…
    local name=$1
    shift
    checks=$((checks + 1))
    if "$@" >"$work/check" 2>&1; then
        echo "ok   $driver: $name"
    else
        echo "FAIL $driver: $name"
        sed 's/^/     /' "$work/check" | tail -12
        failures=$((failures + 1))
    fi
}

wait_for() { # SECONDS PATTERN: in what net_ping printed
    for _ in $(seq "$(($1 * 10))"); do
        grep -q "$2" "$work/out" && return 0
        sleep 0.1
    done
    return 1
}

# Asks by ARP, from nobody (RFC 5227 probe) and from the kernel's address, and waits for the answer of 198.18.0.2.
arp_asks() {
    in_ns /usr/bin/python3 - "$1" <<'PYTHON'
import socket, struct, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
s.bind(("peer0", 0))
s.settimeout(0.2)
mac = open("/sys/class/net/peer0/address").read().strip()
mac = bytes.fromhex(mac.replace(":", ""))
sender, target = socket.inet_aton(sys.argv[1]), socket.inet_aton("198.18.0.2")
s.send(b"\xff" * 6 + mac + struct.pack(">HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + mac + sender + bytes(6) + target)
end = time.time() + 2
while time.time() < end:
    try:
        f = s.recv(2000)
    except TimeoutError:
        continue
    if f[20:22] == b"\0\2" and f[28:32] == target and f[38:42] == sender and f[:6] == mac:
        sys.exit(0)
sys.exit(1)
PYTHON
}

# Whether the kernel is told "connection refused" (a RST), or by ICMP that there is no UDP.
refused() { # tcp|udp
    in_ns /usr/bin/python3 - "$1" <<'PYTHON'
import socket, sys
kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
s = socket.socket(socket.AF_INET, kind)
s.settimeout(2)
try:
    s.connect(("198.18.0.2", 443))
    s.send(b"x")
    s.recv(1)
except ConnectionRefusedError:
    sys.exit(0)
sys.exit(1)
PYTHON
}

stops_clean() {
    kill "$child" && wait "$child"
    local status=$?
    child=
    cat "$work/out" "$work/err"
    # A sent mbuf may wait for the driver's next look at its completions.
    [ $status -eq 0 ] && ! grep -E "^(drop_ip4_checksum|drop_tcp_checksum|drop_tx_malformed|nic_tx_dropped) " "$work/out" &&
        [ "$(sed -n 's/^mbufs lost //p' "$work/out")" -le 32 ]
}

run_port() { # DRIVER DEVICE-ARGUMENTS MTU
    driver=$1
    mtu=$3
    ip netns add "$ns" || exit 1
    in_ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    in_ns ip link add peer0 type veth peer name port0 || exit 1
    in_ns ip address add 198.18.0.1/24 dev peer0
    in_ns ip link set peer0 mtu "$mtu" up
    in_ns ip link set port0 mtu "$mtu" up
    # Frames whole and with their checksums: without a NIC nobody else would write them.
    in_ns ethtool -K peer0 tx off >/dev/null 2>&1
    in_ns ethtool -K port0 tx off >/dev/null 2>&1
    ip netns exec "$ns" "$program" --no-huge --no-pci -m 256 --no-telemetry --no-shconf --file-prefix "$ns" --lcores 0 -- \
        "$2" 198.18.0.2/24 "$mtu" 60 198.18.0.1 198.18.0.77 >"$work/out" 2>"$work/err" &
    child=$!
    check "port opens" wait_for 20 "^ready $driver .* mtu $mtu$"
    check "ping" in_ns ping -q -c 5 -i 0.05 -W 1 198.18.0.2
    check "ping, full frames" in_ns ping -q -c 5 -i 0.05 -W 1 -M do -s $((mtu - 28)) 198.18.0.2
    check "ping, every length is echoed as it came" in_ns bash -c \
        'for s in 0 1 17 18 19 64 65 511 1471; do ping -q -c 1 -W 1 -p a5c3 -s $s 198.18.0.2 | grep -q " 0% packet loss" || exit 1; done'
    sleep 0.2 # the echo limit's burst is 100
    check "ping flood, none lost" in_ns bash -c "ping -q -f -c 80 -l 3 198.18.0.2 | grep ' 0% packet loss'"
    check "ARP request answered" arp_asks 198.18.0.1
    check "ARP probe answered (RFC 5227)" arp_asks 0.0.0.0
    check "the kernel's ARP entry is ours" in_ns bash -c \
        'mac=$(cat /sys/class/net/port0/address); ip neigh show 198.18.0.2 | grep -qi "$mac"'
    check "TCP in and out: refused by RST" refused tcp
    check "UDP: port unreachable" refused udp
    check "our SYN is answered: ARP resolved, checksum right" wait_for 5 "^reset from 198.18.0.1$"
    check "a host that is not there: unreachable" wait_for 8 "^icmp type 3 code 1 about 198.18.0.77 port 7"
    check "stops, no bad checksum, no mbuf lost" stops_clean
    [ "${VERBOSE:-0}" = 0 ] || cat "$work/out"
    ip netns del "$ns"
}

[ "$(id -u)" = 0 ] || { echo "net.sh: needs root for network namespaces: skipped" >&2; exit 77; }
LSAN_OPTIONS=suppressions=$(cd "$(dirname "$0")" && pwd)/lsan.supp:print_suppressions=0
export LSAN_OPTIONS
run_port net_af_packet "net_af_packet0,iface=port0,qdisc_bypass=1" 1500
run_port net_af_xdp "net_af_xdp0,iface=port0,start_queue=0" 1500
run_port net_af_packet "net_af_packet0,iface=port0,qdisc_bypass=1,framesz=16384,framecnt=512,blocksz=1048576" 9000
echo "$((checks - failures)) of $checks"
[ "$failures" = 0 ]
