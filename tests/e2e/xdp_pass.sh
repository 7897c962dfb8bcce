#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=150 build=release parallel
#
# AF_XDP on an interface that the kernel goes on using: 198.18.0.10 is assayd's, 198.18.0.20 and 2001:db8::20 the kernel's, both
# on port0. (The release build: libxdp leaks a little when a port is closed, and the sanitizer would say so.)
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

KERNEL=198.18.0.20

from_kernel()
{
    lab_exec phone curl -sS --max-time 20 "http://$1:8000/5m.bin" | sha256sum | cut -d ' ' -f 1
}

# How many packets the kernel received for addresses that it does not have.
not_local()
{
    lab_exec proxy nstat -asz IpInAddrErrors 2>/dev/null | awk '/IpInAddrErrors/ {print $2}'
}

program()
{
    lab_exec proxy ip -details link show port0 | grep -o 'prog/xdp\|assay_steer\|xdp' | head -n 1
}

e2e_begin xdp_pass
origins_start
ASSAY_PORT_DEVICE=$(lab_device af_xdp)
ASSAY_PORT="exception: {xdp: on}"
assay_config
lab_exec proxy sysctl -qw net.ipv6.conf.port0.disable_ipv6=0 net.ipv6.conf.port0.accept_dad=0 net.ipv4.conf.all.arp_ignore=1
lab_exec phone sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth0.accept_dad=0
lab_exec proxy ip address add "$KERNEL/32" dev port0
lab_exec proxy ip route add 198.18.1.0/24 dev port0 src "$KERNEL"
lab_exec proxy ip route replace "$LAB_DNS/32" dev ctl0 src "$LAB_CONTROL"
lab_exec proxy ip -6 address add 2001:db8::20/64 dev port0 nodad
lab_exec phone ip -6 address add 2001:db8::1/64 dev eth0 nodad
mkdir "$work/kernel-www"
head -c 5000000 /dev/urandom >"$work/kernel-www/5m.bin"
want=$(sha256sum "$work/kernel-www/5m.bin" | cut -d ' ' -f 1)
start web proxy python3 -m http.server --bind :: --directory "$work/kernel-www" 8000

assay_start
cucm=$(mra_path cucm.steven.lab 8443)
check "a program is attached" xdp "$(program)"
check "ping of the kernel's address" 0 "$(lab_exec phone ping -q -c 3 -i 0.1 -W 2 "$KERNEL" >/dev/null; echo $?)"
check "and of its IPv6 address" 0 "$(lab_exec phone ping -6 -q -c 3 -i 0.1 -W 2 2001:db8::20 >/dev/null; echo $?)"
check "ping of assayd" 0 "$(lab_exec phone ping -q -c 3 -i 0.1 -W 2 "$LAB_PROXY" >/dev/null; echo $?)"
check "ping by the kernel" 0 "$(lab_exec proxy ping -q -c 3 -i 0.1 -W 2 -I "$KERNEL" 198.18.1.1 >/dev/null; echo $?)"
check "5 MB of TCP from the kernel" "$want" "$(from_kernel "$KERNEL")"
check "and by IPv6" "$want" "$(from_kernel '[2001:db8::20]')"
before=$(not_local)
fetch "$cucm/cucm-uds/version"
check "a request through assayd" 200 "$status"
check "the kernel has seen nothing of it" "$before" "$(not_local)"

lab_exec phone wrk -t 1 -c 8 -d 5s -s "$here/statuses.lua" "https://$LAB_PROXY:8443" -- "$cucm/cucm-uds/version" >"$work/wrk.out" 2>&1 &
wrk=$!
for _ in 1 2 3; do
    check "5 MB from the kernel, while assayd is busy" "$want" "$(from_kernel "$KERNEL")"
done
wait "$wrk"
check_above "requests meanwhile" 100 "$(sed -n 's/^status 200 //p' "$work/wrk.out")"
check "none failed" "" "$(grep -E '^status |Socket' "$work/wrk.out" | grep -v '^status 200 ')"
# Neighbours are forgotten and asked again, on both sides.
lab_exec phone ip neigh flush dev eth0
lab_exec proxy ip neigh flush dev port0
fetch "$cucm/cucm-uds/version"
check "after the phone has forgotten the MAC addresses" "200 $want" "$status $(from_kernel "$KERNEL")"

# Killed, it leaves its program behind: the next start takes that away.
kill -KILL "$assay_pid"
wait "$assay_pid" 2>/dev/null
check "the kernel's address without assayd" "$want" "$(from_kernel "$KERNEL")"
rm -f "$work/admin.sock"
assay_start
fetch "$cucm/cucm-uds/version"
check "started again" "200 $want" "$status $(from_kernel "$KERNEL")"
assay_stop
check "no program is left behind" "" "$(program)"
check "and nothing was said on the way out" "" "$(grep -iE 'program|xdp' "$work/assayd.out" | grep -v 'bpffs' | head -n 3)"
check "the kernel's address afterwards" "$want" "$(from_kernel "$KERNEL")"
e2e_end
