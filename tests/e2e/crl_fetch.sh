#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=175 long
#
# CRLs over HTTP, hard-fail: fetched by name, again before they are over; what is wrong loses nothing (garbage, a stranger's
# signature, too large, 404, silence, redirections to where nobody should go); the server away until a list is over, and back;
# distribution points of what is trusted and of what origins show (soft-fail as well); and a restart without the server lives by the cache.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin crl-fetch
"$here/make-revocation" "$work/pki" || die "the certificates could not be made"
mkdir "$work/www-crl"
printf '%s\n' "198.18.2.18 crl.steven.lab" "198.18.2.16 pointed.steven.lab" "198.18.2.16 strange.steven.lab" >"$work/hosts.more"
dns_start
lab_origin modern --listen 198.18.2.16:8443=sni --tls 1.3
rules=()
for name in revoked current pointed strange; do
    rules+=("https://$name.steven.lab:8443/,1,\"GET,POST\",prefix,$name")
done
allow_list "${rules[@]}"

number=0
# list NAME ISSUER SECONDS [LEAF...]: what the server has as NAME.crl: for so many seconds, with those leaves on it. Numbers rise.
list()
{
    local name=$1 issuer=$2 seconds=$3 leaf
    shift 3
    number=$((number + 1))
    (
        cd "$work/pki" || exit 1
        rm -rf ca.db && mkdir ca.db && printf '%02x\n' "$number" >ca.db/number && : >ca.db/index
        for leaf in "$@"; do
            printf 'R\t480101000000Z\t%s,keyCompromise\t%s\tunknown\t/CN=%s\n' "$(date -u +%y%m%d%H%M%SZ)" \
                "$(openssl x509 -in "$leaf.crt" -noout -serial | sed 's/.*=//')" "$leaf" >>ca.db/index
        done
        printf '%s\n' '[ca]' 'default_ca = a' '[a]' 'database = ca.db/index' 'crlnumber = ca.db/number' 'default_md = sha256' >ca.cnf
        openssl ca -gencrl -config ca.cnf -cert "$issuer.crt" -keyfile "$issuer.key" -crlsec "$seconds" 2>>revocation.log |
            openssl crl -outform DER -out "$work/www-crl/.new" && mv "$work/www-crl/.new" "$work/www-crl/$name.crl"
    ) || die "no CRL: $(tail -n 2 "$work/pki/revocation.log")"
}
server()
{
    start http origin "$here/crl_server.py" 198.18.2.18:80 "$work/www-crl"
    until_true 10 listens origin 198.18.2.18 80 || die "no HTTP server: $(tail -n 2 "$work/http.out")"
}
mode=hard-fail
config()
{
    ASSAY_REVOCATION="{mode: $mode, fetch: on, fetch_retry: 1s, fetch_timeout: 1s, fetch_max: 16KiB, crl_urls: [$urls]}"
    assay_config
}
# row NAME KEY: of `assayctl crls`
row() { ctl crls --json | jq -r --arg n "http://crl.steven.lab/$1.crl" --arg k "$2" '.crls[] | select(.source == $n) | .[$k] | tostring'; }
answers() { fetch "$(mra_path "$1.steven.lab" 8443)/lab/echo"; echo "$status"; }
gives() { [ "$(answers "$1")" = "$2" ]; }
has_error() { row "$1" error | grep -q "$2"; }
has_number() { [ "$(row "$1" number)" = "$(printf '%02x' "$2")" ]; }

list root root 3000
list issuing issuing 3000 revoked
server
urls='"http://crl.steven.lab/root.crl", "HTTP://CRL.steven.lab:80/issuing.crl"'
config
assay_start
until_true 10 gives current 200
check "a current certificate" 200 "$(answers current)"
check "a revoked one" 502 "$(answers revoked)"
check_match "the log says what was fetched" 'CRL of steven\.lab Issuing CA from http://crl\.steven\.lab/issuing\.crl: number 02, 1 entries, until ' \
    "$(grep 'CRL of steven.lab Issuing' "$work/assayd.log" | tail -n 1)"
check "the list of lists" "02 1 true the configuration" "$(row issuing number) $(row issuing entries) $(row issuing fetched) $(row issuing named_by)"
check_match "as a table" 'http://crl\.steven\.lab/issuing\.crl +steven\.lab Issuing CA +02 ' "$(ctl crls)"

# --- the issuer is not in the trust: only origins show it. What is wrong loses nothing all the same --------------------------------------
check "its signature cannot be checked yet" false "$(row issuing signature_checked)"
openssl x509 -in "$work/pki/issuing.crt" -signkey "$work/pki/imp.key" -out "$work/pki/fake.crt" 2>/dev/null
cp "$work/pki/imp.key" "$work/pki/fake.key"
list issuing fake 3000
ctl crls fetch >/dev/null || bad "crls fetch"
until_true 5 has_number issuing "$number"
check "a forged list beside it does nothing" "200 502" "$(answers current) $(answers revoked)"
ctl trust add "$work/pki/issuing.crt" >/dev/null || bad "trust add"

# --- what is wrong loses nothing -----------------------------------------------------------------------------------------------
list issuing issuing 3000 revoked
held=$number
ctl crls fetch >/dev/null || bad "crls fetch"
until_true 5 has_number issuing "$held"
# wrong WHAT ERROR: the server's file is wrong now
wrong()
{
    local mark
    mark=$(log_mark)
    ctl crls fetch >/dev/null || bad "crls fetch"
    until_true 5 has_error issuing "$2"
    check_match "$1" "$2" "$(row issuing error)"
    check_match "$1: a line in the log" "WARNING\": Detail=\"CRL from http://crl\.steven\.lab/issuing\.crl: .*$2.*; the one at hand stays" "$(log_wait "$mark" 'CRL from' | tail -n 1)"
    has_number issuing "$held" || bad "$1: the list at hand is $(row issuing number)"
}
file=$work/www-crl/issuing.crl
cp "$file" "$work/good.crl"
echo '<html>please log in</html>' >"$file"
wrong "garbage" 'what came is no CRL'
head -c 300 "$work/good.crl" >"$file"
wrong "half a list" 'what came is no usable CRL'
list issuing foreign-ca 3000
wrong "a list of an unknown CA" 'issuer Foreign Issuing CA is not known'
list issuing fake 3000
wrong "a list in the CA's name, of another key" 'not signed by steven.lab Issuing CA'
head -c 20000 /dev/zero >"$file"
wrong "too large" 'larger than 16384 bytes'
rm "$file"
wrong "not there" 'the server answered 404'
echo 'file:///etc/passwd' >"$file.redirect"
wrong "a redirection to a file" 'redirected to what is no http'
echo 'http://127.0.0.1/issuing.crl' >"$file.redirect"
wrong "a redirection to the proxy itself" '127.0.0.1 may not be asked'
rm "$file.redirect"
touch "$file.stall"
wrong "a server that falls silent" 'timed out'
rm "$file.stall"
check "after all that" "200 502" "$(answers current) $(answers revoked)"
cp "$work/good.crl" "$work/www-crl/moved.crl"
echo 'http://crl.steven.lab/moved.crl' >"$file.redirect"
ctl crls fetch >/dev/null || bad "crls fetch"
until_true 5 test "$(row issuing error)" = ""
check "a redirection that is followed" "" "$(row issuing error)"
rm "$file.redirect"

# --- in time, by itself ------------------------------------------------------------------------------------------------------------
list issuing issuing 5 revoked
ctl crls fetch >/dev/null || bad "crls fetch"
until_true 5 has_number issuing "$number"
list issuing issuing 3000 revoked current
until_true 6 gives current 502
check "fetched before nextUpdate, and in force" "502 502" "$(answers current) $(answers revoked)"
has_number issuing "$number" || bad "the list at hand is $(row issuing number)"
list issuing issuing 4 revoked
ctl crls fetch >/dev/null || bad "crls fetch"
until_true 5 gives current 200
stop http
until_true 8 gives current 502
check "the server is away until the list is over" 502 "$(answers current)"
check_match "the reason" 'Error=CRL has expired' "$(grep 'verification failed for (current' "$work/assayd.log" | tail -n 1)"
check_match "an alarm" 'the CRL is over, from http://crl\.steven\.lab/issuing\.crl: ' "$(ctl status --json | jq -r '.alarms[]' | grep issuing)"
list issuing issuing 3000 revoked
server
until_true 10 gives current 200
check "the server is back" "200 502" "$(answers current) $(answers revoked)"

# --- distribution points of what origins show: a CA whose list nobody has yet ----------------------------------------------------------
mode=soft-fail
config
ctl reload >/dev/null || bad "reload"
list pointed-ca pointed-ca 3000 pointed
check "a stranger's chain" 502 "$(answers strange)"
mark=$(log_mark)
check "a chain seen for the first time, soft-fail" 200 "$(answers pointed)"
check_match "with a warning" 'Weak core server certificate accepted for \(pointed\.steven\.lab\)\. Reason=revocation status unknown' "$(log_wait "$mark" 'Weak core' | tail -n 1)"
until_true 5 has_number pointed-ca "$number"
check "its list is fetched, because the leaf names it" "$(printf '%02x' "$number") pointed.steven.lab true" \
    "$(row pointed-ca number) $(row pointed-ca named_by) $(row pointed-ca signature_checked)"
mark=$(log_mark)
until_true 5 gives pointed 502
fetch "$(mra_path pointed.steven.lab 8443)/lab/echo"
check "the leaf is on it" "502 connect failed" "$status $reason"
check_match "the reason" 'verification failed for \(pointed\.steven\.lab\)\. Action=Terminate Error=certificate revoked server=pointed\.steven\.lab\(198\.18\.2\.16\) depth=0$' \
    "$(log_wait "$mark" 'verification failed' | tail -n 1)"
check "nobody asks for what the stranger names" "" "$(row strange source)"
list pointed-ca pointed-ca 3000
ctl crls fetch >/dev/null || bad "crls fetch"
until_true 5 gives pointed 200
mode=hard-fail
config
ctl reload >/dev/null || bad "reload"
check "not on the next one, hard-fail" 200 "$(answers pointed)"

# --- distribution points of trusted certificates -------------------------------------------------------------------------------------
ctl trust add "$work/pki/pointed-ca.crt" >/dev/null || bad "trust add"
check "one source for two that name it" 1 "$(ctl crls --json | jq '[.crls[] | select(.source == "http://crl.steven.lab/root.crl")] | length')"
ctl trust remove "$(openssl x509 -in "$work/pki/pointed-ca.crt" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g')" >/dev/null || bad "trust remove"
check "the leaf's list stays" "$(printf '%02x' "$number")" "$(row pointed-ca number)"

# --- a restart -----------------------------------------------------------------------------------------------------------------------
stop http
assay_stop
assay_start
check "without the server, from the cache" "200 502" "$(answers current) $(answers revoked)"
check "and the list that a known chain names" 200 "$(answers pointed)"
e2e_end
