/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_ACCESS_RULES_H
#define ASSAY_ACCESS_RULES_H
/* A rule taken apart, and the builder's list of them. Internal to this folder. */
#include "access/access.h"
#include "base/host.h"
#include "base/pattern_set.h"

#define ACCESS_URL_MAX         2048
#define ACCESS_DEPLOYMENT_MAX  64
#define ACCESS_DESCRIPTION_MAX 512

/* protocol://host[:port][/path] (MRA S16), taken apart. */
struct access_url {
    bool https;
    uint16_t port;     /* the scheme's own where none is written */
    struct slice host; /* canonical, in the caller's host_text */
    struct slice path; /* as written, and perhaps empty or without a '/' in front of its query */
};
enum assay_error access_url_parse(struct slice url, char host_text[HOST_NAME_MAX + 1], struct access_url *out,
                                  const char **fault) ASSAY_MUST_USE;

struct access_entry {
    struct access_rule rule; /* its texts are in text */
    bool https;
    uint16_t port;
    struct slice host;      /* canonical */
    struct pattern pattern; /* what of a path it covers */
    char *text;
};

/* Owner: *out owns text until access_entry_clear(). */
enum assay_error access_entry_init(const struct access_rule *rule, struct access_entry *out, const char **fault)
    ASSAY_MUST_USE;
void access_entry_clear(struct access_entry *entry);
/* Covers the same requests and means the same by it. */
bool access_entry_same(const struct access_entry *a, const struct access_entry *b);
uint64_t access_origin_hash(bool https, struct slice host, uint16_t port);
/* Which of two rules of one origin decides: negative when a does. index_a, index_b: their order. */
int access_entry_compare(const struct access_entry *a, size_t index_a, const struct access_entry *b, size_t index_b);

/* The bit of a method, or 0: one that only a rule for all methods allows. Methods are case-sensitive (RFC 9110 §9.1). */
uint32_t access_method_bit(struct slice method);

struct access_builder {
    struct access_entry *entries;
    size_t count;
    size_t capacity;
    uint32_t *slots; /* hash table of entry number + 1, to find duplicates */
    size_t slot_count;
    const struct access_set *previous; /* whose compiled patterns may be shared; NULL */
};

/* Forgets all entries from count on. */
void access_builder_truncate(struct access_builder *builder, size_t count);

#endif
