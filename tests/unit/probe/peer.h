/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TEST_PEER_H
#define ASSAY_TEST_PEER_H
/* A server on the loopback: OpenSSL's TLS, or something that is none, one connection at a time on a thread of its own.
 * For tests only. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "assay/address.h"
#include "base/slice.h"

enum peer_manner {
    PEER_TLS,
    PEER_PLAIN,  /* says hello in plain text */
    PEER_SILENT, /* accepts, and nothing more */
    PEER_CLOSES, /* accepts, and closes when it was spoken to */
};
enum peer_client { PEER_ASKS_NOT, PEER_ASKS, PEER_DEMANDS, PEER_REFUSES_ALL };

struct peer_identity {
    struct slice leaf, above; /* above empty: the leaf alone */
    void *key;                /* forge_key()'s */
};

struct peer_settings {
    enum peer_manner manner;
    enum peer_client client;
    int tls_min, tls_max; /* OpenSSL's; 0: any */
    size_t identity_count;
    struct peer_identity identities[2];
};

struct peer {
    struct peer_settings settings;
    void *context; /* SSL_CTX */
    int fd;
    uint16_t port;
    pthread_t thread;
    atomic_bool stop;
    atomic_int connections, bytes; /* bytes: of application data that came in */
};

void peer_begin(struct peer *peer, const struct peer_settings *settings);
void peer_end(struct peer *peer);
struct assay_address peer_address(void); /* 127.0.0.1 */

#endif
