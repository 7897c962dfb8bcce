#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's side of tcp.sh: clients of tcp_peer's services, and a server for its connections. Exit 0: every byte was right.

usage: tcp_peer.py put|get|echo ADDRESS BYTES [CONNECTIONS]
       tcp_peer.py terms ADDRESS BITS              a connection on which the kernel has agreed to TCPI_OPT_ BITS (linux/tcp.h)
       tcp_peer.py ecn ADDRESS 0|1                 a connection on which there is ECN, and text that comes is ECT; or neither
       tcp_peer.py churn ADDRESS CONNECTIONS       connections one after the other, eight at a time
       tcp_peer.py serve ADDRESS PORT CONNECTIONS  echoes each to its end"""
import socket
import sys
import threading
import time

PERIOD = 251
BLOCK = bytes(range(PERIOD)) * 4096
failures = []


def send_all(sock, total):
    at = 0
    while at < total:
        start = at % PERIOD
        sock.sendall(memoryview(BLOCK)[start:start + min(total - at, len(BLOCK) - start)])
        at += min(total - at, len(BLOCK) - start)


def receive_all(sock, total):
    buffer = bytearray(512 * 1024)
    at = 0
    while True:
        n = sock.recv_into(buffer)
        if n == 0:
            break
        # Of two byte strings: comparing views goes element by element.
        if buffer[:n] != BLOCK[at % PERIOD:at % PERIOD + n]:
            raise ValueError(f"wrong bytes after {at}")
        at += n
    if at != total:
        raise ValueError(f"{at} bytes instead of {total}")


def put(address, total):
    with socket.create_connection((address, 9), 20) as sock:
        sock.settimeout(120)
        send_all(sock, total)
        sock.shutdown(socket.SHUT_WR)
        answer = sock.makefile().read()
        if answer != f"{total} 0\n":
            raise ValueError(f"answer {answer!r}")


def get(address, total):
    with socket.create_connection((address, 19), 20) as sock:
        sock.settimeout(120)
        sock.sendall(b"%d\n" % total)
        receive_all(sock, total)


def echo(address, total):
    with socket.create_connection((address, 7), 20) as sock:
        sock.settimeout(120)
        sender = threading.Thread(target=lambda: (send_all(sock, total), sock.shutdown(socket.SHUT_WR)))
        sender.start()
        receive_all(sock, total)
        sender.join()


def guarded(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:
        failures.append(f"{function.__name__}: {type(error).__name__} {error}")


def in_parallel(function, count, *arguments):
    threads = [threading.Thread(target=guarded, args=(function, *arguments)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def churn(address, count):
    for i in range(count):
        echo_once(address, i)


def echo_once(address, i):
    with socket.create_connection((address, 7), 20) as sock:
        sock.settimeout(20)
        message = b"message %d" % i
        sock.sendall(message)
        got = b""
        while len(got) < len(message):
            piece = sock.recv(100)
            if not piece:
                raise ValueError("ended early")
            got += piece
        if got != message:
            raise ValueError(f"{got!r}")


def terms(address, want):
    """1 timestamps, 2 SACK, 4 window scaling: tcpi_options, the sixth byte of struct tcp_info."""
    with socket.create_connection((address, 7), 20) as sock:
        got = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5] & 7
        if got != want:
            raise ValueError(f"options {got} instead of {want}")
        sock.settimeout(20)
        sock.sendall(b"x")
        if sock.recv(10) != b"x":
            raise ValueError("no echo")


def ecn(address, want):
    """8 it was agreed on, 16 ECT was seen, of tcpi_options."""
    with socket.create_connection((address, 7), 20) as sock:
        sock.settimeout(20)
        sock.sendall(b"x")
        if sock.recv(10) != b"x":
            raise ValueError("no echo")
        got = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5] & 24
        if got != want * 24:
            raise ValueError(f"options {got} instead of {want * 24}")


def serve(address, port, count):
    with socket.create_server((address, port), backlog=512) as server:
        print("serving", flush=True)

        def one(sock):
            with sock:
                while True:
                    data = sock.recv(256 * 1024)
                    if not data:
                        break
                    sock.sendall(data)

        threads = []
        for _ in range(count):
            sock, _ = server.accept()
            threads.append(threading.Thread(target=guarded, args=(one, sock)))
            threads[-1].start()
        for thread in threads:
            thread.join()


def main():
    mode, address, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    more = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    started = time.time()
    if mode == "serve":
        guarded(serve, address, number, more)
    elif mode == "churn":
        in_parallel(churn, 8, address, number // 8)
    else:
        in_parallel({"put": put, "get": get, "echo": echo, "terms": terms, "ecn": ecn}[mode], more, address, number)
    seconds = time.time() - started
    print(f"{mode} {number} x {more}: {seconds:.2f} s, {number * more / seconds / 1e6:.0f} MB/s", *failures, sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
