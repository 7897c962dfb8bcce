/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/fields.h"

#include "http/grammar.h"

struct known_row {
    const char *name;
    uint8_t fate;
};

static const struct known_row known_rows[HTTP_FIELD_COUNT] = {
#define HTTP_FIELD(symbol, name, fate) [HTTP_FIELD_##symbol] = {name, HTTP_FATE_##fate},
    HTTP_KNOWN_FIELDS(HTTP_FIELD)
#undef HTTP_FIELD
};

/* Length and first letter leave at most one or two candidates: most fields of a request cost one look at this. */
static uint32_t candidates(struct slice name)
{
    switch (name.len << 8 | ascii_lower(name.data[0])) {
    case 2 << 8 | 't': return HTTP_FIELD_TE;
    case 3 << 8 | 'v': return HTTP_FIELD_VIA;
    case 4 << 8 | 'h': return HTTP_FIELD_HOST;
    case 6 << 8 | 'e': return HTTP_FIELD_EXPECT;
    case 6 << 8 | 'c': return HTTP_FIELD_COOKIE;
    case 7 << 8 | 't': return HTTP_FIELD_TRAILER;
    case 7 << 8 | 'u': return HTTP_FIELD_UPGRADE;
    case 9 << 8 | 'f': return HTTP_FIELD_FORWARDED;
    case 10 << 8 | 'c': return HTTP_FIELD_CONNECTION;
    case 10 << 8 | 'k': return HTTP_FIELD_KEEP_ALIVE;
    case 10 << 8 | 's': return HTTP_FIELD_SET_COOKIE;
    case 10 << 8 | 't': return HTTP_FIELD_TRACKING_ID;
    case 13 << 8 | 'a': return HTTP_FIELD_AUTHORIZATION;
    case 14 << 8 | 'c': return HTTP_FIELD_CONTENT_LENGTH;
    case 14 << 8 | 'h': return HTTP_FIELD_HTTP2_SETTINGS;
    case 15 << 8 | 'x': return HTTP_FIELD_X_FORWARDED_FOR;
    case 16 << 8 | 'p': return HTTP_FIELD_PROXY_CONNECTION;
    case 16 << 8 | 'w': return HTTP_FIELD_WWW_AUTHENTICATE;
    case 17 << 8 | 't': return HTTP_FIELD_TRANSFER_ENCODING;
    case 18 << 8 | 'p': return HTTP_FIELD_PROXY_AUTHENTICATE;
    case 19 << 8 | 'p': return HTTP_FIELD_PROXY_AUTHORIZATION;
    default: return HTTP_FIELD_OTHER;
    }
}

/* Names differ from ours in case at the most. Setting bit 5 of both is that, for tokens: letters become lower case, digits and
 * '-' have it, and what else it changes ('^', '_') becomes no byte of ours. */
static bool same_name(struct slice token, const char *name)
{
    uint8_t difference = 0;

    for (size_t i = 0; i < token.len; i++)
        difference |= (uint8_t)((token.data[i] | 0x20) ^ (name[i] | 0x20));
    return difference == 0;
}

enum http_known_field http_field_lookup(struct slice name)
{
    uint32_t known = name.len > 0 ? candidates(name) : HTTP_FIELD_OTHER;

    return known != HTTP_FIELD_OTHER && same_name(name, known_rows[known].name) ? known : HTTP_FIELD_OTHER;
}

enum http_field_fate http_field_fate(enum http_known_field known)
{
    return known_rows[known].fate;
}

bool http_field_is_secret(enum http_known_field known)
{
    switch (known) {
    case HTTP_FIELD_AUTHORIZATION:
    case HTTP_FIELD_PROXY_AUTHORIZATION:
    case HTTP_FIELD_WWW_AUTHENTICATE:
    case HTTP_FIELD_PROXY_AUTHENTICATE:
    case HTTP_FIELD_COOKIE:
    case HTTP_FIELD_SET_COOKIE: return true;
    default: return false;
    }
}

struct slice http_find(const struct http_field *fields, uint32_t count, const char *name)
{
    struct slice wanted = slice_text(name);

    for (uint32_t i = 0; i < count; i++)
        if (slice_equal_nocase(fields[i].name, wanted))
            return fields[i].value;
    return slice_of(NULL, 0);
}

bool http_list_next(struct slice *rest, struct slice *element)
{
    while (rest->len > 0) {
        const uint8_t *comma = memchr(rest->data, ',', rest->len);
        size_t len = comma ? (size_t)(comma - rest->data) : rest->len;

        *element = http_trim(slice_head(*rest, len));
        *rest = slice_tail(*rest, len + 1);
        if (element->len > 0)
            return true;
    }
    return false;
}

static bool option_add(struct http_options *out, struct slice option)
{
    if (!http_is_token(option))
        return false;
    if (slice_is_nocase(option, "close")) {
        out->close = true;
    } else if (slice_is_nocase(option, "keep-alive")) {
        out->keep_alive = true;
    } else {
        if (out->count == HTTP_OPTIONS_MAX)
            return false;
        out->names[out->count++] = option;
    }
    return true;
}

bool http_options_read(const struct http_field *fields, uint32_t count, struct http_options *out)
{
    out->close = false;
    out->keep_alive = false;
    out->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct slice rest = fields[i].value;
        struct slice option;

        if (fields[i].known != HTTP_FIELD_CONNECTION)
            continue;
        while (http_list_next(&rest, &option))
            if (!option_add(out, option))
                return false;
    }
    return true;
}

bool http_options_name(const struct http_options *options, struct slice name)
{
    for (uint32_t i = 0; i < options->count; i++)
        if (slice_equal_nocase(options->names[i], name))
            return true;
    return false;
}

bool http_auth_is_ntlm(struct slice value)
{
    struct slice scheme = slice_head(value, http_span(value, HTTP_CLASS_TOKEN));

    return slice_is_nocase(scheme, "NTLM") || slice_is_nocase(scheme, "Negotiate");
}

/* Where the element ends: a comma outside comments, which nest and may quote (RFC 9110 §5.6.5). */
static size_t via_element_len(struct slice s)
{
    uint32_t depth = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\\' && depth > 0)
            i++;
        else if (s.data[i] == '(')
            depth++;
        else if (s.data[i] == ')' && depth > 0)
            depth--;
        else if (s.data[i] == ',' && depth == 0)
            return i;
    }
    return s.len;
}

static bool is_space_or_comment(uint8_t c)
{
    return http_is_space(c) || c == '(';
}

/* received-by of the next Via element: "1.1 edge.example:8443 (comment)"; empty when the element has none. */
static bool via_next(struct slice *rest, struct slice *received_by)
{
    size_t len;
    struct slice element;
    size_t protocol = 0;
    size_t by = 0;

    if (rest->len == 0)
        return false;
    len = via_element_len(*rest);
    element = http_trim(slice_head(*rest, len));
    *rest = slice_tail(*rest, len + 1);
    while (protocol < element.len && !http_is_space(element.data[protocol]))
        protocol++;
    element = http_trim(slice_tail(element, protocol));
    while (by < element.len && !is_space_or_comment(element.data[by]))
        by++;
    *received_by = slice_head(element, by);
    return true;
}

bool http_via_has(const struct http_field *fields, uint32_t count, struct slice via_name)
{
    for (uint32_t i = 0; i < count; i++) {
        struct slice rest = fields[i].value;
        struct slice by;

        if (fields[i].known != HTTP_FIELD_VIA)
            continue;
        while (via_next(&rest, &by))
            if (slice_equal_nocase(by, via_name))
                return true;
    }
    return false;
}

struct slice http_last_via(const struct http_field *fields, uint32_t count)
{
    struct slice last = slice_of(NULL, 0);

    for (uint32_t i = 0; i < count; i++) {
        struct slice rest = fields[i].value;
        struct slice by;

        if (fields[i].known != HTTP_FIELD_VIA)
            continue;
        while (via_next(&rest, &by))
            if (by.len > 0)
                last = by;
    }
    return last;
}
