#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=120 parallel
#
# assayctl preflight against nginx and openssl s_server: each kind of certificate, each way of not answering, by name and by
# address; its table, its exit codes and its JSON. No request may reach an origin.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin preflight
old_openssl

# --- origins --------------------------------------------------------------------------------------------------------------
# s_server NAME ADDRESS:PORT CERTIFICATE OPTIONS...
s_server()
{
    local name=$1 at=$2 certificate=$3
    shift 3
    start "$name" origin env OPENSSL_CONF="$work/openssl-old.cnf" openssl s_server -accept "$at" -cert "$work/pki/$certificate.crt" \
        -key "$work/pki/$certificate.key" -cert_chain "$work/pki/$certificate.pem" -www -quiet "$@"
}

# A certificate with its name in the Common Name alone.
(
    cd "$work/pki" || exit
    cp lab.key cnonly.key
    openssl req -new -key cnonly.key -subj "/CN=cnonly.steven.lab" -out cnonly.csr
    openssl x509 -req -in cnonly.csr -CA issuing.crt -CAkey issuing.key -set_serial 9001 -days 730 -sha256 -out cnonly.crt
    cat cnonly.crt issuing.crt >cnonly.pem
    chmod 644 cnonly.key
) 2>/dev/null
cat >"$work/hosts.more" <<'HOSTS'
198.18.2.16 cnonly.steven.lab
198.18.2.17 strict.steven.lab silent.steven.lab
HOSTS
cucm_serves sha256 ecdsa
origins_start
s_server cnonly 198.18.2.16:9001 cnonly
s_server sha1 198.18.2.16:9002 cucm-sha1
s_server expired 198.18.2.16:9003 expired
s_server impostor 198.18.2.14:8443 impostor
s_server revoked 198.18.2.16:9006 revoked
s_server literal 198.18.2.11:9004 cucm-ip
s_server strict 198.18.2.17:8443 matrix-rsa -Verify 3 -verify_return_error -CAfile "$work/pki/root.crt"
s_server stranger 198.18.2.17:8444 matrix-rsa -Verify 3 -verify_return_error -CAfile "$work/pki/foreign-root.crt"
start plain origin python3 -c 'import socket
s = socket.create_server(("198.18.2.17", 9005))
while True:
    c, _ = s.accept()
    c.sendall(b"220 not TLS\r\n")
    c.close()'
# What is sent to port 9009 vanishes.
lab_exec origin nft -f - <<'NFT'
table inet hole { chain in { type filter hook input priority 0; tcp dport 9009 drop; }; }
NFT
for at in 198.18.2.16:9001 198.18.2.16:9002 198.18.2.16:9003 198.18.2.16:9006 198.18.2.14:8443 198.18.2.11:9004 198.18.2.17:8443 198.18.2.17:8444 198.18.2.17:9005; do
    until_true 5 listens origin "${at%:*}" "${at#*:}" || die "nothing listens on $at"
done
sed -i 's/^198.18.2.17 matrix/198.18.2.17 matrix/; s/^198.18.2.16 cnonly.*/& sha1.steven.lab/' "$work/hosts"
allow_list
assay_config

# preflight ARGUMENTS...: by the phone's network; $rc, and the table in $work/table
preflight()
{
    rc=0
    lab_exec phone "$build/assayctl" preflight "$@" >"$work/table" 2>"$work/complaint" || rc=$?
}

# row NODE PORT: the lines of the table, blanks squeezed
row()
{
    sed -E 's/ {2,}/|/g' "$work/table" | awk -F '|' -v n="$1" -v p="$2" '$1 == n && $3 == p { print }'
}

end_of()
{
    openssl x509 -in "$work/pki/$1.crt" -noout -enddate | sed 's/.*=//'
}

# days NAME: whole days until its certificate ends, towards minus infinity
days()
{
    python3 -c 'import sys; print((int(sys.argv[1]) - int(sys.argv[2])) // 86400)' "$(date -d "$(end_of "$1")" +%s)" "$(date +%s)"
}

# --- each case ------------------------------------------------------------------------------------------------------------
cat >"$work/nodes" <<'NODES'
# announced by name
cucm.steven.lab     cucm  8443,6972
imp.steven.lab      imp   8443,9999
cnonly.steven.lab         9001
cucm-sub.steven.lab       9002    # on another host, see below
expired.steven.lab        9003
unity2.steven.lab         8443
matrix.steven.lab         8443,8444
silent.steven.lab         9009,9005
nowhere.steven.lab        8443
# announced by address
198.18.2.11               9004,8443
NODES
sed -i 's/ cucm-sub.steven.lab / /' "$work/hosts"
echo "198.18.2.16 cucm-sub.steven.lab" >>"$work/hosts"
kill -HUP "${pids[dns]}"
begin=$(date +%s%N)
preflight --config "$work/assay.yaml" --nodes "$work/nodes" --timeout 1s
took_ms=$((($(date +%s%N) - begin) / 1000000))
cat "$work/table"
check "exit status: something would fail" 1 "$rc"
check_below "a black hole holds up nothing, ms" 6000 "$took_ms"
trust="trust this certificate (assayctl trust add), or have it signed by a CA that is trusted"
san="reissue the certificate with this address as SAN, or announce the node by a name that it has"
check "two key types: what assayd meets, and the other" \
    "cucm.steven.lab|198.18.2.11|8443|EC P-256|ECDSA*|1.3,1.2|would pass|ok|$(days cucm-ecdsa)|-
cucm.steven.lab|198.18.2.11|8443|RSA 2048|RSA|1.3,1.2|would pass|ok|$(days cucm-sha256)|-" "$(row cucm.steven.lab 8443)"
check "self-signed" "cucm.steven.lab|198.18.2.11|6972|EC P-256|ECDSA,RSA*|1.3,1.2|would fail|self signed certificate|$(days tomcat-ec)|$trust" "$(row cucm.steven.lab 6972)"
check "good" "imp.steven.lab|198.18.2.12|8443|RSA 2048|ECDSA,RSA*|1.3,1.2|would pass|ok|$(days imp)|-" "$(row imp.steven.lab 8443)"
check "a closed port" "imp.steven.lab|198.18.2.12|9999|-|ECDSA*|-|not reached|connection refused|-|start the service on that port, or leave the port out" "$(row imp.steven.lab 9999)"
check "the Common Name alone" "cnonly.steven.lab|198.18.2.16|9001|EC P-256|ECDSA,RSA*|1.3,1.2|passes only by CN|ok|$(days cnonly)|reissue it with this address as SAN: stricter profiles do not look at the Common Name" "$(row cnonly.steven.lab 9001)"
check "SHA-1" "cucm-sub.steven.lab|198.18.2.16|9002|RSA 2048|ECDSA,RSA*|1.3,1.2|passes only by SHA-1|ok|$(days cucm-sha1)|have it signed with SHA-256" "$(row cucm-sub.steven.lab 9002)"
check "expired" "expired.steven.lab|198.18.2.16|9003|EC P-256|ECDSA,RSA*|1.3,1.2|would fail|certificate has expired|$(days expired)|renew the certificate on the node" "$(row expired.steven.lab 9003)"
check "another's name" "unity2.steven.lab|198.18.2.14|8443|EC P-256|ECDSA,RSA*|1.3,1.2|would fail|hostname mismatch|$(days impostor)|$san" "$(row unity2.steven.lab 8443)"
check "it demands a client certificate, and takes ours" "matrix.steven.lab|198.18.2.17|8443|RSA 2048|ECDSA,RSA*|1.3,1.2|would pass|ok|$(days matrix-rsa)|-" "$(row matrix.steven.lab 8443)"
check "it demands one, and refuses ours" "matrix.steven.lab|198.18.2.17|8444|RSA 2048|ECDSA,RSA*|1.3,1.2|would fail|it refuses our client certificate (unknown_ca)|$(days matrix-rsa)|configure client_credentials for it, and have it trust the CA of that certificate" "$(row matrix.steven.lab 8444)"
check "a black hole" "silent.steven.lab|198.18.2.17|9009|-|ECDSA*|-|not reached|no answer|-|check that it runs, and the route and the firewall toward it" "$(row silent.steven.lab 9009)"
check "not TLS" "silent.steven.lab|198.18.2.17|9005|-|ECDSA*|-|would fail|what answers is not TLS|-|check the port: TLS does not answer there" "$(row silent.steven.lab 9005)"
check "no such name" "nowhere.steven.lab|-|8443|-|ECDSA*|-|not reached|NXDOMAIN from 198.18.2.53:53|-|add the name to DNS or dns.hosts, or correct the announced address" "$(row nowhere.steven.lab 8443)"
check "by address, with an iPAddress SAN" "198.18.2.11|198.18.2.11|9004|RSA 2048|ECDSA,RSA*|1.3,1.2|would pass|ok|$(days cucm-ip)|-" "$(row 198.18.2.11 9004)"
check "by address, without" 2 "$(row 198.18.2.11 8443 | grep -c "|would fail|hostname mismatch|.*|$san$")"
check "the summary" "* as assayd connects now: of 15 origins 6 would pass (2 with a warning), 6 would fail, 3 not reached" "$(tail -n 1 "$work/table")"

# --- JSON, exit codes -----------------------------------------------------------------------------------------------------
preflight --config "$work/assay.yaml" --nodes "$work/nodes" --timeout 1s --json
check "JSON: the same exit status" 1 "$rc"
check "JSON: verdicts by origin" "15 4 2 6 3" "$(jq -r '.summary | "\(.origins) \(.pass) \(.warning) \(.fail) \(.unknown)"' "$work/table")"
check "JSON: each row has what scripts need" true "$(jq '[.rows[] | has("node") and has("port") and (.verdict | IN("pass", "warning", "fail", "unknown")) and has("code") and has("action") and has("days_left") and (.preferring | length > 0)] | all' "$work/table")"
check "JSON: a fingerprint" "$(cat "$work/pki/tomcat-ec.sha256")" "$(jq -r '.rows[] | select(.port == 6972) | .sha256' "$work/table")"
check "JSON: a client certificate that is taken, and without one" "true true accepted refused" "$(jq -r '.rows[] | select(.node == "matrix.steven.lab" and .port == 8443) | .client_certificate | "\(.asked) \(.configured) \(.with) \(.without)"' "$work/table")"
check "JSON: asked for, but not demanded" "true accepted accepted" "$(jq -r '.rows[] | select(.port == 6972) | .client_certificate | "\(.asked) \(.with) \(.without)"' "$work/table")"

printf 'imp.steven.lab imp 8443\n198.18.2.11 9004\n' >"$work/good"
preflight --nodes "$work/good" --trust "$work/pki/root.crt"
check "exit status: all would pass, without a configuration" "0 2" "$rc $(grep -c 'would pass  ok' "$work/table")"
printf 'imp.steven.lab imp 8443,9999\n' >"$work/closed"
preflight --nodes "$work/closed" --trust "$work/pki/root.crt"
check "exit status: one was not reached" 3 "$rc"
printf 'cnonly.steven.lab 9001\n' >"$work/cn"
preflight --nodes "$work/cn" --trust "$work/pki/root.crt"
check "exit status: a warning passes" 0 "$rc"
preflight --nodes "$work/cn" --trust "$work/pki/root.crt" --strict
check "exit status: --strict" 1 "$rc"
printf 'matrix.steven.lab 8443\n' >"$work/strict"
preflight --nodes "$work/strict" --trust "$work/trust"
check "without a client certificate it fails" "1 it demands a client certificate" "$rc $(grep -o 'it demands a client certificate' "$work/table" | head -n 1)"
preflight --nodes "$work/good" --trust "$work/pki/foreign-root.crt"
check "another trust store: its root is not in it" "1 2" "$rc $(grep -c 'unable to get local issuer certificate' "$work/table")"
printf 'imp.steven.lab imp\nunity..lab\nunity.steven.lab nonsense\n' >"$work/bad"
preflight --nodes "$work/bad" --trust "$work/trust"
check "a bad file names its lines" "2 $work/bad:2: neither a host name nor an IP address $work/bad:3: expected ADDRESS [cucm|imp|unity|tftp] [PORT,PORT...]" "$rc $(tr '\n' ' ' <"$work/complaint" | sed 's/ $//')"
preflight --trust "$work/trust"
check "exit status: wrong usage" 2 "$rc"
preflight --socket "$work/admin.sock"
check "exit status: no daemon" 3 "$rc"
preflight --config "$work/assay.yaml" --timeout 1s --json
check "the configuration's own origins" "cucm.steven.lab:443,cucm.steven.lab:6971,cucm.steven.lab:6972,cucm.steven.lab:8443,cucm.steven.lab:9444,imp.steven.lab:7336,imp.steven.lab:8443,lab.steven.lab:8443,unity.steven.lab:443,unity.steven.lab:7443,unity.steven.lab:8443" \
    "$(jq -r '[.rows[] | "\(.node):\(.port)"] | unique | join(",")' "$work/table")"

# --- what is configured for one origin, as on the data path -------------------------------------------------------------------
mkdir "$work/crls"
cp "$work"/pki/{root,issuing}.crl "$work/crls"
printf '%s\n' 'cnonly.steven.lab 9001' 'cucm.steven.lab 6972' 'revoked.steven.lab 9006' 'imp.steven.lab 8443' >"$work/scoped"
ASSAY_REVOCATION="{mode: off, crls: crls}"
ASSAY_MORE='origins:
  - {hosts: "cnonly.steven.lab:9001", verify: {cn_match: never}}
  - {hosts: cucm.steven.lab, verify: {properties: name}}
  - {hosts: revoked.steven.lab, verify: {revocation: hard-fail}}'
assay_config
preflight --config "$work/assay.yaml" --nodes "$work/scoped" --json
check "origins with settings of their own: CN, properties, revocation" "cnonly.steven.lab fail NAME_MISMATCH, cucm.steven.lab pass OK, imp.steven.lab pass OK, revoked.steven.lab fail REVOKED" \
    "$(jq -r '[.rows[] | "\(.node) \(.verdict) \(.code)"] | join(", ")' "$work/table")"
# What assayd fetches is known by the cache that it keeps; where there is none, that is said.
ASSAY_REVOCATION='{mode: hard-fail, fetch: on, crl_urls: ["http://crl.steven.lab/root.crl", "http://crl.steven.lab/issuing.crl"]}'
ASSAY_MORE=
assay_config
printf '%s\n' 'revoked.steven.lab 9006' 'imp.steven.lab 8443' >"$work/fetched"
fetched() { preflight --config "$work/assay.yaml" --nodes "$work/fetched" --state-directory "$work/state" "$@"; }
fetched
check "without the CRLs that assayd fetches" 1 "$rc"
check_match "that they are missing is said" "assay\.yaml:[0-9]+: what an assayd of this configuration fetches is not known here" "$(cat "$work/complaint")"
check "and what comes of it" "2 unable to get certificate CRL" "$(grep -o 'unable to get certificate CRL' "$work/table" | sort | uniq -c | sed 's/^ *//')"
mkdir "$work/state/crls"
for name in root issuing; do
    openssl crl -in "$work/pki/$name.crl" -outform DER -out "$work/state/crls/$(printf 'http://crl.steven.lab/%s.crl' $name | sha256sum | cut -c 1-64).crl"
done
fetched --json
check "with them, as assayd would judge" "2 imp.steven.lab pass OK, revoked.steven.lab fail REVOKED" \
    "$(jq -r '"\(.crl_cache.crls) " + ([.rows[] | "\(.node) \(.verdict) \(.code)"] | join(", "))' "$work/table")"
check "and nothing to complain of" "" "$(cat "$work/complaint")"
ASSAY_REVOCATION=
assay_config

# --- on a terminal ------------------------------------------------------------------------------------------------------------
printf 'silent.steven.lab 9009\nimp.steven.lab 8443\n' >"$work/slow"
bar=$(lab_exec phone python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$build/assayctl" preflight --nodes "$work/slow" --trust "$work/trust" --timeout 1s </dev/null | tr '\r' '\n' | grep -c 'asking \[#\{20\}\.\{20\}\] 1/2')
check "a bar on a terminal, half way" 1 "$bar"

# --- certs, ciphers explain: by asking now -----------------------------------------------------------------------------------
# offline COMMAND...: $rc, and what it printed in $work/table with blanks squeezed
offline()
{
    rc=0
    lab_exec phone "$build/assayctl" "$@" 2>"$work/complaint" | sed -E 's/ {2,}/|/g' >"$work/table" || rc=$?
}

until_day() { date -u -d "$(end_of "$1")" +%Y-%m-%dT%H:%M:%SZ; }
offline certs cucm.steven.lab --config "$work/assay.yaml"
check "certs: tomcat, tomcat-ECDSA and CallManager-ECDSA of a node" "cucm.steven.lab|CallManager-ECDSA|cucm-EC.steven.lab|Self-signed|EC|cucm.steven.lab|cucm-EC.steven.lab|$(until_day callmanager-ec)|on 6971; from preflight; fails on 6971: self signed certificate
cucm.steven.lab|CallManager-ECDSA|cucm-EC.steven.lab|Self-signed|EC|cucm.steven.lab|cucm-EC.steven.lab|$(until_day tomcat-ec)|on 6972; from preflight; fails on 6972: self signed certificate
cucm.steven.lab|tomcat-ECDSA|cucm-ms.steven.lab|CA-signed|EC|Multi-server (SAN)|steven.lab Issuing CA|$(until_day cucm-ecdsa)|on 8443; from preflight
cucm.steven.lab|tomcat|cucm-ms.steven.lab|CA-signed|RSA|Multi-server (SAN)|steven.lab Issuing CA|$(until_day cucm-sha256)|on 8443; from preflight" "$(sed '1d;$d' "$work/table" | LC_ALL=C sort)"
offline certs --config "$work/assay.yaml" --filter key_type=RSA --filter "issuing ca"
check "certs: filters" "cucm.steven.lab imp.steven.lab" "$(sed '1d;$d' "$work/table" | cut -d '|' -f 1 | tr '\n' ' ' | sed 's/ $//')"
offline ciphers explain cucm.steven.lab --config "$work/assay.yaml"
check "ciphers explain: ECDSA by default" "cucm.steven.lab|198.18.2.11|8443|EC P-256|cucm-ms.steven.lab|preflight|ECDSA is preferred; it has a certificate of each type and follows the preference" "$(grep '|8443|' "$work/table")"
check "ciphers explain: a node of one key type" "cucm.steven.lab|198.18.2.11|6972|EC P-256|cucm-EC.steven.lab|preflight|ECDSA is preferred; it shows the same when RSA is: it has no other, or follows an order of its own" "$(grep '|6972|' "$work/table")"
ASSAY_TLS='{ciphers: {origins: "ECDHE-RSA-AES256-GCM-SHA384:EECDH:!3DES"}}'
assay_config
offline ciphers explain --config "$work/assay.yaml"
check "ciphers explain: the prefix prefers RSA" "cucm.steven.lab|198.18.2.11|8443|RSA 2048|cucm-ms.steven.lab|preflight|RSA is preferred; it has a certificate of each type and follows the preference" "$(grep '^cucm.*|8443|' "$work/table")"
check "ciphers explain: and in vain where there is none" "cucm.steven.lab|198.18.2.11|6972|EC P-256|cucm-EC.steven.lab|preflight|RSA is preferred; it has no such certificate, or none that it may use" "$(grep '|6972|' "$work/table")"
lab_exec phone "$build/assayctl" ciphers explain --config "$work/assay.yaml" --no-probe --json >"$work/table"
check "ciphers explain: the order of both versions" "RSA rsa_pss_rsae_sha256 ECDHE-RSA-AES256-GCM-SHA384 0" "$(jq -r '"\(.prefers) \(.tls13.signature_algorithms[0]) \(.tls12.suites[0]) \(.origins | length)"' "$work/table")"
preflight --config "$work/assay.yaml" --timeout 1s
check "preflight: what is met with that" "RSA 2048|RSA*" "$(row cucm.steven.lab 8443 | head -n 1 | cut -d '|' -f 4,5)"
check "no request came out of all that" 0 "$(wc -l <"$work/nginx-access.log")"
assay_pid=
e2e_end
