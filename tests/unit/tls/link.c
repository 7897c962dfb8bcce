/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "link.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#define OUT_MAX (1 << 16)

/* --- contexts ------------------------------------------------------------------------------------------------------------------ */

static struct tls_context_settings settings(const struct pki_identity *identity, const char *ciphers,
                                            enum tls_version min, enum tls_version max)
{
    struct tls_context_settings out = {
        .ciphers = ciphers,
        .version_min = min != 0 ? min : TLS_VERSION_1_2,
        .version_max = max != 0 ? max : TLS_VERSION_1_3,
        .ticket_lifetime_s = 3600,
    };

    if (identity != NULL) {
        out.chain_pem = slice_text(identity->chain_pem);
        out.key_pem = slice_text(identity->key_pem);
    }
    return out;
}

struct tls_context *link_server_context(const struct pki_identity *identity, const char *ciphers, enum tls_version min,
                                        enum tls_version max)
{
    struct tls_context_settings with = settings(identity, ciphers, min, max);
    struct tls_context *context;
    const char *fault;

    if (tls_server_context_create(&with, &context, &fault) != ASSAY_OK) {
        fprintf(stderr, "server context: %s\n", fault);
        abort();
    }
    return context;
}

struct tls_context *link_client_context(const struct pki_identity *identity, const char *ciphers, enum tls_version min,
                                        enum tls_version max)
{
    struct tls_context_settings with = settings(identity, ciphers, min, max);
    struct tls_context *context;
    const char *fault;

    if (tls_client_context_create(&with, &context, &fault) != ASSAY_OK) {
        fprintf(stderr, "client context: %s, %s %x-%x\n", fault, ciphers, min, max);
        abort();
    }
    return context;
}

static X509 *leaf_of(BIO *chain)
{
    X509 *leaf = PEM_read_bio_X509(chain, NULL, NULL, NULL);

    assert(leaf != NULL);
    return leaf;
}

static EVP_PKEY *key_of(const struct pki_identity *identity)
{
    BIO *bio = BIO_new_mem_buf(identity->key_pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    assert(key != NULL);
    BIO_free(bio);
    return key;
}

void link_peer_use(SSL_CTX *peer, const struct pki_identity *identity)
{
    BIO *chain = BIO_new_mem_buf(identity->chain_pem, -1);
    X509 *leaf = leaf_of(chain), *next;
    EVP_PKEY *key = key_of(identity);

    if (SSL_CTX_use_certificate(peer, leaf) != 1 || SSL_CTX_use_PrivateKey(peer, key) != 1)
        abort();
    while ((next = PEM_read_bio_X509(chain, NULL, NULL, NULL)) != NULL)
        SSL_CTX_add0_chain_cert(peer, next);
    ERR_clear_error();
    X509_free(leaf);
    EVP_PKEY_free(key);
    BIO_free(chain);
}

/* The public half of one key and the secret half of another, of the same kind. */
static EVP_PKEY *mixed_key(const struct pki_identity *public_half, const struct pki_identity *secret_half)
{
    EVP_PKEY *key = key_of(public_half), *other = key_of(secret_half), *mixed = NULL;
    bool rsa = EVP_PKEY_is_a(key, "RSA") != 0;
    const char *names[] = {rsa ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_PUB_KEY,
                           rsa ? OSSL_PKEY_PARAM_RSA_D : OSSL_PKEY_PARAM_PRIV_KEY};
    EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(NULL, rsa ? "RSA" : "EC", NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = NULL, *e = NULL, *secret = NULL;
    unsigned char point[200];
    size_t point_length = 0;
    OSSL_PARAM *params;

    EVP_PKEY_get_bn_param(other, names[1], &secret);
    if (rsa) {
        EVP_PKEY_get_bn_param(key, names[0], &n);
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e);
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
    } else {
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &point_length);
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, point_length);
    }
    OSSL_PARAM_BLD_push_BN(build, names[1], secret);
    params = OSSL_PARAM_BLD_to_param(build);
    if (EVP_PKEY_fromdata_init(make) != 1 || EVP_PKEY_fromdata(make, &mixed, EVP_PKEY_KEYPAIR, params) != 1)
        abort();
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(make);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    BN_free(n);
    BN_free(e);
    BN_free(secret);
    return mixed;
}

void link_peer_use_wrong_key(SSL_CTX *peer, const struct pki_identity *identity, const struct pki_identity *other)
{
    BIO *chain = BIO_new_mem_buf(identity->chain_pem, -1);
    X509 *leaf = leaf_of(chain);
    EVP_PKEY *key = mixed_key(identity, other);

    if (SSL_CTX_use_certificate(peer, leaf) != 1 || SSL_CTX_use_PrivateKey(peer, key) != 1)
        abort();
    X509_free(leaf);
    EVP_PKEY_free(key);
    BIO_free(chain);
}

char *link_key_type_specific(const struct pki_identity *identity)
{
    EVP_PKEY *key = key_of(identity);
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *text;
    long len;

    PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);
    len = BIO_get_mem_data(bio, &data);
    text = malloc((size_t)len + 1);
    memcpy(text, data, (size_t)len);
    text[len] = '\0';
    BIO_free(bio);
    EVP_PKEY_free(key);
    return text;
}

SSL_CTX *link_peer_server(const struct pki_identity *identity, int min, int max)
{
    SSL_CTX *peer = SSL_CTX_new(TLS_server_method());

    SSL_CTX_set_min_proto_version(peer, min);
    SSL_CTX_set_max_proto_version(peer, max);
    SSL_CTX_set_security_level(peer, 1);
    if (identity != NULL)
        link_peer_use(peer, identity);
    return peer;
}

SSL_CTX *link_peer_client(int min, int max)
{
    SSL_CTX *peer = SSL_CTX_new(TLS_client_method());

    SSL_CTX_set_min_proto_version(peer, min);
    SSL_CTX_set_max_proto_version(peer, max);
    return peer;
}

/* --- opening and closing ---------------------------------------------------------------------------------------------------------- */

static void peer_alerts(const SSL *peer, int where, int value)
{
    struct link *link = SSL_get_app_data(peer);

    if ((where & SSL_CB_ALERT) == 0)
        return;
    if ((where & SSL_CB_READ) != 0) {
        link->alert_received = value & 0xff;
        link->fatal_alerts_received += (value >> 8) == 2;
    } else {
        link->alert_sent = value & 0xff;
    }
}

static void open_peer(struct link *link, SSL_CTX *context)
{
    link->peer = SSL_new(context);
    SSL_set_bio(link->peer, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_app_data(link->peer, link);
    SSL_set_info_callback(link->peer, peer_alerts);
    link->alert_sent = -1;
    link->alert_received = -1;
    if (link->out_capacity == 0)
        link->out_capacity = OUT_MAX;
}

void link_open_peer(struct link *link, struct tls_context *context, SSL_CTX *peer, bool ours_is_server)
{
    open_peer(link, peer);
    link->context = context;
    if (ours_is_server)
        SSL_set_connect_state(link->peer);
    else
        SSL_set_accept_state(link->peer);
}

void link_open_server(struct link *link, struct tls_context *context, SSL_CTX *peer)
{
    open_peer(link, peer);
    link->context = context;
    link->hello = tls_hello_create();
    SSL_set_connect_state(link->peer);
}

void link_open_client(struct link *link, struct tls_context *context, const char *name, struct tls_verifier verifier,
                      const struct tls_session *session, SSL_CTX *peer)
{
    open_peer(link, peer);
    link->context = context;
    SSL_set_accept_state(link->peer);
    if (tls_client_create(context, name, verifier, session, &link->ours) != ASSAY_OK)
        abort();
}

struct link *link_create(void)
{
    struct link *link = calloc(1, sizeof(*link));

    assert(link != NULL);
    return link;
}

void link_close(struct link *link)
{
    tls_free(link->ours);
    tls_hello_free(link->hello);
    /* Without this OpenSSL forgets the session of a connection that was not shut down. */
    if (link->peer_done)
        SSL_set_shutdown(link->peer, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(link->peer);
    ERR_clear_error();
    free(link);
}

/* --- moving --------------------------------------------------------------------------------------------------------------------- */

static void compact(struct link *link)
{
    memmove(link->input, link->input + link->input_start, link->input_length);
    link->input_start = 0;
}

void link_inject(struct link *link, const void *bytes, size_t len)
{
    compact(link);
    assert(link->input_length + len <= sizeof(link->input));
    memcpy(link->input + link->input_length, bytes, len);
    link->input_length += len;
}

void link_collect(struct link *link)
{
    char *data;
    long len = BIO_get_mem_data(SSL_get_wbio(link->peer), &data);
    size_t room;
    int got;

    if (len <= 0)
        return;
    compact(link);
    room = sizeof(link->input) - link->input_length;
    if (room == 0)
        return;
    got = BIO_read(SSL_get_wbio(link->peer), link->input + link->input_length,
                   (int)((size_t)len < room ? (size_t)len : room));
    if (got > 0) {
        link->input_length += (size_t)got;
        link->bytes_in += (size_t)got;
    }
}

static void consume(struct link *link, size_t used)
{
    link->input_start += used;
    link->input_length -= used;
}

static struct tls_io borrow(const struct link *link, uint8_t *out)
{
    size_t len = link->input_length;

    if (link->chunk > 0 && len > link->chunk)
        len = link->chunk;
    return (struct tls_io){.in = slice_of(link->input + link->input_start, len),
                           .out = out,
                           .out_capacity = link->out_capacity,
                           .ticket_keys = link->keys};
}

/* True: something moved. */
static bool settle(struct link *link, const struct tls_io *io)
{
    consume(link, io->in_used);
    if (io->out_length > 0) {
        assert(BIO_write(SSL_get_rbio(link->peer), io->out, (int)io->out_length) == (int)io->out_length);
        link->bytes_out += io->out_length;
    }
    return io->in_used > 0 || io->out_length > 0;
}

static bool step_hello(struct link *link)
{
    size_t len = link->chunk > 0 && link->input_length > link->chunk ? link->chunk : link->input_length, used;

    link->status =
        tls_hello_feed(link->hello, slice_of(link->input + link->input_start, len), &used, &link->hello_alert);
    consume(link, used);
    if (link->status == TLS_STATUS_FAILED) {
        uint8_t record[7];

        if (link->hello_alert != 0)
            BIO_write(SSL_get_rbio(link->peer), record, (int)tls_alert_record(link->hello_alert, record));
        return false;
    }
    if (link->status != TLS_STATUS_OK)
        return used > 0;
    if (tls_server_create(link->context, link->hello, &link->ours) != ASSAY_OK)
        link->status = TLS_STATUS_FAILED; /* the hello is gone, too */
    link->hello = NULL;
    return link->ours != NULL;
}

bool link_step_ours(struct link *link)
{
    uint8_t out[OUT_MAX];
    struct tls_io io = borrow(link, out);
    bool was_done = link->ours_done;

    if (link->ours == NULL)
        return link->status == TLS_STATUS_FAILED ? false : step_hello(link);
    link->status = tls_handshake(link->ours, &io);
    link->ours_done = link->status == TLS_STATUS_OK;
    return settle(link, &io) || link->ours_done != was_done;
}

bool link_step_peer(struct link *link)
{
    int result;

    if (link->peer_done || link->peer_failed)
        return false;
    ERR_clear_error();
    result = SSL_do_handshake(link->peer);
    if (result == 1) {
        link->peer_done = true;
    } else if (SSL_get_error(link->peer, result) != SSL_ERROR_WANT_READ) {
        link->peer_failed = true;
        link->peer_error = ERR_peek_error();
    }
    link_collect(link);
    return link->peer_done || link->peer_failed;
}

bool link_handshake(struct link *link)
{
    for (int quiet = 0; quiet < 3;) {
        bool moved = link_step_peer(link);

        moved = link_step_ours(link) || moved;
        if (link->status == TLS_STATUS_FAILED) {
            link_step_peer(link);
            return false;
        }
        if (link->ours_done && link->peer_done)
            return true;
        quiet = moved ? 0 : quiet + 1;
    }
    return false;
}

void link_settle(struct link *link)
{
    for (int quiet = 0; quiet < 3;) {
        bool moved = link_step_peer(link);

        moved = link_step_ours(link) || moved;
        quiet = moved ? 0 : quiet + 1;
    }
}

/* --- data ------------------------------------------------------------------------------------------------------------------------- */

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

static bool check(const uint8_t *data, size_t len, size_t at)
{
    for (size_t i = 0; i < len; i++)
        if (data[i] != pattern(at + i))
            return false;
    return true;
}

static size_t fill(uint8_t *out, size_t capacity, size_t at, size_t end)
{
    size_t n = end - at < capacity ? end - at : capacity;

    for (size_t i = 0; i < n; i++)
        out[i] = pattern(at + i);
    return n;
}

/* What has arrived at the peer is read; false: it failed. */
static bool peer_read(struct link *link, size_t *got)
{
    uint8_t data[20000];
    int n;

    ERR_clear_error();
    while ((n = SSL_read(link->peer, data, sizeof(data))) > 0) {
        if (!check(data, (size_t)n, *got))
            return false;
        *got += (size_t)n;
    }
    link_collect(link);
    return SSL_get_error(link->peer, n) == SSL_ERROR_WANT_READ;
}

bool link_send(struct link *link, size_t len)
{
    uint8_t data[50000], out[OUT_MAX];
    size_t sent = 0, got = 0;

    for (int quiet = 0; got < len && quiet < 10000; quiet++) {
        struct tls_io io = borrow(link, out);
        size_t n = fill(data, sizeof(data), sent, len), taken, before = got;

        io.in = slice_of(NULL, 0);
        link->status = tls_write(link->ours, &io, data, n, &taken);
        sent += taken;
        settle(link, &io);
        if (link->status != TLS_STATUS_OK && link->status != TLS_STATUS_WANT_ROOM)
            return false;
        if (!peer_read(link, &got))
            return false;
        if (got != before)
            quiet = 0;
    }
    return got == len;
}

bool link_receive(struct link *link, size_t len)
{
    uint8_t data[50000], out[OUT_MAX];
    size_t sent = 0, got = 0, n, ignored = 0;

    for (int quiet = 0; got < len && quiet < 10000; quiet++) {
        struct tls_io io;

        if (sent < len && link->input_length < LINK_BUFFER / 2) {
            int wrote;

            n = fill(data, sizeof(data), sent, len);
            ERR_clear_error();
            wrote = SSL_write(link->peer, data, (int)n);
            if (wrote > 0)
                sent += (size_t)wrote;
        }
        link_collect(link);
        io = borrow(link, out);
        link->status = tls_read(link->ours, &io, data, sizeof(data), &n);
        if (settle(link, &io) || n > 0)
            quiet = 0;
        if (link->status == TLS_STATUS_FAILED || link->status == TLS_STATUS_CLOSED || !check(data, n, got))
            return false;
        got += n;
        if (io.out_length > 0 && !peer_read(link, &ignored))
            return false;
    }
    return got == len;
}

enum tls_status link_read(struct link *link, void *buffer, size_t capacity, size_t *length)
{
    uint8_t out[OUT_MAX];
    struct tls_io io;

    link_collect(link);
    io = borrow(link, out);
    link->status = tls_read(link->ours, &io, buffer, capacity, length);
    settle(link, &io);
    return link->status;
}

void link_peer_reads(struct link *link)
{
    uint8_t data[20000];
    int n;

    ERR_clear_error();
    do
        n = SSL_read(link->peer, data, sizeof(data));
    while (n > 0);
    link->peer_closed = SSL_get_error(link->peer, n) == SSL_ERROR_ZERO_RETURN;
    link->peer_failed = SSL_get_error(link->peer, n) == SSL_ERROR_SSL;
    link->peer_error = ERR_peek_error();
    link_collect(link);
}

/* --- the verifier ------------------------------------------------------------------------------------------------------------------ */

static uint8_t judge_chain(void *arg, const struct slice *certificates, size_t count, struct slice staple)
{
    struct link_judge *judge = arg;

    judge->calls++;
    judge->count = count;
    judge->leaf_length = count == 0 ? 0 : certificates[0].len;
    if (judge->leaf_length > sizeof(judge->leaf))
        judge->leaf_length = sizeof(judge->leaf);
    if (judge->leaf_length > 0)
        memcpy(judge->leaf, certificates[0].data, judge->leaf_length);
    judge->second_length = count > 1 ? certificates[1].len : 0;
    judge->staple_length = staple.len;
    if (staple.len > 0 && staple.len <= sizeof(judge->staple))
        memcpy(judge->staple, staple.data, staple.len);
    return judge->alert;
}

struct tls_verifier link_verifier(struct link_judge *judge)
{
    return (struct tls_verifier){judge_chain, judge, judge->ask_status};
}
