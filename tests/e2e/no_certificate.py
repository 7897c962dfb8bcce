#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TLS 1.2 server that has no certificate and says so: an empty Certificate message (which RFC 5246 7.4.2 forbids).

usage: no_certificate.py ADDRESS PORT
Prints a line for each connection: "alert LEVEL NUMBER", or "no alert" when the client went without one.
"""
import os
import socket
import sys


def record(kind, body):
    return bytes([kind, 3, 3]) + len(body).to_bytes(2, "big") + body


def handshake(kind, body):
    return record(22, bytes([kind]) + len(body).to_bytes(3, "big") + body)


def take(sock, count):
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def serve(sock):
    """What the client answers to ServerHello, Certificate, ServerHelloDone."""
    head = take(sock, 5)
    take(sock, int.from_bytes(head[3:], "big"))
    hello = b"\x03\x03" + os.urandom(32) + b"\0" + b"\xc0\x2b" + b"\0"  # TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    sock.sendall(handshake(2, hello) + handshake(11, b"\0\0\0") + handshake(14, b""))
    while True:
        head = take(sock, 5)
        body = take(sock, int.from_bytes(head[3:], "big"))
        if head[0] == 21:
            return f"alert {body[0]} {body[1]}"


listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    client, _ = listener.accept()
    client.settimeout(10)
    try:
        answer = serve(client)
    except (EOFError, OSError):
        answer = "no alert"
    print(answer, flush=True)
    client.close()
