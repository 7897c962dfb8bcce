/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_PACKET_STACK_CALL_H
#define ASSAY_TESTS_PACKET_STACK_CALL_H
/* How a packet-script tool drives a TCP stack that is not the kernel's: socket calls, one a connection of a UNIX SOCK_SEQPACKET
 * socket: the tool connects, sends one request, gets one reply, and the agent closes. A call that blocks holds its connection
 * and no other. Meaning and errno values of each call are POSIX's (XSH 2.10), numbers (families, options, flags) Linux's.
 * Byte order is the machine's; of data only what is used travels: the message is cut behind it. */
#include <stdint.h>

#define STACK_DATA_MAX 60000

enum stack_call {
    STACK_SOCKET = 1, /* a = domain, b = type (with SOCK_NONBLOCK), c = protocol; result: a descriptor of the agent's */
    STACK_BIND,       /* data = struct sockaddr_in or sockaddr_in6 */
    STACK_LISTEN,     /* a = backlog */
    STACK_ACCEPT,     /* result: a descriptor; data = the peer's address */
    STACK_CONNECT,    /* data = the peer's address */
    STACK_READ,       /* a = bytes wanted, b = MSG_ flags; data = what was read */
    STACK_WRITE,      /* a = bytes to send (zeros, whatever data is), b = MSG_ flags */
    STACK_CLOSE,      /* waits as SO_LINGER says */
    STACK_SHUTDOWN,   /* a = SHUT_RD, SHUT_WR, SHUT_RDWR */
    STACK_SETSOCKOPT, /* a = level, b = name, data = value; what is not known succeeds */
    STACK_GETSOCKOPT, /* a = level, b = name, c = room for the value; data = value */
    STACK_FCNTL,      /* a = command, b = argument */
    STACK_IOCTL,      /* a = request, data = its int, if it takes one; data = its int, if it gives one */
    STACK_POLL,       /* a = events, b = timeout, ms, -1 for none; result 0 or 1; data = uint16_t revents */
    STACK_RESET,      /* every connection ends at once, with a RST to its peer; every descriptor is closed */
};

struct stack_request {
    int32_t call, fd;
    int64_t a, b, c;
    uint32_t length; /* of data */
    unsigned char data[STACK_DATA_MAX];
};

struct stack_reply {
    int64_t result; /* -1: see error */
    int32_t error;  /* errno, 0 where there is none */
    uint32_t length;
    unsigned char data[STACK_DATA_MAX];
};

#endif
