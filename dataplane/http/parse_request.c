/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/host.h"
#include "http/fields.h"
#include "http/grammar.h"
#include "http/head.h"

#define METHOD_MAX 32

/* "HTTP/1.1" */
#define VERSION_LEN 8

static bool read_version(struct slice text, uint8_t *minor, struct http_parse_error *error)
{
    if (text.len != VERSION_LEN || memcmp(text.data, "HTTP/", 5) != 0 ||
        !http_byte_is(text.data[5], HTTP_CLASS_DIGIT) || text.data[6] != '.' ||
        !http_byte_is(text.data[7], HTTP_CLASS_DIGIT))
        return http_fail(error, 400, "bad HTTP version");
    if (text.data[5] != '1')
        return http_fail(error, 505, "HTTP version not supported");
    *minor = (uint8_t)(text.data[7] - '0');
    return true;
}

static bool method_is_idempotent(struct slice method)
{
    static const char *const idempotent[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};

    for (size_t i = 0; i < sizeof(idempotent) / sizeof(idempotent[0]); i++)
        if (slice_is(method, idempotent[i]))
            return true;
    return false;
}

static bool read_authority(struct slice text, struct http_request *out, struct http_parse_error *error)
{
    struct slice host;
    uint16_t port;

    if (authority_parse(text, &host, &port) != ASSAY_OK)
        return http_fail(error, 400, "bad host");
    out->authority = text;
    return true;
}

/* "https://host:port/path?query" (RFC 9112 §3.2.2). */
static bool read_absolute(struct slice target, size_t scheme_len, struct http_request *out,
                          struct http_parse_error *error)
{
    struct slice scheme = slice_head(target, scheme_len);
    struct slice rest = slice_tail(target, scheme_len + 3);
    size_t len = 0;

    if (slice_is_nocase(scheme, "https"))
        out->scheme = slice_text("https");
    else if (slice_is_nocase(scheme, "http"))
        out->scheme = slice_text("http");
    else
        return http_fail(error, 400, "scheme not supported");
    while (len < rest.len && rest.data[len] != '/' && rest.data[len] != '?')
        len++;
    out->form = HTTP_TARGET_ABSOLUTE;
    out->path = slice_tail(rest, len);
    if (!read_authority(slice_head(rest, len), out, error))
        return false;
    /* "http://host?q" is "/?q" to an origin; nobody sends it, and no slice of the head says it. */
    if (out->path.len > 0 && out->path.data[0] != '/')
        return http_fail(error, 400, "absolute target with a query and no path");
    /* OPTIONS of a server as a whole becomes "*" again at the last proxy (RFC 9112 §3.2.4). */
    if (out->path.len == 0)
        out->path = slice_text(slice_is(out->method, "OPTIONS") ? "*" : "/");
    return true;
}

static bool read_target(struct slice target, struct http_request *out, struct http_parse_error *error)
{
    const uint8_t *colon;

    out->target = target;
    out->scheme = slice_of(NULL, 0);
    out->authority = slice_of(NULL, 0);
    out->path = target;
    if (slice_is(out->method, "CONNECT")) {
        out->form = HTTP_TARGET_AUTHORITY;
        out->path = slice_of(NULL, 0);
        return read_authority(target, out, error);
    }
    if (target.data[0] == '/') {
        out->form = HTTP_TARGET_ORIGIN;
        return true;
    }
    if (slice_is(target, "*")) {
        out->form = HTTP_TARGET_ASTERISK;
        return slice_is(out->method, "OPTIONS") || http_fail(error, 400, "target * is for OPTIONS");
    }
    colon = memchr(target.data, ':', target.len);
    if (colon == NULL || target.data + target.len - colon < 3 || memcmp(colon, "://", 3) != 0)
        return http_fail(error, 400, "bad target");
    return read_absolute(target, (size_t)(colon - target.data), out, error);
}

static bool read_line(struct slice line, const struct http_limits *limits, struct http_request *out,
                      struct http_parse_error *error)
{
    size_t method_len = http_span(line, HTTP_CLASS_TOKEN);
    struct slice rest = slice_tail(line, method_len + 1);
    size_t target_len = http_span(rest, HTTP_CLASS_TARGET);

    out->line = line;
    out->method = slice_head(line, method_len);
    if (method_len == 0 || method_len == line.len || line.data[method_len] != ' ')
        return http_fail(error, 400, "bad method");
    if (method_len > METHOD_MAX)
        return http_fail(error, 501, "method too long");
    if (target_len > limits->target_max)
        return http_fail(error, 414, "target too long");
    if (target_len == 0 || target_len >= rest.len || rest.data[target_len] != ' ')
        return http_fail(error, 400, "bad byte in the target, or no version");
    if (!read_version(slice_tail(rest, target_len + 1), &out->minor, error))
        return false;
    out->head_only = slice_is(out->method, "HEAD");
    out->idempotent = method_is_idempotent(out->method);
    return read_target(slice_head(rest, target_len), out, error);
}

/* RFC 9112 §3.2: exactly one in HTTP/1.1. In absolute form the target's authority counts and Host is ignored (§3.2.2), yet it
 * must be well formed: the writer replaces it in any case. */
static bool read_host(struct http_request *out, const struct http_field_index *index, struct http_parse_error *error)
{
    struct slice authority = out->authority;

    if (index->seen[HTTP_FIELD_HOST] > 1)
        return http_fail(error, 400, "more than one Host");
    if (index->seen[HTTP_FIELD_HOST] == 0)
        return out->minor == 0 || http_fail(error, 400, "no Host");
    if (!read_authority(http_field_at(out->fields, index, HTTP_FIELD_HOST)->value, out, error))
        return false;
    if (authority.len > 0)
        out->authority = authority;
    return true;
}

static bool read_framing(struct http_request *out, const struct http_field_index *index, struct http_parse_error *error)
{
    out->body = HTTP_BODY_NONE;
    out->content_length = 0;
    if (index->seen[HTTP_FIELD_TRANSFER_ENCODING] > 0) {
        out->body = HTTP_BODY_CHUNKED;
        return http_transfer_encoding(out->fields, index, out->minor, error);
    }
    if (index->seen[HTTP_FIELD_CONTENT_LENGTH] > 0) {
        out->body = HTTP_BODY_LENGTH;
        return http_content_length(out->fields, index, &out->content_length, error);
    }
    return true;
}

static bool read_expect(struct http_request *out, const struct http_field_index *index, struct http_parse_error *error)
{
    const struct http_field *expect = http_field_at(out->fields, index, HTTP_FIELD_EXPECT);

    out->expect_continue = false;
    if (expect == NULL)
        return true;
    if (index->seen[HTTP_FIELD_EXPECT] != 1 || !slice_is_nocase(expect->value, "100-continue"))
        return http_fail(error, 417, "expectation not supported");
    /* Nothing to wait for without a body; HTTP/1.0 has no 100 (RFC 9110 §10.1.1). */
    out->expect_continue = out->minor >= 1 && (out->body == HTTP_BODY_CHUNKED || out->content_length > 0);
    return true;
}

static bool read_connection(struct http_request *out, struct http_parse_error *error)
{
    struct http_options options;

    if (!http_options_read(out->fields, out->field_count, &options))
        return http_fail(error, 400, "bad Connection");
    out->keep_alive = !options.close && (out->minor >= 1 || options.keep_alive);
    return true;
}

static bool read_fields(struct slice block, const struct http_limits *limits, struct http_request *out,
                        struct http_parse_error *error)
{
    struct http_field_index index = {{0}, {0}};
    const struct http_field *authorization;

    if (!http_head_fields(block, limits->fields_max, out->fields, &out->field_count, &index, error) ||
        !read_host(out, &index, error) || !read_framing(out, &index, error) || !read_expect(out, &index, error) ||
        !read_connection(out, error))
        return false;
    if (index.seen[HTTP_FIELD_AUTHORIZATION] > 1)
        return http_fail(error, 400, "more than one Authorization");
    authorization = http_field_at(out->fields, &index, HTTP_FIELD_AUTHORIZATION);
    out->ntlm = authorization != NULL && http_auth_is_ntlm(authorization->value);
    return true;
}

enum http_parse http_parse_request(struct http_scan *scan, struct slice head, const struct http_limits *limits,
                                   struct http_request *out, size_t *length, struct http_parse_error *error)
{
    struct http_head parts;
    enum http_parse result = http_head_scan(scan, head, limits, true, &parts, length, error);

    if (result != HTTP_PARSE_DONE)
        return result;
    if (!read_line(parts.line, limits, out, error) || !read_fields(parts.block, limits, out, error))
        return HTTP_PARSE_BAD;
    return HTTP_PARSE_DONE;
}
