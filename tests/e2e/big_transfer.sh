#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=280 build=release
#
# BIG_BYTES (250 MB; scripts/test --long: 1 GB) down and up through both TLS connections, and a fifth of it chunked: the same SHA-256
# at both ends; and a client that reads slowly holds a bounded buffer only.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

size=${BIG_BYTES:-250000000}
e2e_begin big
origins_start
lab_origin lab --listen 198.18.2.15:8443=lab --listen 198.18.2.15:8080
assay_config
assay_start
lab=$(mra_path lab.steven.lab 8443)/lab

curl_phone() { lab_exec phone curl -sS --max-time 120 --cacert "$work/pki/edge-root.crt" --resolve "$SNI:8443:$LAB_PROXY" "$@"; }
# size_of WAY; plain SIZE: straight from the origin
size_of() { if [ "$1" = chunked ]; then echo $((size / 5)); else echo "$size"; fi; }
plain() { lab_exec origin curl -sS "http://198.18.2.15:8080/lab/bytes/$1"; }
rate() { awk -v b="$1" -v t="$2" 'BEGIN { printf "%.0f MB/s", b / t / 1e6 }'; }

heap_before=$(heap)
for way in bytes chunked; do
    bytes=$(size_of $way)
    # Straight from the origin at the same time: the same pattern.
    plain "$bytes" | sha256sum >"$work/want.$bytes" &
    direct=$!
    got=$(curl_phone -w '%{stderr}%{time_total} %{http_code}' "https://$SNI:8443$lab/$way/$bytes" 2>"$work/time" | tee "$work/big.$bytes" | sha256sum | cut -d ' ' -f 1)
    wait "$direct"
    check "$bytes bytes down, $way" "$(cut -d ' ' -f 1 "$work/want.$bytes") 200" "$got $(cut -d ' ' -f 2 "$work/time")"
    ok "rate, beside the origin's own: $(rate "$bytes" "$(cut -d ' ' -f 1 "$work/time")")"
done
for way in length chunked; do
    bytes=$(size_of $way)
    fields=(-H 'Expect:')
    [ "$way" = length ] || fields+=(-H 'Transfer-Encoding: chunked')
    curl_phone -T "$work/big.$bytes" "${fields[@]}" -w '\n%{time_total} %{http_code}' "https://$SNI:8443$lab/echo" >"$work/up.out"
    check "$bytes bytes up, $way" "$bytes $(cut -d ' ' -f 1 "$work/want.$bytes") 200" \
        "$(head -n 1 "$work/up.out" | jq -r '"\(.body_bytes) \(.body_sha256)"') $(tail -n 1 "$work/up.out" | cut -d ' ' -f 2)"
    ok "rate: $(rate "$bytes" "$(tail -n 1 "$work/up.out" | cut -d ' ' -f 1)")"
done

# Backpressure: a client that takes 2 MB/s of a response of 1 GB for three seconds must not make assayd hold the rest.
lab_exec phone curl -sS --max-time 3 --limit-rate 2M --cacert "$work/pki/edge-root.crt" --resolve "$SNI:8443:$LAB_PROXY" -o /dev/null "https://$SNI:8443$lab/bytes/1000000000" 2>/dev/null &
slow=$!
sleep 2
before=$(jq -s 'length' "$work/lab.jsonl")
resident=$(awk '/^VmRSS/ { print $2 }' "/proc/$assay_pid/status")
wait "$slow"
until_true 5 test "$(jq -s 'length' "$work/lab.jsonl")" -gt "$before"
check_below "resident memory with a slow reader, KiB" 1500000 "$resident"
check_above "the origin was told to stop: its connection ended" "$before" "$(jq -s 'length' "$work/lab.jsonl")"
sleep 1
check_below "heap after it all, bytes above the start" 300000 "$(($(heap) - heap_before))"
e2e_end
