/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attacks that are known by number, against our layer: docs/wolfssl-cves.md says what else stands in their way. */
#include "fixture.h"
#include "hello_builder.h"

static struct builder hello, wire;

/* What the peer of a server sees in answer to a first flight; -1: it was taken. */
static int alert_for(struct pair *pair)
{
    link_inject(pair->link, wire.bytes, wire.length);
    for (int i = 0; i < 10 && pair->link->status != TLS_STATUS_FAILED; i++)
        link_step_ours(pair->link);
    if (pair->link->status != TLS_STATUS_FAILED)
        return -1;
    return pair->link->ours != NULL ? failure_of(pair->link).alert_sent : pair->link->hello_alert;
}

static void begin_13(void)
{
    begin_hello(&hello);
    put_sni(&hello, "proxy.example");
    put_groups(&hello);
    put_signatures(&hello);
    put_versions(&hello);
}

static void send_as_records(size_t record_bytes)
{
    end_hello(&hello);
    wire.length = 0;
    for (size_t at = 0; at < hello.length; at += record_bytes)
        put_record(&wire, 22, hello.bytes + at, hello.length - at < record_bytes ? hello.length - at : record_bytes);
}

static int alert_of_hello(size_t record_bytes)
{
    struct pair pair = server_pair(&pki.identities[PKI_P256], TLS1_3_VERSION);
    int alert;

    send_as_records(record_bytes);
    pair_open_server(&pair);
    alert = alert_for(&pair);
    pair_close(pair);
    return alert;
}

/* CVE-2025-11936 */
static void test_duplicate_key_shares(void **state)
{
    for (size_t count = 2; count < 1500; count = count * 3) {
        begin_13();
        open_extension(&hello, 51);
        open_vector(&hello, 2);
        for (size_t i = 0; i < count && hello.length < 16000; i++)
            put_share(&hello, 29, i == 0 ? 32 : 1);
        close_vector(&hello);
        close_vector(&hello);
        assert_int_equal(alert_of_hello(16384), TLS_ALERT_ILLEGAL_PARAMETER);
    }
    begin_13();
    open_extension(&hello, 51);
    open_vector(&hello, 2);
    for (uint16_t i = 0; i < 3000 && hello.length < 16000; i++)
        put_share(&hello, i, 1);
    close_vector(&hello);
    close_vector(&hello);
    assert_int_equal(alert_of_hello(16384), TLS_ALERT_ILLEGAL_PARAMETER);
}

/* CVE-2026-3547 */
static void test_alpn_overread(void **state)
{
    static const struct {
        const char *body;
        size_t len;
    } cases[] = {{"\0\3\2h2", 4},
                 {"\0\x0b\x08http/1.1\xff", 12},
                 {"\0\x0c\x08http/1.1\x01", 12},
                 {"\0\x0a\x08http/1.1\xff", 12},
                 {"\0\x0b\x08http/1.1\x00", 12},
                 {"\0\1\1", 3}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        begin_13();
        put_extension(&hello, 16, cases[i].body, cases[i].len);
        open_extension(&hello, 51);
        open_vector(&hello, 2);
        put_share(&hello, 29, 32);
        close_vector(&hello);
        close_vector(&hello);
        assert_int_equal(alert_of_hello(16384), TLS_ALERT_DECODE_ERROR);
    }
}

/* A hello in many records is read as one: the answer is the same, a sound one and an unsound one. */
static void test_split_hello(void **state)
{
    static const size_t sizes[] = {16384, 100, 7, 1};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        begin_13();
        open_extension(&hello, 51);
        open_vector(&hello, 2);
        put_share(&hello, 29, 32);
        close_vector(&hello);
        close_vector(&hello);
        assert_int_equal(alert_of_hello(sizes[i]), -1);
        begin_13();
        put_sni(&hello, "other.example");
        assert_int_equal(alert_of_hello(sizes[i]), TLS_ALERT_ILLEGAL_PARAMETER);
    }
}

/* A share of a group that was not asked for, twice, in the hello that answers a HelloRetryRequest. */
static void test_second_hello_is_read_as_strictly(void **state)
{
    for (int duplicate = 0; duplicate < 2; duplicate++) {
        struct pair pair = server_pair(&pki.identities[PKI_P256], TLS1_3_VERSION);

        pair_open_server(&pair);
        begin_13();
        open_extension(&hello, 51); /* no share at all */
        open_vector(&hello, 2);
        close_vector(&hello);
        close_vector(&hello);
        send_as_records(16384);
        assert_int_equal(alert_for(&pair), -1);
        assert_true(pair.link->bytes_out > 0); /* the HelloRetryRequest */
        begin_13();
        open_extension(&hello, 51);
        open_vector(&hello, 2);
        for (int i = 0; i <= duplicate; i++)
            put_share(&hello, 29, 32);
        close_vector(&hello);
        close_vector(&hello);
        send_as_records(50);
        assert_int_equal(alert_for(&pair), duplicate ? TLS_ALERT_ILLEGAL_PARAMETER : -1);
        if (duplicate)
            expect_failure(pair.link, TLS_FAILURE_PROTOCOL, TLS_ALERT_ILLEGAL_PARAMETER, 0);
        pair_close(pair);
    }
}

/* --- tickets: CVE-2026-11703 and relatives ------------------------------------------------------------------------------------ */

static struct tls_ticket_keys keys = {.count = 1, .keys = {{.name = "0123456789abcde", .secret = "secret"}}};

static bool resumes(struct pair *pair, const char *name, SSL_SESSION *session, SSL_SESSION **next)
{
    bool resumed;

    pair_renew(pair);
    pair->link->keys = &keys;
    pair_open_server(pair);
    if (name != NULL)
        SSL_set_tlsext_host_name(pair->link->peer, name);
    if (session != NULL)
        assert_int_equal(SSL_set_session(pair->link->peer, session), 1);
    expect_handshake(pair->link);
    assert_true(link_send(pair->link, 100));
    resumed = tls_resumed(pair->link->ours);
    if (next != NULL)
        *next = SSL_get1_session(pair->link->peer);
    return resumed;
}

/* OpenSSL would not send a session to another name by itself: the name is taken off. */
static SSL_SESSION *without_name(SSL_SESSION *session)
{
    SSL_SESSION *copy = SSL_SESSION_dup(session);

    SSL_SESSION_set1_hostname(copy, NULL);
    return copy;
}

static void test_ticket_of_another_name(void **state)
{
    for (int v = 0; v < 2; v++) {
        struct pair pair = server_pair(&pki.identities[PKI_P256], versions[v]);
        SSL_SESSION *session, *copy;

        assert_false(resumes(&pair, "a.example", NULL, &session));
        copy = without_name(session);
        assert_false(resumes(&pair, "b.example", copy, NULL));
        assert_false(resumes(&pair, NULL, copy, NULL));
        assert_true(resumes(&pair, "a.example", session, NULL));
        SSL_SESSION_free(copy);
        SSL_SESSION_free(session);
        assert_false(resumes(&pair, NULL, NULL, &session));
        copy = without_name(session);
        assert_false(resumes(&pair, "a.example", copy, NULL));
        assert_true(resumes(&pair, NULL, session, NULL));
        SSL_SESSION_free(copy);
        SSL_SESSION_free(session);
        pair_close(pair);
    }
}

static void test_ticket_of_another_credential(void **state)
{
    for (int v = 0; v < 2; v++) {
        struct pair pair = server_pair(&pki.identities[PKI_P256], versions[v]);
        struct tls_context *first = pair.context;
        SSL_SESSION *session;

        assert_false(resumes(&pair, "a.example", NULL, &session));
        pair.context = link_server_context(&pki.others[1], NULL, 0, 0);
        assert_false(resumes(&pair, "a.example", session, NULL));
        tls_context_free(first);
        /* The same credential in another context, as on another core or after a reload, does resume. */
        first = pair.context;
        pair.context = link_server_context(&pki.identities[PKI_P256], NULL, 0, 0);
        assert_true(resumes(&pair, "a.example", session, NULL));
        SSL_SESSION_free(session);
        link_close(pair.link);
        pair.link = link_create();
        tls_context_free(first);
        pair_close(pair);
    }
}

/* The ticket inside the encoded session, and the same session with the byte at `at` of it changed. */
static SSL_SESSION *with_ticket_byte(SSL_SESSION *session, size_t at, uint8_t change)
{
    const unsigned char *ticket, *read;
    unsigned char *encoded, *write;
    SSL_SESSION *changed;
    uint8_t *found;
    size_t length;
    int len = i2d_SSL_SESSION(session, NULL);

    SSL_SESSION_get0_ticket(session, &ticket, &length);
    encoded = write = malloc((size_t)len);
    i2d_SSL_SESSION(session, &write);
    found = memmem(encoded, (size_t)len, ticket, length);
    assert_non_null(found);
    found[at] ^= change;
    read = encoded;
    changed = d2i_SSL_SESSION(NULL, &read, len);
    free(encoded);
    return changed;
}

/* Each byte of the ticket, the length inside it among them: never resumed, never read beyond its end. */
static void test_forged_tickets(void **state)
{
    for (int v = 0; v < 2; v++) {
        struct pair pair = server_pair(&pki.identities[PKI_P256], versions[v]);
        const unsigned char *ticket;
        SSL_SESSION *session;
        size_t length;

        assert_false(resumes(&pair, "a.example", NULL, &session));
        SSL_SESSION_get0_ticket(session, &ticket, &length);
        assert_in_range(length, 100, 400);
        for (size_t at = 0; at < length; at += at >= 28 && at < 40 ? 1 : 11) {
            SSL_SESSION *changed = with_ticket_byte(session, at, at % 2 ? 0x20 : 0xff);

            if (resumes(&pair, "a.example", changed, NULL))
                fail_msg("version %x byte %zu", versions[v], at);
            SSL_SESSION_free(changed);
        }
        assert_true(resumes(&pair, "a.example", session, NULL));
        SSL_SESSION_free(session);
        pair_close(pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duplicate_key_shares),
        cmocka_unit_test(test_alpn_overread),
        cmocka_unit_test(test_split_hello),
        cmocka_unit_test(test_second_hello_is_read_as_strictly),
        cmocka_unit_test(test_ticket_of_another_name),
        cmocka_unit_test(test_ticket_of_another_credential),
        cmocka_unit_test(test_forged_tickets),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
