/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hands the chains that origins show to control's registry (DESIGN 6): whole when a chain is new, and once a minute while its
 * connections are in use, so that what control forgot or never got comes again; in few bytes for the handshakes in between.
 * Nobody waits: what finds no room in the ring is counted, and handed over again. */
#include "assay/chain_record.h"
#include "base/byte_ring.h"
#include "proxy/internal.h"

#define CHAINS_WHOLE_US 60000000
#define CHAINS_RETRY_US 1000000

static bool chains_write(struct proxy *p, const struct upstream *u, bool handshake, bool whole)
{
    struct slice host = slice_head(slice_text(u->origin->host), CHAIN_RECORD_HOST_MAX);
    const struct x509_chain_digest *digest = x509_chain_digests(u->chain);
    size_t count, total = sizeof(struct chain_record) + host.len;
    const struct slice *certificates = x509_chain_slices(u->chain, &count);
    struct slice staple = whole ? x509_chain_staple(u->chain) : slice_of(NULL, 0);
    struct chain_record *record;
    uint8_t *at;

    count = !whole ? 0 : count < CHAIN_RECORD_CERTIFICATES ? count : CHAIN_RECORD_CERTIFICATES;
    for (size_t i = 0; i < count; i++)
        total += certificates[i].len;
    total += staple.len;
    record = byte_ring_reserve(p->config.chains, total);
    if (record == NULL)
        return false;
    *record = (struct chain_record){.wall_ns = p->wall_ns,
                                    .deployment = u->origin->deployment,
                                    .trust_epoch = u->verdict.epoch,
                                    .peer = u->address,
                                    .peer_port = u->origin->port,
                                    .core = (uint8_t)p->config.core,
                                    .flags = handshake ? CHAIN_RECORD_HANDSHAKE : 0,
                                    .chain_reason = (uint8_t)u->verdict.chain_reason,
                                    .name_reason = (uint8_t)u->verdict.name_reason,
                                    .host_length = (uint8_t)host.len,
                                    .certificate_count = (uint8_t)count,
                                    .depth = u->verdict.depth,
                                    .warnings = u->verdict.warnings};
    memcpy(record->leaf_sha256, digest->leaf, sizeof(record->leaf_sha256));
    memcpy(record->chain_sha256, digest->chain, sizeof(record->chain_sha256));
    memcpy(record->staple_sha256, digest->staple, sizeof(record->staple_sha256));
    record->staple_length = (uint32_t)staple.len;
    at = (uint8_t *)(record + 1);
    memcpy(at, host.data, host.len);
    at += host.len;
    for (size_t i = 0; i < count; i++) {
        record->certificate_length[i] = (uint32_t)certificates[i].len;
        if (certificates[i].len > 0)
            memcpy(at, certificates[i].data, certificates[i].len);
        at += certificates[i].len;
    }
    if (staple.len > 0)
        memcpy(at, staple.data, staple.len);
    byte_ring_commit(p->config.chains, total);
    return true;
}

static bool chains_same_verdict(const struct verdict_state *a, const struct verdict_state *b)
{
    return a->epoch == b->epoch && a->chain_reason == b->chain_reason && a->name_reason == b->name_reason;
}

void chains_hand_over(struct proxy *p, struct upstream *u, bool handshake)
{
    struct chain_handover *last = &u->origin->handed;
    const struct x509_chain_digest *digest;
    bool same, whole;

    if (p->config.chains == NULL || u->chain == NULL)
        return;
    digest = x509_chain_digests(u->chain);
    same = memcmp(digest, &last->digest, sizeof(*digest)) == 0;
    whole = !same || p->now_us >= last->due_us;
    if (!handshake && !whole && chains_same_verdict(&last->verdict, &u->verdict))
        return;
    if (!chains_write(p, u, handshake, whole)) {
        p->counters.chains_dropped++;
        last->due_us = p->now_us + CHAINS_RETRY_US;
        return;
    }
    p->counters.chains_handed_over += whole;
    last->digest = *digest;
    last->verdict = u->verdict;
    if (whole)
        last->due_us = p->now_us + CHAINS_WHOLE_US;
}
