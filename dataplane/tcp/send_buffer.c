/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/send_buffer.h"

#include <rte_mbuf.h>
#include <rte_memcpy.h>

/* Up to here a copy into the header mbuf is cheaper than an indirect mbuf. */
#define COPY_MAX 256

static uint32_t room_of(const struct rte_mbuf *mbuf)
{
    return mbuf->buf_len - mbuf->data_off - mbuf->data_len;
}

static uint32_t end_of(const struct rte_mbuf *mbuf)
{
    return (uint32_t)mbuf->data_off + mbuf->data_len;
}

static uint32_t mbufs_left(const struct tcp *tcp, const struct tcp_connection *c)
{
    uint32_t most = tcp->config.mbufs_max_per_connection / 2u;

    return c->send_mbufs < most ? most - c->send_mbufs : 0;
}

size_t send_buffer_room(const struct tcp *tcp, const struct tcp_connection *c)
{
    uint32_t free = tcp->config.send_buffer_bytes > c->send_bytes ? tcp->config.send_buffer_bytes - c->send_bytes : 0;
    size_t hold = (size_t)mbufs_left(tcp, c) * rte_pktmbuf_data_room_size(tcp->payload_pool);

    if (c->send_tail)
        hold += room_of(c->send_tail);
    return free < hold ? free : hold;
}

static struct rte_mbuf *add_mbuf(struct tcp *tcp, struct tcp_connection *c)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(tcp->payload_pool);

    if (unlikely(!mbuf)) {
        tcp->counters.no_payload_mbuf++;
        if (!tcp->starving_since_us)
            tcp->starving_since_us = tcp->now_us;
        return NULL;
    }
    tcp->starving_since_us = 0;
    /* Headers travel in an mbuf of their own: no headroom is needed here. */
    mbuf->data_off = 0;
    if (c->send_tail)
        c->send_tail->next = mbuf;
    else
        c->send_head = mbuf;
    c->send_tail = mbuf;
    c->send_mbufs++;
    if (!c->send_next) {
        c->send_next = mbuf;
        c->send_next_offset = 0;
    }
    return mbuf;
}

size_t send_buffer_append(struct tcp *tcp, struct tcp_connection *c, const uint8_t *data, size_t len)
{
    size_t room = send_buffer_room(tcp, c);
    size_t done = 0;

    if (len > room)
        len = room;
    while (done < len) {
        struct rte_mbuf *mbuf = c->send_tail;
        uint32_t piece;

        if (!mbuf || room_of(mbuf) == 0)
            mbuf = add_mbuf(tcp, c);
        if (!mbuf)
            break;
        piece = room_of(mbuf);
        if (piece > len - done)
            piece = (uint32_t)(len - done);
        /* Only bytes that no indirect mbuf covers yet are written: what the port may still own stays as it is. */
        rte_memcpy((uint8_t *)mbuf->buf_addr + end_of(mbuf), data + done, piece);
        mbuf->data_len += piece;
        mbuf->pkt_len += piece;
        done += piece;
    }
    c->send_bytes += (uint32_t)done;
    return done;
}

static void drop_head(struct tcp_connection *c)
{
    struct rte_mbuf *mbuf = c->send_head;

    c->send_head = mbuf->next;
    if (!c->send_head)
        c->send_tail = NULL;
    if (c->send_next == mbuf) {
        c->send_next = c->send_head;
        c->send_next_offset = c->send_head ? c->send_head->data_off : 0;
    }
    mbuf->next = NULL;
    c->send_mbufs--;
    rte_pktmbuf_free_seg(mbuf);
}

void send_buffer_acked(struct tcp_connection *c, uint32_t len)
{
    assert(len <= c->send_bytes);
    c->send_bytes -= len;
    while (len > 0) {
        struct rte_mbuf *mbuf = c->send_head;
        uint32_t piece = len < mbuf->data_len ? len : mbuf->data_len;

        mbuf->data_off += piece;
        mbuf->data_len -= piece;
        mbuf->pkt_len -= piece;
        len -= piece;
        if (mbuf->data_len == 0 && (mbuf->next || c->send_bytes == 0))
            drop_head(c);
    }
}

void send_buffer_free(struct tcp_connection *c)
{
    while (c->send_head)
        drop_head(c);
    c->send_bytes = 0;
}

void send_buffer_step(struct rte_mbuf **mbuf, uint16_t *offset, uint32_t len)
{
    while (len > 0 || (*offset == end_of(*mbuf) && (*mbuf)->next)) {
        uint32_t left = end_of(*mbuf) - *offset;

        if (len < left || !(*mbuf)->next) {
            assert(len <= left);
            *offset += len;
            return;
        }
        len -= left;
        *mbuf = (*mbuf)->next;
        *offset = (*mbuf)->data_off;
    }
}

void send_buffer_cursor(struct tcp_connection *c, struct rte_mbuf **mbuf, uint16_t *offset)
{
    if (c->send_next)
        send_buffer_step(&c->send_next, &c->send_next_offset, 0);
    *mbuf = c->send_next;
    *offset = c->send_next_offset;
}

void send_buffer_advance(struct tcp_connection *c, uint32_t len)
{
    if (len > 0)
        send_buffer_step(&c->send_next, &c->send_next_offset, len);
}

static bool attach_piece(struct tcp *tcp, struct rte_mbuf *header, struct rte_mbuf **last, struct rte_mbuf *mbuf,
                         uint16_t offset, uint32_t len)
{
    struct rte_mbuf *indirect = rte_pktmbuf_alloc(tcp->indirect_pool);

    if (unlikely(!indirect)) {
        tcp->counters.no_indirect_mbuf++;
        return false;
    }
    rte_pktmbuf_attach(indirect, mbuf);
    indirect->data_off = offset;
    indirect->data_len = len;
    indirect->pkt_len = len;
    (*last)->next = indirect;
    *last = indirect;
    header->nb_segs++;
    header->pkt_len += len;
    return true;
}

static void copy_out(struct rte_mbuf *header, struct rte_mbuf *mbuf, uint16_t offset, uint32_t len)
{
    while (len > 0) {
        uint32_t left = end_of(mbuf) - offset;
        uint32_t piece = len < left ? len : left;

        rte_memcpy((uint8_t *)header->buf_addr + end_of(header), (const uint8_t *)mbuf->buf_addr + offset, piece);
        header->data_len += piece;
        header->pkt_len += piece;
        len -= piece;
        if (len > 0) {
            mbuf = mbuf->next;
            offset = mbuf->data_off;
        }
    }
}

bool send_buffer_attach(struct tcp *tcp, struct rte_mbuf *header, struct rte_mbuf *mbuf, uint16_t offset, uint32_t len)
{
    struct rte_mbuf *last = header;

    if (len <= COPY_MAX && len <= room_of(header)) {
        copy_out(header, mbuf, offset, len);
        return true;
    }
    while (len > 0) {
        uint32_t left = end_of(mbuf) - offset;
        uint32_t piece = len < left ? len : left;

        if (piece > 0 && !attach_piece(tcp, header, &last, mbuf, offset, piece))
            return false;
        len -= piece;
        if (len > 0) {
            mbuf = mbuf->next;
            offset = mbuf->data_off;
        }
    }
    return true;
}
