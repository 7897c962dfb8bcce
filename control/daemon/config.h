/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CONFIG_H
#define ASSAY_DAEMON_CONFIG_H
/* The configuration file as data. One table (config_keys.def) says which keys there are, what they may hold, what they are
 * when absent; the reader, `assayctl check --keys`, docs/configuration.md and the comparison of two configurations all come
 * from it. A file with any fault gives no configuration, and every fault is reported with its line.
 * Owner: config_free() frees everything a struct config points to. Thread: immutable once read.
 * Units: as config_keys.def says; durations are microseconds, sizes bytes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/address.h"
#include "assay/error.h"
#include "assay/snapshot.h"
#include "base/slice.h"
#include "daemon/arena.h"
#include "daemon/problems.h"
#include "daemon/text.h"

#define CONFIG_FILE_MAX (4U << 20)

/* --- values ------------------------------------------------------------------------------------------------------------ */

struct config_texts {
    uint32_t count;
    const char **items;
};

struct config_numbers {
    uint32_t count;
    uint64_t *items;
};

struct config_address {
    bool set;
    struct assay_address address;
};

struct config_addresses {
    uint32_t count;
    struct config_address *items;
};

/* An address with the length of its subnet, in the space of struct assay_prefix. */
struct config_interface {
    struct assay_address address;
    uint8_t prefix_length;
};

struct config_interfaces {
    uint32_t count;
    struct config_interface *items;
};

struct config_prefixes {
    bool any;
    uint32_t count;
    struct assay_prefix *items;
};

struct config_endpoint {
    bool set;
    struct assay_address address;
    uint16_t port;
};

struct config_endpoints {
    uint32_t count;
    struct config_endpoint *items;
};

/* scheme://host[:port]; host in canonical form (lower case, IPv6 without brackets), NULL when absent. */
struct config_url {
    const char *host;
    uint16_t port;
    bool https;
};

/* host[:port], or the word default: host "". port 0: every port. */
struct config_origin {
    const char *host;
    uint16_t port;
};

struct config_origins {
    uint32_t count;
    struct config_origin *items;
};

/* --- groups: a mapping of the file each, fields named as its keys --------------------------------------------------------- */

#define CONFIG_LIST(type) \
    struct {              \
        uint32_t count;   \
        type *items;      \
    }

struct config_route {
    struct config_prefixes to;
    struct config_address via;
};

struct config_exception {
    const char *device; /* NULL: no exception port */
    uint64_t rate;
    bool xdp;
};

struct config_port {
    const char *device;
    struct config_interfaces address;
    uint64_t vlan;
    struct config_addresses gateway;
    CONFIG_LIST(struct config_route) routes;
    uint64_t mtu;
    bool promiscuous;
    struct config_exception exception;
    uint32_t fragments; /* words "drop|reassemble" */
};

struct config_memory {
    bool hugepages;
    uint64_t size;
    uint64_t buffers;
    uint64_t heap;
};

struct config_listener {
    struct config_address address;
    uint64_t port;
    bool tls;
    struct config_prefixes clients;
    struct config_prefixes trusted_peers;
    struct config_url origin;
};

struct config_credential {
    const char *name, *chain, *key;
    struct config_texts names;
};

struct config_client_credential {
    const char *name, *chain, *key;
    struct config_origins origins;
};

struct config_ciphers {
    const char *origins, *clients;
};

struct config_tls {
    struct config_ciphers ciphers;
    uint32_t clients_min, origins_min; /* words "1.2|1.3" */
    uint64_t ticket_lifetime;
    uint64_t ticket_rotate;
};

struct config_revocation {
    uint32_t mode; /* enum x509_revocation_mode */
    const char *crls;
    bool fetch;
    struct config_texts crl_urls;
    struct config_prefixes fetch_from;
    uint64_t fetch_interval, fetch_retry, fetch_timeout, fetch_max;
    const char *cache;
    uint64_t cache_max;
};

struct config_trust {
    const char *directory;
    struct config_revocation revocation;
};

struct config_verify {
    uint32_t mode;       /* enum verify_mode */
    uint32_t properties; /* enum verify_properties */
    uint32_t profile;    /* enum x509_profile */
    uint32_t cn_match;   /* enum x509_cn_match */
    bool compat_ip_as_dns, partial_chain, sha1;
    uint64_t rsa_bits_min, depth_max, work_max;
    uint64_t skew;
    struct config_texts pins;
    uint64_t revoke_grace;
    uint64_t cache_entries;
};

/* What may be said of fewer origins than all; which keys are there: config_is_set(). */
struct config_scope_verify {
    uint32_t mode;       /* enum verify_mode */
    uint32_t properties; /* enum verify_properties */
    uint32_t profile;    /* enum x509_profile */
    uint32_t revocation; /* enum x509_revocation_mode */
    uint32_t cn_match;   /* enum x509_cn_match */
    bool compat_ip_as_dns, partial_chain, sha1;
    uint64_t rsa_bits_min, depth_max, work_max;
    uint64_t skew;
    struct config_texts pins;
};

struct config_deployment_trust {
    const char *directory; /* NULL: none */
    bool global;
};

struct config_deployment {
    const char *name;
    struct config_deployment_trust trust;
    struct config_scope_verify verify;
};

struct config_origin_settings {
    struct config_origins hosts;
    struct config_scope_verify verify;
};

struct config_node {
    const char *address;
    uint32_t type; /* enum access_node_type */
    const char *deployment;
};

struct config_domain {
    const char *name, *deployment;
    struct config_url edge_config;
};

struct config_host {
    const char *name;
    struct config_interfaces addresses;
};

struct config_dns {
    struct config_endpoints servers;
    uint64_t refresh, timeout;
    CONFIG_LIST(struct config_host) hosts;
};

struct config_limits {
    uint64_t head_max, target_max, fields_max, request_body_max;
    uint64_t handshakes_max, clients_max;
    uint64_t origin_connections_max, origin_queue_max, origins_max;
    uint64_t requests_per_connection_max;
};

struct config_timeouts {
    uint64_t client_handshake, client_head, client_idle, client_body, client_send;
    uint64_t origin_connect, origin_queue, origin_head, origin_body, origin_idle;
    uint64_t drain;
};

struct config_log {
    const char *file;
    bool requests;
    uint64_t ring;
};

struct config_capture {
    const char *directory;
};

struct config_preflight {
    uint64_t interval, jobs, timeout;
};

struct config_admin {
    const char *socket;
    uint64_t mode;
    const char *group;
    struct config_endpoint readiness;
};

struct config_idle {
    uint64_t polls, sleep;
};

struct config_tcp {
    uint64_t connections_max, time_wait_max;
    uint64_t receive_buffer, send_buffer, mbufs_max;
    uint64_t syn_backlog, accept_backlog, half_open, source_half_open_max, source_connections_max, challenge_acks;
    uint64_t port_min, port_max;
    uint64_t path_mtu_min;
    uint64_t rto_min, rto_max, rto_initial;
    uint64_t syn_retries, retries;
    uint64_t delayed_ack, keepalive_idle, keepalive_interval, keepalive_probes;
    uint64_t time_wait, fin_wait;
    uint32_t congestion; /* enum tcp_congestion */
    uint32_t ecn;        /* enum tcp_ecn */
    bool timestamps, sack, window_scaling, syn_cookies;
};

struct config_registry {
    uint64_t entries, memory, keep;
};

struct config_root {
    struct config_port port;
    struct config_numbers cores, control_cpus;
    struct config_memory memory;
    struct config_texts eal;
    struct config_idle idle;
    struct config_tcp tcp;
    CONFIG_LIST(struct config_listener) listeners;
    CONFIG_LIST(struct config_credential) credentials;
    CONFIG_LIST(struct config_client_credential) client_credentials;
    struct config_tls tls;
    struct config_trust trust;
    struct config_verify verify;
    CONFIG_LIST(struct config_deployment) deployments;
    CONFIG_LIST(struct config_origin_settings) origins;
    CONFIG_LIST(struct config_node) nodes;
    const char *allow_list;
    CONFIG_LIST(struct config_domain) domains;
    struct config_dns dns;
    struct config_limits limits;
    struct config_timeouts timeouts;
    struct config_log log;
    struct config_capture capture;
    struct config_registry registry;
    struct config_preflight preflight;
    struct config_admin admin;
    const char *user, *via;
    bool maintenance, telemetry;
};

/* Where a value stands in the file; a mapping's line is found by the address of its struct. Sorted once the file is read. */
struct config_place {
    const void *field;
    uint32_t line, number; /* number: in the order of reading */
    bool value;            /* not a mapping: the first value of one has the same address */
};

struct config {
    struct config_root root;
    const char *file; /* as given, for messages */
    const char *text; /* the file's bytes, for the last good copy */
    size_t text_length;
    struct config_place *places;
    size_t place_count, place_capacity;
    struct arena arena;
    bool readable; /* it was a mapping */
};

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

/* Reads text as the content of file (its name for messages; relative paths in it are relative to its directory). NULL with
 * problems when anything is wrong. Values are checked one by one; what they mean together is check.h's business. */
struct config *config_parse(struct slice text, const char *file, struct problems *problems);
struct config *config_load(const char *file, struct problems *problems);
/* For a check that wants to go on: what could be read, whatever is wrong with the rest; NULL when it is no YAML. Values that
 * were wrong are absent (NULL, 0), required or not. */
struct config *config_load_partial(const char *file, struct problems *problems);
/* What a file without a line would mean: every key as when it is absent. file: its name in messages. */
struct config *config_defaults(const char *file);
void config_free(struct config *config);

/* The line of a value or mapping inside config; of what surrounds it when it was absent: 0. */
uint32_t config_line(const struct config *config, const void *field);
/* Is that value (no mapping) in the file itself? */
bool config_is_set(const struct config *config, const void *field);

/* The deployment of a node's address, for requests that come without a domain; "1" of what is no node's. host may be NULL. */
const char *config_deployment_of(const struct config *config, const char *host);

/* The i-th IPv6 address of port.address, or NULL. */
const struct assay_address *config_ip6_address(const struct config *config, unsigned index);

/* --- what the table gives ------------------------------------------------------------------------------------------------- */

/* The reference of all keys as Markdown tables (docs/configuration.md). */
void config_print_keys(struct text *out);

/* Keys that differ and take effect only at the next start, comma separated into out; returns how many. */
unsigned config_restart_keys(const struct config *running, const struct config *next, struct text *out);

#endif
