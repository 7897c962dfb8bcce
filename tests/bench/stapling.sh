#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What stapling costs a handshake with an origin: the same requests, each over an origin connection of its own and with a full TLS 1.3
# handshake (ECDSA P-256, one intermediate), in turn
#   off       revocation is not asked for
#   asked     soft-fail, a CRL decides; the origin is asked for a response and has none
#   stapled   hard-fail, and the response does for the leaf what a CRL would
# CPU time is what CPU 0, the core's, did by /proc/stat, of two-sided requests: client side, HTTP and TCP are in it, so that the
# differences count. Run by scripts/bench verify.
# usage: stapling.sh [--seconds N] [--rounds N]
set -uo pipefail

seconds=3
rounds=3
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) seconds=${2:?} ;;
    --rounds) rounds=${2:?} ;;
    *) sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2 ;;
    esac
    shift 2
done
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
# shellcheck source=tests/bench/lab.sh
. "$(dirname "$0")/lab.sh"

e2e_begin bench-stapling
pin_network
"$here/make-revocation" "$work/pki" || die "the responses could not be made"
echo "198.18.2.17 st-good.steven.lab st-none.steven.lab" >"$work/hosts.more"
dns_start
server() { echo "server { listen 198.18.2.17:$1 ssl; $2 }"; }
{
    echo "user root; daemon off; worker_processes 1; pid $work/stapling.pid; error_log $work/stapling-error.log warn; events { worker_connections 4096; }"
    echo "http { access_log off; keepalive_timeout 0; ssl_protocols TLSv1.3; ssl_session_tickets off; ssl_session_cache off;"
    echo "root $work/www;"
    server 8443 "ssl_certificate $work/pki/stapled-none.pem; ssl_certificate_key $work/pki/stapled-none.key;"
    server 8444 "ssl_certificate $work/pki/stapled.pem; ssl_certificate_key $work/pki/stapled.key; ssl_stapling on; ssl_stapling_file $work/pki/stapled-good.ocsp;"
    echo "}"
} >"$work/stapling.conf"
mkdir "$work/www"
echo ok >"$work/www/index.html"
start stapling origin taskset -c 1 nginx -c "$work/stapling.conf" -e "$work/stapling-error.log"
until_true 10 listens origin 198.18.2.17 8444 || die "the origin did not start: $(cat "$work/stapling-error.log")"
allow_list "https://st-good.steven.lab:8444/,1,GET,prefix,good" "https://st-none.steven.lab:8443/,1,GET,prefix,none"
mkdir "$work/crls"
cp "$work/pki/root.crl" "$work/pki/issuing.crl" "$work/crls"
ASSAY_REVOCATION='{mode: "off", crls: crls}'
proxy_assayd

# The time that CPU 0 was busy so far, in ticks
busy() { awk '$1 == "cpu0" { print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }

# load NAME HOST PORT: "handshakes per second, microseconds of CPU 0 each" into $work/NAME
load()
{
    local before handshakes start took
    before=$(counter origin_handshakes) start=$(busy) took=$(date +%s%N)
    lab_exec phone taskset -c 1 wrk -t 1 -c 16 -d "${seconds}s" -s "$top/tests/bench/publish.lua" "https://$LAB_PROXY:8443$(mra_path "$2" "$3")/" >"$work/wrk.out" 2>&1
    took=$(($(date +%s%N) - took))
    grep -q ' errors 0 ' "$work/wrk.out" || die "not every request was answered: $(tail -n 3 "$work/wrk.out")"
    handshakes=$(($(counter origin_handshakes) - before))
    awk -v n="$handshakes" -v b=$(($(busy) - start)) -v t="$took" -v hz="$(getconf CLK_TCK)" \
        'BEGIN { printf "%.0f %.1f\n", n / (t / 1e9), b / hz * 1e6 / n }' >>"$work/$1"
}

mode() # MODE
{
    ASSAY_REVOCATION="{mode: \"$1\", crls: crls}"
    assay_config
    ctl reload >/dev/null || die "reload"
}

for ((i = 0; i < rounds; i++)); do
    mode off; load off st-none.steven.lab 8443
    mode soft-fail; load asked st-none.steven.lab 8443
    rm "$work/crls/issuing.crl"
    mode hard-fail; load stapled st-good.steven.lab 8444
    cp "$work/pki/issuing.crl" "$work/crls"
done
median() { cut -d ' ' -f "$2" "$work/$1" | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] " (" v[1] " to " v[NR] ")" }'; }
echo "a full handshake with an origin for each request, $rounds rounds of $seconds s:"
for name in off asked stapled; do
    printf '  %-8s %s handshakes/s, %s us of the core each\n' "$name" "$(median $name 1)" "$(median $name 2)"
done
proxy_stop
