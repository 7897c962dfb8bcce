#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=290 build=release
#
# two_cores.sh on AF_XDP: both queues of the interface have a socket, a core each. Shorter than on af_packet.
export TWO_CORES_SECONDS=${TWO_CORES_SECONDS:-6}
exec "$(dirname "$0")/two_cores.sh" af_xdp
