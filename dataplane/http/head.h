/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_HTTP_HEAD_H
#define ASSAY_HTTP_HEAD_H
/* What requests and responses share: finding the end of a head, and reading its field lines. Internal to this folder. Pure.
 * Errors are those of a request (400, 414, 431); a response's caller makes them 502. Source: RFC 9112 §2.2, §5. */
#include "http/fields.h"
#include "http/http.h"

/* How many empty lines before a request line are let pass (RFC 9112 §2.2). */
#define HTTP_EMPTY_LINES_MAX 2

struct http_head {
    struct slice line;  /* without CRLF */
    struct slice block; /* the field lines, each with its CRLF */
};

static inline bool http_fail(struct http_parse_error *error, uint16_t status, const char *what)
{
    error->status = status;
    error->what = what;
    return false;
}

/* Looks at each byte once over all calls of a message. DONE: every line ends in CRLF and there is no other control byte but
 * HTAB; *length as in http_parse_request(). */
enum http_parse http_head_scan(struct http_scan *scan, struct slice in, const struct http_limits *limits,
                               bool empty_lines, struct http_head *head, size_t *length,
                               struct http_parse_error *error);

bool http_head_fields(struct slice block, uint32_t fields_max, struct http_field *fields, uint32_t *count,
                      struct http_field_index *index, struct http_parse_error *error);

/* One Content-Length of digits alone, at most INT64_MAX. */
bool http_content_length(const struct http_field *fields, const struct http_field_index *index, uint64_t *value,
                         struct http_parse_error *error);
/* Transfer-Encoding: exactly "chunked"; a list that ends in chunked is understood but not supported: 501. */
bool http_transfer_encoding(const struct http_field *fields, const struct http_field_index *index, uint8_t minor,
                            struct http_parse_error *error);

#endif
