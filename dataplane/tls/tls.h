/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TLS_TLS_H
#define ASSAY_TLS_TLS_H
/* TLS connections as bytes in, bytes out: no sockets, no TCP, no waiting. The caller lends input and output for the length
 * of one call (struct tls_io) and gets back how much was used and made.
 * Owner: a context belongs to control's credential section (one a credential and core); a connection to its core; a session
 * to whoever took it. Thread: a connection and its context are used by one core only; contexts are created and freed on the
 * control thread. Memory of connections comes from the core's allocator (base/thread_slot.h).
 * Units: bytes; seconds of wall clock. Errors: enum tls_status, details in struct tls_failure.
 * Source: RFC 8446, RFC 5246, RFC 6066 §3 (SNI), RFC 7301 (ALPN), RFC 5077, RFC 8446 §4.6.1 (tickets). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"

struct tls_context;
struct tls_connection;
struct tls_session;

/* --- contexts (control thread) ----------------------------------------------------------------------------------------- */

enum tls_version { TLS_VERSION_1_2 = 0x0303, TLS_VERSION_1_3 = 0x0304 };

struct tls_context_settings {
    struct slice chain_pem; /* certificate, then intermediates; empty: none (client side: an empty Certificate, S18) */
    struct slice key_pem;   /* unencrypted PKCS#8, PKCS#1 or SEC1 */
    const char *ciphers;    /* S8's string in OpenSSL notation for this direction; NULL: the default */
    enum tls_version version_min;
    enum tls_version version_max;
    uint32_t ticket_lifetime_s; /* server: 0 = no tickets; at most 7 days (RFC 8446 §4.6.1) */
};

/* Server side (toward clients) and client side (toward origins). MALFORMED, UNSUPPORTED, RANGE with *fault set to a static
 * or context-owned text that names what is wrong (certificate, key, key does not match, cipher word). */
enum assay_error tls_server_context_create(const struct tls_context_settings *settings, struct tls_context **out,
                                           const char **fault) ASSAY_MUST_USE;
enum assay_error tls_client_context_create(const struct tls_context_settings *settings, struct tls_context **out,
                                           const char **fault) ASSAY_MUST_USE;
/* Only when no connection uses it any more. */
void tls_context_free(struct tls_context *context);
/* Is a cipher string sound? MALFORMED or UNSUPPORTED, with the word (inside the string) that is not. */
enum assay_error tls_ciphers_check(const char *ciphers, struct slice *fault) ASSAY_MUST_USE;
/* What a cipher string prefers (S8). */
enum tls_preference { TLS_PREFER_ECDSA, TLS_PREFER_RSA };
enum assay_error tls_cipher_preference(const char *ciphers, enum tls_preference *out) ASSAY_MUST_USE;

/* --- ticket keys (a credential section's; read through tls_io) ----------------------------------------------------------- */

#define TLS_TICKET_KEYS_MAX 3
struct tls_ticket_key {
    uint8_t name[16];
    uint8_t secret[32]; /* AES-256-GCM */
};
struct tls_ticket_keys {
    uint32_t count; /* keys[0] encrypts, all decrypt */
    struct tls_ticket_key keys[TLS_TICKET_KEYS_MAX];
};

/* --- the ClientHello, before a context is chosen --------------------------------------------------------------------------- */

#define TLS_HELLO_MAX 16384
struct tls_hello; /* reassembles a ClientHello over segments and records; on the core's allocator */

enum tls_status {
    TLS_STATUS_OK,         /* done; or data was produced */
    TLS_STATUS_WANT_INPUT, /* all input is used up and more is needed */
    TLS_STATUS_WANT_ROOM,  /* output is full: send it, call again with empty output */
    TLS_STATUS_CLOSED,     /* the peer's close_notify */
    TLS_STATUS_FAILED,     /* fatal: send what is in the output (the alert), then close; see tls_get_failure() */
};

struct tls_hello *tls_hello_create(void); /* NULL: out of memory */
void tls_hello_free(struct tls_hello *hello);
/* Takes bytes of the client's first flight; OK when a whole ClientHello is there. FAILED: *alert is what to send
 * (tls_alert_record). Never takes bytes beyond the record that ends the ClientHello. */
enum tls_status tls_hello_feed(struct tls_hello *hello, struct slice in, size_t *used, uint8_t *alert);
/* The SNI host_name in lower case, or empty (also when malformed: then feed failed). */
struct slice tls_hello_sni(const struct tls_hello *hello);
/* A plaintext fatal alert record for a handshake that has no connection yet; returns its length (7). */
size_t tls_alert_record(uint8_t alert, uint8_t out[7]);

/* --- connections (one core) -------------------------------------------------------------------------------------------------- */

struct tls_io {
    struct slice in; /* ciphertext lent by the caller */
    size_t in_used;  /* how much of it was taken; partial records are kept inside the connection */
    uint8_t *out;    /* where ciphertext goes */
    size_t out_capacity;
    size_t out_length;
    const struct tls_ticket_keys *ticket_keys; /* of the current snapshot; NULL: no tickets (server side only) */
};

/* Judges the origin's chain inside the handshake, before our Finished (DESIGN: the one upward callback). May be called
 * twice for one handshake: must be idempotent. certificates[0] is the leaf; wire order. count 0:
 * the origin has none, and the handshake ends whatever is returned. staple: the OCSP response that came
 * with it, unread; empty: none, or not asked for. Returns 0 to accept, or the alert.
 * In TLS 1.2 a response follows the chain (RFC 6066 §8): then the call comes with the response, or when it is clear that
 * there will be none. */
struct tls_verifier {
    uint8_t (*fn)(void *arg, const struct slice *certificates, size_t count, struct slice staple);
    void *arg;
    bool ask_status; /* ask for a stapled OCSP response (status_request) */
};

/* The hello is taken over (freed by the connection), also on failure. */
enum assay_error tls_server_create(struct tls_context *context, struct tls_hello *hello, struct tls_connection **out)
    ASSAY_MUST_USE;
/* RANGE without a verifier function. server_name NULL: no SNI is sent (IP literals). session NULL, or one to resume (still the caller's). */
enum assay_error tls_client_create(struct tls_context *context, const char *server_name, struct tls_verifier verifier,
                                   const struct tls_session *session, struct tls_connection **out) ASSAY_MUST_USE;
void tls_free(struct tls_connection *tls);

/* Drives the handshake: OK when it is complete (there may still be output, and unread input). */
enum tls_status tls_handshake(struct tls_connection *tls, struct tls_io *io);
/* Decrypts up to capacity bytes. OK with *length > 0, WANT_INPUT, CLOSED, FAILED. May produce output (key update). */
enum tls_status tls_read(struct tls_connection *tls, struct tls_io *io, void *buffer, size_t capacity, size_t *length);
/* Encrypts as many whole records as fit the output: *taken of len bytes. Room needed for n bytes: tls_sealed_size(n). */
enum tls_status tls_write(struct tls_connection *tls, struct tls_io *io, const void *data, size_t len, size_t *taken);
enum tls_status tls_close_notify(struct tls_connection *tls, struct tls_io *io);
/* Upper bound of the ciphertext for len bytes of plaintext. */
size_t tls_sealed_size(size_t len);
/* Bytes already decrypted or buffered inside, so that tls_read may yield without new input. */
bool tls_pending(const struct tls_connection *tls);

/* The handshake is complete and nothing failed since; the peer may have closed its side. */
bool tls_established(const struct tls_connection *tls);
bool tls_resumed(const struct tls_connection *tls);
enum tls_version tls_get_version(const struct tls_connection *tls);
const char *tls_get_cipher(const struct tls_connection *tls);
/* Client: the server asked for a certificate of ours (S18). */
bool tls_certificate_requested(const struct tls_connection *tls);
/* "http/1.1" or empty when none was agreed. */
struct slice tls_get_alpn(const struct tls_connection *tls);

/* The session to resume with, once there is one (1.3: after the first ticket, which arrives with data; so ask again after
 * reads); NULL: none. The caller owns it; it can be used for several connections, and is never changed by them. When a
 * handshake fails that offered one, try once more without: an origin may have been upgraded past the session's version. */
struct tls_session *tls_take_session(struct tls_connection *tls);
void tls_session_free(struct tls_session *session);

enum tls_failure_kind {
    TLS_FAILURE_NONE,
    TLS_FAILURE_VERIFIER,    /* the verifier refused: alert_sent is its alert */
    TLS_FAILURE_CERTIFICATE, /* a certificate that does not even parse, or possession not proven */
    TLS_FAILURE_PEER_ALERT,  /* alert_received */
    TLS_FAILURE_PROTOCOL,    /* everything else that a peer did wrong, alert_sent */
    TLS_FAILURE_TRUNCATED,   /* set by the caller's knowledge only: TCP ended without close_notify */
    TLS_FAILURE_INTERNAL,
};
struct tls_failure {
    enum tls_failure_kind kind;
    uint8_t alert_sent;     /* 0: none */
    uint8_t alert_received; /* 0: none */
    int library_code;       /* wolfSSL's, for the log */
};
void tls_get_failure(const struct tls_connection *tls, struct tls_failure *out);
/* RFC 8446 §6.2's name: "unknown_ca". */
const char *tls_alert_name(uint8_t alert);

#endif
