/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sends SYNs of sources that do not exist, for tests/e2e/flood.sh: a number of them, at a rate, and ends. The sources are drawn from
 * a prefix inside 198.18.0.0/15 (RFC 2544), the only network it sends to as well.
 * usage: syn_flood SOURCE/BITS DESTINATION PORT COUNT PER-SECOND */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH     32
#define COUNT_MAX 5000000
#define LAB_NET   0xc6120000u /* 198.18.0.0 */
#define LAB_MASK  0xfffe0000u /* /15 */

/* IPv4 without options, TCP with MSS, SACK-permitted, timestamps and window scale, as Linux sends it. */
struct syn {
    uint8_t version_ihl, tos;
    uint16_t length_be, id_be, fragment_be;
    uint8_t ttl, protocol;
    uint16_t ip_checksum;
    uint32_t source_be, destination_be;
    uint16_t source_port_be, destination_port_be;
    uint32_t seq_be, ack_be;
    uint8_t offset, flags;
    uint16_t window_be, checksum, urgent_be;
    uint8_t options[20];
};

struct target {
    uint32_t prefix, host_mask, destination;
    uint16_t port;
    uint32_t count, per_second;
};

static uint64_t random_state = 88172645463325252u;

static uint32_t random32(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

static uint32_t sum_words(const void *data, size_t len)
{
    const uint8_t *bytes = data;
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

static void make_syn(struct syn *syn, const struct target *target)
{
    static const uint8_t options[20] = {2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7};
    const size_t tcp_len = sizeof(*syn) - 20;

    *syn = (struct syn){.version_ihl = 0x45,
                        .length_be = htons(sizeof(*syn)),
                        .ttl = 64,
                        .protocol = IPPROTO_TCP,
                        .source_be = htonl(target->prefix | (random32() & target->host_mask)),
                        .destination_be = htonl(target->destination),
                        .source_port_be = htons((uint16_t)(1024 + random32() % 60000)),
                        .destination_port_be = htons(target->port),
                        .seq_be = random32(),
                        .offset = (uint8_t)(tcp_len / 4 << 4),
                        .flags = 0x02,
                        .window_be = htons(64240)};
    memcpy(syn->options, options, sizeof(options));
    /* The kernel fills in the IP checksum; ours covers pseudo header and segment. */
    syn->checksum = fold(sum_words(&syn->source_be, 8) + IPPROTO_TCP + (uint32_t)tcp_len +
                         sum_words(&syn->source_port_be, tcp_len));
}

static bool read_target(char **argv, struct target *target)
{
    char *slash = strchr(argv[1], '/');
    struct in_addr source, destination;
    int bits;

    if (slash == NULL)
        return false;
    *slash = '\0';
    bits = atoi(slash + 1);
    if (inet_pton(AF_INET, argv[1], &source) != 1 || inet_pton(AF_INET, argv[2], &destination) != 1 || bits < 15 ||
        bits > 32)
        return false;
    target->host_mask = bits == 32 ? 0 : UINT32_MAX >> bits;
    target->prefix = ntohl(source.s_addr) & ~target->host_mask;
    target->destination = ntohl(destination.s_addr);
    target->port = (uint16_t)atoi(argv[3]);
    target->count = (uint32_t)strtoul(argv[4], NULL, 10);
    target->per_second = (uint32_t)strtoul(argv[5], NULL, 10);
    return (target->prefix & LAB_MASK) == LAB_NET && (target->destination & LAB_MASK) == LAB_NET && target->port != 0 &&
           target->count > 0 && target->count <= COUNT_MAX && target->per_second >= 1000;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint32_t send_all(int fd, const struct target *target)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(target->destination)};
    struct mmsghdr messages[BATCH] = {0};
    struct iovec pieces[BATCH];
    static struct syn syns[BATCH];
    uint64_t start_ns = now_ns();
    uint32_t sent = 0;

    for (int i = 0; i < BATCH; i++) {
        pieces[i] = (struct iovec){&syns[i], sizeof(syns[i])};
        messages[i].msg_hdr =
            (struct msghdr){.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &pieces[i], .msg_iovlen = 1};
    }
    while (sent < target->count) {
        uint64_t due_ns = start_ns + (uint64_t)sent * 1000000000 / target->per_second, now = now_ns();
        uint32_t n = target->count - sent < BATCH ? target->count - sent : BATCH;
        int done;

        if (now < due_ns) {
            const struct timespec nap = {.tv_nsec = (long)(due_ns - now)};

            nanosleep(&nap, NULL);
        }
        for (uint32_t i = 0; i < n; i++)
            make_syn(&syns[i], target);
        done = sendmmsg(fd, messages, n, 0);
        if (done < 0) {
            perror("syn_flood: sendmmsg");
            break;
        }
        sent += (uint32_t)done;
    }
    printf("sent %u in %lu ms\n", sent, (now_ns() - start_ns) / 1000000);
    return sent;
}

int main(int argc, char **argv)
{
    struct target target;
    uint32_t sent;
    int fd;

    if (argc != 6 || !read_target(argv, &target)) {
        fprintf(stderr, "usage: syn_flood SOURCE/BITS DESTINATION PORT COUNT PER-SECOND\n"
                        "  inside 198.18.0.0/15 only; at most 5000000, at least 1000 a second\n");
        return 2;
    }
    fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (fd < 0) {
        perror("syn_flood: socket");
        return 1;
    }
    sent = send_all(fd, &target);
    close(fd);
    return sent == target.count ? 0 : 1;
}
