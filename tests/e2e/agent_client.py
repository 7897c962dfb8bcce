#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives tests/packet/agent through every call, the Linux kernel (and a few packets made by hand) being its peer. Used by agent.sh:
agent_client.py SOCKET INTERFACE; the kernel is 198.18.0.1 and 2001:db8::1, the agent 198.18.0.2 and 2001:db8::2."""
import errno
import fcntl
import os
import select
import socket
import struct
import sys
import termios
import threading
import time

SOCKET, BIND, LISTEN, ACCEPT, CONNECT, READ, WRITE, CLOSE, SHUTDOWN, SETSOCKOPT, GETSOCKOPT, FCNTL, IOCTL, POLL, RESET = range(1, 16)
KERNEL, AGENT, RAW = "198.18.0.1", "198.18.0.2", "198.18.0.9"
KERNEL6, AGENT6 = "2001:db8::1", "2001:db8::2"
PATH, INTERFACE = sys.argv[1], sys.argv[2]


class Stack:
    """The calls of stack_call.h; an error raises OSError, as the socket module does."""

    def call(self, what, fd=-1, a=0, b=0, c=0, data=b"", timeout=20.0):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(timeout)
            s.connect(PATH)
            s.send(struct.pack("=iiqqqI", what, fd, a, b, c, len(data)) + data)
            reply = s.recv(70000)
        result, error, length = struct.unpack("=qiI", reply[:16])
        assert len(reply) == 16 + length, "the reply is not as long as it says"
        if result < 0:
            raise OSError(error, os.strerror(error))
        assert error == 0
        return result, reply[16:]

    def socket(self, family=socket.AF_INET, flags=0):
        return self.call(SOCKET, a=family, b=socket.SOCK_STREAM | flags)[0]

    def listener(self, port, address="0.0.0.0"):
        fd = self.socket(family_of(address))
        self.setsockopt(fd, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.call(BIND, fd, data=sockaddr(address, port))
        self.call(LISTEN, fd, a=16)
        return fd

    def setsockopt(self, fd, level, name, value):
        self.call(SETSOCKOPT, fd, a=level, b=name, data=value if isinstance(value, bytes) else struct.pack("=i", value))

    def getsockopt(self, fd, level, name, length=4):
        value = self.call(GETSOCKOPT, fd, a=level, b=name, c=length)[1]
        return struct.unpack("=i", value)[0] if length == 4 else value

    def connect(self, fd, address, port):
        return self.call(CONNECT, fd, data=sockaddr(address, port))

    def accept(self, fd):
        result, data = self.call(ACCEPT, fd)
        return result, read_sockaddr(data)

    def read(self, fd, n, flags=0):
        return self.call(READ, fd, a=n, b=flags)[1]

    def write(self, fd, n, flags=0):
        return self.call(WRITE, fd, a=n, b=flags)[0]

    def poll(self, fd, events, timeout=0):
        result, data = self.call(POLL, fd, a=events, b=timeout)
        revents = struct.unpack("=H", data)[0]
        assert result == (1 if revents else 0)
        return revents

    def close(self, fd):
        self.call(CLOSE, fd)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def sockaddr(address, port):
    if ":" in address:
        return struct.pack("=H", socket.AF_INET6) + struct.pack(">HI16sI", port, 0, socket.inet_pton(socket.AF_INET6, address), 0)
    return struct.pack("=H", socket.AF_INET) + struct.pack(">H4s8x", port, socket.inet_aton(address))


def read_sockaddr(data):
    if struct.unpack("=H", data[:2])[0] == socket.AF_INET6:
        port, _, address, _ = struct.unpack(">HI16sI", data[2:28])
        return socket.inet_ntop(socket.AF_INET6, address), port
    port, address = struct.unpack(">H4s", data[2:8])
    return socket.inet_ntoa(address), port


stack = Stack()


def fails(code, what, *arguments):
    try:
        what(*arguments)
    except OSError as e:
        assert e.errno == code, f"{errno.errorcode.get(e.errno)} instead of {errno.errorcode[code]}"
        return
    raise AssertionError(f"no error where {errno.errorcode[code]} is due")


def eventually(what, seconds=5.0):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.01)


def kernel_listener(address=KERNEL):
    s = socket.socket(family_of(address), socket.SOCK_STREAM)
    s.bind((address, 0))
    s.listen(16)
    s.settimeout(10)
    return s, s.getsockname()[1]


def pair(port, address=AGENT, any_address="0.0.0.0"):
    """A connection that the kernel has opened: the agent's listener, its connection, the kernel's socket."""
    listener = stack.listener(port, any_address)
    peer = socket.create_connection((address, port), timeout=10)
    fd, name = stack.accept(listener)
    assert name == peer.getsockname()[:2], f"{name} is not the peer"
    return listener, fd, peer


def recv_all(peer, n):
    data = b""
    while len(data) < n:
        piece = peer.recv(n - len(data))
        assert piece, f"it ends after {len(data)} of {n} bytes"
        data += piece
    return data


# --- what is tested ---------------------------------------------------------------------------------------------------


def passive_open_and_transfer():
    listener, fd, peer = pair(8001)
    assert stack.write(fd, 100000) == 100000
    assert recv_all(peer, 100000) == bytes(100000)
    peer.sendall(b"hello world")
    assert stack.read(fd, 5) == b"hello"
    assert stack.read(fd, 100) == b" world"
    peer.shutdown(socket.SHUT_WR)
    assert stack.read(fd, 100) == b"" and stack.read(fd, 100) == b""
    assert stack.write(fd, 10) == 10
    stack.close(fd)
    assert recv_all(peer, 10) == bytes(10) and peer.recv(1) == b""
    stack.close(listener)


def active_open_and_half_close():
    s, port = kernel_listener()
    fd = stack.socket()
    stack.connect(fd, KERNEL, port)
    peer, name = s.accept()
    assert name[0] == AGENT and stack.getsockopt(fd, socket.SOL_SOCKET, socket.SO_ERROR) == 0
    fails(errno.EISCONN, stack.connect, fd, KERNEL, port)
    stack.write(fd, 1000)
    stack.call(SHUTDOWN, fd, a=socket.SHUT_WR)
    fails(errno.EPIPE, stack.write, fd, 1)
    assert recv_all(peer, 1000) == bytes(1000) and peer.recv(1) == b""
    peer.sendall(b"x" * 5000)
    peer.close()
    assert stack.read(fd, 5000, socket.MSG_WAITALL) == b"x" * 5000
    assert stack.read(fd, 1) == b""
    stack.close(fd)
    fails(errno.EBADF, stack.close, fd)


def peek_dontwait_waitall_fionread():
    listener, fd, peer = pair(8002)
    fails(errno.EAGAIN, stack.read, fd, 10, socket.MSG_DONTWAIT)
    for piece in (b"a" * 1460, b"b" * 1460, b"c" * 1000):
        peer.sendall(piece)
    whole = b"a" * 1460 + b"b" * 1460 + b"c" * 1000
    eventually(lambda: struct.unpack("=i", stack.call(IOCTL, fd, a=termios.FIONREAD)[1])[0] == len(whole))
    assert stack.read(fd, 10000, socket.MSG_PEEK) == whole
    assert stack.read(fd, 2000, socket.MSG_PEEK) == whole[:2000]
    assert stack.read(fd, 3000, socket.MSG_DONTWAIT) == whole[:3000]
    threading.Timer(0.3, lambda: peer.sendall(b"d" * 500)).start()
    assert stack.read(fd, 1420, socket.MSG_WAITALL) == whole[3000:] + b"d" * 500
    threading.Timer(0.2, peer.close).start()
    assert stack.read(fd, 10, socket.MSG_WAITALL) == b""
    fails(errno.EINVAL, stack.read, fd, 10, socket.MSG_OOB)
    stack.close(fd)
    stack.close(listener)


def nonblocking():
    listener = stack.listener(8003)
    stack.call(FCNTL, listener, a=fcntl.F_SETFL, b=os.O_NONBLOCK)
    assert stack.call(FCNTL, listener, a=fcntl.F_GETFL)[0] == os.O_RDWR | os.O_NONBLOCK
    fails(errno.EAGAIN, stack.accept, listener)
    peer = socket.create_connection((AGENT, 8003), timeout=10)
    eventually(lambda: stack.poll(listener, select.POLLIN) == select.POLLIN)
    fd, _ = stack.accept(listener)
    assert stack.call(FCNTL, fd, a=fcntl.F_GETFL)[0] == os.O_RDWR
    stack.call(IOCTL, fd, a=0x5421, data=struct.pack("=i", 1))  # FIONBIO
    fails(errno.EAGAIN, stack.read, fd, 10)
    stack.close(fd)
    peer.close()
    s, port = kernel_listener()
    fd = stack.socket(flags=socket.SOCK_NONBLOCK)
    fails(errno.EINPROGRESS, stack.connect, fd, KERNEL, port)
    eventually(lambda: stack.poll(fd, select.POLLOUT) == select.POLLOUT)
    assert stack.getsockopt(fd, socket.SOL_SOCKET, socket.SO_ERROR) == 0
    fails(errno.EISCONN, stack.connect, fd, KERNEL, port)
    stack.close(fd)
    # to nobody: ARP finds nothing
    fd = stack.socket(flags=socket.SOCK_NONBLOCK)
    fails(errno.EINPROGRESS, stack.connect, fd, "198.18.0.77", 1)
    fails(errno.EALREADY, stack.connect, fd, "198.18.0.77", 1)
    assert stack.poll(fd, select.POLLOUT | select.POLLIN) == 0
    eventually(lambda: stack.poll(fd, select.POLLOUT) & select.POLLERR, 15)
    assert stack.getsockopt(fd, socket.SOL_SOCKET, socket.SO_ERROR) == errno.EHOSTUNREACH
    assert stack.getsockopt(fd, socket.SOL_SOCKET, socket.SO_ERROR) == 0
    stack.close(fd)
    stack.close(listener)


def refused():
    s, port = kernel_listener()
    s.close()
    fd = stack.socket()
    fails(errno.ECONNREFUSED, stack.connect, fd, KERNEL, port)
    fails(errno.ECONNREFUSED, stack.connect, fd, KERNEL, port)
    stack.close(fd)
    try:
        socket.create_connection((AGENT, 8999), timeout=5)
        raise AssertionError("a port that nobody listens on accepts")
    except ConnectionRefusedError:
        pass


def wrong_calls():
    fails(errno.EBADF, stack.read, 0, 1)
    fails(errno.EBADF, stack.close, 500)
    fails(errno.EAFNOSUPPORT, stack.call, SOCKET, -1, socket.AF_UNIX, socket.SOCK_STREAM)
    fails(errno.ESOCKTNOSUPPORT, stack.call, SOCKET, -1, socket.AF_INET, socket.SOCK_DGRAM)
    fails(errno.EPROTONOSUPPORT, stack.call, SOCKET, -1, socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_UDP)
    fd, other = stack.socket(), stack.socket()
    fails(errno.ENOSYS, stack.call, 99, fd)
    fails(errno.ENOTCONN, stack.read, fd, 1)
    fails(errno.EPIPE, stack.write, fd, 1)
    fails(errno.ENOTCONN, stack.call, SHUTDOWN, fd, socket.SHUT_WR)
    fails(errno.EINVAL, stack.call, SHUTDOWN, fd, 9)
    fails(errno.EINVAL, stack.accept, fd)
    fails(errno.EADDRNOTAVAIL, stack.call, BIND, fd, 0, 0, 0, sockaddr(KERNEL, 8004))
    fails(errno.EAFNOSUPPORT, stack.call, BIND, fd, 0, 0, 0, sockaddr(AGENT6, 8004))
    fails(errno.EINVAL, stack.call, BIND, fd, 0, 0, 0, sockaddr(AGENT, 8004)[:6])
    stack.call(BIND, fd, data=sockaddr(AGENT, 8004))
    fails(errno.EINVAL, stack.call, BIND, fd, 0, 0, 0, sockaddr(AGENT, 8005))
    fails(errno.EADDRINUSE, stack.call, BIND, other, 0, 0, 0, sockaddr("0.0.0.0", 8004))
    for s in (fd, other):
        stack.setsockopt(s, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    stack.call(BIND, other, data=sockaddr("0.0.0.0", 8004))
    stack.call(LISTEN, fd, a=1)
    stack.call(LISTEN, fd, a=5)
    third = stack.socket()
    stack.setsockopt(third, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    fails(errno.EADDRINUSE, stack.call, BIND, third, 0, 0, 0, sockaddr(AGENT, 8004))
    fails(errno.EINVAL, stack.call, SETSOCKOPT, third, socket.SOL_SOCKET, socket.SO_REUSEADDR, 0, b"\0")
    fails(errno.ENOPROTOOPT, stack.getsockopt, third, socket.IPPROTO_TCP, 9999)
    fails(errno.EINVAL, stack.call, FCNTL, third, 12345)
    fails(errno.EINVAL, stack.call, IOCTL, third, 12345)
    for s in (fd, other, third):
        stack.close(s)


def options():
    listener, fd, peer = pair(8006)
    assert stack.getsockopt(listener, socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    assert stack.getsockopt(fd, socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 0
    assert stack.getsockopt(fd, socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
    assert stack.getsockopt(fd, socket.SOL_SOCKET, socket.SO_DOMAIN) == socket.AF_INET
    assert stack.getsockopt(fd, socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
    stack.setsockopt(fd, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    assert stack.getsockopt(fd, socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    stack.setsockopt(fd, socket.IPPROTO_TCP, 12345, 1)
    stack.setsockopt(fd, 4711, 1, b"anything at all")
    assert 536 <= stack.getsockopt(fd, socket.IPPROTO_TCP, socket.TCP_MAXSEG) <= 1460
    info = stack.getsockopt(fd, socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    assert len(info) == 104 and info[0] == 1, "not ESTABLISHED"
    rto, rtt, cwnd = struct.unpack_from("=I", info, 8)[0], struct.unpack_from("=I", info, 68)[0], struct.unpack_from("=I", info, 80)[0]
    assert rto >= 200000 and 0 < rtt < 1000000 and cwnd >= 10, (rto, rtt, cwnd)
    assert len(stack.getsockopt(fd, socket.IPPROTO_TCP, socket.TCP_INFO, 20)) == 20
    peer.close()
    eventually(lambda: stack.getsockopt(fd, socket.IPPROTO_TCP, socket.TCP_INFO, 104)[0] == 8)  # CLOSE-WAIT
    stack.close(fd)
    stack.close(listener)


def resets():
    linger = struct.pack("=ii", 1, 0)
    listener, fd, peer = pair(8007)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    threading.Timer(0.2, peer.close).start()
    fails(errno.ECONNRESET, stack.read, fd, 1)
    assert stack.read(fd, 1) == b""
    fails(errno.EPIPE, stack.write, fd, 1)
    assert stack.poll(fd, select.POLLIN) & select.POLLHUP
    stack.close(fd)
    # ours, by SO_LINGER 0 and by leaving something unread
    for unread in (False, True):
        peer = socket.create_connection((AGENT, 8007), timeout=10)
        fd, _ = stack.accept(listener)
        if unread:
            peer.sendall(b"nobody reads this")
            eventually(lambda: stack.poll(fd, select.POLLIN))
        else:
            stack.setsockopt(fd, socket.SOL_SOCKET, socket.SO_LINGER, linger)
        stack.close(fd)
        fails(errno.ECONNRESET, peer.recv, 1)
        peer.close()
    # closing a listener takes along who waits there
    peer = socket.create_connection((AGENT, 8007), timeout=10)
    eventually(lambda: stack.poll(listener, select.POLLIN))
    stack.close(listener)
    fails(errno.ECONNRESET, peer.recv, 1)


def polling():
    listener, fd, peer = pair(8008)
    begin = time.monotonic()
    assert stack.poll(fd, select.POLLIN, 300) == 0
    assert 0.28 < time.monotonic() - begin < 3
    assert stack.poll(fd, select.POLLIN | select.POLLOUT, 5000) == select.POLLOUT
    threading.Timer(0.2, lambda: peer.sendall(b"x")).start()
    assert stack.poll(fd, select.POLLIN, -1) == select.POLLIN
    peer.shutdown(socket.SHUT_WR)
    eventually(lambda: stack.poll(fd, select.POLLIN | 0x2000) == select.POLLIN | 0x2000)  # POLLRDHUP
    stack.call(SHUTDOWN, fd, a=socket.SHUT_WR)
    assert stack.poll(fd, 0) == select.POLLHUP
    stack.close(fd)
    stack.close(listener)


def calls_do_not_hold_each_other():
    listener, fd, peer = pair(8009)
    polled_peer = socket.create_connection((AGENT, 8009), timeout=10)
    polled, _ = stack.accept(listener)
    seen = []
    waiting = [threading.Thread(target=lambda: seen.append(stack.read(fd, 5))),
               threading.Thread(target=lambda: seen.append(stack.accept(listener)[1][0])),
               threading.Thread(target=lambda: seen.append(stack.poll(polled, select.POLLIN, 10000)))]
    for t in waiting:
        t.start()
    time.sleep(0.3)
    assert seen == [] and stack.write(fd, 100) == 100
    assert recv_all(peer, 100) == bytes(100)
    other = socket.create_connection((AGENT, 8009), timeout=10)
    peer.sendall(b"there")
    polled_peer.sendall(b"x")
    for t in waiting:
        t.join(10)
    assert len(seen) == 3 and b"there" in seen and KERNEL in seen and select.POLLIN in seen, seen
    # a client that goes away while it waits leaves nothing behind
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(PATH)
        s.send(struct.pack("=iiqqqI", READ, fd, 5, 0, 0, 0))
        time.sleep(0.1)
    time.sleep(0.1)
    peer.sendall(b"again")
    assert stack.read(fd, 5) == b"again"
    # what is no request is not answered
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(5)
        s.connect(PATH)
        s.send(b"nonsense")
        assert s.recv(100) == b""
    other.close()
    polled_peer.close()
    stack.close(polled)
    stack.close(fd)
    stack.close(listener)


def backpressure():
    listener, fd, peer = pair(8010)
    total = 0
    while True:
        try:
            total += stack.write(fd, 1000000, socket.MSG_DONTWAIT)
        except BlockingIOError:
            if stack.poll(fd, select.POLLOUT, 300) == 0:
                break
    assert total > 100000
    done = []
    writer = threading.Thread(target=lambda: done.append(stack.write(fd, 3000000)))
    writer.start()
    time.sleep(0.3)
    assert done == [], "it did not wait"
    assert recv_all(peer, total + 3000000).count(0) == total + 3000000
    writer.join(10)
    assert done == [3000000]
    # close() that lingers waits until all has arrived
    stack.setsockopt(fd, socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 5))
    stack.write(fd, 50000)
    stack.close(fd)
    assert recv_all(peer, 50000) == bytes(50000) and peer.recv(1) == b""
    stack.close(listener)


def ip6():
    listener, fd, peer = pair(8011, AGENT6, "::")
    peer.sendall(b"six")
    assert stack.read(fd, 3, socket.MSG_WAITALL) == b"six"
    stack.close(fd)
    assert peer.recv(1) == b""
    s, port = kernel_listener(KERNEL6)
    fd = stack.socket(socket.AF_INET6)
    stack.connect(fd, KERNEL6, port)
    peer, name = s.accept()
    assert name[0] == AGENT6
    stack.write(fd, 10)
    assert recv_all(peer, 10) == bytes(10)
    stack.close(fd)
    stack.close(listener)


# --- packets by hand --------------------------------------------------------------------------------------------------


class Raw:
    """A host 198.18.0.9 on the wire, that does only what it is told to (and answers ARP)."""

    def __init__(self):
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.s.bind((INTERFACE, 0))
        self.s.settimeout(0.05)
        self.mac = bytes.fromhex(open(f"/sys/class/net/{INTERFACE}/address").read().strip().replace(":", ""))
        self.us, self.agent = socket.inet_aton(RAW), socket.inet_aton(AGENT)
        self.agent_mac = None
        self.s.send(b"\xff" * 6 + self.mac + struct.pack(">HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + self.mac + self.us + bytes(6) + self.agent)
        self.next(lambda f: False, 0.5)
        assert self.agent_mac, "no answer to ARP"

    def next(self, wanted, seconds=3.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                f = self.s.recv(2000)
            except TimeoutError:
                continue
            if f[12:14] == b"\x08\x06" and f[28:32] == self.agent:
                self.agent_mac = f[6:12]
                if f[20:22] == b"\0\1" and f[38:42] == self.us:
                    self.s.send(f[6:12] + self.mac + f[12:20] + b"\0\2" + self.mac + self.us + f[22:32])
            elif f[12:14] == b"\x08\x00" and f[23] == 6 and f[26:30] == self.agent and wanted(f):
                ports, seq, ack, offset, flags = f[34:38], *struct.unpack(">IIBB", f[38:48])
                return struct.unpack(">HH", ports), seq, ack, flags, f[34 + (offset >> 4) * 4:14 + struct.unpack(">H", f[16:18])[0]]
        return None

    def tcp(self, port, flags, seq, ack=0, data=b"", source=7777):
        header = struct.pack(">HHIIBBHHH", source, port, seq, ack, 5 << 4, flags, 65535, 0, 0)
        pseudo = self.us + self.agent + struct.pack(">BBH", 0, 6, len(header) + len(data))
        header = header[:16] + struct.pack(">H", checksum(pseudo + header + data)) + header[18:]
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(header) + len(data), 1, 0, 64, 6, 0, self.us, self.agent)
        ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
        self.s.send((self.agent_mac + self.mac + b"\x08\x00" + ip + header + data).ljust(60, b"\0"))

    def answer(self, seconds=3.0):
        return self.next(lambda f: f[30:34] == self.us, seconds)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def packets_by_hand():
    raw = Raw()
    raw.tcp(8012, SYN, 1000)
    assert raw.answer()[2:4] == (1001, RST | ACK), "a closed port must answer RST"
    listener = stack.listener(8012)
    raw.tcp(8012, SYN, 1000)
    ports, seq, ack, flags, _ = raw.answer()
    assert ports == (8012, 7777) and ack == 1001 and flags == SYN | ACK
    raw.tcp(8012, ACK, 1001, seq + 77)
    assert raw.answer()[1:4:2] == (seq + 77, RST)
    raw.tcp(8012, ACK, 1001, seq + 1)
    fd, name = stack.accept(listener)
    assert name == (RAW, 7777)
    stack.write(fd, 100)
    _, at, ack, flags, data = raw.answer()
    assert (at, ack, flags, data) == (seq + 1, 1001, PSH | ACK, bytes(100))
    # not acknowledged: it comes again
    _, at, _, _, data = raw.answer()
    assert (at, data) == (seq + 1, bytes(100))
    raw.tcp(8012, PSH | ACK, 1001, seq + 101, b"by hand")
    assert stack.read(fd, 100) == b"by hand"
    assert raw.answer()[1:4] == (seq + 101, 1008, ACK)
    # in the window, not exact: challenged; exact: believed
    raw.tcp(8012, RST, 1050)
    assert raw.answer()[1:4] == (seq + 101, 1008, ACK)
    raw.tcp(8012, RST, 1008)
    fails(errno.ECONNRESET, stack.read, fd, 1)
    assert raw.answer(0.3) is None
    stack.close(fd)
    stack.close(listener)


def reset_of_everything():
    raw = Raw()
    listener, fd, peer = pair(8013)
    closed_peer = socket.create_connection((AGENT, 8013), timeout=10)
    closed, _ = stack.accept(listener)
    stack.close(closed)
    raw.tcp(8013, SYN, 1)
    _, seq, _, _, _ = raw.answer()
    raw.tcp(8013, ACK, 2, seq + 1)
    waiting = []

    def wait():
        try:
            stack.read(fd, 1)
        except OSError as e:
            waiting.append(e.errno)

    reader = threading.Thread(target=wait)
    reader.start()
    time.sleep(0.2)
    stack.call(RESET)
    at = raw.answer()
    assert at and at[3] & RST and at[1] == seq + 1, f"no RST on the wire: {at}"
    reader.join(10)
    assert waiting == [errno.EBADF], waiting
    fails(errno.ECONNRESET, peer.recv, 1)
    # also where close() had left the rest to the stack
    assert closed_peer.recv(1) == b""
    fails(errno.EPIPE, lambda: (closed_peer.send(b"x"), time.sleep(0.2), closed_peer.send(b"x")))
    for s in (listener, fd):
        fails(errno.EBADF, stack.close, s)
    fails(errno.ECONNREFUSED, socket.create_connection, (AGENT, 8013), 5)
    # and it goes on from there
    passive_open_and_transfer()


def main():
    tests = [passive_open_and_transfer, active_open_and_half_close, peek_dontwait_waitall_fionread, nonblocking, refused, wrong_calls, options,
             resets, polling, calls_do_not_hold_each_other, backpressure, ip6, packets_by_hand, reset_of_everything]
    failed = 0
    for test in tests:
        begin = time.monotonic()
        try:
            test()
            print(f"ok   {test.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)
        except Exception as e:
            failed += 1
            import traceback
            line = traceback.extract_tb(e.__traceback__)
            where = " < ".join(str(f.lineno) for f in reversed(line))
            print(f"FAIL {test.__name__}: {type(e).__name__}: {e} (lines {where})", flush=True)
            try:
                stack.call(RESET)
            except OSError:
                pass
    print(f"{len(tests) - failed} of {len(tests)}")
    sys.exit(1 if failed else 0)


main()
