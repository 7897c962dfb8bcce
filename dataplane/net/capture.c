/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/capture.h"

#include <string.h>
#include <sys/types.h> /* pcap/bpf.h wants it */

#include <pcap/bpf.h>
#include <rte_mbuf.h>

#include "base/byte_ring.h"

/* Filters look at headers; a chained frame shows them so many bytes. */
#define FILTER_BYTES 512

static bool passes(const struct capture *capture, const struct rte_mbuf *m)
{
    uint8_t buffer[FILTER_BYTES];
    const uint8_t *head = rte_pktmbuf_mtod(m, const uint8_t *);
    uint32_t len = m->data_len;

    if (capture->filter == NULL)
        return true;
    if (m->nb_segs > 1 && len < FILTER_BYTES) {
        len = m->pkt_len < FILTER_BYTES ? m->pkt_len : FILTER_BYTES;
        head = rte_pktmbuf_read(m, 0, len, buffer);
    }
    return head != NULL && bpf_filter(capture->filter, head, m->pkt_len, len) != 0;
}

static void copy(struct capture_record *record, const struct rte_mbuf *m, uint32_t len)
{
    const void *from = rte_pktmbuf_read(m, 0, len, record->bytes);

    if (from != record->bytes)
        memcpy(record->bytes, from, len);
}

void capture_burst(struct capture *capture, enum capture_direction direction, struct rte_mbuf *const *packets,
                   uint32_t n)
{
    uint64_t wall_ns = n > 0 ? capture->wall_ns() : 0;

    capture->seen += n;
    for (uint32_t i = 0; i < n; i++) {
        const struct rte_mbuf *m = packets[i];
        uint32_t len = m->pkt_len < capture->snaplen ? m->pkt_len : capture->snaplen;
        struct capture_record *record;

        if (!passes(capture, m))
            continue;
        capture->matched++;
        record = byte_ring_reserve(capture->ring, sizeof(*record) + len);
        if (record == NULL) {
            capture->dropped++;
            continue;
        }
        *record = (struct capture_record){.wall_ns = wall_ns, .length = m->pkt_len, .direction = direction};
        copy(record, m, len);
        byte_ring_commit(capture->ring, sizeof(*record) + len);
    }
}
