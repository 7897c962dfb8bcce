#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=150 parallel
#
# OCSP responses that nginx staples, over TLS 1.3 and 1.2: good, none, revoked, unknown, expired, wrongly signed, of a stranger, about
# another certificate, no response at all; a certificate that demands one; hard-fail, soft-fail, off; and that no verdict outlives or
# outvotes what is stapled now: on new connections, resumed and pooled ones. There is no CRL of the issuing CA, so that
# hard-fail lives by what is stapled.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin stapling
"$here/make-revocation" "$work/pki" || die "the responses could not be made"
for kind in good none revoked unknown expired badsig other stranger later; do
    echo "198.18.2.17 st-$kind.steven.lab"
done >"$work/hosts.more"
for kind in good none expired; do
    echo "198.18.2.17 must-$kind.steven.lab"
done >>"$work/hosts.more"
dns_start

# server NAME CERTIFICATE STAPLE|none: on both ports
server()
{
    local port version staple=
    [ "$3" = none ] || staple="ssl_stapling on; ssl_stapling_file $work/pki/$3.ocsp;"
    for port in 8443 9443; do
        [ $port = 8443 ] && version=TLSv1.3 || version=TLSv1.2
        cat <<CONF
    server { listen 198.18.2.17:$port ssl; server_name $1.steven.lab; ssl_protocols $version;
        ssl_certificate $work/pki/$2.pem; ssl_certificate_key $work/pki/$2.key; $staple $([ "$1" != st-good ] || echo "keepalive_timeout 0;") location / { return 200 "ok\n"; } }
CONF
    done
}
stapling_config() # what st-good staples
{
    cat <<CONF
user root; worker_processes 1; daemon off; pid $work/nginx.pid; error_log $work/nginx-error.log info;
events { worker_connections 512; }
http {
    ssl_session_cache shared:s:1m;
    log_format lab '\$ssl_server_name \$ssl_protocol reused=\$ssl_session_reused';
    access_log $work/nginx-lab.log lab;
CONF
    server st-good stapled "$1"
    server st-none stapled-none none
    server st-expired stapled stapled-expired
    for kind in revoked unknown badsig other stranger later; do server "st-$kind" "stapled-$kind" "stapled-$kind"; done
    server must-good muststaple muststaple-good
    server must-none muststaple none
    server must-expired muststaple muststaple-expired
    echo "}"
}
stapling_config stapled-good >"$work/nginx.conf"
start nginx origin nginx -c "$work/nginx.conf" -e "$work/nginx-error.log"
until_true 10 listens origin 198.18.2.17 9443 || die "nginx did not start: $(tail -n 3 "$work/nginx.out" "$work/nginx-error.log")"
# staples STAPLE: what st-good shows from now on. Its connections end with each answer: sessions are resumed instead
staples()
{
    stapling_config "$1" >"$work/nginx.conf"
    origins_reload
}

# said V|R NAME: what the responder says of stapled now, as NAME.ocsp
said()
{
    (
        cd "$work/pki" || exit 1
        printf '%s\t480101000000Z\t%s\t%s\tunknown\t/CN=stapled\n' "$1" "$([ "$1" = V ] || date -u +%y%m%d%H%M%SZ,keyCompromise)" \
            "$(openssl x509 -in stapled.crt -noout -serial | sed 's/.*=//')" >now.idx
        echo "unique_subject = no" >now.idx.attr
        openssl ocsp -issuer issuing.crt -cert stapled.crt -no_nonce -reqout now.req &&
            openssl ocsp -index now.idx -CA issuing.crt -rsigner responder.crt -rkey responder.key -reqin now.req -respout "$2.ocsp" -ndays 1
    ) >"$work/ocsp.log" 2>&1 || die "no response: $(tail -n 3 "$work/ocsp.log")"
}

rules=()
for name in $(awk '{ print $2 }' "$work/hosts.more"); do
    for port in 8443 9443; do rules+=("https://$name:$port/,1,GET,prefix,$name"); done
done
allow_list "${rules[@]}"
mkdir "$work/crls"
cp "$work/pki/root.crl" "$work/crls"
mode() { ASSAY_REVOCATION="{mode: $1, crls: crls}"; assay_config; }
mode hard-fail
assay_start
alerts() { grep -c "SSL alert number $1)" "$work/nginx-error.log"; }

passes() # NAME [WHAT]
{
    local port
    for port in 8443 9443; do
        fetch "$(mra_path "$1.steven.lab" $port)/"
        check "$1 on $port${2:+, $2}" 200 "$status"
    done
}
refused() # NAME ALERT ERROR [WHAT]
{
    local port mark before
    for port in 8443 9443; do
        mark=$(log_mark) before=$(alerts "$2")
        fetch "$(mra_path "$1.steven.lab" $port)/"
        check "$1 on $port${4:+, $4}" "502 connect failed" "$status $reason"
        check_match "S26" "verification failed for \($1\.steven\.lab\)\. Action=Terminate Error=$3 server=$1\.steven\.lab\(198\.18\.2\.17\) depth=0\$" \
            "$(log_wait "$mark" 'verification failed' | tail -n 1)"
        until_true 3 test "$(alerts "$2")" -gt "$before"
        check_above "nginx got alert $2" "$before" "$(alerts "$2")"
    done
}

passes st-good
check_above "responses are counted" 1 "$(counter staples)"
refused st-none 46 'unable to get certificate CRL'
refused st-revoked 44 'certificate revoked'
check "and counted as revoked" 2 "$(counter verify_failed_revoked)"
refused st-unknown 46 'OCSP unknown cert'
for kind in expired badsig other stranger; do refused st-$kind 113 'OCSP verification failed'; done
refused st-later 113 'OCSP verification failed'
passes must-good
refused must-none 113 'OCSP verification needed'

# --- what is stapled now decides, whatever was decided before ------------------------------------------------------------------
passes st-good "again"
staples none
refused st-good 46 'unable to get certificate CRL' "the good verdict is not for a connection without the response"
staples stapled-good
passes st-good "with the good one again"
passes st-good "resumed"
check_above "on a resumed session" 1 "$(grep -c 'st-good.*reused=r' "$work/nginx-lab.log")"
sleep 1 # responses count seconds
said V stapled-newer
said R stapled-gone
staples stapled-gone
refused st-good 44 'certificate revoked' "its response says revoked now"
staples none
refused st-good 44 'certificate revoked' "and that is not forgotten"
staples stapled-good
refused st-good 44 'certificate revoked' "nor outvoted by the good one of before"
staples stapled-newer
refused st-good 44 'certificate revoked' "nor by one of that moment"
sleep 1
said V stapled-newest
staples stapled-newest
passes st-good "the responder says good again"

# --- soft-fail, off --------------------------------------------------------------------------------------------------------------
mode soft-fail
ctl reload >/dev/null || bad "reload"
refused st-revoked 44 'certificate revoked' "soft-fail"
mark=$(log_mark)
passes st-none "soft-fail"
check_match "with a warning" 'Weak core server certificate accepted for \(st-none\.steven\.lab\)\. Reason=revocation status unknown' "$(log_wait "$mark" 'Weak core' | tail -n 1)"
passes st-expired "soft-fail"
refused must-none 113 'OCSP verification needed' "soft-fail"
refused must-expired 113 'OCSP verification needed' "soft-fail"
passes must-good "soft-fail"
before=$(counter staples)
mode off
ctl reload >/dev/null || bad "reload"
passes st-revoked "off"
passes must-none "off"
check "nobody is asked to staple" "$before" "$(counter staples)"
mode hard-fail
ctl reload >/dev/null || bad "reload"
refused st-revoked 44 'certificate revoked' "hard-fail again: the pooled connection is not used"
e2e_end
