/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The origins of a core and the pool of each (DESIGN 7): a connection is reused only for the same host, port, scheme
 * and deployment (hence the same reference identity and policy), address and client credential; what is too much waits in a
 * bounded queue. */
#include <stdio.h>

#include "base/address.h"
#include "proxy/internal.h"
#include "x509/scope.h"

static uint32_t origin_bucket(struct slice host, uint16_t port, bool https)
{
    uint64_t hash = 0xcbf29ce484222325ULL ^ port ^ ((uint64_t)https << 32);

    for (size_t i = 0; i < host.len; i++)
        hash = (hash ^ host.data[i]) * 0x100000001b3ULL;
    return (uint32_t)(hash ^ hash >> 32) % PROXY_ORIGIN_BUCKETS;
}

const struct trust_scope *origin_scope(const struct proxy *p, struct origin *o)
{
    const struct trust_section *trust = p->snapshot->trust;

    if (o->scope_generation != p->snapshot->generation) {
        o->scope = x509_scope_find(trust, o->deployment, slice_text(o->host), o->port);
        o->scope_generation = p->snapshot->generation;
        snprintf(o->scope_name, sizeof(o->scope_name), "%s", trust->scopes[o->scope].name);
    }
    return &trust->scopes[o->scope];
}

void origin_note_error(struct origin *o, const char *text)
{
    o->failures++;
    snprintf(o->last_error, sizeof(o->last_error), "%s", text);
}

void origin_forget_session(struct origin *o)
{
    tls_session_free(o->session);
    o->session = NULL;
    if (o->session_chain != NULL)
        x509_chain_unref(o->session_chain);
    o->session_chain = NULL;
}

void origin_remove(struct proxy *p, struct origin *o)
{
    struct origin **at = &p->origin_table[origin_bucket(slice_text(o->host), o->port, o->https)];

    while (*at != o)
        at = &(*at)->next_hash;
    *at = o->next_hash;
    list_remove(&o->recent);
    list_remove(&o->serve);
    origin_forget_session(o);
    if (o->chain != NULL)
        x509_chain_unref(o->chain);
    pool_give(p->origins, o);
}

/* Room for a new one: the origin that was unused for longest and serves nobody. */
static bool origin_make_room(struct proxy *p)
{
    for (struct proxy_link *at = p->recent_origins.next; at != &p->recent_origins; at = at->next) {
        struct origin *o = list_entry(at, struct origin, recent);

        if (o->connections != o->idle_count || o->queue_count != 0)
            continue;
        while (!list_empty(&o->idle))
            upstream_close(p, list_entry(o->idle.next, struct upstream, link), false);
        origin_remove(p, o);
        return true;
    }
    return false;
}

bool origin_evict_idle(struct proxy *p)
{
    for (struct proxy_link *at = p->recent_origins.next; at != &p->recent_origins; at = at->next) {
        struct origin *o = list_entry(at, struct origin, recent);

        if (list_empty(&o->idle))
            continue;
        upstream_close(p, list_entry(o->idle.next, struct upstream, link), false);
        return true;
    }
    return false;
}

bool origin_serves(const struct origin *o, const struct request_target *target)
{
    return o->port == target->port && o->https == target->https && o->deployment == target->deployment_number &&
           x509_identity_equal(&o->identity, &target->identity);
}

struct origin *origin_find(struct proxy *p, const struct request_target *target)
{
    uint32_t bucket = origin_bucket(target->host, target->port, target->https);
    struct origin *o;

    for (o = p->origin_table[bucket]; o != NULL; o = o->next_hash)
        if (origin_serves(o, target))
            break;
    if (o == NULL) {
        o = pool_take(p->origins);
        if (o == NULL && origin_make_room(p))
            o = pool_take(p->origins);
        if (o == NULL)
            return NULL;
        *o = (struct origin){.identity = target->identity,
                             .port = target->port,
                             .https = target->https,
                             .deployment = target->deployment_number};
        memcpy(o->host, target->host_text, sizeof(o->host));
        list_init(&o->idle);
        list_init(&o->busy);
        list_init(&o->queue);
        o->next_hash = p->origin_table[bucket];
        p->origin_table[bucket] = o;
    }
    list_remove(&o->recent);
    list_append(&p->recent_origins, &o->recent);
    return o;
}

/* May this address still be used for it? A name may have moved since the connection was made. */
static bool origin_has_address(struct proxy *p, const struct origin *o, const struct assay_address *address)
{
    const struct route_origin *route;

    if (o->identity.kind != X509_IDENTITY_DNS)
        return true;
    route = route_find_origin(p->snapshot->route, slice_text(o->host));
    for (uint32_t i = 0; route != NULL && i < route->address_count; i++)
        if (address_equal(&route->addresses[i], address))
            return true;
    return false;
}

/* Would a new connection show the same certificate of ours? */
static bool origin_credential_current(struct proxy *p, const struct origin *o, const struct upstream *u)
{
    return !o->https ||
           u->credential == route_client_credential(p->snapshot->credentials, slice_text(o->host), o->port);
}

void origin_review(struct proxy *p, struct upstream *u)
{
    if (u->phase == UPSTREAM_IDLE && !origin_credential_current(p, u->origin, u))
        upstream_close(p, u, false);
    else
        verdict_review(p, u);
}

static bool origin_usable(struct proxy *p, struct origin *o, struct upstream *u)
{
    if (!tcp_live(p->tcp, u->tcp) || !origin_has_address(p, o, &u->address) || !upstream_quiet(p, u))
        return false;
    if (!origin_credential_current(p, o, u))
        return false;
    if (!o->https)
        return true;
    return verdict_current(p, u) && !verdict_refuses(p, o, &u->verdict);
}

static void origin_assign(struct proxy *p, struct upstream *u, struct client *c)
{
    struct origin *o = u->origin;

    list_remove(&u->link);
    list_append(&o->busy, &u->link);
    o->idle_count--;
    proxy_deadline(p, &u->timer, UINT64_MAX);
    upstream_set_phase(u, UPSTREAM_BUSY);
    u->client = c;
    c->upstream = u;
    c->attempts++;
    p->counters.origin_connections_reused++;
    exchange_log_sending(p, c, &u->address);
}

static bool origin_take_sticky(struct proxy *p, struct origin *o, struct client *c)
{
    struct upstream *u = c->sticky;

    if (u == NULL)
        return false;
    c->sticky = NULL;
    u->sticky_for = NULL;
    if (u->origin == o && u->phase == UPSTREAM_IDLE && origin_usable(p, o, u)) {
        origin_assign(p, u, c);
        return true;
    }
    upstream_close(p, u, false);
    return false;
}

static bool origin_take_idle(struct proxy *p, struct origin *o, struct client *c)
{
    struct proxy_link *at, *previous;

    /* The one used last: it is the one least likely to be closed by the origin just now. */
    for (at = o->idle.previous; at != &o->idle; at = previous) {
        struct upstream *u = list_entry(at, struct upstream, link);

        previous = at->previous;
        if (u->sticky_for != NULL)
            continue;
        if (origin_usable(p, o, u)) {
            origin_assign(p, u, c);
            return true;
        }
        upstream_close(p, u, false);
    }
    return false;
}

/* Passes by addresses that no route of ours leads to: of a family that is not up, for instance. */
static const struct assay_address *origin_reachable(struct proxy *p, struct origin *o, const struct route_origin *route)
{
    assert(route->address_count > 0);
    for (uint32_t i = 0; i < route->address_count; i++) {
        const struct assay_address *address = &route->addresses[(o->address_next + i) % route->address_count];
        struct assay_address source;

        if (p->config.source.fn(p->config.source.arg, address, &source, 1) > 0) {
            o->address_next += i;
            return address;
        }
    }
    return &route->addresses[o->address_next % route->address_count];
}

/* The next address to try; false: there is none, and the request was answered. */
static bool origin_next_address(struct proxy *p, struct origin *o, struct client *c, struct assay_address *address)
{
    const struct route_origin *route;

    if (o->identity.kind != X509_IDENTITY_DNS)
        return address_parse(slice_text(o->host), address) == ASSAY_OK;
    route = route_find_origin(p->snapshot->route, slice_text(o->host));
    if (route != NULL && route->address_count > 0) {
        *address = *origin_reachable(p, o, route);
        return true;
    }
    p->counters.origin_unresolved++;
    origin_note_error(o,
                      route != NULL && route->error != NULL ? route->error : "the name is not known to the resolver");
    exchange_answer(p, c, 502, o->last_error);
    return false;
}

/* How long TCP may take: where another address can be tried after this one, not so long that the client gives up first (in the
 * spirit of RFC 8305 §5: a family that is broken somewhere on the way must not be waited for). */
static uint64_t origin_tcp_us(struct proxy *p, const struct origin *o, const struct client *c)
{
    const struct route_origin *route = route_find_origin(p->snapshot->route, slice_text(o->host));
    uint64_t whole_us = p->snapshot->settings->origin_connect_us;

    return c->attempts < EXCHANGE_ATTEMPTS && route != NULL && route->address_count > 1 ? whole_us / 4 : whole_us;
}

static bool origin_open(struct proxy *p, struct origin *o, struct client *c)
{
    struct assay_address address;
    enum assay_error error;

    if (!origin_next_address(p, o, c, &address))
        return false;
    c->attempts++;
    client_set_phase(p, c, CLIENT_CONNECT);
    exchange_log_sending(p, c, &address);
    error = upstream_connect(p, o, c, &address);
    if (error == ASSAY_OK) {
        /* One clock for TCP and TLS of this attempt; upstream_connected() goes on with it. */
        c->upstream->connect_until_us = p->now_us + p->snapshot->settings->origin_connect_us;
        proxy_deadline(p, &c->timer, p->now_us + origin_tcp_us(p, o, c));
        return false;
    }
    origin_note_error(o, assay_error_text(error));
    p->counters.origin_no_port += error == ASSAY_ERR_NO_PORT;
    if (error == ASSAY_ERR_NO_PORT)
        exchange_answer(p, c, 503, "no source port is left");
    else if (assay_error_class(error) == ASSAY_CLASS_RESOURCE)
        exchange_answer(p, c, 503, "too many connections");
    else
        exchange_answer(p, c, 502, "the origin cannot be reached");
    return false;
}

/* This core's share of a limit that all cores have together; the first ones get what does not divide. */
static uint32_t origin_share(const struct proxy *p, uint32_t limit)
{
    return limit / p->config.cores + (p->config.core < limit % p->config.cores);
}

/* A core without any connection could not serve its clients: where there are fewer than cores, each has one. */
static uint32_t origin_connections_share(const struct proxy *p)
{
    uint32_t share = origin_share(p, p->snapshot->settings->origin_connections_max);

    return share > 0 ? share : 1;
}

bool origin_acquire(struct proxy *p, struct origin *o, struct client *c)
{
    const struct settings_section *settings = p->snapshot->settings;

    c->origin = o;
    if (origin_take_sticky(p, o, c) || origin_take_idle(p, o, c))
        return true;
    if (o->connections < origin_connections_share(p))
        return origin_open(p, o, c);
    if (o->queue_count >= origin_share(p, settings->origin_queue_max)) {
        exchange_answer(p, c, 503, "too many requests wait for that origin");
        return false;
    }
    client_set_phase(p, c, CLIENT_QUEUED);
    list_append(&o->queue, &c->waiting);
    o->queue_count++;
    proxy_deadline(p, &c->timer, p->now_us + settings->origin_queue_us);
    return false;
}

void origin_leave_queue(struct client *c)
{
    if (!list_linked(&c->waiting))
        return;
    list_remove(&c->waiting);
    c->origin->queue_count--;
}

static bool origin_can_serve(struct proxy *p, const struct origin *o)
{
    if (o->connections < origin_connections_share(p))
        return true;
    for (const struct proxy_link *at = o->idle.next; at != &o->idle; at = at->next)
        if (list_entry(at, struct upstream, link)->sticky_for == NULL)
            return true;
    return false;
}

void origin_wake_queue(struct proxy *p, struct origin *o)
{
    if (o->queue_count > 0 && !list_linked(&o->serve))
        list_append(&p->serve, &o->serve);
}

void origin_serve_queue(struct proxy *p, struct origin *o)
{
    /* Each turn of the loop takes one client off the queue for good or stops. */
    while (!list_empty(&o->queue) && origin_can_serve(p, o)) {
        struct client *c = list_entry(o->queue.next, struct client, waiting);
        uint32_t waiting = o->queue_count;

        origin_leave_queue(c);
        if (!request_load(p, c))
            exchange_answer(p, c, p->target.status, p->target.what);
        else if (!origin_serves(o, &p->target))
            exchange_answer(p, c, 503, "the configuration sends the request elsewhere now");
        else if (origin_acquire(p, o, c))
            exchange_upstream_ready(p, c);
        if (o->queue_count >= waiting)
            return;
    }
}

void origin_release(struct proxy *p, struct upstream *u, bool reusable)
{
    struct origin *o = u->origin;

    buffer_give(p, &u->in);
    if (!reusable || p->draining || !tcp_live(p->tcp, u->tcp) || !origin_credential_current(p, o, u) ||
        !upstream_quiet(p, u)) {
        upstream_close(p, u, false);
        return;
    }
    u->revoke_us = 0;
    list_remove(&u->link);
    list_append(&o->idle, &u->link);
    o->idle_count++;
    upstream_set_phase(u, UPSTREAM_IDLE);
    proxy_deadline(p, &u->timer, p->now_us + p->snapshot->settings->origin_idle_us);
    origin_serve_queue(p, o);
}
