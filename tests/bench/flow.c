/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's ends of tests/bench/tcp.sh, with the services of tests/e2e/tcp_peer.c, so that the same client measures either
 * server:
 *   flow serve ADDRESS            port 9: reads to the end; port 19: reads "BYTES\n", sends so many
 *   flow get ADDRESS SECONDS      from port 19: what arrives
 *   flow put ADDRESS SECONDS      to port 9: what is acknowledged
 * get and put print "BYTES MICROSECONDS", counted from the end of the handshake. Congestion control is CUBIC; buffers are
 * those of the sysctls. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT_DISCARD 9
#define PORT_SOURCE  19
#define CHUNK        (256 * 1024)

static char chunk[CHUNK];

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct sockaddr_in address_of(const char *text, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    if (inet_pton(AF_INET, text, &address.sin_addr) != 1) {
        fprintf(stderr, "flow: %s is no IPv4 address\n", text);
        exit(2);
    }
    return address;
}

static void fail(const char *what)
{
    fprintf(stderr, "flow: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* By socket: a namespace's default may only be what the host's administrator allows everybody. */
static int new_socket(void)
{
    static const char cubic[] = "cubic";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cubic, sizeof(cubic) - 1) != 0)
        fail("CUBIC");
    return fd;
}

/* --- server ----------------------------------------------------------------------------------------------------------- */

static void discard(int fd)
{
    while (read(fd, chunk, CHUNK) > 0)
        ;
}

static void source(int fd)
{
    char line[32] = {0};
    uint64_t left;

    for (size_t at = 0; at < sizeof(line) - 1 && memchr(line, '\n', at) == NULL;) {
        ssize_t n = read(fd, line + at, sizeof(line) - 1 - at);

        if (n <= 0)
            return;
        at += (size_t)n;
    }
    for (left = strtoull(line, NULL, 10); left > 0;) {
        ssize_t n = write(fd, chunk, left < CHUNK ? (size_t)left : CHUNK);

        if (n <= 0)
            return;
        left -= (uint64_t)n;
    }
}

static int listen_on(const char *text, uint16_t port)
{
    struct sockaddr_in address = address_of(text, port);
    int fd = new_socket(), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 16) != 0)
        fail("listen");
    return fd;
}

static int serve(const char *text)
{
    struct pollfd polls[2] = {{.fd = listen_on(text, PORT_DISCARD), .events = POLLIN},
                              {.fd = listen_on(text, PORT_SOURCE), .events = POLLIN}};

    signal(SIGCHLD, SIG_IGN);
    printf("ready\n");
    fflush(stdout);
    while (poll(polls, 2, -1) >= 0) {
        for (int i = 0; i < 2; i++) {
            int fd = polls[i].revents != 0 ? accept(polls[i].fd, NULL, NULL) : -1;

            if (fd < 0)
                continue;
            if (fork() == 0) {
                i == 0 ? discard(fd) : source(fd);
                _exit(0);
            }
            close(fd);
        }
    }
    fail("poll");
    return 1;
}

/* --- client ----------------------------------------------------------------------------------------------------------- */

static uint64_t acknowledged(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        fail("TCP_INFO");
    return info.tcpi_bytes_acked;
}

/* Moves bytes until end_us; how many. */
static uint64_t move(int fd, bool get, uint64_t end_us)
{
    struct pollfd poll_fd = {.fd = fd, .events = get ? POLLIN : POLLOUT};
    uint64_t bytes = 0, now;

    while ((now = now_us()) < end_us) {
        ssize_t n;

        if (poll(&poll_fd, 1, (int)((end_us - now) / 1000) + 1) <= 0)
            continue;
        n = get ? read(fd, chunk, CHUNK) : write(fd, chunk, CHUNK);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            fail(get ? "the connection ended while reading" : "the connection ended while writing");
        bytes += n > 0 ? (uint64_t)n : 0;
    }
    return get ? bytes : acknowledged(fd);
}

static int measure(const char *text, bool get, double seconds)
{
    static const char order[] = "1000000000000\n";
    struct sockaddr_in address = address_of(text, get ? PORT_SOURCE : PORT_DISCARD);
    struct linger at_once = {.l_onoff = 1};
    int fd = new_socket();
    uint64_t start_us, bytes;

    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("connect");
    if (get && write(fd, order, sizeof(order) - 1) != (ssize_t)sizeof(order) - 1)
        fail("write");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    start_us = now_us();
    bytes = move(fd, get, start_us + (uint64_t)(seconds * 1e6));
    printf("%" PRIu64 " %" PRIu64 "\n", bytes, now_us() - start_us);
    /* What is still under way is nobody's business any more. */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    if (argc == 4 && (strcmp(argv[1], "get") == 0 || strcmp(argv[1], "put") == 0))
        return measure(argv[2], *argv[1] == 'g', strtod(argv[3], NULL));
    fprintf(stderr, "usage: flow serve ADDRESS | flow get|put ADDRESS SECONDS\n");
    return 2;
}
