/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/host.h"

#include "base/address.h"

#define LABEL_MAX 63

_Static_assert(HOST_NAME_MAX + 1 >= ASSAY_ADDRESS_TEXT_MAX, "an address fits where a name does");

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_label_byte(uint8_t c)
{
    uint8_t lower = ascii_lower(c);

    return is_digit(c) || (lower >= 'a' && lower <= 'z') || c == '-' || c == '_';
}

/* Would some resolver take a name that ends so for an address ("1.2.3", "0x7f")? */
static bool label_is_number(struct slice label)
{
    bool hex = label.len >= 2 && label.data[0] == '0' && ascii_lower(label.data[1]) == 'x';

    for (size_t i = hex ? 2 : 0; i < label.len; i++) {
        uint8_t lower = ascii_lower(label.data[i]);

        if (!is_digit(lower) && !(hex && lower >= 'a' && lower <= 'f'))
            return false;
    }
    return true;
}

static bool label_is_good(struct slice label)
{
    return label.len >= 1 && label.len <= LABEL_MAX && label.data[0] != '-' && label.data[label.len - 1] != '-';
}

enum assay_error host_check(struct slice text, enum host_kind *kind)
{
    struct assay_address address;
    size_t start = 0;

    if (text.len == 0 || text.len > HOST_NAME_MAX)
        return ASSAY_ERR_MALFORMED;
    if (memchr(text.data, ':', text.len) != NULL) {
        *kind = HOST_IP6;
        return address_parse(text, &address);
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '.') {
            if (!label_is_good(slice_of(text.data + start, i - start)))
                return ASSAY_ERR_MALFORMED;
            start = i + 1;
        } else if (!is_label_byte(text.data[i])) {
            return ASSAY_ERR_MALFORMED;
        }
    }
    struct slice last = slice_of(text.data + start, text.len - start);

    if (!label_is_good(last))
        return ASSAY_ERR_MALFORMED;
    if (label_is_number(last)) {
        *kind = HOST_IP4;
        return address_parse(text, &address);
    }
    *kind = HOST_NAME;
    return ASSAY_OK;
}

enum assay_error host_canonical(struct slice text, char out[HOST_NAME_MAX + 1], struct slice *canonical)
{
    struct assay_address address;
    enum host_kind kind;
    enum assay_error error = host_check(text, &kind);

    if (error != ASSAY_OK)
        return error;
    if (kind == HOST_NAME) {
        for (size_t i = 0; i < text.len; i++)
            out[i] = (char)ascii_lower(text.data[i]);
        out[text.len] = 0;
        *canonical = slice_of(out, text.len);
        return ASSAY_OK;
    }
    error = address_parse(text, &address);
    if (error != ASSAY_OK)
        return error;
    *canonical = slice_text(address_format(&address, out));
    return ASSAY_OK;
}

enum assay_error port_parse(struct slice text, uint16_t *port)
{
    uint32_t value = 0;

    if (text.len == 0 || text.len > 5 || text.data[0] == '0')
        return ASSAY_ERR_MALFORMED;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.data[i]))
            return ASSAY_ERR_MALFORMED;
        value = value * 10 + (uint32_t)(text.data[i] - '0');
    }
    if (value > UINT16_MAX)
        return ASSAY_ERR_MALFORMED;
    *port = (uint16_t)value;
    return ASSAY_OK;
}

enum assay_error authority_parse(struct slice text, struct slice *host, uint16_t *port)
{
    bool bracketed = text.len > 0 && text.data[0] == '[';
    const uint8_t *end = text.len ? memchr(text.data, bracketed ? ']' : ':', text.len) : NULL;
    enum host_kind kind;
    struct slice rest;

    if (bracketed) {
        if (end == NULL)
            return ASSAY_ERR_MALFORMED;
        *host = slice_of(text.data + 1, (size_t)(end - text.data) - 1);
        rest = slice_tail(text, host->len + 2);
    } else {
        *host = end ? slice_head(text, (size_t)(end - text.data)) : text;
        rest = slice_tail(text, host->len);
    }
    /* Brackets are for IPv6 alone, and IPv6 never goes without. */
    if (host_check(*host, &kind) != ASSAY_OK || bracketed != (kind == HOST_IP6))
        return ASSAY_ERR_MALFORMED;
    *port = 0;
    if (rest.len == 0)
        return ASSAY_OK;
    return rest.data[0] == ':' ? port_parse(slice_tail(rest, 1), port) : ASSAY_ERR_MALFORMED;
}
