/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/mbuf.h"

#include <string.h>

#include <rte_byteorder.h>

/* Copies data of the following segments to the end of the first, as far as len. */
static void pull_in_place(struct rte_mbuf *first, uint32_t len)
{
    struct rte_mbuf *next = first->next;

    while (first->data_len < len && next != NULL) {
        uint32_t want = len - first->data_len;
        uint16_t n = (uint16_t)(want < next->data_len ? want : next->data_len);

        memcpy(rte_pktmbuf_mtod_offset(first, uint8_t *, first->data_len), rte_pktmbuf_mtod(next, uint8_t *), n);
        first->data_len = (uint16_t)(first->data_len + n);
        next->data_off = (uint16_t)(next->data_off + n);
        next->data_len = (uint16_t)(next->data_len - n);
        if (next->data_len == 0) {
            first->next = next->next;
            first->nb_segs--;
            rte_pktmbuf_free_seg(next);
            next = first->next;
        }
    }
}

/* A shared segment must not even be shortened: someone else reads its length. */
static bool chain_unshared(const struct rte_mbuf *m)
{
    for (; m != NULL; m = m->next)
        if (rte_mbuf_refcnt_read(m) != 1)
            return false;
    return true;
}

bool mbuf_pull(struct rte_mbuf **packet, uint32_t len, struct rte_mempool *pool)
{
    struct rte_mbuf *m = *packet, *copy;

    if (len > m->pkt_len)
        len = m->pkt_len;
    if (m->data_len >= len)
        return true;
    if (mbuf_writable(m) && chain_unshared(m) && rte_pktmbuf_tailroom(m) >= len - m->data_len) {
        pull_in_place(m, len);
        return true;
    }
    copy = rte_pktmbuf_copy(m, pool, 0, UINT32_MAX);
    if (copy == NULL)
        return false;
    if (copy->data_len < len) { /* a pool of tiny buffers: not one a port could receive into */
        rte_pktmbuf_free(copy);
        return false;
    }
    rte_pktmbuf_free(m);
    *packet = copy;
    return true;
}

void mbuf_truncate(struct rte_mbuf *packet, uint32_t len)
{
    struct rte_mbuf *m = packet;
    uint32_t left = len;
    uint16_t segments = 1;

    if (len >= packet->pkt_len)
        return;
    while (left > m->data_len) {
        left -= m->data_len;
        m = m->next;
        segments++;
    }
    m->data_len = (uint16_t)left;
    rte_pktmbuf_free(m->next);
    m->next = NULL;
    packet->nb_segs = segments;
    packet->pkt_len = len;
}

struct rte_mbuf *mbuf_flatten(struct rte_mbuf *packet, struct rte_mempool *pool)
{
    struct rte_mbuf *copy;

    if (packet->nb_segs == 1)
        return packet;
    if (mbuf_writable(packet) && rte_pktmbuf_tailroom(packet) >= packet->pkt_len - packet->data_len) {
        struct rte_mbuf *m = packet->next;

        for (; m != NULL; m = m->next) {
            memcpy(rte_pktmbuf_mtod_offset(packet, uint8_t *, packet->data_len), rte_pktmbuf_mtod(m, uint8_t *),
                   m->data_len);
            packet->data_len = (uint16_t)(packet->data_len + m->data_len);
        }
        rte_pktmbuf_free(packet->next);
        packet->next = NULL;
        packet->nb_segs = 1;
        return packet;
    }
    if (packet->pkt_len > (uint32_t)rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM)
        return NULL;
    copy = rte_pktmbuf_copy(packet, pool, 0, UINT32_MAX);
    if (copy == NULL)
        return NULL;
    rte_pktmbuf_free(packet);
    return copy;
}

static uint16_t fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

typedef uint64_t lanes __attribute__((vector_size(32)));

uint16_t checksum_add(uint32_t sum, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t total = sum;
    lanes wide = {0};

    /* One's complement addition does not care how wide the words are: 32-bit halves into 64-bit lanes cannot overflow for
     * any length a packet has. */
    for (; len >= sizeof(lanes); p += sizeof(lanes), len -= sizeof(lanes)) {
        lanes words;

        memcpy(&words, p, sizeof(words));
        wide += (words & 0xffffffff) + (words >> 32);
    }
    total += wide[0] + wide[1] + wide[2] + wide[3];
    for (; len >= 4; p += 4, len -= 4) {
        uint32_t word;

        memcpy(&word, p, sizeof(word));
        total += word;
    }
    if (len != 0) {
        uint32_t word = 0;

        memcpy(&word, p, len);
        total += word;
    }
    return fold(total);
}

uint16_t mbuf_checksum(uint32_t sum, const struct rte_mbuf *packet, uint32_t offset)
{
    const struct rte_mbuf *m = packet;
    uint64_t total = sum;
    bool odd = false;

    while (m != NULL && offset >= m->data_len) {
        offset -= m->data_len;
        m = m->next;
    }
    for (; m != NULL; m = m->next, offset = 0) {
        uint32_t len = m->data_len - offset;
        uint16_t part = checksum_add(0, rte_pktmbuf_mtod_offset(m, const uint8_t *, offset), len);

        /* After an odd number of bytes, a segment's bytes stand in the other half of their words (RFC 1071 §2(B)). */
        total += odd ? rte_bswap16(part) : part;
        odd ^= len & 1;
    }
    return fold(total);
}

uint16_t checksum_pseudo4(uint32_t src_be, uint32_t dst_be, uint8_t protocol, uint16_t length)
{
    struct {
        uint32_t src_be, dst_be;
        uint8_t zero, protocol;
        uint16_t length_be;
    } pseudo = {src_be, dst_be, 0, protocol, rte_cpu_to_be_16(length)};

    return checksum_add(0, &pseudo, sizeof(pseudo));
}

uint16_t checksum_pseudo6(const struct assay_address *src, const struct assay_address *dst, uint8_t protocol,
                          uint32_t length)
{
    struct {
        struct assay_address src, dst;
        uint32_t length_be;
        uint8_t zero[3], protocol;
    } pseudo = {*src, *dst, rte_cpu_to_be_32(length), {0}, protocol};

    return checksum_add(0, &pseudo, sizeof(pseudo));
}
