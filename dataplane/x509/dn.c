/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/dn.h"

#include "x509/der.h"

static const uint8_t oid_common_name[] = {0x55, 0x04, 0x03};
static const uint8_t oid_email[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01};

static enum assay_error attribute_read(struct slice *rdn, struct dn_attribute *out)
{
    struct slice pair;
    struct der_value value;

    if (der_read(rdn, DER_SEQUENCE, &pair) != ASSAY_OK || der_read_oid(&pair, &out->oid) != ASSAY_OK ||
        der_next(&pair, &value) != ASSAY_OK || pair.len != 0)
        return ASSAY_ERR_MALFORMED;
    out->tag = value.tag;
    out->value = value.body;
    return ASSAY_OK;
}

enum assay_error dn_check(struct slice name)
{
    struct dn_attribute attribute;
    struct slice rdn;

    while (name.len > 0) {
        if (der_read(&name, DER_SET, &rdn) != ASSAY_OK || rdn.len == 0)
            return ASSAY_ERR_MALFORMED;
        while (rdn.len > 0)
            if (attribute_read(&rdn, &attribute) != ASSAY_OK)
                return ASSAY_ERR_MALFORMED;
    }
    return ASSAY_OK;
}

bool dn_next(struct dn_cursor *cursor, struct dn_attribute *out)
{
    out->first_of_rdn = cursor->rdn.len == 0;
    if (cursor->rdn.len == 0 && (cursor->name.len == 0 || der_read(&cursor->name, DER_SET, &cursor->rdn) != ASSAY_OK))
        return false;
    return attribute_read(&cursor->rdn, out) == ASSAY_OK;
}

/* The characters of a value, one at a time, whatever its string type. */
struct text_cursor {
    struct slice rest;
    uint8_t width; /* octets a character; 1 = UTF-8 and its subsets, passed through as octets */
    bool latin1;   /* TeletexString: what everyone puts there is Latin-1 */
};

static bool text_begin(const struct dn_attribute *attribute, struct text_cursor *out)
{
    *out = (struct text_cursor){attribute->value, 1, false};
    switch (attribute->tag) {
    case DER_UTF8_STRING:
    case DER_PRINTABLE_STRING:
    case DER_IA5_STRING:
    case DER_VISIBLE_STRING: return true;
    case DER_TELETEX_STRING: out->latin1 = true; return true;
    case DER_BMP_STRING: out->width = 2; break;
    case DER_UNIVERSAL_STRING: out->width = 4; break;
    default: return false;
    }
    return attribute->value.len % out->width == 0;
}

static bool text_next(struct text_cursor *cursor, uint32_t *character)
{
    uint32_t c = 0;

    if (cursor->rest.len < cursor->width)
        return false;
    for (size_t i = 0; i < cursor->width; i++)
        c = c << 8 | cursor->rest.data[i];
    cursor->rest = slice_tail(cursor->rest, cursor->width);
    *character = c;
    return true;
}

/* Does a character need UTF-8 encoding, or is it an octet of UTF-8 already? */
static size_t text_encode(const struct text_cursor *cursor, uint32_t c, uint8_t out[4])
{
    if (c < 0x80 || (cursor->width == 1 && !cursor->latin1)) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    /* Beyond Unicode: kept apart from all text by an octet that UTF-8 never has. */
    out[0] = c <= 0x10ffff ? (uint8_t)(0xf0 | c >> 18) : 0xff;
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

static bool is_blank(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The folded octets of a value: what equality and the hash are defined on. */
struct fold_cursor {
    struct text_cursor text;
    uint8_t pending[4];
    uint8_t pending_count, pending_at;
    bool started;
};

static bool fold_begin(const struct dn_attribute *attribute, struct fold_cursor *out)
{
    memset(out, 0, sizeof(*out));
    return text_begin(attribute, &out->text);
}

static int fold_next(struct fold_cursor *cursor)
{
    uint32_t c;
    bool blank = false;

    if (cursor->pending_at < cursor->pending_count)
        return cursor->pending[cursor->pending_at++];
    for (;;) {
        if (!text_next(&cursor->text, &c))
            return -1; /* blanks at the end are dropped with it */
        if (!is_blank(c))
            break;
        blank = true;
    }
    cursor->pending_count =
        (uint8_t)text_encode(&cursor->text, c < 0x80 ? ascii_lower((uint8_t)c) : c, cursor->pending);
    cursor->pending_at = 0;
    if (blank && cursor->started)
        return ' ';
    cursor->started = true;
    return cursor->pending[cursor->pending_at++];
}

static bool attribute_equal(const struct dn_attribute *a, const struct dn_attribute *b)
{
    struct fold_cursor fold_a, fold_b;
    bool text_a, text_b;
    int c;

    if (a->first_of_rdn != b->first_of_rdn || !slice_equal(a->oid, b->oid))
        return false;
    if (a->tag == b->tag && slice_equal(a->value, b->value))
        return true;
    text_a = fold_begin(a, &fold_a);
    text_b = fold_begin(b, &fold_b);
    if (!text_a || !text_b)
        return false;
    do {
        c = fold_next(&fold_a);
        if (c != fold_next(&fold_b))
            return false;
    } while (c >= 0);
    return true;
}

bool dn_is_within(struct slice name, struct slice base)
{
    struct dn_cursor name_cursor = dn_begin(name), base_cursor = dn_begin(base);
    struct dn_attribute in_name, in_base;

    while (dn_next(&base_cursor, &in_base))
        if (!dn_next(&name_cursor, &in_name) || !attribute_equal(&in_name, &in_base))
            return false;
    return name_cursor.rdn.len == 0; /* whole RDNs only */
}

bool dn_equal(struct slice a, struct slice b)
{
    struct dn_cursor cursor_a = dn_begin(a), cursor_b = dn_begin(b);
    struct dn_attribute in_a, in_b;

    if (slice_equal(a, b))
        return true;
    while (dn_next(&cursor_a, &in_a))
        if (!dn_next(&cursor_b, &in_b) || !attribute_equal(&in_a, &in_b))
            return false;
    return !dn_next(&cursor_b, &in_b);
}

static uint64_t hash_octet(uint64_t hash, uint8_t octet)
{
    return (hash ^ octet) * 0x100000001b3u; /* FNV-1a */
}

uint64_t dn_hash(struct slice name)
{
    struct dn_cursor cursor = dn_begin(name);
    struct dn_attribute attribute;
    struct fold_cursor fold;
    uint64_t hash = 0xcbf29ce484222325u;

    while (dn_next(&cursor, &attribute)) {
        int c;

        for (size_t i = 0; i < attribute.oid.len; i++)
            hash = hash_octet(hash, attribute.oid.data[i]);
        if (fold_begin(&attribute, &fold))
            while ((c = fold_next(&fold)) >= 0)
                hash = hash_octet(hash, (uint8_t)c);
        else
            for (size_t i = 0; i < attribute.value.len; i++)
                hash = hash_octet(hash, attribute.value.data[i]);
        hash = hash_octet(hash, 0);
    }
    return hash ^ hash >> 32;
}

int dn_text(const struct dn_attribute *attribute, char *out, size_t size)
{
    struct text_cursor cursor;
    uint8_t octets[4];
    uint32_t c;
    size_t used = 0;

    if (!text_begin(attribute, &cursor))
        return -1;
    while (text_next(&cursor, &c)) {
        size_t count = text_encode(&cursor, c, octets);

        if (c == 0 || c > 0x10ffff || count > size - used)
            return -1;
        memcpy(out + used, octets, count);
        used += count;
    }
    return (int)used;
}

bool dn_is_common_name(const struct dn_attribute *attribute)
{
    return slice_equal(attribute->oid, slice_of(oid_common_name, sizeof(oid_common_name)));
}

bool dn_is_email(const struct dn_attribute *attribute)
{
    return slice_equal(attribute->oid, slice_of(oid_email, sizeof(oid_email)));
}

bool dn_common_name(struct slice name, struct dn_attribute *out)
{
    struct dn_cursor cursor = dn_begin(name);
    struct dn_attribute attribute;
    bool found = false;

    while (dn_next(&cursor, &attribute))
        if (dn_is_common_name(&attribute)) {
            *out = attribute;
            found = true;
        }
    return found;
}
