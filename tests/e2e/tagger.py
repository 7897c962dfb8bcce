#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cable that is an access port at one end and a trunk at the other.

usage: tagger.py ACCESS TRUNK VLAN|none

Frames from ACCESS leave TRUNK with that VLAN's tag (priority 5); frames that come in on TRUNK with it leave ACCESS without.
Others are dropped, as a switch does. With "none" frames pass as they are."""
import select
import socket
import struct
import sys

SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING = 263, 8, 4
VLAN_VALID = 1 << 4
ETH_P_ALL = 3


def open_interface(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.bind((name, 0))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    return s


def receive(s):
    """A frame and its tag (-1: none), or None: it was on its way out."""
    frame, controls, _, where = s.recvmsg(2048, 64)
    if where[2] == PACKET_OUTGOING:
        return None
    for level, kind, data in controls:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, tci = struct.unpack_from("I", data)[0], struct.unpack_from("H", data, 16)[0]
            if status & VLAN_VALID:
                return frame, tci
    if frame[12:14] == b"\x81\0":
        return frame[:12] + frame[16:], struct.unpack_from(">H", frame, 14)[0]
    return frame, -1


def main():
    access, trunk = open_interface(sys.argv[1]), open_interface(sys.argv[2])
    vlan = -1 if sys.argv[3] == "none" else int(sys.argv[3])
    tag = b"" if vlan < 0 else struct.pack(">HH", 0x8100, 5 << 13 | vlan)
    print("ready", flush=True)
    while True:
        for s in select.select([access, trunk], [], [])[0]:
            got = receive(s)
            if got is None:
                continue
            frame, tci = got
            try:
                if s is access and tci < 0:
                    trunk.send(frame[:12] + tag + frame[12:])
                elif s is trunk and (tci & 0xFFF if tci >= 0 else -1) == vlan:
                    access.send(frame)
            except OSError as error:
                print(error, file=sys.stderr)


if __name__ == "__main__":
    main()
