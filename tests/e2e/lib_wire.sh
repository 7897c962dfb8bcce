# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the tests share that have the Linux kernel as the neighbour of one of our programs: sourced, not run.
#
#   wire_begin NAME        root, a namespace's name in $ns, a folder in $work; everything is taken down at the end, however it comes
#   wire_up MTU            the namespace: the kernel's peer0, 198.18.0.1/24, and port0 for the program; frames whole, with checksums
#   wire_run PROGRAM …     the program in it, in the background: $child; its output is $work/out and $work/err
#   check NAME COMMAND …   one line each; wire_end says how many, and fails if one failed. $driver, where set, stands before NAME
#
# Owner: the sourcing script. It may start more: their process numbers go into pids, their namespaces into namespaces.

# shellcheck disable=SC2034 # what is set here is for the scripts that source this
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${ASSAY_BUILD:-build}
export LSAN_OPTIONS=suppressions=$here/lsan.supp:print_suppressions=0
checks=0
failures=0
child=
driver=
pids=()
namespaces=()

wire_cleanup() {
    local pid name
    for pid in $child "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    wait 2>/dev/null
    for name in "${namespaces[@]}"; do ip netns del "$name" 2>/dev/null; done
    rm -rf "$work" "/var/run/dpdk/$ns"
}

wire_begin() { # NAME
    [ "$(id -u)" = 0 ] || { echo "$1.sh: needs root for network namespaces: skipped" >&2; exit 77; }
    ns=assay-$1-$$
    work=$(mktemp -d)
    namespaces=("$ns")
    trap wire_cleanup EXIT
    trap 'exit 1' INT TERM
}

in_ns() { ip netns exec "$ns" "$@"; }
peer() { in_ns /usr/bin/python3 "$here/tcp_peer.py" "$@"; }

wire_up() { # MTU
    ip netns add "$ns" || exit 1
    in_ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    in_ns ip link add peer0 type veth peer name port0 || exit 1
    in_ns ip address add 198.18.0.1/24 dev peer0
    in_ns ip link set lo up
    in_ns ip link set peer0 mtu "$1" up
    in_ns ip link set port0 mtu "$1" up
    # Frames whole and with their checksums: without a NIC nobody else would write them.
    in_ns ethtool -K peer0 tx off >/dev/null 2>&1
    in_ns ethtool -K port0 tx off >/dev/null 2>&1
}

wire_down() { ip netns del "$ns"; }

wire_run() { # PROGRAM ARGUMENTS…
    # not by in_ns: $! would be a shell's
    ip netns exec "$ns" "$1" --no-huge --no-pci -m 512 --no-telemetry --no-shconf --file-prefix "$ns" --lcores 0 -- "${@:2}" >"$work/out" 2>"$work/err" &
    child=$!
}

# What it said when it was told to stop; its exit code.
wire_stop() {
    local status
    kill "$child" 2>/dev/null
    wait "$child"
    status=$?
    child=
    [ "${VERBOSE:-0}" = 0 ] || cat "$work/out" >&2
    cat "$work/out" "$work/err"
    return $status
}

check() { # NAME COMMAND…
    local name=${driver:+$driver: }$1
    shift
    checks=$((checks + 1))
    if "$@" >"$work/check" 2>&1; then
        echo "ok   $name  $(grep -o '[0-9.]* s, [0-9]* MB/s' "$work/check" | head -1)"
    else
        echo "FAIL $name"
        sed 's/^/     /' "$work/check" | tail -12
        failures=$((failures + 1))
    fi
}

wait_for() { # SECONDS PATTERN [FILE]
    for _ in $(seq "$(($1 * 10))"); do
        grep -q "$2" "${3:-$work/out}" && return 0
        sleep 0.1
    done
    return 1
}

# We open, by the sourcing script's own start(), and the kernel echoes.
connects_out() { # DEVICE BYTES COUNT
    local server
    ip netns exec "$ns" /usr/bin/python3 "$here/tcp_peer.py" serve 198.18.0.1 5000 "$3" >"$work/serve" 2>&1 &
    server=$!
    pids=("$server")
    wait_for 5 serving "$work/serve"
    start "$1" 60 198.18.0.1 5000 "$2" "$3" || return 1
    wait "$child"
    local status=$?
    child=
    # A connection that did not come to its end would keep the server waiting for ever.
    [ "$(grep -c "^client sent" "$work/out")" = "$3" ] || kill "$server" 2>/dev/null
    wait "$server"
    pids=()
    cat "$work/out" "$work/err" "$work/serve"
    [ $status -eq 0 ] && [ "$(grep -c "^client sent $2 read $2 wrong 0$" "$work/out")" = "$3" ]
}

counter() { sed -n "s/^$1 //p" "$work/out" | grep . || echo 0; }

at_least() { # COUNTER N
    echo "$1 is $(counter "$1")"
    [ "$(counter "$1")" -ge "$2" ]
}

at_most() { # COUNTER N
    echo "$1 is $(counter "$1")"
    [ "$(counter "$1")" -le "$2" ]
}

wire_end() {
    echo "$((checks - failures)) of $checks"
    [ "$failures" = 0 ]
}
