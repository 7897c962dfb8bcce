/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/base64.h"

/* One more than a sextet can be: a byte that is none. */
#define NOT_BASE64 0x40

#define BETWEEN(c, low, high) ((c) >= (low) && (c) <= (high))
#define SEXTET(c)                                         \
    (uint8_t)(BETWEEN(c, 'A', 'Z')       ? (c) - 'A'      \
              : BETWEEN(c, 'a', 'z')     ? (c) - 'a' + 26 \
              : BETWEEN(c, '0', '9')     ? (c) - '0' + 52 \
              : (c) == '+' || (c) == '-' ? 62             \
              : (c) == '/' || (c) == '_' ? 63             \
                                         : NOT_BASE64)
#define ROW4(c)  SEXTET(c), SEXTET((c) + 1), SEXTET((c) + 2), SEXTET((c) + 3)
#define ROW16(c) ROW4(c), ROW4((c) + 4), ROW4((c) + 8), ROW4((c) + 12)
#define ROW64(c) ROW16(c), ROW16((c) + 16), ROW16((c) + 32), ROW16((c) + 48)

static const uint8_t sextets[256] = {ROW64(0), ROW64(64), ROW64(128), ROW64(192)};

static size_t unpadded_len(struct slice text)
{
    size_t len = text.len;

    while (len > 0 && text.len - len < 2 && text.data[len - 1] == '=')
        len--;
    return len;
}

/* Two sextets are a byte and 4 bits that must be zero, three are two bytes and 2 bits. Returns all the sextets together. */
static uint8_t decode_rest(const uint8_t *p, size_t len, uint8_t *out)
{
    uint8_t a = sextets[p[0]];
    uint8_t b = sextets[p[1]];
    uint8_t c = len == 3 ? sextets[p[2]] : 0;
    bool exact = len == 3 ? (c & 0x3) == 0 : (b & 0xf) == 0;

    out[0] = (uint8_t)(a << 2 | b >> 4);
    if (len == 3)
        out[1] = (uint8_t)(b << 4 | c >> 2);
    return exact ? a | b | c : NOT_BASE64;
}

enum assay_error base64_decode(struct slice text, uint8_t *out, size_t capacity, size_t *length)
{
    size_t len = unpadded_len(text);
    size_t rest = len % 4;
    const uint8_t *p = text.data;
    uint8_t seen = 0; /* all sextets together: NOT_BASE64 stays in it */

    if (rest == 1 || (len != text.len && text.len % 4 != 0))
        return ASSAY_ERR_MALFORMED;
    *length = len / 4 * 3 + (rest > 0 ? rest - 1 : 0);
    if (*length > capacity)
        return ASSAY_ERR_NO_SPACE;
    for (size_t at = 0; at + 4 <= len; at += 4, p += 4, out += 3) {
        uint8_t a = sextets[p[0]];
        uint8_t b = sextets[p[1]];
        uint8_t c = sextets[p[2]];
        uint8_t d = sextets[p[3]];

        seen |= a | b | c | d;
        out[0] = (uint8_t)(a << 2 | b >> 4);
        out[1] = (uint8_t)(b << 4 | c >> 2);
        out[2] = (uint8_t)(c << 6 | d);
    }
    if (rest > 0)
        seen |= decode_rest(p, rest, out);
    return (seen & NOT_BASE64) == 0 ? ASSAY_OK : ASSAY_ERR_MALFORMED;
}
