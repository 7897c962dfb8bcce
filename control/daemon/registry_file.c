/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/registry_file.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "assay/chain_record.h"
#include "base/address.h"
#include "daemon/arena.h"
#include "x509/describe.h"
#include "x509/ocsp.h"
#include "x509/pem.h"

/* --- writing ------------------------------------------------------------------------------------------------------------------- */

static json_t *pem_text(struct slice der)
{
    size_t size = x509_pem_write(der, NULL, 0);
    char *pem = memory_alloc(size);
    json_t *out;

    x509_pem_write(der, pem, size);
    out = json_string(pem);
    free(pem);
    return out;
}

static json_t *hex_text(struct slice bytes)
{
    char *hex = memory_alloc(2 * bytes.len + 1);
    json_t *out;

    x509_describe_hex(bytes, hex, 2 * bytes.len + 1);
    out = json_string(hex);
    free(hex);
    return out;
}

static json_t *entry_json(const struct registry_entry *entry)
{
    json_t *out = json_object(), *certificates = json_array();
    char address[ASSAY_ADDRESS_TEXT_MAX];
    size_t count;
    const struct slice *ders = x509_chain_slices(entry->chain, &count);

    for (size_t i = 0; i < count; i++)
        json_array_append_new(certificates, pem_text(ders[i]));
    json_object_set_new(out, "host", json_string(entry->host));
    json_object_set_new(out, "port", json_integer(entry->port));
    json_object_set_new(out, "deployment", json_integer((json_int_t)entry->deployment));
    json_object_set_new(out, "address", json_string(address_format(&entry->address, address)));
    json_object_set_new(out, "first_ns", json_integer((json_int_t)entry->first_ns));
    json_object_set_new(out, "last_ns", json_integer((json_int_t)entry->last_ns));
    json_object_set_new(out, "shown_ns", json_integer((json_int_t)entry->shown_ns));
    json_object_set_new(out, "handshakes", json_integer((json_int_t)entry->handshakes));
    json_object_set_new(out, "failed_ns", json_integer((json_int_t)entry->failed_ns));
    json_object_set_new(out, "failures", json_integer((json_int_t)entry->failures));
    json_object_set_new(out, "failed_reason", json_string(x509_reason_name(entry->failed_reason)));
    json_object_set_new(out, "failed_depth", json_integer(entry->failed_depth));
    json_object_set_new(out, "certificates", certificates);
    if (x509_chain_staple(entry->chain).len > 0)
        json_object_set_new(out, "staple", hex_text(x509_chain_staple(entry->chain)));
    return out;
}

void registry_file_write(const struct registry *registry, struct text *out)
{
    /* an entry a line: nothing of the size of all of them is held twice */
    text_add_text(out, "[");
    for (const struct registry_entry *entry = registry_first(registry); entry != NULL; entry = registry_next(entry)) {
        json_t *json = entry_json(entry);
        char *line = json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER);

        json_decref(json);
        if (line != NULL)
            text_printf(out, "%s\n%s", entry != registry_first(registry) ? "," : "", line);
        free(line);
    }
    text_add_text(out, "\n]\n");
}

/* --- reading --------------------------------------------------------------------------------------------------------------------- */

struct decoded {
    size_t count;
    struct slice ders[CHAIN_RECORD_CERTIFICATES];
    uint8_t *buffers[CHAIN_RECORD_CERTIFICATES];
    struct slice staple;
};

static void decoded_free(struct decoded *decoded)
{
    for (size_t i = 0; i < decoded->count; i++)
        free(decoded->buffers[i]);
    free((void *)(uintptr_t)decoded->staple.data);
}

/* A certificate need not decode to be one that was shown: its PEM does. */
static bool decode(const json_t *certificates, struct decoded *out)
{
    const json_t *item;
    size_t i;

    json_array_foreach(certificates, i, item)
    {
        struct slice text = slice_of(json_string_value(item), json_string_length(item));
        struct x509_pem_reader reader;

        if (out->count == CHAIN_RECORD_CERTIFICATES || text.len == 0)
            return false;
        out->buffers[out->count] = memory_alloc(text.len);
        x509_pem_begin(&reader, text, out->buffers[out->count], text.len);
        if (x509_pem_next(&reader, &out->ders[out->count++]) != ASSAY_OK)
            return false;
    }
    return out->count > 0;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* None is fine, and so is one that does not decode: it is judged like any other. */
static bool decode_staple(const json_t *staple, struct decoded *out)
{
    const char *hex = json_string_value(staple);
    size_t length = json_string_length(staple);
    uint8_t *bytes;

    if (staple == NULL)
        return true;
    if (hex == NULL || length % 2 != 0 || length / 2 > X509_OCSP_SIZE_MAX)
        return false;
    bytes = memory_alloc(length / 2 + 1);
    out->staple = slice_of(bytes, length / 2);
    for (size_t i = 0; i < length / 2; i++) {
        int high = digit_of(hex[2 * i]), low = digit_of(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static enum x509_reason reason_named(const char *name)
{
    for (int reason = X509_REASON_OK; name != NULL && reason <= X509_REASON_NAME_MISMATCH; reason++)
        if (strcmp(name, x509_reason_name((enum x509_reason)reason)) == 0)
            return (enum x509_reason)reason;
    return X509_REASON_OK;
}

static uint64_t number_of(const json_t *json, const char *member)
{
    json_int_t value = json_integer_value(json_object_get(json, member));

    return value > 0 ? (uint64_t)value : 0;
}

static bool take(struct registry *registry, const json_t *json, const struct decoded *decoded)
{
    const char *host = json_string_value(json_object_get(json, "host"));
    const char *address = json_string_value(json_object_get(json, "address"));
    uint64_t port = number_of(json, "port");
    struct registry_entry *entry;

    if (host == NULL || address == NULL || strlen(host) >= REGISTRY_HOST_MAX || port == 0 || port > UINT16_MAX)
        return false;
    entry = registry_add_stapled(registry, host, (uint16_t)port,
                                 (uint64_t)json_integer_value(json_object_get(json, "deployment")), decoded->ders,
                                 decoded->count, decoded->staple, number_of(json, "last_ns"));
    if (entry == NULL || address_parse(slice_text(address), &entry->address) != ASSAY_OK)
        return false;
    entry->first_ns = number_of(json, "first_ns");
    entry->shown_ns = number_of(json, "shown_ns");
    entry->handshakes = number_of(json, "handshakes");
    entry->failed_ns = number_of(json, "failed_ns");
    entry->failures = number_of(json, "failures");
    entry->failed_reason = reason_named(json_string_value(json_object_get(json, "failed_reason")));
    entry->failed_depth = (int)number_of(json, "failed_depth");
    return true;
}

size_t registry_file_read(struct registry *registry, struct slice text, size_t *left_out)
{
    json_t *json = json_loadb((const char *)text.data, text.len, 0, NULL);
    size_t taken = 0, i;
    const json_t *item;

    *left_out = json == NULL;
    json_array_foreach(json, i, item)
    {
        struct decoded decoded = {0};

        if (decode(json_object_get(item, "certificates"), &decoded) &&
            decode_staple(json_object_get(item, "staple"), &decoded) && take(registry, item, &decoded))
            taken++;
        else
            ++*left_out;
        decoded_free(&decoded);
    }
    json_decref(json);
    return taken;
}
