#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=180 parallel
#
# The exception port: the host's kernel on the same wire as assayd, by a TAP of assayd's. 198.18.0.10 is assayd's, 198.18.0.20 the
# kernel's; both have the MAC address of port0.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

KERNEL=198.18.0.20

# from_kernel FILE: the digest of it, fetched from the kernel's own web server
from_kernel()
{
    lab_exec phone curl -sS --max-time 20 "http://$KERNEL:8000/$1" | sha256sum | cut -d ' ' -f 1
}

# arp_of WHERE ADDRESS: the MAC address that namespace has for it
arp_of()
{
    lab_exec "$1" ip neigh show "$2" | sed -n 's/.*lladdr \([^ ]*\).*/\1/p' | head -n 1
}

e2e_begin exception
origins_start
ASSAY_PORT="exception: {device: assay0, rate: 5000}"
assay_config
assay_start
port_mac=$(lab_exec proxy cat /sys/class/net/port0/address)
check "the kernel has an interface, up" up "$(lab_exec proxy cat /sys/class/net/assay0/operstate | sed 's/unknown/up/')"
check "with the port's MAC address" "$port_mac" "$(lab_exec proxy cat /sys/class/net/assay0/address)"
check "and its MTU" 1500 "$(lab_exec proxy cat /sys/class/net/assay0/mtu)"
check "assayd holds no capability" "capabilities none" "$(grep -o 'capabilities [a-z_, ]*' "$work/assayd.log" | head -n 1)"
# As an operator would. The subnet's route of ctl0 (the same subnet) must not win over the wire.
lab_exec proxy ip address add "$KERNEL/32" dev assay0
lab_exec proxy ip route add 198.18.1.0/24 dev assay0 src "$KERNEL"
lab_exec proxy ip route add 198.18.2.0/24 dev assay0 src "$KERNEL"
lab_exec proxy ip route replace "$LAB_DNS/32" dev ctl0 src "$LAB_CONTROL"
lab_exec proxy sysctl -qw net.ipv4.conf.all.arp_ignore=1

# A packet socket leaves the frames to the kernel as well, a NIC of DPDK's does not: here it shall get none that way.
lab_exec proxy nft -f - <<'NFT'
table inet port0 {
    chain in {
        type filter hook prerouting priority -300; policy accept;
        iifname "port0" drop
    }
}
table arp port0 {
    chain in {
        type filter hook input priority 0; policy accept;
        iifname "port0" drop
    }
}
NFT

mkdir "$work/kernel-www"
head -c 5000000 /dev/urandom >"$work/kernel-www/5m.bin"
want=$(sha256sum "$work/kernel-www/5m.bin" | cut -d ' ' -f 1)
start web proxy python3 -m http.server --bind "$KERNEL" --directory "$work/kernel-www" 8000
until_true 10 listens proxy "$KERNEL" 8000 || die "the kernel's web server did not start"

check "ping of the kernel, from the wire" 0 "$(lab_exec phone ping -q -c 5 -i 0.1 -W 2 "$KERNEL" >"$work/ping.out"; echo $?)"
check "no answer came twice" "" "$(grep -i dup "$work/ping.out")"
check "ping of assayd at the same MAC address" 0 "$(lab_exec phone ping -q -c 5 -i 0.1 -W 2 "$LAB_PROXY" >/dev/null; echo $?)"
check "ARP: one MAC address for both" "$port_mac $port_mac" "$(arp_of phone "$KERNEL") $(arp_of phone "$LAB_PROXY")"
check "ping by the kernel, onto the wire" 0 "$(lab_exec proxy ping -q -c 3 -i 0.1 -W 2 -I "$KERNEL" 198.18.1.1 >/dev/null; echo $?)"
check "5 MB of TCP from the kernel" "$want" "$(from_kernel 5m.bin)"
cucm=$(mra_path cucm.steven.lab 8443)
fetch "$cucm/cucm-uds/version"
check "a request through assayd" 200 "$status"
check "a port of ours without a listener is refused by us, not the kernel" "Connection refused" \
    "$(lab_exec phone timeout 3 bash -c "exec 3<>/dev/tcp/$LAB_PROXY/22" 2>&1 | grep -o 'Connection refused' | head -n 1)"
lab_exec proxy ss -Htan | grep -q "$LAB_PROXY" && bad "the kernel has a socket of our address"

# Both at once.
lab_exec phone wrk -t 1 -c 8 -d 6s -s "$here/statuses.lua" "https://$LAB_PROXY:8443" -- "$cucm/cucm-uds/version" >"$work/wrk.out" 2>&1 &
wrk=$!
for _ in 1 2 3; do
    check "5 MB from the kernel, while assayd is busy" "$want" "$(from_kernel 5m.bin)"
done
wait "$wrk"
check_above "requests meanwhile" 100 "$(sed -n 's/^status 200 //p' "$work/wrk.out")"
check "none failed" "" "$(grep -E '^status |Socket' "$work/wrk.out" | grep -v '^status 200 ')"

# A flood toward the kernel: bounded, and assayd goes on.
before=$(counter exception_to_kernel)
lab_exec phone /usr/bin/python3 - "$KERNEL" <<'PYTHON' &
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.time() + 4
while time.time() < end:
    for _ in range(200):
        try:
            s.sendto(b"flood" * 20, (sys.argv[1], 9))
        except OSError:
            pass
PYTHON
flood=$!
sleep 0.5
slow=0
for _ in $(seq 20); do
    fetch "$cucm/cucm-uds/version" --max-time 5
    [ "$status" = 200 ] || slow=$((slow + 1))
done
check "20 requests during the flood, not answered" 0 "$slow"
wait "$flood"
after=$(counter exception_to_kernel)
check_below "frames given to the kernel in 4 s at a rate of 5000" 25000 $((after - before))
check_above "frames dropped for the rate" 1000 "$(counter drop_exception_limited)"
sleep 0.2
check "the kernel answers again" 0 "$(lab_exec phone ping -q -c 3 -i 0.1 -W 2 "$KERNEL" >/dev/null; echo $?)"
check_match "stats show the drops as a group" 'drop_exception_limited' "$(ctl stats | sed -n '/^drops/,$p')"
assay_stop
check "the interface goes with assayd" "" "$(lab_exec proxy ip -br link show assay0 2>/dev/null)"
e2e_end
