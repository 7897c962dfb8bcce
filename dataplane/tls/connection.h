/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TLS_CONNECTION_H
#define ASSAY_TLS_CONNECTION_H
/* What connection.c (bytes in, bytes out, states) and wolf_*.c (the library's calls and callbacks) share: tls/ only.
 * connection.c never calls the library, wolf_*.c never sees the caller's buffers but through connection_pull() and
 * connection_push(). Owner, Thread: as in tls.h. */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "tls/tickets.h"
#include "tls/tls.h"

struct WOLFSSL;
struct WOLFSSL_CTX;
struct WOLFSSL_SESSION;

struct tls_context {
    struct WOLFSSL_CTX *library;
    bool is_server;
    uint32_t ticket_lifetime_s;
    uint8_t
        credential_id[TLS_CREDENTIAL_ID]; /* what tickets are bound to: of the chain, the same on every core and node */
};

enum tls_state { TLS_STATE_HANDSHAKE, TLS_STATE_ESTABLISHED, TLS_STATE_CLOSED, TLS_STATE_FAILED };

/* Records without application data in a row: warnings, tickets, key updates, empty records. */
#define TLS_IDLE_RECORDS_MAX 32

struct tls_connection {
    struct WOLFSSL *library;
    struct tls_context *context;
    struct tls_io *io;       /* lent for the length of one call */
    struct tls_hello *hello; /* server: until the ClientHello that decides has been read */
    struct slice hello_left; /* of its record, not yet read by the library */
    uint8_t *spill;          /* output for which the caller had no room yet */
    uint32_t spill_length, spill_sent, spill_capacity;
    struct tls_verifier verifier;
    struct tls_failure failure;
    uint8_t idle_records; /* in a row, without application data */
    uint8_t state;        /* enum tls_state */
    uint8_t gate_alert;   /* why the input was refused before the library saw it */
    bool close_sent, peer_heard;
    bool ticket_received; /* client: a ticket of this connection, not of the one it resumed */
    bool judged, verdict_sent;
    uint8_t verdict; /* the verifier's alert; 0: accepted */
    uint8_t name_length;
    uint8_t *name; /* server: SNI, until the handshake is complete */
    /* client: */
    struct slice staple;   /* between the leaf's extensions and the verifier; the library's memory */
    struct tls_held *held; /* TLS 1.2: a chain that waits for its OCSP response */
};
static_assert(sizeof(struct tls_connection) <= 256, "an idle connection is to stay small");

/* --- connection.c, for the library's callbacks -------------------------------------------------------------------------- */

enum pull_result { PULL_BYTES, PULL_EMPTY, PULL_REFUSED };

/* Ciphertext for the library: up to capacity bytes. */
enum pull_result connection_pull(struct tls_connection *tls, uint8_t *out, size_t capacity, size_t *length);
/* Takes all of it, whether the caller has room or not. NO_MEMORY. */
enum assay_error connection_push(struct tls_connection *tls, const uint8_t *data, size_t len) ASSAY_MUST_USE;
/* Asks the verifier; 0 or the alert. */
uint8_t connection_judge(struct tls_connection *tls, const struct slice *certificates, size_t count,
                         struct slice staple);
/* Keeps a copy of the chain, to be judged when it is known what is stapled to it; false: out of memory. */
bool connection_hold(struct tls_connection *tls, const struct slice *certificates, size_t count) ASSAY_MUST_USE;
/* Judges the chain that is held, and lets it go. */
uint8_t connection_judge_held(struct tls_connection *tls, struct slice staple);

/* --- wolf_connection.c ------------------------------------------------------------------------------------------------------ */

enum wolf_step { WOLF_DONE, WOLF_BLOCKED, WOLF_CLOSED, WOLF_FAILED };

enum assay_error wolf_create(struct tls_connection *tls, const char *server_name, const struct tls_session *session)
    ASSAY_MUST_USE;
void wolf_free(struct tls_connection *tls);
/* BLOCKED: connection_pull() had no more. FAILED: *code is the library's. */
enum wolf_step wolf_handshake(struct tls_connection *tls, int *code);
enum wolf_step wolf_read(struct tls_connection *tls, void *buffer, size_t capacity, size_t *length, int *code);
enum wolf_step wolf_write(struct tls_connection *tls, const void *data, size_t len, int *code);
enum wolf_step wolf_close_notify(struct tls_connection *tls, int *code);
void wolf_send_alert(struct tls_connection *tls, uint8_t alert);
/* Fatal alerts so far; 0: none. */
void wolf_get_alerts(const struct tls_connection *tls, uint8_t *sent, uint8_t *received);
/* The server asked the client for another ClientHello and has not read it yet. */
bool wolf_awaits_second_hello(const struct tls_connection *tls);
bool wolf_pending(const struct tls_connection *tls);
bool wolf_resumed(const struct tls_connection *tls);
enum tls_version wolf_version(const struct tls_connection *tls);
const char *wolf_cipher(const struct tls_connection *tls);
bool wolf_certificate_requested(const struct tls_connection *tls);
struct slice wolf_alpn(const struct tls_connection *tls);

/* --- wolf_errors.c ------------------------------------------------------------------------------------------------------------ */

/* The alert a peer is owed for one of the library's errors, and whose fault it was. */
struct wolf_fault {
    enum tls_failure_kind kind;
    uint8_t alert;
};
struct wolf_fault wolf_classify(int code);

#endif
