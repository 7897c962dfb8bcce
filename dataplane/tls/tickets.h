/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TLS_TICKETS_H
#define ASSAY_TLS_TICKETS_H
/* Sealing and opening of session tickets. A ticket is bound to the server name and the credential of the connection it was
 * issued on: at another name, or with another certificate, it does not open, and a full handshake follows.
 * The fields are those that the library lays out on the wire: the key's name, 16 bytes of iv, the content, 32 bytes of mac.
 * Ours: iv = 12 bytes of nonce, 4 of issue time; mac = the GCM tag, 16 bytes of salt. Each ticket has a key of its own,
 * HMAC-SHA-256(secret, salt), so that a cluster of cores cannot wear out one key's nonces.
 * Pure, apart from random bytes. Units: seconds of wall clock.
 * Errors: NOT_FOUND (no such key), STALE (too old), MALFORMED (does not open here), CRYPTO.
 * Source: RFC 5077 §4; RFC 8446 §4.6.1, §8; NIST SP 800-38D. */
#include <stdbool.h>

#include "tls/tls.h"

#define TLS_TICKET_NAME   16
#define TLS_TICKET_IV     16
#define TLS_TICKET_MAC    32
#define TLS_CREDENTIAL_ID 32

struct tls_ticket_binding {
    struct slice server_name; /* lower case; at most 255 bytes */
    const uint8_t *credential_id;
};

struct tls_ticket {
    uint8_t *name, *iv, *mac;
    uint8_t *content; /* sealed and opened in place */
    size_t len;
};

enum assay_error tls_ticket_seal(const struct tls_ticket_keys *keys, const struct tls_ticket_binding *binding,
                                 uint64_t now_s, struct tls_ticket *ticket) ASSAY_MUST_USE;
/* *renew: it was sealed with another key than the current one, and should be replaced. */
enum assay_error tls_ticket_open(const struct tls_ticket_keys *keys, const struct tls_ticket_binding *binding,
                                 uint64_t now_s, uint32_t lifetime_s, struct tls_ticket *ticket, bool *renew)
    ASSAY_MUST_USE;

#endif
