# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by scripts/bench and tests/bench/tcp.sh: what else runs on this machine would be counted as the work of what is measured,
# and keeps a process that polls off its processor while the kernel's own TCP goes on in interrupts.

# Looks for two seconds before anything of the bench runs; warns when others use more than a tenth of the processors.
bench_warn_if_busy()
{
    local busy
    busy=$({
        awk '$1 == "cpu" { print $2 + $3 + $4 + $7 + $8, $5 + $6 }' /proc/stat
        sleep 2
        awk '$1 == "cpu" { print $2 + $3 + $4 + $7 + $8, $5 + $6 }' /proc/stat
    } | awk 'NR == 1 { b = $1; i = $2 } NR == 2 { n = $1 - b + $2 - i; print int(100 * ($1 - b) / (n > 0 ? n : 1)) }')
    [ "$busy" -le 10 ] || echo "WARNING: other programs use $busy % of this machine's processors: the figures below say little" >&2
}
