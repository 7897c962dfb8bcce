/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/path.h"

#include "base/siphash.h"
#include "tcp/recovery.h"
#include "tcp/sent.h"
#include "tcp/timers.h"

#define MTU_MIN_IP6 1280 /* RFC 8200 §5 */
#define MTU_IP_MIN  576  /* what every IPv4 path is taken to carry, when even the base does not pass */

/* Sizes that pass nearly everywhere: RFC 8899 §5.1.2. */
#define BASE_IP4 1200
#define BASE_IP6 1280

/* Timeouts in a row of a segment after which its size is suspected, and how many more until the next step down. */
#define BLACK_HOLE_TIMEOUTS 4
#define BLACK_HOLE_STEP     2
/* RFC 1191 §6.3: a larger MTU is tried again after ten minutes; after a black hole, whose size nobody has told, sooner. */
#define RAISE_AFTER_US  UINT64_C(600000000)
#define SEARCH_AFTER_US UINT64_C(10000000)
/* A search ends when it has come so close. */
#define SEARCH_STEP 32

#define TIMESTAMPS_BYTES 12

/* --- the memory of destinations --------------------------------------------------------------------------------------- */

static struct tcp_path *set_of(const struct tcp *tcp, const struct assay_address *remote)
{
    uint64_t hash = siphash_1_3(tcp->config.secret, remote, sizeof(*remote));

    return (struct tcp_path *)(uintptr_t)&tcp->paths[hash % TCP_PATH_SETS * TCP_PATH_WAYS];
}

uint16_t path_remembered(const struct tcp *tcp, const struct assay_address *remote)
{
    const struct tcp_path *set = set_of(tcp, remote);

    for (uint32_t i = 0; i < TCP_PATH_WAYS; i++)
        if (set[i].until_us > tcp->now_us && address_equal(&set[i].remote, remote))
            return set[i].mtu < tcp->config.mtu ? set[i].mtu : tcp->config.mtu;
    return tcp->config.mtu;
}

/* A new destination takes the place of itself, or of the one that would be forgotten first. */
static void remember(struct tcp *tcp, const struct assay_address *remote, uint16_t mtu)
{
    struct tcp_path *set = set_of(tcp, remote), *place = &set[0];

    for (uint32_t i = 0; i < TCP_PATH_WAYS; i++) {
        if (address_equal(&set[i].remote, remote)) {
            place = &set[i];
            break;
        }
        if (set[i].until_us < place->until_us)
            place = &set[i];
    }
    *place = (struct tcp_path){.remote = *remote, .until_us = tcp->now_us + RAISE_AFTER_US, .mtu = mtu};
    if (mtu >= tcp->config.mtu)
        place->until_us = 0;
}

/* --- a connection's MTU ----------------------------------------------------------------------------------------------- */

static uint16_t options_bytes(const struct tcp_connection *c)
{
    return conn_has(c, CONN_TIMESTAMPS) ? TIMESTAMPS_BYTES : 0;
}

/* The largest MTU worth having: more than the peer's MSS is never sent. */
static uint16_t largest(const struct tcp *tcp, const struct tcp_connection *c)
{
    uint32_t of_peer = (uint32_t)c->mss_limit + tcp_headers(&c->remote);

    return of_peer < tcp->config.mtu ? (uint16_t)of_peer : tcp->config.mtu;
}

/* What no error is believed to go below. */
static uint16_t floor_of(const struct tcp *tcp, const struct tcp_connection *c)
{
    return address_is_ip4(&c->remote) ? tcp->config.path_mtu_min : MTU_MIN_IP6;
}

static void set_mtu(struct tcp_connection *c, uint16_t mtu)
{
    uint16_t mss = (uint16_t)(mtu - tcp_headers(&c->remote));

    c->mtu = mtu;
    c->snd_mss = (uint16_t)((mss < c->mss_limit ? mss : c->mss_limit) - options_bytes(c));
}

void path_open(struct tcp *tcp, struct tcp_connection *c)
{
    uint16_t mtu = path_remembered(tcp, &c->remote);

    c->mtu_failed = 0;
    c->mtu_suspect = false;
    set_mtu(c, mtu < largest(tcp, c) ? mtu : largest(tcp, c));
    c->mtu_probe_us = c->mtu < largest(tcp, c) ? tcp->now_us + RAISE_AFTER_US : 0;
}

/* What is in flight and too big now is sent again in smaller segments: as lost, and yet no sign of congestion. */
static void resend_smaller(struct tcp *tcp, struct tcp_connection *c)
{
    for (struct tcp_sent *sent = sent_first(tcp, c); sent; sent = sent_next(tcp, sent))
        if (sent->len > c->snd_mss)
            sent_mark_lost(tcp, c, sent);
    if (c->lost_bytes == 0)
        return;
    c->flags &= ~(uint32_t)(CONN_UNDO | CONN_PROBE_OUT | CONN_PROBE_AGAIN | CONN_PROBE_NOW);
    if (c->recovery == TCP_RECOVERY_OPEN) {
        c->recovery = TCP_RECOVERY_LOSS;
        c->recovery_point = c->snd_nxt;
    }
    c->frto = TCP_FRTO_OFF; /* what it waits for an ACK of may be just that */
    c->dup_acks = 0;
    c->backoff = 0;
    c->rto_start_us = tcp->now_us;
    conn_rexmt_rearm(tcp, c, 0);
    conn_want_output(tcp, c);
}

/* --- what routers say ------------------------------------------------------------------------------------------------- */

/* RFC 1191 §7: the next of the usual sizes below that of the packet, when an old router does not say. */
static uint32_t plateau_below(uint32_t size)
{
    static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006};

    for (uint32_t i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
        if (plateaus[i] < size)
            return plateaus[i];
    return MTU_IP_MIN;
}

static struct tcp_sent *record_of(const struct tcp *tcp, const struct tcp_connection *c, uint32_t sequence)
{
    for (struct tcp_sent *sent = sent_first(tcp, c); sent; sent = sent_next(tcp, sent))
        if (seq_within(sequence, sent->seq, sent_end(sent)))
            return sent;
    return NULL;
}

bool path_too_big(struct tcp *tcp, struct tcp_connection *c, uint32_t sequence, uint32_t mtu)
{
    struct tcp_sent *sent = record_of(tcp, c, sequence);
    uint32_t payload, size;

    /* What has arrived, or carried nothing, was not too big for anybody. */
    if (!sent || sent->len == 0 || sent->flags & SENT_SACKED)
        return false;
    payload = sent->len > c->snd_mss && !(sent->flags & SENT_PROBE) ? c->snd_mss : sent->len;
    size = payload + tcp_headers(&c->remote) + options_bytes(c);
    if (mtu == 0)
        mtu = plateau_below(size);
    /* One packet after the other bounces: only the first error is news. */
    if (mtu == c->mtu && !(sent->flags & SENT_PROBE))
        return true;
    if (mtu >= size || mtu < floor_of(tcp, c))
        return false;
    if (sent->flags & SENT_PROBE) {
        if (!c->mtu_failed || mtu < c->mtu_failed)
            c->mtu_failed = (uint16_t)(mtu + 1);
        path_probe_lost(tcp, c, sent);
        sent_mark_lost(tcp, c, sent);
        conn_want_output(tcp, c);
        if (mtu >= c->mtu)
            return true;
    }
    tcp->counters.path_mtu_lowered++;
    set_mtu(c, (uint16_t)mtu);
    c->mtu_failed = 0;
    c->mtu_probe_us = tcp->now_us + RAISE_AFTER_US;
    remember(tcp, &c->remote, c->mtu);
    resend_smaller(tcp, c);
    return true;
}

/* --- what nobody says ------------------------------------------------------------------------------------------------- */

void path_timeout(struct tcp *tcp, struct tcp_connection *c)
{
    struct tcp_sent *first = sent_first(tcp, c);
    uint16_t base = address_is_ip4(&c->remote) ? BASE_IP4 : BASE_IP6;
    uint32_t payload = first->len < c->snd_mss ? first->len : c->snd_mss;
    uint32_t size = payload + tcp_headers(&c->remote) + options_bytes(c);

    if (c->retries + 1 < BLACK_HOLE_TIMEOUTS || (c->retries + 1) % BLACK_HOLE_STEP != 0)
        return;
    /* It need not be a full one: the last segment before a FIN may be just too big, and no other ever comes. Below what passes
     * nearly everywhere only full ones count. */
    if (c->mtu > base ? size <= base : first->len < c->snd_mss)
        return;
    if (c->mtu <= base)
        base = address_is_ip4(&c->remote) && tcp->config.path_mtu_min < MTU_IP_MIN ? MTU_IP_MIN : floor_of(tcp, c);
    if (c->mtu <= base)
        return;
    /* Only an ACK of the smaller ones will prove it (RFC 4821 §7.7). */
    c->mtu_suspect = true;
    c->mtu_failed = c->mtu;
    c->mtu_probe_us = 0;
    set_mtu(c, base);
}

void path_acked(struct tcp *tcp, struct tcp_connection *c)
{
    if (likely(!c->mtu_suspect))
        return;
    c->mtu_suspect = false;
    c->mtu_probe_us = tcp->now_us + SEARCH_AFTER_US;
    tcp->counters.path_black_holes++;
    remember(tcp, &c->remote, c->mtu);
}

/* --- up again --------------------------------------------------------------------------------------------------------- */

/* What to try next: all of it, or half way to what has failed. */
static uint16_t candidate(const struct tcp *tcp, const struct tcp_connection *c)
{
    return c->mtu_failed ? (uint16_t)((c->mtu + c->mtu_failed) / 2) : largest(tcp, c);
}

uint32_t path_probe_length(struct tcp *tcp, struct tcp_connection *c, uint32_t unsent, uint32_t room)
{
    uint32_t len;

    if (likely(c->mtu_probe_us == 0 || c->mtu_probe_us > tcp->now_us))
        return 0;
    if (c->recovery != TCP_RECOVERY_OPEN || c->sacked_bytes > 0 || c->mtu_suspect)
        return 0;
    /* Without SACK nobody tells one lost probe from a lost window: the next full segment is the probe. */
    if (!conn_has(c, CONN_SACK)) {
        c->mtu_probe_us = 0;
        c->mtu_failed = 0;
        set_mtu(c, largest(tcp, c));
        return 0;
    }
    len = (uint32_t)candidate(tcp, c) - tcp_headers(&c->remote) - options_bytes(c);
    /* Enough must follow for its loss to be seen by SACK (RFC 4821 §7.4). */
    if (len <= c->snd_mss || unsent < len + 3u * c->snd_mss || room < len + 3u * c->snd_mss)
        return 0;
    /* One at a time. */
    c->mtu_probe_us = 0;
    tcp->counters.path_probes++;
    return len;
}

static bool search_is_over(const struct tcp *tcp, const struct tcp_connection *c)
{
    return c->mtu >= largest(tcp, c) || (c->mtu_failed && c->mtu_failed - c->mtu < SEARCH_STEP);
}

static void search_on(struct tcp *tcp, struct tcp_connection *c)
{
    if (!search_is_over(tcp, c)) {
        c->mtu_probe_us = tcp->now_us;
        return;
    }
    c->mtu_failed = 0;
    c->mtu_probe_us = c->mtu < largest(tcp, c) ? tcp->now_us + RAISE_AFTER_US : 0;
}

void path_probe_passed(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent)
{
    uint32_t mtu = (uint32_t)sent->len + tcp_headers(&c->remote) + options_bytes(c);

    sent->flags &= ~SENT_PROBE;
    if (mtu > c->mtu) {
        tcp->counters.path_mtu_raised++;
        set_mtu(c, (uint16_t)mtu);
        remember(tcp, &c->remote, c->mtu);
    }
    search_on(tcp, c);
}

void path_probe_lost(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent)
{
    uint32_t mtu = (uint32_t)sent->len + tcp_headers(&c->remote) + options_bytes(c);

    sent->flags &= ~SENT_PROBE;
    if (!c->mtu_failed || mtu < c->mtu_failed)
        c->mtu_failed = (uint16_t)mtu;
    search_on(tcp, c);
}
