#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=120 parallel
#
# What a staple is worth behind its handshake: told "revoked" on one port, the certificate is revoked on every port and core, on pooled
# connections and in mid-download, whatever good response was there before; `verdicts show` and dry runs know it; all of it survives
# a restart; a newer good response takes it back.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin stapling-registry
"$here/make-revocation" "$work/pki" || die "the responses could not be made"
for kind in good revoked expired; do echo "198.18.2.17 st-$kind.steven.lab"; done >"$work/hosts.more"
dns_start
# Each kind on two ports, which show the same certificate; what st-good staples on the second one is what the test says.
server() # PORT NAME STAPLE
{
    echo "server { listen 198.18.2.17:$1 ssl; server_name st-$2.steven.lab; ssl_certificate $work/pki/stapled.pem;"
    echo "  ssl_certificate_key $work/pki/stapled.key; ssl_stapling on; ssl_stapling_file $work/pki/$3.ocsp; location / { root $work/www; limit_rate ${4:-0}; } }"
}
origin_config() # NAME PORT-AND-STAPLE...
{
    local name=$1
    shift
    echo "user root; worker_processes 1; daemon off; pid $work/$name.pid; error_log $work/$name-error.log info;"
    echo "events { worker_connections 512; }"
    echo "http { log_format short '\$server_port \$connection \$status'; access_log $work/$name.log short; keepalive_timeout 300s;"
    echo "client_body_temp_path $work/b1; proxy_temp_path $work/b2; fastcgi_temp_path $work/b3; uwsgi_temp_path $work/b4; scgi_temp_path $work/b5;"
    printf '%s\n' "$@"
    echo "}"
}
mkdir "$work/www"
echo ok >"$work/www/index.html"
head -c 3000000 /dev/zero >"$work/www/big"
origin_config first "$(server 8443 good stapled-good 300k)" "$(server 8443 expired stapled-expired)" >"$work/first.conf"
second() { origin_config second "$(server 9443 good "$1")" >"$work/second.conf"; }
second stapled-good
for name in first second; do
    start $name origin nginx -c "$work/$name.conf" -e "$work/$name-error.log"
done
until_true 10 listens origin 198.18.2.17 8443 || die "nginx did not start: $(cat "$work/first.out")"
until_true 10 listens origin 198.18.2.17 9443 || die "nginx did not start: $(cat "$work/second.out")"
restart_second() # STAPLE: its connections end
{
    stop second QUIT
    second "$1"
    start second origin nginx -c "$work/second.conf" -e "$work/second-error.log"
    until_true 10 listens origin 198.18.2.17 9443 || die "nginx did not start again: $(cat "$work/second.out")"
}
allow_list "https://st-good.steven.lab:8443/,1,GET,prefix,good" "https://st-good.steven.lab:9443/,1,GET,prefix,good" \
    "https://st-expired.steven.lab:8443/,1,GET,prefix,expired"
mkdir "$work/crls"
cp "$work/pki/root.crl" "$work/crls"
E2E_CORES=1
mode() { ASSAY_REVOCATION="{mode: $1, crls: crls}"; assay_config; }
ASSAY_VERIFY="{mode: enforced, revoke_grace: 1s}"
mode soft-fail
assay_start

answer() # HOST PORT STATUS WHAT
{
    fetch "$(mra_path "st-$1.steven.lab" "$2")/"
    check "$1 on $2, $4" "$3" "$status"
}
staple_of() { ctl verdicts show --json "st-$1.steven.lab:$2" | jq -r '.chains[0] | "\(.staple.status) \(.staple.detail) \(.verdict.effect) \(.verdict.reason)"'; }
flips() { jq -r '[.flips[] | "\(.host):\(.port) \(.from.effect) -> \(.to.effect) \(.to.reason)"] | sort | join("; ")'; }
pooled() { ctl origins --json | jq -r --argjson p "$1" '[.origins[] | select(.host == "st-good.steven.lab" and .port == $p) | .connections] | add // 0'; }
seen() { ctl verdicts show "st-$1.steven.lab:$2"; }

# --- the staple's part in the decision --------------------------------------------------------------------------------------
answer good 8443 200 "stapled good"
answer expired 8443 200 "soft-fail, stapled what is over"
until_true 5 seen expired 8443 || bad "not in the registry"
check "good in verdicts show" "good null passes OK" "$(staple_of good 8443)"
check_match "and in words" 'stapled response: good, of 20[0-9T:-]+Z, next 20' "$(seen good 8443)"
check "what is over" "not usable the response's nextUpdate is over passes OK" "$(staple_of expired 8443)"

# --- what if: hard-fail, and off ----------------------------------------------------------------------------------------------
sed 's/mode: soft-fail/mode: hard-fail/' "$work/assay.yaml" >"$work/hard.yaml"
ctl reload --dry-run --json "$work/hard.yaml" >"$work/if.json"
check "dry run of hard-fail: exit" 1 $?
check "dry run of hard-fail: only the one without a usable response flips" \
    "st-expired.steven.lab:8443 passes -> refused OCSP_FAILED" "$(flips <"$work/if.json")"

# --- told on one port, true for all ---------------------------------------------------------------------------------------------
answer good 9443 200 "stapled good"
answer good 8443 200 "on its pooled connection"
check "a pooled connection" 1 "$(pooled 8443)"
lab_exec phone curl -sS --max-time 30 --cacert "$work/pki/edge-root.crt" --resolve "$SNI:8443:$LAB_PROXY" -o "$work/big.out" \
    "https://$SNI:8443$(mra_path st-good.steven.lab 8443)/big" 2>"$work/big.err" &
download=$!
until_true 5 test -s "$work/big.out" || bad "no download"
sleep 1 # thisUpdate is in seconds: the word that comes now is to be later
(
    cd "$work/pki" || exit 1
    number=$(openssl x509 -in stapled.crt -noout -serial | sed 's/.*=//')
    printf 'R\t480101000000Z\t%s,keyCompromise\t%s\tunknown\t/CN=stapled\n' "$(date -u +%y%m%d%H%M%SZ)" "$number" >now.idx
    echo "unique_subject = no" >now.idx.attr
    openssl ocsp -issuer issuing.crt -cert stapled.crt -no_nonce -reqout now.req &&
        openssl ocsp -index now.idx -CA issuing.crt -rsigner responder.crt -rkey responder.key -reqin now.req -respout revoked-now.ocsp -ndays 1
) >"$work/ocsp.log" 2>&1 || die "no response: $(tail -n 3 "$work/ocsp.log")"
epoch=$(ctl status --json | jq .generation)
restart_second revoked-now
mark=$(log_mark)
answer good 9443 502 "stapled revoked"
later() { [ "$(ctl status --json | jq .generation)" -gt "$epoch" ]; }
until_true 5 later || bad "nothing was published"
check_match "control says so" "WARNING.*certificate [0-9a-f]{16} of st-good\.steven\.lab:9443 is revoked: keyCompromise, says a response stapled to it" \
    "$(log_wait "$mark" 'is revoked')"
wait "$download"
check "the download on the other port ends within revoke_grace" "yes" "$([ "$(wc -c <"$work/big.out")" -lt 3000000 ] && echo yes)"
check_above "counted" 0 "$(counter verify_revoked_in_flight)"
none() { [ "$(pooled 8443)" = 0 ]; }
until_true 5 none
check "pooled connections are closed" 0 "$(pooled 8443)"
mark=$(log_mark)
answer good 8443 502 "though good is stapled there"
check_match "S26" 'verification failed for \(st-good\.steven\.lab\)\. Action=Terminate Error=certificate revoked server=st-good\.steven\.lab\(198\.18\.2\.17\) depth=0$' \
    "$(log_wait "$mark" 'verification failed' | tail -n 1)"
check "listed" "st-good.steven.lab 9443 keyCompromise" "$(ctl crls --json | jq -r '.revoked_by_ocsp[] | "\(.host) \(.port) \(.reason)"')"
check_match "listed in words" 'revoked by OCSP: certificate' "$(ctl crls | grep OCSP)"
answer expired 8443 502 "the same certificate under another name"
check "verdicts show: what is stapled there, and the decision" "good null refused REVOKED" "$(staple_of good 8443)"
check "and where it was told" "revoked keyCompromise refused REVOKED" "$(staple_of good 9443)"
sed 's/mode: soft-fail/mode: "off"/' "$work/assay.yaml" >"$work/off.yaml"
ctl reload --dry-run --json "$work/off.yaml" >"$work/if.json"
check "dry run of off: all of them flip" \
    "st-expired.steven.lab:8443 refused -> passes OK; st-good.steven.lab:8443 refused -> passes OK; st-good.steven.lab:9443 refused -> passes OK" "$(flips <"$work/if.json")"

# --- a restart ----------------------------------------------------------------------------------------------------------------
assay_stop
mode hard-fail
assay_start
revoked_again() { [ "$(staple_of good 8443)" = "good null refused REVOKED" ]; }
until_true 5 revoked_again
check "known after a restart, before any handshake" "good null refused REVOKED" "$(staple_of good 8443)"
answer good 8443 502 "after a restart, though good is stapled there"

# --- taken back -----------------------------------------------------------------------------------------------------------------
sleep 1
(
    cd "$work/pki" || exit 1
    sed -i -E 's/^R\t([^\t]*)\t[^\t]*/V\t\1\t/' now.idx
    openssl ocsp -index now.idx -CA issuing.crt -rsigner responder.crt -rkey responder.key -reqin now.req -respout good-now.ocsp -ndays 1
) >"$work/ocsp.log" 2>&1 || die "no response: $(tail -n 3 "$work/ocsp.log")"
restart_second good-now
mark=$(log_mark)
answer good 9443 200 "stapled good, later than revoked"
check_match "control says so" 'of st-good\.steven\.lab:9443 is not revoked any more' "$(log_wait "$mark" 'not revoked any more')"
good_again() { [ "$(staple_of good 8443)" = "good null passes OK" ]; }
until_true 5 good_again
answer good 8443 200 "with the good one of before"
e2e_end
