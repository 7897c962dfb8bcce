/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_mbuf.h>

#include "access/access.h"
#include "access/clients.h"
#include "base/address.h"
#include "base/byte_ring.h"
#include "proxy/internal.h"
#include "rig.h"
#include "x509/scope.h"
#include "x509/store.h"
#include "x509/verify.h"

#define WORLD_MBUFS 16384

static struct rig_pools world_pools;
static struct x509_policy world_policy;

int world_start(void **state)
{
    char prefix[64];

    snprintf(prefix, sizeof(prefix), "assay-proxy-%d", (int)getpid());
    rig_start(prefix);
    world_pools = rig_pools_create("world", WORLD_MBUFS);
    world_tls_start();
    return 0;
}

int world_stop(void **state)
{
    world_tls_stop();
    rig_pools_free(&world_pools);
    return 0;
}

static uint64_t world_cycles(void)
{
    static uint64_t ticks;

    return ticks += 10;
}

static uint32_t world_source(const void *arg, const struct assay_address *destination, struct assay_address *sources,
                             uint32_t max)
{
    if (destination->bytes[0] == 0x20) /* 2001:db8::/32: IPv6 is not up here */
        return 0;
    sources[0] = rig_address("198.18.0.10");
    return 1;
}

static struct access_set *world_rules(void)
{
    static const char *const hosts[] = {"198.18.2.11",     "198.18.2.12",    "198.18.2.15",        "cucm.steven.lab",
                                        "hole.steven.lab", "imp.steven.lab", "nowhere.steven.lab", "two.steven.lab"};
    static const char *const origins[] = {"http://%s:8000/", "https://%s:8443/", "https://%s:6972/",
                                          "https://%s:7443/"};
    static const char *const of_two[] = {"https://cucm.steven.lab:8443/", "https://cucm.steven.lab:6972/"};
    static const char *const never[] = {"http://198.18.0.10:8080/", "http://127.0.0.1:8000/"};
    struct access_builder *builder = access_builder_create();
    struct access_rule rule = {.deployment = "1", .match = ACCESS_MATCH_PREFIX, .description = ""};
    struct access_set *set;
    const char *fault;
    char url[128];

    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        for (size_t k = 0; k < sizeof(origins) / sizeof(origins[0]); k++) {
            snprintf(url, sizeof(url), origins[k], hosts[i]);
            rule.url = url;
            assert_int_equal(access_builder_add(builder, &rule, &fault), ASSAY_OK);
        }
    }
    rule.deployment = "2";
    for (size_t i = 0; i < sizeof(of_two) / sizeof(of_two[0]); i++) {
        rule.url = of_two[i];
        assert_int_equal(access_builder_add(builder, &rule, &fault), ASSAY_OK);
    }
    rule.deployment = "1";
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        rule.url = never[i];
        assert_int_equal(access_builder_add(builder, &rule, &fault), ASSAY_OK);
    }
    assert_int_equal(access_builder_finish(builder, 2, &set), ASSAY_OK);
    access_builder_free(builder);
    return set;
}

static void world_routes(struct world *w)
{
    static struct route_domain domains[] = {
        {.domain = "edge.lab", .deployment = "1", .host = "198.18.2.11", .port = 8000},
        {.domain = "steven.lab", .deployment = "1"},
        {.domain = "two.lab", .deployment = "2"},
    };
    static struct assay_address own;
    struct access_clients *any;
    struct assay_address node = rig_address("198.18.2.11");

    for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
        domains[i].deployment_number = x509_scope_deployment(slice_text(domains[i].deployment));
    own = rig_address("198.18.0.10");
    assert_int_equal(access_clients_create(NULL, 0, true, NULL, 0, &any), ASSAY_OK);
    w->listeners[0] = (struct route_listener){.address = own, .port = 8080, .clients = any};
    w->listeners[1] = (struct route_listener){.address = own, .port = 8443, .tls = true, .clients = any};
    w->origins[0] = (struct route_origin){.host = "cucm.steven.lab", .address_count = 1, .addresses = {node}};
    w->origins[1] = (struct route_origin){
        .host = "hole.steven.lab", .address_count = 2, .addresses = {rig_address("198.18.2.14"), node}};
    w->origins[2] = (struct route_origin){.host = "imp.steven.lab", .address_count = 1, .addresses = {node}};
    w->origins[3] = (struct route_origin){.host = "nowhere.steven.lab", .error = "NXDOMAIN from 198.18.2.53"};
    w->origins[4] = (struct route_origin){
        .host = "two.steven.lab", .address_count = 2, .addresses = {rig_address("198.18.2.12"), node}};
    w->route = (struct route_section){.epoch = 1,
                                      .listener_count = 2,
                                      .listeners = w->listeners,
                                      .origin_count = WORLD_ORIGINS,
                                      .origins = w->origins,
                                      .domain_count = sizeof(domains) / sizeof(domains[0]),
                                      .domains = domains,
                                      .own_address_count = 1,
                                      .own_addresses = &own};
}

static void world_sections(struct world *w)
{
    world_routes(w);
    world_tls_credentials(w);
    w->settings = (struct settings_section){.epoch = 1,
                                            .via_name = "assay",
                                            .head_max_bytes = 16384,
                                            .target_max_bytes = 8192,
                                            .fields_max = 100,
                                            .handshakes_max = 64,
                                            .clients_max = 100,
                                            .origin_connections_max = 4,
                                            .origin_queue_max = 4,
                                            .client_handshake_us = 5000000,
                                            .client_head_us = 2000000,
                                            .client_idle_us = 10000000,
                                            .client_body_us = 3000000,
                                            .client_send_us = 4000000,
                                            .origin_connect_us = 1500000,
                                            .origin_queue_us = 1000000,
                                            .origin_head_us = 3000000,
                                            .origin_body_us = 3000000,
                                            .origin_idle_us = 20000000,
                                            .drain_us = 5000000,
                                            .log_requests = true};
    x509_policy_default(&world_policy);
    w->stores[w->store_count++] = world_tls_store(0);
    w->trust = (struct trust_section){.epoch = 1,
                                      .revision = 1,
                                      .revoke_grace_us = 1000000,
                                      .scope_count = 1,
                                      .scopes = w->scopes,
                                      .deployments = w->deployments,
                                      .origins = w->trust_origins};
    w->scopes[0] = (struct trust_scope){.name = "global", .store = w->stores[0], .policy = &world_policy};
    w->access = (struct access_section){.epoch = 1, .rules = world_rules()};
}

static void world_tcp(struct world *w)
{
    static const char *const addresses[] = {"198.18.2.11", "198.18.2.15"};
    static const uint16_t ports[] = {8000, 8443, 6972, 7443};
    struct tcp_config config;

    tcp_config_default(&config);
    config.connections_max = 512;
    config.time_wait_us = 50000;
    assert_int_equal(
        tcp_create(&config, world_pools.packet, world_pools.payload, world_pools.indirect, w->now_us, &w->near),
        ASSAY_OK);
    config.port_min = 40000;
    config.port_max = 50000;
    assert_int_equal(
        tcp_create(&config, world_pools.packet, world_pools.payload, world_pools.indirect, w->now_us, &w->far),
        ASSAY_OK);
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct assay_address address = rig_address(addresses[i]);

        for (size_t k = 0; k < sizeof(ports) / sizeof(ports[0]); k++)
            assert_int_equal(tcp_listen(w->far, &address, ports[k], 0), ASSAY_OK);
    }
}

struct world *world_create(void)
{
    struct world *w = test_calloc(1, sizeof(*w));
    struct proxy_config proxy = {.cores = 1,
                                 .source = {.fn = world_source},
                                 .clients_max = 100,
                                 .origins_max = 8,
                                 .verdicts_max = 64,
                                 .cycles_ns = world_cycles};

    w->now_us = 1000000;
    w->mbufs_missing = rig_pools_missing(&world_pools);
    w->certificate_8443 = WORLD_CA_SIGNED;
    w->certificate_6972 = WORLD_SELF_SIGNED;
    world_sections(w);
    world_tcp(w);
    assert_int_equal(byte_ring_create(1U << 20, &w->log), ASSAY_OK);
    assert_int_equal(byte_ring_create(1U << 20, &w->alarm_log), ASSAY_OK);
    assert_int_equal(byte_ring_create(1U << 16, &w->chains), ASSAY_OK);
    proxy.tcp = w->near;
    proxy.log = w->log;
    proxy.alarm_log = w->alarm_log;
    proxy.chains = w->chains;
    assert_int_equal(proxy_create(&proxy, w->now_us, &w->proxy), ASSAY_OK);
    /* Also for tests that run the proxy by hand. */
    w->snapshot = (struct snapshot){.generation = 1,
                                    .settings = &w->settings,
                                    .trust = &w->trust,
                                    .access = &w->access,
                                    .credentials = &w->credentials,
                                    .route = &w->route};
    world_run(w, 1);
    return w;
}

/* Nothing is held by anything that is not open. */
static void world_expect_nothing_left(struct world *w)
{
    const struct tls_credential *const credentials[] = {&w->edge, &w->wild, &w->client, &w->client_other};
    const struct assay_counters *counters = proxy_counters(w->proxy);

    assert_int_equal(counters->client_connections_now, 0);
    assert_int_equal(counters->origin_connections_now, 0);
    assert_int_equal(counters->requests_now, 0);
    assert_int_equal(w->proxy->handshake_count, 0);
    assert_int_equal(pool_taken(w->proxy->clients), 0);
    assert_int_equal(pool_taken(w->proxy->upstreams), 0);
    assert_int_equal(pool_taken(w->proxy->origins), 0);
    assert_int_equal(pool_taken(w->proxy->buffers), 0);
    for (size_t i = 0; i < sizeof(credentials) / sizeof(credentials[0]); i++)
        if (atomic_load(&credentials[i]->users[0]) != 0)
            fail_msg("credential %s is used by %u", credentials[i]->name, credentials[i]->users[0]);
}

void world_free(struct world *w)
{
    proxy_close(w->proxy);
    world_expect_nothing_left(w);
    proxy_free(w->proxy);
    tcp_destroy(w->near);
    tcp_destroy(w->far);
    byte_ring_destroy(w->log);
    byte_ring_destroy(w->alarm_log);
    byte_ring_destroy(w->chains);
    access_clients_free((struct access_clients *)(uintptr_t)w->listeners[0].clients);
    access_set_free((struct access_set *)(uintptr_t)w->access.rules);
    for (uint32_t i = 0; i < w->store_count; i++)
        x509_store_free(w->stores[i]);
    for (uint32_t i = 0; i < w->peer_count; i++) {
        world_tls_free(w->peers[i]);
        free(w->peers[i]->outbox);
        test_free(w->peers[i]->received);
        test_free(w->peers[i]);
    }
    assert_int_equal(rig_pools_missing(&world_pools), w->mbufs_missing);
    test_free(w);
}

static struct world_peer *world_peer(struct world *w)
{
    struct world_peer *peer = test_calloc(1, sizeof(*peer));

    assert_in_range(w->peer_count, 0, WORLD_PEERS - 1);
    peer->received = test_calloc(1, 65536);
    w->peers[w->peer_count++] = peer;
    return peer;
}

/* What one side sent, as the other side's net/ would hand it up. */
static uint32_t world_carry(struct tcp *from, uint64_t now_us, struct net_segment *segments)
{
    struct assay_address hole = rig_address("198.18.2.14");
    struct net_tx tx = {0};
    uint32_t n = 0;

    tcp_output(from, now_us, &tx);
    for (uint32_t i = 0; i < tx.count; i++) {
        struct net_datagram *d = &tx.datagrams[i];

        if (!address_equal(&d->dst, &hole)) {
            segments[n] = (struct net_segment){.mbuf = rte_pktmbuf_copy(d->mbuf, world_pools.packet, 0, UINT32_MAX),
                                               .src = d->src,
                                               .dst = d->dst,
                                               .length = (uint16_t)d->mbuf->pkt_len};
            assert_non_null(segments[n++].mbuf);
        }
        rte_pktmbuf_free(d->mbuf);
    }
    return n;
}

void world_take(struct world_peer *peer, const void *data, size_t len)
{
    size_t needed = peer->length + len + 1;

    if (needed > 65536) {
        assert_in_range(needed, 0, WORLD_STREAM_BYTES);
        peer->received = test_realloc(peer->received, (needed / 65536 + 1) * 65536);
    }
    if (len > 0)
        memcpy(peer->received + peer->length, data, len);
    peer->length += len;
    peer->received[peer->length] = 0;
}

static void world_read(struct world *w, struct world_peer *peer)
{
    struct slice piece;

    if (peer->secure && !peer->paused)
        world_tls_read(w, peer);
    while (!peer->secure && !peer->paused && (piece = tcp_peek(w->far, peer->tcp)).len > 0) {
        world_take(peer, piece.data, piece.len);
        tcp_consume(w->far, peer->tcp, piece.len);
    }
    if (tcp_at_end(w->far, peer->tcp))
        peer->finished = true;
}

/* --- what the test sends -------------------------------------------------------------------------------------------------- */

void world_put(struct world *w, struct world_peer *peer, const void *data, size_t len)
{
    if (len == 0)
        return;
    if (!peer->drips) {
        (void)tcp_write(w->far, peer->tcp, data, len);
        return;
    }
    peer->outbox = realloc(peer->outbox, peer->outbox_length + len);
    assert_non_null(peer->outbox);
    memcpy(peer->outbox + peer->outbox_length, data, len);
    peer->outbox_length += len;
}

static void world_drip(struct world *w)
{
    for (uint32_t i = 0; i < w->peer_count; i++) {
        struct world_peer *peer = w->peers[i];

        if (peer->outbox_sent < peer->outbox_length)
            peer->outbox_sent += tcp_write(w->far, peer->tcp, peer->outbox + peer->outbox_sent, 1);
    }
}

static void world_far_accept(struct world *w, const struct tcp_event *event)
{
    struct world_peer *peer = world_peer(w);
    struct tcp_info info;

    tcp_accepted(w->far, event->handle);
    peer->tcp = event->handle;
    if (tcp_get_info(w->far, event->handle, &info) == ASSAY_OK)
        peer->port = info.local_port;
    peer->secure = !w->plays_bytes && (peer->port == 8443 || peer->port == 6972);
    w->accepted[w->accepted_count++ % WORLD_ACCEPTED] = peer;
}

static void world_far_events(struct world *w, const struct tcp_event *events, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct world_peer *peer = NULL;

        if (events[i].flags & TCP_EVENT_ACCEPTED)
            world_far_accept(w, &events[i]);
        for (uint32_t k = w->peer_count; peer == NULL && k-- > 0;)
            if (w->peers[k]->tcp.index == events[i].handle.index &&
                w->peers[k]->tcp.generation == events[i].handle.generation)
                peer = w->peers[k];
        if (peer == NULL)
            continue;
        peer->open |= (events[i].flags & (TCP_EVENT_ACCEPTED | TCP_EVENT_CONNECTED)) != 0;
        if (events[i].flags & TCP_EVENT_CLOSED)
            peer->reset = true;
        else
            world_read(w, peer);
    }
}

/* --- time --------------------------------------------------------------------------------------------------------------------- */

struct world_loan {
    struct snapshot snapshot;
    struct settings_section settings;
    struct trust_section trust;
    struct trust_scope scopes[4];
    struct trust_deployment deployments[2];
    struct trust_origin trust_origins[4];
    struct access_section access;
    struct credential_section credentials;
    struct credential_name names[4];
    struct credential_origin client_origins[4];
    struct route_section route;
    struct route_listener listeners[4];
    struct route_origin origins[WORLD_ORIGINS];
    struct route_domain domains[4];
    char hosts[WORLD_ORIGINS][64];
};

#define WORLD_COPY(to, from, count)                              \
    do {                                                         \
        assert_in_range(count, 0, sizeof(to) / sizeof((to)[0])); \
        if ((count) > 0)                                         \
            memcpy(to, from, (count) * sizeof((to)[0]));         \
    } while (0)

/* The snapshot as the proxy sees it: for this turn only. */
static struct world_loan *world_lend(const struct world *w)
{
    struct world_loan *loan = malloc(sizeof(*loan));

    assert_non_null(loan);
    loan->settings = w->settings;
    loan->trust = w->trust;
    WORLD_COPY(loan->scopes, w->trust.scopes, w->trust.scope_count);
    WORLD_COPY(loan->deployments, w->trust.deployments, w->trust.deployment_count);
    WORLD_COPY(loan->trust_origins, w->trust.origins, w->trust.origin_count);
    loan->trust.scopes = loan->scopes;
    loan->trust.deployments = loan->deployments;
    loan->trust.origins = loan->trust_origins;
    loan->access = w->access;
    loan->credentials = w->credentials;
    loan->route = w->route;
    WORLD_COPY(loan->names, w->credentials.server_names, w->credentials.server_name_count);
    WORLD_COPY(loan->client_origins, w->credentials.client_origins, w->credentials.client_origin_count);
    WORLD_COPY(loan->listeners, w->route.listeners, w->route.listener_count);
    WORLD_COPY(loan->origins, w->route.origins, w->route.origin_count);
    WORLD_COPY(loan->domains, w->route.domains, w->route.domain_count);
    for (uint32_t i = 0; i < w->route.origin_count; i++) {
        snprintf(loan->hosts[i], sizeof(loan->hosts[i]), "%s", w->route.origins[i].host);
        loan->origins[i].host = loan->hosts[i];
    }
    loan->credentials.server_names = loan->names;
    loan->credentials.client_origins = loan->client_origins;
    loan->route.listeners = loan->listeners;
    loan->route.origins = loan->origins;
    loan->route.domains = loan->domains;
    loan->snapshot = (struct snapshot){.generation = w->snapshot.generation,
                                       .settings = &loan->settings,
                                       .trust = &loan->trust,
                                       .access = &loan->access,
                                       .credentials = &loan->credentials,
                                       .route = &loan->route};
    return loan;
}

static void world_turn(struct world *w, const struct tcp_event *events, uint32_t n)
{
    struct world_loan *loan = world_lend(w);
    uint64_t wall_ns = (WORLD_WALL_S + w->wall_ahead_s) * 1000000000 + w->now_us * 1000;

    proxy_run(w->proxy, &loan->snapshot, events, n, w->now_us, wall_ns);
    memset(loan, 0xa5, sizeof(*loan));
    free(loan);
}

void world_step(struct world *w)
{
    static struct net_segment segments[NET_TX_MAX];
    static struct tcp_event events[1024];
    uint32_t n, e;

    w->now_us += WORLD_STEP_US;
    world_drip(w);
    n = world_carry(w->far, w->now_us, segments);
    e = tcp_timers(w->near, w->now_us, events, 256);
    e += tcp_input(w->near, segments, n, w->now_us, events + e, 1024 - e);
    world_turn(w, events, e);
    n = world_carry(w->near, w->now_us, segments);
    e = tcp_timers(w->far, w->now_us, events, 256);
    e += tcp_input(w->far, segments, n, w->now_us, events + e, 1024 - e);
    world_far_events(w, events, e);
}

void world_run(struct world *w, uint32_t ms)
{
    uint64_t end_us = w->now_us + (uint64_t)ms * 1000;

    while (w->now_us < end_us)
        world_step(w);
}

void world_drain(struct world *w)
{
    struct world_loan *loan = world_lend(w);

    proxy_drain(w->proxy, &loan->snapshot, w->now_us);
    free(loan);
}

/* --- connections -------------------------------------------------------------------------------------------------------------- */

struct world_peer *world_open(struct world *w, const char *address, uint16_t port, bool secure)
{
    struct assay_address local = rig_address(address), remote = rig_address("198.18.0.10");
    struct world_peer *peer = world_peer(w);

    peer->is_client = true;
    peer->secure = secure;
    assert_int_equal(tcp_connect(w->far, &local, 0, &remote, port, 0, w->now_us, &peer->tcp), ASSAY_OK);
    return peer;
}

struct world_peer *world_connect_from(struct world *w, const char *address)
{
    struct world_peer *peer = world_open(w, address, 8080, false);

    world_run(w, 5);
    return peer;
}

struct world_peer *world_connect(struct world *w)
{
    return world_connect_from(w, "198.18.1.7");
}

struct world_peer *world_connect_tls(struct world *w, const char *sni, const struct tls_session *session)
{
    struct world_peer *peer = world_open(w, "198.18.1.7", 8443, true);

    peer->sni = sni;
    peer->session = session;
    for (int i = 0; i < 50 && !peer->established && !peer->failed && !peer->reset; i++)
        world_run(w, 2);
    world_run(w, 5);
    return peer;
}

void world_send_bytes(struct world *w, struct world_peer *peer, const void *data, size_t len)
{
    const uint8_t *at = data;

    for (int i = 0; len > 0 && i < 10000; i++) {
        size_t taken = 0;

        if (peer->secure) {
            taken = world_tls_write(w, peer, at, len);
        } else if (peer->drips) {
            world_put(w, peer, at, len);
            taken = len;
        } else {
            taken = tcp_write(w->far, peer->tcp, at, len);
        }
        at += taken;
        len -= taken;
        world_run(w, 2);
    }
}

void world_send(struct world *w, struct world_peer *peer, const char *text)
{
    world_send_bytes(w, peer, text, strlen(text));
    world_run(w, 10);
}

void world_send_raw(struct world *w, struct world_peer *peer, const void *data, size_t len)
{
    world_put(w, peer, data, len);
    world_run(w, 10);
}

void world_cut(struct world *w, struct world_peer *peer)
{
    tcp_shutdown(w->far, peer->tcp);
    world_run(w, 5);
}

void world_finish(struct world *w, struct world_peer *peer)
{
    if (peer->secure)
        world_tls_close_notify(w, peer);
    world_cut(w, peer);
}

void world_close(struct world *w, struct world_peer *peer)
{
    if (peer->secure)
        world_tls_close_notify(w, peer);
    tcp_close(w->far, peer->tcp);
    world_run(w, 10);
}

void world_abort(struct world *w, struct world_peer *peer)
{
    tcp_abort(w->far, peer->tcp);
    world_run(w, 10);
}

void world_forget(struct world_peer *peer)
{
    peer->length = 0;
    peer->received[0] = 0;
}

struct world_peer *world_accept(struct world *w)
{
    if (w->accepted_taken == w->accepted_count)
        return NULL;
    return w->accepted[w->accepted_taken++ % 64];
}

void world_publish(struct world *w)
{
    w->snapshot.generation++;
    world_run(w, 2);
}

void world_trust(struct world *w, unsigned trust)
{
    assert_in_range(w->store_count, 0, WORLD_STORES - 1);
    w->stores[w->store_count] = world_tls_store(trust);
    w->scopes[0].store = w->stores[w->store_count++];
    w->trust.epoch++;
    w->trust.revision++;
    world_publish(w);
}

void world_mode(struct world *w, enum verify_mode mode)
{
    w->scopes[0].mode = mode;
    w->trust.revision++;
    world_publish(w);
}

void world_resume(struct world *w, struct world_peer *peer)
{
    peer->paused = false;
    world_read(w, peer);
    world_run(w, 5);
}

const struct assay_counters *world_counters(struct world *w)
{
    return proxy_counters(w->proxy);
}

int world_log(struct byte_ring *ring, unsigned string, char *text, size_t capacity)
{
    struct log_record record;
    struct slice bytes;
    size_t at = sizeof(record);

    if (!byte_ring_peek(ring, &bytes))
        return -1;
    memcpy(&record, bytes.data, sizeof(record));
    for (unsigned i = 0; i < string; i++)
        at += record.string_length[i];
    if (text != NULL)
        snprintf(text, capacity, "%.*s", record.string_length[string], (const char *)bytes.data + at);
    byte_ring_release(ring);
    return record.kind;
}

unsigned world_records(struct byte_ring *ring, int kind, struct world_record *last)
{
    unsigned count = 0;
    struct slice bytes;

    while (byte_ring_peek(ring, &bytes)) {
        struct world_record record = {0};
        size_t at = sizeof(record.head);

        memcpy(&record.head, bytes.data, sizeof(record.head));
        for (unsigned i = 0; i < LOG_STRINGS; i++) {
            snprintf(record.strings[i], sizeof(record.strings[i]), "%.*s", record.head.string_length[i],
                     (const char *)bytes.data + at);
            at += record.head.string_length[i];
        }
        byte_ring_release(ring);
        if (record.head.kind != kind)
            continue;
        count++;
        if (last != NULL)
            *last = record;
    }
    return count;
}

const char *world_path(const char *scheme, const char *host, unsigned port, const char *path)
{
    return world_path_of("steven.lab", scheme, host, port, path);
}

const char *world_path_of(const char *domain, const char *scheme, const char *host, unsigned port, const char *path)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static char buffers[4][1024];
    static unsigned turn;
    char plain[512], *out = buffers[turn++ % 4], *at = out;
    size_t len = (size_t)snprintf(plain, sizeof(plain), "%s/%s/%s/%u", domain, scheme, host, port);

    *at++ = '/';
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)(uint8_t)plain[i] << 16;

        bits |= left > 1 ? (uint32_t)(uint8_t)plain[i + 1] << 8 : 0;
        bits |= left > 2 ? (uint8_t)plain[i + 2] : 0;
        for (size_t k = 0; k <= left; k++)
            *at++ = alphabet[bits >> (18 - 6 * k) & 63];
    }
    snprintf(at, 1024 - (size_t)(at - out), "%s", path);
    return out;
}

void world_request(struct world *w, struct world_peer *client, const char *method, const char *path, const char *rest)
{
    char text[4096];

    snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: edge\r\n%s", method, path, rest);
    world_send(w, client, text);
}

void world_answer(struct world *w, struct world_peer *origin, const char *body)
{
    char text[4096];

    snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    world_send(w, origin, text);
}

bool world_starts(const struct world_peer *peer, const char *text)
{
    return strncmp(peer->received, text, strlen(text)) == 0;
}

struct world_peer *world_ask(struct world *w, struct world_peer *client, const char *host, unsigned port)
{
    world_forget(client);
    world_request(w, client, "GET", world_path("https", host, port, "/x"), "\r\n");
    world_run(w, 20);
    return world_accept(w);
}

void world_expect(struct world_peer *client, const char *answer)
{
    if (!world_starts(client, answer))
        fail_msg("expected %s, got %.100s", answer, client->received);
}

struct world_peer *world_exchange(struct world *w, struct world_peer *client, const char *host, unsigned port,
                                  struct world_peer *pooled)
{
    struct world_peer *origin = world_ask(w, client, host, port);

    if (origin == NULL)
        origin = pooled;
    if (origin == NULL || strncmp(origin->received, "GET /x", 6) != 0)
        fail_msg("the request did not arrive: %.100s", client->received);
    world_forget(origin);
    world_answer(w, origin, "ok");
    world_expect(client, WORLD_200);
    return origin;
}
