/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/fields.h"
#include "http/grammar.h"
#include "http/head.h"

/* "HTTP/1.1 200" */
#define STATUS_LINE_MIN 12

static bool read_line(struct slice line, struct http_response *out, struct http_parse_error *error)
{
    const uint8_t *p = line.data;

    if (line.len < STATUS_LINE_MIN || memcmp(p, "HTTP/1.", 7) != 0 || !http_byte_is(p[7], HTTP_CLASS_DIGIT) ||
        p[8] != ' ' || http_span(slice_of(p + 9, 3), HTTP_CLASS_DIGIT) != 3)
        return http_fail(error, 502, "bad status line");
    /* The space before an empty reason is often forgotten; nothing else can be meant. */
    if (line.len > STATUS_LINE_MIN && p[STATUS_LINE_MIN] != ' ')
        return http_fail(error, 502, "bad status line");
    out->line = line;
    out->minor = (uint8_t)(p[7] - '0');
    out->status = (uint16_t)((p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0'));
    out->reason = slice_tail(line, STATUS_LINE_MIN + 1);
    if (out->status < 100 || out->status > 599)
        return http_fail(error, 502, "status out of range");
    /* Upgrade is never passed on: nobody asked for a change of protocol. */
    if (out->status == 101)
        return http_fail(error, 502, "101 without an Upgrade");
    return true;
}

/* RFC 9112 §6.3. What says two things about its length is refused, also where a rule would pick one of them. */
static bool read_framing(bool request_head_only, const struct http_field_index *index, struct http_response *out,
                         struct http_parse_error *error)
{
    bool coded = index->seen[HTTP_FIELD_TRANSFER_ENCODING] > 0;
    bool empty = out->status < 200 || out->status == 204;

    out->content_length = 0;
    out->has_content_length = index->seen[HTTP_FIELD_CONTENT_LENGTH] > 0;
    if (coded && !http_transfer_encoding(out->fields, index, out->minor, error))
        return false;
    if (out->has_content_length && !http_content_length(out->fields, index, &out->content_length, error))
        return false;
    if (empty && (coded || out->content_length > 0))
        return http_fail(error, 502, "a body announced where none can be");
    if (empty || request_head_only || out->status == 304)
        out->body = HTTP_BODY_NONE;
    else if (coded)
        out->body = HTTP_BODY_CHUNKED;
    else
        out->body = out->has_content_length ? HTTP_BODY_LENGTH : HTTP_BODY_UNTIL_CLOSE;
    return true;
}

static bool read_connection(struct http_response *out, struct http_parse_error *error)
{
    struct http_options options;

    if (!http_options_read(out->fields, out->field_count, &options))
        return http_fail(error, 502, "bad Connection");
    out->keep_alive = !options.close && (out->minor >= 1 || options.keep_alive) && out->body != HTTP_BODY_UNTIL_CLOSE;
    return true;
}

static bool has_ntlm(const struct http_response *response)
{
    for (uint32_t i = 0; i < response->field_count; i++)
        if (response->fields[i].known == HTTP_FIELD_WWW_AUTHENTICATE && http_auth_is_ntlm(response->fields[i].value))
            return true;
    return false;
}

enum http_parse http_parse_response(struct http_scan *scan, struct slice head, const struct http_limits *limits,
                                    bool request_head_only, struct http_response *out, size_t *length,
                                    struct http_parse_error *error)
{
    struct http_field_index index = {{0}, {0}};
    struct http_head parts;
    enum http_parse result = http_head_scan(scan, head, limits, false, &parts, length, error);

    if (result == HTTP_PARSE_MORE)
        return result;
    if (result == HTTP_PARSE_BAD || !read_line(parts.line, out, error) ||
        !http_head_fields(parts.block, limits->fields_max, out->fields, &out->field_count, &index, error) ||
        !read_framing(request_head_only, &index, out, error) || !read_connection(out, error)) {
        error->status = 502;
        return HTTP_PARSE_BAD;
    }
    out->ntlm = has_ntlm(out);
    return HTTP_PARSE_DONE;
}
