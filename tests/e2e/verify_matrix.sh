#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=240 parallel
#
# Each way a certificate can be wrong, so that every reason of dataplane/x509/reason.def that an origin can provoke is there, × {enforced,
# permissive, disabled} × {TLS 1.2, TLS 1.3} × {ECDSA, RSA}: the client's answer, the alert and the bytes at the origin, the lines
# S26 to S28 to the letter, and the counters. The table is in verify_matrix.py, the certificates are make-faults'.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin matrix3
"$here/make-faults" "$work/pki" || die "the certificates could not be made"
python3 "$here/verify_matrix.py" endpoints >"$work/endpoints" || die "no table"

report() # WHAT: checks what verify_matrix.py says in "what<TAB>expected<TAB>got" lines
{
    while IFS=$'\t' read -r what expected got; do
        check "$1: $what" "$expected" "$got"
        [ "$checks_failed" -lt 12 ] || die "too many failures"
    done <"$work/report"
}
python3 "$here/verify_matrix.py" coverage "$top/dataplane/x509/reason.def" >"$work/report" || die "verify_matrix.py: $(tail -n 3 "$work/report")"
report reason.def

# --- the origins -----------------------------------------------------------------------------------------------------------------
awk '{ hosts[$4] = hosts[$4] " " $1 } END { for (a in hosts) print a, hosts[a] }' "$work/endpoints" |
    while read -r address hosts; do tr ' ' '\n' <<<"$hosts" | sort -u | xargs -n 20 echo "$address"; done >"$work/hosts.more"
echo "198.18.2.17 nocertificate.steven.lab" >>"$work/hosts.more"
dns_start
lab_origin modern --listen 198.18.2.16:8443=sni --tls 1.3
lab_origin older --listen 198.18.2.16:9443=sni --tls 1.2
start nocertificate origin "$here/no_certificate.py" 198.18.2.17 7443
{
    cat <<CONF
user root; worker_processes 1; daemon off; pid $work/nginx.pid; error_log $work/stapling.errors info;
events { worker_connections 512; }
http {
    log_format matrix '\$server_port \$ssl_server_name \$request_length';
    access_log $work/stapling.access matrix;
    client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi; uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
CONF
    while read -r host port version address staple; do
        [ "$staple" != - ] || continue
        name=${host%%.*}
        [ "$staple" = none ] && staple= || staple="ssl_stapling on; ssl_stapling_file $work/pki/$name.ocsp;"
        echo "    server { listen $address:$port ssl; ssl_protocols $version; ssl_certificate $work/pki/$name.pem;"
        echo "        ssl_certificate_key $work/pki/$name.key; $staple location / { return 200 \"ok\\n\"; } }"
        last=$port
    done <"$work/endpoints"
    echo "}"
    echo "$last" >"$work/last"
} >"$work/nginx.conf"
start nginx origin nginx -c "$work/nginx.conf" -e "$work/stapling.errors"
until_true 10 listens origin 198.18.2.17 "$(cat "$work/last")" || die "nginx did not start: $(tail -n 3 "$work/nginx.out" "$work/stapling.errors")"
until_true 10 listens origin 198.18.2.17 7443 || die "no_certificate.py did not start: $(cat "$work/nocertificate.out")"

# --- assayd ----------------------------------------------------------------------------------------------------------------------
mapfile -t rules < <(awk '{ print "https://" $1 ":" $2 "/,1,POST,prefix," $1 }' "$work/endpoints")
allow_list "${rules[@]}" "https://nocertificate.steven.lab:7443/,1,POST,prefix,none"
mkdir "$work/crls"
cp "$work/pki/root-faults.crl" "$work/pki/issuing.crl" "$work/pki/stale-ca.crl" "$work/crls"
ASSAY_REVOCATION="{mode: soft-fail, crls: crls}"
ASSAY_TIMEOUTS="{origin_idle: 1s}"
ASSAY_MORE="origins:
$(python3 "$here/verify_matrix.py" origins)"
assay_config
assay_start

counters() { ctl stats --json | jq -c '[.total[] | objects] | add | with_entries(select(.key | test("^verify|^staples$")))'; }
idle() { [ "$(ctl origins --json | jq '[.. | objects | .connections? | numbers] | add')" = 0 ]; }
marks()
{
    local name
    for name in modern.jsonl older.jsonl stapling.access stapling.errors; do wc -l <"$work/$name" >"$work/$name.mark"; done
}

# pass MODE: all of them once, in that mode
pass()
{
    local mode=$1 mark
    mark=$(log_mark)
    marks
    counters >"$work/before.json"
    while read -r host port _; do
        printf 'url = "https://%s:8443%s/lab/echo"\noutput = /dev/null\n' "$SNI" "$(mra_path "$host" "$port")"
    done <"$work/endpoints" >"$work/curl.urls"
    lab_exec phone curl -sS --max-time 60 --cacert "$work/pki/edge-root.crt" --resolve "$SNI:8443:$LAB_PROXY" -d "a secret" \
        -w '%{http_code}\n' -K "$work/curl.urls" >"$work/codes" 2>"$work/curl.err"
    # The origin writes a connection down when it ends: the pooled ones after their second.
    until_true 5 idle
    counters >"$work/after.json"
    log_since "$mark" 'traffic_server\[[0-9]+\]: \[ET_NET 0\] (WARNING|ERROR)' >"$work/lines"
    cut -d ' ' -f 1,2 "$work/endpoints" | paste -d ' ' - "$work/codes" >"$work/statuses"
    python3 "$here/verify_matrix.py" pass "$mode" "$work" >"$work/report" 2>&1 || bad "verify_matrix.py: $(tail -n 3 "$work/report")"
    report "$mode"
}

# An origin without a certificate (verify_matrix.py: APART): where nothing is enforced, TLS itself has no key to go on with.
no_certificate()
{
    local mode=$1 before wanted host=nocertificate.steven.lab
    before=$(counters)
    : >"$work/nocertificate.out"
    mark=$(log_mark)
    fetch "$(mra_path $host 7443)/" -d "a secret"
    check "$mode: no certificate" "502 connect failed" "$status $reason"
    until_true 3 test -s "$work/nocertificate.out"
    check "$mode: no certificate: one connection, the alert" "alert 2 42" "$(cat "$work/nocertificate.out")"
    log_wait "$mark" 'ERROR: SSL' >/dev/null
    wanted="ERROR: SSL connection failed for '$host': error:1416F00D:SSL routines:tls_process_server_certificate:malformed certificate or no proof of its key"
    [ "$mode" != enforced ] ||
        wanted="WARNING: Core server certificate verification failed for ($host). Action=Terminate Error=no certificate presented server=$host(198.18.2.17) depth=0
ERROR: SSL connection failed for '$host': error:1416F086:SSL routines:tls_process_server_certificate:certificate verify failed"
    check "$mode: no certificate: lines" "$wanted" "$(log_since "$mark" 'WARNING|ERROR' | sed 's/^.*\[ET_NET 0\] //')"
    check "$mode: no certificate: refused, by the chain, by the name" "$([ "$mode" = enforced ] && echo 1 1 0 || echo 0 0 0)" \
        "$(counters | jq -r --argjson b "$before" '"\(.verify_failed - $b.verify_failed) \(.verify_failed_chain - $b.verify_failed_chain) \(.verify_failed_name - $b.verify_failed_name)"')"
}

pass enforced
no_certificate enforced
for mode in permissive disabled; do
    ASSAY_VERIFY="{mode: $mode}"
    assay_config
    ctl reload >/dev/null || bad "reload: $mode"
    pass "$mode"
    no_certificate "$mode"
done
e2e_end
