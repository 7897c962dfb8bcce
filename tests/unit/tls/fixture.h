/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_TLS_FIXTURE_H
#define ASSAY_TESTS_TLS_FIXTURE_H
/* What each test program with a peer begins with: cmocka, keys, and two contexts with a link between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/thread_slot.h"
#include "link.h"
#include "tls/alerts.h"

static struct pki pki;
static struct link_judge judge;
static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

struct pair {
    struct link *link;
    struct tls_context *context;
    SSL_CTX *peer;
};

static inline void pair_close(struct pair pair)
{
    link_close(pair.link);
    SSL_CTX_free(pair.peer);
    tls_context_free(pair.context);
}

/* Ours is the server: the identity is ours. */
static inline struct pair server_pair(const struct pki_identity *identity, int version)
{
    memset(&judge, 0, sizeof(judge));
    return (struct pair){link_create(), link_server_context(identity, NULL, 0, 0), link_peer_client(version, version)};
}

/* Ours is the client: the identity is the peer's. */
static inline struct pair client_pair(const struct pki_identity *identity, const char *ciphers, int version)
{
    memset(&judge, 0, sizeof(judge));
    return (struct pair){link_create(), link_client_context(NULL, ciphers, 0, 0),
                         link_peer_server(identity, version, version)};
}

static inline void pair_open_server(struct pair *pair)
{
    link_open_server(pair->link, pair->context, pair->peer);
}

static inline void pair_open_client(struct pair *pair, const char *name)
{
    link_open_client(pair->link, pair->context, name, link_verifier(&judge), NULL, pair->peer);
}

/* A new connection between the same contexts. */
static inline void pair_renew(struct pair *pair)
{
    struct tls_ticket_keys *keys = pair->link->keys;

    link_close(pair->link);
    pair->link = link_create();
    pair->link->keys = keys;
}

static inline struct tls_failure failure_of(const struct link *link)
{
    struct tls_failure failure = {0};

    if (link->ours != NULL)
        tls_get_failure(link->ours, &failure);
    return failure;
}

static inline void expect_failure(struct link *link, enum tls_failure_kind kind, int sent, int received)
{
    struct tls_failure failure = failure_of(link);

    if (link->status != TLS_STATUS_FAILED || failure.kind != kind || (sent >= 0 && failure.alert_sent != sent) ||
        failure.alert_received != received)
        fail_msg("status %d kind %d sent %d received %d code %d; the peer: %lx", link->status, failure.kind,
                 failure.alert_sent, failure.alert_received, failure.library_code, link->peer_error);
}

static inline void expect_handshake(struct link *link)
{
    struct tls_failure failure;

    if (link_handshake(link))
        return;
    failure = failure_of(link);
    fail_msg("status %d kind %d sent %d received %d code %d; the peer: %lx", link->status, failure.kind,
             failure.alert_sent, failure.alert_received, failure.library_code, link->peer_error);
}

static inline int fixture_setup(void **state)
{
    if (thread_slot_install() != ASSAY_OK)
        return -1;
    pki_create(&pki);
    return 0;
}

static inline int fixture_teardown(void **state)
{
    pki_free(&pki);
    return 0;
}

#endif
