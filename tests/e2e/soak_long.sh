#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=420 build=release long
#
# soak.sh for five minutes.
exec "$(dirname "$0")/soak.sh" --long
