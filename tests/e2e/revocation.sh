#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=120 parallel
#
# Revocation lists: a revoked certificate on a pooled connection and on a new one, no list, an expired one, a broken one; hard-fail,
# soft-fail and off. The client's answer, the alert at the origin, the line.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin revocation
origins_start
lab_origin modern --listen 198.18.2.16:8443=sni --tls 1.3
rules=()
for name in revoked current missing; do
    rules+=("https://$name.steven.lab:8443/,1,\"GET,POST\",prefix,$name")
done
allow_list "${rules[@]}"
mkdir "$work/crls"
cp "$work/pki/root.crl" "$work/pki/issuing.crl" "$work/crls"
assay_config
assay_start
ctl trust add "$work/pki/missing-ca.crt" >/dev/null || bad "trust add"

# mode MODE: reloads with it
mode()
{
    ASSAY_REVOCATION="{mode: $1, crls: crls}"
    assay_config
    ctl reload >/dev/null || bad "reload: $1"
}
rows() { jq -cs --arg n "$1.steven.lab" 'map(select(.sni == $n and .handshake == "failed"))' "$work/modern.jsonl"; }

# refused NAME ALERT ERROR
refused()
{
    local mark
    mark=$(log_mark)
    fetch "$(mra_path "$1.steven.lab" 8443)/lab/echo" -d "a secret"
    check "$1: the client gets" "502 connect failed" "$status $reason"
    check_match "$1: S26" "WARNING: Core server certificate verification failed for \($1\.steven\.lab\)\. Action=Terminate Error=$3 server=$1\.steven\.lab\(198\.18\.2\.16\) depth=0\$" \
        "$(log_wait "$mark" 'verification failed' | tail -n 1)"
    until_true 3 test "$(rows "$1")" != "[]"
    check "$1: the origin saw the alert and no request" "$2 0" "$(rows "$1" | jq -r '"\(.[-1].alert) \(map(.request_bytes) | add)"')"
}
passes()
{
    fetch "$(mra_path "$1.steven.lab" 8443)/lab/echo"
    check "$1, $2" 200 "$status"
}

for name in revoked current missing; do passes "$name" "nobody asks"; done
mode hard-fail
refused revoked sslv3_alert_certificate_revoked 'certificate revoked'
passes current "hard-fail, not on the list"
refused missing sslv3_alert_certificate_unknown 'unable to get certificate CRL'

echo broken >"$work/crls/broken.crl"
ctl reload >"$work/reload.out" 2>&1 && bad "a broken list was taken"
check_match "a broken list is refused by name" 'crls/broken\.crl: holds no CRL' "$(cat "$work/reload.out")"
passes current "with the lists that were there"
rm "$work/crls/broken.crl"

cp "$work/pki/issuing-old.crl" "$work/crls/issuing.crl"
mode hard-fail
refused current sslv3_alert_certificate_unknown 'CRL has expired'
mark=$(log_mark)
mode soft-fail
passes current "soft-fail, an expired list"
check_match "and says so" 'WARNING: Weak core server certificate accepted for \(current\.steven\.lab\)\. Reason=revocation status unknown server=current\.steven\.lab\(198\.18\.2\.16\)$' \
    "$(log_wait "$mark" 'Weak core' | tail -n 1)"
check_above "and is counted" 0 "$(counter verify_no_status)"
passes missing "soft-fail, no list"
cp "$work/pki/issuing.crl" "$work/crls/issuing.crl"
mode soft-fail
refused revoked sslv3_alert_certificate_revoked 'certificate revoked'
mode off
passes revoked "off"
e2e_end
