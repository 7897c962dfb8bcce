/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fragments in any order into fragments_add(). The input is a list of {what, offset / 8, length, time}: what holds the
 * identification (2 bits), the source (2 bits), the port (1 bit), "more" (1 bit), TCP (1 bit) and whether the length counts in units of
 * 8 (1 bit); time's lowest bits are a factor of the offset and the ECN bits as well. A byte of data is its offset's low byte, so that what is delivered can be judged; no mbuf may be lost, and no bound
 * passed. */
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "base/address.h"
#include "net/fragments.h"
#include "net/net.h"

#define MBUFS  1023
#define HEADER 20

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libFuzzer gives the target no context of its own. */
static struct rte_mempool *pool;

static void require(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *args[] = {"fuzz",
                          "--no-huge",
                          "--no-pci",
                          "-m",
                          "64",
                          "--no-telemetry",
                          "--no-shconf",
                          "--lcores",
                          "0",
                          "--log-level",
                          "critical",
                          "--file-prefix",
                          "assay-fuzz-fragments"};

    require(rte_eal_init(sizeof(args) / sizeof(args[0]), (char **)(uintptr_t)args) >= 0);
    pool = rte_pktmbuf_pool_create("pool", MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    require(pool != NULL);
    return 0;
}

static struct rte_mbuf *mbuf_of(uint32_t offset, uint32_t length)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    uint8_t *p;

    require(m != NULL);
    p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(HEADER + length));
    require(p != NULL);
    memset(p, 0xaa, HEADER);
    for (uint32_t i = 0; i < length; i++)
        p[HEADER + i] = (uint8_t)(offset + i);
    return m;
}

static void check_whole(struct rte_mbuf *whole)
{
    uint32_t at = 0, sum = 0;
    uint16_t segments = 0;

    for (const struct rte_mbuf *m = whole; m != NULL; m = m->next, segments++) {
        const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

        for (uint32_t i = m == whole ? HEADER : 0; i < m->data_len; i++, at++)
            require(p[i] == (uint8_t)at);
        sum += m->data_len;
    }
    require(sum == whole->pkt_len && segments == whole->nb_segs && segments <= FRAGMENTS_PARTS_MAX);
    require(at >= 8 && at <= FRAGMENTS_BYTES_MAX);
    rte_pktmbuf_free(whole);
}

/* What is given up begins with its first fragment's headers. */
static void expire(struct fragments *table, uint64_t now_us)
{
    struct rte_mbuf *first;
    uint32_t port = UINT32_MAX;

    while ((first = fragments_expire(table, now_us, &port)) != NULL) {
        require(port <= 1 && first->pkt_len > HEADER);
        rte_pktmbuf_free(first);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fragments table; /* big */
    static struct net_counters counters;
    uint64_t now_us = 1;

    memset(&counters, 0, sizeof(counters));
    fragments_init(&table, &counters);
    for (; size >= 4; data += 4, size -= 4) {
        struct fragment f = {.id = data[0] & 3, .more = (data[0] & 32) != 0, .data_at = HEADER};
        uint32_t length = data[2] * (data[0] & 128 ? 7U : 1U), port = data[0] >> 4 & 1;
        struct rte_mbuf *whole;
        bool marked;

        f.src = address_from_ip4_be(data[0] >> 2 & 3);
        f.dst = address_from_ip4_be(9);
        f.protocol = f.key_protocol = data[0] & 64 ? 6 : 17;
        f.offset = (uint16_t)(data[1] * 8U * (data[3] & 1 ? 32U : 1U));
        f.ecn = data[3] & 3;
        now_us += (data[3] >> 1) * 100000ULL;
        expire(&table, now_us);
        whole = fragments_add(&table, port, &f, mbuf_of(f.offset, length), now_us, &marked);
        require(whole != NULL || !marked);
        if (whole != NULL)
            check_whole(whole);
        require(rte_mempool_in_use_count(pool) <= FRAGMENTS_DATAGRAMS_MAX * FRAGMENTS_PARTS_MAX);
    }
    expire(&table, now_us + FRAGMENTS_TIMEOUT_US);
    require(table.next_due_us == UINT64_MAX && rte_mempool_in_use_count(pool) == 0);
    return 0;
}
