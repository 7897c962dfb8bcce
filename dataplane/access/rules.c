/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "access/rules.h"

#include <stdlib.h>

#define SLOTS_FIRST 64

_Static_assert(ACCESS_URL_MAX <= PATTERN_LITERAL_MAX, "every path compiles");

uint32_t access_method_bit(struct slice method)
{
    static const struct {
        const char *name;
        enum access_method bit;
    } rows[] = {
        {"GET", ACCESS_GET},       {"POST", ACCESS_POST},       {"PUT", ACCESS_PUT},     {"HEAD", ACCESS_HEAD},
        {"DELETE", ACCESS_DELETE}, {"OPTIONS", ACCESS_OPTIONS}, {"PATCH", ACCESS_PATCH},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (slice_is(method, rows[i].name))
            return rows[i].bit;
    return 0;
}

/* FNV-1a: the table is as long as the operator made it, and requests only look things up. */
uint64_t access_origin_hash(bool https, struct slice host, uint16_t port)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ ((uint64_t)port << 1 | https);

    for (size_t i = 0; i < host.len; i++)
        hash = (hash ^ host.data[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 29;
}

static enum assay_error malformed(const char **fault, const char *text)
{
    *fault = text;
    return ASSAY_ERR_MALFORMED;
}

/* Texts end up in logs and tables: UTF-8, if it is that, passes; control bytes do not. */
static bool text_is_good(const char *text, size_t max)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return len <= max;
}

static enum assay_error read_exact(struct slice path, struct access_entry *out)
{
    bool query = path.len > 0 && memchr(path.data, '?', path.len) != NULL;

    out->pattern.literal = path.len > 0 ? path : slice_text("/");
    out->pattern.tail = query ? PATTERN_TAIL_END : PATTERN_TAIL_QUERY;
    return ASSAY_OK;
}

/* A prefix ends where a segment ends, or a pair of the query, unless it says otherwise by its last byte: '/' is such an end
 * itself, '?', '&' and '=' are in a query, and '*' stands for anything at all. */
static enum assay_error read_prefix(struct slice path, struct access_entry *out)
{
    bool query = path.len > 0 && memchr(path.data, '?', path.len) != NULL;
    uint8_t last = path.len > 0 ? path.data[path.len - 1] : '/';

    out->pattern.literal = path.len > 0 ? path : slice_text("/");
    out->pattern.tail = query ? PATTERN_TAIL_PAIR : PATTERN_TAIL_SEGMENT;
    if ((!query && last == '/') || (query && (last == '?' || last == '&' || last == '=')) || last == '*')
        out->pattern.tail = PATTERN_TAIL_ANY;
    if (last == '*')
        out->pattern.literal.len--;
    return ASSAY_OK;
}

static enum assay_error read_path(struct slice path, enum access_match match, struct access_entry *out,
                                  const char **fault)
{
    if (path.len > 0 && path.data[0] != '/')
        return malformed(fault, "a query without a path");
    if (path.len > 0 && access_normalise(path, fault) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    return match == ACCESS_MATCH_EXACT ? read_exact(path, out) : read_prefix(path, out);
}

static enum assay_error read_authority(struct slice text, char *host_text, struct access_url *out, const char **fault)
{
    struct slice host;
    uint16_t port;

    if (authority_parse(text, &host, &port) != ASSAY_OK || host_canonical(host, host_text, &out->host) != ASSAY_OK)
        return malformed(fault, "bad host or port");
    out->port = port != 0 ? port : out->https ? 443 : 80;
    return ASSAY_OK;
}

enum assay_error access_url_parse(struct slice url, char host_text[HOST_NAME_MAX + 1], struct access_url *out,
                                  const char **fault)
{
    const uint8_t *colon = url.len ? memchr(url.data, ':', url.len) : NULL;
    struct slice scheme = slice_head(url, colon ? (size_t)(colon - url.data) : 0);
    struct slice rest = slice_tail(url, scheme.len + 3);
    size_t len = 0;

    out->https = slice_is_nocase(scheme, "https");
    if (colon == NULL || (!out->https && !slice_is_nocase(scheme, "http")))
        return malformed(fault, "protocol is not http or https");
    if (rest.len == 0 || memcmp(colon, "://", 3) != 0)
        return malformed(fault, "no host");
    while (len < rest.len && rest.data[len] != '/' && rest.data[len] != '?')
        len++;
    out->path = slice_tail(rest, len);
    return read_authority(slice_head(rest, len), host_text, out, fault);
}

static const char *copy_text(char **at, const char *text)
{
    char *start = *at;
    size_t size = strlen(text) + 1;

    memcpy(start, text, size);
    *at += size;
    return start;
}

enum assay_error access_entry_init(const struct access_rule *rule, struct access_entry *out, const char **fault)
{
    struct access_url url = {0};
    enum assay_error error;
    size_t size;
    char *at;

    *fault = "";
    if (!text_is_good(rule->url, ACCESS_URL_MAX) || !text_is_good(rule->deployment, ACCESS_DEPLOYMENT_MAX) ||
        !text_is_good(rule->description, ACCESS_DESCRIPTION_MAX))
        return malformed(fault, "a text too long, or with control characters");
    if (rule->deployment[0] == 0)
        return malformed(fault, "no deployment");
    size = strlen(rule->url) + strlen(rule->deployment) + strlen(rule->description) + 3 + HOST_NAME_MAX + 1;
    at = out->text = malloc(size);
    if (at == NULL)
        return ASSAY_ERR_NO_MEMORY;
    out->rule = *rule;
    out->rule.url = copy_text(&at, rule->url);
    out->rule.deployment = copy_text(&at, rule->deployment);
    out->rule.description = copy_text(&at, rule->description);
    error = access_url_parse(slice_text(out->rule.url), at, &url, fault);
    if (error == ASSAY_OK)
        error = read_path(url.path, rule->match, out, fault);
    out->https = url.https;
    out->host = url.host;
    out->port = url.port;
    if (error != ASSAY_OK)
        access_entry_clear(out);
    return error;
}

void access_entry_clear(struct access_entry *entry)
{
    free(entry->text);
    entry->text = NULL;
}

bool access_entry_same(const struct access_entry *a, const struct access_entry *b)
{
    return a->https == b->https && a->port == b->port && a->pattern.tail == b->pattern.tail &&
           a->rule.methods == b->rule.methods && a->rule.match == b->rule.match && a->rule.source == b->rule.source &&
           slice_equal(a->host, b->host) && slice_equal(a->pattern.literal, b->pattern.literal) &&
           strcmp(a->rule.deployment, b->rule.deployment) == 0;
}

int access_entry_compare(const struct access_entry *a, size_t index_a, const struct access_entry *b, size_t index_b)
{
    if (a->rule.match != b->rule.match)
        return a->rule.match == ACCESS_MATCH_EXACT ? -1 : 1;
    if (a->pattern.literal.len != b->pattern.literal.len)
        return a->pattern.literal.len > b->pattern.literal.len ? -1 : 1;
    if (a->rule.source != b->rule.source)
        return a->rule.source == ACCESS_SOURCE_MANUAL ? -1 : 1;
    return index_a < index_b ? -1 : 1;
}

/* --- the builder ---------------------------------------------------------------------------------------------------------- */

struct access_builder *access_builder_create(void)
{
    struct access_builder *builder = calloc(1, sizeof(*builder));

    if (builder == NULL)
        return NULL;
    builder->slot_count = SLOTS_FIRST;
    builder->slots = calloc(builder->slot_count, sizeof(*builder->slots));
    if (builder->slots == NULL) {
        free(builder);
        return NULL;
    }
    return builder;
}

void access_builder_free(struct access_builder *builder)
{
    if (builder == NULL)
        return;
    for (size_t i = 0; i < builder->count; i++)
        access_entry_clear(&builder->entries[i]);
    free(builder->entries);
    free(builder->slots);
    free(builder);
}

void access_builder_reuse(struct access_builder *builder, const struct access_set *previous)
{
    builder->previous = previous;
}

static uint64_t entry_hash(const struct access_entry *entry)
{
    uint64_t hash = access_origin_hash(entry->https, entry->host, entry->port);

    return access_origin_hash(entry->rule.match == ACCESS_MATCH_EXACT, entry->pattern.literal, (uint16_t)hash) ^ hash;
}

/* The slot of an entry that is the same, or the free one where this one belongs. */
static uint32_t *find_slot(struct access_builder *builder, const struct access_entry *entry)
{
    size_t mask = builder->slot_count - 1;
    size_t i = entry_hash(entry) & mask;

    while (builder->slots[i] != 0 && !access_entry_same(&builder->entries[builder->slots[i] - 1], entry))
        i = (i + 1) & mask;
    return &builder->slots[i];
}

static void fill_slots(struct access_builder *builder)
{
    memset(builder->slots, 0, builder->slot_count * sizeof(*builder->slots));
    for (size_t i = 0; i < builder->count; i++)
        *find_slot(builder, &builder->entries[i]) = (uint32_t)(i + 1);
}

void access_builder_truncate(struct access_builder *builder, size_t count)
{
    while (builder->count > count)
        access_entry_clear(&builder->entries[--builder->count]);
    fill_slots(builder);
}

static enum assay_error grow(struct access_builder *builder)
{
    size_t capacity = builder->capacity ? 2 * builder->capacity : SLOTS_FIRST / 2;
    struct access_entry *entries;
    uint32_t *slots;

    if (builder->count < builder->capacity)
        return ASSAY_OK;
    if (capacity > UINT32_MAX / 2)
        return ASSAY_ERR_LIMIT;
    entries = realloc(builder->entries, capacity * sizeof(*entries));
    if (entries == NULL)
        return ASSAY_ERR_NO_MEMORY;
    builder->entries = entries;
    slots = realloc(builder->slots, 2 * capacity * sizeof(*slots));
    if (slots == NULL)
        return ASSAY_ERR_NO_MEMORY;
    builder->slots = slots;
    builder->slot_count = 2 * capacity;
    builder->capacity = capacity;
    fill_slots(builder);
    return ASSAY_OK;
}

enum assay_error access_builder_add(struct access_builder *builder, const struct access_rule *rule, const char **fault)
{
    struct access_entry entry;
    enum assay_error error;
    uint32_t *slot;

    *fault = "";
    error = grow(builder);
    if (error != ASSAY_OK)
        return error;
    error = access_entry_init(rule, &entry, fault);
    if (error != ASSAY_OK)
        return error;
    slot = find_slot(builder, &entry);
    if (*slot != 0) {
        access_entry_clear(&entry);
        *fault = "the same rule is there already";
        return ASSAY_ERR_DUPLICATE;
    }
    builder->entries[builder->count++] = entry;
    *slot = (uint32_t)builder->count;
    return ASSAY_OK;
}
