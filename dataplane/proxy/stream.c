/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proxy/stream.h"

#include "proxy/internal.h"

/* Kept free in every send buffer, so that what TLS says of its own accord (alert, close_notify, key update) always fits. */
#define STREAM_RESERVE 1024
/* A grant smaller than this is no grant when more is wanted: few large records instead of many small ones. */
#define STREAM_GRANT_MIN       2048
#define STREAM_RECORD_OVERHEAD 128

static void stream_borrow(struct proxy *p, struct stream s, struct tls_io *io)
{
    /* Without a snapshot (everything is being closed) there are no tickets. */
    const struct credential_section *credentials = p->snapshot != NULL ? p->snapshot->credentials : NULL;

    *io = (struct tls_io){.in = tcp_peek(p->tcp, s.tcp),
                          .out = p->cipher,
                          .out_capacity = PROXY_CIPHER_BYTES,
                          .ticket_keys = credentials != NULL ? credentials->ticket_keys : NULL};
}

/* Takes from TCP what TLS used and sends what it made. False: the send buffer had no room, so bytes of the record stream
 * are lost and the connection with them (STREAM_RESERVE makes that a peer that never reads). */
static bool stream_settle(struct proxy *p, struct stream s, const struct tls_io *io)
{
    if (io->in_used > 0)
        tcp_consume(p->tcp, s.tcp, io->in_used);
    return io->out_length == 0 || tcp_write(p->tcp, s.tcp, io->out, io->out_length) == io->out_length;
}

/* TLS wants input and there is none: is more to come? */
static enum stream_status stream_dry(struct proxy *p, struct stream s)
{
    if (tcp_at_end(p->tcp, s.tcp))
        return STREAM_CUT;
    return tcp_live(p->tcp, s.tcp) ? STREAM_WAIT : STREAM_FAILED;
}

enum stream_status stream_handshake(struct proxy *p, struct stream s)
{
    for (;;) {
        struct tls_io io;
        enum tls_status status;

        stream_borrow(p, s, &io);
        status = tls_handshake(s.tls, &io);
        if (!stream_settle(p, s, &io))
            return STREAM_FAILED;
        if (status == TLS_STATUS_OK)
            return STREAM_OK;
        if (status != TLS_STATUS_WANT_INPUT && status != TLS_STATUS_WANT_ROOM)
            return STREAM_FAILED;
        if (io.in_used == 0 && io.out_length == 0)
            return stream_dry(p, s);
    }
}

static enum stream_status stream_read_plain(struct proxy *p, struct stream s, void *buffer, size_t capacity,
                                            size_t *length)
{
    size_t total = 0;

    while (total < capacity) {
        struct slice piece = slice_head(tcp_peek(p->tcp, s.tcp), capacity - total);

        if (piece.len == 0)
            break;
        memcpy((uint8_t *)buffer + total, piece.data, piece.len);
        tcp_consume(p->tcp, s.tcp, piece.len);
        total += piece.len;
    }
    *length = total;
    if (total > 0)
        return STREAM_OK;
    if (tcp_at_end(p->tcp, s.tcp))
        return STREAM_END;
    return tcp_live(p->tcp, s.tcp) ? STREAM_WAIT : STREAM_FAILED;
}

enum stream_status stream_read(struct proxy *p, struct stream s, void *buffer, size_t capacity, size_t *length)
{
    *length = 0;
    if (s.tls == NULL)
        return stream_read_plain(p, s, buffer, capacity, length);
    for (;;) {
        struct tls_io io;
        enum tls_status status;

        stream_borrow(p, s, &io);
        status = tls_read(s.tls, &io, buffer, capacity, length);
        if (!stream_settle(p, s, &io))
            return STREAM_FAILED;
        switch (status) {
        case TLS_STATUS_OK: return STREAM_OK;
        case TLS_STATUS_CLOSED: return STREAM_END;
        case TLS_STATUS_WANT_INPUT:
        case TLS_STATUS_WANT_ROOM:
            if (io.in_used == 0 && io.out_length == 0)
                return stream_dry(p, s);
            break;
        case TLS_STATUS_FAILED: return STREAM_FAILED;
        }
    }
}

size_t stream_room(struct proxy *p, struct stream s, size_t wanted)
{
    size_t cost = s.tls != NULL ? tls_sealed_size(wanted) + STREAM_RESERVE : wanted;
    size_t room = tcp_room(p->tcp, s.tcp, cost);

    if (room >= cost)
        return wanted;
    if (s.tls != NULL) {
        size_t overhead = STREAM_RESERVE + STREAM_RECORD_OVERHEAD * (room / 16384 + 1);

        room = room > overhead ? room - overhead : 0;
    }
    return room < STREAM_GRANT_MIN ? 0 : room;
}

enum stream_status stream_write(struct proxy *p, struct stream s, const void *data, size_t len)
{
    if (s.tls == NULL)
        return tcp_write(p->tcp, s.tcp, data, len) == len ? STREAM_OK : STREAM_FAILED;
    while (len > 0) {
        struct tls_io io;
        size_t taken = 0;
        enum tls_status status;

        stream_borrow(p, s, &io);
        io.in = slice_of(NULL, 0); /* reading is stream_read's */
        status = tls_write(s.tls, &io, data, len, &taken);
        if (!stream_settle(p, s, &io) || (status != TLS_STATUS_OK && status != TLS_STATUS_WANT_ROOM))
            return STREAM_FAILED;
        if (taken == 0 && io.out_length == 0)
            return STREAM_FAILED;
        data = (const uint8_t *)data + taken;
        len -= taken;
    }
    return STREAM_OK;
}

void stream_finish(struct proxy *p, struct stream s)
{
    if (s.tls != NULL && tls_established(s.tls)) {
        struct tls_io io;

        stream_borrow(p, s, &io);
        io.in = slice_of(NULL, 0);
        /* Whether the peer gets our close_notify is its concern: the connection ends either way. */
        (void)tls_close_notify(s.tls, &io);
        (void)stream_settle(p, s, &io);
    }
    tcp_shutdown(p->tcp, s.tcp);
}
