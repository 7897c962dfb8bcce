/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proxy/proxy.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/thread_slot.h"
#include "proxy/internal.h"

#define PROXY_TIMERS_PER_TURN 256
#define PROXY_WORK_PER_TURN   64
#define PROXY_SWEEP_SLOTS     256 /* of the pool, looked at in one turn after a change */
#define PROXY_SWEEP_REVIEWED  32  /* connections among them */
#define PROXY_LISTENERS_MAX   64

/* --- small services ----------------------------------------------------------------------------------------------------------- */

uint64_t proxy_cookie(enum proxy_object object, uint32_t index)
{
    return (uint64_t)object << 56 | index;
}

void proxy_deadline(struct proxy *p, struct proxy_timer *timer, uint64_t deadline_us)
{
    timer->deadline_us = deadline_us;
    /* A node that is due earlier stays: it will find the new deadline when it fires. */
    if (deadline_us != UINT64_MAX && (!timer_armed(&timer->node) || timer->node.due_us > deadline_us))
        timer_wheel_arm(&p->wheel, &timer->node, deadline_us);
}

void proxy_timer_stop(struct proxy *p, struct proxy_timer *timer)
{
    timer->deadline_us = UINT64_MAX;
    timer_wheel_cancel(&p->wheel, &timer->node);
}

bool buffer_take(struct proxy *p, struct proxy_buffer *buffer)
{
    if (buffer->bytes == NULL) {
        buffer->bytes = pool_take(p->buffers);
        buffer->start = buffer->end = 0;
    }
    return buffer->bytes != NULL;
}

void buffer_give(struct proxy *p, struct proxy_buffer *buffer)
{
    if (buffer->bytes != NULL)
        pool_give(p->buffers, buffer->bytes);
    buffer->bytes = NULL;
    buffer->start = buffer->end = 0;
}

void credential_use(struct proxy *p, struct tls_credential *credential)
{
    _Atomic uint32_t *users = &credential->users[p->config.core];

    atomic_store_explicit(users, atomic_load_explicit(users, memory_order_relaxed) + 1, memory_order_relaxed);
}

void credential_drop(struct proxy *p, struct tls_credential *credential)
{
    _Atomic uint32_t *users;

    if (credential == NULL)
        return;
    users = &credential->users[p->config.core];
    /* Release: control frees the context after it has seen 0, so our last use of it comes first. */
    atomic_store_explicit(users, atomic_load_explicit(users, memory_order_relaxed) - 1, memory_order_release);
}

/* --- life ------------------------------------------------------------------------------------------------------------------------- */

static void proxy_free_pools(struct proxy *p)
{
    pool_free(p->clients);
    pool_free(p->upstreams);
    pool_free(p->origins);
    pool_free(p->buffers);
    x509_verdict_cache_free(p->verdicts);
    free(p);
}

enum assay_error proxy_create(const struct proxy_config *config, uint64_t now_us, struct proxy **out)
{
    /* An origin may hold idle connections beside those that serve a client. */
    uint32_t upstreams = config->clients_max + config->clients_max / 2 + 64;
    enum assay_error error;
    struct proxy *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return ASSAY_ERR_NO_MEMORY;
    p->config = *config;
    p->tcp = config->tcp;
    list_init(&p->work);
    list_init(&p->serve);
    list_init(&p->handshakes);
    list_init(&p->upstream_handshakes);
    list_init(&p->deferred);
    list_init(&p->recent_origins);
    timer_wheel_init(&p->wheel, now_us);
    slot_random(p->tracking_key, sizeof(p->tracking_key));
    error = pool_create(sizeof(struct client), config->clients_max, &p->clients);
    if (error == ASSAY_OK)
        error = pool_create(sizeof(struct upstream), upstreams, &p->upstreams);
    if (error == ASSAY_OK)
        error = pool_create(sizeof(struct origin), config->origins_max, &p->origins);
    if (error == ASSAY_OK)
        error = pool_create(PROXY_BUFFER_BYTES, config->clients_max + upstreams, &p->buffers);
    if (error == ASSAY_OK) {
        p->verdicts =
            x509_verdict_cache_create(config->verdicts_max, config->verdicts_max / 8 + 1, PROXY_VERDICT_NEGATIVE_S);
        error = p->verdicts != NULL ? ASSAY_OK : ASSAY_ERR_NO_MEMORY;
    }
    if (error != ASSAY_OK) {
        proxy_free_pools(p);
        return error;
    }
    *out = p;
    return ASSAY_OK;
}

static struct client *proxy_client_at(struct proxy *p, uint32_t index)
{
    struct client *c = pool_at(p->clients, index);

    return c != NULL && c->phase != CLIENT_FREE ? c : NULL;
}

static struct upstream *proxy_upstream_at(struct proxy *p, uint32_t index)
{
    struct upstream *u = pool_at(p->upstreams, index);

    return u != NULL && u->phase != UPSTREAM_FREE ? u : NULL;
}

void proxy_close(struct proxy *p)
{
    for (uint32_t i = 0; i < pool_count(p->clients); i++)
        if (proxy_client_at(p, i) != NULL)
            client_close(p, proxy_client_at(p, i), true);
    for (uint32_t i = 0; i < pool_count(p->upstreams); i++)
        if (proxy_upstream_at(p, i) != NULL)
            upstream_close(p, proxy_upstream_at(p, i), true);
    while (!list_empty(&p->recent_origins))
        origin_remove(p, list_entry(p->recent_origins.next, struct origin, recent));
}

void proxy_free(struct proxy *p)
{
    if (p == NULL)
        return;
    proxy_close(p);
    proxy_free_pools(p);
}

/* --- snapshots ---------------------------------------------------------------------------------------------------------------------- */

static bool proxy_listens(const struct proxy *p, const struct assay_address *address, uint16_t port)
{
    for (uint32_t i = 0; i < p->listener_count; i++)
        if (p->listening[i].port == port && address_equal(&p->listening[i].address, address))
            return true;
    return false;
}

static bool proxy_routes_listener(const struct route_section *route, const struct assay_address *address, uint16_t port)
{
    for (uint32_t i = 0; i < route->listener_count; i++)
        if (route->listeners[i].port == port && address_equal(&route->listeners[i].address, address))
            return true;
    return false;
}

static void proxy_unlisten(struct proxy *p, const struct route_section *keep)
{
    for (uint32_t i = 0; i < p->listener_count;) {
        if (keep != NULL && proxy_routes_listener(keep, &p->listening[i].address, p->listening[i].port)) {
            i++;
            continue;
        }
        if (tcp_unlisten(p->tcp, &p->listening[i].address, p->listening[i].port) != ASSAY_OK)
            p->counters.events_stale++;
        p->listening[i] = p->listening[--p->listener_count];
    }
}

static void proxy_listen(struct proxy *p, const struct route_section *route)
{
    proxy_unlisten(p, route);
    for (uint32_t i = 0; i < route->listener_count && !p->draining; i++) {
        const struct route_listener *listener = &route->listeners[i];

        if (proxy_listens(p, &listener->address, listener->port))
            continue;
        if (p->listener_count == PROXY_LISTENERS_MAX) {
            p->counters.listeners_failed++;
            continue;
        }
        if (tcp_listen(p->tcp, &listener->address, listener->port, proxy_cookie(PROXY_LISTENER, 0)) != ASSAY_OK) {
            p->counters.listeners_failed++;
            continue;
        }
        p->listening[p->listener_count].address = listener->address;
        p->listening[p->listener_count++].port = listener->port;
    }
}

/* Connections to origins that a change put in question are reviewed a few each turn, however many there are: established traffic
 * does not wait for it. Nobody's request goes out on one that was not looked at yet (origin_usable(), verdict_current()). */
static void proxy_sweep_begin(struct proxy *p)
{
    p->sweep_left =
        p->upstreams_high; /* all of them, wherever an earlier sweep is: changes that follow each other end none of it */
}

static void proxy_sweep(struct proxy *p)
{
    uint64_t judged = p->counters.verify_checks;

    for (int looked = 0, reviewed = 0; p->sweep_left > 0 && looked < PROXY_SWEEP_SLOTS; looked++) {
        struct upstream *u;

        /* a chain judged in full costs as much as a private-key operation: one a turn */
        if (reviewed == PROXY_SWEEP_REVIEWED || p->counters.verify_checks != judged)
            return;
        p->sweep_at = p->sweep_at + 1 < p->upstreams_high ? p->sweep_at + 1 : 0;
        p->sweep_left--;
        u = proxy_upstream_at(p, p->sweep_at);
        if (u == NULL || !u->origin->https)
            continue;
        origin_review(p, u);
        reviewed++;
    }
}

static void proxy_adopt(struct proxy *p)
{
    const struct snapshot *s = p->snapshot;
    uint64_t begin_ns = p->config.cycles_ns();

    if (s->route->epoch != p->listeners_epoch) {
        p->listeners_epoch = s->route->epoch;
        proxy_listen(p, s->route);
    }
    if (s->credentials->epoch != p->credentials_epoch || s->trust->revision != p->trust_revision) {
        p->credentials_epoch = s->credentials->epoch;
        p->trust_revision = s->trust->revision;
        proxy_sweep_begin(p);
    }
    p->counters.snapshots++;
    p->counters.snapshot_ns += p->config.cycles_ns() - begin_ns;
    p->generation = s->generation;
}

/* --- a turn --------------------------------------------------------------------------------------------------------------------------- */

static bool proxy_same(struct tcp_handle a, struct tcp_handle b)
{
    return a.index == b.index && a.generation == b.generation;
}

static void proxy_event(struct proxy *p, const struct tcp_event *event)
{
    uint32_t index = (uint32_t)event->user;
    struct upstream *u;
    struct client *c;

    switch ((enum proxy_object)(event->user >> 56)) {
    case PROXY_LISTENER:
        if (event->flags & TCP_EVENT_ACCEPTED) {
            client_accept(p, event);
            return;
        }
        break;
    case PROXY_CLIENT:
        c = proxy_client_at(p, index);
        if (c != NULL && proxy_same(c->tcp, event->handle)) {
            client_event(p, c, event);
            return;
        }
        break;
    case PROXY_UPSTREAM:
        u = proxy_upstream_at(p, index);
        if (u != NULL && proxy_same(u->tcp, event->handle)) {
            upstream_event(p, u, event);
            return;
        }
        break;
    }
    p->counters.events_stale++;
}

static void proxy_timers(struct proxy *p)
{
    for (int i = 0; i < PROXY_TIMERS_PER_TURN; i++) {
        struct timer_node *node = timer_wheel_expire(&p->wheel, p->now_us);
        struct proxy_timer *timer;

        if (node == NULL)
            return;
        timer = list_entry(node, struct proxy_timer, node);
        if (timer->deadline_us == UINT64_MAX)
            continue;
        if (timer->deadline_us > p->now_us) {
            timer_wheel_arm(&p->wheel, &timer->node, timer->deadline_us);
            continue;
        }
        timer->deadline_us = UINT64_MAX;
        if (timer->object == PROXY_CLIENT)
            client_timeout(p, list_entry(timer, struct client, timer));
        else
            upstream_timeout(p, list_entry(timer, struct upstream, timer));
    }
}

/* Established traffic was first; now at most one step on each side may cost a private-key operation (DESIGN). */
static void proxy_handshakes(struct proxy *p)
{
    if (!list_empty(&p->handshakes)) {
        struct client *c = list_entry(p->handshakes.next, struct client, run);

        list_remove(&c->run);
        client_handshake_step(p, c);
    }
    if (!list_empty(&p->upstream_handshakes)) {
        struct upstream *u = list_entry(p->upstream_handshakes.next, struct upstream, run);

        list_remove(&u->run);
        upstream_handshake_step(p, u);
    }
    client_start_deferred(p);
}

static void proxy_serve(struct proxy *p)
{
    for (int i = 0; i < PROXY_WORK_PER_TURN && !list_empty(&p->serve); i++) {
        struct origin *o = list_entry(p->serve.next, struct origin, serve);

        list_remove(&o->serve);
        origin_serve_queue(p, o);
    }
}

static void proxy_work(struct proxy *p)
{
    struct proxy_link *last = p->work.previous;

    /* What is appended meanwhile is for the next turn. */
    for (int i = 0; i < PROXY_WORK_PER_TURN && !list_empty(&p->work); i++) {
        struct proxy_link *link = p->work.next;
        struct client *c = list_entry(link, struct client, run);
        bool was_last = link == last;

        list_remove(link);
        exchange_pump(p, c);
        if (was_last)
            return;
    }
}

void proxy_run(struct proxy *p, const struct snapshot *snapshot, const struct tcp_event *events, uint32_t n,
               uint64_t now_us, uint64_t wall_ns)
{
    p->snapshot = snapshot;
    p->now_us = now_us;
    p->wall_ns = wall_ns;
    if (snapshot->generation != p->generation)
        proxy_adopt(p);
    for (uint32_t i = 0; i < n; i++)
        proxy_event(p, &events[i]);
    proxy_work(p);
    proxy_handshakes(p);
    proxy_timers(p);
    proxy_serve(p);
    proxy_sweep(p);
    p->snapshot = NULL;
}

bool proxy_busy(const struct proxy *p)
{
    return !list_empty(&p->work) || !list_empty(&p->serve) || !list_empty(&p->handshakes) ||
           !list_empty(&p->upstream_handshakes) || p->sweep_left > 0;
}

uint64_t proxy_next_timer_us(const struct proxy *p)
{
    return timer_wheel_next_us(&p->wheel);
}

/* --- the end -------------------------------------------------------------------------------------------------------------------------- */

void proxy_drain(struct proxy *p, const struct snapshot *snapshot, uint64_t now_us)
{
    p->draining = true;
    p->now_us = now_us;
    p->snapshot = snapshot;
    proxy_unlisten(p, NULL);
    for (uint32_t i = 0; i < pool_count(p->clients); i++) {
        struct client *c = proxy_client_at(p, i);

        if (c == NULL)
            continue;
        if (c->phase == CLIENT_HELLO)
            client_close(p, c, true);
        else if (c->phase == CLIENT_HEAD && c->in.end == c->in.start)
            client_linger(p, c);
    }
    for (uint32_t i = 0; i < pool_count(p->upstreams); i++) {
        struct upstream *u = proxy_upstream_at(p, i);

        if (u != NULL && u->phase == UPSTREAM_IDLE)
            upstream_close(p, u, false);
    }
    p->snapshot = NULL;
}

bool proxy_drained(const struct proxy *p)
{
    return p->draining && pool_taken(p->clients) == 0;
}

struct assay_counters *proxy_counters(struct proxy *p)
{
    return &p->counters;
}

const struct x509_verdict_stats *proxy_verdict_stats(const struct proxy *p)
{
    return x509_verdict_cache_stats(p->verdicts);
}

uint64_t proxy_generation(const struct proxy *p)
{
    return p->generation;
}
