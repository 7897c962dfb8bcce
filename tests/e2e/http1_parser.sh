#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=300 parallel
#
# 200 raw requests of other projects' test suites against the HTTP folder alone (http1_shim, on loopback): all as the suite
# expects. Skipped where the suite is not beside this clone.
set -euo pipefail
cd "$(dirname "$0")/../.."
suite=$PWD/../shared/suites
build=${ASSAY_BUILD:-$PWD/build}
[ -x "$suite/run-http1" ] || { echo "no ../shared/suites/run-http1"; exit 77; }

origin_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
coproc shim { exec "$build/tests/suites/http1_shim" "$origin_port"; }
pid=$!
trap 'kill "$pid" 2>/dev/null || true' EXIT
read -r port <&"${shim[0]}"

"$suite/run-http1" --origin "127.0.0.1:$origin_port" --idle 0.1 "$@" "127.0.0.1:$port"
