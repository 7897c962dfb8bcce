#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=120 parallel
#
# nginx, HAProxy and openssl s_server as origins, TLS 1.2 and 1.3, each with certificates of four key types: verified, asked, answered.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin matrix
origins_start
lab_origin plain --listen 198.18.2.15:8080
kinds="rsa ecdsa p384 ed25519"
head -c 700000 /dev/urandom >"$work/www/file.bin"
want=$(sha256sum "$work/www/file.bin" | cut -d ' ' -f 1)

# matrix PORT-BASE CALLBACK: a port for each of version and kind
port_of() # BASE VERSION KIND
{
    local index=0 kind
    for kind in $kinds; do
        [ "$kind" = "$3" ] && break
        index=$((index + 1))
    done
    echo $(($1 + ($2 - 2) * 10 + index))
}

old_modules() { echo "user root; daemon off; worker_processes 1; pid $work/m.pid; error_log $work/m-error.log warn; events { worker_connections 512; }"; }
{
    old_modules
    echo "http { access_log off; default_type application/octet-stream; client_body_temp_path $work/mb; proxy_temp_path $work/mp;"
    echo "fastcgi_temp_path $work/mf; uwsgi_temp_path $work/mu; scgi_temp_path $work/ms;"
    for kind in $kinds; do
        for v in 2 3; do
            echo "server { listen 198.18.2.17:$(port_of 9100 "$v" "$kind") ssl; ssl_protocols TLSv1.$v; root $work/www;"
            echo "ssl_certificate $work/pki/matrix-$kind.pem; ssl_certificate_key $work/pki/matrix-$kind.key; }"
        done
    done
    echo "}"
} >"$work/matrix.conf"
start matrix-nginx origin nginx -c "$work/matrix.conf" -e "$work/m-error.log"

{
    printf 'global\n  maxconn 1000\ndefaults\n  mode http\n  timeout client 30s\n  timeout server 30s\n  timeout connect 5s\n  default_backend plain\n'
    for kind in $kinds; do
        cat "$work/pki/matrix-$kind.pem" "$work/pki/matrix-$kind.key" >"$work/haproxy-$kind.pem"
        for v in 2 3; do
            printf 'frontend f%s%s\n  bind 198.18.2.17:%s ssl crt %s ssl-min-ver TLSv1.%s ssl-max-ver TLSv1.%s\n' "$kind" "$v" \
                "$(port_of 9200 "$v" "$kind")" "$work/haproxy-$kind.pem" "$v" "$v"
        done
    done
    printf 'backend plain\n  server lab 198.18.2.15:8080\n'
} >"$work/haproxy.cfg"
start matrix-haproxy origin haproxy -db -f "$work/haproxy.cfg"

for kind in $kinds; do
    for v in 2 3; do
        (cd "$work/www" && lab_spawn origin "$work/s_server.out" openssl s_server -accept "198.18.2.17:$(port_of 9300 "$v" "$kind")" "-tls1_$v" \
            -cert "$work/pki/matrix-$kind.crt" -key "$work/pki/matrix-$kind.key" -cert_chain "$work/pki/issuing.crt" -WWW -quiet)
    done
done
for base in 9100 9200 9300; do
    until_true 10 listens origin 198.18.2.17 "$(port_of $base 3 ed25519)" || die "an origin of $base did not start: $(tail -n 3 "$work"/matrix-*.out "$work/m-error.log" "$work/s_server.out")"
done

rules=()
for base in 9100 9200 9300; do
    for kind in $kinds; do
        for v in 2 3; do
            rules+=("https://matrix.steven.lab:$(port_of $base "$v" "$kind")/,1,\"GET,POST\",prefix,matrix")
        done
    done
done
allow_list "${rules[@]}"
assay_config
assay_start

sha_body() { sha256sum "$body" | cut -d ' ' -f 1; }
for kind in $kinds; do
    for v in 2 3; do
        fetch "$(mra_path matrix.steven.lab "$(port_of 9100 "$v" "$kind")")/file.bin"
        check "nginx, TLS 1.$v, $kind: a file" "200 $want" "$status $(sha_body)"
        fetch "$(mra_path matrix.steven.lab "$(port_of 9100 "$v" "$kind")")/file.bin" -H 'Range: bytes=0-99'
        check "nginx, TLS 1.$v, $kind: the next request" "206 100" "$status $(wc -c <"$body")"
        fetch "$(mra_path matrix.steven.lab "$(port_of 9200 "$v" "$kind")")/lab/echo" -d "$(head -c 5000 /dev/zero | tr '\0' y)"
        check "HAProxy, TLS 1.$v, $kind: a POST" "200 5000" "$status $(jq -r .body_bytes "$body" 2>/dev/null)"
        fetch "$(mra_path matrix.steven.lab "$(port_of 9200 "$v" "$kind")")/lab/chunked/400000"
        check "HAProxy, TLS 1.$v, $kind: a chunked response" "200 400000" "$status $(wc -c <"$body")"
        fetch "$(mra_path matrix.steven.lab "$(port_of 9300 "$v" "$kind")")/file.bin"
        check "openssl s_server, TLS 1.$v, $kind: a file until close" "200 $want" "$status $(sha_body)"
    done
done
e2e_end
