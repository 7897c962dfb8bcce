/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/path.h"
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

/* How far into the record, in whole segments, sequence lies. A record of one segment is never cut: part of it says nothing. */
static uint32_t segments_before(const struct tcp_connection *c, const struct tcp_sent *sent, uint32_t sequence, bool up)
{
    uint32_t bytes = sequence - sent->seq + (up ? c->snd_mss - 1u : 0);

    return bytes - bytes % c->snd_mss;
}

/* Cuts what the block does not cover off a record of several segments. What the block ends or begins in the middle of goes as
 * a whole segment to the part that is not covered. Returns the covered part, NULL when there is none. */
static struct tcp_sent *cut_to_block(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent,
                                     const struct tcp_sack_block *block)
{
    if (sent->len <= c->snd_mss || sent->flags & (SENT_SACKED | SENT_PROBE))
        return sent;
    if (seq_lt(sent->seq, block->start)) {
        uint32_t before = segments_before(c, sent, block->start, true);

        if (before >= sent->len || !sent_split(tcp, c, sent, before))
            return NULL;
        sent = sent_next(tcp, sent);
    }
    if (seq_lt(block->end, sent_end(sent)) && seq_gt(block->end, sent->seq)) {
        uint32_t covered = segments_before(c, sent, block->end, false);

        if (covered == sent->len)
            covered -= c->snd_mss; /* all but its FIN */
        if (covered == 0 || !sent_split(tcp, c, sent, covered))
            return NULL;
    }
    return sent;
}

static void deliver(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent, struct tcp_ack_sample *sample)
{
    sample->delivered_bytes += sent_end(sent) - sent->seq;
    rack_delivered(c, sent, sample);
    if (unlikely(sent->flags & SENT_PROBE))
        path_probe_passed(tcp, c, sent);
    sent_mark_sacked(tcp, c, sent);
}

/* Marks the segments that the block covers whole. From the tail, as what is new is there. */
static void apply_block(struct tcp *tcp, struct tcp_connection *c, const struct tcp_sack_block *block,
                        struct tcp_ack_sample *sample)
{
    uint32_t index = c->sent_tail;

    while (index != TCP_NONE) {
        struct tcp_sent *sent = sent_at(tcp, index);

        if (seq_le(sent_end(sent), block->start))
            break;
        index = sent->prev;
        if (seq_le(block->end, sent->seq))
            continue;
        sent = cut_to_block(tcp, c, sent, block);
        if (sent && !(sent->flags & SENT_SACKED) && seq_ge(sent->seq, block->start) &&
            seq_le(sent_end(sent), block->end))
            deliver(tcp, c, sent, sample);
    }
}

/* RFC 3708: has everything that was sent again in this episode arrived twice? Then nothing of it had been lost. */
static void count_needless(struct tcp_connection *c, const struct tcp_sack_block *block, struct tcp_ack_sample *sample)
{
    uint32_t segments;

    if (!conn_has(c, CONN_UNDO) || c->undo_retrans == 0 || !seq_lt(block->start, block->end) ||
        seq_lt(block->start, c->undo_marker) || seq_gt(block->end, c->recovery_point))
        return;
    segments = (block->end - block->start + c->snd_mss - 1) / c->snd_mss;
    c->undo_retrans -= segments < c->undo_retrans ? (uint16_t)segments : c->undo_retrans;
    sample->all_needless = c->undo_retrans == 0;
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
        count_needless(c, &options->sack[0], sample);
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
