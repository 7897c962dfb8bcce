/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client's connection: accepted or refused, its ClientHello, its TLS handshake, its end. */
#include "access/clients.h"
#include "base/address.h"
#include "proxy/internal.h"

#define CLIENT_LINGER_US 2000000

struct stream client_stream(struct client *c)
{
    return (struct stream){.tcp = c->tcp, .tls = c->tls};
}

void client_set_phase(struct proxy *p, struct client *c, enum client_phase phase)
{
    bool was_handshake = c->phase == CLIENT_HELLO || c->phase == CLIENT_HANDSHAKE;
    bool is_handshake = phase == CLIENT_HELLO || phase == CLIENT_HANDSHAKE;

    if (was_handshake && !is_handshake && c->counted_handshake) {
        c->counted_handshake = false;
        p->handshake_count--;
    }
    c->phase = (uint8_t)phase;
}

void client_again(struct proxy *p, struct client *c)
{
    if (!list_linked(&c->run))
        list_append(&p->work, &c->run);
}

const struct route_listener *client_listener(struct proxy *p, const struct client *c)
{
    const struct route_section *route = p->snapshot->route;

    for (uint32_t i = 0; i < route->listener_count; i++)
        if (route->listeners[i].port == c->local_port && address_equal(&route->listeners[i].address, &c->local))
            return &route->listeners[i];
    return NULL;
}

static bool client_admit(struct proxy *p, struct client *c, const struct route_listener **listener)
{
    *listener = client_listener(p, c);
    if (*listener == NULL)
        return false;
    if (!access_clients_allow((*listener)->clients, &c->peer)) {
        p->counters.client_refused_address++;
        return false;
    }
    c->trusted = (*listener)->trusted != NULL && access_clients_allow((*listener)->trusted, &c->peer);
    return true;
}

bool client_may_ask(struct proxy *p, struct client *c)
{
    const struct route_listener *listener;

    if (c->route_epoch == p->snapshot->route->epoch)
        return true;
    if (!client_admit(p, c, &listener) || listener->tls != (c->tls != NULL))
        return false;
    c->route_epoch = p->snapshot->route->epoch;
    return true;
}

void client_accept(struct proxy *p, const struct tcp_event *event)
{
    const struct route_listener *listener;
    struct tcp_info info;
    struct client *c;

    tcp_accepted(p->tcp, event->handle);
    if (event->flags & TCP_EVENT_CLOSED)
        return;
    c = pool_taken(p->clients) < p->snapshot->settings->clients_max ? pool_take(p->clients) : NULL;
    if (c == NULL || tcp_get_info(p->tcp, event->handle, &info) != ASSAY_OK) {
        p->counters.client_refused_limit += c == NULL;
        if (c != NULL)
            pool_give(p->clients, c);
        tcp_abort(p->tcp, event->handle);
        return;
    }
    *c = (struct client){.tcp = event->handle,
                         .peer = info.remote,
                         .local = info.local,
                         .peer_port = info.remote_port,
                         .local_port = info.local_port,
                         .timer = {.object = PROXY_CLIENT, .deadline_us = UINT64_MAX}};
    if (p->draining || !client_admit(p, c, &listener) ||
        tcp_set_user(p->tcp, c->tcp, proxy_cookie(PROXY_CLIENT, pool_index(p->clients, c))) != ASSAY_OK) {
        tcp_abort(p->tcp, c->tcp);
        c->phase = CLIENT_FREE;
        pool_give(p->clients, c);
        return;
    }
    p->counters.client_connections++;
    p->counters.client_connections_now++;
    c->route_epoch = p->snapshot->route->epoch;
    client_set_phase(p, c, listener->tls ? CLIENT_HELLO : CLIENT_HEAD);
    proxy_deadline(p, &c->timer,
                   p->now_us + (listener->tls ? p->snapshot->settings->client_handshake_us
                                              : p->snapshot->settings->client_idle_us));
    client_event(p, c, event);
}

static void client_release(struct proxy *p, struct client *c)
{
    list_remove(&c->run);
    origin_leave_queue(c);
    proxy_timer_stop(p, &c->timer);
    buffer_give(p, &c->in);
    tls_free(c->tls);
    tls_hello_free(c->hello);
    credential_drop(p, c->credential);
    client_set_phase(p, c, CLIENT_FREE);
    p->counters.client_connections_now--;
    pool_give(p->clients, c);
}

void client_close(struct proxy *p, struct client *c, bool abort)
{
    if (c->phase == CLIENT_FREE)
        return;
    exchange_reset(p, c);
    if (c->sticky != NULL) {
        c->sticky->sticky_for = NULL;
        upstream_close(p, c->sticky, false);
        c->sticky = NULL;
    }
    if (abort)
        tcp_abort(p->tcp, c->tcp);
    else
        tcp_close(p->tcp, c->tcp);
    client_release(p, c);
}

/* What still comes is thrown away: closing with it unread would be a reset that can overtake our last answer (RFC 9112 §9.6). */
static void client_discard(struct proxy *p, struct client *c)
{
    struct slice piece;

    while ((piece = tcp_peek(p->tcp, c->tcp)).len > 0)
        tcp_consume(p->tcp, c->tcp, piece.len);
    if (tcp_at_end(p->tcp, c->tcp) || !tcp_live(p->tcp, c->tcp))
        client_close(p, c, false);
}

void client_linger(struct proxy *p, struct client *c)
{
    exchange_reset(p, c);
    buffer_give(p, &c->in);
    list_remove(&c->run);
    stream_finish(p, client_stream(c));
    client_set_phase(p, c, CLIENT_LINGER);
    c->unacked = SIZE_MAX;
    proxy_deadline(p, &c->timer, p->now_us + CLIENT_LINGER_US);
    client_discard(p, c); /* for what came already there is no event any more */
}

bool client_takes_on(struct proxy *p, struct client *c)
{
    size_t unacked = tcp_unacked(p->tcp, c->tcp);

    if (unacked == 0 || unacked >= c->unacked)
        return false;
    c->unacked = unacked;
    proxy_deadline(p, &c->timer, p->now_us + p->snapshot->settings->client_send_us);
    return true;
}

static bool client_takes_place(struct proxy *p, struct client *c)
{
    if (c->counted_handshake)
        return true;
    if (p->handshake_count >= p->snapshot->settings->handshakes_max) {
        if (!list_linked(&c->run)) {
            p->counters.handshakes_deferred++;
            list_append(&p->deferred, &c->run);
        }
        return false;
    }
    /* It may find its place by an event of its own, before its turn in the line came. */
    list_remove(&c->run);
    c->counted_handshake = true;
    p->handshake_count++;
    return true;
}

static void client_refuse_hello(struct proxy *p, struct client *c, uint8_t alert)
{
    uint8_t record[7];
    size_t length = tls_alert_record(alert, record);

    p->counters.client_hello_refused++;
    p->counters.client_handshake_failures++;
    /* Seven bytes into an empty send buffer. */
    (void)tcp_write(p->tcp, c->tcp, record, length);
    client_linger(p, c);
}

/* The whole ClientHello is there: which certificate, then TLS may see it. */
static void client_start_tls(struct proxy *p, struct client *c)
{
    struct tls_hello *hello = c->hello;
    struct tls_credential *credential = route_server_credential(p->snapshot->credentials, tls_hello_sni(hello));

    c->hello = NULL;
    if (credential == NULL) {
        tls_hello_free(hello);
        client_refuse_hello(p, c, 112); /* unrecognized_name: no certificate for it, and no default */
        return;
    }
    if (tls_server_create(credential->contexts[p->config.core], hello, &c->tls) != ASSAY_OK) {
        client_refuse_hello(p, c, 80); /* internal_error */
        return;
    }
    c->credential = credential;
    credential_use(p, credential);
    client_set_phase(p, c, CLIENT_HANDSHAKE);
    list_append(&p->handshakes, &c->run);
}

static void client_hello_input(struct proxy *p, struct client *c)
{
    struct slice piece;

    if (!client_takes_place(p, c))
        return;
    if (c->hello == NULL && (c->hello = tls_hello_create()) == NULL) {
        client_close(p, c, true);
        return;
    }
    while ((piece = tcp_peek(p->tcp, c->tcp)).len > 0) {
        size_t used = 0;
        uint8_t alert = 0;
        enum tls_status status = tls_hello_feed(c->hello, piece, &used, &alert);

        tcp_consume(p->tcp, c->tcp, used);
        if (status == TLS_STATUS_OK) {
            client_start_tls(p, c);
            return;
        }
        if (status != TLS_STATUS_WANT_INPUT) {
            client_refuse_hello(p, c, alert);
            return;
        }
        if (used == 0)
            break;
    }
    if (tcp_at_end(p->tcp, c->tcp))
        client_close(p, c, false);
}

bool client_handshake_step(struct proxy *p, struct client *c)
{
    switch (stream_handshake(p, client_stream(c))) {
    case STREAM_OK:
        p->counters.client_handshakes++;
        p->counters.client_handshakes_resumed += tls_resumed(c->tls);
        client_set_phase(p, c, CLIENT_HEAD);
        proxy_deadline(p, &c->timer, p->now_us + p->snapshot->settings->client_idle_us);
        exchange_pump(p, c);
        return true;
    case STREAM_WAIT: return true;
    case STREAM_END:
    case STREAM_CUT:
    case STREAM_FAILED: break;
    }
    p->counters.client_handshake_failures++;
    client_linger(p, c);
    return true;
}

void client_start_deferred(struct proxy *p)
{
    while (!list_empty(&p->deferred) && p->handshake_count < p->snapshot->settings->handshakes_max) {
        struct client *c = list_entry(p->deferred.next, struct client, run);

        list_remove(&c->run);
        client_hello_input(p, c);
        if (c->phase == CLIENT_HELLO && !c->counted_handshake)
            return;
    }
}

void client_event(struct proxy *p, struct client *c, const struct tcp_event *event)
{
    if (event->flags & TCP_EVENT_CLOSED) {
        if (c->phase == CLIENT_HELLO || c->phase == CLIENT_HANDSHAKE)
            p->counters.client_handshake_failures++;
        client_close(p, c, true);
        return;
    }
    if ((event->flags & (TCP_EVENT_READABLE | TCP_EVENT_WRITABLE | TCP_EVENT_PEER_FIN)) == 0)
        return;
    switch ((enum client_phase)c->phase) {
    case CLIENT_HELLO: client_hello_input(p, c); break;
    case CLIENT_HANDSHAKE:
        if (!list_linked(&c->run))
            list_append(&p->handshakes, &c->run);
        break;
    case CLIENT_HEAD:
    case CLIENT_EXCHANGE: exchange_pump(p, c); break;
    case CLIENT_LINGER: client_discard(p, c); break;
    case CLIENT_QUEUED: /* what it sent meanwhile is read when its turn comes */
    case CLIENT_CONNECT:
    case CLIENT_FREE: break;
    }
}

void client_timeout(struct proxy *p, struct client *c)
{
    switch ((enum client_phase)c->phase) {
    case CLIENT_HELLO:
    case CLIENT_HANDSHAKE:
        p->counters.client_handshake_timeouts++;
        p->counters.client_handshake_failures++;
        client_close(p, c, true);
        break;
    case CLIENT_LINGER:
        if (!client_takes_on(p, c))
            client_close(p, c, tcp_unacked(p->tcp, c->tcp) > 0);
        break;
    default: exchange_timeout(p, c); break;
    }
}
