#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=120 build=release parallel
#
# The other kind of virtual port: the same assayd on AF_XDP instead of AF_PACKET. (The release build: libxdp leaks a little when a port
# is closed, and the sanitizer would say so.)
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin xdp
origins_start
ASSAY_PORT_DEVICE=$(lab_device af_xdp)
assay_config
assay_start
cucm=$(mra_path cucm.steven.lab 8443)
head -c 30000000 /dev/urandom >"$work/www/lab/cucm-uds/lab/30m.bin"
want=$(sha256sum "$work/www/lab/cucm-uds/lab/30m.bin" | cut -d ' ' -f 1)
check "ping" 0 "$(lab_exec phone ping -q -c 3 -i 0.2 -W 2 "$LAB_PROXY" >/dev/null; echo $?)"
fetch "$cucm/cucm-uds/version"
check "a request" 200 "$status"
fetch "$cucm/cucm-uds/lab/30m.bin"
check "30 MB down" "200 $want" "$status $(sha256sum "$body" | cut -d ' ' -f 1)"
fetch "$cucm/cucm-uds/lab/up.bin" -T "$work/www/lab/cucm-uds/lab/30m.bin" -H 'Expect:'
check "30 MB up" "201 $want" "$status $(sha256sum "$work/www/lab/cucm-uds/lab/up.bin" | cut -d ' ' -f 1)"
lab_exec phone wrk -t 1 -c 16 -d 5s -s "$here/statuses.lua" "https://$LAB_PROXY:8443" -- "$cucm/cucm-uds/version" >"$work/wrk.out" 2>&1
check_above "wrk, 5 s: answers of 200" 100 "$(sed -n 's/^status 200 //p' "$work/wrk.out")"
check "no other answer, no error" "" "$(grep -E '^status |Socket' "$work/wrk.out" | grep -v '^status 200 ')"
e2e_end
