/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Resumption, both ways: what is resumed, what is not, and that a session is an object of its own. */
#include "fixture.h"

static struct tls_ticket_keys keys_of(uint8_t first, uint8_t second)
{
    struct tls_ticket_keys keys = {.count = second != 0 ? 2 : 1};

    memset(&keys.keys[0], first, sizeof(keys.keys[0]));
    memset(&keys.keys[1], second, sizeof(keys.keys[1]));
    return keys;
}

/* --- ours is the server ------------------------------------------------------------------------------------------------------ */

/* One connection; returns the session that the peer may resume with, or NULL. */
static SSL_SESSION *visit(struct pair *pair, const char *name, SSL_SESSION *session, bool *resumed)
{
    SSL_SESSION *taken;

    pair_renew(pair);
    pair_open_server(pair);
    if (name != NULL)
        SSL_set_tlsext_host_name(pair->link->peer, name);
    if (session != NULL)
        SSL_set_session(pair->link->peer, session);
    expect_handshake(pair->link);
    assert_true(link_receive(pair->link, 100));
    assert_true(link_send(pair->link, 100)); /* the peer reads the tickets of TLS 1.3 on the way */
    *resumed = tls_resumed(pair->link->ours);
    assert_int_equal(*resumed, SSL_session_reused(pair->link->peer));
    taken = SSL_get1_session(pair->link->peer);
    if (SSL_SESSION_is_resumable(taken))
        return taken;
    SSL_SESSION_free(taken);
    return NULL;
}

static void test_server_without_keys(void **state)
{
    for (int v = 0; v < 2; v++) {
        struct pair pair = server_pair(&pki.identities[PKI_P256], versions[v]);
        struct tls_ticket_keys keys = keys_of(1, 0), none = {0};
        SSL_SESSION *session;
        bool resumed;

        session = visit(&pair, "a.example", NULL, &resumed);
        if (session != NULL) /* TLS 1.2 may give an id; nothing is kept for it */
            assert_false(SSL_SESSION_has_ticket(session));
        SSL_SESSION_free(session);
        pair.link->keys = &none;
        SSL_SESSION_free(visit(&pair, "a.example", NULL, &resumed));
        pair.link->keys = &keys;
        session = visit(&pair, "a.example", NULL, &resumed);
        assert_non_null(session);
        pair.link->keys = NULL; /* keys that went away: a full handshake */
        SSL_SESSION_free(visit(&pair, "a.example", session, &resumed));
        assert_false(resumed);
        SSL_SESSION_free(session);
        pair_close(pair);
    }
}

static void test_server_other_key(void **state)
{
    for (int v = 0; v < 2; v++) {
        struct pair pair = server_pair(&pki.identities[PKI_P256], versions[v]);
        struct tls_ticket_keys keys = keys_of(1, 0), others = keys_of(2, 3);
        SSL_SESSION *session;
        bool resumed;

        pair.link->keys = &keys;
        session = visit(&pair, "a.example", NULL, &resumed);
        pair.link->keys = &others;
        SSL_SESSION_free(visit(&pair, "a.example", session, &resumed));
        assert_false(resumed);
        SSL_SESSION_free(session);
        pair_close(pair);
    }
}

static void test_server_resumes(void **state)
{
    for (int v = 0; v < 2; v++)
        for (size_t chunk = 0; chunk < 2; chunk++) {
            struct pair pair = server_pair(&pki.identities[PKI_RSA_2048], versions[v]);
            struct tls_ticket_keys keys = keys_of(1, 0), rotated = keys_of(2, 1), last = keys_of(3, 2);
            SSL_SESSION *session, *next;
            bool resumed;

            pair.link->keys = &keys;
            session = visit(&pair, "A.example", NULL, &resumed);
            assert_false(resumed);
            assert_non_null(session);
            for (int i = 0; i < 3; i++) { /* the same ticket, more than once */
                next = visit(&pair, "a.example", session, &resumed);
                assert_true(resumed);
                SSL_SESSION_free(next);
            }
            pair.link->keys = &rotated;
            next = visit(&pair, "a.example", session, &resumed);
            if (!resumed)
                fail_msg("rotated: version %x chunk %zu", versions[v], chunk);
            assert_non_null(next);
            /* The new ticket is under the new key: it outlives the old one. */
            pair.link->keys = &last;
            SSL_SESSION_free(visit(&pair, "a.example", next, &resumed));
            if (!resumed)
                fail_msg("version %x", versions[v]);
            SSL_SESSION_free(visit(&pair, "a.example", session, &resumed));
            assert_false(resumed);
            SSL_SESSION_free(next);
            SSL_SESSION_free(session);
            pair_close(pair);
        }
}

/* --- ours is the client -------------------------------------------------------------------------------------------------------- */

static struct tls_session *call_on(struct pair *pair, const struct tls_session *session)
{
    pair_renew(pair);
    memset(&judge, 0, sizeof(judge));
    link_open_client(pair->link, pair->context, "origin.test", link_verifier(&judge), session, pair->peer);
    expect_handshake(pair->link);
    assert_true(link_receive(pair->link, 100));
    assert_true(link_send(pair->link, 100));
    return tls_take_session(pair->link->ours);
}

static void test_client_nothing_to_take(void **state)
{
    for (int v = 0; v < 2; v++) {
        struct pair pair = client_pair(&pki.identities[PKI_P256], NULL, versions[v]);

        SSL_CTX_set_options(pair.peer, SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(pair.peer, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_num_tickets(pair.peer, 0);
        pair_open_client(&pair, "origin.test");
        assert_null(tls_take_session(pair.link->ours)); /* before the handshake */
        expect_handshake(pair.link);
        assert_true(link_receive(pair.link, 100));
        assert_null(tls_take_session(pair.link->ours));
        pair_close(pair);
    }
    tls_session_free(NULL);
}

static void test_client_refused_session(void **state)
{
    for (int v = 0; v < 2; v++) {
        struct pair pair = client_pair(&pki.identities[PKI_P256], NULL, versions[v]);
        struct tls_session *session = call_on(&pair, NULL);
        SSL_CTX *other = link_peer_server(&pki.identities[PKI_P256], versions[v], versions[v]);

        assert_non_null(session);
        SSL_CTX_free(pair.peer); /* the origin restarts: it has new ticket keys */
        pair.peer = other;
        tls_session_free(call_on(&pair, session));
        assert_false(tls_resumed(pair.link->ours));
        assert_int_equal(judge.calls, 1);
        tls_session_free(session);
        pair_close(pair);
    }
}

/* The origin is downgraded between two connections: a full handshake. It is upgraded, and knows TLS 1.2 no more: it refuses,
 * and the caller comes again without the session. */
static void test_client_other_version(void **state)
{
    for (int v = 0; v < 2; v++) {
        struct pair pair = client_pair(&pki.identities[PKI_P256], NULL, versions[v]);
        struct tls_session *session = call_on(&pair, NULL);

        assert_non_null(session);
        SSL_CTX_free(pair.peer);
        pair.peer = link_peer_server(&pki.identities[PKI_P256], versions[1 - v], versions[1 - v]);
        if (versions[v] == TLS1_2_VERSION) {
            pair_renew(&pair);
            link_open_client(pair.link, pair.context, "origin.test", link_verifier(&judge), session, pair.peer);
            assert_false(link_handshake(pair.link));
            expect_failure(pair.link, TLS_FAILURE_PEER_ALERT, 0, TLS_ALERT_PROTOCOL_VERSION);
            tls_session_free(session);
            session = NULL;
        }
        tls_session_free(call_on(&pair, session));
        assert_false(tls_resumed(pair.link->ours));
        assert_int_equal(tls_get_version(pair.link->ours), versions[1 - v]);
        assert_int_equal(judge.calls, 1);
        tls_session_free(session);
        pair_close(pair);
    }
}

/* An impostor at the origin's address, to whom a session is offered: nothing of it makes up for the key. */
static void test_client_session_at_an_impostor(void **state)
{
    for (int v = 0; v < 2; v++) {
        struct pair pair = client_pair(&pki.identities[PKI_P256], NULL, versions[v]);
        struct tls_session *session = call_on(&pair, NULL);

        assert_non_null(session);
        SSL_CTX_free(pair.peer);
        pair.peer = link_peer_server(NULL, versions[v], versions[v]);
        link_peer_use_wrong_key(pair.peer, &pki.identities[PKI_P256], &pki.others[1]);
        pair_renew(&pair);
        memset(&judge, 0, sizeof(judge));
        link_open_client(pair.link, pair.context, "origin.test", link_verifier(&judge), session, pair.peer);
        assert_false(link_handshake(pair.link));
        expect_failure(pair.link, TLS_FAILURE_CERTIFICATE, TLS_ALERT_DECRYPT_ERROR, 0);
        assert_int_equal(judge.calls, 1);
        tls_session_free(session);
        pair_close(pair);
    }
}

/* The origin stops issuing tickets: what is taken then must not be a mixture of the old ticket and the new secret. */
static void test_client_origin_without_tickets(void **state)
{
    for (int v = 0; v < 2; v++)
        for (int by_id = 0; by_id < 2; by_id++) {
            struct pair pair = client_pair(&pki.identities[PKI_P256], NULL, versions[v]);
            struct tls_session *session = call_on(&pair, NULL), *next;
            SSL_CTX *issuing = pair.peer;

            assert_non_null(session);
            pair.peer = link_peer_server(&pki.identities[PKI_P256], versions[v], versions[v]);
            SSL_CTX_set_options(pair.peer, SSL_OP_NO_TICKET);
            SSL_CTX_set_num_tickets(pair.peer, 0);
            SSL_CTX_set_session_id_context(pair.peer, (const unsigned char *)"a", 1);
            if (!by_id)
                SSL_CTX_set_session_cache_mode(pair.peer, SSL_SESS_CACHE_OFF);
            next = call_on(&pair, session);
            assert_false(tls_resumed(pair.link->ours));
            tls_session_free(session);
            /* Whatever was taken does no harm, neither there nor where the old ticket still opens. */
            tls_session_free(call_on(&pair, next));
            assert_int_equal(tls_resumed(pair.link->ours), by_id && versions[v] == TLS1_2_VERSION);
            SSL_CTX_free(pair.peer);
            pair.peer = issuing;
            tls_session_free(call_on(&pair, next));
            assert_false(tls_resumed(pair.link->ours));
            tls_session_free(next);
            pair_close(pair);
        }
}

/* The same object serves several connections, also at the same time, and is not changed by any of them. */
static void test_client_resumes(void **state)
{
    static const enum pki_key kinds[] = {PKI_RSA_2048, PKI_P256, PKI_P384};

    for (int v = 0; v < 2; v++)
        for (int k = 0; k < 3; k++) {
            struct pair pair = client_pair(&pki.identities[kinds[k]], NULL, versions[v]);
            struct tls_session *session, *next;
            struct link *second = link_create();

            SSL_CTX_set_session_id_context(pair.peer, (const unsigned char *)"a", 1);
            session = call_on(&pair, NULL);
            assert_non_null(session);
            link_open_client(second, pair.context, "origin.test", link_verifier(&judge), session, pair.peer);
            link_step_peer(second);
            for (int i = 0; i < 3; i++) {
                next = call_on(&pair, session);
                assert_true(tls_resumed(pair.link->ours));
                assert_int_equal(judge.calls, 0);
                tls_session_free(next);
            }
            expect_handshake(second);
            assert_true(tls_resumed(second->ours));
            tls_session_free(session); /* a connection does not need it any more */
            assert_true(link_receive(second, 100));
            link_close(second);
            pair_close(pair);
        }
}

static void test_client_resumes_in_pieces(void **state)
{
    for (int v = 0; v < 2; v++) {
        struct pair pair = client_pair(&pki.identities[PKI_P256], NULL, versions[v]);
        struct tls_session *session = call_on(&pair, NULL);

        pair_renew(&pair);
        pair.link->chunk = 1;
        pair.link->out_capacity = 1;
        link_open_client(pair.link, pair.context, "origin.test", link_verifier(&judge), session, pair.peer);
        expect_handshake(pair.link);
        assert_true(tls_resumed(pair.link->ours));
        tls_session_free(session);
        pair_close(pair);
    }
}

/* By session id alone, as an origin without tickets does it in TLS 1.2. */
static void test_client_resumes_by_id(void **state)
{
    struct pair pair = client_pair(&pki.identities[PKI_P256], NULL, TLS1_2_VERSION);
    struct tls_session *session;

    SSL_CTX_set_options(pair.peer, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_id_context(pair.peer, (const unsigned char *)"a", 1);
    session = call_on(&pair, NULL);
    assert_non_null(session);
    tls_session_free(call_on(&pair, session));
    assert_true(tls_resumed(pair.link->ours));
    assert_int_equal(judge.calls, 0);
    tls_session_free(session);
    pair_close(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_without_keys),
        cmocka_unit_test(test_server_other_key),
        cmocka_unit_test(test_server_resumes),
        cmocka_unit_test(test_client_nothing_to_take),
        cmocka_unit_test(test_client_refused_session),
        cmocka_unit_test(test_client_other_version),
        cmocka_unit_test(test_client_session_at_an_impostor),
        cmocka_unit_test(test_client_origin_without_tickets),
        cmocka_unit_test(test_client_resumes),
        cmocka_unit_test(test_client_resumes_in_pieces),
        cmocka_unit_test(test_client_resumes_by_id),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
