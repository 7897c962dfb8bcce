/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wolfSSL that setup built, attacked directly: each case names the CVE of docs/wolfssl-cves.md it is about. The peer
 * is either OpenSSL, or bytes written by hand where no honest peer would send them. What "not built" claims in that table
 * rest on is checked by the preprocessor, right below. */
#define OPENSSL_COEXIST /* wolfssl/ssl.h shall not define OpenSSL's names */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <wolfssl/options.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#if defined(OPENSSL_EXTRA) || defined(OPENSSL_ALL) || defined(SESSION_CERTS) || defined(HAVE_EXT_CACHE)
#error "CVE-2025-7394, CVE-2026-2646, -3229, -5447, -5448, -5501, -5507, -11310, -11999, -55964, -89135 may apply"
#endif
#if defined(HAVE_PKCS7) || defined(WOLFSSL_WOLFSSH)
#error \
    "the PKCS#7 CVEs apply: CVE-2026-0819, -4159, -5295, -5392, -5500, -5504, -6094, -6291, -6678, -6681, -7511, -55961"
#endif
#if defined(WOLFSSL_DTLS) || defined(HAVE_ECH) || defined(HAVE_RPK) || defined(WOLFSSL_TRUST_PEER_CERT)
#error "CVE-2026-3549, -3849, -5264, -5503, -6679, -55960, -89136, -93302 may apply"
#endif
#if defined(HAVE_CRL) || defined(HAVE_OCSP) || defined(HAVE_CERTIFICATE_STATUS_REQUEST_V2) || \
    defined(WOLFSSL_SMALL_CERT_VERIFY)
#error "CVE-2026-3548, -6450, -10098, -89102, -94417, -94418 may apply"
#endif
#if defined(WOLFSSL_POST_HANDSHAKE_AUTH) || defined(WOLFSSL_SNIFFER) || defined(WOLFSSL_DUAL_ALG_CERTS)
#error "CVE-2025-11933, CVE-2026-1005, -5393, -5778, -55962 may apply"
#endif
#if defined(HAVE_XCHACHA) || defined(WOLFSSL_HAVE_MLKEM) || defined(WOLFSSL_HAVE_KYBER) || defined(HAVE_BLAKE2B) || \
    defined(WOLFSSL_SM2) || defined(HAVE_ARIA) || defined(WOLFCRYPT_HAVE_ECCSI) || defined(WOLFSSL_AES_EAX)
#error "CVE-2025-11931, CVE-2026-5446, -5460, -5466, -5477, -6330, -7531, -8720, -10097, -12340 may apply"
#endif
#if defined(WOLFSSL_ASN_ORIGINAL) || !defined(WOLFSSL_ASN_TEMPLATE) || !defined(WOLFSSL_IP_ALT_NAME)
#error "CVE-2026-5188, CVE-2026-7532 may apply"
#endif
#if !defined(NO_SESSION_CACHE_REF) || !defined(WOLFSSL_ECDHX_SHARED_NOT_ZERO)
#error "CVE-2026-94419 and the all-zero X25519 secret are closed by these"
#endif

enum { ALERT_UNEXPECTED = 10, ALERT_ILLEGAL = 47, ALERT_DECODE = 50, ALERT_MISSING_EXTENSION = 109, NO_ALERT = -1 };

/* wolfSSL's random source, which setup builds it to ask the program for. */
int assay_rand_generate_block(unsigned char *output, unsigned int size);
int assay_rand_generate_block(unsigned char *output, unsigned int size)
{
    return getrandom(output, size, 0) == (ssize_t)size ? 0 : -1;
}

/* --- bytes --------------------------------------------------------------------------------------------------------- */

struct bytes {
    uint8_t data[65536];
    size_t length, taken;
};

static void put(struct bytes *b, const void *data, size_t len)
{
    assert_true(b->length + len <= sizeof(b->data));
    if (len > 0)
        memcpy(b->data + b->length, data, len);
    b->length += len;
}

static void put8(struct bytes *b, unsigned value)
{
    uint8_t byte = (uint8_t)value;
    put(b, &byte, 1);
}

static void put16(struct bytes *b, unsigned value)
{
    put8(b, value >> 8);
    put8(b, value & 0xff);
}

/* Opens a vector whose length field has that many octets; end_vector() writes the length. */
static size_t begin_vector(struct bytes *b, int octets)
{
    for (int i = 0; i < octets; i++)
        put8(b, 0);
    return b->length;
}

static void end_vector(struct bytes *b, size_t start, int octets)
{
    size_t len = b->length - start;
    for (int i = 0; i < octets; i++)
        b->data[start - 1 - (size_t)i] = (uint8_t)(len >> (8 * i));
}

/* --- a wolfSSL endpoint in memory ---------------------------------------------------------------------------------- */

struct endpoint {
    WOLFSSL_CTX *ctx;
    WOLFSSL *ssl;
    struct bytes in, out;
    size_t most; /* octets a read yields at most */
    int certificates;
};

static int endpoint_recv(WOLFSSL *ssl, char *buffer, int size, void *context)
{
    struct endpoint *e = context;
    size_t n = e->in.length - e->in.taken;
    if (n == 0)
        return WOLFSSL_CBIO_ERR_WANT_READ;
    n = n < (size_t)size ? n : (size_t)size;
    n = n < e->most ? n : e->most;
    memcpy(buffer, e->in.data + e->in.taken, n);
    e->in.taken += n;
    return (int)n;
}

static int endpoint_send(WOLFSSL *ssl, char *buffer, int size, void *context)
{
    struct endpoint *e = context;
    put(&e->out, buffer, (size_t)size);
    return size;
}

static int endpoint_verify(int ok, WOLFSSL_X509_STORE_CTX *store)
{
    struct endpoint *e = store->userCtx;
    e->certificates = store->totalCerts;
    return store->certs[0].buffer != NULL && store->certs[0].length > 0;
}

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};

/* A key and a self-signed certificate for it: "EC" with a curve, "RSA" with bits, "ED25519". */
static struct identity make_identity(const char *type, const char *group, size_t bits)
{
    struct identity id;
    id.key = strcmp(type, "EC") == 0    ? EVP_PKEY_Q_keygen(NULL, NULL, type, group)
             : strcmp(type, "RSA") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, type, bits)
                                        : EVP_PKEY_Q_keygen(NULL, NULL, type);
    assert_non_null(id.key);
    id.certificate = X509_new();
    X509_set_version(id.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(id.certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(id.certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(id.certificate), 86400);
    X509_NAME *name = X509_get_subject_name(id.certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"assay.test", -1, -1, 0);
    X509_set_issuer_name(id.certificate, name);
    X509_set_pubkey(id.certificate, id.key);
    assert_true(X509_sign(id.certificate, id.key, strcmp(type, "ED25519") == 0 ? NULL : EVP_sha256()) > 0);
    return id;
}

static void free_identity(struct identity *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->certificate);
}

static void use_identity(WOLFSSL_CTX *ctx, const struct identity *id)
{
    unsigned char *der = NULL;
    int len = i2d_X509(id->certificate, &der);
    assert_int_equal(wolfSSL_CTX_use_certificate_buffer(ctx, der, len, WOLFSSL_FILETYPE_ASN1), WOLFSSL_SUCCESS);
    OPENSSL_free(der);
    der = NULL;
    len = i2d_PrivateKey(id->key, &der);
    assert_int_equal(wolfSSL_CTX_use_PrivateKey_buffer(ctx, der, len, WOLFSSL_FILETYPE_ASN1), WOLFSSL_SUCCESS);
    OPENSSL_free(der);
}

static void endpoint_open(struct endpoint *e, WOLFSSL_CTX *ctx)
{
    memset(e, 0, sizeof(*e));
    e->most = SIZE_MAX;
    e->ctx = ctx;
    wolfSSL_CTX_SetIORecv(ctx, endpoint_recv);
    wolfSSL_CTX_SetIOSend(ctx, endpoint_send);
    e->ssl = wolfSSL_new(ctx);
    assert_non_null(e->ssl);
    wolfSSL_SetIOReadCtx(e->ssl, e);
    wolfSSL_SetIOWriteCtx(e->ssl, e);
    wolfSSL_SetCertCbCtx(e->ssl, e);
}

/* As assay sets a server up. */
static void server_open(struct endpoint *e, const struct identity *id)
{
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfSSLv23_server_method());
    assert_non_null(ctx);
    wolfSSL_CTX_SetMinVersion(ctx, WOLFSSL_TLSV1_2);
    wolfSSL_CTX_set_session_cache_mode(ctx, WOLFSSL_SESS_CACHE_OFF);
    use_identity(ctx, id);
    endpoint_open(e, ctx);
}

/* As assay sets a client up: our verifier, forward secrecy in resumptions too. */
static void client_open(struct endpoint *e, int version)
{
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(version == 12 ? wolfTLSv1_2_client_method() : wolfSSLv23_client_method());
    assert_non_null(ctx);
    wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_NONE, endpoint_verify);
    wolfSSL_CTX_set_session_cache_mode(ctx, WOLFSSL_SESS_CACHE_OFF);
    wolfSSL_CTX_UseSessionTicket(ctx);
    wolfSSL_CTX_only_dhe_psk(ctx);
    endpoint_open(e, ctx);
}

static void endpoint_close(struct endpoint *e)
{
    wolfSSL_free(e->ssl);
    wolfSSL_CTX_free(e->ctx);
}

/* The description of the alert that ends the endpoint's output, or NO_ALERT. */
static int last_alert(const struct endpoint *e)
{
    int alert = NO_ALERT;
    for (size_t at = 0; at + 5 <= e->out.length;) {
        size_t len = (size_t)e->out.data[at + 3] << 8 | e->out.data[at + 4];
        alert = e->out.data[at] == 21 && len == 2 ? e->out.data[at + 6] : NO_ALERT;
        at += 5 + len;
    }
    return alert;
}

/* --- ClientHellos by hand (RFC 8446, 4.1.2) ------------------------------------------------------------------------ */

static const uint8_t x25519_point[32] = {9};
struct key_share {
    uint16_t group;
    uint16_t length;
};
struct client_hello {
    const char *name;
    struct key_share shares[40];
    int share_count;
    const char *alpn; /* the whole list, without its length */
    size_t alpn_length;
    size_t record;    /* octets of handshake a record carries; 0: all in one */
    size_t read;      /* octets the server reads at once; 0: no limit */
    int error, alert; /* expected; error 0: the server answers and waits for our Finished */
};

static void put_extensions(struct bytes *b, const struct client_hello *hello)
{
    static const uint8_t fixed[] = {
        0, 43, 0, 3, 2, 3, 4,                  /* supported_versions: TLS 1.3 */
        0, 10, 0, 6, 0, 4, 0, 29, 0, 23,       /* supported_groups: X25519, P-256 */
        0, 13, 0, 8, 0, 6, 4, 3,  8, 4,  8, 7, /* signature_algorithms */
    };
    put(b, fixed, sizeof(fixed));
    put16(b, 51); /* key_share */
    size_t extension = begin_vector(b, 2), list = begin_vector(b, 2);
    for (int i = 0; i < hello->share_count; i++) {
        put16(b, hello->shares[i].group);
        put16(b, hello->shares[i].length);
        for (int j = 0; j < hello->shares[i].length; j++)
            put8(b, x25519_point[j % 32]);
    }
    end_vector(b, list, 2);
    end_vector(b, extension, 2);
    if (hello->alpn != NULL) {
        put16(b, 16);
        extension = begin_vector(b, 2);
        list = begin_vector(b, 2);
        put(b, hello->alpn, hello->alpn_length);
        end_vector(b, list, 2);
        end_vector(b, extension, 2);
    }
}

static void put_client_hello(struct bytes *out, const struct client_hello *hello)
{
    static struct bytes b;
    static const uint8_t random[32] = "the random of a client: 32 byte";
    b.length = 0;
    put8(&b, 1);
    size_t message = begin_vector(&b, 3);
    put16(&b, 0x0303);
    put(&b, random, 32);
    put8(&b, 32);
    put(&b, random, 32); /* legacy_session_id */
    put16(&b, 2);
    put16(&b, 0x1301);
    put16(&b, 0x0100); /* no compression */
    size_t extensions = begin_vector(&b, 2);
    put_extensions(&b, hello);
    end_vector(&b, extensions, 2);
    end_vector(&b, message, 3);

    size_t most = hello->record != 0 ? hello->record : b.length;
    for (size_t at = 0; at < b.length; at += most) {
        size_t n = b.length - at < most ? b.length - at : most;
        put8(out, 22);
        put16(out, 0x0301);
        put16(out, (unsigned)n);
        put(out, b.data + at, n);
    }
}

#define X25519     \
    {              \
        0x001d, 32 \
    }
#define GREASE    \
    {             \
        0x0a0a, 1 \
    }
#define ALPN(text) .alpn = (text), .alpn_length = sizeof(text) - 1
static const struct client_hello client_hellos[] = {
    /* CVE-2025-11936: RFC 8446, 4.2.8 forbids two entries of one group */
    {"one group twice", {X25519, X25519}, 2, .error = BAD_KEY_SHARE_DATA, .alert = ALERT_ILLEGAL},
    {"an unknown group twice", {GREASE, X25519, GREASE}, 3, .error = BAD_KEY_SHARE_DATA, .alert = ALERT_ILLEGAL},
    {"a key share cut short", {X25519, {0x0017, 0}}, 2, .error = INVALID_PARAMETER, .alert = ALERT_ILLEGAL},
    /* CVE-2026-3547: the length of the last entry points past the list */
    {"ALPN past its end", {X25519}, 1, ALPN("\x08http/1.1\x05h"), .error = BUFFER_ERROR, .alert = ALERT_DECODE},
    {"ALPN, only an overlong entry", {X25519}, 1, ALPN("\xff"), .error = BUFFER_ERROR, .alert = ALERT_DECODE},
    {"ALPN past its end by one", {X25519}, 1, ALPN("\x01h\x02h"), .error = BUFFER_ERROR, .alert = ALERT_DECODE},
    {"ALPN with an empty entry last", {X25519}, 1, ALPN("\x02h2\x00"), .error = BUFFER_ERROR, .alert = ALERT_DECODE},
    {"ALPN with an empty list", {X25519}, 1, ALPN(""), .error = BUFFER_ERROR, .alert = ALERT_DECODE},
    /* what must go on working */
    {"one key share", {X25519}, 1, .error = 0},
    {"unknown groups beside it", {GREASE, {0x6399, 1216}, X25519}, 3, .error = 0},
    {"ALPN", {X25519}, 1, ALPN("\x02h2\x08http/1.1")},
    {"ALPN without a match", {X25519}, 1, ALPN("\x02h2")},
    /* a ClientHello in pieces: read byte by byte, and split over records */
    {"read byte by byte", {X25519}, 1, .read = 1},
    {"records of 100 octets", {X25519}, 1, .record = 100},
    {"records of 5 octets, read by 3", {X25519}, 1, .record = 5, .read = 3},
};

static bool judge_client_hello(const struct client_hello *hello, const struct identity *id)
{
    static struct endpoint server;
    char http[] = "http/1.1";
    server_open(&server, id);
    server.most = hello->read != 0 ? hello->read : SIZE_MAX;
    wolfSSL_UseALPN(server.ssl, http, sizeof(http) - 1, WOLFSSL_ALPN_CONTINUE_ON_MISMATCH);
    put_client_hello(&server.in, hello);
    assert_int_not_equal(wolfSSL_accept(server.ssl), WOLFSSL_SUCCESS);
    int error = wolfSSL_get_error(server.ssl, 0);
    bool answered = server.out.length > 6 && server.out.data[0] == 22 && server.out.data[5] == 2;
    bool right = hello->error == 0 ? answered && error == WOLFSSL_ERROR_WANT_READ && last_alert(&server) == NO_ALERT
                                   : !answered && error == hello->error && last_alert(&server) == hello->alert;
    if (!right)
        print_error("%s: error %d, alert %d\n", hello->name, error, last_alert(&server));
    endpoint_close(&server);
    return right;
}

static void test_client_hellos(void **state)
{
    struct identity id = make_identity("EC", "P-256", 0);
    int wrong = 0;
    for (size_t i = 0; i < sizeof(client_hellos) / sizeof(client_hellos[0]); i++)
        wrong += !judge_client_hello(&client_hellos[i], &id);
    free_identity(&id);
    assert_int_equal(wrong, 0);
}

/* CVE-2025-11936: 31 different groups are taken, 32 are not. */
static void test_key_share_limit(void **state)
{
    struct identity id = make_identity("EC", "P-256", 0);
    struct client_hello hello = {.name = "many groups", .share_count = 31};
    for (int i = 0; i < 40; i++)
        hello.shares[i] = (struct key_share){(uint16_t)(0xe000 + i), 1};
    hello.shares[0] = (struct key_share)X25519;
    assert_true(judge_client_hello(&hello, &id));
    hello.share_count = 32;
    hello.error = BAD_KEY_SHARE_DATA;
    hello.alert = ALERT_ILLEGAL;
    assert_true(judge_client_hello(&hello, &id));
    free_identity(&id);
}

/* --- ServerHellos by hand ------------------------------------------------------------------------------------------ */

static const uint8_t retry_random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                         0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                         0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

/* A ServerHello (or HelloRetryRequest) in answer to the client's hello; extensions come on top of supported_versions. */
static void put_server_hello(struct endpoint *client, bool retry, const void *extensions, size_t len)
{
    struct bytes *b = &client->in;
    const uint8_t *session_id = client->out.data + 5 + 4 + 2 + 32; /* record, message, version, random */
    static const uint8_t version[] = {0, 43, 0, 2, 3, 4};
    uint8_t random[32] = {1, 2, 3};
    put8(b, 22);
    put16(b, 0x0303);
    size_t record = begin_vector(b, 2);
    put8(b, 2);
    size_t message = begin_vector(b, 3);
    put16(b, 0x0303);
    put(b, retry ? retry_random : random, 32);
    put(b, session_id, 1u + session_id[0]);
    put16(b, 0x1301);
    put8(b, 0);
    size_t list = begin_vector(b, 2);
    put(b, version, sizeof(version));
    put(b, extensions, len);
    end_vector(b, list, 2);
    end_vector(b, message, 3);
    end_vector(b, record, 2);
}

static void expect_missing_extension(struct endpoint *client)
{
    assert_int_not_equal(wolfSSL_connect(client->ssl), WOLFSSL_SUCCESS);
    assert_int_equal(wolfSSL_get_error(client->ssl, 0), EXT_MISSING);
    assert_int_equal(last_alert(client), ALERT_MISSING_EXTENSION);
}

/* CVE-2026-3230: the group of a HelloRetryRequest is no key share. */
static void test_server_hello_without_key_share(void **state)
{
    static const uint8_t p384[] = {0, 51, 0, 2, 0, 24};
    for (int with_retry = 0; with_retry < 2; with_retry++) {
        static struct endpoint client;
        client_open(&client, 13);
        assert_int_not_equal(wolfSSL_connect(client.ssl), WOLFSSL_SUCCESS);
        assert_int_equal(wolfSSL_get_error(client.ssl, 0), WOLFSSL_ERROR_WANT_READ);
        if (with_retry) {
            put_server_hello(&client, true, p384, sizeof(p384));
            size_t before = client.out.length;
            assert_int_not_equal(wolfSSL_connect(client.ssl), WOLFSSL_SUCCESS);
            assert_int_equal(wolfSSL_get_error(client.ssl, 0), WOLFSSL_ERROR_WANT_READ);
            assert_true(client.out.length > before); /* the second ClientHello */
        }
        put_server_hello(&client, false, NULL, 0);
        expect_missing_extension(&client);
        endpoint_close(&client);
    }
}

/* --- against OpenSSL ----------------------------------------------------------------------------------------------- */

struct openssl_peer {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out;
};

static int accept_any(int ok, X509_STORE_CTX *store)
{
    return 1;
}

static SSL_CTX *openssl_context(bool server, const struct identity *id, int version)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    assert_non_null(ctx);
    SSL_CTX_set_min_proto_version(ctx, version == 12 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set_max_proto_version(ctx, version == 12 ? TLS1_2_VERSION : TLS1_3_VERSION);
    if (id != NULL) {
        assert_int_equal(SSL_CTX_use_certificate(ctx, id->certificate), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(ctx, id->key), 1);
    }
    if (server)
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"assay", 5);
    return ctx;
}

static void openssl_open(struct openssl_peer *p, SSL_CTX *ctx, bool server)
{
    p->ctx = ctx;
    p->ssl = SSL_new(ctx);
    p->in = BIO_new(BIO_s_mem());
    p->out = BIO_new(BIO_s_mem());
    SSL_set_bio(p->ssl, p->in, p->out);
    if (server)
        SSL_set_accept_state(p->ssl);
    else
        SSL_set_connect_state(p->ssl);
}

static void move_bytes(struct endpoint *e, struct openssl_peer *p)
{
    if (e->out.length > e->out.taken)
        BIO_write(p->in, e->out.data + e->out.taken, (int)(e->out.length - e->out.taken));
    e->out.taken = e->out.length;
    size_t n;
    while (BIO_read_ex(p->out, e->in.data + e->in.length, sizeof(e->in.data) - e->in.length, &n))
        e->in.length += n;
}

/* Both sides until they are done or stuck; true if both finished. Reads once more, for tickets. */
static bool shake_hands(struct endpoint *e, struct openssl_peer *p, bool wolf_is_client)
{
    bool done = false, peer_done = false;
    for (int i = 0; i < 20 && !(done && peer_done); i++) {
        done = done || (wolf_is_client ? wolfSSL_connect(e->ssl) : wolfSSL_accept(e->ssl)) == WOLFSSL_SUCCESS;
        move_bytes(e, p);
        peer_done = peer_done || SSL_do_handshake(p->ssl) == 1;
        move_bytes(e, p);
    }
    if (!done || !peer_done)
        return false;
    char one = 'x', got = 0;
    assert_int_equal(SSL_write(p->ssl, &one, 1), 1);
    move_bytes(e, p);
    assert_int_equal(wolfSSL_read(e->ssl, &got, 1), 1);
    assert_int_equal(got, 'x');
    assert_int_equal(wolfSSL_write(e->ssl, &one, 1), 1);
    move_bytes(e, p);
    assert_int_equal(SSL_read(p->ssl, &got, 1), 1);
    return true;
}

static const struct {
    const char *type, *group;
    size_t bits;
} key_types[] = {
    {"EC", "P-256", 0}, {"EC", "P-384", 0}, {"EC", "P-521", 0}, {"RSA", NULL, 2048}, {"ED25519", NULL, 0},
};

/* CVE-2025-11934, CVE-2025-12889: the list of offered algorithms is now looked at; every honest one is on it. As client
 * and as a server that asks for a certificate, in both versions. */
static void test_signature_algorithms(void **state)
{
    for (size_t i = 0; i < sizeof(key_types) / sizeof(key_types[0]); i++) {
        struct identity id = make_identity(key_types[i].type, key_types[i].group, key_types[i].bits);
        for (int version = 12; version <= 13; version++) {
            for (int wolf_is_client = 0; wolf_is_client < 2; wolf_is_client++) {
                static struct endpoint e;
                struct openssl_peer p;
                if (wolf_is_client) {
                    client_open(&e, version);
                } else {
                    server_open(&e, &id);
                    wolfSSL_set_verify(e.ssl, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                                       endpoint_verify);
                }
                openssl_open(&p, openssl_context(wolf_is_client, &id, version), wolf_is_client);
                SSL_set_verify(p.ssl, SSL_VERIFY_PEER, accept_any);
                if (!shake_hands(&e, &p, wolf_is_client))
                    fail_msg("%s %s, TLS 1.%d, %s: error %d", key_types[i].type, key_types[i].group, version - 10,
                             wolf_is_client ? "client" : "server", wolfSSL_get_error(e.ssl, 0));
                assert_int_equal(e.certificates, 1);
                SSL_free(p.ssl);
                SSL_CTX_free(p.ctx);
                endpoint_close(&e);
            }
        }
        free_identity(&id);
    }
}

/* CVE-2025-11935: a resumption must have a key share of its own; CVE-2026-94419: the session is an object. */
static void test_resumption(void **state)
{
    struct identity id = make_identity("EC", "P-256", 0);
    static struct endpoint first, again, forged;
    for (int version = 12; version <= 13; version++) {
        struct openssl_peer p;
        client_open(&first, version);
        openssl_open(&p, openssl_context(true, &id, version), true);
        assert_true(shake_hands(&first, &p, true));
        WOLFSSL_SESSION *session = wolfSSL_get1_session(first.ssl);
        assert_non_null(session);
        SSL_free(p.ssl);

        client_open(&again, version);
        assert_int_equal(wolfSSL_set_session(again.ssl, session), WOLFSSL_SUCCESS);
        openssl_open(&p, p.ctx, true);
        assert_true(shake_hands(&again, &p, true));
        assert_true(wolfSSL_session_reused(again.ssl));
        SSL_free(p.ssl);
        SSL_CTX_free(p.ctx);
        endpoint_close(&again);

        if (version == 13) {
            static const uint8_t resumed[] = {0, 41, 0, 2, 0, 0}; /* pre_shared_key: the first identity */
            client_open(&forged, version);
            assert_int_equal(wolfSSL_set_session(forged.ssl, session), WOLFSSL_SUCCESS);
            assert_int_not_equal(wolfSSL_connect(forged.ssl), WOLFSSL_SUCCESS);
            put_server_hello(&forged, false, resumed, sizeof(resumed));
            expect_missing_extension(&forged);
            endpoint_close(&forged);
        }
        wolfSSL_SESSION_free(session);
        endpoint_close(&first);
    }
    free_identity(&id);
}

/* CVE-2026-11703: without a session cache no session ID brings a session back, whatever its SNI or ALPN. */
static void test_no_session_id_resumption(void **state)
{
    struct identity id = make_identity("EC", "P-256", 0);
    static struct endpoint server;
    SSL_CTX *ctx = openssl_context(false, NULL, 12);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_SESSION *session = NULL;
    for (int round = 0; round < 2; round++) {
        struct openssl_peer p;
        server_open(&server, &id);
        openssl_open(&p, ctx, false);
        if (session != NULL)
            SSL_set_session(p.ssl, session);
        assert_true(shake_hands(&server, &p, false));
        assert_int_equal(SSL_session_reused(p.ssl), 0);
        SSL_SESSION_free(session);
        session = SSL_get1_session(p.ssl);
        SSL_free(p.ssl);
        endpoint_close(&server);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    free_identity(&id);
}

/* CVE-2026-93304: a forged ChangeCipherSpec and Finished after each record of a TLS 1.2 server's first flight. All bytes are
 * there before the client reads any, which is what the attack needs. */
static bool forge_change_cipher(const struct identity *id, int after_record, int *records)
{
    static const uint8_t forged[] = {20, 3, 3, 0, 1, 1, 22, 3, 3, 0, 40, 20, 0, 0, 12};
    static struct endpoint client;
    static struct bytes flight;
    struct openssl_peer p;
    client_open(&client, 12);
    openssl_open(&p, openssl_context(true, id, 12), true);
    assert_int_not_equal(wolfSSL_connect(client.ssl), WOLFSSL_SUCCESS);
    move_bytes(&client, &p);
    SSL_do_handshake(p.ssl);
    move_bytes(&client, &p);

    flight = client.in;
    client.in.length = 0;
    *records = 0;
    for (size_t at = 0; at + 5 <= flight.length; (*records)++) {
        size_t len = 5 + ((size_t)flight.data[at + 3] << 8 | flight.data[at + 4]);
        put(&client.in, flight.data + at, len);
        at += len;
        if (*records == after_record) {
            uint8_t rest[30] = {0};
            put(&client.in, forged, sizeof(forged));
            put(&client.in, rest, sizeof(rest));
        }
    }
    bool completed = false;
    for (int i = 0; i < 5 && !completed; i++)
        completed = wolfSSL_connect(client.ssl) == WOLFSSL_SUCCESS;
    int error = wolfSSL_get_error(client.ssl, 0);
    if (after_record + 1 < *records)
        assert_int_equal(error, OUT_OF_ORDER_E);
    assert_int_not_equal(error, WOLFSSL_ERROR_WANT_READ);
    SSL_free(p.ssl);
    SSL_CTX_free(p.ctx);
    endpoint_close(&client);
    return completed;
}

static void test_early_change_cipher_spec(void **state)
{
    struct identity id = make_identity("EC", "P-256", 0);
    int records = 1;
    for (int after = 0; after < records; after++)
        assert_false(forge_change_cipher(&id, after, &records));
    assert_true(records >= 1);
    free_identity(&id);
}

/* --- X25519 -------------------------------------------------------------------------------------------------------- */

static int x25519(const uint8_t scalar[32], const uint8_t point[32], uint8_t out[32])
{
    curve25519_key mine, peer;
    word32 len = 32;
    wc_curve25519_init(&mine);
    wc_curve25519_init(&peer);
    int rc = wc_curve25519_import_private_ex(scalar, 32, &mine, EC25519_LITTLE_ENDIAN);
    if (rc == 0)
        rc = wc_curve25519_import_public_ex(point, 32, &peer, EC25519_LITTLE_ENDIAN);
    if (rc == 0)
        rc = wc_curve25519_shared_secret_ex(&mine, &peer, out, &len, EC25519_LITTLE_ENDIAN);
    wc_curve25519_free(&mine);
    wc_curve25519_free(&peer);
    return rc;
}

/* CVE-2026-10512: products just above the prime, that is 9 and 16 after reduction; found with the curve's group order. */
static void test_x25519_reduction(void **state)
{
    static const struct {
        const char *scalar, *point;
        uint8_t expected;
    } cases[] = {
        {"f0b165224a58b791df6af1d8303e61cdc4bb86c3d1c427103c344c41c4f5174f",
         "cc673263c41addedac60876a6e8cae81553cd5de16444b6ab2dd7a28c31dd22a", 9},
        {"78d5d47e446fcec2a3d811736110e5781bcccea696762e6116c6e9c996ccdf5a",
         "d26ac7c0371129f215f8e1140adb38112af7ec44e5a878910fc12438c1ec060a", 9},
        {"882e0718822ce47ca8c74107e66cb0e4b2b3f4d58d82ca6386d2c96e3b87c04d",
         "b22d59dcf22289313c24b0102a4ce31739840f3adb200b520173f59022d24653", 16},
        {"80c924c3597164c4a6058a00581a22b22de50472433d2e44fed8b6b81a3fa266",
         "bffb6ec2783c35d5bc959d3eb97caaac57620c89c04c0c193b82ad70f4a97127", 16},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t scalar[32], point[32], out[32], expected[32] = {cases[i].expected};
        size_t len;
        assert_int_equal(OPENSSL_hexstr2buf_ex(scalar, 32, &len, cases[i].scalar, '\0'), 1);
        assert_int_equal(OPENSSL_hexstr2buf_ex(point, 32, &len, cases[i].point, '\0'), 1);
        assert_int_equal(x25519(scalar, point, out), 0);
        assert_memory_equal(out, expected, 32);
    }
}

/* RFC 8446, 7.4.2: a point of small order makes an all-zero secret, and that must be refused. */
static void test_x25519_small_order(void **state)
{
    static const char *points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        for (int round = 0; round < 20; round++) {
            uint8_t scalar[32], point[32], out[32];
            size_t len;
            assert_int_equal(assay_rand_generate_block(scalar, 32), 0);
            scalar[0] &= 248;
            scalar[31] = (uint8_t)((scalar[31] & 127) | 64);
            assert_int_equal(OPENSSL_hexstr2buf_ex(point, 32, &len, points[i], '\0'), 1);
            if (x25519(scalar, point, out) == 0)
                fail_msg("a secret with the point %s", points[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_hellos),
        cmocka_unit_test(test_key_share_limit),
        cmocka_unit_test(test_server_hello_without_key_share),
        cmocka_unit_test(test_signature_algorithms),
        cmocka_unit_test(test_resumption),
        cmocka_unit_test(test_no_session_id_resumption),
        cmocka_unit_test(test_early_change_cipher_spec),
        cmocka_unit_test(test_x25519_reduction),
        cmocka_unit_test(test_x25519_small_order),
    };
    wolfSSL_Init();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    wolfSSL_Cleanup();
    return failed;
}
