#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=150 parallel
# tests/packet/agent, through every call of its protocol, with the Linux kernel and packets made by hand as its peers:
#
#   namespace assay-agent-PID
#   +------------------------------------------------+
#   |  kernel, agent_client.py       stack_agent     |      198.18.0.1/24, 2001:db8::1/64 (kernel)
#   |  peer0 ----------------------- port0           |      198.18.0.2,    2001:db8::2    (stack_agent)
#   +------------------------------------------------+
#
# usage: agent.sh [PATH-TO-stack_agent]      (root)
set -u
program=${1:-${ASSAY_BUILD:-build}/tests/packet/agent/stack_agent}
here=$(cd "$(dirname "$0")" && pwd)
ns=assay-agent-$$
work=$(mktemp -d)
child=

cleanup() {
    [ -z "$child" ] || kill "$child" 2>/dev/null
    wait 2>/dev/null
    ip netns del "$ns" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

in_ns() { ip netns exec "$ns" "$@"; }

[ "$(id -u)" = 0 ] || { echo "agent.sh: needs root for network namespaces: skipped" >&2; exit 77; }
ip netns add "$ns" || exit 1
in_ns ip link add peer0 type veth peer name port0 || exit 1
in_ns sysctl -qw net.ipv6.conf.port0.disable_ipv6=1
in_ns ip address add 198.18.0.1/24 dev peer0
in_ns ip address add 2001:db8::1/64 dev peer0 nodad
in_ns ip link set lo up
in_ns ip link set peer0 up
in_ns ip link set port0 up
in_ns ethtool -K peer0 tx off >/dev/null 2>&1
in_ns ethtool -K port0 tx off >/dev/null 2>&1
ip netns exec "$ns" "$program" --interface port0 --address 198.18.0.2/24 --address 2001:db8::2/64 --socket "$work/agent.sock" >"$work/out" 2>"$work/err" &
child=$!
for _ in $(seq 100); do
    grep -q '^ready net_af_packet' "$work/out" && break
    sleep 0.1
done
in_ns timeout 120 /usr/bin/python3 "$here/agent_client.py" "$work/agent.sock" peer0
status=$?
kill "$child"
wait "$child" || { echo "FAIL the agent's exit code is $?"; status=1; }
child=
# What the driver holds in its rings when it closes is no leak; more would be.
[ "$(sed -n 's/^mbufs lost //p' "$work/out")" -le 64 ] || { echo "FAIL mbufs are missing"; status=1; }
[ "$status" = 0 ] || sed 's/^/     /' "$work/out" "$work/err" | tail -n 20
exit "$status"
