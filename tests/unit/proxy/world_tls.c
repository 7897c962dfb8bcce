/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS on the test's side of the world: certificates made when the program starts, both roles on our own tls/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/thread_slot.h"
#include "forge.h"
#include "world.h"
#include "x509/store.h"

#define TEXT_MAX 16384

/* Contexts of the far side and of the proxy; they outlive every world. */
static struct {
    struct tls_context *origins[2][WORLD_CERTIFICATES], *client[2]; /* [1]: no TLS 1.3 */
    struct tls_context *edge, *wild, *proxy_client, *proxy_client_other;
    struct slice root, self_signed;
} tls;
static const struct tls_ticket_keys ticket_keys = {
    .count = 1, .keys = {{.name = "world ticket key", .secret = "thirty-two bytes of no secret..."}}};

/* --- certificates --------------------------------------------------------------------------------------------------------- */

static char *pem_text(BIO *bio)
{
    char *data, *text;
    long len = BIO_get_mem_data(bio, &data);

    text = calloc(1, (size_t)len + 1);
    assert_non_null(text);
    memcpy(text, data, (size_t)len);
    BIO_free(bio);
    return text;
}

static char *certificate_pem(struct slice der)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_true(PEM_write_bio(bio, "CERTIFICATE", "", der.data, (long)der.len) > 0);
    return pem_text(bio);
}

static char *key_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    return pem_text(bio);
}

static struct tls_context *server_context(struct slice der, void *key, enum tls_version most)
{
    char *chain = certificate_pem(der), *secret = key_pem(key);
    struct tls_context_settings settings = {.chain_pem = slice_text(chain),
                                            .key_pem = slice_text(secret),
                                            .version_min = TLS_VERSION_1_2,
                                            .version_max = most,
                                            .ticket_lifetime_s = 3600};
    struct tls_context *context;
    const char *fault = NULL;

    if (tls_server_context_create(&settings, &context, &fault) != ASSAY_OK)
        fail_msg("server context: %s", fault);
    free(chain);
    free(secret);
    return context;
}

static struct tls_context *client_context(enum tls_version most)
{
    struct tls_context_settings settings = {.version_min = TLS_VERSION_1_2, .version_max = most};
    struct tls_context *context;
    const char *fault = NULL;

    if (tls_client_context_create(&settings, &context, &fault) != ASSAY_OK)
        fail_msg("client context: %s", fault);
    return context;
}

static struct slice node_names(void)
{
    return forge_san(forge_join(forge_join(forge_dns("cucm.steven.lab"), forge_dns("two.steven.lab")),
                                forge_join(forge_dns("hole.steven.lab"), forge_ip("198.18.2.11"))));
}

static void make_origin(enum world_certificate which, struct slice der, void *key)
{
    tls.origins[0][which] = server_context(der, key, TLS_VERSION_1_3);
    tls.origins[1][which] = server_context(der, key, TLS_VERSION_1_2);
}

static void make_origins(void)
{
    void *root_key = forge_key(FORGE_P256, 0), *self_key = forge_key(FORGE_P256, 1), *key = forge_key(FORGE_P256, 2),
         *small = forge_key(FORGE_RSA1024, 0);
    struct forge root = {.subject = "Steven Lab Root", .key = root_key, .extensions = {forge_ca(-1), forge_ski("R")}};
    struct forge self = {.subject = "cucm.steven.lab",
                         .key = self_key,
                         .extensions = {forge_san(forge_dns("cucm.steven.lab")), forge_ski("S")}};
    struct forge leaf = {.subject = "cucm.steven.lab",
                         .issuer = "Steven Lab Root",
                         .key = key,
                         .signer = root_key,
                         .extensions = {node_names(), forge_aki("R")}};

    tls.root = forge_certificate(&root);
    tls.self_signed = forge_certificate(&self);
    make_origin(WORLD_SELF_SIGNED, tls.self_signed, self_key);
    make_origin(WORLD_CA_SIGNED, forge_certificate(&leaf), key);
    leaf.not_after = FORGE_NOW + 3600;
    make_origin(WORLD_SHORT_LIVED, forge_certificate(&leaf), key);
    leaf.not_after = 0;
    leaf.key = small;
    make_origin(WORLD_SMALL_KEY, forge_certificate(&leaf), small);
    leaf.key = key;
    leaf.extensions[0] = forge_san(forge_dns("other.steven.lab"));
    make_origin(WORLD_OTHER_NAME, forge_certificate(&leaf), key);
}

void world_tls_start(void)
{
    struct forge edge = {.subject = "edge.steven.lab", .key = forge_key(FORGE_P256, 3)};
    struct forge wild = {.subject = "*.wild.lab", .key = forge_key(FORGE_P256, 4)};

    assert_int_equal(thread_slot_install(), ASSAY_OK);
    make_origins();
    tls.edge = server_context(forge_certificate(&edge), edge.key, TLS_VERSION_1_3);
    tls.wild = server_context(forge_certificate(&wild), wild.key, TLS_VERSION_1_3);
    tls.client[0] = client_context(TLS_VERSION_1_3);
    tls.client[1] = client_context(TLS_VERSION_1_2);
    tls.proxy_client = client_context(TLS_VERSION_1_3);
    tls.proxy_client_other = client_context(TLS_VERSION_1_3);
}

void world_tls_stop(void)
{
    for (int old = 0; old < 2; old++) {
        for (int i = 0; i < WORLD_CERTIFICATES; i++)
            tls_context_free(tls.origins[old][i]);
        tls_context_free(tls.client[old]);
    }
    tls_context_free(tls.edge);
    tls_context_free(tls.wild);
    tls_context_free(tls.proxy_client);
    tls_context_free(tls.proxy_client_other);
    forge_free();
}

void world_tls_credentials(struct world *w)
{
    w->edge = (struct tls_credential){.id = 1, .name = "edge", .contexts = {tls.edge}};
    w->wild = (struct tls_credential){.id = 2, .name = "wild", .contexts = {tls.wild}};
    w->client = (struct tls_credential){.id = 3, .name = "client", .contexts = {tls.proxy_client}};
    w->client_other = (struct tls_credential){.id = 4, .name = "other", .contexts = {tls.proxy_client_other}};
    w->server_names[0] = (struct credential_name){"*.wild.lab", &w->wild};
    w->server_names[1] = (struct credential_name){"edge.steven.lab", &w->edge};
    w->credentials = (struct credential_section){.epoch = 1,
                                                 .server_default = &w->edge,
                                                 .server_name_count = 2,
                                                 .server_names = w->server_names,
                                                 .client_default = &w->client,
                                                 .ticket_keys = &ticket_keys};
}

struct x509_store *world_tls_store(unsigned trust)
{
    struct x509_store *store = x509_store_create();

    assert_non_null(store);
    if (trust & WORLD_TRUST_ROOT)
        assert_int_equal(x509_store_add(store, tls.root, X509_ROLE_ANCHOR, NULL), ASSAY_OK);
    if (trust & WORLD_TRUST_SELF)
        assert_int_equal(x509_store_add(store, tls.self_signed, X509_ROLE_LEAF_ONLY, NULL), ASSAY_OK);
    return store;
}

/* --- connections ------------------------------------------------------------------------------------------------------------ */

static uint8_t believe(void *arg, const struct slice *certificates, size_t count, struct slice staple)
{
    return 0;
}

/* True when there is a connection that can be driven. */
static bool begin(struct world *w, struct world_peer *peer)
{
    struct tls_verifier verifier = {.fn = believe};
    enum tls_status status = TLS_STATUS_WANT_INPUT;
    enum world_certificate which;
    uint8_t alert;
    struct slice piece;

    if (peer->is_client) {
        assert_int_equal(tls_client_create(tls.client[w->tls12], peer->sni, verifier, peer->session, &peer->tls),
                         ASSAY_OK);
        return true;
    }
    if (peer->hello == NULL)
        peer->hello = tls_hello_create();
    while (status == TLS_STATUS_WANT_INPUT && (piece = tcp_peek(w->far, peer->tcp)).len > 0) {
        size_t used = 0;

        status = tls_hello_feed(peer->hello, piece, &used, &alert);
        tcp_consume(w->far, peer->tcp, used);
    }
    assert_int_not_equal(status, TLS_STATUS_FAILED);
    if (status != TLS_STATUS_OK)
        return false;
    which = peer->port == 6972 ? w->certificate_6972 : w->certificate_8443;
    assert_int_equal(tls_server_create(tls.origins[w->tls12][which], peer->hello, &peer->tls), ASSAY_OK);
    peer->hello = NULL;
    return true;
}

static struct tls_io borrow(struct world *w, struct world_peer *peer)
{
    static uint8_t out[65536];

    return (struct tls_io){.in = tcp_peek(w->far, peer->tcp),
                           .out = out,
                           .out_capacity = sizeof(out),
                           .ticket_keys = w->origin_tickets ? &ticket_keys : NULL};
}

static void settle(struct world *w, struct world_peer *peer, const struct tls_io *io)
{
    tcp_consume(w->far, peer->tcp, io->in_used);
    world_put(w, peer, io->out, io->out_length);
}

/* False: nothing moves any more. */
static bool step(struct world *w, struct world_peer *peer)
{
    struct tls_io io = borrow(w, peer);
    char text[TEXT_MAX];
    size_t length = 0;
    enum tls_status status;

    status = peer->established ? tls_read(peer->tls, &io, text, sizeof(text), &length) : tls_handshake(peer->tls, &io);
    settle(w, peer, &io);
    world_take(peer, text, length);
    if (status == TLS_STATUS_OK && !peer->established) {
        peer->established = true;
        peer->resumed = tls_resumed(peer->tls);
        return true;
    }
    peer->closed |= status == TLS_STATUS_CLOSED;
    if (status == TLS_STATUS_FAILED) {
        peer->failed = true;
        tls_get_failure(peer->tls, &peer->failure);
    }
    return (status == TLS_STATUS_OK || status == TLS_STATUS_WANT_INPUT || status == TLS_STATUS_WANT_ROOM) &&
           (io.in_used > 0 || io.out_length > 0 || length > 0);
}

void world_tls_read(struct world *w, struct world_peer *peer)
{
    struct slice piece;

    if (peer->failed || peer->closed) {
        while ((piece = tcp_peek(w->far, peer->tcp)).len > 0)
            tcp_consume(w->far, peer->tcp, piece.len);
        return;
    }
    if (peer->tls == NULL && !begin(w, peer))
        return;
    while (step(w, peer))
        ;
}

size_t world_tls_write(struct world *w, struct world_peer *peer, const void *data, size_t len)
{
    struct tls_io io = borrow(w, peer);
    size_t taken = 0;

    if (!peer->established || peer->failed)
        return 0;
    if (len > 16384)
        len = 16384;
    if (tcp_room(w->far, peer->tcp, 0) < tls_sealed_size(len))
        return 0;
    io.in = slice_of(NULL, 0);
    (void)tls_write(peer->tls, &io, data, len, &taken);
    settle(w, peer, &io);
    return taken;
}

void world_tls_close_notify(struct world *w, struct world_peer *peer)
{
    struct tls_io io = borrow(w, peer);

    if (!peer->established || peer->failed)
        return;
    io.in = slice_of(NULL, 0);
    (void)tls_close_notify(peer->tls, &io);
    settle(w, peer, &io);
}

void world_tls_free(struct world_peer *peer)
{
    tls_free(peer->tls);
    tls_hello_free(peer->hello);
}
