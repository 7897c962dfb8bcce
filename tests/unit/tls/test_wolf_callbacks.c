/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verdict inside the handshake: which alert, how often, and that a proof of possession is never skipped. */
#include "fixture.h"

static const enum pki_key kinds[] = {PKI_RSA_2048, PKI_P256, PKI_P384, PKI_ED25519};

/* Each of the alerts that x509 may give, exactly once, in both versions, whatever the pieces. */
static void test_refusal_is_told_once(void **state)
{
    static const uint8_t alerts[] = {TLS_ALERT_UNKNOWN_CA,          TLS_ALERT_CERTIFICATE_EXPIRED,
                                     TLS_ALERT_BAD_CERTIFICATE,     TLS_ALERT_CERTIFICATE_REVOKED,
                                     TLS_ALERT_CERTIFICATE_UNKNOWN, TLS_ALERT_UNSUPPORTED_CERTIFICATE};

    for (int v = 0; v < 2; v++)
        for (size_t a = 0; a < sizeof(alerts); a++)
            for (size_t k = 0; k < 4; k++) {
                struct pair pair = client_pair(&pki.identities[kinds[k]], NULL, versions[v]);

                pair.link->chunk = a % 2 ? 1 : 0;
                pair.link->out_capacity = a % 3 == 2 ? 3 : 0;
                judge.alert = alerts[a];
                pair_open_client(&pair, "origin.test");
                assert_false(link_handshake(pair.link));
                expect_failure(pair.link, TLS_FAILURE_VERIFIER, alerts[a], 0);
                assert_false(pair.link->peer_done);
                assert_true(pair.link->peer_failed);
                assert_int_equal(pair.link->alert_received, alerts[a]);
                assert_int_equal(pair.link->fatal_alerts_received, 1);
                assert_in_range(judge.calls, 1, 2);
                /* It stays failed, and is silent. */
                link_step_ours(pair.link);
                assert_int_equal(pair.link->status, TLS_STATUS_FAILED);
                link_peer_reads(pair.link);
                assert_int_equal(pair.link->fatal_alerts_received, 1);
                pair_close(pair);
            }
}

/* A server that shows a certificate without having its key. */
static void test_possession_not_proven(void **state)
{
    static const struct {
        enum pki_key key;
        int other;
    } cases[] = {{PKI_RSA_2048, 0}, {PKI_P256, 1}};

    for (int v = 0; v < 2; v++)
        for (size_t i = 0; i < 2; i++) {
            struct pair pair = {link_create(), link_client_context(NULL, NULL, 0, 0),
                                link_peer_server(NULL, versions[v], versions[v])};

            memset(&judge, 0, sizeof(judge));
            link_peer_use_wrong_key(pair.peer, &pki.identities[cases[i].key], &pki.others[cases[i].other]);
            pair_open_client(&pair, "origin.test");
            assert_false(link_handshake(pair.link));
            assert_int_equal(judge.calls, 1); /* the verifier would have accepted it */
            expect_failure(pair.link, TLS_FAILURE_CERTIFICATE, TLS_ALERT_DECRYPT_ERROR, 0);
            assert_false(pair.link->peer_done);
            assert_int_equal(pair.link->fatal_alerts_received, 1);
            pair_close(pair);
        }
}

/* A certificate that does not parse: bad_certificate, whether the verifier was asked or not. */
static void test_malformed_certificate(void **state)
{
    static const enum pki_fault faults[] = {PKI_GARBAGE_IN_LEAF, PKI_GARBAGE_IN_AUTHORITY};

    for (size_t i = 0; i < 2; i++) {
        struct pki_identity identity = pki_faulty(PKI_RSA_2048, faults[i]);

        for (int v = 0; v < 2; v++) {
            struct pair pair = client_pair(&identity, NULL, versions[v]);

            pair_open_client(&pair, "origin.test");
            assert_false(link_handshake(pair.link));
            expect_failure(pair.link, TLS_FAILURE_CERTIFICATE, TLS_ALERT_BAD_CERTIFICATE, 0);
            assert_int_equal(pair.link->alert_received, TLS_ALERT_BAD_CERTIFICATE);
            assert_int_equal(pair.link->fatal_alerts_received, 1);
            pair_close(pair);
        }
        pki_identity_free(&identity);
    }
}

static void judge_faulty(const struct pki_identity *identity, int version, bool refuse)
{
    struct pair pair = client_pair(identity, NULL, version);

    judge.alert = refuse ? TLS_ALERT_CERTIFICATE_UNKNOWN : 0;
    pair_open_client(&pair, "origin.test");
    if (link_handshake(pair.link) == refuse)
        fail_msg("version %x refuse %d: code %d", version, refuse, failure_of(pair.link).library_code);
    assert_in_range(judge.calls, 1, 2);
    if (refuse)
        assert_int_equal(pair.link->alert_received, TLS_ALERT_CERTIFICATE_UNKNOWN);
    pair_close(pair);
}

/* Faults that are the verifier's to judge: it is asked, and its word counts, either way. */
static void test_verifier_takes_over(void **state)
{
    static const enum pki_fault faults[] = {PKI_KEY_USAGE, PKI_EXTENDED_KEY_USAGE, PKI_UNKNOWN_CRITICAL, PKI_EXPIRED};

    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        struct pki_identity identity = pki_faulty(PKI_RSA_2048, faults[i]);

        for (int v = 0; v < 2; v++) {
            judge_faulty(&identity, versions[v], true);
            judge_faulty(&identity, versions[v], false);
        }
        pki_identity_free(&identity);
    }
}

static size_t der_of(const char *pem, size_t index, uint8_t *out, size_t capacity)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = NULL;
    unsigned char *at = out;
    int len;

    for (size_t i = 0; i <= index; i++) {
        X509_free(certificate);
        certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    }
    len = i2d_X509(certificate, NULL);
    assert_true(len > 0 && (size_t)len <= capacity);
    i2d_X509(certificate, &at);
    X509_free(certificate);
    BIO_free(bio);
    return (size_t)len;
}

/* The chain arrives in wire order, byte for byte. */
static void test_chain_in_wire_order(void **state)
{
    for (int v = 0; v < 2; v++)
        for (size_t k = 0; k < 4; k++) {
            const char *pem = pki.identities[kinds[k]].chain_pem;
            struct pair pair = client_pair(&pki.identities[kinds[k]], NULL, versions[v]);
            uint8_t der[4096];
            size_t len;

            pair_open_client(&pair, "origin.test");
            expect_handshake(pair.link);
            assert_int_equal(judge.count, 2);
            len = der_of(pem, 0, der, sizeof(der));
            assert_int_equal(judge.leaf_length, len);
            assert_memory_equal(judge.leaf, der, len);
            assert_int_equal(judge.second_length, der_of(pem, 1, der, sizeof(der)));
            pair_close(pair);
        }
}

/* A long chain: as many as the library takes, and one more. */
static void test_long_chain(void **state)
{
    for (int v = 0; v < 2; v++)
        for (int extra = 0; extra < 2; extra++) {
            struct pair pair = client_pair(&pki.identities[PKI_P256], NULL, versions[v]);
            BIO *bio = BIO_new_mem_buf(pki.identities[PKI_P384].chain_pem, -1);
            X509 *filler = PEM_read_bio_X509(bio, NULL, NULL, NULL);

            for (int i = 2; i < 9 + extra; i++)
                SSL_CTX_add1_chain_cert(pair.peer, filler);
            pair_open_client(&pair, "origin.test");
            assert_int_equal(link_handshake(pair.link), extra == 0);
            if (extra == 0)
                assert_int_equal(judge.count, 9);
            else
                expect_failure(pair.link, TLS_FAILURE_CERTIFICATE, TLS_ALERT_BAD_CERTIFICATE, 0);
            X509_free(filler);
            BIO_free(bio);
            pair_close(pair);
        }
}

/* --- the OCSP response that a server staples (RFC 6066 §8, RFC 8446 §4.4.2.1) ------------------------------------------------- */

static uint8_t response[16000];
static size_t response_length;
static int responses_asked;

static int staple(SSL *peer, void *arg)
{
    (void)arg;
    responses_asked++;
    if (response_length == 0)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(peer, OPENSSL_memdup(response, response_length), (long)response_length);
    return SSL_TLSEXT_ERR_OK;
}

static struct pair stapling_pair(enum pki_key key, int version, size_t length)
{
    struct pair pair = client_pair(&pki.identities[key], NULL, version);

    for (size_t i = 0; i < sizeof(response); i++)
        response[i] = (uint8_t)(i * 7 + length);
    response_length = length;
    responses_asked = 0;
    SSL_CTX_set_tlsext_status_cb(pair.peer, staple);
    judge.ask_status = true;
    return pair;
}

/* It comes to the verifier as it is, with the chain, once; and not where nobody asked, or there is none. (The library takes
 * handshake messages of 18 KiB.) */
static void test_stapled_response(void **state)
{
    static const struct {
        size_t length;
        bool ask;
    } cases[] = {{1, true}, {471, true}, {16000, true}, {0, true}, {471, false}};

    for (int v = 0; v < 2; v++)
        for (size_t k = 0; k < 4; k++)
            for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct pair pair = stapling_pair(kinds[k], versions[v], cases[i].length);

                judge.ask_status = cases[i].ask;
                pair.link->chunk = i == 1 ? 1 : 0;
                pair_open_client(&pair, "origin.test");
                if (!link_handshake(pair.link))
                    fail_msg("version %d, key %zu, case %zu: %d", v, k, i, failure_of(pair.link).library_code);
                assert_int_equal(responses_asked, cases[i].ask);
                assert_int_equal(judge.calls, 1);
                assert_int_equal(judge.count, 2);
                assert_int_equal(judge.staple_length, cases[i].ask ? cases[i].length : 0);
                if (judge.staple_length <= sizeof(judge.staple))
                    assert_memory_equal(judge.staple, response, judge.staple_length);
                assert_true(link_send(pair.link, 100));
                pair_close(pair);
            }
}

/* In TLS 1.2 the refusal comes behind the chain, but before anything of ours that the server could use. */
static void test_stapled_refusal(void **state)
{
    static const uint8_t alerts[] = {TLS_ALERT_CERTIFICATE_REVOKED, 113 /* bad_certificate_status_response */};

    for (int v = 0; v < 2; v++)
        for (size_t k = 0; k < 4; k++) {
            struct pair pair = stapling_pair(kinds[k], versions[v], 471);

            judge.alert = alerts[k % 2];
            pair_open_client(&pair, "origin.test");
            assert_false(link_handshake(pair.link));
            assert_int_equal(judge.calls, 1);
            assert_int_equal(judge.staple_length, 471);
            expect_failure(pair.link, TLS_FAILURE_VERIFIER, judge.alert, 0);
            assert_false(pair.link->peer_done);
            assert_int_equal(pair.link->alert_received, judge.alert);
            assert_int_equal(pair.link->fatal_alerts_received, 1);
            pair_close(pair);
        }
}

/* A resumed connection has no chain, and nothing stapled to it. */
static void test_stapled_not_on_resumption(void **state)
{
    for (int v = 0; v < 2; v++) {
        struct pair pair = stapling_pair(PKI_P256, versions[v], 471);
        struct tls_session *session;
        uint8_t byte;
        size_t length;

        pair_open_client(&pair, "origin.test");
        assert_true(link_handshake(pair.link));
        assert_true(link_receive(pair.link, 10));
        (void)link_read(pair.link, &byte, 1, &length);
        session = tls_take_session(pair.link->ours);
        assert_non_null(session);
        pair_renew(&pair);
        link_open_client(pair.link, pair.context, "origin.test", link_verifier(&judge), session, pair.peer);
        assert_true(link_handshake(pair.link));
        assert_true(tls_resumed(pair.link->ours));
        assert_int_equal(judge.calls, 1);
        tls_session_free(session);
        pair_close(pair);
    }
}

/* ServerHello of TLS 1.2 with TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, an empty Certificate, ServerHelloDone. */
static const uint8_t no_certificate_flight[] = {22, 3,  3,  0,  42, 2,  0,  0,  38, 3,  3,    1,    2,  3,  4,  5,  6,
                                                7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,   18,   19, 20, 21, 22, 23,
                                                24, 25, 26, 27, 28, 29, 30, 31, 32, 0,  0xc0, 0x2b, 0,  22, 3,  3,  0,
                                                7,  11, 0,  0,  3,  0,  0,  0,  22, 3,  3,    0,    4,  14, 0,  0,  0};

/* The verifier is asked all the same: why it refuses is logged with its reason. It cannot let pass what has no key. */
static void test_server_without_certificate(void **state)
{
    static const uint8_t alerts[] = {TLS_ALERT_BAD_CERTIFICATE, TLS_ALERT_UNKNOWN_CA, 0};

    for (size_t i = 0; i < sizeof(alerts); i++) {
        struct pair pair = client_pair(&pki.identities[PKI_P256], NULL, TLS1_2_VERSION);

        judge.alert = alerts[i];
        pair_open_client(&pair, "origin.test");
        link_step_ours(pair.link);
        link_inject(pair.link, no_certificate_flight, sizeof(no_certificate_flight));
        for (int step = 0; step < 5; step++)
            link_step_ours(pair.link);
        expect_failure(pair.link, alerts[i] != 0 ? TLS_FAILURE_VERIFIER : TLS_FAILURE_CERTIFICATE,
                       alerts[i] != 0 ? alerts[i] : TLS_ALERT_BAD_CERTIFICATE, 0);
        assert_int_equal(judge.calls, 1);
        assert_int_equal(judge.count, 0);
        pair_close(pair);
    }
}

/* What is done to the server's flight of TLS 1.2, before ours sees it: a handshake message is a record of OpenSSL's. */
enum meddling { LEAVE_OUT, BEFORE_THE_CHAIN, TWICE, AFTER_THE_KEY, EMPTY };

static size_t record_of(const uint8_t *flight, size_t length, uint8_t message, size_t *size)
{
    for (size_t at = 0; at + 5 < length; at += *size) {
        *size = 5 + ((size_t)flight[at + 3] << 8 | flight[at + 4]);
        if (flight[at] == 22 && flight[at + 5] == message)
            return at;
    }
    fail_msg("no message %d in the flight", message);
    return 0;
}

static size_t put_at(uint8_t *flight, size_t length, size_t at, const uint8_t *piece, size_t size)
{
    memmove(flight + at + size, flight + at, length - at);
    memcpy(flight + at, piece, size);
    return length + size;
}

static size_t meddle(enum meddling how, uint8_t *flight, size_t length)
{
    static const uint8_t empty[] = {22, 3, 3, 0, 8, 22, 0, 0, 4, 1, 0, 0, 0};
    size_t status_size, chain_size, key_size;
    size_t status = record_of(flight, length, 22, &status_size);
    size_t chain = record_of(flight, length, 11, &chain_size), key;
    uint8_t copy[4096];

    assert_in_range(status_size, 1, sizeof(copy));
    memcpy(copy, flight + status, status_size);
    if (how == TWICE)
        return put_at(flight, length, status, copy, status_size);
    memmove(flight + status, flight + status + status_size, length - status - status_size);
    length -= status_size;
    switch (how) {
    case BEFORE_THE_CHAIN: return put_at(flight, length, chain, copy, status_size);
    case AFTER_THE_KEY:
        key = record_of(flight, length, 12, &key_size);
        return put_at(flight, length, key + key_size, copy, status_size);
    case EMPTY: return put_at(flight, length, status, empty, sizeof(empty));
    default: return length;
    }
}

static void test_stapled_order(void **state)
{
    static const struct {
        enum meddling how;
        int calls; /* of the verifier */
    } cases[] = {{LEAVE_OUT, 1}, {BEFORE_THE_CHAIN, 0}, {TWICE, 1}, {AFTER_THE_KEY, 0}, {EMPTY, 0}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pair pair = stapling_pair(PKI_P256, TLS1_2_VERSION, 471);

        pair_open_client(&pair, "origin.test");
        link_step_ours(pair.link);
        link_step_peer(pair.link);
        link_collect(pair.link);
        assert_int_equal(pair.link->input_start, 0);
        pair.link->input_length = meddle(cases[i].how, pair.link->input, pair.link->input_length);
        link_step_ours(pair.link);
        assert_int_equal(judge.calls, cases[i].calls);
        if (cases[i].how == LEAVE_OUT) /* announced, and then nothing: the verifier says what that means */
            assert_int_equal(judge.staple_length, 0);
        else
            assert_int_equal(pair.link->status, TLS_STATUS_FAILED);
        assert_false(tls_established(pair.link->ours));
        pair_close(pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusal_is_told_once),
        cmocka_unit_test(test_server_without_certificate),
        cmocka_unit_test(test_possession_not_proven),
        cmocka_unit_test(test_malformed_certificate),
        cmocka_unit_test(test_verifier_takes_over),
        cmocka_unit_test(test_chain_in_wire_order),
        cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_stapled_response),
        cmocka_unit_test(test_stapled_refusal),
        cmocka_unit_test(test_stapled_not_on_resumption),
        cmocka_unit_test(test_stapled_order),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
