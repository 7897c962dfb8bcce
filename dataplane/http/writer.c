/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/address.h"
#include "http/fields.h"
#include "http/http.h"

struct text {
    char *data;
    size_t len;
    size_t capacity;
    bool full; /* something did not fit: the whole text is void */
};

static void put(struct text *out, struct slice s)
{
    if (out->full || s.len > out->capacity - out->len) {
        out->full = true;
        return;
    }
    if (s.len > 0)
        memcpy(out->data + out->len, s.data, s.len);
    out->len += s.len;
}

static inline void put_text(struct text *out, const char *text)
{
    put(out, slice_text(text));
}

static void put_number(struct text *out, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    put(out, slice_of(digits + at, sizeof(digits) - at));
}

/* One field line, with one look at the room. */
static void put_line(struct text *out, struct slice name, struct slice value)
{
    size_t len = name.len + value.len + 4;
    char *p = out->data + out->len;

    if (out->full || len > out->capacity - out->len) {
        out->full = true;
        return;
    }
    memcpy(p, name.data, name.len);
    p += name.len;
    *p++ = ':';
    *p++ = ' ';
    if (value.len > 0)
        memcpy(p, value.data, value.len);
    p += value.len;
    *p++ = '\r';
    *p = '\n';
    out->len += len;
}

static void put_field(struct text *out, const char *name, struct slice value)
{
    put_line(out, slice_text(name), value);
}

static void put_framing(struct text *out, bool chunked, bool has_length, uint64_t length)
{
    if (chunked) {
        put_text(out, "Transfer-Encoding: chunked\r\n");
    } else if (has_length) {
        put_text(out, "Content-Length: ");
        put_number(out, length);
        put_text(out, "\r\n");
    }
}

/* All fields meant for whoever comes after us. Connection cannot take away what we write ourselves: those are ours. */
static enum assay_error put_passed(struct text *out, const struct http_field *fields, uint32_t count)
{
    struct http_options options;

    if (!http_options_read(fields, count, &options))
        return ASSAY_ERR_MALFORMED;
    for (uint32_t i = 0; i < count; i++) {
        if (http_field_fate(fields[i].known) != HTTP_FATE_PASS || http_options_name(&options, fields[i].name))
            continue;
        put_line(out, fields[i].name, fields[i].value);
    }
    return ASSAY_OK;
}

/* One field line of all that came, and what is ours at the end: many a server reads the first line only. */
static void put_list(struct text *out, const char *name, const struct http_field *fields, uint32_t count,
                     enum http_known_field known, const char *prefix, struct slice own)
{
    put_text(out, name);
    put_text(out, ": ");
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].known != known || fields[i].value.len == 0)
            continue;
        put(out, fields[i].value);
        put_text(out, ", ");
    }
    put_text(out, prefix);
    put(out, own);
    put_text(out, "\r\n");
}

static void put_via(struct text *out, const struct http_field *fields, uint32_t count, uint8_t minor, struct slice name)
{
    if (name.len > 0)
        put_list(out, "Via", fields, count, HTTP_FIELD_VIA, minor == 0 ? "1.0 " : "1.1 ", name);
}

/* From a peer that is not trusted nothing is believed about who it is (Forwarded, RFC 7239, says it in other words). */
static void put_client(struct text *out, const struct http_request *request, const struct http_forward *forward)
{
    uint32_t count = forward->client_trusted ? request->field_count : 0;
    struct slice tracking_id = http_find(request->fields, count, "TrackingID");
    struct slice forwarded = http_find(request->fields, count, "Forwarded");
    char address[ASSAY_ADDRESS_TEXT_MAX];

    if (forward->client != NULL)
        put_list(out, "X-Forwarded-For", request->fields, count, HTTP_FIELD_X_FORWARDED_FOR, "",
                 slice_text(address_format(forward->client, address)));
    if (forwarded.len > 0)
        put_field(out, "Forwarded", forwarded);
    if (tracking_id.len == 0)
        tracking_id = forward->tracking_id;
    if (tracking_id.len > 0)
        put_field(out, "TrackingID", tracking_id);
}

static enum assay_error finish(const struct text *out, size_t *length)
{
    if (out->full)
        return ASSAY_ERR_NO_SPACE;
    *length = out->len;
    return ASSAY_OK;
}

enum assay_error http_write_request(char *out, size_t capacity, const struct http_request *request,
                                    const struct http_forward *forward, size_t *length)
{
    struct text text = {out, 0, capacity, false};
    enum assay_error error;

    put(&text, request->method);
    put_text(&text, " ");
    put(&text, forward->path);
    put_text(&text, " HTTP/1.1\r\n");
    put_field(&text, "Host", forward->host);
    error = put_passed(&text, request->fields, request->field_count);
    if (error != ASSAY_OK)
        return error;
    put_via(&text, request->fields, request->field_count, request->minor, forward->via_name);
    put_client(&text, request, forward);
    if (request->expect_continue)
        put_text(&text, "Expect: 100-continue\r\n");
    put_framing(&text, request->body == HTTP_BODY_CHUNKED, request->body == HTTP_BODY_LENGTH, request->content_length);
    put_text(&text, "\r\n");
    return finish(&text, length);
}

static void put_persistence(struct text *out, bool keep_alive, uint8_t client_minor)
{
    if (!keep_alive)
        put_text(out, "Connection: close\r\n");
    else if (client_minor == 0)
        put_text(out, "Connection: keep-alive\r\n");
}

enum assay_error http_write_response(char *out, size_t capacity, const struct http_response *response,
                                     struct slice via_name, bool chunked, bool keep_alive, uint8_t client_minor,
                                     size_t *length)
{
    struct text text = {out, 0, capacity, false};
    bool interim = response->status < 200;
    bool has_length = response->has_content_length && !interim && response->status != 204;
    enum assay_error error;

    put_text(&text, "HTTP/1.1 ");
    put_number(&text, response->status);
    put_text(&text, " ");
    put(&text, response->reason);
    put_text(&text, "\r\n");
    error = put_passed(&text, response->fields, response->field_count);
    if (error != ASSAY_OK)
        return error;
    put_via(&text, response->fields, response->field_count, response->minor, via_name);
    put_framing(&text, chunked, has_length, response->content_length);
    if (!interim)
        put_persistence(&text, keep_alive && (chunked || response->body != HTTP_BODY_UNTIL_CLOSE), client_minor);
    put_text(&text, "\r\n");
    return finish(&text, length);
}

enum assay_error http_write_answer(char *out, size_t capacity, uint16_t status, const char *reason,
                                   const char *text_body, bool keep_alive, bool head_only, size_t *length)
{
    struct text text = {out, 0, capacity, false};
    const char *phrase = reason ? reason : http_reason(status);
    struct slice body = slice_text(text_body ? text_body : phrase);

    put_text(&text, "HTTP/1.1 ");
    put_number(&text, status);
    put_text(&text, " ");
    put_text(&text, phrase);
    put_text(&text, "\r\nContent-Type: text/plain\r\n");
    /* RFC 9110 §15.5.6: 405 names what would do. */
    if (status == 405)
        put_text(&text, "Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH\r\n");
    put_framing(&text, false, true, body.len + 1);
    put_text(&text, keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
    if (!head_only) {
        put(&text, body);
        put_text(&text, "\n");
    }
    return finish(&text, length);
}

const char *http_reason(uint16_t status)
{
    switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "connect failed"; /* MRA S24 */
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 508: return "Loop Detected";
    default: return "Unknown";
    }
}
