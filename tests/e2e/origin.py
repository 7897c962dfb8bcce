#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An origin that does what a path asks for, and writes down what it saw.

usage: origin.py --listen ADDRESS:PORT[=PKI-NAME] ... [--pki DIR] [--record FILE] [--tls 1.2|1.3] [--ask-certificate]

A listener without PKI-NAME is plain HTTP. With one it serves DIR/PKI-NAME.pem; "=sni" serves the certificate named by
the first label of the client's SNI. Each connection becomes one line of JSON in FILE when it ends: address, handshake
("ok", "failed", "plain"), alert (what the client's alert was called), sni, version, cipher, resumed, client (subject
of the client's certificate), requests, request_bytes (of decrypted request bytes, whole or not), bytes (of TCP, in).

Paths (behind any prefix that ends in /lab):
  /echo                200 with what was received, as JSON: method, target, headers, trailers, body_bytes, body_sha256
  /bytes/N             N bytes of the pattern, with Content-Length
  /chunked/N           the same, chunked in uneven pieces, with a trailer
  /until-close/N       the same, ended by close
  /status/N            that status; 204 and 304 without a body
  /early/N             N interim 103 responses, then 200
  /refuse-expect       417 at once, never 100
  /slow-head/S         200 after S seconds
  /stall               half of a body, then silence for 60 s
  /cut                 half of a body, then a reset
  /close-at-once       the connection ends without an answer
  /first-closes        the first request on the path ends without an answer, the second is answered
  /garbage             bytes that are no HTTP
  /big-head/N          a response head with a field of N bytes
  /last                200 with Connection: close
  /last-reset          the same, and a reset behind it
  /refuse-body         413 at once, and a reset behind it
"""
import argparse
import hashlib
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time

PATTERN = hashlib.shake_256(b"assay").digest(1 << 20)
BLOCK = 1 << 18


class Connection:
    """One accepted connection; TLS is done over BIOs so that the bytes of both layers can be counted."""

    def __init__(self, sock, context):
        self.sock = sock
        self.row = {"handshake": "plain", "alert": "", "sni": "", "requests": 0, "request_bytes": 0, "bytes": 0}
        self.buffer = bytearray()
        self.tls = None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
            self.tls.assay_row = self.row

    def flush(self):
        data = self.outgoing.read()
        if data:
            self.sock.sendall(data)

    def feed(self):
        data = self.sock.recv(BLOCK)
        self.row["bytes"] += len(data)
        if not data:
            self.incoming.write_eof()
            return False
        self.incoming.write(data)
        return True

    def handshake(self):
        if not self.tls:
            return True
        self.row["handshake"] = "failed"
        try:
            while True:
                try:
                    self.tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    self.flush()
                    if not self.feed():
                        self.row["alert"] = "(closed)"
                        return False
            self.flush()
        except ssl.SSLError as error:
            self.row["alert"] = (error.reason or str(error)).lower()
            try:
                self.flush()
            except OSError:
                pass
            return False
        subject = self.tls.getpeercert(binary_form=True)
        self.row.update(handshake="ok", version=self.tls.version(), cipher=self.tls.cipher()[0],
                        resumed=self.tls.session_reused, client=len(subject) if subject else 0)
        return True

    def recv(self):
        """Some plaintext, or b"" at the end."""
        if not self.tls:
            data = self.sock.recv(BLOCK)
            self.row["bytes"] += len(data)
        else:
            while True:
                try:
                    data = self.tls.read(BLOCK)
                    break
                except ssl.SSLWantReadError:
                    self.flush()
                    self.feed()
                except ssl.SSLZeroReturnError:
                    return b""
                except ssl.SSLError as error:
                    self.row["alert"] = (error.reason or str(error)).lower()
                    return b""
        self.row["request_bytes"] += len(data)
        return data

    def send(self, data):
        if not self.tls:
            self.sock.sendall(data)
            return
        view = memoryview(data)
        while view:
            n = self.tls.write(view[:BLOCK])
            view = view[n:]
            self.flush()

    def more(self):
        data = self.recv()
        if not data:
            raise EOFError
        self.buffer += data

    def line(self):
        while b"\r\n" not in self.buffer:
            if len(self.buffer) > 1 << 17:
                raise ValueError("a line without an end")
            self.more()
        line, _, rest = bytes(self.buffer).partition(b"\r\n")
        self.buffer = bytearray(rest)
        return line

    def take(self, count, sink):
        while count:
            if not self.buffer:
                self.more()
            part = self.buffer[:count]
            del self.buffer[:count]
            sink.update(part)
            count -= len(part)

    def close(self, reset=False):
        try:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif self.tls and self.row["handshake"] == "ok":
                try:
                    self.tls.unwrap()
                except ssl.SSLError:
                    pass
                self.flush()
        except OSError:
            pass
        self.sock.close()


class Request:
    def __init__(self, connection):
        first = connection.line().decode("latin-1").split(" ")
        if len(first) != 3 or not first[2].startswith("HTTP/1."):
            raise ValueError("start line %r" % first)
        self.method, self.target, self.version = first
        self.fields, self.trailers = [], []
        while True:
            line = connection.line().decode("latin-1")
            if not line:
                break
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError("field %r" % line)
            self.fields.append((name.lower(), value.strip()))
        self.body_bytes, self.digest = 0, hashlib.sha256()

    def get(self, name):
        return ", ".join(v for n, v in self.fields if n == name)

    def read_body(self, connection):
        if "100-continue" in self.get("expect").lower():
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in self.get("transfer-encoding").lower():
            while True:
                size = int(connection.line().split(b";")[0], 16)
                if not size:
                    break
                connection.take(size, self.digest)
                self.body_bytes += size
                if connection.line():
                    raise ValueError("chunk without its end")
            while line := connection.line().decode("latin-1"):
                self.trailers.append(line)
        elif self.get("content-length"):
            self.body_bytes = int(self.get("content-length"))
            connection.take(self.body_bytes, self.digest)


def pattern(start, count):
    start %= len(PATTERN)
    return (PATTERN[start:] + PATTERN)[:count] if start else PATTERN[:count]


def head(status, *fields):
    return ("HTTP/1.1 %s\r\n" % status + "".join(f + "\r\n" for f in fields) + "\r\n").encode("latin-1")


def send_pattern(connection, count):
    sent = 0
    while sent < count:
        part = min(BLOCK, count - sent)
        connection.send(pattern(sent, part))
        sent += part


class Origin:
    def __init__(self, arguments):
        self.arguments = arguments
        self.record_lock = threading.Lock()
        self.record = open(arguments.record, "a", buffering=1) if arguments.record else None
        self.contexts = {}
        self.refused_once = set()

    def context(self, name):
        """The context that serves this certificate; "sni": the one named by the client."""
        if name in self.contexts:
            return self.contexts[name]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}.get(self.arguments.tls)
        if version:
            context.minimum_version = context.maximum_version = version
        if self.arguments.ask_certificate:
            context.load_verify_locations(os.path.join(self.arguments.pki, "root.crt"))
            context.verify_mode = ssl.CERT_OPTIONAL
        base = os.path.join(self.arguments.pki, "selfsigned" if name == "sni" else name)
        context.load_cert_chain(base + ".pem", base + ".key")

        def on_sni(tls, sni, _):
            tls.assay_row["sni"] = sni or ""
            if name == "sni" and sni:
                label = sni.split(".")[0]
                if os.path.exists(os.path.join(self.arguments.pki, label + ".pem")):
                    tls.context = self.context(label)

        context.sni_callback = on_sni
        self.contexts[name] = context
        return context

    def answer(self, connection, request):
        """Returns whether the connection stays open."""
        path = request.target.split("?")[0].split("/lab", 1)[-1]
        word, _, argument = path.strip("/").partition("/")
        if word == "refuse-expect":
            connection.send(head("417 Expectation Failed", "Content-Length: 0", "Connection: close"))
            return False
        if word == "refuse-body":
            connection.send(head("413 Too Much", "Content-Length: 4", "Connection: close") + b"much")
            return None
        request.read_body(connection)
        keep = "close" not in request.get("connection").lower()
        has_body = request.method != "HEAD"
        if word in ("bytes", "until-close"):
            count = int(argument)
            length = ["Content-Length: %d" % count] if word == "bytes" else ["Connection: close"]
            connection.send(head("200 OK", "Content-Type: application/octet-stream", *length))
            if has_body:
                send_pattern(connection, count)
            return keep and word == "bytes"
        if word == "chunked":
            connection.send(head("200 OK", "Transfer-Encoding: chunked", "Trailer: X-End"))
            if has_body:
                self.send_chunked(connection, int(argument))
        elif word == "status":
            code = int(argument)
            body = b"" if code in (204, 304) else b"status %d\n" % code
            length = [] if code in (204, 304) else ["Content-Length: %d" % len(body)]
            connection.send(head("%d Lab" % code, *length) + (body if has_body else b""))
        elif word == "early":
            for _ in range(int(argument)):
                connection.send(head("103 Early Hints", "Link: </style.css>; rel=preload"))
            connection.send(head("200 OK", "Content-Length: 3") + (b"ok\n" if has_body else b""))
        elif word == "slow-head":
            time.sleep(float(argument))
            connection.send(head("200 OK", "Content-Length: 3") + b"ok\n")
        elif word == "stall":
            connection.send(head("200 OK", "Content-Length: 1000") + PATTERN[:500])
            time.sleep(60)
            return False
        elif word == "cut":
            connection.send(head("200 OK", "Content-Length: 100000") + PATTERN[:50000])
            time.sleep(0.3)
            return None
        elif word == "close-at-once":
            return False
        elif word == "first-closes":
            if request.target not in self.refused_once:
                self.refused_once.add(request.target)
                return False
            connection.send(head("200 OK", "Content-Length: 3") + b"ok\n")
        elif word == "garbage":
            connection.send(b"\x00\x01 this is not HTTP\r\n\r\n")
            return False
        elif word == "big-head":
            connection.send(head("200 OK", "X-Big: " + "x" * int(argument), "Content-Length: 3") + b"ok\n")
        elif word == "last":
            connection.send(head("200 OK", "Content-Length: 3", "Connection: close") + b"ok\n")
            return False
        elif word == "last-reset":
            connection.send(head("200 OK", "Content-Length: 3", "Connection: close") + b"ok\n")
            return None
        else:
            body = json.dumps({"method": request.method, "target": request.target, "fields": request.fields,
                               "trailers": request.trailers, "body_bytes": request.body_bytes,
                               "body_sha256": request.digest.hexdigest()}).encode() + b"\n"
            fields = ["Content-Type: application/json", "Content-Length: %d" % len(body)]
            connection.send(head("200 OK", *fields) + (body if has_body else b""))
        return keep

    @staticmethod
    def send_chunked(connection, count):
        sent, size = 0, 1
        while sent < count:
            part = min(size, count - sent)
            connection.send(b"%x\r\n" % part + pattern(sent, part) + b"\r\n")
            sent += part
            size = size * 3 + 1 if size < BLOCK else 7
        connection.send(b"0\r\nX-End: yes\r\n\r\n")

    def serve(self, sock, name, address):
        connection = Connection(sock, self.context(name) if name else None)
        connection.row["address"] = address
        keep = False
        sock.settimeout(90)
        try:
            if connection.handshake():
                keep = True
                while keep:
                    while not connection.buffer:
                        connection.more()
                    request = Request(connection)
                    connection.row["requests"] += 1
                    keep = self.answer(connection, request)
        except (EOFError, ConnectionError, socket.timeout, BrokenPipeError, ssl.SSLError):
            pass
        except ValueError as error:
            connection.row["malformed"] = str(error)
        connection.close(reset=keep is None)
        if self.record:
            with self.record_lock:
                self.record.write(json.dumps(connection.row) + "\n")

    def listen(self, spec):
        where, _, name = spec.partition("=")
        host, port = where.rsplit(":", 1)
        if name:
            self.context(name)
        listener = socket.create_server((host, int(port)), backlog=1024)
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=self.serve, args=(sock, name, where), daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", action="append", required=True)
    parser.add_argument("--pki", default=".")
    parser.add_argument("--record")
    parser.add_argument("--tls", choices=("1.2", "1.3"))
    parser.add_argument("--ask-certificate", action="store_true")
    origin = Origin(parser.parse_args())
    threads = [threading.Thread(target=origin.listen, args=(spec,)) for spec in origin.arguments.listen]
    for thread in threads:
        thread.daemon = True
        thread.start()
    for thread in threads:
        thread.join()
    sys.exit(1)


if __name__ == "__main__":
    main()
