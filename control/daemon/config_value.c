/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/address.h"
#include "daemon/config_table.h"
#include "x509/identity.h"

/* Digits only, no sign, no white space, no octal. */
static bool parse_digits(const char *text, size_t len, uint64_t *out)
{
    uint64_t value = 0;

    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *out = value;
    return true;
}

struct unit {
    const char *suffix;
    uint64_t factor;
};

static const struct unit duration_units[] = {{"us", 1},         {"ms", 1000},       {"s", 1000000}, {"m", 60000000},
                                             {"h", 3600000000}, {"d", 86400000000}, {NULL, 0}};
static const struct unit size_units[] = {
    {"", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}, {"TiB", 1ULL << 40}, {NULL, 0}};
static const struct unit number_units[] = {{"", 1}, {NULL, 0}};

static bool parse_with_unit(const char *text, const struct unit *units, uint64_t *out)
{
    size_t digits = strspn(text, "0123456789");
    uint64_t value;

    if (!parse_digits(text, digits, &value))
        return false;
    for (; units->suffix != NULL; units++) {
        if (strcmp(text + digits, units->suffix) != 0)
            continue;
        if (value > UINT64_MAX / units->factor)
            return false;
        *out = value * units->factor;
        return true;
    }
    return false;
}

/* "12h", "64KiB": in the largest unit that has no rest, as one writes it. */
static const char *with_unit(const struct config_value_context *context, const struct unit *units, uint64_t value)
{
    const struct unit *best = units;

    for (; units->suffix != NULL; units++)
        if (units->factor > best->factor && value >= units->factor && value % units->factor == 0)
            best = units;
    return arena_printf(context->arena, "%llu%s", (unsigned long long)(value / best->factor), best->suffix);
}

static const char *parse_scaled(const struct config_value_context *context, const struct config_key *key,
                                const char *text, const struct unit *units, const char *what, uint64_t *out)
{
    if (!parse_with_unit(text, units, out))
        return arena_printf(context->arena, "'%s' is not %s", text, what);
    if (*out < key->min || *out > key->max)
        return arena_printf(context->arena, "%s is not within %s to %s", text, with_unit(context, units, key->min),
                            with_unit(context, units, key->max));
    return NULL;
}

static const char *parse_octal(const struct config_value_context *context, const struct config_key *key,
                               const char *text, uint64_t *out)
{
    *out = 0;
    if (*text == '\0' || strspn(text, "01234567") != strlen(text) || strlen(text) > 6)
        return arena_printf(context->arena, "'%s' is not an octal number", text);
    for (; *text != '\0'; text++)
        *out = *out * 8 + (uint64_t)(*text - '0');
    if (*out < key->min || *out > key->max)
        return arena_printf(context->arena, "%04llo is not within %04llo to %04llo", (unsigned long long)*out,
                            (unsigned long long)key->min, (unsigned long long)key->max);
    return NULL;
}

/* Control bytes have no business in a value: they would end up in logs and headers. */
static bool has_control_bytes(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

static const char *parse_text(const struct config_value_context *context, const struct config_key *key,
                              const char *text, const char **out)
{
    size_t len = strlen(text);

    if (has_control_bytes(text))
        return "control characters are not allowed";
    if (len < key->min || len > key->max)
        return arena_printf(context->arena, "length %zu is not within %llu to %llu", len, (unsigned long long)key->min,
                            (unsigned long long)key->max);
    *out = arena_text(context->arena, text);
    return NULL;
}

static const char *parse_path(const struct config_value_context *context, const struct config_key *key,
                              const char *text, const char **out)
{
    const char *fault = parse_text(context, key, text, out);

    if (fault == NULL && text[0] != '/' && context->directory[0] != '\0')
        *out = arena_printf(context->arena, "%s/%s", context->directory, text);
    return fault;
}

static const char *parse_host(const struct config_value_context *context, struct slice text, const char **out)
{
    struct x509_identity identity;
    char name[256];

    if (x509_identity_from_host(text, &identity) != ASSAY_OK)
        return arena_printf(context->arena, "'%.*s' is neither a host name nor an address", (int)text.len,
                            (const char *)text.data);
    *out = arena_text(context->arena, x509_identity_format(&identity, name));
    return NULL;
}

/* HOST[:PORT], [IPv6][:PORT]; *port is left alone where none is given. */
static const char *parse_host_port(const struct config_value_context *context, const char *text, const char **host,
                                   uint16_t *port)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : strchr(text, ':');
    uint64_t number;

    if (text[0] == '[')
        end = end != NULL ? end + 1 : NULL;
    /* more than one colon outside brackets: an IPv6 address without a port */
    else if (end != NULL && strchr(end + 1, ':') != NULL)
        end = NULL;
    if (end == NULL || *end == '\0')
        return parse_host(context, slice_text(text), host);
    if (*end != ':' || !parse_digits(end + 1, strlen(end + 1), &number) || number == 0 || number > 65535)
        return arena_printf(context->arena, "'%s' has no valid port", text);
    *port = (uint16_t)number;
    return parse_host(context, slice_of(text, (size_t)(end - text)), host);
}

static const char *parse_endpoint(const struct config_value_context *context, const struct config_key *key,
                                  const char *text, struct config_endpoint *out)
{
    uint16_t port = key->kind == CONFIG_ENDPOINTS ? (uint16_t)key->min : 0;
    const char *host = "";
    const char *fault = parse_host_port(context, text, &host, &port);

    if (fault != NULL)
        return fault;
    if (address_parse(slice_text(host), &out->address) != ASSAY_OK)
        return arena_printf(context->arena, "'%s' is not an address", host);
    if (port == 0)
        return arena_printf(context->arena, "'%s' has no port", text);
    out->port = port;
    out->set = true;
    return NULL;
}

static const char *parse_url(const struct config_value_context *context, const char *text, struct config_url *out)
{
    static const char https[] = "https://", http[] = "http://";
    const char *rest, *host = NULL, *fault;

    if (strncmp(text, https, sizeof(https) - 1) == 0) {
        *out = (struct config_url){.https = true, .port = 443};
        rest = text + sizeof(https) - 1;
    } else if (strncmp(text, http, sizeof(http) - 1) == 0) {
        *out = (struct config_url){.port = 80};
        rest = text + sizeof(http) - 1;
    } else {
        return arena_printf(context->arena, "'%s' does not begin with https:// or http://", text);
    }
    if (strchr(rest, '/') != NULL)
        return arena_printf(context->arena, "'%s': a path is not possible here", text);
    fault = parse_host_port(context, rest, &host, &out->port);
    out->host = fault == NULL ? host : NULL;
    return fault;
}

static const char *parse_origin(const struct config_value_context *context, const char *text, struct config_origin *out)
{
    out->port = 0;
    if (strcmp(text, "default") == 0) {
        out->host = "";
        return NULL;
    }
    return parse_host_port(context, text, &out->host, &out->port);
}

static const char *parse_switch(const struct config_value_context *context, const char *text, bool *out)
{
    static const char *const words[] = {"off", "on", "no", "yes", "false", "true"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!slice_is_nocase(slice_text(text), words[i]))
            continue;
        *out = i % 2 != 0;
        return NULL;
    }
    return arena_printf(context->arena, "'%s' is neither on nor off", text);
}

static const char *parse_word(const struct config_value_context *context, const struct config_key *key,
                              const char *text, uint32_t *out)
{
    const char *word = key->words;

    for (uint32_t i = 0;; i++) {
        size_t len = strcspn(word, "|");

        if (strlen(text) == len && strncmp(text, word, len) == 0) {
            *out = i;
            return NULL;
        }
        if (word[len] == '\0')
            break;
        word += len + 1;
    }
    return arena_printf(context->arena, "'%s' is none of %s", text, key->words);
}

static const char *parse_address(const struct config_value_context *context, const char *text,
                                 struct config_address *out)
{
    if (address_parse(slice_text(text), &out->address) != ASSAY_OK)
        return arena_printf(context->arena, "'%s' is not an address", text);
    out->set = true;
    return NULL;
}

static const char *parse_prefix(const struct config_value_context *context, const char *text, struct assay_prefix *out)
{
    enum assay_error error = prefix_parse(slice_text(text), out);

    if (error == ASSAY_ERR_RANGE)
        return arena_printf(context->arena, "'%s' is no prefix: too long, or bits are set behind its length", text);
    if (error != ASSAY_OK)
        return arena_printf(context->arena, "'%s' is not a prefix (198.18.0.0/15)", text);
    return NULL;
}

/* ADDRESS/LENGTH, the address with all its bits; without a length: the address alone. */
static const char *parse_interface(const struct config_value_context *context, const char *text,
                                   struct config_interface *out)
{
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    uint64_t length;
    unsigned max;

    if (address_parse(slice_of(text, len), &out->address) != ASSAY_OK)
        return arena_printf(context->arena, "'%s' is not ADDRESS/LENGTH", text);
    max = address_is_ip4(&out->address) ? 32 : 128;
    length = max;
    if (slash != NULL && (!parse_digits(slash + 1, strlen(slash + 1), &length) || length > max))
        return arena_printf(context->arena, "'%s': the length is not within 0 to %u", text, max);
    out->prefix_length = (uint8_t)(length + (128 - max));
    return NULL;
}

const char *config_value_parse(const struct config_value_context *context, const struct config_key *key,
                               const char *text, void *field)
{
    switch (key->kind) {
    case CONFIG_TEXT:
    case CONFIG_TEXTS: return parse_text(context, key, text, field);
    case CONFIG_PATH: return parse_path(context, key, text, field);
    case CONFIG_HOST: return parse_host(context, slice_text(text), field);
    case CONFIG_NUMBER:
    case CONFIG_NUMBERS: return parse_scaled(context, key, text, number_units, "a number", field);
    case CONFIG_OCTAL: return parse_octal(context, key, text, field);
    case CONFIG_SIZE: return parse_scaled(context, key, text, size_units, "a size (4096, 64KiB, 2MiB)", field);
    case CONFIG_DURATION: return parse_scaled(context, key, text, duration_units, "a duration (500ms, 30s, 2h)", field);
    case CONFIG_SWITCH: return parse_switch(context, text, field);
    case CONFIG_WORD: return parse_word(context, key, text, field);
    case CONFIG_ADDRESS:
    case CONFIG_ADDRESSES: return parse_address(context, text, field);
    case CONFIG_ENDPOINT:
    case CONFIG_ENDPOINTS: return parse_endpoint(context, key, text, field);
    case CONFIG_URL: return parse_url(context, text, field);
    case CONFIG_PREFIXES: return parse_prefix(context, text, field);
    case CONFIG_INTERFACES: return parse_interface(context, text, field);
    case CONFIG_ORIGINS: return parse_origin(context, text, field);
    case CONFIG_GROUP:
    case CONFIG_GROUPS: break;
    }
    return "not a value";
}
