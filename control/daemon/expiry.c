/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/expiry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/arena.h"
#include "daemon/registry.h"
#include "report/values.h"
#include "x509/describe.h"

#define DAY_S 86400

/* Days left at which a line is due, the last one first. */
static const int thresholds[EXPIRY_THRESHOLDS] = {0, 1, 7, 14, 30};

struct expiry_said_item {
    enum expiry_kind kind;
    uint8_t sha256[32];
    int days;  /* the threshold that was said last */
    bool seen; /* in the list that is worked on */
};

static const char *kind_name(enum expiry_kind kind)
{
    switch (kind) {
    case EXPIRY_TRUSTED: return "trusted";
    case EXPIRY_ORIGIN: return "origin";
    case EXPIRY_OWN: return "own";
    }
    return "?";
}

/* --- collecting --------------------------------------------------------------------------------------------------------------- */

struct collection {
    struct expiry_list list;
    size_t capacity;
};

static void add(struct collection *collection, enum expiry_kind kind, const struct x509_certificate *certificate,
                const char *where)
{
    struct expiry_item *item;

    if (collection->list.count == collection->capacity) {
        collection->capacity = collection->capacity > 0 ? 2 * collection->capacity : 64;
        collection->list.items = memory_grow(collection->list.items, collection->capacity * sizeof(*item));
    }
    item = &collection->list.items[collection->list.count++];
    *item = (struct expiry_item){.kind = kind, .ca = certificate->is_ca, .not_after_s = certificate->not_after_s};
    memcpy(item->sha256, certificate->sha256, sizeof(item->sha256));
    x509_describe_common_name(certificate->subject, item->common_name, sizeof(item->common_name));
    x509_describe_key(certificate, item->key, sizeof(item->key));
    snprintf(item->where, sizeof(item->where), "%s", where);
}

static int by_certificate(const void *a, const void *b)
{
    const struct expiry_item *x = a, *y = b;
    int order = memcmp(x->sha256, y->sha256, sizeof(x->sha256));

    order = order != 0 ? order : (int)x->kind - (int)y->kind;
    return order != 0 ? order : strcmp(x->where, y->where);
}

static int by_end(const void *a, const void *b)
{
    const struct expiry_item *x = a, *y = b;

    if (x->not_after_s != y->not_after_s)
        return x->not_after_s < y->not_after_s ? -1 : 1;
    return by_certificate(a, b);
}

/* One item for a certificate that several origins show. */
static void merge(struct expiry_list *list)
{
    size_t kept = 0, more = 0;

    if (list->count == 0) /* qsort() wants an array even then */
        return;
    qsort(list->items, list->count, sizeof(*list->items), by_certificate);
    for (size_t i = 0; i < list->count; i++) {
        struct expiry_item *item = &list->items[i];
        bool last = i + 1 == list->count || memcmp(item[1].sha256, item->sha256, sizeof(item->sha256)) != 0 ||
                    item[1].kind != item->kind;

        if (more == 0)
            list->items[kept] = *item;
        more++;
        if (!last)
            continue;
        item = &list->items[kept++];
        if (more > 1 && item->kind == EXPIRY_ORIGIN) {
            size_t used = strlen(item->where);

            snprintf(item->where + used, sizeof(item->where) - used, " and %zu more", more - 1);
        }
        more = 0;
    }
    list->count = kept;
    qsort(list->items, list->count, sizeof(*list->items), by_end);
}

void expiry_collect(const struct control *control, struct expiry_list *out)
{
    struct collection collection = {0};
    char where[EXPIRY_WHERE_MAX];

    for (const struct trust *trust = control->trust; trust != NULL; trust = trust->next)
        for (size_t i = 0; i < trust->count; i++) {
            where[0] = '\0';
            if (trust->deployment != NULL)
                snprintf(where, sizeof(where), "deployment %s", trust->deployment);
            add(&collection, EXPIRY_TRUSTED, &trust->entries[i].certificate, where);
        }
    for (const struct credential *own = control->credentials.first; own != NULL; own = own->next)
        if (own->leaf_der != NULL)
            add(&collection, EXPIRY_OWN, &own->leaf, own->name);
    for (const struct registry_entry *entry = registry_first(control->registry); entry != NULL;
         entry = registry_next(entry)) {
        if (!entry->leaf_parsed || registry_superseded(control->registry, entry))
            continue;
        snprintf(where, sizeof(where), strchr(entry->host, ':') != NULL ? "[%s]:%u" : "%s:%u", entry->host,
                 entry->port);
        add(&collection, EXPIRY_ORIGIN, &entry->leaf, where);
    }
    merge(&collection.list);
    *out = collection.list;
}

void expiry_free(struct expiry_list *list)
{
    free(list->items);
    *list = (struct expiry_list){0};
}

/* --- numbers ---------------------------------------------------------------------------------------------------------------------- */

void expiry_count(const struct expiry_list *list, uint64_t now_s, struct expiry_counts *out)
{
    *out = (struct expiry_counts){0};
    for (size_t i = 0; i < list->count; i++) {
        int64_t left_s = list->items[i].not_after_s - (int64_t)now_s;

        if (left_s < 0) {
            out->over++;
            continue;
        }
        if (out->next_s == 0)
            out->next_s = list->items[i].not_after_s;
        for (size_t k = 1; k < EXPIRY_THRESHOLDS; k++)
            out->within[k - 1] += left_s <= (int64_t)thresholds[k] * DAY_S;
    }
}

json_t *expiry_counts_view(const struct expiry_counts *counts, uint64_t now_s)
{
    json_t *out = json_object();
    char name[32];

    json_object_set_new(out, "certificates_expired", report_number(counts->over));
    for (size_t k = 1; k < EXPIRY_THRESHOLDS; k++) {
        snprintf(name, sizeof(name), "certificates_%d_days", thresholds[k]);
        json_object_set_new(out, name, report_number(counts->within[k - 1]));
    }
    json_object_set_new(out, "next_end_s",
                        report_number(counts->next_s > (int64_t)now_s ? (uint64_t)counts->next_s - now_s : 0));
    return out;
}

json_t *expiry_counts_help(void)
{
    json_t *out = json_object();
    char name[32], text[96];

    json_object_set_new(out, "certificates_expired",
                        json_string("certificates that are over: trusted, shown by origins, our own"));
    for (size_t k = 1; k < EXPIRY_THRESHOLDS; k++) {
        snprintf(name, sizeof(name), "certificates_%d_days", thresholds[k]);
        snprintf(text, sizeof(text), "certificates that end within %d day%s", thresholds[k], k > 1 ? "s" : "");
        json_object_set_new(out, name, json_string(text));
    }
    json_object_set_new(out, "next_end_s", json_string("seconds until the next one ends"));
    return out;
}

/* --- lines ------------------------------------------------------------------------------------------------------------------------- */

/* The smallest threshold that is reached; -1: none. */
static int threshold_of(int64_t left_s)
{
    if (left_s < 0)
        return 0;
    for (size_t k = 1; k < EXPIRY_THRESHOLDS; k++)
        if (left_s <= (int64_t)thresholds[k] * DAY_S)
            return thresholds[k];
    return -1;
}

static struct expiry_said_item *said_of(struct expiry_said *said, const struct expiry_item *item)
{
    for (size_t i = 0; i < said->count; i++)
        if (said->items[i].kind == item->kind && memcmp(said->items[i].sha256, item->sha256, sizeof(item->sha256)) == 0)
            return &said->items[i];
    return NULL;
}

static void say(const struct expiry_item *item, uint64_t now_s, struct text *out)
{
    static const char *const whose[] = {"trusted certificate", "certificate of an origin", "our own certificate"};
    char fingerprint[X509_DESCRIBE_HEX_SIZE], until[X509_DESCRIBE_TIME_SIZE];
    int64_t left_s = item->not_after_s - (int64_t)now_s;

    x509_describe_hex(slice_of(item->sha256, sizeof(item->sha256)), fingerprint, sizeof(fingerprint));
    x509_describe_time(item->not_after_s, until, sizeof(until));
    text_printf(out, "%s%s %s (%s, %.16s%s%s) ", whose[item->kind],
                item->kind == EXPIRY_TRUSTED && item->ca ? " (CA)" : "", item->common_name, item->key, fingerprint,
                item->where[0] != '\0' ? ", " : "", item->where);
    if (left_s < 0)
        text_printf(out, "has expired: it was valid until %s\n", until);
    else if (left_s < 2 * DAY_S)
        text_printf(out, "expires in %" PRId64 " hours: it is valid until %s\n", left_s / 3600, until);
    else
        text_printf(out, "expires in %" PRId64 " days: it is valid until %s\n", left_s / DAY_S, until);
}

void expiry_warn(struct expiry_said *said, const struct expiry_list *list, uint64_t now_s, struct text *out)
{
    size_t kept = 0;

    for (size_t i = 0; i < said->count; i++)
        said->items[i].seen = false;
    /* the list is sorted: nothing is due behind the first one that is far away */
    for (size_t i = 0; i < list->count; i++) {
        const struct expiry_item *item = &list->items[i];
        int days = threshold_of(item->not_after_s - (int64_t)now_s);
        struct expiry_said_item *before;

        if (days < 0)
            break;
        before = said_of(said, item);
        if (before == NULL) {
            said->items = memory_grow(said->items, (said->count + 1) * sizeof(*said->items));
            before = &said->items[said->count++];
            *before = (struct expiry_said_item){.kind = item->kind, .days = INT32_MAX};
            memcpy(before->sha256, item->sha256, sizeof(before->sha256));
        }
        before->seen = true;
        if (days < before->days)
            say(item, now_s, out);
        before->days = days;
    }
    for (size_t i = 0; i < said->count; i++)
        if (said->items[i].seen)
            said->items[kept++] = said->items[i];
    said->count = kept;
}

void expiry_said_free(struct expiry_said *said)
{
    free(said->items);
    *said = (struct expiry_said){0};
}

/* --- the list ----------------------------------------------------------------------------------------------------------------------- */

json_t *expiry_view(const struct expiry_list *list, uint64_t now_s, int days)
{
    json_t *out = json_object(), *rows = json_array();

    for (size_t i = 0; i < list->count; i++) {
        const struct expiry_item *item = &list->items[i];
        int64_t left_s = item->not_after_s - (int64_t)now_s;
        json_t *row;

        if (days >= 0 && left_s > (int64_t)days * DAY_S)
            break;
        row = json_object();
        json_object_set_new(row, "kind", json_string(kind_name(item->kind)));
        json_object_set_new(row, "ca", json_boolean(item->ca));
        json_object_set_new(row, "common_name", json_string(item->common_name));
        json_object_set_new(row, "key", json_string(item->key));
        json_object_set_new(row, "where", json_string(item->where));
        json_object_set_new(row, "sha256", report_sha256(item->sha256));
        json_object_set_new(row, "not_after", report_time((uint64_t)item->not_after_s));
        json_object_set_new(row, "days_left",
                            json_integer(left_s >= 0 ? left_s / DAY_S : -((-left_s + DAY_S - 1) / DAY_S)));
        json_object_set_new(row, "expired", json_boolean(left_s < 0));
        json_array_append_new(rows, row);
    }
    json_object_set_new(out, "certificates", rows);
    return out;
}
