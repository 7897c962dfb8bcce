/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_HTTP_HTTP_H
#define ASSAY_HTTP_HTTP_H
/* HTTP/1.1 messages: one strict reading of a message or none (request smuggling lives on second readings). Pure: slices in,
 * slices and numbers out; no allocation, no I/O. Slices of a parsed head point into the caller's head buffer.
 * Source: RFC 9110, RFC 9112. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/address.h"
#include "assay/error.h"
#include "base/slice.h"

#define HTTP_FIELDS_MAX 100

struct http_field {
    struct slice name;
    struct slice value; /* without the white space around it */
    uint8_t known;      /* enum http_known_field, found once while parsing; 0: another */
};

enum http_target_form { HTTP_TARGET_ORIGIN, HTTP_TARGET_ABSOLUTE, HTTP_TARGET_AUTHORITY, HTTP_TARGET_ASTERISK };
enum http_body_kind { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE };

struct http_limits {
    uint32_t head_max;   /* bytes of start line and fields: beyond it 431 (414 for the target alone) */
    uint32_t target_max; /* bytes */
    uint32_t fields_max; /* at most HTTP_FIELDS_MAX */
};

struct http_request {
    struct slice line; /* the request line without CRLF, for logs */
    struct slice method;
    struct slice target; /* as sent */
    enum http_target_form form;
    struct slice scheme;    /* absolute form: "http" or "https" */
    struct slice authority; /* absolute form: its authority, else Host's value */
    /* Path and query, starts with '/'; absolute form without path: "/". OPTIONS of a server as a whole: "*" in either form.
     * Authority form (CONNECT): empty. */
    struct slice path;
    uint8_t minor;        /* HTTP/1.x */
    bool keep_alive;      /* what the message says of persistence (RFC 9112 §9.3) */
    bool expect_continue; /* and there is a body to wait for */
    bool head_only;       /* HEAD */
    bool idempotent;      /* RFC 9110 §9.2.2 */
    bool ntlm;            /* an Authorization of NTLM or Negotiate: the origin connection belongs to this client */
    enum http_body_kind body;
    uint64_t content_length; /* HTTP_BODY_LENGTH */
    uint32_t field_count;
    struct http_field fields[HTTP_FIELDS_MAX];
};

struct http_response {
    struct slice line; /* the status line without CRLF */
    uint16_t status;
    struct slice reason;
    uint8_t minor;
    bool keep_alive;
    bool ntlm; /* WWW-Authenticate NTLM or Negotiate */
    enum http_body_kind body;
    uint64_t content_length; /* also for HEAD: what a body would have been */
    bool has_content_length;
    uint32_t field_count;
    struct http_field fields[HTTP_FIELDS_MAX];
};

/* Where a parse stands between calls: the head grows at its end, nothing is looked at twice. Zero it for each message. */
struct http_scan {
    uint32_t position;
    uint8_t state;
};

enum http_parse {
    HTTP_PARSE_DONE,
    HTTP_PARSE_MORE,
    HTTP_PARSE_BAD, /* answer with error->status and close */
};

struct http_parse_error {
    uint16_t status;  /* 400, 414, 417, 431, 501, 505; responses: 502 */
    const char *what; /* static: "two Host fields" */
};

/* The target is visible ASCII without '#'; what its path may be is access_normalise()'s business. In absolute form the
 * target's authority counts, and Host is only checked (RFC 9112 §3.2.2). TRACE and CONNECT are parsed, to be answered.
 * head: everything received of this message so far, at the same address or moved, never changed. On DONE *length is where
 * the head ends (the body or the next message follows). Leading empty lines (at most 2) are skipped (RFC 9112 §2.2). */
enum http_parse http_parse_request(struct http_scan *scan, struct slice head, const struct http_limits *limits,
                                   struct http_request *out, size_t *length, struct http_parse_error *error);
/* 1xx are returned as any other head (body NONE), but 101: we never ask for an Upgrade. request_head_only: the response of a HEAD has no body. */
enum http_parse http_parse_response(struct http_scan *scan, struct slice head, const struct http_limits *limits,
                                    bool request_head_only, struct http_response *out, size_t *length,
                                    struct http_parse_error *error);

/* The first field of that name, or empty with data NULL. */
struct slice http_find(const struct http_field *fields, uint32_t count, const char *name);

/* --- bodies -------------------------------------------------------------------------------------------------------------------- */

struct http_body {
    enum http_body_kind kind;
    uint8_t state;
    uint64_t remaining;     /* of the length, or of the chunk */
    uint32_t overhead;      /* bytes of chunk lines and trailers in a row, bounded */
    uint64_t payload_bytes; /* seen so far */
};
enum http_body_status { HTTP_BODY_DATA, HTTP_BODY_MORE, HTTP_BODY_END, HTTP_BODY_BAD };

void http_body_init(struct http_body *body, enum http_body_kind kind, uint64_t content_length);
/* Takes *used bytes of in; DATA: *data is payload (a part of in). END says that the message is over, and again if asked
 * again. MORE: all of in was used. Chunk extensions and trailer fields are checked and dropped; without payload in between
 * they may amount to 8 KiB. Call again while it returns DATA. */
enum http_body_status http_body_next(struct http_body *body, struct slice in, size_t *used, struct slice *data);
/* The peer closed: true when that is a proper end (UNTIL_CLOSE, or already over). */
bool http_body_closed(const struct http_body *body);

/* Room for a chunk head and end. */
#define HTTP_CHUNK_HEAD_MAX 18
size_t http_chunk_head(uint64_t length, char out[HTTP_CHUNK_HEAD_MAX]); /* "1f40\r\n" */
#define HTTP_CHUNK_END  "\r\n"
#define HTTP_CHUNK_LAST "0\r\n\r\n"

/* --- heads to send ---------------------------------------------------------------------------------------------------------------- */

struct http_forward {
    struct slice host;                  /* Host of the origin: "cucm.steven.lab:8443" (S14) */
    struct slice path;                  /* path and query for the origin */
    struct slice via_name;              /* our pseudonym for Via (RFC 9110 §7.6.3) */
    struct slice tracking_id;           /* TrackingID to send; empty: none */
    const struct assay_address *client; /* for X-Forwarded-For */
    bool client_trusted;                /* the peer's own X-Forwarded-For and TrackingID are kept (appended to) */
};
/* The request as the origin gets it: hop-by-hop fields and those named by Connection removed (RFC 9110 §7.6.1), Host,
 * Via, X-Forwarded-For, TrackingID, framing rewritten, Expect kept. What a peer that is not trusted says of clients
 * (X-Forwarded-For, Forwarded, TrackingID) is dropped. NO_SPACE. */
enum assay_error http_write_request(char *out, size_t capacity, const struct http_request *request,
                                    const struct http_forward *forward, size_t *length) ASSAY_MUST_USE;
/* The response as the client gets it. chunked: the body is re-framed in chunks (needs an HTTP/1.1 client); else
 * Content-Length as in response, or until close. keep_alive: what we say of the client's connection. */
enum assay_error http_write_response(char *out, size_t capacity, const struct http_response *response,
                                     struct slice via_name, bool chunked, bool keep_alive, uint8_t client_minor,
                                     size_t *length) ASSAY_MUST_USE;
/* A whole answer of our own with a short text body (reason NULL: http_reason(); text NULL: the reason): status line with reason ("connect failed" for 502, MRA S24). */
enum assay_error http_write_answer(char *out, size_t capacity, uint16_t status, const char *reason, const char *text,
                                   bool keep_alive, bool head_only, size_t *length) ASSAY_MUST_USE;
/* The standard reason phrase, ours for 502. */
const char *http_reason(uint16_t status);

/* True when a Via of the request names us: a loop (RFC 9110 §7.6.3). */
bool http_via_has(const struct http_field *fields, uint32_t count, struct slice via_name);
/* The last Via's received-by, for S20's Last-via-addr; empty when there is none. */
struct slice http_last_via(const struct http_field *fields, uint32_t count);

#endif
