/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/shed.h"

#include "tcp/output.h"

#define EVERY_US  10000   /* one at a time, and time for its mbufs to be used */
#define STARVE_US 1000000 /* so long must writers find the pool empty */
#define LOOK_AT   4096    /* slots looked at for the one that holds the most */
#define WORTH_IT  8       /* mbufs: ending a connection for less helps nobody */

static uint32_t held_by(const struct tcp_connection *c, bool receiving)
{
    return receiving ? c->receive_mbufs : c->send_mbufs;
}

/* The one that holds the most among the next slots: not the most of all, but all slots have their turn. */
static struct tcp_connection *find_victim(struct tcp *tcp, bool receiving)
{
    struct tcp_connection *victim = NULL;
    uint32_t count = tcp->config.connections_max < LOOK_AT ? tcp->config.connections_max : LOOK_AT;

    for (uint32_t i = 0; i < count; i++) {
        struct tcp_connection *c = &tcp->connections[tcp->shed_next];

        tcp->shed_next = tcp->shed_next + 1 < tcp->config.connections_max ? tcp->shed_next + 1 : 0;
        if (!victim || held_by(c, receiving) > held_by(victim, receiving))
            victim = c;
    }
    return victim && held_by(victim, receiving) >= WORTH_IT ? victim : NULL;
}

void shed_run(struct tcp *tcp)
{
    bool starving = tcp->starving_since_us && tcp->now_us - tcp->starving_since_us >= STARVE_US;
    struct tcp_connection *victim;

    if (likely(!tcp->receive_refused && !starving) || tcp->now_us < tcp->shed_us + EVERY_US)
        return;
    victim = find_victim(tcp, tcp->receive_refused);
    tcp->shed_us = tcp->now_us;
    tcp->receive_refused = false;
    if (!victim)
        return;
    if (victim->state != TCP_CLOSED)
        output_reset(tcp, victim);
    conn_fail(tcp, victim, TCP_REASON_NO_MEMORY);
}
