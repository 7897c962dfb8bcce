/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/switches.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/arena.h"

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_target(const struct verify_target *a, const struct verify_target *b)
{
    return a->port == b->port && same_text(a->deployment, b->deployment) && same_text(a->host, b->host);
}

static bool is_global(const struct verify_target *target)
{
    return target->deployment == NULL && target->host == NULL;
}

static char *copy_text(const char *text)
{
    size_t size = text != NULL ? strlen(text) + 1 : 0;

    return size > 0 ? memcpy(memory_alloc(size), text, size) : NULL;
}

static void drop_target(struct verify_target *target)
{
    free((char *)(uintptr_t)target->deployment);
    free((char *)(uintptr_t)target->host);
}

static struct verify_switch_of *find(const struct verify_switches *switches, const struct verify_target *target)
{
    for (uint32_t i = 0; i < switches->count; i++)
        if (same_target(&switches->items[i].target, target))
            return &switches->items[i];
    return NULL;
}

static void remove_at(struct verify_switches *switches, uint32_t index)
{
    drop_target(&switches->items[index].target);
    switches->count--;
    memmove(&switches->items[index], &switches->items[index + 1], (switches->count - index) * sizeof(*switches->items));
}

const struct verify_switch *switches_find(const struct verify_switches *switches, const struct verify_target *target)
{
    const struct verify_switch_of *found;

    if (is_global(target))
        return switches->global.set ? &switches->global : NULL;
    found = find(switches, target);
    return found != NULL ? &found->verify : NULL;
}

void switches_put(struct verify_switches *switches, const struct verify_target *target, struct verify_switch verify)
{
    struct verify_switch_of *found;

    if (is_global(target)) {
        switches->global = verify.set ? verify : (struct verify_switch){0};
        return;
    }
    found = find(switches, target);
    if (found != NULL && !verify.set) {
        remove_at(switches, (uint32_t)(found - switches->items));
    } else if (found != NULL) {
        found->verify = verify;
    } else if (verify.set) {
        switches->items = memory_grow(switches->items, (switches->count + 1) * sizeof(*switches->items));
        switches->items[switches->count++] = (struct verify_switch_of){
            .target = {copy_text(target->deployment), copy_text(target->host), target->port}, .verify = verify};
    }
}

static bool is_over(const struct verify_switch *verify, uint64_t now_s)
{
    return verify->set && verify->until_s > 0 && now_s >= verify->until_s;
}

unsigned switches_expire(struct verify_switches *switches, uint64_t now_s)
{
    unsigned ended = is_over(&switches->global, now_s);

    if (ended > 0)
        switches->global = (struct verify_switch){0};
    for (uint32_t i = switches->count; i-- > 0;) {
        if (!is_over(&switches->items[i].verify, now_s))
            continue;
        remove_at(switches, i);
        ended++;
    }
    return ended;
}

static void shift(struct verify_switch *verify, uint64_t back_s)
{
    if (verify->until_s > 0) /* which must not become "until switched back" */
        verify->until_s = verify->until_s > back_s ? verify->until_s - back_s : 1;
}

void switches_shift(struct verify_switches *switches, uint64_t back_s)
{
    shift(&switches->global, back_s);
    for (uint32_t i = 0; i < switches->count; i++)
        shift(&switches->items[i].verify, back_s);
}

struct verify_switches switches_copy(const struct verify_switches *switches)
{
    struct verify_switches out = {.global = switches->global};

    for (uint32_t i = 0; i < switches->count; i++)
        switches_put(&out, &switches->items[i].target, switches->items[i].verify);
    return out;
}

void switches_free(struct verify_switches *switches)
{
    for (uint32_t i = 0; i < switches->count; i++)
        drop_target(&switches->items[i].target);
    free(switches->items);
    *switches = (struct verify_switches){0};
}
