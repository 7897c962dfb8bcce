/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_PROXY_WORLD_H
#define ASSAY_TESTS_PROXY_WORLD_H
/* A proxy in a world of its own: its TCP instance is wired to another one, on which the test plays clients and origins.
 * Virtual clock; nothing leaves the process. The proxy listens on 198.18.0.10:8080 (plain); origins are 198.18.2.11:8000
 * (by address), "cucm.steven.lab" (resolved to it) and "nowhere.steven.lab" (unresolved). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/log_record.h"
#include "assay/snapshot.h"
#include "proxy/proxy.h"
#include "tcp/tcp.h"

#define WORLD_STREAM_BYTES (4U << 20)

/* One end of a connection that the test holds. */
struct world_peer {
    struct tcp_handle tcp;
    bool open;     /* connected or accepted */
    bool finished; /* the proxy's FIN came */
    bool reset;    /* gone otherwise */
    bool paused;   /* does not read: its window fills */
    size_t length;
    char *received; /* terminated */
};

struct world {
    struct proxy *proxy;
    struct tcp *near;
    struct tcp *far; /* the test's side */
    struct snapshot snapshot;
    struct settings_section settings;
    struct trust_section trust;
    struct route_section route;
    struct access_section access;
    struct credential_section credentials;
    struct route_listener listener;
    struct byte_ring *log, *alarm_log;
    uint64_t now_us;
    uint32_t accepted_count, accepted_taken;
    struct world_peer *accepted[64]; /* connections that reached an origin, in order */
    uint32_t peer_count;
    struct world_peer *peers[256];
};

/* For cmocka's group set-up and tear-down: DPDK, pools. */
int world_start(void **state);
int world_stop(void **state);
/* A fresh world, and its end: every connection is gone and every mbuf is back, or the test fails. */
struct world *world_create(void);
void world_free(struct world *world);

/* Lets packets, events and virtual time run until ms have passed. */
void world_run(struct world *world, uint32_t ms);
/* A client connection to the proxy. */
struct world_peer *world_connect(struct world *world);
void world_send(struct world *world, struct world_peer *peer, const char *text);
void world_send_bytes(struct world *world, struct world_peer *peer, const void *data, size_t len);
void world_close(struct world *world, struct world_peer *peer);
void world_abort(struct world *world, struct world_peer *peer);
void world_forget(struct world_peer *peer); /* what was received so far */
/* The next connection that reached an origin, or NULL. */
struct world_peer *world_accept(struct world *world);
/* A new generation of the snapshot, after the test changed a section. */
void world_publish(struct world *world);
const struct assay_counters *world_counters(struct world *world);
/* The next record of a ring: its kind, or -1; string i of it into text where wanted. */
int world_log(struct byte_ring *ring, unsigned string, char *text, size_t capacity);

/* "/" + base64 of steven.lab/scheme/host/port + path: a buffer of the test's, overwritten by the fourth call after. */
const char *world_path(const char *scheme, const char *host, unsigned port, const char *path);

#endif
