/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bad path between two interfaces: what comes in at one leaves at the other, late, out of order, twice, or never. Both
 * directions are treated the same, each by a random sequence of its own that the seed decides, so that two runs over the same
 * path lose the same packets by number. IP packets only: ARP passes at once and unharmed.
 * usage: wire INTERFACE INTERFACE [--KEY NUMBER]...; see keys[] */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST        64
#define FRAME_MAX    9216
#define BUFFER_BYTES (16 << 20)
#define MILLION      1000000
/* How often it looks while packets are under way. Woken for each of them, the path would spend the processor it shares with the
 * client on context switches, and a sender would be measured by how many of those it causes. */
#define TURN_NS 50000

struct settings {
    uint64_t loss_ppm, duplicate_ppm, reorder_ppm;
    uint64_t delay_us, jitter_us; /* jitter: how late a reordered or duplicated packet is at most */
    uint64_t rate_kbit, queue_bytes;
    uint64_t seed;
};

static const struct {
    const char *name, *help;
    size_t offset;
} keys[] = {
    {"--loss", "packets in a million that are lost", offsetof(struct settings, loss_ppm)},
    {"--duplicate", "packets in a million that come twice", offsetof(struct settings, duplicate_ppm)},
    {"--reorder", "packets in a million that are late by up to --jitter", offsetof(struct settings, reorder_ppm)},
    {"--delay", "microseconds each way", offsetof(struct settings, delay_us)},
    {"--jitter", "microseconds", offsetof(struct settings, jitter_us)},
    {"--rate", "kbit/s each way, 0: no limit", offsetof(struct settings, rate_kbit)},
    {"--queue", "bytes that wait for the rate; what comes beyond is lost", offsetof(struct settings, queue_bytes)},
    {"--seed", "of the random sequences", offsetof(struct settings, seed)},
};

struct packet {
    struct packet *next, *prev;
    uint64_t due_ns;
    uint32_t len;
    uint8_t bytes[];
};

/* One direction. */
struct lane {
    int in, out;
    uint64_t random, busy_until_ns;
    struct packet *first, *last; /* by due_ns */
    uint64_t passed, lost, overflowed, duplicated, reordered, refused;
};

static volatile sig_atomic_t stopped; /* written by the signal handler */

static void on_signal(int signal)
{
    stopped = 1;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* SplitMix64. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static bool happens(struct lane *lane, uint64_t ppm)
{
    return ppm > 0 && next_random(&lane->random) % MILLION < ppm;
}

static void enqueue(struct lane *lane, const uint8_t *bytes, uint32_t len, uint64_t due_ns)
{
    struct packet *packet = malloc(sizeof(*packet) + len), *after = lane->last;

    if (packet == NULL)
        abort();
    packet->due_ns = due_ns;
    packet->len = len;
    memcpy(packet->bytes, bytes, len);
    while (after != NULL && after->due_ns > due_ns)
        after = after->prev;
    packet->prev = after;
    packet->next = after != NULL ? after->next : lane->first;
    *(after != NULL ? &after->next : &lane->first) = packet;
    *(packet->next != NULL ? &packet->next->prev : &lane->last) = packet;
}

/* When the packet has left the bottleneck; 0 when its queue is full. */
static uint64_t through_bottleneck(struct lane *lane, const struct settings *settings, uint32_t len, uint64_t now)
{
    uint64_t start = lane->busy_until_ns > now ? lane->busy_until_ns : now;

    if (settings->rate_kbit == 0)
        return now;
    if ((start - now) * settings->rate_kbit / (8 * MILLION) + len > settings->queue_bytes)
        return 0;
    lane->busy_until_ns = start + (uint64_t)len * 8 * MILLION / settings->rate_kbit;
    return lane->busy_until_ns;
}

static bool is_ip(const uint8_t *frame, uint32_t len)
{
    uint16_t type = (uint16_t)(frame[12] << 8 | frame[13]);

    return len > ETH_HLEN && (type == ETH_P_IP || type == ETH_P_IPV6);
}

static void take(struct lane *lane, const struct settings *settings, const uint8_t *frame, uint32_t len, uint64_t now)
{
    uint64_t due;

    if (!is_ip(frame, len)) {
        enqueue(lane, frame, len, now);
        return;
    }
    if (happens(lane, settings->loss_ppm)) {
        lane->lost++;
        return;
    }
    due = through_bottleneck(lane, settings, len, now);
    if (due == 0) {
        lane->overflowed++;
        return;
    }
    due += settings->delay_us * 1000;
    if (happens(lane, settings->duplicate_ppm)) {
        enqueue(lane, frame, len, due + next_random(&lane->random) % (settings->jitter_us * 1000 + 1));
        lane->duplicated++;
    }
    if (happens(lane, settings->reorder_ppm)) {
        due += next_random(&lane->random) % (settings->jitter_us * 1000 + 1);
        lane->reordered++;
    }
    enqueue(lane, frame, len, due);
    lane->passed++;
}

/* Takes all that waits; whether there was anything. */
static bool receive(struct lane *lane, const struct settings *settings)
{
    static uint8_t frames[BURST][FRAME_MAX];
    struct mmsghdr messages[BURST];
    struct iovec pieces[BURST];
    uint64_t total = 0;
    int n;

    do {
        uint64_t now;

        for (int i = 0; i < BURST; i++) {
            pieces[i] = (struct iovec){frames[i], FRAME_MAX};
            messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &pieces[i], .msg_iovlen = 1}};
        }
        n = recvmmsg(lane->in, messages, BURST, MSG_DONTWAIT, NULL);
        now = now_ns();
        for (int i = 0; i < n; i++)
            take(lane, settings, frames[i], messages[i].msg_len, now);
        total += n > 0 ? (uint64_t)n : 0;
    } while (n == BURST);
    return total > 0;
}

/* One burst of what is due; whether there may be more. */
static bool send_due(struct lane *lane, uint64_t now)
{
    struct packet *packets[BURST];
    struct mmsghdr messages[BURST];
    struct iovec pieces[BURST];
    int n = 0, sent;

    for (struct packet *p = lane->first; p != NULL && p->due_ns <= now && n < BURST; p = p->next) {
        packets[n] = p;
        pieces[n] = (struct iovec){p->bytes, p->len};
        messages[n] = (struct mmsghdr){.msg_hdr = {.msg_iov = &pieces[n], .msg_iovlen = 1}};
        n++;
    }
    if (n == 0)
        return false;
    sent = sendmmsg(lane->out, messages, (unsigned)n, 0);
    /* The interface takes no more: a full transmit ring loses packets too. */
    if (sent < n) {
        sent = sent < 0 ? 0 : sent;
        lane->refused++;
        sent++;
    }
    for (int i = 0; i < sent; i++) {
        lane->first = packets[i]->next;
        *(lane->first != NULL ? &lane->first->prev : &lane->last) = NULL;
        free(packets[i]);
    }
    return n == BURST;
}

static void run(struct lane lanes[2], const struct settings *settings)
{
    const struct timespec turn = {.tv_nsec = TURN_NS};
    sigset_t none;
    struct pollfd polls[2] = {{.fd = lanes[0].in, .events = POLLIN}, {.fd = lanes[1].in, .events = POLLIN}};

    sigemptyset(&none);
    while (!stopped) {
        bool busy = false;

        for (int i = 0; i < 2; i++)
            busy |= receive(&lanes[i], settings);
        for (int i = 0; i < 2; i++) {
            while (send_due(&lanes[i], now_ns()))
                ;
            busy |= lanes[i].first != NULL;
        }
        /* While it is busy only time counts; else it waits for the next packet. */
        if (ppoll(polls, busy ? 0 : 2, busy ? &turn : NULL, &none) < 0 && errno != EINTR)
            abort();
    }
}

static int open_port(const char *interface)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(interface)};
    struct packet_mreq promiscuous = {.mr_ifindex = address.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1, bytes = BUFFER_BYTES;

    if (fd < 0 || address.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) != 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0) {
        fprintf(stderr, "wire: %s: %s\n", interface, strerror(errno));
        exit(1);
    }
    return fd;
}

static int usage(void)
{
    fprintf(stderr, "usage: wire INTERFACE INTERFACE [--KEY NUMBER]...\n");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        fprintf(stderr, "  %-12s %s\n", keys[i].name, keys[i].help);
    return 2;
}

static bool read_settings(int argc, char **argv, struct settings *settings)
{
    for (int at = 3; at < argc; at += 2) {
        bool known = false;
        char *end;

        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && at + 1 < argc; i++) {
            if (strcmp(argv[at], keys[i].name) != 0)
                continue;
            *(uint64_t *)((char *)settings + keys[i].offset) = strtoull(argv[at + 1], &end, 10);
            known = *argv[at + 1] != 0 && *end == 0;
        }
        if (!known)
            return false;
    }
    return argc >= 3;
}

int main(int argc, char **argv)
{
    struct settings settings = {.seed = 1, .queue_bytes = 1 << 20};
    struct lane lanes[2] = {0};
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t ends;

    if (!read_settings(argc, argv, &settings))
        return usage();
    lanes[0].in = lanes[1].out = open_port(argv[1]);
    lanes[1].in = lanes[0].out = open_port(argv[2]);
    lanes[0].random = settings.seed * 2;
    lanes[1].random = settings.seed * 2 + 1;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    /* They are heard where it waits, and nowhere in between. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    /* Timers to the nanosecond, not to the default 50 µs. */
    prctl(PR_SET_TIMERSLACK, 1);
    printf("ready\n");
    fflush(stdout);
    run(lanes, &settings);
    for (int i = 0; i < 2; i++)
        printf("from %s: passed %" PRIu64 " lost %" PRIu64 " overflowed %" PRIu64 " duplicated %" PRIu64
               " reordered %" PRIu64 " refused %" PRIu64 "\n",
               argv[1 + i], lanes[i].passed, lanes[i].lost, lanes[i].overflowed, lanes[i].duplicated,
               lanes[i].reordered, lanes[i].refused);
    return 0;
}
