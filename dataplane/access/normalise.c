/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "access/access.h"

static enum assay_error refuse(const char **why, const char *text)
{
    *why = text;
    return ASSAY_ERR_MALFORMED;
}

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of "%HH" at the beginning of s, or -1. */
static int encoded_byte(struct slice s)
{
    int high;
    int low;

    if (s.len < 3 || s.data[0] != '%')
        return -1;
    high = hex(s.data[1]);
    low = hex(s.data[2]);
    return high < 0 || low < 0 ? -1 : 16 * high + low;
}

/* Bytes that UTF-8 never uses or uses only for a longer spelling of a shorter character: "%C0%AF" was a slash to some. */
static bool is_overlong(int byte, struct slice rest)
{
    int next = encoded_byte(rest);

    return byte == 0xc0 || byte == 0xc1 || (byte == 0xe0 && next >= 0x80 && next < 0xa0) ||
           (byte == 0xf0 && next >= 0x80 && next < 0x90);
}

/* s starts with a '%' in the path. What decodes to a delimiter, or to something to decode again, is read in two ways. */
static enum assay_error check_encoded(struct slice s, const char **why)
{
    int byte = encoded_byte(s);

    if (byte < 0)
        return refuse(why, "bad percent-encoding");
    if (byte < 0x20 || byte == 0x7f)
        return refuse(why, "encoded control byte");
    if (byte == '/' || byte == '\\' || byte == '.')
        return refuse(why, byte == '.' ? "encoded dot" : "encoded slash or backslash");
    if (byte == '%' && s.len >= 5 && hex(s.data[3]) >= 0 && hex(s.data[4]) >= 0)
        return refuse(why, "encoded twice");
    if (is_overlong(byte, slice_tail(s, 3)))
        return refuse(why, "overlong UTF-8");
    return ASSAY_OK;
}

/* Bytes of a path that mean themselves: visible ASCII without delimiters, '%', backslash and '#'. */
static bool is_plain(uint8_t c)
{
    return c > 0x20 && c < 0x7f && c != '/' && c != '?' && c != '%' && c != ';' && c != '\\' && c != '#';
}

/* Every byte of a segment, and how long its name is. Servers of the servlet kind take ";…" off a segment before they look at
 * it: "/..;x/" is "/../" to them. An encoded semicolon is one to some of them. */
static enum assay_error check_bytes(struct slice segment, size_t *name_len, const char **why)
{
    *name_len = segment.len;
    for (size_t i = 0; i < segment.len; i++) {
        struct slice rest = slice_of(segment.data + i, segment.len - i);

        if (is_plain(rest.data[0]))
            continue;
        if ((rest.data[0] == ';' || encoded_byte(rest) == ';') && *name_len == segment.len)
            *name_len = i;
        if (rest.data[0] == '%') {
            if (check_encoded(rest, why) != ASSAY_OK)
                return ASSAY_ERR_MALFORMED;
        } else if (rest.data[0] != ';') {
            return refuse(why, rest.data[0] == '\\' || rest.data[0] == '#' ? "backslash or fragment"
                                                                           : "a byte that is not visible ASCII");
        }
    }
    return ASSAY_OK;
}

static enum assay_error check_segment(struct slice segment, bool last, const char **why)
{
    struct slice name;
    size_t name_len;

    if (check_bytes(segment, &name_len, why) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    name = slice_head(segment, name_len);
    if (name.len == 0 && !(last && segment.len == 0))
        return refuse(why, "empty segment");
    if (name.len > 0 && name.data[0] == '.' && (name.len == 1 || (name.len == 2 && name.data[1] == '.')))
        return refuse(why, "dot segment");
    return ASSAY_OK;
}

static enum assay_error check_query(struct slice query, const char **why)
{
    for (size_t i = 0; i < query.len; i++) {
        if (query.data[i] <= 0x20 || query.data[i] >= 0x7f || query.data[i] == '#')
            return refuse(why, "a byte in the query that is not visible ASCII, or a fragment");
        if (query.data[i] != '%')
            continue;
        if (encoded_byte(slice_tail(query, i)) <= 0)
            return refuse(why, "bad percent-encoding in the query");
    }
    return ASSAY_OK;
}

enum assay_error access_normalise(struct slice path, const char **why)
{
    const uint8_t *mark = path.len ? memchr(path.data, '?', path.len) : NULL;
    size_t end = mark ? (size_t)(mark - path.data) : path.len;
    size_t start = 1;

    *why = "";
    if (path.len == 0 || path.data[0] != '/')
        return refuse(why, "no path");
    for (size_t i = 1; i <= end; i++) {
        if (i < end && path.data[i] != '/')
            continue;
        if (check_segment(slice_of(path.data + start, i - start), i == end, why) != ASSAY_OK)
            return ASSAY_ERR_MALFORMED;
        start = i + 1;
    }
    return check_query(slice_tail(path, end), why);
}
