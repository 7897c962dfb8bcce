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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusal_is_told_once),  cmocka_unit_test(test_possession_not_proven),
        cmocka_unit_test(test_malformed_certificate), cmocka_unit_test(test_verifier_takes_over),
        cmocka_unit_test(test_chain_in_wire_order),   cmocka_unit_test(test_long_chain),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
