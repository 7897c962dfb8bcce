#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=120 parallel
#
# Two deployments with stores of their own: the CA that one trusts the other does not, even beside one of the same name. Modes and
# pins of one origin changed under load, on pooled connections too. Rules of another deployment. Our certificate toward one
# port replaced under a client that stays connected. Answers, alerts, lines, counters.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin scopes
cd "$work/pki" || exit 1
# Another CA of the name, and the key identifier, of the one that nobody trusts but who is told to.
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout namesake.key -out namesake.csr \
    -subj "/C=BE/O=Steven Lab/OU=UC/CN=Foreign Root CA" 2>"$work/openssl.err"
openssl x509 -req -in namesake.csr -signkey namesake.key -days 30 -out namesake.crt 2>"$work/openssl.err" -extfile <(
    echo "basicConstraints=critical,CA:TRUE"
    echo "keyUsage=critical,keyCertSign,cRLSign"
    echo "subjectKeyIdentifier=$(openssl x509 -in foreign-root.crt -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d ' ')"
)
# client_certificate NAME CN: port.pem and port.key, what assayd shows to one port
client_certificate()
{
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout port.key -out port.csr -subj "/CN=$1" 2>"$work/openssl.err"
    openssl x509 -req -in port.csr -CA issuing.crt -CAkey issuing.key -set_serial "$RANDOM" -days 30 -out port.crt 2>"$work/openssl.err"
    cat port.crt issuing.crt >port.pem
}
client_certificate first
cat issuing.crt root.crt >clients.pem
cd - >/dev/null || exit 1

origins_start
lab_origin sni --listen 198.18.2.16:8443=sni --tls 1.3
# Two ports that insist on a certificate of ours.
{
    echo "user root; daemon off; worker_processes 1; pid $work/m.pid; error_log $work/m-error.log warn; events { worker_connections 512; }"
    echo "http { log_format mutual '\$server_port \$ssl_client_verify \$ssl_client_s_dn \$connection'; access_log $work/mutual.log mutual;"
    echo "client_body_temp_path $work/mb; proxy_temp_path $work/mp; fastcgi_temp_path $work/mf; uwsgi_temp_path $work/mu; scgi_temp_path $work/ms;"
    echo "ssl_certificate $work/pki/matrix-ecdsa.pem; ssl_certificate_key $work/pki/matrix-ecdsa.key; ssl_verify_client on;"
    echo "ssl_client_certificate $work/pki/clients.pem; ssl_verify_depth 3; root $work/www/cucm;"
    echo "server { listen 198.18.2.17:8443 ssl; } server { listen 198.18.2.17:7443 ssl; } }"
} >"$work/mutual.conf"
start mutual origin nginx -c "$work/mutual.conf" -e "$work/m-error.log"
until_true 10 listens origin 198.18.2.17 7443 || die "nginx did not start: $(tail -n 3 "$work/m-error.log" "$work/mutual.out")"
allow_list 'https://unknown.steven.lab:8443/,1,"GET,POST",prefix,unknown' 'https://unknown.steven.lab:8443/,branch,"GET,POST",prefix,unknown' \
    'https://current.steven.lab:8443/,1,"GET,POST",prefix,current' 'https://matrix.steven.lab:8443/,1,GET,prefix,mutual' \
    'https://matrix.steven.lab:7443/,1,GET,prefix,mutual'
mkdir "$work/trust-branch"

# configure [ORIGINS]: with an origins: list
configure()
{
    ASSAY_MORE="deployments:
  - {name: branch, trust: {directory: trust-branch}}
origins: [${1:-}]"
    assay_config
    sed -i -e 's/{name: branch.lab}/{name: branch.lab, deployment: branch}/' \
        -e '/edge-client.pem/a\  - {chain: pki/port.pem, key: pki/port.key, origins: "matrix.steven.lab:7443"}' "$work/assay.yaml"
}
reload() { ctl reload >"$work/reload.out" 2>&1 || bad "reload: $(cat "$work/reload.out")"; }
# echo_of DOMAIN HOST: through the proxy; what happened in the log is behind $mark
echo_of()
{
    mark=$(log_mark)
    fetch "$(mra_path "$2" 8443 https "$1")/lab/echo" -d "a secret"
}
# s26 HOST ACTION ERROR DEPTH: the one line of it since $mark
s26()
{
    check_match "S26" "^1 .*\[ET_NET 0\] WARNING: Core server certificate verification failed for \(${1//./\\.}\)\. Action=$2 Error=$3 server=${1//./\\.}\(198\.18\.2\.[0-9]+\) depth=$4\$" \
        "$(log_wait "$mark" 'verification failed' | sort -k 2 | uniq -c -f 2 | sed 's/^ *//')"
}

# --- configuration -----------------------------------------------------------------------------------------------------------
configure '{hosts: "unknown.steven.lab:8443", verify: {revocation: hard-fail}}'
check_match "check names the line of what cannot be" "assay\.yaml:[0-9]+: origins\[0\]\.verify\.revocation: hard-fail without crls" "$("$build/assayctl" check "$work/assay.yaml" 2>&1)"
sed -i 's/deployment: branch}/deployment: brunch}/' "$work/assay.yaml"
check_match "and a misspelled deployment" "assay\.yaml:[0-9]+: domains\[1\]\.deployment: brunch is not in deployments" "$("$build/assayctl" check "$work/assay.yaml" 2>&1)"
configure
assay_start

# --- stores ------------------------------------------------------------------------------------------------------------------
ctl trust add "$work/pki/foreign-root.crt" --deployment branch >/dev/null || bad "trust add --deployment"
check "trust list knows whose it is" "branch null" "$(ctl trust list --json | jq -r '[.certificates[] | .deployment] | "\(.[1]) \(.[0])"')"
echo_of branch.lab unknown.steven.lab
check "trusted in deployment branch" 200 "$status"
verified=$(counter requests_verified) failed=$(counter verify_failed_chain)
echo_of steven.lab unknown.steven.lab
check "the same origin in deployment 1" "502 connect failed" "$status $reason"
s26 unknown.steven.lab Terminate 'unable to get local issuer certificate' 1
check "counted as refused by the chain" "$((failed + 1)) $verified" "$(counter verify_failed_chain) $(counter requests_verified)"
ctl trust add "$work/pki/namesake.crt" >/dev/null || bad "trust add"
echo_of steven.lab unknown.steven.lab
check "in deployment 1, beside another CA of that name" "502 connect failed" "$status $reason"
s26 unknown.steven.lab Terminate 'certificate signature failure' 1
echo_of branch.lab unknown.steven.lab
check "in branch both names are known, and one is right" 200 "$status"
echo_of branch.lab current.steven.lab
check "no rule of deployment branch allows it" 403 "$status"
check_match "S21's counterpart" 'Event="Request Denied" Detail="Access denied" Reason="Only in the allow list of another deployment" Username="" Deployment="branch" Method="POST" Request="https://current\.steven\.lab:8443/lab/echo" Status="403" UTCTime="[0-9-]{10} [0-9:]{8},[0-9]{3}"$' \
    "$(log_wait "$mark" 'Request Denied')"
check "each deployment has connections of its own" "deployment branch,global" \
    "$(ctl origins --json | jq -r '[.origins[] | select(.host == "unknown.steven.lab") | .scope] | sort | join(",")')"
ctl trust remove "$(cat "$work/pki/foreign-root.sha256")" --deployment branch >/dev/null || bad "trust remove --deployment"
echo_of branch.lab unknown.steven.lab
check "removed from branch" "502 connect failed" "$status $reason"
check_match "what is not there cannot be removed" "no trusted certificate has" "$(ctl trust remove "$(cat "$work/pki/foreign-root.sha256")" --deployment branch 2>&1)"
ctl trust add "$work/pki/foreign-root.crt" --deployment branch >/dev/null || bad "trust add --deployment"

# --- pins --------------------------------------------------------------------------------------------------------------------
pin() { openssl x509 -in "$work/pki/$1.crt" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -c 1-64; }
configure "{hosts: unknown.steven.lab, verify: {pins: $(pin foreign-ca)}}"
reload
echo_of branch.lab unknown.steven.lab
check "pinned to its CA's key" 200 "$status"
configure "{hosts: unknown.steven.lab, verify: {pins: $(pin issuing)}}"
reload
echo_of branch.lab unknown.steven.lab
check "pinned to another, on a pooled connection" "502 connect failed" "$status $reason"
s26 unknown.steven.lab Terminate 'no pinned public key in certificate chain' '[0-9]'
echo_of steven.lab current.steven.lab
check "other origins are not pinned" 200 "$status"
configure
reload

# --- Action=Continue: once a connection and epoch, each request counted -----------------------------------------------------------
ctl set verify permissive --origin unknown.steven.lab:8443 >/dev/null || bad "set verify --origin"
continued=$(counter verify_continued)
mark=$(log_mark)
target=$(mra_path unknown.steven.lab 8443)/lab/echo
for _ in 1 2 3; do echo "GET $target"; done | lab_exec phone "$here/client.py" keep --ca "$work/pki/edge-root.crt" >"$work/kept"
check "three requests of one connection" "200 200 200" "$(cut -d ' ' -f 1 "$work/kept" | tr '\n' ' ' | sed 's/ $//')"
s26 unknown.steven.lab Continue 'certificate signature failure' 1
check "three are counted" $((continued + 3)) "$(counter verify_continued)"
ctl trust remove "$(openssl x509 -in "$work/pki/namesake.crt" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g')" >/dev/null || bad "trust remove"
mark=$(log_mark)
for _ in 1 2; do echo "GET $target"; done | lab_exec phone "$here/client.py" keep --ca "$work/pki/edge-root.crt" >"$work/kept"
s26 unknown.steven.lab Continue 'unable to get local issuer certificate' 1
check "five are counted" $((continued + 5)) "$(counter verify_continued)"
check_match "status shows it" 'origin unknown\.steven\.lab:8443  *permissive  *all .* global  *yes' "$(ctl status | grep 'unknown')"
check_match "and warns" 'ALARM: verification is permissive: origin unknown\.steven\.lab:8443' "$(ctl status)"
echo_of branch.lab unknown.steven.lab
check "branch has it from the same origin" 200 "$status"
check_match "all of it off: what does not follow is said" 'warning: origin unknown\.steven\.lab:8443: stays permissive' "$(ctl xconfiguration EdgeConfigServer VerifyOriginServer: On 2>&1)"
ctl set verify inherit --origin unknown.steven.lab:8443 >/dev/null || bad "set verify inherit"
echo_of steven.lab unknown.steven.lab
check "enforced again: the pooled connection is no way around it" "502 connect failed" "$status $reason"

# --- a mode that comes and goes under load ----------------------------------------------------------------------------------------
lab_exec phone wrk -t 1 -c 4 -d 3s --timeout 5s -s "$here/statuses.lua" "https://$LAB_PROXY:8443" -- "$(mra_path cucm.steven.lab 8443)/cucm-uds/version" >"$work/stays.wrk" 2>&1 &
loads=($!)
changes=$(mra_path cucm.steven.lab 6972)/CSFemusk.cnf.xml
lab_exec phone wrk -t 1 -c 2 -d 3s --timeout 5s -s "$here/statuses.lua" "https://$LAB_PROXY:8443" -- "$changes" >"$work/changes.wrk" 2>&1 &
loads+=($!)
wrong=0 flips=0
for _ in 1 2 3 4; do
    ctl set verify permissive --origin cucm.steven.lab:6972 >/dev/null || wrong=$((wrong + 1))
    fetch "$changes"; [ "$status" = 200 ] || wrong=$((wrong + 1))
    ctl set verify inherit --origin cucm.steven.lab:6972 >/dev/null || wrong=$((wrong + 1))
    fetch "$changes"; [ "$status" = 502 ] || wrong=$((wrong + 1))
    flips=$((flips + 2))
done
wait "${loads[@]}"
status_count() { sed -n "s/^status $2 //p" "$work/$1.wrk" | grep . || echo 0; }
check "the mode is in force when assayctl returns: wrong answers" 0 "$wrong"
check "changes under load" 8 "$flips"
check_above "requests on the other port, each 200" 100 "$(status_count stays 200)"
check "other answers, errors there" "" "$(grep -E '^status ' "$work/stays.wrk" | grep -v '^status 200 ')$(grep 'Socket errors' "$work/stays.wrk")"
check_above "on the one that changes: 200" 10 "$(status_count changes 200)"
check_above "and 502" 10 "$(status_count changes 502)"
check "and nothing else" "" "$(grep -E '^status ' "$work/changes.wrk" | grep -vE '^status (200|502) ')$(grep 'Socket errors' "$work/changes.wrk")"

# --- our certificate toward one port ------------------------------------------------------------------------------------------------
eight=$(mra_path matrix.steven.lab 8443)/cucm-uds/version
seven=$(mra_path matrix.steven.lab 7443)/cucm-uds/version
mkfifo "$work/ask"
lab_exec phone "$here/client.py" keep --ca "$work/pki/edge-root.crt" <"$work/ask" >"$work/kept" &
keeper=$!
exec 5>"$work/ask"
answers=0
answered() { [ "$(wc -l <"$work/kept")" -ge "$answers" ]; }
ask()
{
    echo "GET $1" >&5
    answers=$((answers + 1))
    until_true 5 answered
}
pooled() { ctl origins --json | jq -r --argjson p "$1" '[.origins[] | select(.host == "matrix.steven.lab" and .port == $p) | .connections] | add'; }
closed() { [ "$(pooled 7443)" = 0 ]; }
ask "$eight"; ask "$seven"; ask "$seven"
(cd "$work/pki" && client_certificate second)
reload
until_true 3 closed
check "the pooled connection that showed the old one is closed, the other port's stays" "0 1" "$(pooled 7443) $(pooled 8443)"
ask "$seven"; ask "$eight"
exec 5>&-
wait "$keeper"
check "five answers of one client connection" "5 200, 1 port" "$(grep -c '^200 ' "$work/kept") 200, $(sed 's/.*port=//' "$work/kept" | sort -u | wc -l) port"
check "what the ports saw of us" "8443 CN=vcs_control.steven.lab 7443 CN=first 7443 CN=first 7443 CN=second 8443 CN=vcs_control.steven.lab" \
    "$(sed -E 's/ SUCCESS / /; s/ [0-9]+$//; s/(CN=[^,]*).*/\1/' "$work/mutual.log" | tr '\n' ' ' | sed 's/ $//')"
check "over how many connections: 8443 one, 7443 one for each certificate" "1 2" \
    "$(awk '$1 == 8443 { print $NF }' "$work/mutual.log" | sort -u | wc -l) $(awk '$1 == 7443 { print $NF }' "$work/mutual.log" | sort -u | wc -l)"
e2e_end
