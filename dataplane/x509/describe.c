/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/describe.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/address.h"
#include "x509/dn.h"

/* A bounded text: counts on when it is full. */
struct text {
    char *data;
    size_t size, length;
};

static struct text text_begin(char *out, size_t size)
{
    if (size > 0)
        out[0] = 0;
    return (struct text){out, size, 0};
}

static void text_put(struct text *text, char c)
{
    if (text->length + 1 < text->size) {
        text->data[text->length] = c;
        text->data[text->length + 1] = 0;
    }
    text->length++;
}

static void text_puts(struct text *text, const char *string)
{
    while (*string)
        text_put(text, *string++);
}

__attribute__((format(printf, 2, 3))) static void text_printf(struct text *text, const char *format, ...)
{
    char line[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    text_puts(text, line);
}

static void text_hex(struct text *text, struct slice bytes)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes.len; i++) {
        text_put(text, digits[bytes.data[i] >> 4]);
        text_put(text, digits[bytes.data[i] & 15]);
    }
}

/* Length of the UTF-8 sequence at the front, 0 when there is none of good form. C1 controls count as bad. */
static size_t utf8_length(struct slice s)
{
    uint8_t c = s.data[0];
    size_t length = c < 0x80                ? 1
                    : c >= 0xc2 && c < 0xe0 ? 2
                    : c >= 0xe0 && c < 0xf0 ? 3
                    : c >= 0xf0 && c < 0xf5 ? 4
                                            : 0;

    if (length == 0 || length > s.len)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s.data[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xc2 && s.data[1] < 0xa0) || (c == 0xe0 && s.data[1] < 0xa0) || (c == 0xed && s.data[1] >= 0xa0) ||
        (c == 0xf0 && s.data[1] < 0x90) || (c == 0xf4 && s.data[1] >= 0x90))
        return 0;
    /* Line and paragraph separators, and marks that reverse what the reader sees. */
    if (c == 0xe2 && ((s.data[1] == 0x80 && s.data[2] >= 0xa8) || (s.data[1] == 0x81 && s.data[2] >= 0xa0)))
        return 0;
    return length;
}

static void text_escaped(struct text *text, struct slice value, const char *special)
{
    while (value.len > 0) {
        uint8_t c = value.data[0];
        size_t length = utf8_length(value);

        if (length == 0 || c < 0x20 || c == 0x7f) {
            text_printf(text, "\\%02x", c);
            length = 1;
        } else {
            if (length == 1 && strchr(special, c) != NULL)
                text_put(text, '\\');
            for (size_t i = 0; i < length; i++)
                text_put(text, (char)value.data[i]);
        }
        value = slice_tail(value, length);
    }
}

static const struct {
    uint8_t length;
    uint8_t oid[10];
    const char *name;
} attribute_names[] = {
    {3, {0x55, 4, 3}, "CN"},
    {3, {0x55, 4, 4}, "SN"},
    {3, {0x55, 4, 5}, "serialNumber"},
    {3, {0x55, 4, 6}, "C"},
    {3, {0x55, 4, 7}, "L"},
    {3, {0x55, 4, 8}, "ST"},
    {3, {0x55, 4, 9}, "street"},
    {3, {0x55, 4, 10}, "O"},
    {3, {0x55, 4, 11}, "OU"},
    {3, {0x55, 4, 12}, "title"},
    {3, {0x55, 4, 17}, "postalCode"},
    {3, {0x55, 4, 42}, "GN"},
    {3, {0x55, 4, 97}, "organizationIdentifier"},
    {9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1}, "emailAddress"},
    {10, {0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1}, "UID"},
    {10, {0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25}, "DC"},
};

static void text_oid(struct text *text, struct slice oid)
{
    uint64_t arc = 0;
    bool first = true;

    for (size_t i = 0; i < oid.len; i++) {
        arc = arc << 7 | (oid.data[i] & 0x7f);
        if (oid.data[i] & 0x80)
            continue;
        if (first) {
            uint64_t root = arc < 40 ? 0 : arc < 80 ? 1 : 2;

            text_printf(text, "%lu.%lu", (unsigned long)root, (unsigned long)(arc - root * 40));
        } else {
            text_printf(text, ".%lu", (unsigned long)arc);
        }
        first = false;
        arc = 0;
    }
}

static void text_attribute(struct text *text, const struct dn_attribute *attribute)
{
    const char *name = NULL;
    char value[1024];
    int length = dn_text(attribute, value, sizeof(value));

    for (size_t i = 0; i < sizeof(attribute_names) / sizeof(attribute_names[0]); i++)
        if (slice_equal(attribute->oid, slice_of(attribute_names[i].oid, attribute_names[i].length)))
            name = attribute_names[i].name;
    if (name != NULL)
        text_puts(text, name);
    else
        text_oid(text, attribute->oid);
    text_put(text, '=');
    if (length >= 0) {
        text_escaped(text, slice_of(value, (size_t)length), ",+\"\\<>;=");
    } else {
        text_put(text, '#');
        text_hex(text, slice_head(attribute->value, 512));
    }
}

/* RFC 4514 writes the last RDN first; those of a name are few, and too deep a name is cut at its front. */
static void text_dn(struct text *text, struct slice name)
{
    enum { RDNS_MAX = 64 };
    struct dn_attribute attributes[RDNS_MAX];
    struct dn_cursor cursor = dn_begin(name);
    size_t count = 0, end;

    while (count < RDNS_MAX && dn_next(&cursor, &attributes[count]))
        count++;
    for (end = count; end > 0;) {
        size_t start = end - 1;

        while (start > 0 && !attributes[start].first_of_rdn)
            start--;
        for (size_t i = start; i < end; i++) {
            if (i > start)
                text_put(text, '+');
            text_attribute(text, &attributes[i]);
        }
        end = start;
        if (end > 0)
            text_put(text, ',');
    }
    if (count == RDNS_MAX)
        text_puts(text, ",...");
}

size_t x509_describe_dn(struct slice name, char *out, size_t size)
{
    struct text text = text_begin(out, size);

    text_dn(&text, name);
    return text.length;
}

size_t x509_describe_common_name(struct slice name, char *out, size_t size)
{
    struct text text = text_begin(out, size);
    struct dn_attribute attribute;
    char value[1024];
    int length;

    if (dn_common_name(name, &attribute) && (length = dn_text(&attribute, value, sizeof(value))) > 0)
        text_escaped(&text, slice_of(value, (size_t)length), "");
    return text.length;
}

/* The date of a day count since 1970, without the C library's limits or its locale. */
static void text_time(struct text *text, int64_t seconds)
{
    int64_t days = seconds / 86400, second = seconds % 86400, era, year;
    unsigned day_of_era, year_of_era, day_of_year, month;

    if (second < 0) {
        second += 86400;
        days--;
    }
    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    day_of_era = (unsigned)(days - era * 146097);
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * day_of_year + 2) / 153;
    year = (int64_t)year_of_era + era * 400 + (month >= 10);
    text_printf(text, "%04ld-%02u-%02uT%02u:%02u:%02uZ", (long)year, month < 10 ? month + 3 : month - 9,
                day_of_year - (153 * month + 2) / 5 + 1, (unsigned)(second / 3600), (unsigned)(second / 60 % 60),
                (unsigned)(second % 60));
}

size_t x509_describe_time(int64_t seconds, char *out, size_t size)
{
    struct text text = text_begin(out, size);

    text_time(&text, seconds);
    return text.length;
}

size_t x509_describe_hex(struct slice bytes, char *out, size_t size)
{
    struct text text = text_begin(out, size);

    text_hex(&text, bytes);
    return text.length;
}

size_t x509_describe_serial(const struct x509_certificate *c, char *out, size_t size)
{
    struct slice serial = c->serial.len > 1 && c->serial.data[0] == 0 ? slice_tail(c->serial, 1) : c->serial;

    return x509_describe_hex(serial, out, size);
}

static void text_key(struct text *text, const struct x509_key *key)
{
    switch (key->kind) {
    case X509_KEY_RSA: text_printf(text, "RSA %u", key->bits); break;
    case X509_KEY_RSA_PSS: text_printf(text, "RSA-PSS %u", key->bits); break;
    case X509_KEY_P256: text_puts(text, "EC P-256"); break;
    case X509_KEY_P384: text_puts(text, "EC P-384"); break;
    case X509_KEY_P521: text_puts(text, "EC P-521"); break;
    case X509_KEY_ED25519: text_puts(text, "Ed25519"); break;
    default: text_puts(text, "unsupported"); break;
    }
}

size_t x509_describe_key(const struct x509_certificate *c, char *out, size_t size)
{
    struct text text = text_begin(out, size);

    text_key(&text, &c->key);
    return text.length;
}

static void text_signature(struct text *text, const struct x509_signature_algorithm *algorithm)
{
    static const char *const kinds[] = {"unsupported", "RSA", "RSA-PSS", "ECDSA", "Ed25519"};
    static const char *const digests[] = {
        "", " with MD5", " with SHA-1", " with SHA-256", " with SHA-384", " with SHA-512"};

    text_puts(text, kinds[algorithm->kind]);
    text_puts(text, digests[algorithm->digest]);
}

size_t x509_describe_signature(const struct x509_certificate *c, char *out, size_t size)
{
    struct text text = text_begin(out, size);

    text_signature(&text, &c->signature_algorithm);
    return text.length;
}

static void text_key_usage(struct text *text, const struct x509_certificate *c)
{
    static const char *const usages[] = {"digitalSignature", "contentCommitment", "keyEncipherment",
                                         "dataEncipherment", "keyAgreement",      "keyCertSign",
                                         "cRLSign",          "encipherOnly",      "decipherOnly"};
    static const char *const extended[] = {"serverAuth", "clientAuth", "any", "OCSPSigning", "other"};
    const char *separator = "";

    for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++)
        if (c->key_usage >> i & 1) {
            text_printf(text, "%s%s", separator, usages[i]);
            separator = ", ";
        }
    for (size_t i = 0; i < sizeof(extended) / sizeof(extended[0]); i++)
        if (c->extended_key_usage >> i & 1) {
            text_printf(text, "%s%s", separator, extended[i]);
            separator = ", ";
        }
}

size_t x509_describe_key_usage(const struct x509_certificate *c, char *out, size_t size)
{
    struct text text = text_begin(out, size);

    text_key_usage(&text, c);
    return text.length;
}

static void text_ip(struct text *text, struct slice value)
{
    char formatted[ASSAY_ADDRESS_TEXT_MAX];
    struct assay_address address = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};

    if (value.len != 4 && value.len != 16) {
        text_hex(text, value);
        return;
    }
    memcpy(address.bytes + 16 - value.len, value.data, value.len);
    text_puts(text, address_format(&address, formatted));
}

static void text_general_name(struct text *text, enum x509_general_name kind, struct slice value)
{
    switch (kind) {
    case X509_NAME_EMAIL: text_puts(text, "email:"); break;
    case X509_NAME_DNS: text_puts(text, "DNS:"); break;
    case X509_NAME_URI: text_puts(text, "URI:"); break;
    case X509_NAME_IP:
        text_puts(text, "IP:");
        text_ip(text, value);
        return;
    case X509_NAME_DIRECTORY:
        text_puts(text, "DirName:");
        text_dn(text, value);
        return;
    case X509_NAME_REGISTERED_ID:
        text_puts(text, "RegisteredID:");
        text_oid(text, value);
        return;
    default: text_puts(text, "other"); return;
    }
    text_escaped(text, value, ",\\");
}

size_t x509_describe_general_name(enum x509_general_name kind, struct slice value, char *out, size_t size)
{
    struct text text = text_begin(out, size);

    text_general_name(&text, kind, value);
    return text.length;
}

size_t x509_describe_line(const struct x509_certificate *c, char *out, size_t size)
{
    struct text text = text_begin(out, size);

    text_dn(&text, c->subject);
    text_puts(&text, c->self_issued ? " (self-issued)" : " (issued by ");
    if (!c->self_issued) {
        text_dn(&text, c->issuer);
        text_put(&text, ')');
    }
    text_put(&text, ' ');
    text_time(&text, c->not_before_s);
    text_puts(&text, " to ");
    text_time(&text, c->not_after_s);
    text_put(&text, ' ');
    text_key(&text, &c->key);
    text_puts(&text, " sha256 ");
    text_hex(&text, slice_of(c->sha256, sizeof(c->sha256)));
    return text.length;
}

static void text_names(struct text *text, struct slice names)
{
    const char *separator = "";
    enum x509_general_name kind;
    struct slice value;

    while (x509_general_name_next(&names, &kind, &value)) {
        text_puts(text, separator);
        text_general_name(text, kind, value);
        separator = ", ";
    }
}

static void text_validity_and_key(struct text *text, const struct x509_certificate *c)
{
    text_puts(text, "\n  not before: ");
    text_time(text, c->not_before_s);
    text_puts(text, "\n  not after: ");
    text_time(text, c->not_after_s);
    text_puts(text, "\n  key: ");
    text_key(text, &c->key);
    text_puts(text, "\n  signature: ");
    text_signature(text, &c->signature_algorithm);
}

size_t x509_describe_text(const struct x509_certificate *c, char *out, size_t size)
{
    struct text text = text_begin(out, size);
    char serial[X509_DESCRIBE_SERIAL_SIZE];

    x509_describe_serial(c, serial, sizeof(serial));
    text_puts(&text, "  subject: ");
    text_dn(&text, c->subject);
    text_puts(&text, "\n  issuer: ");
    text_dn(&text, c->issuer);
    text_printf(&text, "\n  serial: %s", serial);
    text_validity_and_key(&text, c);
    if (x509_certificate_has(c, X509_EXT_SAN)) {
        text_puts(&text, "\n  names: ");
        text_names(&text, c->san);
    }
    if (x509_certificate_has(c, X509_EXT_BASIC_CONSTRAINTS)) {
        text_puts(&text, c->is_ca ? "\n  ca: yes" : "\n  ca: no");
        if (c->is_ca && c->path_length >= 0)
            text_printf(&text, ", path length %d", c->path_length);
    }
    if (c->key_usage != 0 || c->extended_key_usage != 0) {
        text_puts(&text, "\n  usage: ");
        text_key_usage(&text, c);
    }
    if (c->ski.len > 0) {
        text_puts(&text, "\n  subject key id: ");
        text_hex(&text, slice_head(c->ski, 64));
    }
    if (c->aki_key_id.len > 0) {
        text_puts(&text, "\n  authority key id: ");
        text_hex(&text, slice_head(c->aki_key_id, 64));
    }
    text_puts(&text, "\n  sha256: ");
    text_hex(&text, slice_of(c->sha256, sizeof(c->sha256)));
    text_put(&text, '\n');
    return text.length;
}
