/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_PROXY_STREAM_H
#define ASSAY_PROXY_STREAM_H
/* One TCP connection with or without TLS on it, as plaintext in and out: the only place where tcp/ and tls/ meet.
 * Backpressure: read only what you have room for, write only what stream_room() grants; then a write takes everything.
 * Owner: the caller owns both halves. Thread: the core. Units: bytes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "tcp/tcp.h"
#include "tls/tls.h"

struct proxy;

struct stream {
    struct tcp_handle tcp;
    struct tls_connection *tls; /* NULL: plain */
};

enum stream_status {
    STREAM_OK,
    STREAM_WAIT,   /* nothing more now */
    STREAM_END,    /* the peer's orderly end: close_notify, or FIN on a plain connection */
    STREAM_CUT,    /* FIN without close_notify: an end only where the message says it is complete */
    STREAM_FAILED, /* TLS failed (its alert was sent), or the connection is gone */
};

/* Drives the handshake as far as it goes. OK: done. */
enum stream_status stream_handshake(struct proxy *p, struct stream s);
/* Up to capacity bytes; OK with *length > 0. */
enum stream_status stream_read(struct proxy *p, struct stream s, void *buffer, size_t capacity, size_t *length);
/* How many bytes of plaintext a write would take now; when that is less than wanted, WRITABLE follows. */
size_t stream_room(struct proxy *p, struct stream s, size_t wanted);
/* Writes all of it (len <= stream_room()), or fails: the connection is then lost. */
enum stream_status stream_write(struct proxy *p, struct stream s, const void *data, size_t len);
/* close_notify where there is TLS, then FIN. Reading may go on. */
void stream_finish(struct proxy *p, struct stream s);

#endif
