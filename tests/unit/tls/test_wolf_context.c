/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

static struct tls_context_settings sound(void)
{
    return (struct tls_context_settings){
        .chain_pem = slice_text(pki.identities[PKI_P256].chain_pem),
        .key_pem = slice_text(pki.identities[PKI_P256].key_pem),
        .version_min = TLS_VERSION_1_2,
        .version_max = TLS_VERSION_1_3,
        .ticket_lifetime_s = 3600,
    };
}

static void expect_fault(struct tls_context_settings settings, bool server, enum assay_error error, const char *about)
{
    struct tls_context *context;
    const char *fault;
    enum assay_error got = server ? tls_server_context_create(&settings, &context, &fault)
                                  : tls_client_context_create(&settings, &context, &fault);

    assert_null(context);
    if (got != error || strstr(fault, about) != fault)
        fail_msg("error %d, fault '%s', expected '%s'", got, fault, about);
}

static void test_faults(void **state)
{
    for (int server = 0; server < 2; server++) {
        struct tls_context_settings settings = sound();

        settings.chain_pem = slice_of(NULL, 0);
        expect_fault(settings, server, ASSAY_ERR_MALFORMED, "certificate");
        settings.chain_pem = slice_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        expect_fault(settings, server, ASSAY_ERR_MALFORMED, "certificate");
        settings.chain_pem = slice_text(pki.identities[PKI_P256].key_pem);
        expect_fault(settings, server, ASSAY_ERR_MALFORMED, "certificate");
        settings = sound();
        settings.key_pem = slice_of(NULL, 0);
        expect_fault(settings, server, ASSAY_ERR_MALFORMED, "key");
        settings.key_pem = slice_text("not a key");
        expect_fault(settings, server, ASSAY_ERR_MALFORMED, "key");
        settings.key_pem = slice_text(pki.others[1].key_pem); /* of the same kind, of another certificate */
        expect_fault(settings, server, ASSAY_ERR_MALFORMED, "key");
        settings.key_pem = slice_text(pki.identities[PKI_RSA_2048].key_pem);
        expect_fault(settings, server, ASSAY_ERR_MALFORMED, "key");
        settings = sound();
        settings.ciphers = "ECDHE:NOPE";
        expect_fault(settings, server, ASSAY_ERR_MALFORMED, "ciphers");
        settings.ciphers = "RC4";
        expect_fault(settings, server, ASSAY_ERR_UNSUPPORTED, "ciphers");
        settings.ciphers = "TLS_AES_128_GCM_SHA256";
        settings.version_max = TLS_VERSION_1_2;
        expect_fault(settings, server, ASSAY_ERR_UNSUPPORTED, "ciphers");
        settings = sound();
        settings.version_min = TLS_VERSION_1_3;
        settings.version_max = TLS_VERSION_1_2;
        expect_fault(settings, server, ASSAY_ERR_RANGE, "versions");
        settings.version_min = settings.version_max = (enum tls_version)0x0302;
        expect_fault(settings, server, ASSAY_ERR_RANGE, "versions");
        settings = sound();
        settings.ticket_lifetime_s = 7 * 86400 + 1;
        expect_fault(settings, server, ASSAY_ERR_RANGE, "tickets");
    }
    tls_context_free(NULL);
}

/* RSA in each wrapping that operators have: PKCS#8, PKCS#1; EC: SEC1. */
static void test_key_formats(void **state)
{
    static const struct {
        enum pki_key kind;
        const char *type;
    } cases[] = {{PKI_RSA_2048, "type-specific"}, {PKI_P256, "type-specific"}, {PKI_P384, "type-specific"}};

    for (size_t i = 0; i < 3; i++) {
        struct tls_context_settings settings = sound();
        struct tls_context *context;
        const char *fault;
        char *pem = link_key_type_specific(&pki.identities[cases[i].kind]);

        assert_null(strstr(pem, "BEGIN PRIVATE KEY"));
        settings.chain_pem = slice_text(pki.identities[cases[i].kind].chain_pem);
        settings.key_pem = slice_text(pem);
        assert_int_equal(tls_server_context_create(&settings, &context, &fault), ASSAY_OK);
        assert_null(fault);
        tls_context_free(context);
        free(pem);
    }
}

static void test_client_without_certificate(void **state)
{
    struct tls_context_settings settings = sound();
    struct tls_context *context;
    const char *fault;

    settings.chain_pem = settings.key_pem = slice_of(NULL, 0);
    assert_int_equal(tls_client_context_create(&settings, &context, &fault), ASSAY_OK);
    tls_context_free(context);
    expect_fault(settings, true, ASSAY_ERR_MALFORMED, "certificate");
}

/* What the settings allow is what is negotiated. */
static void test_versions(void **state)
{
    static const struct {
        enum tls_version min, max;
        int peer_min, peer_max, expected; /* 0: no handshake */
    } cases[] = {
        {TLS_VERSION_1_3, TLS_VERSION_1_3, TLS1_2_VERSION, TLS1_2_VERSION, 0},
        {TLS_VERSION_1_2, TLS_VERSION_1_2, TLS1_3_VERSION, TLS1_3_VERSION, 0},
        {TLS_VERSION_1_2, TLS_VERSION_1_3, TLS1_VERSION, TLS1_1_VERSION, 0},
        {TLS_VERSION_1_2, TLS_VERSION_1_2, TLS1_2_VERSION, TLS1_3_VERSION, TLS1_2_VERSION},
        {TLS_VERSION_1_3, TLS_VERSION_1_3, TLS1_2_VERSION, TLS1_3_VERSION, TLS1_3_VERSION},
        {TLS_VERSION_1_2, TLS_VERSION_1_3, TLS1_2_VERSION, TLS1_2_VERSION, TLS1_2_VERSION},
        {TLS_VERSION_1_2, TLS_VERSION_1_3, TLS1_2_VERSION, TLS1_3_VERSION, TLS1_3_VERSION},
    };

    for (int server = 0; server < 2; server++)
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
            struct pair pair = {.link = link_create()};

            memset(&judge, 0, sizeof(judge));
            if (server) {
                pair.context = link_server_context(&pki.identities[PKI_P256], NULL, cases[i].min, cases[i].max);
                pair.peer = link_peer_client(cases[i].peer_min, cases[i].peer_max);
                SSL_CTX_set_security_level(pair.peer, 0);
                pair_open_server(&pair);
            } else {
                pair.context = link_client_context(NULL, NULL, cases[i].min, cases[i].max);
                pair.peer = link_peer_server(&pki.identities[PKI_P256], cases[i].peer_min, cases[i].peer_max);
                SSL_CTX_set_security_level(pair.peer, 0);
                pair_open_client(&pair, "origin.test");
            }
            if (cases[i].expected == 0) {
                assert_false(link_handshake(pair.link));
                assert_int_equal(pair.link->status, TLS_STATUS_FAILED);
                /* A server of TLS 1.2 alone does not know supported_versions: it sees no suite that it has. */
                if (pair.link->alert_received !=
                        (server && i == 1 ? TLS_ALERT_HANDSHAKE_FAILURE : TLS_ALERT_PROTOCOL_VERSION) &&
                    pair.link->alert_sent != TLS_ALERT_PROTOCOL_VERSION)
                    fail_msg("server %d case %zu: alert %d %d, code %d", server, i, pair.link->alert_received,
                             pair.link->alert_sent, failure_of(pair.link).library_code);
            } else {
                expect_handshake(pair.link);
                assert_int_equal(tls_get_version(pair.link->ours), cases[i].expected);
            }
            pair_close(pair);
        }
}

/* Each suite by its name, both ways. */
static void test_each_suite(void **state)
{
    static const char *const suites[] = {
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-SHA384",     "ECDHE-ECDSA-AES128-SHA256",     "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-ECDSA-AES128-SHA",        "ECDHE-RSA-AES256-GCM-SHA384",   "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256",   "ECDHE-RSA-AES256-SHA384",       "ECDHE-RSA-AES128-SHA256",
        "ECDHE-RSA-AES256-SHA",          "ECDHE-RSA-AES128-SHA",          "DHE-RSA-AES256-GCM-SHA384",
        "DHE-RSA-AES128-SHA256",
    };

    for (int server = 0; server < 2; server++)
        for (size_t i = 0; i < sizeof(suites) / sizeof(*suites) - (server ? 2 : 0); i++) {
            enum pki_key kind = strstr(suites[i], "ECDSA") != NULL ? PKI_P256 : PKI_RSA_2048;
            struct pair pair = {.link = link_create()};

            if (server) {
                pair.context = link_server_context(&pki.identities[kind], "ALL", 0, 0);
                pair.peer = link_peer_client(TLS1_2_VERSION, TLS1_2_VERSION);
                SSL_CTX_set_cipher_list(pair.peer, suites[i]);
                pair_open_server(&pair);
            } else {
                pair.context = link_client_context(NULL, suites[i], 0, 0);
                pair.peer = link_peer_server(&pki.identities[kind], TLS1_2_VERSION, TLS1_2_VERSION);
                SSL_CTX_set_dh_auto(pair.peer, 1);
                pair_open_client(&pair, "origin.test");
            }
            if (!link_handshake(pair.link))
                fail_msg("server %d %s: code %d", server, suites[i], failure_of(pair.link).library_code);
            assert_string_equal(SSL_get_cipher_name(pair.link->peer), suites[i]);
            assert_true(link_send(pair.link, 20000));
            assert_true(link_receive(pair.link, 20000));
            pair_close(pair);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_key_formats),
        cmocka_unit_test(test_client_without_certificate),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_each_suite),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
