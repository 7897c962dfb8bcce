/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/timer_wheel.h"

#include <assert.h>
#include <string.h>

#define TICK_MAX ((UINT64_C(1) << 42) - 1)
#define WIDE     1 /* the level that has more than a word of slots */

/* Of a level: its first slot, how many bits of the tick choose one, and which ones. */
static const struct level {
    uint16_t first;
    uint8_t bits, shift;
} levels[TIMER_WHEEL_LEVELS] = {{0, 6, 0},           {64, 12, 6},         {64 + 4096, 6, 18},
                                {128 + 4096, 6, 24}, {192 + 4096, 6, 30}, {256 + 4096, 6, 36}};

static unsigned int slot_of(uint64_t tick, const struct level *level)
{
    return level->first + (unsigned int)(tick >> level->shift & ((UINT64_C(1) << level->bits) - 1));
}

/* The first tick at or after due_us: a timer never fires early. */
static uint64_t tick_of(uint64_t due_us)
{
    uint64_t tick = due_us / TIMER_WHEEL_TICK_US + (due_us % TIMER_WHEEL_TICK_US != 0);

    return tick < TICK_MAX ? tick : TICK_MAX;
}

static void push(struct timer_node **list, struct timer_node *node)
{
    node->next = *list;
    node->link = list;
    if (node->next)
        node->next->link = &node->next;
    *list = node;
}

static void set_occupied(struct timer_wheel *wheel, unsigned int slot)
{
    wheel->occupied[slot / 64] |= UINT64_C(1) << slot % 64;
    if (slot / 64 - levels[WIDE].first / 64 < 64)
        wheel->wide |= UINT64_C(1) << (slot / 64 - levels[WIDE].first / 64);
}

static void clear_occupied(struct timer_wheel *wheel, unsigned int slot)
{
    wheel->occupied[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    if (wheel->occupied[slot / 64] == 0 && slot / 64 - levels[WIDE].first / 64 < 64)
        wheel->wide &= ~(UINT64_C(1) << (slot / 64 - levels[WIDE].first / 64));
}

static void place(struct timer_wheel *wheel, struct timer_node *node)
{
    uint64_t tick = tick_of(node->due_us);
    const struct level *level = levels;
    unsigned int slot;

    if (tick < wheel->tick) {
        push(&wheel->expired, node);
        return;
    }
    /* The last level reaches TICK_MAX from anywhere. */
    while (((tick >> level->shift) - (wheel->tick >> level->shift)) >> level->bits != 0)
        level++;
    slot = slot_of(tick, level);
    push(&wheel->slots[slot], node);
    set_occupied(wheel, slot);
}

static struct timer_node *take_slot(struct timer_wheel *wheel, unsigned int slot)
{
    struct timer_node *list = wheel->slots[slot];

    wheel->slots[slot] = NULL;
    clear_occupied(wheel, slot);
    return list;
}

/* Moves the wheel to tick and brings down what now belongs to a lower level. No occupied slot may begin in between. */
static void move_to(struct timer_wheel *wheel, uint64_t tick)
{
    uint64_t before = wheel->tick;

    wheel->tick = tick;
    for (unsigned int i = TIMER_WHEEL_LEVELS - 1; i > 0; i--) {
        struct timer_node *node, *next;

        if (before >> levels[i].shift == tick >> levels[i].shift)
            continue;
        for (node = take_slot(wheel, slot_of(tick, &levels[i])); node; node = next) {
            next = node->next;
            place(wheel, node);
        }
    }
}

/* How far from bit at the first set bit of word is, going round; word is not 0. */
static unsigned int bits_ahead(uint64_t word, unsigned int at)
{
    uint64_t turned = at == 0 ? word : word >> at | word << (64 - at);

    return (unsigned int)__builtin_ctzll(turned);
}

/* How many slots ahead of the wheel's the first occupied one of the level is; false when there is none. */
static bool slots_ahead(const struct timer_wheel *wheel, unsigned int i, uint64_t *ahead)
{
    unsigned int at = slot_of(wheel->tick, &levels[i]) - levels[i].first, word, skipped;
    const uint64_t *words = &wheel->occupied[levels[i].first / 64];

    if (i != WIDE) {
        if (words[0] == 0)
            return false;
        *ahead = bits_ahead(words[0], at);
        return true;
    }
    if (wheel->wide == 0)
        return false;
    word = at / 64;
    if (words[word] >> at % 64 != 0) {
        *ahead = (uint64_t)__builtin_ctzll(words[word] >> at % 64);
        return true;
    }
    /* The next word that has any; this one again, from its beginning, comes last. */
    skipped = 1 + bits_ahead(wheel->wide, (word + 1) % 64);
    word = (word + skipped) % 64;
    *ahead = (uint64_t)skipped * 64 + (uint64_t)__builtin_ctzll(words[word]) - at % 64;
    return true;
}

/* The occupied slot that begins first: its level, and its first tick. Of two that begin together the higher level comes first:
 * what it holds may be due in that very tick. */
static bool find_first(const struct timer_wheel *wheel, unsigned int *level_out, uint64_t *tick_out)
{
    bool found = false;

    for (unsigned int i = 0; i < TIMER_WHEEL_LEVELS; i++) {
        uint64_t ahead, tick;

        if (!slots_ahead(wheel, i, &ahead))
            continue;
        tick = ((wheel->tick >> levels[i].shift) + ahead) << levels[i].shift;
        if (found && tick > *tick_out)
            continue;
        *level_out = i;
        *tick_out = tick;
        found = true;
    }
    return found;
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_us)
{
    memset(wheel, 0, sizeof(*wheel));
    wheel->tick = now_us / TIMER_WHEEL_TICK_US;
}

void timer_wheel_arm(struct timer_wheel *wheel, struct timer_node *node, uint64_t due_us)
{
    timer_wheel_cancel(wheel, node);
    node->due_us = due_us;
    place(wheel, node);
}

void timer_wheel_cancel(struct timer_wheel *wheel, struct timer_node *node)
{
    struct timer_node **first = &wheel->slots[0];
    struct timer_node **link = node->link;

    if (!link)
        return;
    *link = node->next;
    if (node->next)
        node->next->link = link;
    else if (link >= first && link < first + TIMER_WHEEL_SLOTS)
        clear_occupied(wheel, (unsigned int)(link - first));
    node->next = NULL;
    node->link = NULL;
}

struct timer_node *timer_wheel_expire(struct timer_wheel *wheel, uint64_t now_us)
{
    uint64_t now_tick = now_us / TIMER_WHEEL_TICK_US;
    struct timer_node *node;
    unsigned int level;
    uint64_t tick;

    while (!wheel->expired) {
        if (!find_first(wheel, &level, &tick) || tick > now_tick) {
            if (now_tick >= wheel->tick)
                move_to(wheel, now_tick + 1);
            if (!wheel->expired)
                return NULL;
            break;
        }
        if (level > 0) {
            move_to(wheel, tick);
            continue;
        }
        wheel->expired = take_slot(wheel, slot_of(tick, &levels[0]));
        wheel->expired->link = &wheel->expired;
        move_to(wheel, tick + 1);
    }
    node = wheel->expired;
    timer_wheel_cancel(wheel, node);
    return node;
}

uint64_t timer_wheel_next_us(const struct timer_wheel *wheel)
{
    unsigned int level;
    uint64_t tick;

    if (wheel->expired)
        return 0;
    return find_first(wheel, &level, &tick) ? tick * TIMER_WHEEL_TICK_US : UINT64_MAX;
}
