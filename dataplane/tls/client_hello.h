/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TLS_CLIENT_HELLO_H
#define ASSAY_TLS_CLIENT_HELLO_H
/* A strict reading of one ClientHello message, before the library sees it: every length is checked against its frame, no
 * extension and no key share comes twice, names have the grammar of names. What passes here has one reading only.
 * Pure: no allocation, no state. Out: slices into the message.
 * Errors: MALFORMED with *alert, the alert to send (decode_error, illegal_parameter, missing_extension).
 * Source: RFC 8446 §4.1.2, §4.2; RFC 5246 §7.4.1.2; RFC 6066 §3; RFC 7301 §3.1. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"

#define CLIENT_HELLO_EXTENSIONS_MAX 128 /* browsers send about 20 */
#define CLIENT_HELLO_SHARES_MAX     32
#define CLIENT_HELLO_GROUPS_MAX     256

struct client_hello {
    uint16_t legacy_version;
    struct slice random;
    struct slice session_id;
    struct slice sni;        /* the host_name as sent; empty: none */
    struct slice alpn;       /* the list's entries, each a length byte and a name; empty: no extension */
    struct slice groups;     /* supported_groups, two bytes each */
    struct slice key_shares; /* the list's entries */
    bool has_key_share;
    bool has_psk;
    bool has_psk_modes;
    bool offers_tls13;
};

/* message: the handshake message with its four-byte header. */
enum assay_error client_hello_parse(struct slice message, struct client_hello *out, uint8_t *alert) ASSAY_MUST_USE;

/* A host name without trailing dot: letters, digits, hyphens, underscores; labels of 1 to 63, 253 in all. */
bool client_hello_is_host_name(struct slice name);

#endif
