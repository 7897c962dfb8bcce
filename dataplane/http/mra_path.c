/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/mra_path.h"

#include "base/host.h"
#include "http/base64.h"

#define FIELDS 4

_Static_assert(MRA_PATH_DECODED_MAX > 2 * HOST_NAME_MAX + sizeof("/https//65535"), "the longest path fits");

static enum assay_error malformed(const char **why, const char *text)
{
    *why = text;
    return ASSAY_ERR_MALFORMED;
}

static enum assay_error read_segment(struct slice path, struct mra_target *out, struct slice *decoded, const char **why)
{
    size_t len = 0;
    size_t decoded_len;
    struct slice segment;

    if (path.len < 2 || path.data[0] != '/')
        return malformed(why, "no path");
    path = slice_tail(path, 1);
    while (len < path.len && path.data[len] != '/' && path.data[len] != '?')
        len++;
    segment = slice_head(path, len);
    out->rest = slice_tail(path, len);
    /* "/<b64>?query" has no path that an origin could be asked for. */
    if (out->rest.len > 0 && out->rest.data[0] == '?')
        return malformed(why, "a query and no path");
    if (out->rest.len == 0)
        out->rest = slice_text("/");
    if (segment.len == 0 ||
        base64_decode(segment, (uint8_t *)out->decoded, sizeof(out->decoded), &decoded_len) != ASSAY_OK)
        return malformed(why, "first segment is not base64");
    for (size_t i = 0; i < decoded_len; i++)
        out->decoded[i] = (char)ascii_lower((uint8_t)out->decoded[i]);
    *decoded = slice_of(out->decoded, decoded_len);
    return ASSAY_OK;
}

/* Returns how many fields there are; only the first FIELDS are stored. */
static size_t split(struct slice decoded, struct slice fields[FIELDS])
{
    size_t count = 0;
    size_t start = 0;

    for (size_t i = 0; i <= decoded.len; i++) {
        if (i < decoded.len && decoded.data[i] != '/')
            continue;
        if (count < FIELDS)
            fields[count] = slice_of(decoded.data + start, i - start);
        count++;
        start = i + 1;
    }
    return count;
}

/* The one spelling of the host that rules, names and pools compare, written over the one that came. */
static enum assay_error read_host(struct slice field, struct mra_target *out, const char **why)
{
    bool bracketed = field.len >= 2 && field.data[0] == '[' && field.data[field.len - 1] == ']';
    char canonical_text[HOST_NAME_MAX + 1];
    struct slice canonical;
    enum host_kind kind;
    size_t offset;

    if (bracketed)
        field = slice_of(field.data + 1, field.len - 2);
    if (host_check(field, &kind) != ASSAY_OK || (bracketed && kind != HOST_IP6) ||
        host_canonical(field, canonical_text, &canonical) != ASSAY_OK)
        return malformed(why, "bad host");
    if (kind == HOST_NAME) {
        out->host = field;
        return ASSAY_OK;
    }
    /* Address text has many spellings, some shorter than the canonical one: it goes behind all that was decoded. */
    offset = MRA_PATH_DECODED_MAX - canonical.len;
    if ((const char *)field.data + field.len > out->decoded + offset)
        return malformed(why, "bad host");
    memcpy(out->decoded + offset, canonical.data, canonical.len);
    out->host = slice_of(out->decoded + offset, canonical.len);
    return ASSAY_OK;
}

enum assay_error mra_path_parse(struct slice path, struct mra_target *out, const char **why)
{
    struct slice fields[FIELDS];
    struct slice decoded;
    enum host_kind kind;
    enum assay_error error = read_segment(path, out, &decoded, why);
    size_t count;

    if (error != ASSAY_OK)
        return error;
    count = split(decoded, fields);
    if (count != 1 && count != FIELDS)
        return malformed(why, "not one field and not four");
    if (host_check(fields[0], &kind) != ASSAY_OK || kind != HOST_NAME)
        return malformed(why, "bad domain");
    out->domain = fields[0];
    out->edge_config = count == 1;
    out->https = false;
    out->host = slice_of(NULL, 0);
    out->port = 0;
    if (out->edge_config)
        return ASSAY_OK;
    out->https = slice_is(fields[1], "https");
    if (!out->https && !slice_is(fields[1], "http"))
        return malformed(why, "unknown scheme");
    if (port_parse(fields[3], &out->port) != ASSAY_OK)
        return malformed(why, "bad port");
    return read_host(fields[2], out, why);
}
