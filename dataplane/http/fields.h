/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_HTTP_FIELDS_H
#define ASSAY_HTTP_FIELDS_H
/* The fields this program knows by name, found once while a head is parsed. Pure. */
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "http/http.h"

/* HTTP_FIELD(symbol, name, what becomes of it when a message is passed on)
 *   PASS as it is; HOP ends here (RFC 9110 §7.6.1); OURS is written anew or extended by the writer. */
#define HTTP_KNOWN_FIELDS(HTTP_FIELD)                           \
    HTTP_FIELD(HOST, "Host", OURS)                              \
    HTTP_FIELD(VIA, "Via", OURS)                                \
    HTTP_FIELD(EXPECT, "Expect", OURS)                          \
    HTTP_FIELD(CONTENT_LENGTH, "Content-Length", OURS)          \
    HTTP_FIELD(TRANSFER_ENCODING, "Transfer-Encoding", OURS)    \
    HTTP_FIELD(X_FORWARDED_FOR, "X-Forwarded-For", OURS)        \
    HTTP_FIELD(FORWARDED, "Forwarded", OURS)                    \
    HTTP_FIELD(TRACKING_ID, "TrackingID", OURS)                 \
    HTTP_FIELD(TE, "TE", HOP)                                   \
    HTTP_FIELD(TRAILER, "Trailer", HOP)                         \
    HTTP_FIELD(UPGRADE, "Upgrade", HOP)                         \
    HTTP_FIELD(HTTP2_SETTINGS, "HTTP2-Settings", HOP)           \
    HTTP_FIELD(CONNECTION, "Connection", HOP)                   \
    HTTP_FIELD(KEEP_ALIVE, "Keep-Alive", HOP)                   \
    HTTP_FIELD(PROXY_CONNECTION, "Proxy-Connection", HOP)       \
    HTTP_FIELD(PROXY_AUTHORIZATION, "Proxy-Authorization", HOP) \
    HTTP_FIELD(PROXY_AUTHENTICATE, "Proxy-Authenticate", HOP)   \
    HTTP_FIELD(AUTHORIZATION, "Authorization", PASS)            \
    HTTP_FIELD(WWW_AUTHENTICATE, "WWW-Authenticate", PASS)      \
    HTTP_FIELD(COOKIE, "Cookie", PASS)                          \
    HTTP_FIELD(SET_COOKIE, "Set-Cookie", PASS)

enum http_known_field {
    HTTP_FIELD_OTHER,
#define HTTP_FIELD(symbol, name, fate) HTTP_FIELD_##symbol,
    HTTP_KNOWN_FIELDS(HTTP_FIELD)
#undef HTTP_FIELD
        HTTP_FIELD_COUNT,
};

enum http_field_fate { HTTP_FATE_PASS, HTTP_FATE_HOP, HTTP_FATE_OURS };

/* name: a token. */
enum http_known_field http_field_lookup(struct slice name);
enum http_field_fate http_field_fate(enum http_known_field known);
/* Carries a secret: a log shows "<CONCEALED>" in place of its value (MRA S25). */
bool http_field_is_secret(enum http_known_field known);

/* How often each known field came, and where first. Zero it. */
struct http_field_index {
    uint8_t seen[HTTP_FIELD_COUNT];
    uint8_t first[HTTP_FIELD_COUNT];
};

static inline const struct http_field *http_field_at(const struct http_field *fields,
                                                     const struct http_field_index *index, enum http_known_field known)
{
    return index->seen[known] ? &fields[index->first[known]] : NULL;
}

/* The next element of a comma-separated list without quoted strings; empty ones are skipped (RFC 9110 §5.6.1). *rest
 * shrinks; false at the end. */
bool http_list_next(struct slice *rest, struct slice *element);

/* The connection options of a message (RFC 9110 §7.6.1). More than HTTP_OPTIONS_MAX, or one that is no token: false. */
#define HTTP_OPTIONS_MAX 32
struct http_options {
    bool close;
    bool keep_alive;
    uint8_t count; /* of the others */
    struct slice names[HTTP_OPTIONS_MAX];
};
bool http_options_read(const struct http_field *fields, uint32_t count, struct http_options *out);
bool http_options_name(const struct http_options *options, struct slice name);

/* The value starts with the scheme NTLM or Negotiate: authentication of the connection, not of a request. */
bool http_auth_is_ntlm(struct slice value);

#endif
