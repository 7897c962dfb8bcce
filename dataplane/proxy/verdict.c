/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is the origin's certificate good, now, for this request? (MRA S1-S5, S29; DESIGN 6) Verdicts are made in the handshake
 * or when the trust epoch moved, kept on the connection, and compared on every request. The mode acts where they are used. */
#include "assay/log_record.h"
#include "proxy/internal.h"
#include "x509/ocsp.h"
#include "x509/verdict_table.h"

static const char verify_failed_text[] =
    "error:1416F086:SSL routines:tls_process_server_certificate:certificate verify failed";

static uint64_t verdict_now_s(const struct proxy *p)
{
    return p->wall_ns / 1000000000;
}

static void verdict_take(struct verdict_state *out, const struct x509_verdict *verdict)
{
    out->chain_reason = verdict->chain_reason;
    out->name_reason = verdict->name_reason;
    out->depth = verdict->depth;
    out->warnings = verdict->warnings;
    out->valid_until_s = verdict->valid_until_s;
}

/* What control has worked out before it published this trust section; the cache has it from now on. */
static bool verdict_precomputed(struct proxy *p, const struct x509_verdict_key *key, uint64_t now_s,
                                struct x509_verdict *out)
{
    const struct trust_section *trust = p->snapshot->trust;
    struct x509_result result;

    if (trust->verdicts == NULL || !x509_verdict_table_find(trust->verdicts, key, now_s, out))
        return false;
    p->counters.verify_precomputed++;
    result = (struct x509_result){.chain_reason = out->chain_reason,
                                  .name_reason = out->name_reason,
                                  .depth = out->depth,
                                  .warnings = out->warnings,
                                  .valid_until_s = out->valid_until_s};
    x509_verdict_cache_put(p->verdicts, key, trust->epoch, now_s, &result);
    return true;
}

/* From the cache, from what was published, or in full. */
static void verdict_judge(struct proxy *p, const struct x509_chain_digest *digest, const struct slice *certificates,
                          size_t count, struct slice staple, struct origin *o, struct verdict_state *out)
{
    const struct trust_scope *scope = origin_scope(p, o);
    uint64_t now_s = verdict_now_s(p), epoch = p->snapshot->trust->epoch;
    struct x509_verdict_key key;
    struct x509_verdict cached;
    struct x509_result result;
    uint64_t begin_ns;

    if (out->policy_id != scope->policy->id)
        out->logged_epoch = 0; /* another question was asked: its answer is news */
    out->epoch = epoch;
    out->policy_id = scope->policy->id;
    x509_verdict_key_init(&key, digest, &o->identity, out->policy_id);
    if (x509_verdict_cache_find(p->verdicts, &key, epoch, now_s, &cached)) {
        p->counters.verify_cached++;
        verdict_take(out, &cached);
        return;
    }
    if (verdict_precomputed(p, &key, now_s, &cached)) {
        verdict_take(out, &cached);
        return;
    }
    begin_ns = p->config.cycles_ns();
    x509_verify_traced(scope->store, certificates, count, staple, &o->identity, scope->policy, now_s, &result, NULL);
    p->counters.verify_check_ns += p->config.cycles_ns() - begin_ns;
    p->counters.verify_checks++;
    x509_verdict_cache_put(p->verdicts, &key, epoch, now_s, &result);
    out->chain_reason = result.chain_reason;
    out->name_reason = result.name_reason;
    out->depth = result.depth;
    out->warnings = result.warnings;
    /* A refusal is worth a look again soon, as one from the negative table is. */
    out->valid_until_s =
        x509_result_reason(&result) == X509_REASON_OK ? result.valid_until_s : now_s + PROXY_VERDICT_NEGATIVE_S;
}

static void verdict_judge_chain(struct proxy *p, const struct x509_chain *chain, struct origin *o,
                                struct verdict_state *out)
{
    size_t count;
    const struct slice *certificates = x509_chain_slices(chain, &count);

    p->counters.verify_rejudged += out->epoch != p->snapshot->trust->epoch;
    verdict_judge(p, x509_chain_digests(chain), certificates, count, x509_chain_staple(chain), o, out);
}

/* The reason that counts under the properties checked, or OK. */
static enum x509_reason verdict_reason(const struct trust_scope *scope, const struct verdict_state *v)
{
    if (scope->properties != VERIFY_NAME && v->chain_reason != X509_REASON_OK)
        return v->chain_reason;
    if (scope->properties != VERIFY_SIGNATURE && v->name_reason != X509_REASON_OK)
        return v->name_reason;
    return X509_REASON_OK;
}

bool verdict_refuses(const struct proxy *p, struct origin *o, const struct verdict_state *v)
{
    const struct trust_scope *scope = origin_scope(p, o);

    return scope->mode == VERIFY_ENFORCED && (v->epoch == 0 || verdict_reason(scope, v) != X509_REASON_OK);
}

/* A handshake is one, though the library may ask twice. */
static void verdict_hand_over(struct proxy *p, struct upstream *u)
{
    chains_hand_over(p, u, !u->handed_over);
    u->handed_over = true;
}

bool verdict_asks_status(const struct proxy *p, struct origin *o)
{
    return origin_scope(p, o)->policy->revocation != X509_REVOCATION_OFF;
}

/* Nothing was shown: nothing to keep, and no path to look for. */
static uint8_t verdict_none(struct proxy *p, struct upstream *u)
{
    const struct trust_scope *scope = origin_scope(p, u->origin);

    u->verdict = (struct verdict_state){.epoch = p->snapshot->trust->epoch,
                                        .policy_id = scope->policy->id,
                                        .chain_reason = X509_REASON_NO_CERTIFICATE,
                                        .name_reason = X509_REASON_NAME_MISMATCH};
    return verdict_refuses(p, u->origin, &u->verdict) ? x509_reason_alert(verdict_reason(scope, &u->verdict)) : 0;
}

uint8_t verdict_verify(void *arg, const struct slice *certificates, size_t count, struct slice staple)
{
    struct upstream *u = arg;
    struct proxy *p = u->proxy;
    struct origin *o = u->origin;
    struct x509_chain_digest digest;

    if (count == 0)
        return verdict_none(p, u);
    if (staple.len > X509_OCSP_SIZE_MAX) {
        p->counters.staple_too_large++;
        staple = slice_of(NULL, 0);
    }
    p->counters.staples += staple.len > 0;
    x509_chain_digest(certificates, count, &digest);
    x509_chain_digest_staple(staple, &digest);
    if (u->chain != NULL)
        x509_chain_unref(u->chain);
    u->chain = NULL;
    /* An origin shows the same chain every time, nearly: its connections share one copy. */
    if (o->chain == NULL || memcmp(x509_chain_digests(o->chain), &digest, sizeof(digest)) != 0) {
        if (o->chain != NULL)
            x509_chain_unref(o->chain);
        o->chain = x509_chain_create_stapled(certificates, count, staple);
    }
    if (o->chain != NULL)
        u->chain = x509_chain_ref(o->chain);
    if (origin_scope(p, o)->mode == VERIFY_DISABLED) {
        u->verdict.epoch = 0; /* judged when verification is turned on */
        verdict_hand_over(p, u);
        return 0;
    }
    verdict_judge(p, &digest, certificates, count, staple, o, &u->verdict);
    verdict_hand_over(p, u);
    if (!verdict_refuses(p, o, &u->verdict))
        return 0;
    return x509_reason_alert(verdict_reason(origin_scope(p, o), &u->verdict));
}

static bool verdict_fresh(const struct proxy *p, const struct trust_scope *scope, const struct verdict_state *v)
{
    return v->epoch == p->snapshot->trust->epoch && v->epoch != 0 && v->policy_id == scope->policy->id &&
           verdict_now_s(p) <= v->valid_until_s;
}

bool verdict_current(struct proxy *p, struct upstream *u)
{
    const struct trust_scope *scope = origin_scope(p, u->origin);

    /* A connection in use for long: the registry hears that its chain is. */
    if (p->now_us >= u->origin->handed.due_us)
        chains_hand_over(p, u, false);
    if (scope->mode == VERIFY_DISABLED)
        return true;
    if (verdict_fresh(p, scope, &u->verdict))
        return true;
    /* No chain to judge: nothing can be said for this connection any more. Permissive refuses nothing, this neither. */
    if (u->chain == NULL)
        return scope->mode == VERIFY_PERMISSIVE;
    verdict_judge_chain(p, u->chain, u->origin, &u->verdict);
    chains_hand_over(p, u, false);
    return !verdict_refuses(p, u->origin, &u->verdict);
}

bool verdict_session_current(struct proxy *p, struct origin *o)
{
    const struct trust_scope *scope = origin_scope(p, o);

    if (scope->mode == VERIFY_DISABLED)
        return true;
    if (o->session_chain == NULL)
        return false;
    if (!verdict_fresh(p, scope, &o->session_verdict))
        verdict_judge_chain(p, o->session_chain, o, &o->session_verdict);
    return !verdict_refuses(p, o, &o->session_verdict);
}

void verdict_count_request(struct proxy *p, const struct upstream *u)
{
    const struct verdict_state *v = &u->verdict;
    const struct trust_scope *scope;
    bool known;

    if (!u->origin->https) {
        p->counters.requests_plain++;
        return;
    }
    scope = origin_scope(p, u->origin);
    known = scope->mode != VERIFY_DISABLED && verdict_fresh(p, scope, v);
    /* Where only one half of the check counts, what fails in the other is let through, and yet not verified. */
    if (known && v->chain_reason == X509_REASON_OK && v->name_reason == X509_REASON_OK)
        p->counters.requests_verified++;
    else
        p->counters.requests_unverified++;
    p->counters.verify_current += scope->mode != VERIFY_DISABLED;
    p->counters.verify_continued +=
        scope->mode == VERIFY_PERMISSIVE && (!known || verdict_reason(scope, v) != X509_REASON_OK);
}

static void verdict_log_weak(struct proxy *p, const struct upstream *u, const struct verdict_state *v)
{
    struct log_line line = {.kind = LOG_WEAK_CERTIFICATE, .peer = &u->address, .peer_port = u->origin->port};

    line.strings[0] = slice_text(u->origin->host);
    if (v->warnings & X509_WARN_NO_STATUS) {
        line.strings[1] = slice_text("revocation status unknown");
        p->counters.verify_no_status++;
        proxy_log(p, &line);
    }
    if ((v->warnings & (X509_WARN_SHA1 | X509_WARN_SMALL_KEY)) == 0)
        return;
    line.strings[1] =
        slice_text(v->warnings & X509_WARN_SHA1 ? "SHA-1 signature in the chain" : "RSA key below 2048 bits");
    p->counters.verify_weak++;
    proxy_log(p, &line);
}

void verdict_log(struct proxy *p, const struct upstream *u, struct verdict_state *v, bool terminate)
{
    const struct trust_scope *scope = origin_scope(p, u->origin);
    enum x509_reason reason = verdict_reason(scope, v);
    bool chain = reason != X509_REASON_NAME_MISMATCH;
    struct log_line line = {.kind = chain ? LOG_VERIFY_FAILED : LOG_NAME_MISMATCH,
                            .action = terminate ? LOG_ACTION_TERMINATE : LOG_ACTION_CONTINUE,
                            .depth = v->depth,
                            .peer = &u->address,
                            .peer_port = u->origin->port};

    if (scope->mode == VERIFY_DISABLED || v->epoch == 0 || (!terminate && v->logged_epoch == v->epoch))
        return;
    v->logged_epoch = v->epoch;
    if (reason == X509_REASON_OK) {
        verdict_log_weak(p, u, v);
        return;
    }
    line.strings[0] = slice_text(u->origin->host);
    line.strings[1] = slice_text(x509_reason_text(reason));
    proxy_log(p, &line);
    if (!terminate)
        return;
    p->counters.verify_failed++;
    p->counters.verify_failed_chain += chain;
    p->counters.verify_failed_name += !chain;
    p->counters.verify_failed_revoked += reason == X509_REASON_REVOKED;
    line.kind = LOG_SSL_FAILED;
    line.strings[1] = slice_text(verify_failed_text);
    proxy_log(p, &line);
}

/* A request may be half way: it gets revoke_grace to end (DESIGN 6). */
static void verdict_order_end(struct proxy *p, struct upstream *u)
{
    if (u->revoke_us != 0)
        return;
    u->revoke_us = p->now_us + p->snapshot->trust->revoke_grace_us;
    proxy_deadline(p, &u->timer, u->revoke_us);
}

void verdict_review(struct proxy *p, struct upstream *u)
{
    if ((u->phase != UPSTREAM_IDLE && u->phase != UPSTREAM_BUSY) ||
        (verdict_current(p, u) && !verdict_refuses(p, u->origin, &u->verdict)))
        return;
    if (u->phase == UPSTREAM_IDLE)
        upstream_close(p, u, false);
    else
        verdict_order_end(p, u);
}
