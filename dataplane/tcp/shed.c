/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/shed.h"

#include "tcp/output.h"
#include "tcp/receive_buffer.h"

#define EVERY_US          10000   /* one at a time, and time for its mbufs to be used */
#define STARVE_US         1000000 /* so long must writers find the pool empty */
#define LOOK_AT           4096    /* slots looked at for the one that holds the most */
#define WORTH_IT          8       /* mbufs: ending a connection for less helps nobody */
#define TIME_WAIT_LOOK_AT 64      /* of the oldest: as a rule the application has let go of the first one */

/* --- slots ------------------------------------------------------------------------------------------------------------ */

/* Ends the oldest half-open connection, if its SYN-ACK was sent more than once or that does not matter. Its peer hears
 * nothing: as a rule there is none. */
static bool end_half_open(struct tcp *tcp, bool only_unanswered)
{
    struct tcp_connection *oldest = TAILQ_FIRST(&tcp->half_open);

    if (!oldest || (only_unanswered && oldest->retransmits == 0))
        return false;
    tcp->counters.half_open_evicted++;
    conn_free(tcp, oldest);
    return true;
}

/* Only a connection that nobody has a handle of can give its slot away. */
static bool end_time_wait(struct tcp *tcp)
{
    struct tcp_connection *oldest = TAILQ_FIRST(&tcp->time_wait);

    for (int i = 0; i < TIME_WAIT_LOOK_AT && oldest && conn_has(oldest, CONN_ANNOUNCED); i++)
        oldest = TAILQ_NEXT(oldest, wait_link);
    if (!oldest || conn_has(oldest, CONN_ANNOUNCED))
        return false;
    tcp->counters.time_wait_evicted++;
    conn_free(tcp, oldest);
    return true;
}

bool shed_slot(struct tcp *tcp, enum shed_reason reason)
{
    if (likely(!TAILQ_EMPTY(&tcp->free)))
        return true;
    if (end_half_open(tcp, true) || end_time_wait(tcp))
        return true;
    return reason == SHED_FOR_OPEN && end_half_open(tcp, false);
}

/* --- packet memory ---------------------------------------------------------------------------------------------------- */

static uint32_t held_by(const struct tcp_connection *c, bool receiving)
{
    return receiving ? c->receive_mbufs : c->send_mbufs;
}

/* What the next slots hold out of order: their peers have it still (RFC 2018 §8). True when that was worth it. */
static bool drop_out_of_order(struct tcp *tcp)
{
    uint32_t count = tcp->config.connections_max < LOOK_AT ? tcp->config.connections_max : LOOK_AT;
    uint32_t before = tcp->received_mbufs;

    for (uint32_t i = 0; i < count; i++) {
        struct tcp_connection *c = &tcp->connections[tcp->shed_next_ooo];

        tcp->shed_next_ooo = tcp->shed_next_ooo + 1 < tcp->config.connections_max ? tcp->shed_next_ooo + 1 : 0;
        if (!c->ooo_head)
            continue;
        receive_drop_waiting(tcp, c);
        tcp->counters.shed_out_of_order++;
    }
    return before - tcp->received_mbufs >= WORTH_IT;
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
    bool receiving = tcp->receive_refused;
    struct tcp_connection *victim;

    if (likely(!receiving && !starving) || tcp->now_us < tcp->shed_us + EVERY_US)
        return;
    tcp->shed_us = tcp->now_us;
    tcp->receive_refused = false;
    if (receiving && drop_out_of_order(tcp))
        return;
    victim = find_victim(tcp, receiving);
    if (!victim)
        return;
    if (victim->state != TCP_CLOSED)
        output_reset(tcp, victim);
    conn_fail(tcp, victim, TCP_REASON_NO_MEMORY);
}
