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
# shellcheck source=tests/e2e/lib_wire.sh
. "$(dirname "$0")/lib_wire.sh"
program=${1:-$build/tests/e2e/net_ping}

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
    # A sent mbuf may wait for the driver's next look at its completions.
    wire_stop && ! grep -E "^(drop_ip4_checksum|drop_tcp_checksum|drop_tx_malformed|nic_tx_dropped) " "$work/out" &&
        at_most "mbufs lost" 32
}

run_port() { # DRIVER DEVICE-ARGUMENTS MTU
    driver=$1
    mtu=$3
    wire_up "$mtu"
    wire_run "$program" "$2" 198.18.0.2/24 "$mtu" 60 198.18.0.1 198.18.0.77
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
    wire_down
}

wire_begin net
run_port net_af_packet "net_af_packet0,iface=port0,qdisc_bypass=1" 1500
run_port net_af_xdp "net_af_xdp0,iface=port0,start_queue=0" 1500
run_port net_af_packet "net_af_packet0,iface=port0,qdisc_bypass=1,framesz=16384,framecnt=512,blocksz=1048576" 9000
wire_end
