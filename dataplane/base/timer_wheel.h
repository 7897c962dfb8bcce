/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_TIMER_WHEEL_H
#define ASSAY_BASE_TIMER_WHEEL_H
/* A hierarchical timer wheel: arm, re-arm and cancel are O(1), however many timers wait (a million idle connections).
 * Nodes are intrusive. Expiry calls nobody: timer_wheel_expire() hands out what is due, in order of its tick.
 * Owner: the node's owner; a node must be cancelled before its memory goes. Thread: one core. Units: microseconds of the
 * caller's monotonic clock; a timer never fires early, and at most one tick late.
 * Source: Varghese & Lauck 1987, scheme 7. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer_node {
    struct timer_node *next;
    struct timer_node **link; /* what points at this node; NULL when not armed */
    uint64_t due_us;
};

#define TIMER_WHEEL_TICK_US 1000
#define TIMER_WHEEL_LEVELS  6 /* 2^42 ticks: the clock never reaches the end */
/* 64 slots of a tick, 4096 of 64 ticks (262 s), then 64 a level. */
#define TIMER_WHEEL_SLOTS (64 + 4096 + 4 * 64)

/* A node waits at the lowest level that reaches as far as its tick, and moves down when the wheel comes to its slot. All nodes
 * of a slot move at once: that must never take long. So the second level is wide: a million keepalives of 75 s are spread
 * over a thousand slots of it, and cost a move of some hundred nodes every 64 ms, where 64 slots a level would move a whole
 * million in one tick. */
struct timer_wheel {
    uint64_t tick;                             /* the next tick to expire */
    struct timer_node *expired;                /* due, and not yet handed out */
    uint64_t occupied[TIMER_WHEEL_SLOTS / 64]; /* a bit a slot: an idle wheel jumps over empty ticks */
    uint64_t wide;                             /* a bit a word of the second level's bits */
    struct timer_node *slots[TIMER_WHEEL_SLOTS];
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_us);

static inline bool timer_armed(const struct timer_node *node)
{
    return node->link != NULL;
}

/* Arms or re-arms. A due time in the past is due at the next expire. */
void timer_wheel_arm(struct timer_wheel *wheel, struct timer_node *node, uint64_t due_us);
void timer_wheel_cancel(struct timer_wheel *wheel, struct timer_node *node);

/* Takes the next node that is due at now_us off the wheel (it is then not armed), or NULL. Call until NULL. */
struct timer_node *timer_wheel_expire(struct timer_wheel *wheel, uint64_t now_us);

/* The earliest moment at which something may be due (a lower bound, for the idle sleep), or UINT64_MAX. */
uint64_t timer_wheel_next_us(const struct timer_wheel *wheel);

#endif
