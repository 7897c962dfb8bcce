/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_SNAPSHOT_H
#define ASSAY_SNAPSHOT_H
/* What control publishes to the cores: one root of immutable sections (DESIGN, "Snapshots"). Data only.
 * Owner: control. It publishes by one pointer store, and frees what is no longer reachable after every core has been
 * quiescent (RCU). Thread: written before publication only, then read by all; the two exceptions are marked.
 * No pointer into a snapshot outlives the reader's quiescent point; struct tls_credential is counted instead. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/address.h"

#define ASSAY_CORES_MAX 64

struct x509_store;
struct x509_policy;
struct x509_verdict_table;
struct access_set;
struct access_clients;
struct tls_context;
struct tls_ticket_keys;

/* --- trust: what verdicts depend on, and how they are used ------------------------------------------------------------------ */

enum verify_mode { VERIFY_ENFORCED, VERIFY_PERMISSIVE, VERIFY_DISABLED }; /* MRA S29 */
enum verify_properties { VERIFY_ALL, VERIFY_SIGNATURE, VERIFY_NAME };     /* which half counts */

/* How the certificates of some origins are judged, whole: what it says itself and what it has from the less specific ones. */
struct trust_scope {
    const char *name; /* "global", "deployment 2", "origin cucm.steven.lab:6972" */
    const struct x509_store *store;
    const struct x509_policy *policy; /* its id stands for the store too: scopes with one id share verdicts */
    enum verify_mode mode;
    enum verify_properties properties;
};

/* A deployment with settings of its own. */
struct trust_deployment {
    uint64_t number; /* x509_scope_deployment() of its name */
    const char *name;
    uint32_t scope;
};

/* An origin with settings of its own: a row for each deployment with settings, and one for all others. */
struct trust_origin {
    const char *host;    /* lower case; an address in canonical form */
    uint16_t port;       /* 0: every port of the host */
    uint64_t deployment; /* its number; 0: all others */
    uint32_t scope;
};

struct trust_section {
    uint64_t epoch;           /* a verdict is valid in one epoch; a change of modes or properties alone keeps it */
    uint64_t revision;        /* rises with every change */
    uint64_t revoke_grace_us; /* requests in flight when their trust was removed end within this */
    uint32_t scope_count;
    const struct trust_scope *scopes; /* [0]: the global one. Which one an origin has: x509/scope.h */
    uint32_t deployment_count;
    const struct trust_deployment *deployments; /* sorted by number */
    uint32_t origin_count;
    const struct trust_origin *origins;        /* sorted by host */
    const struct x509_verdict_table *verdicts; /* of this epoch, about chains that are known; NULL: none */
};

/* --- access ------------------------------------------------------------------------------------------------------------------- */

struct access_section {
    uint64_t epoch;
    const struct access_set *rules;
};

/* --- credentials ---------------------------------------------------------------------------------------------------------------- */

/* One certificate with its key, for one direction, as a context a core. Lives until no section names it and no core uses it:
 * users[k] is written by core k alone (relaxed), read by control. */
struct tls_credential {
    uint64_t id; /* never reused within a process */
    const char *name;
    struct tls_context *contexts[ASSAY_CORES_MAX];
    _Atomic uint32_t users[ASSAY_CORES_MAX]; /* connections of that core */
};

struct credential_name {
    const char *name; /* lower case; "*.example.com" covers one label */
    struct tls_credential *credential;
};

struct credential_origin {
    const char *host; /* lower case */
    uint16_t port;    /* 0: every port of the host */
    struct tls_credential *credential;
};

struct credential_section {
    uint64_t epoch;
    struct tls_credential *server_default; /* for a client without SNI, or with an unknown name */
    uint32_t server_name_count;
    const struct credential_name *server_names; /* sorted by name */
    struct tls_credential *client_default;      /* toward origins: perhaps without a certificate (S18) */
    uint32_t client_origin_count;
    const struct credential_origin *client_origins; /* sorted by host, port */
    const struct tls_ticket_keys *ticket_keys;
};

/* --- routes --------------------------------------------------------------------------------------------------------------------- */

#define ROUTE_ADDRESSES_MAX 8

/* A name that rules or nodes use, resolved ahead (DESIGN 9). */
struct route_origin {
    const char *host;                                    /* lower case */
    uint32_t address_count;                              /* 0: unresolved, see error */
    struct assay_address addresses[ROUTE_ADDRESSES_MAX]; /* in the order in which they are tried */
    const char *error;                                   /* why there is no address: "NXDOMAIN from 198.18.2.53" */
};

/* Where a one-field MRA path of that domain goes (S13). */
struct route_domain {
    const char *domain;     /* lower case */
    const char *deployment; /* of its requests */
    uint64_t deployment_number;
    const char *host; /* of the edge-config server; NULL: a known domain without one */
    uint16_t port;
    bool https;
};

struct route_listener {
    struct assay_address address;
    uint16_t port;
    bool tls;
    const struct access_clients *clients; /* who may connect at all */
    const struct access_clients *trusted; /* whose X-Forwarded-For and TrackingID are believed */
    const char *origin_host;              /* origin of paths that are no MRA path; NULL: refused with 400 */
    uint16_t origin_port;
    bool origin_https;
    const char *origin_deployment;
    uint64_t origin_deployment_number;
};

struct route_section {
    uint64_t epoch;
    uint32_t listener_count;
    const struct route_listener *listeners;
    uint32_t origin_count;
    const struct route_origin *origins; /* sorted by host */
    uint32_t domain_count;
    const struct route_domain *domains; /* sorted by domain */
    uint32_t own_address_count;
    const struct assay_address *own_addresses; /* never an origin */
};

/* --- settings ------------------------------------------------------------------------------------------------------------------- */

struct settings_section {
    uint64_t epoch;
    const char *via_name; /* our pseudonym in Via */
    /* limits */
    uint32_t head_max_bytes, target_max_bytes, fields_max;
    uint64_t request_body_max_bytes;      /* 413 beyond; 0: none */
    uint32_t handshakes_max;              /* with clients, in flight per core */
    uint32_t clients_max;                 /* client connections per core */
    uint32_t origin_connections_max;      /* per origin (host, port), all cores: each has its share of it */
    uint32_t origin_queue_max;            /* requests waiting for one, likewise: 503 beyond */
    uint32_t requests_per_connection_max; /* 0: no limit */
    /* phases, microseconds */
    uint64_t client_handshake_us; /* SYN-ACK answered until TLS is up */
    uint64_t client_head_us;      /* first byte of a request until its head is complete: 408 */
    uint64_t client_idle_us;      /* between requests */
    uint64_t client_body_us;      /* without a byte of a request body: 408 */
    uint64_t client_send_us;      /* without progress of a response toward the client */
    uint64_t origin_connect_us;   /* TCP and TLS: 504 after it */
    uint64_t origin_queue_us;     /* waiting for a free origin connection: 503 */
    uint64_t origin_head_us;      /* request sent until the response's head: 504 */
    uint64_t origin_body_us;      /* without a byte of a response body */
    uint64_t origin_idle_us;      /* in the pool */
    uint64_t drain_us;            /* SIGTERM: how long running requests may take */
    bool log_requests;            /* S20-S24 lines at INFO */
    bool maintenance;             /* new requests get 503 (S17) */
};

struct snapshot {
    uint64_t generation; /* rises with each publish */
    const struct settings_section *settings;
    const struct trust_section *trust;
    const struct access_section *access;
    const struct credential_section *credentials;
    const struct route_section *route;
};

#endif
