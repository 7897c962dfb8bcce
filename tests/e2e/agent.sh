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
# shellcheck source=tests/e2e/lib_wire.sh
. "$(dirname "$0")/lib_wire.sh"
program=${1:-$build/tests/packet/agent/stack_agent}

wire_begin agent
wire_up 1500
in_ns sysctl -qw net.ipv6.conf.peer0.disable_ipv6=0
in_ns ip address add 2001:db8::1/64 dev peer0 nodad
ip netns exec "$ns" "$program" --interface port0 --address 198.18.0.2/24 --address 2001:db8::2/64 --socket "$work/agent.sock" >"$work/out" 2>"$work/err" &
child=$!
wait_for 10 '^ready net_af_packet'
in_ns timeout 120 /usr/bin/python3 "$here/agent_client.py" "$work/agent.sock" peer0
status=$?
kill "$child"
wait "$child" || { echo "FAIL the agent's exit code is $?"; status=1; }
child=
# What the driver holds in its rings when it closes is no leak; more would be.
[ "$(sed -n 's/^mbufs lost //p' "$work/out")" -le 64 ] || { echo "FAIL mbufs are missing"; status=1; }
[ "$status" = 0 ] || sed 's/^/     /' "$work/out" "$work/err" | tail -n 20
exit "$status"
