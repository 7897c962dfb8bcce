#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=150 parallel
#
# Each way a certificate can be wrong × {enforced, permissive, disabled} × {TLS 1.2, TLS 1.3} × {ECDSA, RSA}: the client's answer, the
# alert and the bytes at the origin, the lines S26 to S28 to the letter, and the counters. verify_matrix.py compares.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin matrix3
names="selfsigned unknown foreign missing expired notyet badsig purpose critical constraint pathlen notca revoked impostor current"

hosts=
rules=()
for name in $names; do
    for host in "$name" "$name-rsa"; do
        hosts+=" $host.steven.lab"
        for port in 8443 9443; do
            rules+=("https://$host.steven.lab:$port/,1,POST,prefix,$host")
        done
    done
done
fold -s -w 900 <<<"$hosts" | sed 's/^ */198.18.2.16 /' >"$work/hosts.more"
dns_start
lab_origin modern --listen 198.18.2.16:8443=sni --tls 1.3
lab_origin older --listen 198.18.2.16:9443=sni --tls 1.2
allow_list "${rules[@]}"
mkdir "$work/crls"
cp "$work/pki/root.crl" "$work/pki/issuing.crl" "$work/crls"
ASSAY_REVOCATION="{mode: soft-fail, crls: crls}"
ASSAY_TIMEOUTS="{origin_idle: 1s}"
assay_config
assay_start

counters() { ctl stats --json | jq -c '[.total[] | objects] | add | {verify_failed, verify_failed_chain, verify_failed_name, verify_continued}'; }

idle() { [ "$(ctl origins --json | jq '[.. | objects | .connections? | numbers] | add')" = 0 ]; }

# pass MODE: all of them once, in that mode
pass()
{
    local mode=$1 host port mark
    mark=$(log_mark)
    wc -l <"$work/modern.jsonl" >"$work/modern.mark" 2>/dev/null || echo 0 >"$work/modern.mark"
    wc -l <"$work/older.jsonl" >"$work/older.mark" 2>/dev/null || echo 0 >"$work/older.mark"
    counters >"$work/before.json"
    for host in $hosts; do
        for port in 8443 9443; do
            printf 'url = "https://%s:8443%s/lab/echo"\noutput = /dev/null\n' "$SNI" "$(mra_path "$host" "$port")"
        done
    done >"$work/curl.urls"
    lab_exec phone curl -sS --max-time 30 --cacert "$work/pki/edge-root.crt" --resolve "$SNI:8443:$LAB_PROXY" -d "a secret" \
        -w '%{http_code}\n' -K "$work/curl.urls" >"$work/codes" 2>"$work/curl.err"
    # The origin writes a connection down when it ends: the pooled ones after their second.
    until_true 5 idle
    counters >"$work/after.json"
    log_since "$mark" 'traffic_server\[[0-9]+\]: \[ET_NET 0\] (WARNING|ERROR)' >"$work/lines"
    for host in $hosts; do echo "$host 8443"; echo "$host 9443"; done | paste -d ' ' - "$work/codes" >"$work/statuses"
    python3 "$here/verify_matrix.py" "$mode" "$work" >"$work/report" || bad "verify_matrix.py: $(tail -n 3 "$work/report")"
    while IFS=$'\t' read -r what expected got; do
        check "$mode: $what" "$expected" "$got"
        [ "$checks_failed" -lt 12 ] || die "too many failures"
    done <"$work/report"
}

pass enforced
for mode in permissive disabled; do
    ASSAY_VERIFY="{mode: $mode}"
    assay_config
    ctl reload >/dev/null || bad "reload: $mode"
    pass "$mode"
done
e2e_end
