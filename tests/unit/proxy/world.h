/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_PROXY_WORLD_H
#define ASSAY_TESTS_PROXY_WORLD_H
/* A proxy in a world of its own: its TCP instance is wired to another one, on which the test plays clients and origins,
 * plain or over TLS. Virtual clock; nothing leaves the process. The snapshot that the proxy sees is a copy made for one
 * turn and freed after it: a pointer kept longer is a use after free.
 *
 * The proxy listens on 198.18.0.10:8080 (plain) and :8443 (TLS).
 * Origins: 198.18.2.11 and 198.18.2.15, ports 8000 (plain), 8443 and 6972 (TLS), 7443 (the proxy speaks TLS, the test
 * plays bytes). 198.18.2.12 refuses connections, 198.18.2.14 never answers.
 * Names: cucm.steven.lab and imp.steven.lab (.11), two.steven.lab (.12, .11), hole.steven.lab (.14, .11),
 * nowhere.steven.lab (unresolved). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/log_record.h"
#include "assay/snapshot.h"
#include "proxy/proxy.h"
#include "tcp/tcp.h"
#include "tls/tls.h"

#define WORLD_STREAM_BYTES (4U << 20)
#define WORLD_WALL_S       1700000000ULL /* wall clock when the world begins; forge.h's present */

/* What an origin shows; validity is a year either way but for the short-lived. */
enum world_certificate {
    WORLD_CA_SIGNED,   /* cucm, two and hole.steven.lab, 198.18.2.11; issued by the root */
    WORLD_SELF_SIGNED, /* cucm.steven.lab */
    WORLD_OTHER_NAME,  /* other.steven.lab, issued by the root */
    WORLD_SHORT_LIVED, /* as the CA-signed one, for an hour */
    WORLD_SMALL_KEY,   /* the same with RSA of 1024 bits */
    WORLD_CERTIFICATES
};
/* What the store holds, as bits. */
enum world_trust { WORLD_TRUST_ROOT = 1, WORLD_TRUST_SELF = 2 };

/* One end of a connection that the test holds. */
struct world_peer {
    struct tcp_handle tcp;
    uint16_t port; /* an origin's: which of ours */
    bool open;     /* connected or accepted */
    bool finished; /* the proxy's FIN came */
    bool reset;    /* gone otherwise */
    bool paused;   /* does not read: its window fills */
    size_t length;
    char *received; /* terminated; plaintext where there is TLS */
    /* TLS */
    bool secure, is_client, established, resumed;
    bool closed; /* close_notify came */
    bool failed;
    struct tls_failure failure;
    struct tls_connection *tls;
    struct tls_hello *hello;
    const struct tls_session *session; /* to resume with, the test's */
    const char *sni;
    bool drips; /* what it sends goes out in segments of one byte, one each step */
    uint8_t *outbox;
    size_t outbox_length, outbox_sent;
};

enum { WORLD_ORIGINS = 5, WORLD_STORES = 32, WORLD_PEERS = 512, WORLD_ACCEPTED = 64 };

struct world {
    struct proxy *proxy;
    struct tcp *near;
    struct tcp *far; /* the test's side */
    struct snapshot snapshot;
    struct settings_section settings;
    struct trust_section trust;
    struct trust_scope scopes[4]; /* [0]: the global one */
    struct trust_deployment deployments[2];
    struct trust_origin trust_origins[4];
    struct route_section route;
    struct access_section access;
    struct credential_section credentials;
    struct route_listener listeners[2];
    struct route_origin origins[WORLD_ORIGINS]; /* sorted: cucm, hole, imp, nowhere, two */
    /* Ours: for clients of edge.steven.lab and everybody else, for *.wild.lab, toward origins, and another for that. */
    struct tls_credential edge, wild, client, client_other;
    struct credential_name server_names[2];
    struct byte_ring *log, *alarm_log, *chains;
    uint64_t now_us;
    uint64_t wall_ahead_s; /* the wall clock jumps */
    /* The far side. */
    enum world_certificate certificate_8443, certificate_6972;
    bool origin_tickets;
    bool tls12;       /* it speaks no TLS 1.3 */
    bool plays_bytes; /* its origins do not speak TLS by themselves */
    uint32_t accepted_count, accepted_taken;
    struct world_peer *accepted[WORLD_ACCEPTED]; /* connections that reached an origin, in order */
    uint32_t peer_count;
    struct world_peer *peers[WORLD_PEERS];
    uint32_t mbufs_missing; /* before it began: a test that failed keeps its own */
    uint32_t store_count;
    struct x509_store *stores[WORLD_STORES];
};

/* For cmocka's group set-up and tear-down: DPDK, pools, certificates. */
int world_start(void **state);
int world_stop(void **state);
/* A fresh world. Nothing is trusted. */
struct world *world_create(void);
/* Its end: every connection is gone, every buffer, credential and mbuf is back, the gauges are 0, or the test fails. */
void world_free(struct world *world);

/* Lets packets, events and virtual time run until ms have passed. */
void world_run(struct world *world, uint32_t ms);
/* One step of virtual time, for tests that act in every one. */
#define WORLD_STEP_US 500
void world_step(struct world *world);
/* proxy_drain(). */
void world_drain(struct world *world);
/* A client connection to the proxy, plain or over TLS (as far as the handshake goes). sni and session may be NULL. */
struct world_peer *world_connect(struct world *world);
struct world_peer *world_connect_from(struct world *world, const char *address);
struct world_peer *world_connect_tls(struct world *world, const char *sni, const struct tls_session *session);
/* The same before anything runs: for tests that look at the handshake. */
struct world_peer *world_open(struct world *world, const char *address, uint16_t port, bool secure);
void world_send(struct world *world, struct world_peer *peer, const char *text);
void world_send_bytes(struct world *world, struct world_peer *peer, const void *data, size_t len);
/* Past TLS. */
void world_send_raw(struct world *world, struct world_peer *peer, const void *data, size_t len);
void world_finish(struct world *world, struct world_peer *peer); /* close_notify, FIN; it goes on reading */
void world_cut(struct world *world, struct world_peer *peer);    /* FIN only */
void world_close(struct world *world, struct world_peer *peer);
void world_abort(struct world *world, struct world_peer *peer);
void world_forget(struct world_peer *peer);                      /* what was received so far */
void world_resume(struct world *world, struct world_peer *peer); /* after paused */
/* The next connection that reached an origin, or NULL. */
struct world_peer *world_accept(struct world *world);
/* A new generation of the snapshot, after the test changed a section. */
void world_publish(struct world *world);
/* A new trust section: another store, a higher epoch. */
void world_trust(struct world *world, unsigned trust);
/* The same store under another mode: the epoch stays. */
void world_mode(struct world *world, enum verify_mode mode);
const struct assay_counters *world_counters(struct world *world);

/* The next record of a ring: its kind, or -1; string i of it into text where wanted. */
int world_log(struct byte_ring *ring, unsigned string, char *text, size_t capacity);
struct world_record {
    struct log_record head;
    char strings[LOG_STRINGS][256];
};
/* Empties a ring; how many records of that kind there were, and the last of them. */
unsigned world_records(struct byte_ring *ring, int kind, struct world_record *last);

/* "/" + base64 of steven.lab/scheme/host/port + path: a buffer of the test's, overwritten by the fourth call after. */
const char *world_path(const char *scheme, const char *host, unsigned port, const char *path);
/* The same for another domain than steven.lab, which is of deployment 1: two.lab is of deployment 2, whose rules allow
 * cucm.steven.lab. */
const char *world_path_of(const char *domain, const char *scheme, const char *host, unsigned port, const char *path);
/* Sends "method path HTTP/1.1", Host and rest ("\r\n" ends the head; fields and a body may come before and after it). */
void world_request(struct world *world, struct world_peer *client, const char *method, const char *path,
                   const char *rest);
/* Answers with 200 and that body. */
void world_answer(struct world *world, struct world_peer *origin, const char *body);
bool world_starts(const struct world_peer *peer, const char *text);

/* --- world_tls.c, for world.c ------------------------------------------------------------------------------------------- */

void world_tls_start(void);
void world_tls_stop(void);
void world_tls_credentials(struct world *world);
struct x509_store *world_tls_store(unsigned trust);
void world_tls_read(struct world *world, struct world_peer *peer);
/* Encrypts and sends len bytes at the most; how many. */
size_t world_tls_write(struct world *world, struct world_peer *peer, const void *data, size_t len);
void world_tls_close_notify(struct world *world, struct world_peer *peer);
void world_tls_free(struct world_peer *peer);
void world_take(struct world_peer *peer, const void *data, size_t len); /* appends to what was received */
void world_put(struct world *world, struct world_peer *peer, const void *data, size_t len);

/* --- exchanges with an origin over TLS ------------------------------------------------------------------------------------- */

#define WORLD_502 "HTTP/1.1 502 connect failed\r\n"
#define WORLD_200 "HTTP/1.1 200 OK\r\n"

/* The request goes out; the connection it opened at the origin, or NULL when it opened none. */
struct world_peer *world_ask(struct world *w, struct world_peer *client, const char *host, unsigned port);
/* What the client has begins so. */
void world_expect(struct world_peer *client, const char *answer);
/* A whole good exchange; the origin's connection. pooled: the one to look at when none was opened. */
struct world_peer *world_exchange(struct world *w, struct world_peer *client, const char *host, unsigned port,
                                  struct world_peer *pooled);

#endif
