/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/recovery.h"
#include "tcp/sent.h"

/* RFC 2883 §4: the first block is a duplicate when it lies below the ACK, or inside the second block; and within what we can have
 * sent, or it says nothing. */
static bool is_duplicate(const struct tcp_connection *c, const struct tcp_options *options, uint32_t ack)
{
    const struct tcp_sack_block *first = &options->sack[0], *second = &options->sack[1];

    if (!seq_lt(first->start, first->end) || seq_gt(first->end, c->snd_nxt) ||
        seq_lt(first->start, c->snd_una - c->snd_wnd_max))
        return false;
    if (seq_lt(first->start, ack))
        return true;
    return options->sack_count > 1 && seq_ge(first->start, second->start) && seq_le(first->end, second->end);
}

/* Marks the records that the block covers whole: part of one says nothing, it is sent again whole anyway. From the tail, as
 * what is new is there. */
static void apply_block(struct tcp *tcp, struct tcp_connection *c, const struct tcp_sack_block *block,
                        struct tcp_ack_sample *sample)
{
    uint32_t index = c->sent_tail;

    while (index != TCP_NONE) {
        struct tcp_sent *sent = sent_at(tcp, index);

        if (seq_lt(sent->seq, block->start))
            break;
        if (!(sent->flags & SENT_SACKED) && seq_le(sent_end(sent), block->end)) {
            sample->delivered_bytes += sent_end(sent) - sent->seq;
            rack_delivered(c, sent, sample);
            sent_mark_sacked(tcp, c, sent);
        }
        index = sent->prev;
    }
}

void sack_apply(struct tcp *tcp, struct tcp_connection *c, const struct tcp_options *options, uint32_t ack,
                struct tcp_ack_sample *sample)
{
    uint32_t first = 0;

    if (options->sack_count == 0)
        return;
    tcp->counters.sacks_in++;
    if (is_duplicate(c, options, ack)) {
        sample->dsack = true;
        tcp->counters.dsacks_in++;
        first = 1;
    }
    for (uint32_t i = first; i < options->sack_count; i++) {
        const struct tcp_sack_block *block = &options->sack[i];

        if (!seq_lt(block->start, block->end) || seq_lt(block->start, c->snd_una) || seq_gt(block->end, c->snd_nxt)) {
            tcp->counters.sack_invalid++;
            continue;
        }
        apply_block(tcp, c, block, sample);
    }
}

/* --- what we received, for the peer's scoreboard ---------------------------------------------------------------------- */

static void remove_block(struct tcp_connection *c, uint32_t at)
{
    c->sack_count--;
    for (uint32_t i = at; i < c->sack_count; i++)
        c->sack[i] = c->sack[i + 1];
}

void sack_report(struct tcp_connection *c, uint32_t start, uint32_t end)
{
    uint32_t i = 0;

    if (!conn_has(c, CONN_SACK))
        return;
    /* Blocks that touch the new range become part of it. */
    while (i < c->sack_count) {
        if (seq_lt(end, c->sack[i].start) || seq_lt(c->sack[i].end, start)) {
            i++;
            continue;
        }
        start = seq_min(start, c->sack[i].start);
        end = seq_max(end, c->sack[i].end);
        remove_block(c, i);
        i = 0;
    }
    if (c->sack_count == TCP_SACK_BLOCKS_MAX)
        c->sack_count--;
    for (i = c->sack_count; i > 0; i--)
        c->sack[i] = c->sack[i - 1];
    c->sack[0] = (struct tcp_sack_block){start, end};
    c->sack_count++;
}

void sack_report_duplicate(struct tcp_connection *c, uint32_t start, uint32_t end)
{
    if (!conn_has(c, CONN_SACK))
        return;
    c->dsack = (struct tcp_sack_block){start, end};
    c->flags |= CONN_DSACK_DUE;
}

void sack_forget_below(struct tcp_connection *c, uint32_t rcv_nxt)
{
    uint32_t i = 0;

    while (i < c->sack_count) {
        if (seq_le(c->sack[i].end, rcv_nxt))
            remove_block(c, i);
        else
            i++;
    }
}

void sack_forget_from(struct tcp_connection *c, uint32_t end)
{
    uint32_t i = 0;

    while (i < c->sack_count) {
        if (seq_ge(c->sack[i].start, end)) {
            remove_block(c, i);
            continue;
        }
        c->sack[i].end = seq_min(c->sack[i].end, end);
        i++;
    }
}

uint32_t sack_blocks(struct tcp_connection *c, struct tcp_sack_block out[TCP_SACK_BLOCKS_MAX])
{
    uint32_t count = 0;

    if (conn_has(c, CONN_DSACK_DUE)) {
        out[count++] = c->dsack;
        c->flags &= ~(uint32_t)CONN_DSACK_DUE;
    }
    for (uint32_t i = 0; i < c->sack_count && count < TCP_SACK_BLOCKS_MAX; i++)
        out[count++] = c->sack[i];
    return count;
}
