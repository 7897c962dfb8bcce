/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/address.h"

#include <arpa/inet.h>

struct assay_address address_from_ip4_be(uint32_t ip_be)
{
    struct assay_address a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};

    memcpy(a.bytes + 12, &ip_be, sizeof(ip_be));
    return a;
}

enum assay_error address_parse(struct slice text, struct assay_address *out)
{
    char buffer[ASSAY_ADDRESS_TEXT_MAX];
    struct in_addr ip4;

    /* inet_pton is strict (four decimal parts), but wants a string; a NUL inside would cut it short. */
    if (text.len == 0 || text.len >= sizeof(buffer) || memchr(text.data, 0, text.len) != NULL)
        return ASSAY_ERR_MALFORMED;
    memcpy(buffer, text.data, text.len);
    buffer[text.len] = 0;
    if (inet_pton(AF_INET, buffer, &ip4) == 1) {
        *out = address_from_ip4_be(ip4.s_addr);
        return ASSAY_OK;
    }
    if (inet_pton(AF_INET6, buffer, out->bytes) == 1)
        return ASSAY_OK;
    return ASSAY_ERR_MALFORMED;
}

char *address_format(const struct assay_address *a, char out[ASSAY_ADDRESS_TEXT_MAX])
{
    bool ip4 = address_is_ip4(a);

    if (inet_ntop(ip4 ? AF_INET : AF_INET6, ip4 ? a->bytes + 12 : a->bytes, out, ASSAY_ADDRESS_TEXT_MAX) == NULL)
        out[0] = 0;
    return out;
}

bool prefix_contains(const struct assay_prefix *prefix, const struct assay_address *address)
{
    size_t whole = prefix->length / 8;
    uint8_t mask = (uint8_t)(0xff00 >> (prefix->length % 8));

    if (memcmp(prefix->address.bytes, address->bytes, whole) != 0)
        return false;
    return whole == 16 || (prefix->address.bytes[whole] & mask) == (address->bytes[whole] & mask);
}

enum assay_error prefix_parse(struct slice text, struct assay_prefix *out)
{
    const uint8_t *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
    struct slice head = slash ? slice_head(text, (size_t)(slash - text.data)) : text;
    struct slice bits = slash ? slice_tail(text, head.len + 1) : slice_of(NULL, 0);
    struct assay_address masked = {{0}};
    unsigned length = 0;

    if (address_parse(head, &out->address) != ASSAY_OK || (slash && (bits.len == 0 || bits.len > 3)))
        return ASSAY_ERR_MALFORMED;
    for (size_t i = 0; i < bits.len; i++) {
        if (bits.data[i] < '0' || bits.data[i] > '9' || (i == 1 && bits.data[0] == '0'))
            return ASSAY_ERR_MALFORMED;
        length = length * 10 + (unsigned)(bits.data[i] - '0');
    }
    bool ip4 = address_is_ip4(&out->address);
    if (slash == NULL)
        length = ip4 ? 32 : 128;
    if (length > (ip4 ? 32U : 128U))
        return ASSAY_ERR_RANGE;
    out->length = (uint8_t)(length + (ip4 ? 96 : 0));
    for (unsigned i = 0; i < 16; i++) {
        unsigned covered = out->length > i * 8 ? out->length - i * 8 : 0;
        uint8_t mask = covered >= 8 ? 0xff : (uint8_t)(0xff00 >> covered);
        masked.bytes[i] = out->address.bytes[i] & mask;
    }
    return address_equal(&masked, &out->address) ? ASSAY_OK : ASSAY_ERR_RANGE;
}

bool address_is_special(const struct assay_address *a)
{
    static const uint8_t zero[15];

    if (address_is_ip4(a)) {
        const uint8_t *b = a->bytes + 12;

        return b[0] == 0 || b[0] == 127 || b[0] >= 224 || (b[0] == 169 && b[1] == 254);
    }
    if (memcmp(a->bytes, zero, sizeof(zero)) == 0)
        return a->bytes[15] <= 1;
    return a->bytes[0] == 0xff || (a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80);
}
