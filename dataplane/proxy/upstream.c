/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection to an origin: TCP, TLS with the verifier, idle time, end. */
#include <stdio.h>

#include "assay/log_record.h"
#include "base/address.h"
#include "proxy/internal.h"

/* Addresses of ours tried toward an origin, one after the other as their ports are used up. */
#define SOURCES_MAX 64

struct stream upstream_stream(struct upstream *u)
{
    return (struct stream){.tcp = u->tcp, .tls = u->tls};
}

void upstream_set_phase(struct upstream *u, enum upstream_phase phase)
{
    u->phase = (uint8_t)phase;
}

/* A sweep goes over the places that were used; one under way goes over the new ones as well. */
static void upstream_note_place(struct proxy *p, uint32_t place)
{
    if (place < p->upstreams_high)
        return;
    if (p->sweep_left > 0)
        p->sweep_left += place + 1 - p->upstreams_high;
    p->upstreams_high = place + 1;
}

enum assay_error upstream_connect(struct proxy *p, struct origin *o, struct client *c,
                                  const struct assay_address *address)
{
    struct assay_address sources[SOURCES_MAX];
    uint32_t count = p->config.source.fn(p->config.source.arg, address, sources, SOURCES_MAX);
    enum assay_error error;
    struct upstream *u;

    if (count == 0)
        return ASSAY_ERR_UNRESOLVED;
    u = pool_take(p->upstreams);
    if (u == NULL && origin_evict_idle(p))
        u = pool_take(p->upstreams);
    if (u == NULL)
        return ASSAY_ERR_NO_SLOT;
    *u = (struct upstream){.proxy = p,
                           .origin = o,
                           .client = c,
                           .address = *address,
                           .timer = {.object = PROXY_UPSTREAM, .deadline_us = UINT64_MAX}};
    error = tcp_connect_any(p->tcp, sources, count, address, o->port,
                            proxy_cookie(PROXY_UPSTREAM, pool_index(p->upstreams, u)), p->now_us, &u->tcp);
    if (error != ASSAY_OK) {
        pool_give(p->upstreams, u);
        return error;
    }
    upstream_note_place(p, pool_index(p->upstreams, u));
    upstream_set_phase(u, UPSTREAM_CONNECT);
    list_append(&o->busy, &u->link);
    o->connections++;
    o->address = *address;
    c->upstream = u;
    p->counters.origin_connections++;
    p->counters.origin_connections_now++;
    return ASSAY_OK;
}

void upstream_close(struct proxy *p, struct upstream *u, bool abort)
{
    struct origin *o = u->origin;

    if (u->phase == UPSTREAM_FREE)
        return;
    if (u->sticky_for != NULL)
        u->sticky_for->sticky = NULL;
    /* TLS that failed has said its last word. */
    if (!abort && (u->phase == UPSTREAM_IDLE || u->phase == UPSTREAM_BUSY) && !upstream_tls_spoke(u))
        stream_finish(p, upstream_stream(u));
    if (abort)
        tcp_abort(p->tcp, u->tcp);
    else
        tcp_close(p->tcp, u->tcp);
    if (u->phase == UPSTREAM_IDLE)
        o->idle_count--;
    list_remove(&u->link);
    list_remove(&u->run);
    proxy_timer_stop(p, &u->timer);
    buffer_give(p, &u->in);
    tls_free(u->tls);
    credential_drop(p, u->credential);
    if (u->chain != NULL)
        x509_chain_unref(u->chain);
    o->connections--;
    p->counters.origin_connections_now--;
    upstream_set_phase(u, UPSTREAM_FREE);
    pool_give(p->upstreams, u);
    origin_wake_queue(p, o);
}

/* Gone before the exchange got it. */
static void upstream_failed(struct proxy *p, struct upstream *u, enum upstream_loss loss)
{
    struct client *c = u->client;

    u->client = NULL;
    if (c != NULL)
        c->upstream = NULL;
    upstream_close(p, u, true);
    if (c != NULL)
        exchange_upstream_lost(p, c, loss);
}

static void upstream_ready(struct proxy *p, struct upstream *u)
{
    struct client *c = u->client;

    u->origin->last_error[0] = 0;
    upstream_set_phase(u, UPSTREAM_BUSY);
    if (c == NULL) {
        upstream_close(p, u, false);
        return;
    }
    if (!request_load(p, c)) {
        exchange_answer(p, c, p->target.status, p->target.what);
        return;
    }
    if (!origin_serves(u->origin, &p->target)) {
        exchange_answer(p, c, 503, "the configuration sends the request elsewhere now");
        return;
    }
    exchange_upstream_ready(p, c);
    exchange_pump(p, c);
}

static void upstream_start_tls(struct proxy *p, struct upstream *u)
{
    struct origin *o = u->origin;
    struct tls_verifier verifier = {.fn = verdict_verify, .arg = u, .ask_status = verdict_asks_status(p, o)};
    const struct tls_session *session = NULL;

    u->credential = route_client_credential(p->snapshot->credentials, slice_text(o->host), o->port);
    if (u->credential == NULL) {
        origin_note_error(o, "no client credential is configured");
        upstream_failed(p, u, LOSS_VERDICT);
        return;
    }
    credential_use(p, u->credential);
    if (o->session != NULL && o->session_credential == u->credential->id && verdict_session_current(p, o)) {
        session = o->session;
        u->session_offered = true;
        /* What resumption stands on; a full handshake brings a chain of its own. */
        u->chain = o->session_chain != NULL ? x509_chain_ref(o->session_chain) : NULL;
        u->verdict = o->session_verdict;
        u->verdict.logged_epoch = 0;
    }
    if (tls_client_create(u->credential->contexts[p->config.core],
                          o->identity.kind == X509_IDENTITY_DNS ? o->host : NULL, verifier, session,
                          &u->tls) != ASSAY_OK) {
        origin_note_error(o, "out of memory for TLS");
        upstream_failed(p, u, LOSS_TLS);
        return;
    }
    upstream_set_phase(u, UPSTREAM_HANDSHAKE);
    list_append(&p->upstream_handshakes, &u->run);
}

/* OpenSSL's wording of an alert that the origin sent (MRA §4: error:14094418:…:tlsv1 alert unknown ca). */
static void upstream_alert_text(uint8_t alert, char *out, size_t capacity)
{
    bool ssl3 = alert == 10 || alert == 20 || alert == 30 || alert == 40 || (alert >= 41 && alert <= 47);
    char name[64];
    size_t i;

    snprintf(name, sizeof(name), "%s", tls_alert_name(alert));
    for (i = 0; name[i] != 0; i++)
        if (name[i] == '_')
            name[i] = ' ';
    snprintf(out, capacity, "error:%08X:SSL routines:ssl3_read_bytes:%s alert %s", 0x14094000U | (1000U + alert),
             ssl3          ? "sslv3"
             : alert > 110 ? "tlsv13"
                           : "tlsv1",
             name);
}

enum upstream_loss upstream_tls_failed(struct proxy *p, struct upstream *u)
{
    struct log_line line = {.kind = LOG_SSL_FAILED, .peer = &u->address, .peer_port = u->origin->port};
    struct tls_failure failure;
    char text[160];

    tls_get_failure(u->tls, &failure);
    if (failure.kind == TLS_FAILURE_VERIFIER) {
        verdict_log(p, u, &u->verdict, true);
        origin_note_error(u->origin, "certificate not accepted");
        return LOSS_VERDICT;
    }
    p->counters.origin_handshake_failures++;
    if (failure.kind == TLS_FAILURE_PEER_ALERT) {
        uint8_t alert = failure.alert_received;

        upstream_alert_text(alert, text, sizeof(text));
        /* bad_certificate … unknown_ca, access_denied, certificate_required: about a certificate, so about ours. */
        if ((alert >= 42 && alert <= 46) || alert == 48 || alert == 49 || alert == 116)
            p->counters.origin_client_certificate_refused++;
    } else if (failure.kind == TLS_FAILURE_CERTIFICATE) {
        snprintf(
            text, sizeof(text),
            "error:1416F00D:SSL routines:tls_process_server_certificate:malformed certificate or no proof of its key");
    } else {
        snprintf(text, sizeof(text), "error:1408F000:SSL routines:handshake failed (alert %s, code %d)",
                 failure.alert_sent ? tls_alert_name(failure.alert_sent) : "none", failure.library_code);
    }
    line.strings[0] = slice_text(u->origin->host);
    line.strings[1] = slice_text(text);
    proxy_log(p, &line);
    origin_note_error(u->origin, text);
    return failure.kind == TLS_FAILURE_CERTIFICATE ? LOSS_VERDICT : LOSS_TLS;
}

bool upstream_tls_spoke(const struct upstream *u)
{
    struct tls_failure failure;

    if (u->tls == NULL)
        return false;
    tls_get_failure(u->tls, &failure);
    return failure.kind != TLS_FAILURE_NONE;
}

/* Several that fail together are one reason to go on to the next address, not several. */
static void upstream_next_address(struct proxy *p, const struct upstream *u)
{
    struct origin *o = u->origin;
    const struct route_origin *route = route_find_origin(p->snapshot->route, slice_text(o->host));

    if (route != NULL && route->address_count > 0 &&
        address_equal(&route->addresses[o->address_next % route->address_count], &u->address))
        o->address_next++;
}

static void upstream_note_failure(struct proxy *p, struct upstream *u, const char *what)
{
    struct log_line line = {.kind = LOG_ORIGIN_FAILED, .peer = &u->address, .peer_port = u->origin->port};

    upstream_next_address(p, u);
    origin_note_error(u->origin, what);
    line.strings[0] = slice_text(u->origin->host);
    line.strings[1] = slice_text(what);
    proxy_log(p, &line);
}

static void upstream_transport_failed(struct proxy *p, struct upstream *u, const char *what)
{
    p->counters.origin_connect_failures++;
    upstream_note_failure(p, u, what);
}

void upstream_connect_timeout(struct proxy *p, struct upstream *u)
{
    p->counters.origin_connect_timeouts++;
    upstream_note_failure(p, u, u->phase == UPSTREAM_CONNECT ? "connection timed out" : "the TLS handshake timed out");
}

void upstream_close_told(struct proxy *p, struct upstream *u)
{
    struct slice piece;

    while ((piece = tcp_peek(p->tcp, u->tcp)).len > 0)
        tcp_consume(p->tcp, u->tcp, piece.len);
    upstream_close(p, u, false);
}

void upstream_handshake_step(struct proxy *p, struct upstream *u)
{
    enum stream_status status = stream_handshake(p, upstream_stream(u));
    enum upstream_loss loss;

    switch (status) {
    case STREAM_OK:
        p->counters.origin_handshakes++;
        p->counters.origin_handshakes_resumed += tls_resumed(u->tls);
        upstream_ready(p, u);
        return;
    case STREAM_WAIT: return;
    case STREAM_END:
    case STREAM_CUT:
        p->counters.origin_handshake_failures++;
        upstream_transport_failed(p, u, "closed during the TLS handshake");
        loss = LOSS_CONNECT;
        break;
    case STREAM_FAILED:
    default:
        if (upstream_tls_spoke(u) || tcp_live(p->tcp, u->tcp)) {
            loss = upstream_tls_failed(p, u);
            break;
        }
        upstream_transport_failed(p, u, "connection reset");
        loss = LOSS_CONNECT;
        break;
    }
    /* A session may be what the origin did not like: the next attempt is a full handshake. */
    if (u->session_offered)
        origin_forget_session(u->origin);
    if (loss != LOSS_CONNECT) {
        struct client *c = u->client;

        u->client = NULL;
        if (c != NULL)
            c->upstream = NULL;
        upstream_close_told(p, u);
        if (c != NULL)
            exchange_upstream_lost(p, c, loss);
        return;
    }
    upstream_failed(p, u, loss);
}

void upstream_keep_session(struct proxy *p, struct upstream *u)
{
    struct origin *o = u->origin;
    struct tls_session *session;

    if (u->tls == NULL || u->session_taken || origin_scope(p, o)->mode == VERIFY_DISABLED)
        return;
    session = tls_take_session(u->tls);
    if (session == NULL)
        return;
    u->session_taken = true;
    origin_forget_session(o);
    o->session = session;
    o->session_credential = u->credential->id;
    o->session_chain = u->chain != NULL ? x509_chain_ref(u->chain) : NULL;
    o->session_verdict = u->verdict;
}

bool upstream_quiet(struct proxy *p, struct upstream *u)
{
    size_t length;

    if (tcp_readable(p->tcp, u->tcp) == 0 && !tcp_at_end(p->tcp, u->tcp) && (u->tls == NULL || !tls_pending(u->tls)))
        return true;
    if (stream_read(p, upstream_stream(u), p->plain, PROXY_PLAIN_BYTES, &length) != STREAM_WAIT)
        return false;
    upstream_keep_session(p, u);
    return true;
}

static const char *upstream_reason_text(enum tcp_reason reason)
{
    switch (reason) {
    case TCP_REASON_REFUSED: return "connection refused";
    case TCP_REASON_TIMEOUT: return "connection timed out";
    case TCP_REASON_UNREACHABLE: return "host unreachable";
    case TCP_REASON_KEEPALIVE: return "keepalive unanswered";
    case TCP_REASON_NO_MEMORY: return "packet memory is short";
    case TCP_REASON_RESET:
    case TCP_REASON_NONE: break;
    }
    return "connection reset";
}

static void upstream_tcp_closed(struct proxy *p, struct upstream *u, enum tcp_reason reason)
{
    enum upstream_loss loss = LOSS_CLOSED;

    if (u->phase == UPSTREAM_IDLE) {
        upstream_close(p, u, true);
        return;
    }
    if (u->phase == UPSTREAM_CONNECT || u->phase == UPSTREAM_HANDSHAKE) {
        upstream_transport_failed(p, u, upstream_reason_text(reason));
        loss = reason == TCP_REASON_TIMEOUT ? LOSS_CONNECT_TIMEOUT : LOSS_CONNECT;
    } else {
        origin_note_error(u->origin, upstream_reason_text(reason));
    }
    upstream_failed(p, u, loss);
}

/* Between requests an origin may send TLS messages of its own, or end the connection; nothing else. */
static void upstream_check_idle(struct proxy *p, struct upstream *u)
{
    if (!upstream_quiet(p, u))
        upstream_close(p, u, false);
}

static void upstream_connected(struct proxy *p, struct upstream *u)
{
    if (u->client != NULL)
        proxy_deadline(p, &u->client->timer, u->connect_until_us);
    if (u->origin->https)
        upstream_start_tls(p, u);
    else
        upstream_ready(p, u);
}

void upstream_event(struct proxy *p, struct upstream *u, const struct tcp_event *event)
{
    if (event->flags & TCP_EVENT_CLOSED) {
        upstream_tcp_closed(p, u, event->reason);
        return;
    }
    switch ((enum upstream_phase)u->phase) {
    case UPSTREAM_CONNECT:
        if ((event->flags & TCP_EVENT_CONNECTED) == 0)
            return;
        upstream_connected(p, u);
        break;
    case UPSTREAM_HANDSHAKE:
        if (!list_linked(&u->run))
            list_append(&p->upstream_handshakes, &u->run);
        break;
    case UPSTREAM_BUSY:
        if (u->client != NULL)
            exchange_pump(p, u->client);
        break;
    case UPSTREAM_IDLE:
        if (event->flags & (TCP_EVENT_READABLE | TCP_EVENT_PEER_FIN))
            upstream_check_idle(p, u);
        break;
    case UPSTREAM_FREE: break;
    }
}

void upstream_timeout(struct proxy *p, struct upstream *u)
{
    if (u->phase == UPSTREAM_IDLE) {
        upstream_close(p, u, false);
        return;
    }
    if (u->phase != UPSTREAM_BUSY || u->revoke_us == 0)
        return;
    u->revoke_us = 0;
    /* The certificate may be trusted again by now. */
    if (verdict_current(p, u) && !verdict_refuses(p, u->origin, &u->verdict))
        return;
    p->counters.verify_revoked_in_flight++;
    verdict_log(p, u, &u->verdict, true);
    upstream_failed(p, u, LOSS_REVOKED);
}
