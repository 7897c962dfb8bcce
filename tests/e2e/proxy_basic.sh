#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=170 parallel
#
# One proxy, one origin that does what it is told, all that HTTP/1.1 asks of a gateway: what arrives at the origin, what comes
# back, and each status that assayd answers itself.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

LAB_PHONES="198.18.1.1 198.18.7.1" # the second is not among `clients`
e2e_begin basic
origins_start
lab_origin lab --listen 198.18.2.15:8443=lab --listen 198.18.2.15:8080 --ask-certificate
allow_list 'https://nowhere.steven.lab:8443/,1,GET,prefix,A name without an address' 'https://198.18.2.15:9443/,1,GET,prefix,Nobody listens' \
    'https://198.18.2.199:8443/,1,GET,prefix,Nobody is there' 'https://127.0.0.1:8443/,1,GET,prefix,Never an origin'
ASSAY_LIMITS="{request_body_max: 2MiB, origin_connections_max: 3, origin_queue_max: 2}"
ASSAY_TIMEOUTS="{client_head: 2s, client_body: 2s, origin_connect: 3s, origin_head: 3s, origin_queue: 1s, origin_body: 3s, client_idle: 20s, origin_idle: 10s}"
assay_config
assay_start

lab=$(mra_path lab.steven.lab 8443)/lab
plain=$(mra_path lab.steven.lab 8080 http)/lab
cucm=$(mra_path cucm.steven.lab 8443)
raw() { lab_exec phone "$here/client.py" raw --ca "$work/pki/edge-root.crt" "$@"; }
field() { jq -r --arg n "$1" '[.fields[] | select(.[0] == $n) | .[1]] | join("|")' "$body"; }
digest() { lab_exec origin curl -sS "http://198.18.2.15:8080/lab/bytes/$1" | sha256sum | cut -d ' ' -f 1; }
sha_body() { sha256sum "$body" | cut -d ' ' -f 1; }

# --- what the origin sees --------------------------------------------------------------------------------------------
mark=$(log_mark)
fetch "$lab/echo?a=1&b=%20" -H 'Connection: keep-alive, X-Hop' -H 'X-Hop: 1' -H 'Keep-Alive: 5' -H 'TE: trailers' -H 'Proxy-Authorization: Basic eA==' \
    -H 'X-Forwarded-For: 192.0.2.9' -H 'TrackingID: forged' -H 'Authorization: Basic ZW11c2s6c2VjcmV0' -H 'X-End: stays'
check "GET" "200" "$status"
check "target at the origin, without the MRA segment (S14)" "/lab/echo?a=1&b=%20" "$(jq -r .target "$body")"
check "Host at the origin (S14)" "lab.steven.lab:8443" "$(field host)"
check "Via at the origin" "1.1 edge" "$(field via)"
check "hop-by-hop fields are removed" "" "$(field x-hop)$(field keep-alive)$(field te)$(field proxy-authorization)"
check "credentials pass through" "Basic ZW11c2s6c2VjcmV0" "$(field authorization)"
check "other fields pass through" "stays" "$(field x-end)"
check_match "X-Forwarded-For of a peer that is not trusted is replaced" '^(198\.18\.1\.1)?$' "$(field x-forwarded-for)"
check_match "TrackingID of a peer that is not trusted is replaced" '^([0-9a-f-]{36})?$' "$(field trackingid)"
check_match "Via toward the client" '1\.1 edge' "$(tr -d '\r' <"$work/head.out" | sed -n 's/^[Vv]ia: //p')"
until_true 3 test -n "$(log_wait "$mark" 'Detail="Sending Response"')"
ts='[0-9-]{10}T[0-9:]{8}\.[0-9]{3}[+-][0-9]{2}:[0-9]{2} [^ ]+ traffic_server\[[0-9]+\]: '
m='UTCTime="[0-9-]{10} [0-9:]{8},[0-9]{3}" Module="network\.http\.trafficserver" Level="INFO": '
tid='TrackingID="[^"]*" '
lines=$(log_since "$mark" .)
has() { grep -cE -- "$1" <<<"$lines"; }
check "S20 Receive Request" 1 "$(has "^$ts${m}Detail=\"Receive Request\" Txn-id=\"[0-9]+\" ${tid}Src-ip=\"198\.18\.1\.1\" Src-port=\"[0-9]+\" Last-via-addr=\"\" Msg=\"GET $lab/echo\?a=1&b=%20 HTTP/1\.1\"\$")"
check "S21 Request Allowed" 1 "$(has "^${ts}Event=\"Request Allowed\" Detail=\"Access allowed\" Reason=\"In allow list\" Username=\"emusk\" Deployment=\"1\" Method=\"GET\" Request=\"https://lab\.steven\.lab:8443/lab/echo\" Rule=\"https://lab\.steven\.lab:8443/lab/\" Match=\"prefix\" Type=\"The lab's origin\" UTCTime=\"[0-9-]{10} [0-9:]{8},[0-9]{3}\"\$")"
check "S22 Sending Request" 1 "$(has "^$ts${m}Detail=\"Sending Request\" Txn-id=\"[0-9]+\" ${tid}Dst-ip=\"198\.18\.2\.15\" Dst-port=\"8443\" Msg=\"GET /lab/echo\?a=1&b=%20 HTTP/1\.1\"\$")"
check "S23 Receive Response" 1 "$(has "^$ts${m}Detail=\"Receive Response\" Txn-id=\"[0-9]+\" ${tid}Src-ip=\"198\.18\.2\.15\" Src-port=\"8443\" Msg=\"HTTP/1\.1 200 OK\"\$")"
check "S24 Sending Response" 1 "$(has "^$ts${m}Detail=\"Sending Response\" Txn-id=\"[0-9]+\" ${tid}Dst-ip=\"198\.18\.1\.1\" Dst-port=\"[0-9]+\" Msg=\"HTTP/1\.1 200 OK\"\$")"
check "no password in the log" 0 "$(grep -c 'ZW11c2s6c2VjcmV0\|secret' "$work/assayd.log")"

# --- methods, statuses, bodies -----------------------------------------------------------------------------------------
for method in PUT POST DELETE PATCH OPTIONS; do
    fetch "$lab/echo" -X "$method"
    check "$method" "200 $method" "$status $(jq -r .method "$body")"
done
got=$(printf 'HEAD %s/bytes/5000 HTTP/1.1\r\nHost: x\r\n\r\nGET %s/bytes/0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' "$lab" "$lab" | raw | tr -d '\r')
check "HEAD: status, length, no body, the next answer at once" "200 200, 5000 0" \
    "$(sed -n 's/^HTTP\/1.1 \([0-9]*\).*/\1/p' <<<"$got" | paste -sd ' '), $(sed -n 's/^[Cc]ontent-[Ll]ength: //p' <<<"$got" | paste -sd ' ')"
for code in 201 204 301 304 404 500 503; do
    fetch "$lab/status/$code"
    check "status $code passes through" "$code" "$status"
done
fetch "$lab/early/2"
check "103 twice, then 200" "200 2" "$status $(grep -c '^HTTP/1.1 103' "$work/head.out")"
fetch "$lab/bytes/3000000"
want=$(digest 3000000)
check "3 MB with a length" "200 $want" "$status $(sha_body)"
fetch "$lab/chunked/3000000"
check "3 MB chunked" "200 $want" "$status $(sha_body)"
fetch "$lab/until-close/3000000"
check "3 MB until close" "200 $want" "$status $(sha_body)"
fetch "$lab/until-close/3000000" --http1.0 --no-alpn
check "3 MB until close, for an HTTP/1.0 client" "200 $want" "$status $(sha_body)"
fetch "$lab/chunked/3000000" --http1.0 --no-alpn
check "3 MB chunked, for an HTTP/1.0 client" "200 $want" "$status $(sha_body)"
fetch "$plain/bytes/3000000"
check "3 MB from an origin without TLS" "200 $want" "$status $(sha_body)"
head -c 1500000 /dev/urandom >"$work/up.bin"
want=$(sha256sum "$work/up.bin" | cut -d ' ' -f 1)
fetch "$lab/echo" -T "$work/up.bin" -H 'Expect:'
check "upload with a length" "200 1500000 $want" "$status $(jq -r '"\(.body_bytes) \(.body_sha256)"' "$body")"
fetch "$lab/echo" -T "$work/up.bin" -H 'Expect:' -H 'Transfer-Encoding: chunked'
check "upload chunked" "200 1500000 $want" "$status $(jq -r '"\(.body_bytes) \(.body_sha256)"' "$body")"
fetch "$lab/echo" -T "$work/up.bin" -H 'Expect: 100-continue'
check "Expect: 100-continue" "200 1500000 1" "$status $(jq -r .body_bytes "$body") $(grep -c '^HTTP/1.1 100' "$work/head.out")"
fetch "$lab/refuse-expect" -T "$work/up.bin" -H 'Expect: 100-continue'
check "an origin that refuses the expectation" "417" "$status"
fetch "$lab/big-head/20000"
check "a response head of 20 kB" "200" "$status"
fetch "$lab/first-closes"
check "an origin that closes without an answer is asked once more" "200" "$status"
fetch "$lab/last"
check "an origin that closes after its answer" "200" "$status"
statuses=
for way in "$lab" "$plain" "$lab" "$plain" "$lab" "$plain"; do
    fetch "$way/last-reset"
    statuses+=" $status"
    fetch "$way/refuse-body" -T "$work/up.bin" -H 'Expect:'
    statuses+=" $status"
done
check "what an origin says before it resets the connection" " 200 413 200 413 200 413 200 413 200 413 200 413" "$statuses"

# --- connections ---------------------------------------------------------------------------------------------------------
ports=$(printf 'GET %s\n' "$lab/bytes/10" "$lab/status/404" "$(mra_path nowhere.steven.lab 8443)/x" "$lab/chunked/1000" "$cucm/forbidden" "$lab/bytes/70000" |
    lab_exec phone "$here/client.py" keep --ca "$work/pki/edge-root.crt" | sed 's/ bytes.*port=/ /' | awk '{ print $1, $NF }')
check "keep-alive through answers of both sides: statuses" "200 404 502 200 403 200" "$(awk '{ print $1 }' <<<"$ports" | tr '\n' ' ' | sed 's/ $//')"
check "keep-alive through answers of both sides: connections" 1 "$(awk '{ print $2 }' <<<"$ports" | sort -u | wc -l)"
request() { printf 'GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n' "$1" "$SNI" "${2:-}"; }
got=$({ request "$lab/bytes/1"; request "$lab/status/404"; request "$lab/slow-head/0.5"; request "$lab/bytes/2" $'Connection: close\r\n'; } | raw | tr -d '\r')
check "four pipelined requests, answered in order" "200 404 200 200" "$(sed -n 's/^HTTP\/1.1 \([0-9]*\).*/\1/p;s/.\{1,2\}HTTP\/1.1 \([0-9]*\).*/\1/p' <<<"$got" | tr '\n' ' ' | sed 's/ $//')"
check "Connection: close is honoured" "[closed]" "$(tail -n 1 <<<"$got" | grep -o '\[closed\]$')"
got=$(printf 'GET http://%s:8443%s/bytes/3 HTTP/1.1\r\nHost: %s:8443\r\nConnection: close\r\n\r\n' "$SNI" "$lab" "$SNI" | raw | head -n 1 | tr -d '\r')
check_match "absolute form" '^HTTP/1.1 200' "$got"
for version in tls1_2 tls1_3; do
    rm -f "$work/session"
    s_client() { { request "$lab/bytes/1" $'Connection: close\r\n'; sleep 1; } | lab_exec phone openssl s_client -connect "$LAB_PROXY:8443" -servername "$SNI" "-$version" \
        -CAfile "$work/pki/edge-root.crt" -verify_return_error -alpn http/1.1 -ign_eof "$@" 2>&1; }
    got=$(s_client -sess_out "$work/session")
    check "openssl s_client -$version: new, verified, ALPN, answered" "New 0 http/1.1 200" \
        "$(grep -oE '^New' <<<"$got" | head -n 1) $(sed -n 's/^ *Verify return code: \([0-9]*\).*/\1/p' <<<"$got" | head -n 1) $(sed -n 's/^ALPN protocol: //p' <<<"$got" | head -n 1) $(sed -n 's/^HTTP\/1.1 \([0-9]*\).*/\1/p' <<<"$got")"
    got=$(s_client -sess_in "$work/session")
    check "openssl s_client -$version: resumed" "Reused 200" "$(grep -oE '^(New|Reused)' <<<"$got" | head -n 1) $(sed -n 's/^HTTP\/1.1 \([0-9]*\).*/\1/p' <<<"$got")"
done
got=$(lab_exec phone openssl s_client -connect "$LAB_PROXY:8443" -servername "$SNI" -tls1_1 -cipher 'ALL:@SECLEVEL=0' </dev/null 2>&1 | grep -c 'Cipher is (NONE)')
check "TLS 1.1 is refused" 1 "$got"
got=$(lab_exec phone curl -sS --max-time 3 --interface 198.18.7.1 --cacert "$work/pki/edge-root.crt" --resolve "$SNI:8443:$LAB_PROXY" "https://$SNI:8443$lab/echo" 2>&1 | head -n 1)
check_match "a client that is not among clients gets no TLS" '^curl: \((7|35|56)\)' "$got"

# --- what assayd answers itself ------------------------------------------------------------------------------------------
status_of() { raw "$@" | tr -d '\r' | sed -n '1s/^HTTP\/1.1 \([0-9]*\).*/\1/p'; }
check "400: a bad request line" 400 "$(printf 'GET  / HTTP/1.1\r\nHost: x\r\n\r\n' | status_of)"
check "400: both Content-Length and Transfer-Encoding" 400 "$(printf 'POST %s/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' "$lab" | status_of)"
for target in / /cucm-uds/version /abcde/x "$(mra_path cucm.steven.lab 99999)/x" "$(mra_path cucm.steven.lab 8443 ftp)/x" "$lab/../x" "$lab/a//b" "$lab/%2e%2e/x" "$lab/a%2fb"; do
    fetch "$target" --path-as-is
    check "400: $target" 400 "$status"
done
fetch "$lab/echo" -H 'Via: 1.1 edge'
check "400: our own Via" 400 "$status"
for target in "$cucm/axl/" "$cucm/" "$(mra_path lab.steven.lab 9999)/lab/echo" "$(mra_path other.steven.lab 8443)/" "$(mra_path cucm.steven.lab 8443 https other.lab)/cucm-uds/version" "$(mra_path 127.0.0.1 8443)/x" "$(mra_path 198.18.0.10 8443)/x"; do
    fetch "$target"
    check "403: $target" 403 "$status"
done
mark=$(log_mark)
fetch "$cucm/axl/"
check_match "a denial is logged" 'Event="Request Denied".*Request="https://cucm\.steven\.lab:8443/axl/"' "$(log_wait "$mark" 'Request Denied')"
fetch "/$(printf branch.lab | base64 | tr -d =)/get_edge_config"
check "404: a domain without an edge-config server" 404 "$status"
fetch "/$(printf steven.lab | base64 | tr -d =)/cucm-uds/version"
check "one-field path goes to the edge-config server" 200 "$status"
check "408: a head that does not end" "408 [closed]" "$(printf 'GET / HTTP/1.1\r\nHost: x\r\n%%pause\nX: y\r\n' | raw --wait 6 | tr -d '\r' | awk 'NR == 1 { s = $2 } END { sub(/.*\[/, "["); print s, $0 }')"
check "408: a body that does not come" 408 "$(printf 'POST %s/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab' "$lab" | status_of --wait 6)"
head -c 2200000 /dev/zero >"$work/large.bin"
fetch "$lab/echo" -T "$work/large.bin"
check "413: a body over the limit" 413 "$status"
fetch "$lab/echo" -T "$work/large.bin" -H 'Transfer-Encoding: chunked' -H 'Expect:'
check "413: a chunked body over the limit" 413 "$status"
fetch "$lab/echo?$(head -c 9000 /dev/zero | tr '\0' x)"
check "414: a target over the limit" 414 "$status"
fetch "$lab/echo" -H "X-Big: $(head -c 33000 /dev/zero | tr '\0' x)"
check "431: a head over the limit" 431 "$status"
# shellcheck disable=SC2046
fetch "$lab/echo" $(for i in $(seq 110); do echo "-H X-$i:1"; done)
check "431: too many fields" 431 "$status"
fetch "$(mra_path nowhere.steven.lab 8443)/x"
check "502: a name without an address" "502 connect failed" "$status $reason"
check_match "its body says why" 'NXDOMAIN|not.*found|Domain name' "$(cat "$body")"
mark=$(log_mark)
fetch "$(mra_path 198.18.2.15 9443)/x"
check "502: nobody listens" "502 connect failed" "$status $reason"
check "S19: two attempts, each logged" 2 "$(log_wait "$mark" 'Sending Request' | wc -l)"
fetch "$lab/garbage"
check "502: an answer that is no HTTP" "502 connect failed" "$status $reason"
fetch "$lab/close-at-once"
check "502: no answer" "502 connect failed" "$status $reason"
fetch "$(mra_path 198.18.2.199 8443)/x"
check_match "502 or 504: nobody is there" '^50[24]$' "$status"
fetch "$lab/slow-head/6"
check "504: a response that does not begin" 504 "$status"
fetch "$lab/cut"
check_match "a response cut short is cut for the client too" '^curl: \((18|56)\)' "$(cat "$work/curl.err")"
fetch "$lab/stall"
check_match "a response that stalls is ended" '^curl: \((18|56)\)' "$(cat "$work/curl.err")"
# Three connections, two in the queue: of eight at once some are refused, and the refused ones at once or after a second.
for i in $(seq 8); do
    lab_exec phone curl -sS -o /dev/null -w '%{http_code}\n' --max-time 20 --cacert "$work/pki/edge-root.crt" --resolve "$SNI:8443:$LAB_PROXY" "https://$SNI:8443$lab/slow-head/2" >"$work/queue.$i" 2>&1 &
    queued[i]=$!
done
wait "${queued[@]}"
got=$(cat "$work"/queue.? | sort | uniq -c | awk '{ print $2 "x" $1 }' | tr '\n' ' ')
check "503: more than an origin's connections and queue take" "200x3 503x5 " "$got"
fetch "$lab/echo"
check "after all that" 200 "$status"

# --- our client certificate (S18) --------------------------------------------------------------------------------------------
check_match "the origin that asks got our certificate" '"client": [1-9]' "$(grep -m 1 '"client": [1-9]' "$work/lab.jsonl")"
check "no malformed request ever reached the origin" 0 "$(grep -c malformed "$work/lab.jsonl")"
ctl reload >/dev/null
check_below "connections of clients left" 3 "$(counter client_connections_now)"
e2e_end
