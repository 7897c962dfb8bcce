#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=175 long
#
# What was good is good no more while traffic runs: a CRL that lists the certificate is loaded, its CA is removed from the trust, the
# policy turns strict; and each is taken back. Over fresh, pooled and resumed connections and in the middle of a download, which
# may go on for revoke_grace. When assayctl returns, no request is answered by the origin any more; the neighbour whose certificate
# stays good does not lose one.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin revoke-load
dns_start
lab_origin modern --listen 198.18.2.16:8443=sni --listen 198.18.2.15:8443=lab --tls 1.3
lab_origin older --listen 198.18.2.16:9443=sni --tls 1.2
allow_list 'https://current.steven.lab:8443/,1,GET,prefix,modern' 'https://current.steven.lab:9443/,1,GET,prefix,older'
mkdir "$work/crls"
cp "$work/pki/root.crl" "$work/pki/issuing.crl" "$work/crls"
ASSAY_LOG_REQUESTS=off
# set_policy MODE GRACE
set_policy()
{
    ASSAY_REVOCATION="{mode: $1, crls: crls}"
    ASSAY_VERIFY="{mode: enforced, revoke_grace: 2s}"
    assay_config
}
set_policy soft-fail
assay_start
modern=$(mra_path current.steven.lab 8443)/lab older=$(mra_path current.steven.lab 9443)/lab neighbour=$(mra_path lab.steven.lab 8443)/lab

# Loads: each counts its answers by status. "close": the origin ends each connection, so that the next one resumes or is fresh.
load() # NAME CONNECTIONS TARGET
{
    lab_exec phone wrk -t 1 -c "$2" -d 60s --timeout 10s -s "$here/statuses.lua" "https://$LAB_PROXY:8443" -- "$3" >"$work/$1.wrk" 2>&1 &
    loads+=($!)
}
loads=()
load neighbour 2 "$neighbour/echo"
load pooled 2 "$modern/echo"
load resumed 1 "$modern/last"
load older 1 "$older/last"

pulls=()
pull() # NAME: a download that would take ten seconds
{
    lab_exec phone curl -sS --max-time 20 --limit-rate 400k --cacert "$work/pki/edge-root.crt" --resolve "$SNI:8443:$LAB_PROXY" \
        -o /dev/null -w '%{http_code} %{exitcode} %{time_total}\n' "https://$SNI:8443$modern/bytes/4000000" >"$work/$1.pull" 2>/dev/null &
    pulls+=($!)
    sleep 0.5
}
until_true 10 test "$(counter responses)" -gt 50
check_above "connections were resumed" 0 "$(counter origin_handshakes_resumed)"

# now_refused WHAT and now_good WHAT: on all of them, at once
now_refused()
{
    local target
    for target in "$modern/echo" "$modern/last" "$older/last"; do
        fetch "$target"
        check "$1: $(tail -c 5 <<<"$target")" "502" "$status"
    done
}
now_good()
{
    local target
    for target in "$modern/echo" "$modern/last" "$older/last"; do
        fetch "$target"
        check "$1: $(tail -c 5 <<<"$target")" "200" "$status"
    done
}
# ended NAME: the download ended by itself, after the grace and not much later
ended()
{
    wait "${pulls[-1]}"
    check_match "$1: the download was cut" '^200 (18|56|92) ' "$(cat "$work/$1.pull")"
    check_above "$1: not before the grace" 2 "$(awk '{ print $3 }' "$work/$1.pull")"
    check_below "$1: and not long after it" 6 "$(awk '{ print $3 }' "$work/$1.pull")"
}

now_good "before"
(cd "$work/pki" && rm -rf ca.db && mkdir ca.db && echo 99 >ca.db/number &&
    printf 'R\t480101000000Z\t%s,keyCompromise\t%s\tunknown\t/CN=current\n' "$(date -u +%y%m%d%H%M%SZ)" "$(openssl x509 -in current.crt -noout -serial | sed 's/.*=//')" >ca.db/index &&
    printf '%s\n' '[ca]' 'default_ca = a' '[a]' 'database = ca.db/index' 'crlnumber = ca.db/number' 'default_md = sha256' >ca.cnf &&
    openssl ca -gencrl -config ca.cnf -cert issuing.crt -keyfile issuing.key -crldays 1 -out ../crls/newer.crl 2>/dev/null) || die "no CRL"
pull crl
ctl reload >/dev/null || bad "reload"
now_refused "a CRL lists it"
ended crl
rm "$work/crls/newer.crl"
ctl reload >/dev/null || bad "reload"
now_good "the CRL is taken back"

ctl trust add --role anchor "$work/pki/issuing.crt" >/dev/null || bad "trust add"
ctl trust remove "$(cat "$work/pki/issuing.sha256")" >/dev/null || bad "trust remove"
now_good "an anchor comes and goes, the path by the root stands"
rm "$work/crls/root.crl"
ctl reload >/dev/null || bad "reload"
now_good "soft-fail, and no list of the root"
pull policy
ASSAY_MORE='origins: [{hosts: current.steven.lab, verify: {revocation: hard-fail}}]'
assay_config
ctl reload >/dev/null || bad "reload"
now_refused "hard-fail for this origin, and no list of the root"
ended policy
cp "$work/pki/root.crl" "$work/crls"
ctl reload >/dev/null || bad "reload"
now_good "the list is there"
set_policy off
ctl reload >/dev/null || bad "reload"
now_good "off"

sleep 1
for pid in "${loads[@]}"; do
    kill -INT $(pgrep -P "$pid") 2>/dev/null || kill -INT "$pid"
done
wait "${loads[@]}"
others() { grep -E '^status ' "$work/$1.wrk" | grep -vE "^status ($2) " | tr '\n' ' '; }
status_count() { sed -n "s/^status $2 //p" "$work/$1.wrk" | grep . || echo 0; }
check_above "the neighbour's requests" 100 "$(status_count neighbour 200)"
check "all of them 200" "" "$(others neighbour 200)"
for name in pooled resumed older; do
    check_above "$name: 200" 20 "$(status_count $name 200)"
    check_above "$name: 502" 5 "$(status_count $name 502)"
    check "$name: nothing else" "" "$(others $name '200|502')"
    check "$name: socket errors" "" "$(sed -n 's/.*Socket errors: //p' "$work/$name.wrk")"
done
check_above "requests in flight were ended" 1 "$(counter verify_revoked_in_flight)"
e2e_end
