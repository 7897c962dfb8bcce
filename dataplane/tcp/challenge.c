/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/siphash.h"
#include "tcp/input.h"

/* RFC 5961 §7: so many challenge ACKs in so long, counted for each connection. */
#define CHALLENGES_MAX      10
#define CHALLENGE_WINDOW_MS 5000

/* Tells this use of the instance's secret from others of the same length. */
#define BUDGET_TAG UINT64_C(0x6368616c6c656e67)

/* What all connections together may send in this second (RFC 5961 §10). A count that all share is a side channel when it can
 * be known: whoever finds out how much of a fixed budget his own connection got knows how much others took (CVE-2016-5696).
 * So each second has a budget of its own, half to one and a half times the configured one, by a secret. */
static bool within_budget(struct tcp *tcp)
{
    const uint64_t second = tcp->now_us / 1000000, drawn_for[2] = {BUDGET_TAG, second};
    uint32_t max = tcp->config.challenge_acks_max;

    if (max == 0)
        return true;
    if (tcp->challenge_second != second) {
        uint64_t draw = siphash_2_4(tcp->config.secret, drawn_for, sizeof(drawn_for));

        tcp->challenge_second = second;
        tcp->challenges_left = max - max / 2 + (uint32_t)(draw % max);
    }
    if (tcp->challenges_left == 0)
        return false;
    tcp->challenges_left--;
    return true;
}

void input_challenge(struct tcp *tcp, struct tcp_connection *c)
{
    uint32_t now_ms = (uint32_t)(tcp->now_us / 1000);

    if (now_ms - c->challenge.window_ms >= CHALLENGE_WINDOW_MS) {
        c->challenge.window_ms = now_ms;
        c->challenge.count = 0;
    }
    if (c->challenge.count >= CHALLENGES_MAX) {
        tcp->counters.challenge_acks_limited++;
        return;
    }
    if (!within_budget(tcp)) {
        tcp->counters.challenge_acks_over_budget++;
        return;
    }
    c->challenge.count++;
    tcp->counters.challenge_acks++;
    conn_ack_now(tcp, c);
}
