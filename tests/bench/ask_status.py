#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks assayd for its status over and over while a command runs, for publish.sh: how long an answer takes meanwhile.

usage: ask_status.py SOCKET COMMAND...
Prints "SECONDS COUNT MEDIAN LONGEST": of the command, and of the answers, in milliseconds."""
import socket
import subprocess
import sys
import time

QUESTION = b"GET /v1/status HTTP/1.1\r\nHost: assayd\r\nConnection: close\r\n\r\n"


def ask(path):
    """Milliseconds until the whole answer was there."""
    begin = time.monotonic()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(path)
        connection.sendall(QUESTION)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    if not answer.startswith(b"HTTP/1.1 200"):
        sys.exit(f"ask_status.py: {answer[:100]!r}")
    return (time.monotonic() - begin) * 1000


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    begin = time.monotonic()
    times = []
    with subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL) as command:
        while command.poll() is None:
            times.append(ask(sys.argv[1]))
        took = time.monotonic() - begin
    times.sort()
    print(f"{took:.2f} {len(times)} {times[len(times) // 2]:.2f} {times[-1]:.2f}")


if __name__ == "__main__":
    main()
