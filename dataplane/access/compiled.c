/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "access/compiled.h"

#include <stdlib.h>

#define CAPACITY_FIRST 16

static struct access_compiled *signature_create(const struct pattern *patterns, size_t count)
{
    struct access_compiled *compiled;
    size_t len = 0;
    uint8_t *p;

    for (size_t i = 0; i < count; i++)
        len += 1 + sizeof(uint32_t) + patterns[i].literal.len;
    compiled = malloc(sizeof(*compiled) + len);
    if (compiled == NULL)
        return NULL;
    atomic_init(&compiled->references, 1);
    compiled->patterns = NULL;
    compiled->signature_len = len;
    p = compiled->signature;
    for (size_t i = 0; i < count; i++) {
        uint32_t literal_len = (uint32_t)patterns[i].literal.len;

        *p++ = (uint8_t)patterns[i].tail;
        memcpy(p, &literal_len, sizeof(literal_len));
        p += sizeof(literal_len);
        memcpy(p, patterns[i].literal.data, literal_len);
        p += literal_len;
    }
    compiled->hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        compiled->hash = (compiled->hash ^ compiled->signature[i]) * UINT64_C(0x100000001b3);
    return compiled;
}

static void release(struct access_compiled *compiled)
{
    if (atomic_fetch_sub_explicit(&compiled->references, 1, memory_order_acq_rel) != 1)
        return;
    pattern_set_free(compiled->patterns);
    free(compiled);
}

static uint32_t *find_slot(const struct access_compiled_list *list, const struct access_compiled *wanted)
{
    size_t mask = list->slot_count - 1;
    size_t i = wanted->hash & mask;

    for (; list->slots[i] != 0; i = (i + 1) & mask) {
        const struct access_compiled *item = list->items[list->slots[i] - 1];

        if (item->hash == wanted->hash && item->signature_len == wanted->signature_len &&
            memcmp(item->signature, wanted->signature, item->signature_len) == 0)
            break;
    }
    return &list->slots[i];
}

static enum assay_error grow(struct access_compiled_list *list)
{
    size_t capacity = list->capacity ? 2 * list->capacity : CAPACITY_FIRST;
    struct access_compiled **items;
    uint32_t *slots;

    if (list->count < list->capacity)
        return ASSAY_OK;
    items = realloc(list->items, capacity * sizeof(*items));
    if (items == NULL)
        return ASSAY_ERR_NO_MEMORY;
    list->items = items;
    slots = calloc(2 * capacity, sizeof(*slots));
    if (slots == NULL)
        return ASSAY_ERR_NO_MEMORY;
    free(list->slots);
    list->slots = slots;
    list->slot_count = 2 * capacity;
    list->capacity = capacity;
    for (size_t i = 0; i < list->count; i++)
        *find_slot(list, list->items[i]) = (uint32_t)(i + 1);
    return ASSAY_OK;
}

static struct access_compiled *find(const struct access_compiled_list *list, const struct access_compiled *wanted)
{
    uint32_t number = list != NULL && list->slot_count > 0 ? *find_slot(list, wanted) : 0;

    return number != 0 ? list->items[number - 1] : NULL;
}

enum assay_error access_compiled_get(struct access_compiled_list *list, const struct access_compiled_list *previous,
                                     const struct pattern *patterns, size_t count, struct access_compiled **out)
{
    enum assay_error error = grow(list);
    struct access_compiled *wanted;
    struct access_compiled *known;

    if (error != ASSAY_OK)
        return error;
    wanted = signature_create(patterns, count);
    if (wanted == NULL)
        return ASSAY_ERR_NO_MEMORY;
    *out = find(list, wanted);
    if (*out != NULL) {
        release(wanted);
        return ASSAY_OK;
    }
    known = find(previous, wanted);
    if (known != NULL) {
        atomic_fetch_add_explicit(&known->references, 1, memory_order_relaxed);
        release(wanted);
        wanted = known;
    } else {
        error = pattern_set_compile(patterns, count, &wanted->patterns);
        if (error != ASSAY_OK) {
            release(wanted);
            return error;
        }
    }
    list->items[list->count++] = wanted;
    *find_slot(list, wanted) = (uint32_t)list->count;
    *out = wanted;
    return ASSAY_OK;
}

void access_compiled_clear(struct access_compiled_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        release(list->items[i]);
    free(list->items);
    free(list->slots);
    *list = (struct access_compiled_list){0};
}
