#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Goodput of tcp/ against Linux's over the same path, at several losses and delays, both ways:
#
#   namespace cli              namespace mid (wire.c)               namespace krn
#   +-----------------+       +----------------------------+       +------------------------+
#   | kernel TCP      |       |          .---- to_krn -----|-------| kernel TCP             |
#   | flow get / put  |-------|- to_cli -+                 |       | flow serve 198.18.0.3  |
#   | 198.18.0.1      |       |          '---- to_our -----|--.    +------------------------+
#   +-----------------+       +----------------------------+  |    namespace our
#                                                             |    +------------------------+
#                                                             '----| tcp_peer (DPDK port)   |
#                                                                  | 198.18.0.2             |
#                                                                  +------------------------+
# The client is the kernel's in both cases, so a row compares our sender with the kernel's ("from the server"), and our receiver
# with the kernel's ("to the server"), at the other end of the same path, with the same seeds, CUBIC and the same buffers. Loss
# hits both directions, ACKs too; the delay is the round trip's. The server under test has CPU 0 (its process, and the kernel's
# receive work of its namespace), the path and the client share CPU 1.
set -uo pipefail

usage()
{
    cat <<'TEXT'
usage: scripts/bench tcp [--seconds N] [--rounds N] [--rounds-max N] [--rate MBIT] [--queue BYTES] [--losses "PPM..."] [--delays "US..."]
                         [--reorder PPM] [--duplicate PPM] [--buffer BYTES]

  --seconds N   of each run (2)
  --rounds N    at least so many pairs of runs for each figure, Linux and assay in turn with the same seed (3)
  --rounds-max N  as long as the ratio is not known to 5 %, up to so many (6)
  --rate MBIT   of the path, each way; 0: no limit (1000)
  --queue BYTES that wait for the rate (1000000)
  --losses      packets in a million ("0 1000 10000 30000 100000")
  --delays      round trips in microseconds ("0 20000")
  --reorder, --duplicate  packets in a million; late by up to 5 ms (0)
  --buffer      send and receive buffer of every end, in bytes (4194304)
A ratio is the geometric mean of its pairs, "±" its standard error in per cent. Fails where a ratio is below 0.9 by more than two
of those: chance does not explain it.
ASSAY_BUILD names the build folder (./build); it must be a release build without sanitizers.
TEXT
}

seconds=2
rounds=3
rounds_max=6
rate=1000
queue=1000000
losses="0 1000 10000 30000 100000"
delays="0 20000"
reorder=0
duplicate=0
buffer=4194304
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) seconds=${2:?} ;;
    --rounds) rounds=${2:?} ;;
    --rounds-max) rounds_max=${2:?} ;;
    --rate) rate=${2:?} ;;
    --queue) queue=${2:?} ;;
    --losses) losses=${2:?} ;;
    --delays) delays=${2:?} ;;
    --reorder) reorder=${2:?} ;;
    --duplicate) duplicate=${2:?} ;;
    --buffer) buffer=${2:?} ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift 2
done

home=$(cd "$(dirname "$0")/../.." && pwd)
build=${ASSAY_BUILD:-$home/build}
tag=assay-bench-$$
work=$(mktemp -d)
pids=()

die()
{
    echo "bench tcp: $*" >&2
    exit 1
}

cleanup()
{
    local pid ns
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    wait 2>/dev/null
    for ns in cli mid krn our; do ip netns del "$tag-$ns" 2>/dev/null; done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

[ "$(id -u)" = 0 ] || die "must be root (network namespaces)"
[ "$(nproc)" -ge 2 ] || die "two processors are needed: one for the server under test, one for the path and the client"
for program in tests/bench/wire tests/bench/flow tests/e2e/tcp_peer; do
    [ -x "$build/$program" ] || die "$build/$program is missing: build first"
done

in_ns() { ip netns exec "$tag-$1" "${@:2}"; }

wait_for() # SECONDS PATTERN FILE
{
    local i
    for ((i = 0; i < $1 * 50; i++)); do
        grep -q "$2" "$3" 2>/dev/null && return 0
        sleep 0.02
    done
    return 1
}

join() # NAMESPACE INTERFACE END-IN-MID
{
    ip link add "$2" netns "$tag-$1" type veth peer name "$3" netns "$tag-mid" || die "no veth"
    in_ns "$1" ethtool -K "$2" tx off >/dev/null 2>&1
    in_ns mid ethtool -K "$3" tx off >/dev/null 2>&1
    in_ns "$1" ip link set "$2" txqueuelen 10000 up
    in_ns mid ip link set "$3" txqueuelen 10000 up
}

# rps WHERE INTERFACE MASK: on which CPUs the kernel's receive work of that interface runs
rps() { in_ns "$1" sh -c "echo $3 >/sys/class/net/$2/queues/rx-0/rps_cpus" || die "no RPS for $2"; }

lab_up()
{
    local ns
    for ns in cli mid krn our; do
        ip netns add "$tag-$ns" || die "no namespace"
        in_ns "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    done
    join cli eth0 to_cli
    join krn eth0 to_krn
    join our port0 to_our
    for ns in cli krn; do
        in_ns "$ns" sysctl -qw net.ipv4.tcp_no_metrics_save=1 \
            "net.ipv4.tcp_rmem=4096 131072 $buffer" "net.ipv4.tcp_wmem=4096 65536 $buffer" || die "sysctl"
        in_ns "$ns" ip link set lo up
    done
    rps krn eth0 1
    rps our port0 1
    rps cli eth0 2
    rps mid to_cli 2
    in_ns cli ip address add 198.18.0.1/24 dev eth0
    in_ns krn ip address add 198.18.0.3/24 dev eth0
}

servers_up()
{
    ip netns exec "$tag-krn" taskset -c 0 "$build/tests/bench/flow" serve 198.18.0.3 >"$work/krn" 2>&1 &
    pids+=($!)
    wait_for 5 ready "$work/krn" || die "flow serve: $(cat "$work/krn")"
    ip netns exec "$tag-our" taskset -c 0 "$build/tests/e2e/tcp_peer" --no-huge --no-pci -m 512 --no-telemetry --no-shconf --file-prefix "$tag" --lcores 0 -- \
        --buffer "$buffer" --polls 5000 net_af_packet0,iface=port0,qdisc_bypass=1 198.18.0.2/24 3600 >"$work/our" 2>&1 &
    pids+=($!)
    our_pid=$!
    wait_for 20 '^ready' "$work/our" || die "tcp_peer: $(tail -n 3 "$work/our")"
}

# run SERVER(krn|our) DIRECTION(get|put) LOSS DELAY SEED: prints Mbit/s
run()
{
    local address=198.18.0.3 wire figure
    [ "$1" = krn ] || address=198.18.0.2
    ip netns exec "$tag-mid" taskset -c 1 "$build/tests/bench/wire" to_cli "to_$1" --loss "$3" --delay $(($4 / 2)) --seed "$5" --rate $((rate * 1000)) \
        --queue "$queue" --reorder "$reorder" --duplicate "$duplicate" --jitter 5000 >"$work/wire" 2>&1 &
    wire=$!
    wait_for 5 ready "$work/wire" || die "wire: $(cat "$work/wire")"
    figure=$(in_ns cli taskset -c 1 timeout 60 "$build/tests/bench/flow" "$2" "$address" "$seconds" 2>"$work/flow") ||
        figure="0 1"
    # What the end of a run leaves behind must not meet the next one.
    sleep 0.05
    kill "$wire"
    wait "$wire" 2>/dev/null
    [ "$figure" != "0 1" ] || echo "bench tcp: $1 $2 loss $3 delay $4 seed $5: $(cat "$work/flow")" >&2
    [ -z "${VERBOSE:-}" ] || echo "$1 $2 loss $3 delay $4 seed $5: $figure; $(grep from "$work/wire" | tr '\n' ';')" >&2
    awk '{ printf "%.2f\n", $1 * 8 / $2 }' <<<"$figure"
}

# Of the pairs in $work/pairs ("KRN OUR" a line): geometric means, that of their ratio, and its standard error in per cent. A run
# in which nothing arrived counts as 10 kbit/s; one pair alone says nothing.
judge()
{
    awk '{ k = log($1 > 0.01 ? $1 : 0.01); o = log($2 > 0.01 ? $2 : 0.01); r = o - k; ks += k; os += o; s += r; q += r * r; n++ }
        END { v = n > 1 ? (q - s * s / n) / (n - 1) : 0; e = sqrt((v > 0 ? v : 0) / n)
              printf "%.2f %.2f %.2f %.0f\n", exp(ks / n), exp(os / n), exp(s / n), (n > 1 ? 100 * (exp(e) - 1) : 100) }' "$work/pairs"
}

# cell DIRECTION LOSS DELAY: sets krn, our, ratio, error. The two servers in turn, so that what else the machine does hits both.
cell()
{
    local round
    : >"$work/pairs"
    for ((round = 1; round <= rounds_max; round++)); do
        run krn "$1" "$2" "$3" "$round" >"$work/figure.krn"
        run our "$1" "$2" "$3" "$round" >"$work/figure.our"
        paste "$work/figure.krn" "$work/figure.our" >>"$work/pairs"
        read -r krn our ratio error < <(judge)
        [ "$round" -lt "$rounds" ] || [ "$error" -gt 5 ] || break
    done
}

# shellcheck source=tests/bench/busy.sh
. "$home/tests/bench/busy.sh"
bench_warn_if_busy
lab_up
servers_up
[ "$rounds_max" -ge "$rounds" ] || rounds_max=$rounds
echo "$(uname -r); CUBIC; path $rate Mbit/s, queue $queue bytes; buffers $buffer bytes at every end; Mbit/s, $rounds to $rounds_max pairs of $seconds s"
printf '%-16s%12s%12s%8s%6s   %12s%12s%8s%6s\n' "loss, round trip" "Linux sends" "assay sends" ratio ± "to Linux" "to assay" ratio ±
worst=
failed=0
for delay in $delays; do
    for loss in $losses; do
        line=$(printf '%-16s' "$(awk -v l="$loss" -v d="$delay" 'BEGIN { printf "%g %%, %g ms", l / 10000, d / 1000 }')")
        for direction in get put; do
            cell "$direction" "$loss" "$delay"
            line+=$(printf '%12s%12s%8s%4s %%   ' "$krn" "$our" "$ratio" "$error")
            worst=$(printf '%s\n' $worst "$ratio" | sort -n | head -n 1)
            awk -v r="$ratio" -v e="$error" 'BEGIN { exit !(r * (1 + e / 100) ^ 2 < 0.9) }' && failed=$((failed + 1))
        done
        echo "$line"
    done
done
echo "worst ratio $worst (wanted: 0.9); below it beyond chance: $failed"
kill "$our_pid"
wait "$our_pid" 2>/dev/null
[ -z "${VERBOSE:-}" ] || cat "$work/our" >&2
[ "$failed" = 0 ]
