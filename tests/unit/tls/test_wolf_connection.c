/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is negotiated: names, protocols, groups, which certificate, and the client's own. */
#include "fixture.h"

/* --- ALPN ------------------------------------------------------------------------------------------------------------------- */

static void test_alpn_without_overlap(void **state)
{
    static const unsigned char offered[] = "\x02h2\x08http/1.0";

    for (int v = 0; v < 2; v++) {
        struct pair pair = server_pair(&pki.identities[PKI_P256], versions[v]);

        SSL_CTX_set_alpn_protos(pair.peer, offered, sizeof(offered) - 1);
        pair_open_server(&pair);
        assert_false(link_handshake(pair.link));
        expect_failure(pair.link, TLS_FAILURE_PROTOCOL, TLS_ALERT_NO_APPLICATION_PROTOCOL, 0);
        assert_int_equal(pair.link->alert_received, TLS_ALERT_NO_APPLICATION_PROTOCOL);
        assert_int_equal(pair.link->fatal_alerts_received, 1);
        pair_close(pair);
    }
}

static void test_alpn(void **state)
{
    static const unsigned char offered[] = "\x02h2\x08http/1.1\x08http/1.0";

    for (int v = 0; v < 2; v++)
        for (int with = 0; with < 2; with++) {
            struct pair pair = server_pair(&pki.identities[PKI_P256], versions[v]);
            const unsigned char *selected;
            unsigned int length;

            if (with)
                SSL_CTX_set_alpn_protos(pair.peer, offered, sizeof(offered) - 1);
            pair_open_server(&pair);
            expect_handshake(pair.link);
            assert_true(slice_is(tls_get_alpn(pair.link->ours), with ? "http/1.1" : ""));
            SSL_get0_alpn_selected(pair.link->peer, &selected, &length);
            assert_int_equal(length, with ? 8 : 0);
            pair_close(pair);
        }
}

/* --- SNI ------------------------------------------------------------------------------------------------------------------------ */

static void test_sni_of_the_client(void **state)
{
    static const char *const names[] = {"cucm.steven.lab", NULL};

    for (int v = 0; v < 2; v++)
        for (int i = 0; i < 2; i++) {
            struct pair pair = client_pair(&pki.identities[PKI_P256], NULL, versions[v]);
            const char *seen;

            pair_open_client(&pair, names[i]);
            expect_handshake(pair.link);
            seen = SSL_get_servername(pair.link->peer, TLSEXT_NAMETYPE_host_name);
            if (names[i] == NULL)
                assert_null(seen);
            else
                assert_string_equal(seen, names[i]);
            pair_close(pair);
        }
}

static void test_sni_at_the_server(void **state)
{
    struct pair pair = server_pair(&pki.identities[PKI_P256], TLS1_3_VERSION);
    uint8_t alert;
    size_t used;

    pair_open_server(&pair);
    SSL_set_tlsext_host_name(pair.link->peer, "Proxy.Example");
    link_step_peer(pair.link);
    assert_int_equal(
        tls_hello_feed(pair.link->hello, slice_of(pair.link->input, pair.link->input_length), &used, &alert),
        TLS_STATUS_OK);
    assert_true(slice_is(tls_hello_sni(pair.link->hello), "proxy.example"));
    pair_close(pair);
}

/* --- groups: a HelloRetryRequest each way --------------------------------------------------------------------------------------- */

static void test_second_hello_from_the_client(void **state)
{
    static const size_t chunks[] = {0, 1, 100};

    for (int i = 0; i < 3; i++) {
        struct pair pair = server_pair(&pki.identities[PKI_P256], TLS1_3_VERSION);

        SSL_CTX_set1_groups_list(pair.peer, "ffdhe2048:P-384"); /* a share for the first, which we do not have */
        pair.link->chunk = chunks[i];
        pair.link->out_capacity = i == 1 ? 1 : 0;
        pair_open_server(&pair);
        SSL_set_tlsext_host_name(pair.link->peer, "proxy.example");
        expect_handshake(pair.link);
        pair.link->out_capacity = 1 << 16;
        assert_true(link_send(pair.link, 1000));
        assert_true(link_receive(pair.link, 1000));
        pair_close(pair);
    }
}

static void test_second_hello_of_ours(void **state)
{
    for (size_t chunk = 0; chunk < 3; chunk++) {
        struct pair pair = client_pair(&pki.identities[PKI_RSA_2048], NULL, TLS1_3_VERSION);

        SSL_CTX_set1_groups_list(pair.peer, "P-521");
        pair.link->chunk = chunk;
        pair_open_client(&pair, "origin.test");
        expect_handshake(pair.link);
        assert_int_equal(judge.calls, 1);
        assert_true(link_receive(pair.link, 1000));
        pair_close(pair);
    }
}

static void test_no_common_group(void **state)
{
    struct pair pair = server_pair(&pki.identities[PKI_P256], TLS1_3_VERSION);

    SSL_CTX_set1_groups_list(pair.peer, "ffdhe2048");
    pair_open_server(&pair);
    assert_false(link_handshake(pair.link));
    expect_failure(pair.link, TLS_FAILURE_PROTOCOL, -1, 0);
    assert_int_equal(pair.link->fatal_alerts_received, 1);
    pair_close(pair);
}

/* --- which certificate an origin with two shows (S7, S8) ---------------------------------------------------------------------------- */

#define PRODUCT "EECDH:EDH:HIGH:-AES256+SHA:!MEDIUM:!LOW:!3DES:!MD5:!PSK:!eNULL:!aNULL:!aDH"

static void test_cipher_preference(void **state)
{
    static const struct {
        const char *ciphers;
        int key; /* OpenSSL's type of the key shown */
    } cases[] = {
        {NULL, EVP_PKEY_EC},
        {PRODUCT, EVP_PKEY_EC},
        {"ECDHE-RSA-AES256-GCM-SHA384:" PRODUCT, EVP_PKEY_RSA},
        {PRODUCT ":+ECDSA", EVP_PKEY_RSA},
        {PRODUCT ":!ECDSA", EVP_PKEY_RSA},
        {PRODUCT ":!aRSA", EVP_PKEY_EC},
    };

    for (int v = 0; v < 2; v++)
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
            struct pair pair = client_pair(&pki.identities[PKI_RSA_2048], cases[i].ciphers, versions[v]);
            const unsigned char *at = judge.leaf;
            X509 *leaf;

            link_peer_use(pair.peer, &pki.identities[PKI_P256]);
            pair_open_client(&pair, "origin.test");
            expect_handshake(pair.link);
            leaf = d2i_X509(NULL, &at, (long)judge.leaf_length);
            assert_non_null(leaf);
            if (EVP_PKEY_get_base_id(X509_get0_pubkey(leaf)) != cases[i].key)
                fail_msg("version %x, '%s'", versions[v], cases[i].ciphers);
            X509_free(leaf);
            pair_close(pair);
        }
}

/* The only certificate there is comes whatever is preferred; what is excluded does not. */
static void test_preference_is_not_a_demand(void **state)
{
    for (int v = 0; v < 2; v++) {
        struct pair pair = client_pair(&pki.identities[PKI_P256], "ECDHE-RSA-AES256-GCM-SHA384:" PRODUCT, versions[v]);

        pair_open_client(&pair, "origin.test");
        expect_handshake(pair.link);
        assert_false(tls_certificate_requested(pair.link->ours));
        pair_close(pair);
        pair = client_pair(&pki.identities[PKI_P256], PRODUCT ":!ECDSA", versions[v]);
        pair_open_client(&pair, "origin.test");
        assert_false(link_handshake(pair.link));
        expect_failure(pair.link, TLS_FAILURE_PEER_ALERT, 0, TLS_ALERT_HANDSHAKE_FAILURE);
        pair_close(pair);
    }
}

/* --- the client's certificate (S18) -------------------------------------------------------------------------------------------------- */

static int accept_any(int ok, X509_STORE_CTX *store)
{
    return 1;
}

static int refuse_any(int ok, X509_STORE_CTX *store)
{
    X509_STORE_CTX_set_error(store, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    return 0;
}

static struct pair asking_pair(int client_key, int version, int mode, SSL_verify_cb verify)
{
    struct pair pair = {link_create(), NULL, link_peer_server(&pki.identities[PKI_RSA_2048], version, version)};

    memset(&judge, 0, sizeof(judge));
    pair.context = link_client_context(client_key >= 0 ? &pki.identities[client_key] : NULL, NULL, 0, 0);
    SSL_CTX_set_verify(pair.peer, mode, verify);
    pair_open_client(&pair, "origin.test");
    return pair;
}

static void test_client_certificate_is_required(void **state)
{
    static const int alerts[] = {TLS_ALERT_HANDSHAKE_FAILURE, TLS_ALERT_CERTIFICATE_REQUIRED};

    for (int v = 0; v < 2; v++) {
        struct pair pair = asking_pair(-1, versions[v], SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
        uint8_t buffer[10];
        size_t length;

        link_settle(pair.link);
        /* In TLS 1.3 our side is done before the server's verdict arrives. */
        if (pair.link->ours_done)
            link_read(pair.link, buffer, sizeof(buffer), &length);
        expect_failure(pair.link, TLS_FAILURE_PEER_ALERT, 0, alerts[v]);
        pair_close(pair);
    }
}

static void test_client_certificate_is_refused(void **state)
{
    for (int v = 0; v < 2; v++) {
        struct pair pair = asking_pair(PKI_P256, versions[v], SSL_VERIFY_PEER, refuse_any);
        uint8_t buffer[10];
        size_t length;

        link_settle(pair.link);
        if (pair.link->ours_done)
            link_read(pair.link, buffer, sizeof(buffer), &length);
        expect_failure(pair.link, TLS_FAILURE_PEER_ALERT, 0, TLS_ALERT_UNKNOWN_CA);
        pair_close(pair);
    }
}

static void test_client_certificate(void **state)
{
    static const int keys[] = {-1, PKI_RSA_2048, PKI_P256, PKI_P384, PKI_ED25519};

    for (int v = 0; v < 2; v++)
        for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
            for (int chunk = 0; chunk < 2; chunk++) {
                struct pair pair = asking_pair(keys[k], versions[v], SSL_VERIFY_PEER, accept_any);
                X509 *shown;

                pair.link->chunk = (size_t)chunk;
                expect_handshake(pair.link);
                shown = SSL_get1_peer_certificate(pair.link->peer);
                assert_int_equal(shown != NULL, keys[k] >= 0);
                X509_free(shown);
                assert_true(tls_certificate_requested(pair.link->ours));
                assert_true(link_send(pair.link, 100));
                assert_true(link_receive(pair.link, 100));
                pair_close(pair);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alpn_without_overlap),
        cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_sni_of_the_client),
        cmocka_unit_test(test_sni_at_the_server),
        cmocka_unit_test(test_no_common_group),
        cmocka_unit_test(test_second_hello_from_the_client),
        cmocka_unit_test(test_second_hello_of_ours),
        cmocka_unit_test(test_cipher_preference),
        cmocka_unit_test(test_preference_is_not_a_demand),
        cmocka_unit_test(test_client_certificate_is_required),
        cmocka_unit_test(test_client_certificate_is_refused),
        cmocka_unit_test(test_client_certificate),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
