/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/base64.h"

#define NOT_BASE64 0xff

static uint8_t sextet(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint8_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint8_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0' + 52);
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : NOT_BASE64;
}

static size_t unpadded_len(struct slice text)
{
    size_t len = text.len;

    while (len > 0 && text.len - len < 2 && text.data[len - 1] == '=')
        len--;
    return len;
}

enum assay_error base64_decode(struct slice text, uint8_t *out, size_t capacity, size_t *length)
{
    size_t len = unpadded_len(text);
    size_t n = 0;
    uint32_t bits = 0;
    uint32_t count = 0;

    if (len % 4 == 1 || (len != text.len && text.len % 4 != 0))
        return ASSAY_ERR_MALFORMED;
    if (len / 4 * 3 + (len % 4 ? len % 4 - 1 : 0) > capacity)
        return ASSAY_ERR_NO_SPACE;
    for (size_t i = 0; i < len; i++) {
        uint8_t value = sextet(text.data[i]);

        if (value == NOT_BASE64)
            return ASSAY_ERR_MALFORMED;
        bits = bits << 6 | value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out[n++] = (uint8_t)(bits >> count);
        }
    }
    if ((bits & ((1U << count) - 1)) != 0)
        return ASSAY_ERR_MALFORMED;
    *length = n;
    return ASSAY_OK;
}
