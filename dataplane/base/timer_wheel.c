/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/timer_wheel.h"

#include <assert.h>
#include <string.h>

#define SLOT_BITS 6
#define TICK_MAX  ((UINT64_C(1) << (SLOT_BITS * TIMER_WHEEL_LEVELS)) - 1)

static_assert(TIMER_WHEEL_SLOTS == 1 << SLOT_BITS, "a slot is a group of bits of the tick");

static unsigned int slot_of(uint64_t tick, unsigned int level)
{
    return tick >> (SLOT_BITS * level) & (TIMER_WHEEL_SLOTS - 1);
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

static void place(struct timer_wheel *wheel, struct timer_node *node)
{
    uint64_t tick = tick_of(node->due_us);
    unsigned int level, slot;

    if (tick < wheel->tick) {
        push(&wheel->expired, node);
        return;
    }
    level = tick == wheel->tick ? 0 : (63 - __builtin_clzll(tick ^ wheel->tick)) / SLOT_BITS;
    slot = slot_of(tick, level);
    push(&wheel->slots[level][slot], node);
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

static struct timer_node *take_slot(struct timer_wheel *wheel, unsigned int level, unsigned int slot)
{
    struct timer_node *list = wheel->slots[level][slot];

    wheel->slots[level][slot] = NULL;
    wheel->occupied[level] &= ~(UINT64_C(1) << slot);
    return list;
}

/* Moves the wheel to tick and brings down what now belongs to a lower level. No occupied tick may lie in between. */
static void move_to(struct timer_wheel *wheel, uint64_t tick)
{
    uint64_t changed = wheel->tick ^ tick;

    wheel->tick = tick;
    for (unsigned int level = TIMER_WHEEL_LEVELS - 1; level > 0; level--) {
        struct timer_node *node, *next;

        if (changed >> (SLOT_BITS * level) == 0)
            continue;
        for (node = take_slot(wheel, level, slot_of(tick, level)); node; node = next) {
            next = node->next;
            place(wheel, node);
        }
    }
}

/* The first occupied slot: its level, and the first tick it covers. Lower levels always come before higher ones. */
static bool find_first(const struct timer_wheel *wheel, unsigned int *level_out, uint64_t *tick_out)
{
    for (unsigned int level = 0; level < TIMER_WHEEL_LEVELS; level++) {
        unsigned int shift = SLOT_BITS * level;
        uint64_t ahead = wheel->occupied[level] >> slot_of(wheel->tick, level) << slot_of(wheel->tick, level);
        uint64_t slot;

        if (ahead == 0)
            continue;
        slot = (uint64_t)__builtin_ctzll(ahead);
        *level_out = level;
        *tick_out = wheel->tick >> (shift + SLOT_BITS) << (shift + SLOT_BITS) | slot << shift;
        return true;
    }
    return false;
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
    struct timer_node **first = &wheel->slots[0][0];
    struct timer_node **link = node->link;

    if (!link)
        return;
    *link = node->next;
    if (node->next)
        node->next->link = link;
    else if (link >= first && link < first + TIMER_WHEEL_LEVELS * TIMER_WHEEL_SLOTS)
        wheel->occupied[(link - first) / TIMER_WHEEL_SLOTS] &= ~(UINT64_C(1) << (link - first) % TIMER_WHEEL_SLOTS);
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
        wheel->expired = take_slot(wheel, 0, slot_of(tick, 0));
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
