/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TLS_WOLF_H
#define ASSAY_TLS_WOLF_H
/* The library's headers, for wolf_*.c only, and what these files share.
 * internal.h is needed for SendAlert(), the order of a context's signature algorithms and the state of a handshake, which
 * have no public call. Its structures depend on the build's options: wolf_layout_matches() compares them with the library. */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/internal.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "tls/connection.h"

struct tls_session {
    WOLFSSL_SESSION *library; /* never changed after it was taken: a connection resumes with a copy */
};

/* The library's callbacks, set on every context. */
int wolf_receive(WOLFSSL *ssl, char *buffer, int capacity, void *arg);
int wolf_send(WOLFSSL *ssl, char *data, int len, void *arg);
int wolf_verify(int ok, WOLFSSL_X509_STORE_CTX *store);
int wolf_stapled(WOLFSSL *ssl, const unsigned char *response, unsigned int len);
int wolf_ticket_received(WOLFSSL *ssl, const unsigned char *ticket, int len, void *arg);
int wolf_ticket(WOLFSSL *ssl, unsigned char *name, unsigned char *iv, unsigned char *mac, int seal,
                unsigned char *content, int in_length, int *out_length, void *arg);

#endif
