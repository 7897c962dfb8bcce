/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "daemon/config_table.h"

const struct config_group_info config_groups[CONFIG_GROUP_COUNT] = {
#define CONFIG_GROUP_OF(group, title, help) {title, sizeof(struct config_##group), help},
#include "daemon/config_keys.def"
#undef CONFIG_GROUP_OF
};

const struct config_key config_keys[] = {
#define CONFIG_KEY_OF(group, key, kind, min, max, initial, need, when, words, help) \
    {CONFIG_GROUP_##group,                                                          \
     #key,                                                                          \
     CONFIG_##kind,                                                                 \
     offsetof(struct config_##group, key),                                          \
     min,                                                                           \
     max,                                                                           \
     initial,                                                                       \
     CONFIG_##need,                                                                 \
     CONFIG_##when,                                                                 \
     words,                                                                         \
     CONFIG_GROUP_root,                                                             \
     help},
#define CONFIG_SUB_OF(group, key, kind, min, max, need, when, sub, help) \
    {CONFIG_GROUP_##group,                                               \
     #key,                                                               \
     CONFIG_##kind,                                                      \
     offsetof(struct config_##group, key),                               \
     min,                                                                \
     max,                                                                \
     NULL,                                                               \
     CONFIG_##need,                                                      \
     CONFIG_##when,                                                      \
     NULL,                                                               \
     CONFIG_GROUP_##sub,                                                 \
     help},
#include "daemon/config_keys.def"
#undef CONFIG_KEY_OF
#undef CONFIG_SUB_OF
};

const size_t config_key_count = sizeof(config_keys) / sizeof(config_keys[0]);

size_t config_element_size(enum config_kind kind)
{
    switch (kind) {
    case CONFIG_TEXTS: return sizeof(const char *);
    case CONFIG_NUMBERS: return sizeof(uint64_t);
    case CONFIG_PREFIXES: return sizeof(struct assay_prefix);
    case CONFIG_ADDRESSES: return sizeof(struct config_address);
    case CONFIG_INTERFACES: return sizeof(struct config_interface);
    case CONFIG_ENDPOINTS: return sizeof(struct config_endpoint);
    case CONFIG_ORIGINS: return sizeof(struct config_origin);
    default: return 0;
    }
}

const char *config_kind_name(enum config_kind kind)
{
    switch (kind) {
    case CONFIG_TEXT: return "text";
    case CONFIG_PATH: return "path";
    case CONFIG_HOST: return "name or address";
    case CONFIG_NUMBER: return "number";
    case CONFIG_OCTAL: return "octal number";
    case CONFIG_SIZE: return "size";
    case CONFIG_DURATION: return "duration";
    case CONFIG_SWITCH: return "on, off";
    case CONFIG_WORD: return "word";
    case CONFIG_ADDRESS: return "address";
    case CONFIG_ENDPOINT: return "address:port";
    case CONFIG_URL: return "http(s)://host[:port]";
    case CONFIG_TEXTS: return "list of text";
    case CONFIG_NUMBERS: return "list of numbers";
    case CONFIG_PREFIXES: return "list of prefixes, or any";
    case CONFIG_ADDRESSES: return "list of addresses";
    case CONFIG_INTERFACES: return "list of address/length";
    case CONFIG_ENDPOINTS: return "list of address[:port]";
    case CONFIG_ORIGINS: return "list of host[:port], default";
    case CONFIG_GROUP: return "mapping";
    case CONFIG_GROUPS: return "list of mappings";
    }
    return "?";
}

/* --- the reference ------------------------------------------------------------------------------------------------------------ */

static void print_duration(struct text *out, uint64_t us)
{
    static const struct {
        uint64_t unit;
        const char *suffix;
    } units[] = {{86400000000, "d"}, {3600000000, "h"}, {60000000, "m"}, {1000000, "s"}, {1000, "ms"}, {1, "us"}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (us == 0 || us % units[i].unit != 0)
            continue;
        text_printf(out, "%llu%s", (unsigned long long)(us / units[i].unit), units[i].suffix);
        return;
    }
    text_add_text(out, "0s");
}

static void print_size(struct text *out, uint64_t bytes)
{
    static const struct {
        unsigned shift;
        const char *suffix;
    } units[] = {{40, "TiB"}, {30, "GiB"}, {20, "MiB"}, {10, "KiB"}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (bytes == 0 || bytes % (1ULL << units[i].shift) != 0)
            continue;
        text_printf(out, "%llu%s", (unsigned long long)(bytes >> units[i].shift), units[i].suffix);
        return;
    }
    text_printf(out, "%llu", (unsigned long long)bytes);
}

static void print_words(struct text *out, const char *words)
{
    for (; *words != '\0'; words++)
        text_add(out, *words == '|' ? ", " : words, *words == '|' ? 2 : 1);
}

/* What the key may hold: "1 to 65535", "10ms to 10s", "enforced, permissive, disabled". */
static void print_form(struct text *out, const struct config_key *key)
{
    switch (key->kind) {
    case CONFIG_WORD: print_words(out, key->words); break;
    case CONFIG_NUMBER:
        text_printf(out, "%llu to %llu", (unsigned long long)key->min, (unsigned long long)key->max);
        break;
    case CONFIG_OCTAL:
        text_printf(out, "%04llo to %04llo", (unsigned long long)key->min, (unsigned long long)key->max);
        break;
    case CONFIG_SIZE:
        text_add_text(out, "size, ");
        print_size(out, key->min);
        text_add_text(out, " to ");
        print_size(out, key->max);
        break;
    case CONFIG_DURATION:
        text_add_text(out, "duration, ");
        print_duration(out, key->min);
        text_add_text(out, " to ");
        print_duration(out, key->max);
        break;
    case CONFIG_NUMBERS:
        text_printf(out, "list of %llu to %llu", (unsigned long long)key->min, (unsigned long long)key->max);
        break;
    default: text_add_text(out, config_kind_name(key->kind)); break;
    }
}

static void print_group(struct text *out, enum config_group group)
{
    text_printf(out, "\n## %s\n\n", config_groups[group].title);
    if (config_groups[group].help[0] != '\0')
        text_printf(out, "%s\n\n", config_groups[group].help);
    text_add_text(out, "| key | holds | default | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];

        if (key->group != group)
            continue;
        text_printf(out, "| `%s` | ", key->name);
        print_form(out, key);
        if (key->initial != NULL)
            text_printf(out, " | `%s` | ", key->initial);
        else
            text_add_text(out, key->need == CONFIG_REQUIRED ? " | **required** | " : " | – | ");
        text_printf(out, "%s%s |\n", key->help, key->when == CONFIG_START ? " ⟳" : "");
    }
}

void config_print_keys(struct text *out)
{
    text_add_text(
        out,
        "A list may be written as a single value where it has one element. Sizes: `4096`, `64KiB`, `512MiB`, `2GiB`. "
        "Durations: `500us`, `250ms`, `30s`, `5m`, `12h`, `7d`. Relative paths start at the file's folder. "
        "An unknown key refuses the whole file. ⟳: a change acts at the next start, not on reload.\n");
    for (int group = 0; group < CONFIG_GROUP_COUNT; group++)
        print_group(out, (enum config_group)group);
}

/* --- comparing two configurations ------------------------------------------------------------------------------------------------ */

/* Every list kind begins with count and items, but for prefixes, which have `any` before them. */
struct any_list {
    uint32_t count;
    const void *items;
};

static bool text_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool element_same(enum config_kind kind, const void *a, const void *b)
{
    switch (kind) {
    case CONFIG_TEXTS: return text_same(*(const char *const *)a, *(const char *const *)b);
    case CONFIG_ORIGINS: {
        const struct config_origin *x = a, *y = b;

        return x->port == y->port && text_same(x->host, y->host);
    }
    case CONFIG_ENDPOINTS: {
        const struct config_endpoint *x = a, *y = b;

        return x->set == y->set && x->port == y->port && memcmp(&x->address, &y->address, sizeof(x->address)) == 0;
    }
    /* bytes all through: no padding in them */
    default: return memcmp(a, b, config_element_size(kind)) == 0;
    }
}

static bool list_same(enum config_kind kind, struct any_list a, struct any_list b)
{
    size_t size = config_element_size(kind);

    if (a.count != b.count)
        return false;
    for (uint32_t i = 0; i < a.count; i++)
        if (!element_same(kind, (const char *)a.items + i * size, (const char *)b.items + i * size))
            return false;
    return true;
}

static bool groups_same(enum config_group sub, struct any_list a, struct any_list b)
{
    size_t size = config_groups[sub].size;

    if (a.count != b.count)
        return false;
    for (uint32_t i = 0; i < a.count; i++)
        if (!config_group_equal(sub, (const char *)a.items + i * size, (const char *)b.items + i * size))
            return false;
    return true;
}

static bool prefixes_same(const struct config_prefixes *a, const struct config_prefixes *b)
{
    return a->any == b->any &&
           list_same(CONFIG_PREFIXES, (struct any_list){a->count, a->items}, (struct any_list){b->count, b->items});
}

static bool url_same(const struct config_url *a, const struct config_url *b)
{
    return text_same(a->host, b->host) && a->port == b->port && a->https == b->https;
}

static struct any_list list_at(const void *field)
{
    struct any_list list;

    memcpy(&list, field, sizeof(list));
    return list;
}

static bool key_same(const struct config_key *key, const void *a, const void *b)
{
    switch (key->kind) {
    case CONFIG_TEXT:
    case CONFIG_PATH:
    case CONFIG_HOST: return text_same(*(const char *const *)a, *(const char *const *)b);
    case CONFIG_NUMBER:
    case CONFIG_OCTAL:
    case CONFIG_SIZE:
    case CONFIG_DURATION: return *(const uint64_t *)a == *(const uint64_t *)b;
    case CONFIG_SWITCH: return *(const bool *)a == *(const bool *)b;
    case CONFIG_WORD: return *(const uint32_t *)a == *(const uint32_t *)b;
    case CONFIG_ADDRESS: {
        const struct config_address *x = a, *y = b;

        return x->set == y->set && memcmp(&x->address, &y->address, sizeof(x->address)) == 0;
    }
    case CONFIG_ENDPOINT: return element_same(CONFIG_ENDPOINTS, a, b);
    case CONFIG_URL: return url_same(a, b);
    case CONFIG_PREFIXES: return prefixes_same(a, b);
    case CONFIG_TEXTS:
    case CONFIG_NUMBERS:
    case CONFIG_ADDRESSES:
    case CONFIG_INTERFACES:
    case CONFIG_ENDPOINTS:
    case CONFIG_ORIGINS: return list_same(key->kind, list_at(a), list_at(b));
    case CONFIG_GROUP: return config_group_equal(key->sub, a, b);
    case CONFIG_GROUPS: return groups_same(key->sub, list_at(a), list_at(b));
    }
    return false;
}

bool config_group_equal(enum config_group group, const void *a, const void *b)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];

        if (key->group == group && !key_same(key, (const char *)a + key->offset, (const char *)b + key->offset))
            return false;
    }
    return true;
}

static unsigned restart_keys(enum config_group group, const char *path, const void *a, const void *b, struct text *out)
{
    unsigned found = 0;

    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        const void *x = (const char *)a + key->offset, *y = (const char *)b + key->offset;
        struct text below = {0};

        if (key->group != group)
            continue;
        text_printf(&below, "%s%s%s", path, *path != '\0' ? "." : "", key->name);
        if (key->kind == CONFIG_GROUP) {
            found += restart_keys(key->sub, text_get(&below), x, y, out);
        } else if (key->when == CONFIG_START && !key_same(key, x, y)) {
            text_printf(out, "%s%s", out->len > 0 ? ", " : "", text_get(&below));
            found++;
        }
        text_free(&below);
    }
    return found;
}

unsigned config_restart_keys(const struct config *running, const struct config *next, struct text *out)
{
    return restart_keys(CONFIG_GROUP_root, "", &running->root, &next->root, out);
}
