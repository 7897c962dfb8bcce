#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=175 parallel
#
# The 200 raw requests of the suites folder beside this clone (../shared/suites), through a TLS listener whose default origin is the
# driver itself. tests/suites/http1.expect, if there is one, argues each difference.
#
# http_cases.sh [--plain]: through a listener without TLS
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

suite=$top/../shared/suites/run-http1
[ -x "$suite" ] || { echo "skipped: no ../shared/suites beside this clone"; exit 77; }
e2e_begin http
dns_start
ASSAY_LISTENERS='  - {port: 8080, tls: off, clients: 198.18.0.0/15, origin: "http://198.18.2.18:9001"}
  - {port: 8443, clients: 198.18.0.0/15, origin: "http://198.18.2.18:9001"}'
ASSAY_LIMITS="{request_body_max: 1MiB}"
ASSAY_TIMEOUTS="{client_head: 4s, client_body: 4s, origin_head: 4s, origin_idle: 1s}"
assay_config
assay_start
expect=()
[ ! -f "$top/tests/suites/http1.expect" ] || expect=(--expect-file "$top/tests/suites/http1.expect")
listener="198.18.0.10:8443 --tls"
[ "${1:-}" != --plain ] || listener=198.18.0.10:8080
# shellcheck disable=SC2086
lab_exec origin "$suite" $listener --host "$SNI" --origin 198.18.2.18:9001 "${expect[@]}" >"$work/cases.out" 2>&1
rc=$?
grep -E '^(UNEXPECTED|LISTED)' "$work/cases.out" | while read -r word id; do
    echo "$word $id"
    grep -F "FAIL $id " "$work/cases.out"
done
if [ "$rc" != 0 ] && ! grep -qE '^(UNEXPECTED|LISTED)' "$work/cases.out"; then tail -n 40 "$work/cases.out"; fi
check "$listener: $(tail -n 1 "$work/cases.out"); exit code" 0 "$rc"
e2e_end
