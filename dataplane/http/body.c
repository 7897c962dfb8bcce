/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/grammar.h"
#include "http/http.h"

/* The chunked decoder (RFC 9112 §7.1): one state a place in the grammar, so that input may be cut anywhere. */
enum chunk_state {
    CHUNK_SIZE_FIRST,
    CHUNK_SIZE,
    CHUNK_EXT_SPACE, /* white space that must end in ';' */
    CHUNK_EXT_NAME_FIRST,
    CHUNK_EXT_NAME,
    CHUNK_EXT_NAME_SPACE, /* white space that must end in '=' or ';' */
    CHUNK_EXT_VALUE_FIRST,
    CHUNK_EXT_TOKEN,
    CHUNK_EXT_QUOTED,
    CHUNK_EXT_QUOTED_PAIR,
    CHUNK_EXT_VALUE_END,
    CHUNK_LINE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER_FIRST,
    CHUNK_TRAILER_NAME,
    CHUNK_TRAILER_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_LAST_LF,
    CHUNK_OVER,
    CHUNK_BAD,
};

/* What chunk lines and trailers may amount to before payload makes up for it: each chunk earns back twice its length and its
 * own shortest line. Without it a byte of payload could cost any number of bytes of extension. */
#define OVERHEAD_MAX    8192
#define OVERHEAD_EARNED 16

void http_body_init(struct http_body *body, enum http_body_kind kind, uint64_t content_length)
{
    body->kind = kind;
    body->state = CHUNK_SIZE_FIRST;
    body->remaining = kind == HTTP_BODY_LENGTH ? content_length : 0;
    body->overhead = 0;
    body->payload_bytes = 0;
}

static enum chunk_state after_size(uint8_t c)
{
    if (c == '\r')
        return CHUNK_LINE_LF;
    if (c == ';')
        return CHUNK_EXT_NAME_FIRST;
    return http_is_space(c) ? CHUNK_EXT_SPACE : CHUNK_BAD;
}

static enum chunk_state next_size(struct http_body *body, uint8_t c)
{
    if (!http_byte_is(c, HTTP_CLASS_HEX))
        return body->state == CHUNK_SIZE ? after_size(c) : CHUNK_BAD;
    if (body->remaining > (uint64_t)INT64_MAX >> 4)
        return CHUNK_BAD;
    body->remaining = body->remaining << 4 | http_hex(c);
    return CHUNK_SIZE;
}

/* chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ): checked, and dropped. */
static enum chunk_state next_extension(enum chunk_state state, uint8_t c)
{
    switch (state) {
    case CHUNK_EXT_SPACE: return c == '\r' ? CHUNK_BAD : after_size(c);
    case CHUNK_EXT_NAME_FIRST:
        if (http_is_space(c))
            return state;
        return http_byte_is(c, HTTP_CLASS_TOKEN) ? CHUNK_EXT_NAME : CHUNK_BAD;
    case CHUNK_EXT_NAME:
        if (http_byte_is(c, HTTP_CLASS_TOKEN))
            return state;
        if (c == '=')
            return CHUNK_EXT_VALUE_FIRST;
        return http_is_space(c) ? CHUNK_EXT_NAME_SPACE : after_size(c);
    case CHUNK_EXT_NAME_SPACE:
        if (c == '=')
            return CHUNK_EXT_VALUE_FIRST;
        if (http_is_space(c))
            return state;
        return c == ';' ? CHUNK_EXT_NAME_FIRST : CHUNK_BAD;
    case CHUNK_EXT_VALUE_FIRST:
        if (http_is_space(c))
            return state;
        if (c == '"')
            return CHUNK_EXT_QUOTED;
        return http_byte_is(c, HTTP_CLASS_TOKEN) ? CHUNK_EXT_TOKEN : CHUNK_BAD;
    case CHUNK_EXT_TOKEN: return http_byte_is(c, HTTP_CLASS_TOKEN) ? state : after_size(c);
    case CHUNK_EXT_QUOTED:
        if (c == '\\')
            return CHUNK_EXT_QUOTED_PAIR;
        if (c == '"')
            return CHUNK_EXT_VALUE_END;
        return http_byte_is(c, HTTP_CLASS_VALUE) ? state : CHUNK_BAD;
    case CHUNK_EXT_QUOTED_PAIR: return http_byte_is(c, HTTP_CLASS_VALUE) ? CHUNK_EXT_QUOTED : CHUNK_BAD;
    case CHUNK_EXT_VALUE_END: return after_size(c);
    default: return CHUNK_BAD;
    }
}

static enum chunk_state next_trailer(enum chunk_state state, uint8_t c)
{
    switch (state) {
    case CHUNK_TRAILER_FIRST:
        if (c == '\r')
            return CHUNK_LAST_LF;
        return http_byte_is(c, HTTP_CLASS_TOKEN) ? CHUNK_TRAILER_NAME : CHUNK_BAD;
    case CHUNK_TRAILER_NAME:
        if (http_byte_is(c, HTTP_CLASS_TOKEN))
            return state;
        return c == ':' ? CHUNK_TRAILER_VALUE : CHUNK_BAD;
    case CHUNK_TRAILER_VALUE:
        if (http_byte_is(c, HTTP_CLASS_VALUE))
            return state;
        return c == '\r' ? CHUNK_TRAILER_LF : CHUNK_BAD;
    case CHUNK_TRAILER_LF: return c == '\n' ? CHUNK_TRAILER_FIRST : CHUNK_BAD;
    case CHUNK_LAST_LF: return c == '\n' ? CHUNK_OVER : CHUNK_BAD;
    default: return CHUNK_BAD;
    }
}

static void earn(struct http_body *body)
{
    uint64_t earned = body->remaining > OVERHEAD_MAX ? OVERHEAD_MAX : OVERHEAD_EARNED + 2 * body->remaining;

    body->overhead = body->overhead > earned ? (uint32_t)(body->overhead - earned) : 0;
}

static enum chunk_state next_state(struct http_body *body, uint8_t c)
{
    switch ((enum chunk_state)body->state) {
    case CHUNK_SIZE_FIRST:
    case CHUNK_SIZE: return next_size(body, c);
    case CHUNK_LINE_LF:
        if (c != '\n')
            return CHUNK_BAD;
        return body->remaining > 0 ? CHUNK_DATA : CHUNK_TRAILER_FIRST;
    case CHUNK_DATA_CR: return c == '\r' ? CHUNK_DATA_LF : CHUNK_BAD;
    case CHUNK_DATA_LF: return c == '\n' ? CHUNK_SIZE_FIRST : CHUNK_BAD;
    case CHUNK_TRAILER_FIRST:
    case CHUNK_TRAILER_NAME:
    case CHUNK_TRAILER_VALUE:
    case CHUNK_TRAILER_LF:
    case CHUNK_LAST_LF: return next_trailer((enum chunk_state)body->state, c);
    default: return next_extension((enum chunk_state)body->state, c);
    }
}

static enum http_body_status take_payload(struct http_body *body, struct slice in, size_t *used, struct slice *data)
{
    size_t len = in.len < body->remaining ? in.len : (size_t)body->remaining;

    *data = slice_head(in, len);
    *used += len;
    body->remaining -= len;
    body->payload_bytes += len;
    return len > 0 ? HTTP_BODY_DATA : HTTP_BODY_MORE;
}

static enum http_body_status next_chunked(struct http_body *body, struct slice in, size_t *used, struct slice *data)
{
    for (size_t i = 0; body->state < CHUNK_OVER; i++) {
        if (body->state == CHUNK_DATA) {
            enum http_body_status status = take_payload(body, slice_tail(in, i), used, data);

            if (body->remaining == 0)
                body->state = CHUNK_DATA_CR;
            return status;
        }
        if (i == in.len)
            return HTTP_BODY_MORE;
        body->state = (uint8_t)next_state(body, in.data[i]);
        *used = i + 1;
        if (++body->overhead > OVERHEAD_MAX)
            body->state = CHUNK_BAD;
        else if (body->state == CHUNK_DATA)
            earn(body);
    }
    return body->state == CHUNK_OVER ? HTTP_BODY_END : HTTP_BODY_BAD;
}

enum http_body_status http_body_next(struct http_body *body, struct slice in, size_t *used, struct slice *data)
{
    *used = 0;
    *data = slice_of(NULL, 0);
    switch (body->kind) {
    case HTTP_BODY_CHUNKED: return next_chunked(body, in, used, data);
    case HTTP_BODY_LENGTH:
        if (body->remaining == 0)
            return HTTP_BODY_END;
        return take_payload(body, in, used, data);
    case HTTP_BODY_UNTIL_CLOSE:
        *data = in;
        *used = in.len;
        body->payload_bytes += in.len;
        return in.len > 0 ? HTTP_BODY_DATA : HTTP_BODY_MORE;
    case HTTP_BODY_NONE: break;
    }
    return HTTP_BODY_END;
}

bool http_body_closed(const struct http_body *body)
{
    switch (body->kind) {
    case HTTP_BODY_CHUNKED: return body->state == CHUNK_OVER;
    case HTTP_BODY_LENGTH: return body->remaining == 0;
    case HTTP_BODY_UNTIL_CLOSE:
    case HTTP_BODY_NONE: break;
    }
    return true;
}

size_t http_chunk_head(uint64_t length, char out[HTTP_CHUNK_HEAD_MAX])
{
    static const char digits[] = "0123456789abcdef";
    size_t len = 1;

    for (uint64_t rest = length >> 4; rest != 0; rest >>= 4)
        len++;
    for (size_t i = len; i > 0; i--, length >>= 4)
        out[i - 1] = digits[length & 0xf];
    out[len] = '\r';
    out[len + 1] = '\n';
    return len + 2;
}
