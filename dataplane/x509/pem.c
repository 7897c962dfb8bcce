/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/pem.h"

#include "x509/der.h"

static const char dashes[] = "-----";

void x509_pem_begin(struct x509_pem_reader *reader, struct slice input, uint8_t *buffer, size_t buffer_size)
{
    *reader = (struct x509_pem_reader){.rest = input, .buffer = buffer, .buffer_size = buffer_size, .line = 1};
}

void x509_pem_begin_crls(struct x509_pem_reader *reader, struct slice input, uint8_t *buffer, size_t buffer_size)
{
    x509_pem_begin(reader, input, buffer, buffer_size);
    reader->crls = true;
}

/* Takes one line off the text, without its end and the blanks before that. */
static bool line_take(struct x509_pem_reader *reader, struct slice *line)
{
    const uint8_t *end;

    if (reader->rest.len == 0)
        return false;
    end = memchr(reader->rest.data, '\n', reader->rest.len);
    *line = end ? slice_head(reader->rest, (size_t)(end - reader->rest.data)) : reader->rest;
    reader->rest = slice_tail(reader->rest, line->len + (end != NULL));
    reader->line++;
    while (line->len > 0 &&
           (line->data[line->len - 1] == '\r' || line->data[line->len - 1] == ' ' || line->data[line->len - 1] == '\t'))
        line->len--;
    return true;
}

/* "-----BEGIN label-----" or "-----END label-----". */
static bool line_is_boundary(struct slice line, const char *verb, struct slice *label)
{
    size_t lead = sizeof(dashes) - 1 + strlen(verb);

    if (line.len < lead + sizeof(dashes) - 1 || memcmp(line.data, dashes, sizeof(dashes) - 1) != 0 ||
        memcmp(line.data + sizeof(dashes) - 1, verb, strlen(verb)) != 0 ||
        memcmp(line.data + line.len - (sizeof(dashes) - 1), dashes, sizeof(dashes) - 1) != 0)
        return false;
    *label = slice_of(line.data + lead, line.len - lead - (sizeof(dashes) - 1));
    return true;
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct base64 {
    uint32_t bits;
    unsigned count; /* characters in bits, 0..3 */
    unsigned padding;
    size_t used;
    bool bad;
};

static void base64_feed(struct base64 *state, struct slice line, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < line.len && !state->bad; i++) {
        uint8_t c = line.data[i];
        int value = base64_value(c);

        if (c == ' ' || c == '\t')
            continue;
        if (c == '=') {
            state->padding++;
            continue;
        }
        /* Nothing follows the padding. */
        if (value < 0 || state->padding > 0 || state->used + 3 > size) {
            state->bad = true;
            break;
        }
        state->bits = state->bits << 6 | (uint32_t)value;
        if (++state->count < 4)
            continue;
        out[state->used++] = (uint8_t)(state->bits >> 16);
        out[state->used++] = (uint8_t)(state->bits >> 8);
        out[state->used++] = (uint8_t)state->bits;
        state->bits = 0;
        state->count = 0;
    }
}

static bool base64_end(struct base64 *state, uint8_t *out)
{
    if (state->bad || state->count == 1 || (state->count != 0 && state->count + state->padding != 4) ||
        (state->count == 0 && state->padding != 0))
        return false;
    if (state->count == 2) {
        out[state->used++] = (uint8_t)(state->bits >> 4);
        return (state->bits & 0xf) == 0;
    }
    if (state->count == 3) {
        out[state->used++] = (uint8_t)(state->bits >> 10);
        out[state->used++] = (uint8_t)(state->bits >> 2);
        return (state->bits & 3) == 0;
    }
    return true;
}

/* Decodes up to the END line of this label. A missing END refuses the block; a BEGIN inside it is left for the next call. */
static enum assay_error block_decode(struct x509_pem_reader *reader, struct slice label, struct slice *der)
{
    struct base64 state = {0};
    struct slice line, found;

    for (;;) {
        struct x509_pem_reader before = *reader;

        if (!line_take(reader, &line))
            return ASSAY_ERR_MALFORMED;
        if (line_is_boundary(line, "BEGIN ", &found)) {
            *reader = before;
            return ASSAY_ERR_MALFORMED;
        }
        if (line_is_boundary(line, "END ", &found))
            break;
        base64_feed(&state, line, reader->buffer, reader->buffer_size);
    }
    if (!slice_equal(found, label) || !base64_end(&state, reader->buffer) || state.used == 0)
        return ASSAY_ERR_MALFORMED;
    *der = slice_of(reader->buffer, state.used);
    return ASSAY_OK;
}

/* The certificates of a SignedData. */
static enum assay_error pkcs7_open(struct slice der, struct slice *certificates)
{
    static const uint8_t signed_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
    struct slice info, content, oid, skipped;
    uint32_t version;

    if (der_read(&der, DER_SEQUENCE, &info) != ASSAY_OK || der_read_oid(&info, &oid) != ASSAY_OK ||
        !slice_equal(oid, slice_of(signed_data, sizeof(signed_data))) ||
        der_read(&info, DER_CONTEXT_CONSTRUCTED(0), &content) != ASSAY_OK ||
        der_read(&content, DER_SEQUENCE, &content) != ASSAY_OK ||
        der_read_small(&content, DER_INTEGER, &version) != ASSAY_OK ||
        der_read(&content, DER_SET, &skipped) != ASSAY_OK || der_read(&content, DER_SEQUENCE, &skipped) != ASSAY_OK ||
        der_read(&content, DER_CONTEXT_CONSTRUCTED(0), certificates) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    return ASSAY_OK;
}

/* One certificate, or a bundle that opens into several. */
static enum assay_error der_open(struct x509_pem_reader *reader, struct slice whole, struct slice *der)
{
    struct slice certificates;

    if (reader->crls || pkcs7_open(whole, &certificates) != ASSAY_OK) {
        *der = whole;
        return ASSAY_OK;
    }
    if (der_read_whole(&certificates, DER_SEQUENCE, der) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    reader->certificates = certificates;
    return ASSAY_OK;
}

static bool label_is_wanted(const struct x509_pem_reader *reader, struct slice label)
{
    if (reader->crls)
        return slice_is(label, "X509 CRL") || slice_is(label, "CRL");
    return slice_is(label, "CERTIFICATE") || slice_is(label, "X509 CERTIFICATE") || slice_is(label, "PKCS7");
}

enum assay_error x509_pem_next(struct x509_pem_reader *reader, struct slice *der)
{
    struct slice line, label;
    bool first = !reader->started;

    reader->started = true;
    if (reader->certificates.len > 0) {
        if (der_read_whole(&reader->certificates, DER_SEQUENCE, der) == ASSAY_OK)
            return ASSAY_OK;
        reader->certificates.len = 0;
        return ASSAY_ERR_MALFORMED;
    }
    /* Text does not begin with a SEQUENCE's tag and a length in the long form. */
    if (first && reader->rest.len > 1 && reader->rest.data[0] == DER_SEQUENCE && reader->rest.data[1] >= 0x80) {
        struct slice whole = reader->rest;

        reader->rest = slice_of(NULL, 0);
        return der_open(reader, whole, der);
    }
    for (;;) {
        size_t begin = reader->line;

        if (!line_take(reader, &line))
            return ASSAY_ERR_NOT_FOUND;
        if (!line_is_boundary(line, "BEGIN ", &label) || !label_is_wanted(reader, label))
            continue;
        reader->block_line = begin;
        if (block_decode(reader, label, &line) != ASSAY_OK)
            return ASSAY_ERR_MALFORMED;
        return der_open(reader, line, der);
    }
}

size_t x509_pem_write(struct slice der, char *out, size_t size)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n", end[] = "-----END CERTIFICATE-----\n";
    size_t groups = (der.len + 2) / 3, lines = (groups + 15) / 16;
    size_t need = sizeof(begin) - 1 + groups * 4 + lines + sizeof(end);
    char *p = out;

    if (out == NULL || size < need)
        return need;
    memcpy(p, begin, sizeof(begin) - 1);
    p += sizeof(begin) - 1;
    for (size_t i = 0; i < groups; i++) {
        const uint8_t *in = der.data + 3 * i;
        size_t left = der.len - 3 * i;
        uint32_t bits = (uint32_t)in[0] << 16 | (left > 1 ? (uint32_t)in[1] << 8 : 0) | (left > 2 ? in[2] : 0);

        *p++ = alphabet[bits >> 18];
        *p++ = alphabet[bits >> 12 & 63];
        *p++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        *p++ = left > 2 ? alphabet[bits & 63] : '=';
        if (i % 16 == 15 || i + 1 == groups)
            *p++ = '\n';
    }
    memcpy(p, end, sizeof(end));
    return need;
}
