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
#include "rig.h"
#include "x509/store.h"
#include "x509/verify.h"

#define WORLD_MBUFS       16384
#define WORLD_STEP_US     500
#define WORLD_ORIGIN_PORT 8000

static struct rig_pools world_pools;
static struct x509_policy world_policy;

int world_start(void **state)
{
    char prefix[64];

    snprintf(prefix, sizeof(prefix), "assay-proxy-%d", (int)getpid());
    rig_start(prefix);
    world_pools = rig_pools_create("world", WORLD_MBUFS);
    return 0;
}

int world_stop(void **state)
{
    rig_pools_free(&world_pools);
    return 0;
}

static uint64_t world_cycles(void)
{
    static uint64_t ticks;

    return ticks += 10;
}

static enum assay_error world_source(const void *arg, const struct assay_address *destination,
                                     struct assay_address *source)
{
    *source = rig_address("198.18.0.10");
    return ASSAY_OK;
}

static struct access_set *world_rules(void)
{
    static const char *const urls[] = {"http://198.18.2.11:8000/",        "http://cucm.steven.lab:8000/",
                                       "http://nowhere.steven.lab:8000/", "http://198.18.0.10:8080/",
                                       "http://127.0.0.1:8000/",          "http://198.18.2.12:8000/"};
    struct access_builder *builder = access_builder_create();
    struct access_set *set;
    const char *fault;

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct access_rule rule = {.url = urls[i], .deployment = "1", .match = ACCESS_MATCH_PREFIX, .description = ""};

        assert_int_equal(access_builder_add(builder, &rule, &fault), ASSAY_OK);
    }
    assert_int_equal(access_builder_finish(builder, 1, &set), ASSAY_OK);
    access_builder_free(builder);
    return set;
}

static void world_sections(struct world *w)
{
    static struct route_origin origins[] = {
        {.host = "cucm.steven.lab", .address_count = 1},
        {.host = "nowhere.steven.lab", .error = "NXDOMAIN from 198.18.2.53"},
    };
    static const struct route_domain domains[] = {
        {.domain = "edge.lab", .host = "198.18.2.11", .port = WORLD_ORIGIN_PORT},
        {.domain = "steven.lab"},
    };
    static struct assay_address own;
    struct access_clients *any;

    origins[0].addresses[0] = rig_address("198.18.2.11");
    own = rig_address("198.18.0.10");
    assert_int_equal(access_clients_create(NULL, 0, true, NULL, 0, &any), ASSAY_OK);
    w->listener = (struct route_listener){.address = own, .port = 8080, .clients = any};
    w->route = (struct route_section){.epoch = 1,
                                      .listener_count = 1,
                                      .listeners = &w->listener,
                                      .origin_count = 2,
                                      .origins = origins,
                                      .domain_count = 2,
                                      .domains = domains,
                                      .own_address_count = 1,
                                      .own_addresses = &own};
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
    w->trust = (struct trust_section){
        .epoch = 1, .store = x509_store_create(), .policy = &world_policy, .revoke_grace_us = 1000000};
    w->access = (struct access_section){.epoch = 1, .rules = world_rules()};
    w->snapshot = (struct snapshot){.generation = 1,
                                    .settings = &w->settings,
                                    .trust = &w->trust,
                                    .access = &w->access,
                                    .credentials = &w->credentials,
                                    .route = &w->route};
}

struct world *world_create(void)
{
    struct world *w = test_calloc(1, sizeof(*w));
    struct assay_address origin = rig_address("198.18.2.11");
    struct tcp_config config;
    struct proxy_config proxy = {.cores = 1,
                                 .source = {.fn = world_source},
                                 .clients_max = 100,
                                 .origins_max = 8,
                                 .verdicts_max = 64,
                                 .cycles_ns = world_cycles};

    w->now_us = 1000000;
    world_sections(w);
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
    assert_int_equal(tcp_listen(w->far, &origin, WORLD_ORIGIN_PORT, 0), ASSAY_OK);
    assert_int_equal(byte_ring_create(1U << 20, &w->log), ASSAY_OK);
    assert_int_equal(byte_ring_create(1U << 20, &w->alarm_log), ASSAY_OK);
    proxy.tcp = w->near;
    proxy.log = w->log;
    proxy.alarm_log = w->alarm_log;
    assert_int_equal(proxy_create(&proxy, w->now_us, &w->proxy), ASSAY_OK);
    world_run(w, 1);
    return w;
}

void world_free(struct world *w)
{
    proxy_free(w->proxy);
    tcp_destroy(w->near);
    tcp_destroy(w->far);
    byte_ring_destroy(w->log);
    byte_ring_destroy(w->alarm_log);
    access_clients_free((struct access_clients *)w->listener.clients);
    access_set_free((struct access_set *)w->access.rules);
    x509_store_free((struct x509_store *)w->trust.store);
    for (uint32_t i = 0; i < w->peer_count; i++) {
        test_free(w->peers[i]->received);
        test_free(w->peers[i]);
    }
    assert_int_equal(rig_pools_missing(&world_pools), 0);
    test_free(w);
}

static struct world_peer *world_peer(struct world *w)
{
    struct world_peer *peer = test_calloc(1, sizeof(*peer));

    assert_in_range(w->peer_count, 0, 255);
    peer->received = test_calloc(1, 65536);
    w->peers[w->peer_count++] = peer;
    return peer;
}

/* What one side sent, as the other side's net/ would hand it up. */
static uint32_t world_carry(struct tcp *from, uint64_t now_us, struct net_segment *segments)
{
    struct net_tx tx = {0};

    tcp_output(from, now_us, &tx);
    for (uint32_t i = 0; i < tx.count; i++) {
        struct net_datagram *d = &tx.datagrams[i];

        segments[i] = (struct net_segment){.mbuf = rte_pktmbuf_copy(d->mbuf, world_pools.packet, 0, UINT32_MAX),
                                           .src = d->src,
                                           .dst = d->dst,
                                           .length = (uint16_t)d->mbuf->pkt_len};
        assert_non_null(segments[i].mbuf);
        rte_pktmbuf_free(d->mbuf);
    }
    return tx.count;
}

static void world_read(struct world *w, struct world_peer *peer)
{
    struct slice piece;

    while (!peer->paused && (piece = tcp_peek(w->far, peer->tcp)).len > 0) {
        size_t needed = peer->length + piece.len + 1;

        if (needed > 65536) {
            assert_in_range(needed, 0, WORLD_STREAM_BYTES);
            peer->received = test_realloc(peer->received, (needed / 65536 + 1) * 65536);
        }
        memcpy(peer->received + peer->length, piece.data, piece.len);
        peer->length += piece.len;
        peer->received[peer->length] = 0;
        tcp_consume(w->far, peer->tcp, piece.len);
    }
    if (tcp_at_end(w->far, peer->tcp))
        peer->finished = true;
}

static void world_far_events(struct world *w, const struct tcp_event *events, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct world_peer *peer = NULL;

        if (events[i].flags & TCP_EVENT_ACCEPTED) {
            tcp_accepted(w->far, events[i].handle);
            peer = world_peer(w);
            peer->tcp = events[i].handle;
            w->accepted[w->accepted_count++ % 64] = peer;
        }
        for (uint32_t k = 0; peer == NULL && k < w->peer_count; k++)
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

void world_run(struct world *w, uint32_t ms)
{
    static struct net_segment segments[NET_TX_MAX];
    static struct tcp_event events[1024];
    uint64_t end_us = w->now_us + (uint64_t)ms * 1000;

    while (w->now_us < end_us) {
        uint32_t n, e;

        w->now_us += WORLD_STEP_US;
        n = world_carry(w->far, w->now_us, segments);
        e = tcp_timers(w->near, w->now_us, events, 256);
        e += tcp_input(w->near, segments, n, w->now_us, events + e, 1024 - e);
        proxy_run(w->proxy, &w->snapshot, events, e, w->now_us, 1700000000000000000ULL + w->now_us * 1000);
        n = world_carry(w->near, w->now_us, segments);
        e = tcp_timers(w->far, w->now_us, events, 256);
        e += tcp_input(w->far, segments, n, w->now_us, events + e, 1024 - e);
        world_far_events(w, events, e);
    }
}

struct world_peer *world_connect(struct world *w)
{
    struct assay_address local = rig_address("198.18.1.7"), remote = rig_address("198.18.0.10");
    struct world_peer *peer = world_peer(w);

    assert_int_equal(tcp_connect(w->far, &local, 0, &remote, 8080, 0, w->now_us, &peer->tcp), ASSAY_OK);
    world_run(w, 5);
    return peer;
}

void world_send_bytes(struct world *w, struct world_peer *peer, const void *data, size_t len)
{
    const uint8_t *at = data;

    for (int i = 0; len > 0 && i < 10000; i++) {
        size_t taken = tcp_write(w->far, peer->tcp, at, len);

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

void world_close(struct world *w, struct world_peer *peer)
{
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

const char *world_path(const char *scheme, const char *host, unsigned port, const char *path)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static char buffers[4][1024];
    static unsigned turn;
    char plain[512], *out = buffers[turn++ % 4], *at = out;
    size_t len = (size_t)snprintf(plain, sizeof(plain), "steven.lab/%s/%s/%u", scheme, host, port);

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
