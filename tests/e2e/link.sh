#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=120 parallel
#
# The switch's end of assayd's cable goes down and comes up again: assayd says so, and announces its addresses (gratuitous ARP and
# unsolicited neighbour advertisements) to whoever is there now. On both drivers, which call their own link up whatever happens.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# What is announced to all, as the phone hears it: "arp ADDRESS" and "na ADDRESS", one a line, in $work/hear.out.
listen_to_announcements()
{
    : >"$work/hear.out"
    cat >"$work/hear.py" <<'PYTHON'
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("eth0", 0))
print("ready", flush=True)
while True:
    f = s.recv(2000)
    if f[12:14] == b"\x08\x06" and f[:6] == b"\xff" * 6 and f[28:32] == f[38:42]:
        print("arp", socket.inet_ntoa(f[28:32]), flush=True)
    elif f[12:14] == b"\x86\xdd" and f[20] == 58 and f[38:54] == socket.inet_pton(socket.AF_INET6, "ff02::1") and f[54] == 136:
        print("na", socket.inet_ntop(socket.AF_INET6, f[62:78]), flush=True)
PYTHON
    start hear phone python3 -u "$work/hear.py"
    until_true 10 grep -q ready "$work/hear.out" || die "nobody listens: $(cat "$work/hear.out")"
}
heard() { grep -c "^$1 $2\$" "$work/hear.out"; }
heard_at_least() { [ "$(heard "$1" "$2")" -ge "$3" ]; }

# begin DRIVER
begin()
{
    ASSAY_PORT_DEVICE=$(lab_device "$1")
    assay_config
    sed -i "s|address: $LAB_PROXY/$LAB_MASK|address: [$LAB_PROXY/$LAB_MASK, \"$LAB_PROXY6/$LAB_MASK6\"]|" "$work/assay.yaml"
    rm -f "$work/assayd.log"
    assay_start
}

# cable DRIVER down|up WHAT-IT-SAYS
cable()
{
    lab_exec sw ip link set proxy "$2"
    until_true 5 grep -q "$3" "$work/assayd.log"
    check "$1: it says that the link is $2" 1 "$(grep -c "$3" "$work/assayd.log")"
}
down="the port's link is down"
up="the port's link is up again: our addresses are announced"

e2e_begin link
[ -e /proc/sys/net/ipv6 ] || { echo "skipped: the kernel has no IPv6"; exit 77; }
dns_start
listen_to_announcements
begin af_packet
# the announcements of the start come twice, two seconds apart
until_true 5 heard_at_least na "$LAB_PROXY6" 2
check "announced at the start, IPv4" 2 "$(heard arp "$LAB_PROXY")"
check "and IPv6" 2 "$(heard na "$LAB_PROXY6")"
cable af_packet down "$down"
check "that announces nothing" "2 2" "$(heard arp "$LAB_PROXY") $(heard na "$LAB_PROXY6")"
cable af_packet up "$up"
until_true 5 heard_at_least na "$LAB_PROXY6" 4
check "announced again, twice, IPv4" 4 "$(heard arp "$LAB_PROXY")"
check "and IPv6" 4 "$(heard na "$LAB_PROXY6")"
until_true 5 lab_exec phone ping -q -c 1 -W 1 "$LAB_PROXY"
check "af_packet: it is there" 0 $?
assay_stop

begin af_xdp
cable af_xdp down "$down"
cable af_xdp up "$up"
until_true 5 lab_exec phone ping -q -c 1 -W 1 "$LAB_PROXY"
check "af_xdp: it is there" 0 $?
e2e_end
