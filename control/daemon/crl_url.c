/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/crl_url.h"

#include <stdio.h>
#include <string.h>

/* Takes a scheme and its "://" off text. */
static bool scheme_take(struct slice *text, const char *scheme)
{
    size_t length = strlen(scheme);

    if (text->len < length + 3 || memcmp(text->data + length, "://", 3) != 0)
        return false;
    for (size_t i = 0; i < length; i++)
        if (ascii_lower(text->data[i]) != (uint8_t)scheme[i])
            return false;
    *text = slice_tail(*text, length + 3);
    return true;
}

/* Path and query: what RFC 3986 lets stand for itself, no more. */
static bool rest_is_clean(struct slice rest)
{
    for (size_t i = 0; i < rest.len; i++)
        if (rest.data[i] <= 0x20 || rest.data[i] >= 0x7f || strchr("\"#<>\\^`{|}", rest.data[i]) != NULL)
            return false;
    return true;
}

static size_t authority_length(struct slice text)
{
    size_t length = 0;

    while (length < text.len && text.data[length] != '/' && text.data[length] != '?')
        length++;
    return length;
}

enum assay_error crl_url_parse(struct slice text, struct crl_url *out)
{
    struct slice host, rest, canonical;
    uint16_t standard;
    char port[8] = "";
    bool brackets;
    size_t length;

    memset(out, 0, sizeof(*out));
    if (scheme_take(&text, "https"))
        out->https = true;
    else if (!scheme_take(&text, "http"))
        return ASSAY_ERR_UNSUPPORTED;
    length = authority_length(text);
    rest = slice_tail(text, length);
    if (authority_parse(slice_of(text.data, length), &host, &out->port) != ASSAY_OK || !rest_is_clean(rest) ||
        host_canonical(host, out->host, &canonical) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    standard = out->https ? 443 : 80;
    if (out->port == 0)
        out->port = standard;
    if (out->port != standard)
        snprintf(port, sizeof(port), ":%u", out->port);
    /* by the canonical spelling: an IPv4-mapped IPv6 literal has become an IPv4 one */
    brackets = strchr(out->host, ':') != NULL;
    length = (size_t)snprintf(out->text, sizeof(out->text), "%s://%s%s%s%s%s%.*s", out->https ? "https" : "http",
                              brackets ? "[" : "", out->host, brackets ? "]" : "", port,
                              rest.len == 0 || rest.data[0] == '?' ? "/" : "", (int)rest.len, (const char *)rest.data);
    return length < sizeof(out->text) ? ASSAY_OK : ASSAY_ERR_MALFORMED;
}
