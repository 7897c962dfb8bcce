#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS clients with which a test can do what curl cannot.

client.py keep  --connect A:P --sni NAME --ca FILE
    One connection. Each line "METHOD TARGET" on stdin is sent as a request; one line comes back: "STATUS REASON
    bytes=N sha256=… port=LOCAL-PORT" (the port shows that it is still the same connection), or "closed WHY".

client.py crowd --connect A:P --sni NAME --ca FILE --clients N --rounds R TARGET...
    Opens N connections, all of them open at once, and only then sends a request on each, R times. Prints a line of
    JSON: connected, answers by status, errors, seconds. Exit 0 when each got R answers of status 200.

client.py raw   --connect A:P --sni NAME --ca FILE [--wait S] [--pause S]
    Sends stdin as it is (a line "%pause" on its own in it makes a pause), half-closes nothing, prints what comes until
    the other side closes or is silent for S seconds.
"""
import argparse
import asyncio
import collections
import hashlib
import http.client
import json
import os
import socket
import ssl
import sys
import time


def context(arguments):
    tls = ssl.create_default_context(cafile=arguments.ca)
    tls.set_alpn_protocols(["http/1.1"])
    return tls


def address(arguments):
    host, port = arguments.connect.rsplit(":", 1)
    return host, int(port)


class Kept(http.client.HTTPConnection):
    """http.client over one TLS connection to an address; it must not silently connect a second time."""

    auto_open = 0

    def __init__(self, arguments):
        super().__init__(arguments.sni, 8443, timeout=arguments.timeout)
        raw = socket.create_connection(address(arguments), timeout=arguments.timeout)
        self.sock = context(arguments).wrap_socket(raw, server_hostname=arguments.sni)


def keep(arguments):
    connection = None
    for line in sys.stdin:
        method, target = line.split()
        try:
            if connection is None or connection.sock is None: # none yet, or the last answer said close
                connection = Kept(arguments)
            port = connection.sock.getsockname()[1]
            connection.request(method, target, headers={"Authorization": "Basic ZW11c2s6c2VjcmV0"})
            answer = connection.getresponse()
            body = answer.read()
            print(answer.status, answer.reason, "bytes=%d" % len(body),
                  "sha256=" + hashlib.sha256(body).hexdigest(), "port=%d" % port, flush=True)
        except (OSError, http.client.HTTPException) as error:
            print("closed", type(error).__name__, error, flush=True)
            connection = None
    return 0


async def crowd_member(arguments, tls, barrier, seen):
    host, port = address(arguments)
    target = arguments.target[seen["started"] % len(arguments.target)]
    seen["started"] += 1
    request = "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (target, arguments.sni)
    writer = None
    try:
        try:
            async with barrier["gate"]:
                reader, writer = await asyncio.wait_for(
                    asyncio.open_connection(host, port, ssl=tls, server_hostname=arguments.sni), arguments.timeout)
            seen["connected"] += 1
        finally:
            barrier["left"] -= 1
            if barrier["left"] == 0:
                barrier["all"].set()
        await barrier["all"].wait()
        for _ in range(arguments.rounds):
            writer.write(request.encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), arguments.timeout)
            fields = head.decode("latin-1").lower().split("\r\n")
            length = next((int(f[15:]) for f in fields if f.startswith("content-length:")), 0)
            await asyncio.wait_for(reader.readexactly(length), arguments.timeout)
            seen["status"][fields[0].split()[1]] += 1
    except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ValueError, ssl.SSLError) as error:
        seen["errors"][type(error).__name__ + " " + str(error)[:80]] += 1
    finally:
        if writer:
            writer.close()


async def crowd_all(arguments):
    tls = context(arguments)
    seen = {"started": 0, "connected": 0, "status": collections.Counter(), "errors": collections.Counter()}
    barrier = {"left": arguments.clients, "all": asyncio.Event(), "gate": asyncio.Semaphore(200)}
    start = time.monotonic()
    await asyncio.gather(*(crowd_member(arguments, tls, barrier, seen) for _ in range(arguments.clients)))
    seen["seconds"] = round(time.monotonic() - start, 1)
    print(json.dumps(seen))
    return 0 if seen["status"]["200"] == arguments.clients * arguments.rounds and not seen["errors"] else 1


def raw(arguments):
    sock = context(arguments).wrap_socket(socket.create_connection(address(arguments), timeout=10),
                                          server_hostname=arguments.sni)
    data = sys.stdin.buffer.read()
    try:
        for i, part in enumerate(data.split(b"%pause\n")):
            if i:
                time.sleep(arguments.pause)
            sock.sendall(part)
    except OSError as error:
        print("send failed:", error, file=sys.stderr)
    sock.settimeout(arguments.wait)
    try:
        while part := sock.recv(65536):
            sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
        ended = "closed"
    except socket.timeout:
        ended = "silent"
    except OSError as error:
        ended = "failed: %s" % error
    sys.stdout.buffer.flush()
    print("[%s]" % ended, flush=True)
    # The answer is all we wanted: no shutdown handshake with whoever is there.
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=("keep", "crowd", "raw"))
    parser.add_argument("--connect", default="198.18.0.10:8443")
    parser.add_argument("--sni", default="vcs_control.steven.lab")
    parser.add_argument("--ca", required=True)
    parser.add_argument("--timeout", type=float, default=30)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--wait", type=float, default=3)
    parser.add_argument("--pause", type=float, default=0.5)
    parser.add_argument("target", nargs="*")
    arguments = parser.parse_intermixed_args()
    if arguments.mode == "crowd":
        return asyncio.run(crowd_all(arguments))
    return {"keep": keep, "raw": raw}[arguments.mode](arguments)


if __name__ == "__main__":
    sys.exit(main())
