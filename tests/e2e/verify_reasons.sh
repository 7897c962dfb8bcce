#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=170 parallel
#
# Each way an origin's certificate can be wrong, over TLS 1.3 and 1.2: the client's 502, the alert at the origin, not one byte of
# the request there, one attempt, and MRA's lines S26 to S28 to the letter. Then the switches: off, on, properties, trust.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin verify
origins_start
lab_origin modern --listen 198.18.2.16:8443=sni --listen 198.18.2.14:8443=impostor --tls 1.3
lab_origin older --listen 198.18.2.16:9443=sni --listen 198.18.2.14:9443=impostor --tls 1.2
names="selfsigned unknown foreign missing expired notyet badsig purpose critical constraint pathlen notca weakkey"
rules=()
for name in $names unity2; do
    for port in 8443 9443; do
        rules+=("https://$name.steven.lab:$port/,1,\"GET,POST\",prefix,$name")
    done
done
rules+=("https://cucm.steven.lab:7443/,1,GET,prefix,refuses our certificate" "https://cucm.steven.lab:7444/,1,GET,prefix,refuses our certificate")
allow_list "${rules[@]}"
ASSAY_NODES="  - {address: cucm.steven.lab, type: cucm}
  - {address: 198.18.2.11, type: cucm}"
assay_config
assay_start

ts='^[0-9-]{10}T[0-9:]{8}\.[0-9]{3}[+-][0-9]{2}:[0-9]{2} [^ ]+ traffic_server\[[0-9]+\]: '
s28() { echo "${ts}\[ET_NET 0\] ERROR: SSL connection failed for '$1': error:1416F086:SSL routines:tls_process_server_certificate:certificate verify failed\$"; }
# record VERSION NAME: the origin's rows of connections with that SNI
record() { jq -cs --arg n "$2.steven.lab" 'map(select(.sni == $n))' "$work/$1.jsonl"; }

# refused NAME ALERT ERROR-TEXTS DEPTH: over both versions
refused()
{
    local name=$1 alert=$2 error=$3 depth=$4 version port mark rows lines
    for version in modern older; do
        [ "$version" = modern ] && port=8443 || port=9443
        mark=$(log_mark)
        fetch "$(mra_path "$name.steven.lab" "$port")/lab/echo" -d "a secret"
        check "$name, $version: the client gets" "502 connect failed" "$status $reason"
        log_wait "$mark" 'ERROR: SSL' >/dev/null
        lines=$(log_since "$mark" 'WARNING|ERROR')
        check "$name, $version: S26" 1 "$(grep -cE "${ts}\[ET_NET 0\] WARNING: Core server certificate verification failed for \($name\.steven\.lab\)\. Action=Terminate Error=($error) server=$name\.steven\.lab\(198\.18\.2\.16\) depth=$depth\$" <<<"$lines")"
        check "$name, $version: S28" 1 "$(grep -cE "$(s28 "$name\.steven\.lab")" <<<"$lines")"
        until_true 3 test "$(record "$version" "$name")" != "[]"
        rows=$(record "$version" "$name")
        check "$name, $version: the origin saw one handshake, its alert, no request" "1 failed $alert 0" \
            "$(jq -r '"\(length) \(.[0].handshake) \(.[0].alert) \(map(.request_bytes) | add)"' <<<"$rows")"
        [ "$checks_failed" -lt 12 ] || die "too many failures"
    done
}

refused selfsigned tlsv1_alert_unknown_ca 'self signed certificate' 0
refused unknown tlsv1_alert_unknown_ca 'unable to get local issuer certificate' 1
refused foreign tlsv1_alert_unknown_ca 'self signed certificate in certificate chain' 2
refused missing tlsv1_alert_unknown_ca 'unable to get local issuer certificate' 0
refused expired sslv3_alert_certificate_expired 'certificate has expired' 0
refused notyet sslv3_alert_certificate_expired 'certificate is not yet valid' 0
refused badsig sslv3_alert_bad_certificate 'certificate signature failure' 0
refused purpose sslv3_alert_unsupported_certificate 'unsupported certificate purpose' 0
refused critical sslv3_alert_unsupported_certificate 'unhandled critical extension' 0
refused constraint sslv3_alert_bad_certificate 'permitted subtree violation' 0
refused pathlen tlsv1_alert_unknown_ca 'path length constraint exceeded' 2
refused notca tlsv1_alert_unknown_ca 'invalid CA certificate|key usage does not include certificate signing' 1

# --- the name --------------------------------------------------------------------------------------------------------------
mark=$(log_mark)
fetch "$(mra_path unity2.steven.lab 8443)/lab/echo"
check "an impostor: the client gets" "502 connect failed" "$status $reason"
log_wait "$mark" 'ERROR: SSL' >/dev/null
check "an impostor: S27" 1 "$(log_since "$mark" "${ts}\[ET_NET 0\] WARNING: SNI \(unity2\.steven\.lab\) not in certificate\. Action=Terminate server=unity2\.steven\.lab\(198\.18\.2\.14\)\$" | wc -l)"
check "an impostor: S28" 1 "$(log_since "$mark" "$(s28 'unity2\.steven\.lab')" | wc -l)"
check "an impostor: alert and bytes" "sslv3_alert_bad_certificate 0" "$(record modern unity2 | jq -r '"\(.[0].alert) \(map(.request_bytes) | add)"')"
mark=$(log_mark)
fetch "$(mra_path 198.18.2.11 8443)/cucm-uds/version"
check "by address: the client gets" "502 connect failed" "$status $reason"
log_wait "$mark" 'ERROR: SSL' >/dev/null
check "by address: S27" 1 "$(log_since "$mark" "${ts}\[ET_NET 0\] WARNING: SNI \(198\.18\.2\.11\) not in certificate\. Action=Terminate server=198\.18\.2\.11\(198\.18\.2\.11\)\$" | wc -l)"
check "by address: S28" 1 "$(log_since "$mark" "$(s28 '198\.18\.2\.11')" | wc -l)"
fetch "$(mra_path 198.18.2.11 6972)/CSFemusk.cnf.xml"
log_wait "$mark" 'failed for \(198' >/dev/null
check "by address and self-signed: S26" 1 "$(log_since "$mark" "${ts}\[ET_NET 0\] WARNING: Core server certificate verification failed for \(198\.18\.2\.11\)\. Action=Terminate Error=self signed certificate server=198\.18\.2\.11\(198\.18\.2\.11\) depth=0\$" | wc -l)"
cucm_serves ip
origins_reload
fetch "$(mra_path 198.18.2.11 8443)/cucm-uds/version"
check "by address, an iPAddress SAN" 200 "$status"
cucm_serves sha1
origins_reload
fetch "$(mra_path cucm.steven.lab 8443)/cucm-uds/version"
check "SHA-1 in the chain is accepted (S12, S33)" 200 "$status"
mark=$(log_mark)
fetch "$(mra_path weakkey.steven.lab 8443)/lab/echo"
check "RSA below 2048 is accepted (S33)" 200 "$status"
check_above "and counted" 1 "$(counter verify_weak)"

# --- the origin refuses our certificate --------------------------------------------------------------------------------------
for version in tls1_3:7443 tls1_2:7444; do
    start "strict-$version" origin openssl s_server -accept "198.18.2.11:${version#*:}" "-${version%:*}" -cert "$work/pki/cucm-sha256.crt" -cert_chain "$work/pki/issuing.crt" \
        -key "$work/pki/cucm-sha256.key" -Verify 3 -verify_return_error -CAfile "$work/pki/foreign-root.crt" -www -quiet
    until_true 5 listens origin 198.18.2.11 "${version#*:}"
    mark=$(log_mark)
    fetch "$(mra_path cucm.steven.lab "${version#*:}")/x"
    check "an origin that refuses our certificate, ${version%:*}" "502 connect failed" "$status $reason"
    check_match "the log names its alert" "SSL connection failed for 'cucm\.steven\.lab': error:14094418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca" "$(log_wait "$mark" 'ERROR: SSL' | tail -n 1)"
done

# --- the switches --------------------------------------------------------------------------------------------------------------
ctl set verify off >/dev/null || bad "set verify off"
for name in selfsigned expired badsig unity2 pathlen; do
    mark=$(log_mark)
    fetch "$(mra_path "$name.steven.lab" 8443)/lab/echo"
    check "verify off: $name" 200 "$status"
    check_match "verify off: $name is still checked" 'Action=Continue' "$(log_wait "$mark" 'Action=')"
done
ctl set verify on >/dev/null || bad "set verify on"
for name in selfsigned expired badsig unity2 pathlen; do
    fetch "$(mra_path "$name.steven.lab" 8443)/lab/echo"
    check "verify on again: $name" 502 "$status"
done
ASSAY_VERIFY="{mode: enforced, properties: name}"
assay_config
ctl reload >/dev/null || bad "reload"
fetch "$(mra_path expired.steven.lab 8443)/lab/echo"
check "properties: name: an expired certificate" 200 "$status"
fetch "$(mra_path unity2.steven.lab 8443)/lab/echo"
check "properties: name: an impostor" 502 "$status"
ASSAY_VERIFY="{mode: enforced, properties: signature}"
assay_config
ctl reload >/dev/null || bad "reload"
fetch "$(mra_path unity2.steven.lab 8443)/lab/echo"
check "properties: signature: an impostor" 200 "$status"
fetch "$(mra_path expired.steven.lab 8443)/lab/echo"
check "properties: signature: an expired certificate" 502 "$status"
ASSAY_VERIFY="{mode: disabled}"
assay_config
ctl reload >/dev/null || bad "reload"
mark=$(log_mark)
fetch "$(mra_path badsig.steven.lab 8443)/lab/echo"
check "disabled: no check, no line" "200 0" "$status $(log_since "$mark" 'Action=' | wc -l)"
ASSAY_VERIFY="{mode: enforced}"
assay_config
ctl reload >/dev/null || bad "reload"
fetch "$(mra_path badsig.steven.lab 8443)/lab/echo"
check "enforced again: a connection that was never checked is not used" 502 "$status"

ctl trust add "$work/pki/selfsigned.crt" >/dev/null || bad "trust add"
fetch "$(mra_path selfsigned.steven.lab 8443)/lab/echo"
check "trusted: a self-signed certificate" 200 "$status"
ctl trust add "$work/pki/missing-ca.crt" >/dev/null || bad "trust add"
fetch "$(mra_path missing.steven.lab 8443)/lab/echo"
check "the missing intermediate from the store (S9)" 200 "$status"
ctl trust remove "$(cat "$work/pki/selfsigned.sha256")" >/dev/null || bad "trust remove"
fetch "$(mra_path selfsigned.steven.lab 8443)/lab/echo"
check "trust removed: its pooled connection is not used" 502 "$status"
check_above "refusals of chains were counted" 20 "$(counter verify_failed_chain)"
check_above "refusals of names were counted" 2 "$(counter verify_failed_name)"
e2e_end
