/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/host.h"
#include "daemon/arena.h"

void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i].host);
    free(names->items);
    *names = (struct names){0};
}

static int compare(struct slice host, const char *name)
{
    size_t len = strlen(name);
    int order = memcmp(host.data, name, host.len < len ? host.len : len);

    if (order != 0)
        return order;
    return host.len < len ? -1 : host.len > len;
}

/* Where host is, or belongs; *found says which. */
static size_t position(const struct names *names, struct slice host, bool *found)
{
    size_t low = 0, high = names->count;

    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = compare(host, names->items[middle].host);

        if (order == 0) {
            *found = true;
            low = middle;
        } else if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

struct name *names_at(struct names *names, struct slice host)
{
    bool found;
    size_t at = position(names, host, &found);

    return found ? &names->items[at] : NULL;
}

const struct name *names_find(const struct names *names, struct slice host)
{
    bool found;
    size_t at = position(names, host, &found);

    return found ? &names->items[at] : NULL;
}

void names_begin(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        names->items[i].wanted = false;
}

void names_want(struct names *names, struct slice host)
{
    struct name fresh = {.wanted = true};
    char canonical[HOST_NAME_MAX + 1];
    enum host_kind kind;
    bool found;
    size_t at;

    if (host_check(host, &kind) != ASSAY_OK || kind != HOST_NAME || host_canonical(host, canonical, &host) != ASSAY_OK)
        return;
    at = position(names, host, &found);
    if (found) {
        names->items[at].wanted = true;
        return;
    }
    fresh.host = memory_alloc(host.len + 1);
    memcpy(fresh.host, host.data, host.len);
    snprintf(fresh.error, sizeof(fresh.error), "not resolved yet");
    names->items = memory_grow(names->items, (names->count + 1) * sizeof(fresh));
    memmove(names->items + at + 1, names->items + at, (names->count - at) * sizeof(fresh));
    names->items[at] = fresh;
    names->count++;
}

void names_sweep(struct names *names)
{
    size_t kept = 0;

    for (size_t i = 0; i < names->count; i++) {
        if (names->items[i].wanted)
            names->items[kept++] = names->items[i];
        else
            free(names->items[i].host);
    }
    names->count = kept;
}

/* IPv6 first (RFC 6724 §2.1: its precedence is higher), then by bytes. */
static int by_family_and_bytes(const void *a, const void *b)
{
    int order = address_is_ip4(a) - address_is_ip4(b);

    return order != 0 ? order : memcmp(a, b, sizeof(struct assay_address));
}

static bool refused(const struct assay_address *address, const struct assay_address *own, uint32_t own_count)
{
    if (address_is_special(address))
        return true;
    for (uint32_t i = 0; i < own_count; i++)
        if (address_equal(address, &own[i]))
            return true;
    return false;
}

bool names_fail(struct names *names, struct slice host, const char *error)
{
    struct name *name = names_at(names, host);
    bool changed;

    if (name == NULL)
        return false;
    name->asked = false;
    name->answered = true;
    /* with addresses at hand the error is for the operator only: no reason for a new snapshot */
    changed = name->count == 0 && strncmp(name->error, error, sizeof(name->error) - 1) != 0;
    snprintf(name->error, sizeof(name->error), "%s", error);
    return changed;
}

bool names_answer(struct names *names, struct slice host, const struct assay_address *addresses, uint32_t count,
                  const struct assay_address *own, uint32_t own_count)
{
    struct name *name = names_at(names, host);
    struct assay_address good[ROUTE_ADDRESSES_MAX];
    uint32_t kept = 0;
    bool changed;

    if (name == NULL)
        return false;
    for (uint32_t i = 0; i < count && kept < ROUTE_ADDRESSES_MAX; i++)
        if (!refused(&addresses[i], own, own_count))
            good[kept++] = addresses[i];
    if (kept == 0)
        return names_fail(names, host, count == 0 ? "no address" : "its addresses cannot be an origin's");
    /* answers rotate: only a different set is a change */
    qsort(good, kept, sizeof(good[0]), by_family_and_bytes);
    changed = name->count != kept || memcmp(name->addresses, good, kept * sizeof(good[0])) != 0;
    memcpy(name->addresses, good, kept * sizeof(good[0]));
    name->count = kept;
    name->error[0] = '\0';
    name->asked = false;
    name->answered = true;
    return changed;
}
