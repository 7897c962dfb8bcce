/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CONFIG_TABLE_H
#define ASSAY_DAEMON_CONFIG_TABLE_H
/* The table behind config.h: config_keys.def as data. Immutable. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config.h"

enum config_kind {
    CONFIG_TEXT,       /* const char *; min, max: length */
    CONFIG_PATH,       /* const char *, made absolute */
    CONFIG_HOST,       /* const char *, canonical name or address */
    CONFIG_NUMBER,     /* uint64_t */
    CONFIG_OCTAL,      /* uint64_t */
    CONFIG_SIZE,       /* uint64_t, bytes: 4096, 64KiB, 512MiB, 2GiB */
    CONFIG_DURATION,   /* uint64_t, microseconds: 500us, 250ms, 30s, 5m, 12h, 7d */
    CONFIG_SWITCH,     /* bool: on, off */
    CONFIG_WORD,       /* uint32_t: index into words */
    CONFIG_ADDRESS,    /* struct config_address */
    CONFIG_ENDPOINT,   /* struct config_endpoint: ADDRESS:PORT */
    CONFIG_URL,        /* struct config_url */
    CONFIG_TEXTS,      /* struct config_texts */
    CONFIG_NUMBERS,    /* struct config_numbers; min, max: of each */
    CONFIG_PREFIXES,   /* struct config_prefixes */
    CONFIG_ADDRESSES,  /* struct config_addresses */
    CONFIG_INTERFACES, /* struct config_interfaces: ADDRESS/LENGTH */
    CONFIG_ENDPOINTS,  /* struct config_endpoints: ADDRESS[:PORT], min: default port */
    CONFIG_ORIGINS,    /* struct config_origins: HOST[:PORT] or default */
    CONFIG_GROUP,      /* a mapping */
    CONFIG_GROUPS,     /* a list of mappings; min, max: how many */
};

enum config_group {
#define CONFIG_GROUP_OF(group, title, help) CONFIG_GROUP_##group,
#include "daemon/config_keys.def"
#undef CONFIG_GROUP_OF
    CONFIG_GROUP_COUNT,
};

enum config_when { CONFIG_RELOAD, CONFIG_START }; /* from when on a change acts */
enum config_need { CONFIG_OPTIONAL, CONFIG_REQUIRED };

struct config_key {
    enum config_group group;
    const char *name;
    enum config_kind kind;
    size_t offset;
    uint64_t min, max;
    const char *initial; /* text of the default, read like any value; NULL: none, empty */
    enum config_need need;
    enum config_when when;
    const char *words;     /* CONFIG_WORD: "enforced|permissive|disabled" */
    enum config_group sub; /* CONFIG_GROUP, CONFIG_GROUPS */
    const char *help;
};

struct config_group_info {
    const char *title; /* "listeners[]" */
    size_t size;       /* of its struct */
    const char *help;
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;
extern const struct config_group_info config_groups[CONFIG_GROUP_COUNT];

/* True when both structs of a group hold the same values, nested groups included. */
bool config_group_equal(enum config_group group, const void *a, const void *b);

/* --- one value (config_value.c) ---------------------------------------------------------------------------------------------- */

struct config_value_context {
    struct arena *arena;
    const char *directory; /* relative paths start there */
};

/* Reads one scalar into *field (for list kinds: into one element). Returns NULL, or what is wrong with it (in the arena):
 * "70000 is not within 1 to 65535". */
const char *config_value_parse(const struct config_value_context *context, const struct config_key *key,
                               const char *text, void *field);
/* Size of an element of a list kind; 0: not a list kind. */
size_t config_element_size(enum config_kind kind);
const char *config_kind_name(enum config_kind kind);

#endif
