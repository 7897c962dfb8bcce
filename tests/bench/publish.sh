#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a change of trust costs a running assayd, with 10, 1,000 and 10,000 anchors in its store: from the command to its answer, until
# every core has it, and the latency of requests under ten of them a second against none. Run by scripts/bench verify.
#
# The core of assayd has CPU 0. Load, origin, assayd's control and the commands share CPU 1, so their work takes time from the load
# whatever the core does. Therefore three phases, in turn, some rounds of them:
#   quiet      the load alone
#   changes    ten changes of trust a second beside it
#   bystander  nothing is changed; a program takes as much of CPU 1 as the changes did, in as many pieces
# What a publish does to requests is the difference of the last two, as far as it is more than the rounds differ among themselves (the
# median of the rounds is printed, and the smallest and the largest). The core's own turns say it without the load's noise: how many
# took how long (what a request can be made to wait on the core), and what the adoption of a snapshot took.
# usage: publish.sh [--seconds N] [--rounds N] [--anchors "10 1000 10000"]
set -uo pipefail

seconds=4
rounds=5
sizes="10 1000 10000"
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) seconds=${2:?} ;;
    --rounds) rounds=${2:?} ;;
    --anchors) sizes=${2:?} ;;
    *) sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2 ;;
    esac
    shift 2
done
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
# shellcheck source=tests/bench/lab.sh
. "$(dirname "$0")/lab.sh"

every_ms=100

# load SECONDS: "p50 p99 p99.9 max", milliseconds
load()
{
    lab_exec phone taskset -c 1 wrk -t 1 -c 48 -d "${1}s" -s "$top/tests/bench/publish.lua" "https://$LAB_PROXY:8443$(mra_path cucm.steven.lab 8443)/cucm-uds/1k" >"$work/wrk.out" 2>&1
    grep -q ' errors 0 ' "$work/wrk.out" || die "not every request was answered: $(tail -n 3 "$work/wrk.out")"
    sed -n 's/^requests .* p50 \(.*\) p99 \(.*\) p99.9 \(.*\) max \(.*\)/\1 \2 \3 \4/p' "$work/wrk.out"
}

# change NUMBER: trust added and removed in turn; "microseconds until the answer, milliseconds until every core had it"
change()
{
    local start end
    start=$(date +%s%N)
    if [ $(($1 % 2)) = 0 ]; then
        ctl trust add --json "$work/pki/foreign-root.crt" >"$work/change.json"
    else
        ctl trust remove --json "$foreign" >"$work/change.json"
    fi
    end=$(date +%s%N)
    echo "$(((end - start) / 1000)) $(sed -n 's/.*"adopted_ms": \([0-9.e-]*\).*/\1/p' "$work/change.json")"
}

# changes COUNT: one each every_ms, a line each; at the end the processor time they took here goes to $work/spent, microseconds.
# At the end nothing is added any more.
changes()
{
    local i next
    taskset -cp 1 "$BASHPID" >/dev/null
    next=$(date +%s%N)
    for ((i = 0; i < ($1 + 1) / 2 * 2; i++)); do
        change "$i"
        next=$((next + every_ms * 1000000))
        sleep "$(awk -v t=$((next - $(date +%s%N))) 'BEGIN { print (t > 0 ? t / 1e9 : 0) }')"
    done
    times | awk '{ for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); sum += t[1] * 60 + t[2] } } END { printf "%d\n", sum * 1e6 }' >"$work/spent"
}

# What assayd's threads but its core have had of the processor so far, microseconds
control_us()
{
    local task total=0
    for task in /proc/"$assay_pid"/task/*; do
        [[ $(cat "$task/comm") == rte-worker* ]] || total=$((total + $(cut -d ' ' -f 1 "$task/schedstat") / 1000))
    done
    echo "$total"
}

# The core's long turns so far, and its adoptions: "100us 300us 1ms 3ms 10ms snapshots nanoseconds"
turns() { ctl stats --json | jq -r '.total.proxy | "\(.turns_100us) \(.turns_300us) \(.turns_1ms) \(.turns_3ms) \(.turns_10ms) \(.snapshots) \(.snapshot_ns)"'; }

# phase NAME: the load, beside what $2… does in the background; lines in $work/NAME and $work/NAME.turns
phase()
{
    local name=$1 before beside=
    shift
    before=$(turns)
    if [ $# -gt 0 ]; then
        "$@" >"$work/beside" &
        beside=$!
    fi
    load "$seconds" >>"$work/$name"
    [ -z "$beside" ] || wait "$beside"
    echo "$before $(turns)" | awk '{ for (i = 1; i <= 7; i++) printf "%d ", $(i + 7) - $i; print "" }' >>"$work/$name.turns"
}

# column FILE K DIVISOR: "the median (smallest to largest)"
column() { cut -d ' ' -f "$2" "$1" | sort -g | awk -v d="$3" '{ v[NR] = $1 / d } END { printf "%.2f (%.2f to %.2f)", v[int((NR + 1) / 2)], v[1], v[NR] }'; }

# sum FILE K
sum() { awk -v k="$2" '{ s += $k } END { print s + 0 }' "$1"; }

report()
{
    local name
    printf '%s anchors\n  a change, one at a time: answered after %s ms; every core has it after %s ms\n' "$1" "$(column "$work/alone" 1 1000)" "$(column "$work/alone" 2 1)"
    printf '  ten a second under load: answered after %s ms; every core has it after %s ms\n' "$(column "$work/loaded" 1 1000)" "$(column "$work/loaded" 2 1)"
    printf '  %-10s%-24s%-24s%-24s%-28s%s\n' "" "p50, ms" "p99, ms" "p99.9, ms" "slowest, ms" "turns of the core of 100 us, 300 us, 1 ms, 3 ms, 10 ms or more"
    for name in quiet changes bystander; do
        printf '  %-10s%-24s%-24s%-24s%-28s%s, %s, %s, %s, %s\n' "$name" "$(column "$work/$name" 1 1)" "$(column "$work/$name" 2 1)" "$(column "$work/$name" 3 1)" \
            "$(column "$work/$name" 4 1)" "$(sum "$work/$name.turns" 1)" "$(sum "$work/$name.turns" 2)" "$(sum "$work/$name.turns" 3)" "$(sum "$work/$name.turns" 4)" "$(sum "$work/$name.turns" 5)"
    done
    printf '  %s snapshots adopted, %s us each; a change takes %s ms of CPU 1\n' "$(sum "$work/changes.turns" 6)" \
        "$(awk -v n="$(sum "$work/changes.turns" 6)" -v t="$(sum "$work/changes.turns" 7)" 'BEGIN { printf "%.2f", (n > 0 ? t / n / 1000 : 0) }')" "$(column "$work/bursts" 1 1000)"
}

# The processor time of one change: of the commands, and of assayd's own threads beside the core.
round()
{
    local count=$((seconds * 1000 / every_ms)) before burst
    phase quiet
    before=$(control_us)
    phase changes changes "$count"
    cat "$work/beside" >>"$work/loaded"
    burst=$((($(cat "$work/spent") + $(control_us) - before) / $(wc -l <"$work/beside")))
    echo "$burst" >>"$work/bursts"
    phase bystander taskset -c 1 "$build/tests/bench/burn" "$burst" "$every_ms" "$count"
}

# known_chains COUNT: what a run before has left of so many chains, each of a node of its own
known_chains()
{
    local now
    now=$(date +%s)000000000
    {
        echo "# of $(realpath "$work/assay.yaml")"
        jq -cn --argjson n "$1" --argjson now "$now" --rawfile pem "$work/pki/cucm-sha256.pem" '
            ($pem | split("-----END CERTIFICATE-----\n")[:-1] | map(. + "-----END CERTIFICATE-----\n")) as $chain |
            [range($n) | {host: "node\(.).steven.lab", port: 8443, deployment: 0, address: "198.18.2.11", first_ns: $now, last_ns: $now, shown_ns: $now,
                handshakes: 1, failed_ns: 0, failures: 0, failed_reason: "OK", failed_depth: 0, certificates: $chain}]'
    } >"$work/state/assay.yaml.registry"
}

# A dry run of another policy over 1,000 chains, all of which have to be judged for it: who else asks is answered meanwhile.
dry_run()
{
    "$build/tests/bench/verify" --anchors 10 >"$work/trust/many.pem" || die "no anchors"
    proxy_assayd
    proxy_stop # the configuration is there now
    known_chains 1000
    proxy_assayd
    sed 's/^verify: .*/verify: {mode: enforced, depth_max: 7}/' "$work/assay.yaml" >"$work/other.yaml"
    "$here/../bench/ask_status.py" "$work/admin.sock" "$build/assayctl" --socket "$work/admin.sock" reload --dry-run --json "$work/other.yaml" >"$work/dry"
    ctl reload --dry-run --json "$work/other.yaml" | jq -e '.considered == 1000' >/dev/null || die "the dry run did not look at 1,000 chains"
    awk '{ printf "a dry run of another policy over 1,000 known chains: %s s; %s times status meanwhile, answered after %s ms, %s at most\n", $1, $2, $3, $4 }' "$work/dry"
    proxy_stop
    rm -f "$work/state/assay.yaml.registry"
}

# shellcheck source=tests/bench/busy.sh
. "$(dirname "$0")/busy.sh"
bench_warn_if_busy
e2e_begin publish
foreign=$(cat "$work/pki/foreign-root.sha256")
pin_network || die "receive work could not be pinned"
origin_start
for anchors in $sizes; do
    "$build/tests/bench/verify" --anchors "$anchors" >"$work/trust/many.pem" || die "no anchors"
    rm -f "$work"/{quiet,changes,bystander}{,.turns} "$work"/{alone,loaded,bursts}
    proxy_assayd
    load 2 >/dev/null # warm
    (for ((i = 0; i < 20; i++)); do change "$i"; done) >"$work/alone"
    for ((r = 0; r < rounds; r++)); do round; done
    report "$anchors"
    proxy_stop
done
dry_run
