/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CREDENTIALS_H
#define ASSAY_DAEMON_CREDENTIALS_H
/* Our own certificates with their keys, as contexts a core. One is built once for what it is made of (chain, key, direction,
 * ciphers, versions) and found again on the next reload, so that connections and tickets live on.
 * Owner: the cache. A credential is freed when no section names it and no core uses it (credentials_reap).
 * Thread: control; users[k] is written by core k. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "assay/snapshot.h"
#include "daemon/problems.h"
#include "tls/tls.h"
#include "x509/certificate.h"

#define CREDENTIAL_FILE_MAX (1U << 20)

enum credential_side { CREDENTIAL_TOWARD_CLIENTS, CREDENTIAL_TOWARD_ORIGINS };

struct credential_request {
    enum credential_side side;
    const char *name;
    const char *chain_file, *key_file; /* both NULL: no certificate (toward origins only) */
    const char *ciphers;               /* NULL: the default */
    enum tls_version version_min;
    uint32_t ticket_lifetime_s;
    const char *where; /* for problems: file and line of the request */
    uint32_t line;
};

struct credential {
    struct tls_credential tls; /* what sections point to */
    unsigned references;       /* of sections */
    uint32_t cores;
    char *identity; /* what it is made of, as text */
    char *name;
    uint8_t *leaf_der; /* NULL: no certificate */
    struct x509_certificate leaf;
    struct credential *next;
};

struct credential_cache {
    struct credential *first;
    uint64_t last_id;
};

/* A reference, or NULL with problems. An expired certificate is a warning. */
struct credential *credentials_get(struct credential_cache *cache, const struct credential_request *request,
                                   uint32_t cores, uint64_t now_s, struct problems *problems);
void credentials_drop(struct credential *credential);
/* Frees what nobody names and nobody uses; returns how many still wait for connections. Only after the snapshots that named
 * them are gone (RCU). */
size_t credentials_reap(struct credential_cache *cache);
/* Frees everything: the cores have stopped. */
void credentials_free(struct credential_cache *cache);

/* Credentials that exist. */
size_t credentials_count(const struct credential_cache *cache);

#endif
