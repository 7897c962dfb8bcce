/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/der.h"

enum assay_error der_next(struct slice *rest, struct der_value *out)
{
    const uint8_t *p = rest->data;
    size_t header = 2, length;

    if (rest->len < 2 || (p[0] & 0x1f) == 0x1f)
        return ASSAY_ERR_MALFORMED;
    length = p[1];
    if (length >= 0x80) {
        size_t octets = length & 0x7f;

        /* 0x80 is the indefinite form; more than four octets could not be a length of anything we hold. */
        if (octets == 0 || octets > 4 || rest->len < 2 + octets || p[2] == 0)
            return ASSAY_ERR_MALFORMED;
        length = 0;
        for (size_t i = 0; i < octets; i++)
            length = length << 8 | p[2 + i];
        if (length < 0x80)
            return ASSAY_ERR_MALFORMED;
        header += octets;
    }
    if (length > rest->len - header)
        return ASSAY_ERR_MALFORMED;
    out->tag = p[0];
    out->body = slice_of(p + header, length);
    out->whole = slice_of(p, header + length);
    *rest = slice_of(p + header + length, rest->len - header - length);
    return ASSAY_OK;
}

static enum assay_error der_expect(struct slice *rest, uint8_t tag, struct der_value *out)
{
    struct slice after = *rest;

    if (der_next(&after, out) != ASSAY_OK || out->tag != tag)
        return ASSAY_ERR_MALFORMED;
    *rest = after;
    return ASSAY_OK;
}

enum assay_error der_read(struct slice *rest, uint8_t tag, struct slice *body)
{
    struct der_value value;
    enum assay_error error = der_expect(rest, tag, &value);

    if (error == ASSAY_OK)
        *body = value.body;
    return error;
}

enum assay_error der_read_whole(struct slice *rest, uint8_t tag, struct slice *whole)
{
    struct der_value value;
    enum assay_error error = der_expect(rest, tag, &value);

    if (error == ASSAY_OK)
        *whole = value.whole;
    return error;
}

enum assay_error der_read_boolean(struct slice *rest, bool *out)
{
    struct slice after = *rest, body;

    if (der_read(&after, DER_BOOLEAN, &body) != ASSAY_OK || body.len != 1 ||
        (body.data[0] != 0 && body.data[0] != 0xff))
        return ASSAY_ERR_MALFORMED;
    *out = body.data[0] != 0;
    *rest = after;
    return ASSAY_OK;
}

enum assay_error der_read_integer(struct slice *rest, uint8_t tag, struct slice *out)
{
    struct slice after = *rest, body;

    if (der_read(&after, tag, &body) != ASSAY_OK || body.len == 0)
        return ASSAY_ERR_MALFORMED;
    /* Nine equal leading bits: one octet too many. */
    if (body.len > 1 && ((body.data[0] == 0 && body.data[1] < 0x80) || (body.data[0] == 0xff && body.data[1] >= 0x80)))
        return ASSAY_ERR_MALFORMED;
    *out = body;
    *rest = after;
    return ASSAY_OK;
}

enum assay_error der_read_unsigned(struct slice *rest, struct slice *magnitude)
{
    struct slice after = *rest, body;

    if (der_read_integer(&after, DER_INTEGER, &body) != ASSAY_OK || body.data[0] >= 0x80)
        return ASSAY_ERR_MALFORMED;
    *magnitude = body.data[0] == 0 ? slice_tail(body, 1) : body;
    *rest = after;
    return ASSAY_OK;
}

enum assay_error der_read_small(struct slice *rest, uint8_t tag, uint32_t *out)
{
    struct slice after = *rest, body;
    uint32_t value = 0;

    if (der_read_integer(&after, tag, &body) != ASSAY_OK || body.data[0] >= 0x80)
        return ASSAY_ERR_MALFORMED;
    if (body.len > 4)
        return ASSAY_ERR_RANGE;
    for (size_t i = 0; i < body.len; i++)
        value = value << 8 | body.data[i];
    *out = value;
    *rest = after;
    return ASSAY_OK;
}

enum assay_error der_read_bits(struct slice *rest, struct slice *bits, uint8_t *unused)
{
    struct slice after = *rest, body;

    if (der_read(&after, DER_BIT_STRING, &body) != ASSAY_OK || body.len == 0 || body.data[0] > 7)
        return ASSAY_ERR_MALFORMED;
    if (body.data[0] > 0 && (body.len == 1 || body.data[body.len - 1] & ((1 << body.data[0]) - 1)))
        return ASSAY_ERR_MALFORMED;
    *unused = body.data[0];
    *bits = slice_tail(body, 1);
    *rest = after;
    return ASSAY_OK;
}

enum assay_error der_read_octet_bits(struct slice *rest, struct slice *octets)
{
    struct slice after = *rest, bits;
    uint8_t unused;

    if (der_read_bits(&after, &bits, &unused) != ASSAY_OK || unused != 0)
        return ASSAY_ERR_MALFORMED;
    *octets = bits;
    *rest = after;
    return ASSAY_OK;
}

enum assay_error der_read_oid(struct slice *rest, struct slice *oid)
{
    struct slice after = *rest, body;
    bool start = true;

    if (der_read(&after, DER_OID, &body) != ASSAY_OK || body.len == 0 || body.data[body.len - 1] >= 0x80)
        return ASSAY_ERR_MALFORMED;
    for (size_t i = 0; i < body.len; i++) {
        if (start && body.data[i] == 0x80)
            return ASSAY_ERR_MALFORMED;
        start = body.data[i] < 0x80;
    }
    *oid = body;
    *rest = after;
    return ASSAY_OK;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year, era = y / 400, year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool date_exists(unsigned year, unsigned month, unsigned day)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

enum assay_error der_read_time(struct slice *rest, int64_t *seconds)
{
    struct slice after = *rest;
    struct der_value value;
    unsigned pair[7], year;
    size_t digits;

    if (der_next(&after, &value) != ASSAY_OK || (value.tag != DER_UTC_TIME && value.tag != DER_GENERALIZED_TIME))
        return ASSAY_ERR_MALFORMED;
    digits = value.tag == DER_UTC_TIME ? 12 : 14;
    if (value.body.len != digits + 1 || value.body.data[digits] != 'Z')
        return ASSAY_ERR_MALFORMED;
    for (size_t i = 0; i < digits; i++)
        if (value.body.data[i] < '0' || value.body.data[i] > '9')
            return ASSAY_ERR_MALFORMED;
    for (size_t i = 0; i < digits / 2; i++)
        pair[i] = (value.body.data[2 * i] - '0') * 10u + (value.body.data[2 * i + 1] - '0');
    if (digits == 12) {
        memmove(pair + 1, pair, 6 * sizeof(pair[0]));
        pair[0] = pair[1] >= 50 ? 19 : 20;
    }
    year = pair[0] * 100 + pair[1];
    if (!date_exists(year, pair[2], pair[3]) || year == 0 || pair[4] > 23 || pair[5] > 59 || pair[6] > 59)
        return ASSAY_ERR_MALFORMED;
    *seconds = days_from_civil(year, pair[2], pair[3]) * 86400 + pair[4] * 3600 + pair[5] * 60 + pair[6];
    *rest = after;
    return ASSAY_OK;
}
