#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=175 long
#
# http_cases.sh through a listener without TLS.
exec "$(dirname "$0")/http_cases.sh" --plain
