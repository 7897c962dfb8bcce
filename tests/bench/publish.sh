#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a change of trust costs a running assayd, with 10, 1,000 and 10,000 anchors in its store: from the command to its answer, until
# every core has it, and the latency of requests under ten of them a second against none. Run by scripts/bench verify.
# The core of assayd has CPU 0. Load, origin and assayd's control share CPU 1, so building stores takes time from the load: the third
# row is the same load beside a program that takes as much of CPU 1 and publishes nothing.
# usage: publish.sh [--seconds N]
set -uo pipefail

seconds=8
[ "${1:-}" != --seconds ] || seconds=$2
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
# shellcheck source=tests/bench/lab.sh
. "$(dirname "$0")/lab.sh"

# load: "p50 p99 p99.9 max", milliseconds
load()
{
    lab_exec phone taskset -c 1 wrk -t 1 -c 4 -d "${seconds}s" -s "$top/tests/bench/publish.lua" "https://$LAB_PROXY:8443$(mra_path cucm.steven.lab 8443)/cucm-uds/1k" >"$work/wrk.out" 2>&1
    grep -q ' errors 0 ' "$work/wrk.out" || die "not every request was answered: $(tail -n 3 "$work/wrk.out")"
    sed -n 's/^requests .* p50 \(.*\) p99 \(.*\) p99.9 \(.*\) max \(.*\)/\1 \2 \3 \4/p' "$work/wrk.out"
}

# changes COUNT [EVERY-MS]: trust added and removed in turn; a line each: milliseconds until the answer, and until every core had it
changes()
{
    local count=$1 every=${2:-0} i start end adopted
    local print
    print=$(cat "$work/pki/foreign-root.sha256")
    for ((i = 0; i < count; i++)); do
        start=$(date +%s%N)
        if [ $((i % 2)) = 0 ]; then
            adopted=$(ctl trust add --json "$work/pki/foreign-root.crt" | jq -r .adopted_ms)
        else
            adopted=$(ctl trust remove --json "$print" | jq -r .adopted_ms)
        fi
        end=$(date +%s%N)
        echo "$(((end - start) / 1000)) $adopted"
        [ "$every" = 0 ] || sleep "$(awk -v e="$every" -v t=$(((end - start) / 1000000)) 'BEGIN { print (e > t ? (e - t) / 1000 : 0) }')"
    done
}

# column K: the median and the largest of it
column() { cut -d ' ' -f "$1" | sort -n | awk -v d="$2" '{ v[NR] = $1 / d } END { printf "%.2f (at most %.2f)", v[int((NR + 1) / 2)], v[NR] }'; }

control_ms() { local t total=0; for t in /proc/"$assay_pid"/task/*/stat; do [ "$(cat "${t%stat}comm")" = "${1:-}" ] || total=$((total + $(awk '{ print $14 + $15 }' "$t"))); done; echo "$total"; }

e2e_begin publish
pin_network || die "receive work could not be pinned"
origin_start
printf '%-10s%-34s%-34s%s\n' anchors "command to answer, ms: median" "every core has it, ms: median" "requests, ms: p50 p99 p99.9 max"
for anchors in 10 1000 10000; do
    "$build/tests/bench/verify" --anchors "$anchors" >"$work/trust/many.pem" || die "no anchors"
    proxy_assayd
    load >/dev/null # warm
    changes 20 >"$work/times"
    quiet=$(load)
    changes $((seconds * 10)) 100 >"$work/loaded" &
    changer=$!
    busy=$(load)
    wait "$changer"
    printf '%-10s%-34s%-34s%s\n' "$anchors" "$(column 1 1000 <"$work/times")" "$(column 2 1 <"$work/times")" "$quiet   without a change"
    printf '%-10s%-34s%-34s%s\n' "" "$(column 1 1000 <"$work/loaded")" "$(column 2 1 <"$work/loaded")" "$busy   beside ten changes a second"
    proxy_stop
done
