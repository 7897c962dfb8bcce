/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_TLS_LINK_H
#define ASSAY_TESTS_TLS_LINK_H
/* One connection of ours and one of OpenSSL's, joined in memory. How much crosses at a time is the test's choice. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "pki.h"
#include "tls/tls.h"

#define LINK_BUFFER (1 << 18)

struct link {
    size_t chunk;        /* bytes of input a call; 0: all there is */
    size_t out_capacity; /* room for output a call */
    struct tls_ticket_keys *keys;

    struct tls_context *context; /* ours, borrowed */
    struct tls_hello *hello;
    struct tls_connection *ours;
    enum tls_status status; /* of the last call */
    uint8_t hello_alert;
    bool ours_done;

    SSL *peer;
    bool peer_done, peer_failed, peer_closed;
    unsigned long peer_error;
    int alert_sent, alert_received; /* by the peer's account; -1: none */
    int fatal_alerts_received;

    uint8_t input[LINK_BUFFER]; /* from the peer; what lies from input_start on is not yet taken by ours */
    size_t input_start, input_length;
    size_t bytes_out, bytes_in;
};

/* Contexts of ours; versions 0 mean 1.2 to 1.3. */
struct tls_context *link_server_context(const struct pki_identity *identity, const char *ciphers, enum tls_version min,
                                        enum tls_version max);
struct tls_context *link_client_context(const struct pki_identity *identity, const char *ciphers, enum tls_version min,
                                        enum tls_version max);
/* The peer's. */
SSL_CTX *link_peer_server(const struct pki_identity *identity, int min, int max);
SSL_CTX *link_peer_client(int min, int max);
/* Adds a certificate and its key; with the certificate of one and the key of another, the peer proves nothing. */
void link_peer_use(SSL_CTX *peer, const struct pki_identity *identity);
void link_peer_use_wrong_key(SSL_CTX *peer, const struct pki_identity *identity, const struct pki_identity *other);

/* The key in its older wrapping: PKCS#1 or SEC1. The caller frees it. */
char *link_key_type_specific(const struct pki_identity *identity);

/* Ours is the server, or the client. The rest of the structure is set up. */
void link_open_server(struct link *link, struct tls_context *context, SSL_CTX *peer);
void link_open_client(struct link *link, struct tls_context *context, const char *name, struct tls_verifier verifier,
                      const struct tls_session *session, SSL_CTX *peer);
/* The peer's end alone. */
void link_open_peer(struct link *link, struct tls_context *context, SSL_CTX *peer, bool ours_is_server);
void link_close(struct link *link);
struct link *link_create(void);

/* One call of ours with what is there, and one of the peer. False: nothing moved any more. */
bool link_step_ours(struct link *link);
bool link_step_peer(struct link *link);
/* Until both are done, or one has failed, or nothing moves. True: both are done. */
bool link_handshake(struct link *link);
/* Without waiting for ours to be told so: as far as bytes move. */
void link_settle(struct link *link);
/* Bytes from the peer that did not come from it. */
void link_inject(struct link *link, const void *bytes, size_t len);
/* Moves what the peer wrote to the input. */
void link_collect(struct link *link);

/* len bytes of a known pattern cross; false at the first difference, failure or stall. */
bool link_send(struct link *link, size_t len);
bool link_receive(struct link *link, size_t len);
/* Reads once, whatever comes. */
enum tls_status link_read(struct link *link, void *buffer, size_t capacity, size_t *length);
/* The peer reads what is there, to see alerts and tickets. */
void link_peer_reads(struct link *link);

/* A verifier that accepts everything and counts, or answers with an alert. */
struct link_judge {
    int calls;
    size_t count;
    uint8_t alert;
    uint8_t leaf[4096];
    size_t leaf_length, second_length;
    bool ask_status;
    uint8_t staple[4096]; /* of the last call */
    size_t staple_length;
};
struct tls_verifier link_verifier(struct link_judge *judge);

#endif
