/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/revoked.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/arena.h"
#include "x509/crl_set.h"

static void remove_at(struct revoked *revoked, size_t i)
{
    free((void *)(uintptr_t)revoked->items[i].response.data);
    revoked->items[i] = revoked->items[--revoked->count];
}

void revoked_free(struct revoked *revoked)
{
    while (revoked->count > 0)
        remove_at(revoked, revoked->count - 1);
    free(revoked->items);
    *revoked = (struct revoked){0};
}

const struct revoked_item *revoked_find(const struct revoked *revoked, const uint8_t sha256[32])
{
    for (size_t i = 0; i < revoked->count; i++)
        if (memcmp(revoked->items[i].sha256, sha256, sizeof(revoked->items[i].sha256)) == 0)
            return &revoked->items[i];
    return NULL;
}

void revoked_remove(struct revoked *revoked, const uint8_t sha256[32])
{
    const struct revoked_item *item = revoked_find(revoked, sha256);

    if (item != NULL)
        remove_at(revoked, (size_t)(item - revoked->items));
}

void revoked_age(struct revoked *revoked, uint64_t now_s)
{
    for (size_t i = revoked->count; i-- > 0;)
        if (revoked->items[i].not_after_s < (int64_t)now_s)
            remove_at(revoked, i);
}

static void make_room(struct revoked *revoked)
{
    size_t first = 0;

    if (revoked->count < REVOKED_MAX)
        return;
    for (size_t i = 1; i < revoked->count; i++)
        if (revoked->items[i].not_after_s < revoked->items[first].not_after_s)
            first = i;
    remove_at(revoked, first);
}

void revoked_put(struct revoked *revoked, const struct revoked_item *item)
{
    struct revoked_item added = *item; /* it may be one of ours */
    uint8_t *copy = memory_alloc(item->response.len + 1);

    if (item->response.len > 0)
        memcpy(copy, item->response.data, item->response.len);
    added.response = slice_of(copy, item->response.len);
    revoked_remove(revoked, added.sha256);
    make_room(revoked);
    revoked->items = memory_grow(revoked->items, (revoked->count + 1) * sizeof(*revoked->items));
    revoked->items[revoked->count++] = added;
}

bool revoked_fill(const struct revoked *revoked, struct x509_crl_set *set)
{
    for (size_t i = 0; i < revoked->count; i++)
        if (x509_crl_set_add_response(set, revoked->items[i].sha256, revoked->items[i].response) != ASSAY_OK)
            return false;
    return true;
}
