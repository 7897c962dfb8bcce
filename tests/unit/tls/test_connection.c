/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes in, bytes out: whatever the pieces, whatever the room. */
#include "fixture.h"

static struct pair pair_open(bool server, int version, enum pki_key kind)
{
    struct pair pair =
        server ? server_pair(&pki.identities[kind], version) : client_pair(&pki.identities[kind], NULL, version);

    if (server)
        pair_open_server(&pair);
    else
        pair_open_client(&pair, "origin.test");
    return pair;
}

static struct pair pair_connected(bool server, int version, enum pki_key kind)
{
    struct pair pair = pair_open(server, version, kind);

    if (!link_handshake(pair.link))
        fail_msg("server %d version %x key %d: code %d", server, version, kind, failure_of(pair.link).library_code);
    return pair;
}

/* --- what must fail --------------------------------------------------------------------------------------------------------- */

static void test_no_verifier(void **state)
{
    struct tls_context *context = link_client_context(NULL, NULL, 0, 0);
    struct tls_connection *tls;

    assert_int_equal(tls_client_create(context, "origin.test", (struct tls_verifier){NULL, NULL, false}, NULL, &tls),
                     ASSAY_ERR_RANGE);
    assert_null(tls);
    tls_context_free(context);
}

/* An origin that speaks plain HTTP. */
static void test_not_tls(void **state)
{
    struct pair pair = pair_open(false, TLS1_3_VERSION, PKI_P256);

    link_inject(pair.link, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    link_step_ours(pair.link);
    link_step_ours(pair.link);
    expect_failure(pair.link, TLS_FAILURE_PROTOCOL, TLS_ALERT_UNEXPECTED_MESSAGE, 0);
    pair_close(pair);
}

static void test_peer_refuses(void **state)
{
    struct pair pair = pair_open(false, TLS1_2_VERSION, PKI_P256);

    SSL_set_cipher_list(pair.link->peer, "ECDHE-RSA-AES128-GCM-SHA256"); /* no certificate for it */
    assert_false(link_handshake(pair.link));
    expect_failure(pair.link, TLS_FAILURE_PEER_ALERT, 0, TLS_ALERT_HANDSHAKE_FAILURE);
    pair_close(pair);
}

static void test_no_common_version(void **state)
{
    struct tls_context *context =
        link_server_context(&pki.identities[PKI_P256], NULL, TLS_VERSION_1_3, TLS_VERSION_1_3);
    SSL_CTX *peer = link_peer_client(TLS1_2_VERSION, TLS1_2_VERSION);
    struct link *link = link_create();

    link_open_server(link, context, peer);
    assert_false(link_handshake(link));
    expect_failure(link, TLS_FAILURE_PROTOCOL, TLS_ALERT_PROTOCOL_VERSION, 0);
    assert_int_equal(link->fatal_alerts_received, 1);
    link_close(link);
    SSL_CTX_free(peer);
    tls_context_free(context);
}

static void test_no_common_cipher(void **state)
{
    struct tls_context *context = link_server_context(&pki.identities[PKI_P256], NULL, 0, 0);
    SSL_CTX *peer = link_peer_client(TLS1_2_VERSION, TLS1_2_VERSION);
    struct link *link = link_create();

    SSL_CTX_set_cipher_list(peer, "AES128-SHA");
    link_open_server(link, context, peer);
    assert_false(link_handshake(link));
    expect_failure(link, TLS_FAILURE_PROTOCOL, TLS_ALERT_HANDSHAKE_FAILURE, 0);
    assert_int_equal(link->alert_received, TLS_ALERT_HANDSHAKE_FAILURE);
    assert_int_equal(link->fatal_alerts_received, 1);
    link_close(link);
    SSL_CTX_free(peer);
    tls_context_free(context);
}

/* A changed record of data: bad_record_mac, and nothing of it is delivered. */
static void test_forged_record(void **state)
{
    for (int server = 0; server < 2; server++)
        for (int v = 0; v < 2; v++) {
            struct pair pair = pair_connected(server, versions[v], PKI_P256);
            uint8_t buffer[100];
            size_t length;

            assert_true(link_receive(pair.link, 10));
            SSL_write(pair.link->peer, "forged", 6);
            link_collect(pair.link);
            pair.link->input[pair.link->input_start + pair.link->input_length - 1] ^= 1;
            assert_int_equal(link_read(pair.link, buffer, sizeof(buffer), &length), TLS_STATUS_FAILED);
            assert_int_equal(length, 0);
            expect_failure(pair.link, TLS_FAILURE_PROTOCOL, TLS_ALERT_BAD_RECORD_MAC, 0);
            link_peer_reads(pair.link);
            assert_int_equal(pair.link->alert_received, TLS_ALERT_BAD_RECORD_MAC);
            assert_int_equal(pair.link->fatal_alerts_received, 1);
            assert_int_equal(link_read(pair.link, buffer, sizeof(buffer), &length), TLS_STATUS_FAILED);
            pair_close(pair);
        }
}

static void test_record_too_long(void **state)
{
    static const uint8_t header[] = {23, 3, 3, 0x48, 0x01}; /* 2^14 + 2048 + 1 */

    for (int server = 0; server < 2; server++)
        for (int v = 0; v < 2; v++) {
            struct pair pair = pair_connected(server, versions[v], PKI_P256);
            uint8_t buffer[100];
            size_t length;

            assert_true(link_receive(pair.link, 10));
            link_inject(pair.link, header, sizeof(header));
            assert_int_equal(link_read(pair.link, buffer, sizeof(buffer), &length), TLS_STATUS_FAILED);
            expect_failure(pair.link, TLS_FAILURE_PROTOCOL, TLS_ALERT_RECORD_OVERFLOW, 0);
            pair_close(pair);
        }
}

/* Records that carry nothing are bounded. */
static void test_key_update_flood(void **state)
{
    for (int server = 0; server < 2; server++) {
        struct pair pair = pair_connected(server, TLS1_3_VERSION, PKI_P256);
        enum tls_status status = TLS_STATUS_WANT_INPUT;
        uint8_t buffer[100];
        size_t length;
        int updates = 0;

        assert_true(link_receive(pair.link, 10));
        while (status == TLS_STATUS_WANT_INPUT && updates < 1000) {
            SSL_key_update(pair.link->peer, SSL_KEY_UPDATE_REQUESTED);
            SSL_do_handshake(pair.link->peer);
            status = link_read(pair.link, buffer, sizeof(buffer), &length);
            updates++;
        }
        assert_in_range(updates, 20, 40);
        expect_failure(pair.link, TLS_FAILURE_PROTOCOL, TLS_ALERT_UNEXPECTED_MESSAGE, 0);
        pair_close(pair);
    }
}

static void test_renegotiation_refused(void **state)
{
    for (int server = 0; server < 2; server++) {
        struct pair pair = pair_connected(server, TLS1_2_VERSION, PKI_P256);
        uint8_t buffer[100];
        size_t length;

        assert_true(link_receive(pair.link, 10));
        SSL_renegotiate(pair.link->peer);
        SSL_do_handshake(pair.link->peer);
        link_collect(pair.link);
        assert_true(pair.link->input_length > 0);
        link_read(pair.link, buffer, sizeof(buffer), &length);
        assert_true(pair.link->status == TLS_STATUS_FAILED || pair.link->status == TLS_STATUS_WANT_INPUT);
        link_peer_reads(pair.link);
        /* A warning or a fatal alert: but no second handshake. */
        assert_true(pair.link->alert_received == TLS_ALERT_NO_RENEGOTIATION ||
                    pair.link->alert_received == TLS_ALERT_UNEXPECTED_MESSAGE);
        pair_close(pair);
    }
}

/* No byte that changes on the way, and no piece that is lost, makes either role crash, hang or deliver a wrong byte. */
static void test_noise(void **state)
{
    uint32_t random = 12345;

    for (int round = 0; round < 240; round++) {
        struct pair pair = pair_open(round % 2, versions[round / 2 % 2], PKI_P256);
        int damage = round % 5 == 0 ? 2000 : 40;

        pair.link->chunk = round % 3 == 0 ? 0 : 1 + (size_t)round;
        for (int step = 0; step < 2000; step++) {
            bool moved = link_step_peer(pair.link);

            random = random * 1664525 + 1013904223;
            if (pair.link->input_length > 0 && random >> 16 < 0x10000 / (uint32_t)damage * 3)
                pair.link->input[pair.link->input_start + (random >> 8) % pair.link->input_length] ^=
                    (uint8_t)(1 << random % 8);
            moved = link_step_ours(pair.link) || moved;
            if (pair.link->ours_done || pair.link->status == TLS_STATUS_FAILED || !moved)
                break;
        }
        if (pair.link->status == TLS_STATUS_FAILED && pair.link->ours != NULL)
            assert_int_not_equal(failure_of(pair.link).kind, TLS_FAILURE_NONE);
        pair_close(pair);
    }
}

/* --- pieces and room ---------------------------------------------------------------------------------------------------------- */

static void test_matrix(void **state)
{
    for (int server = 0; server < 2; server++)
        for (int v = 0; v < 2; v++)
            for (int kind = 0; kind < PKI_KEYS; kind++) {
                struct pair pair = pair_connected(server, versions[v], (enum pki_key)kind);

                assert_int_equal(tls_get_version(pair.link->ours), versions[v]);
                assert_true(tls_established(pair.link->ours));
                assert_false(tls_resumed(pair.link->ours));
                assert_string_equal(tls_get_cipher(pair.link->ours), SSL_get_cipher_name(pair.link->peer));
                assert_int_equal(judge.calls, server ? 0 : 1);
                assert_true(link_send(pair.link, 100000));
                assert_true(link_receive(pair.link, 100000));
                pair_close(pair);
            }
}

static void test_pieces(void **state)
{
    static const struct {
        size_t chunk, room, data;
    } cases[] = {
        {1, 0, 20000},      {7, 0, 50000},        {0, 1, 0}, {0, 5, 0}, {0, 37, 0}, {1, 1, 0}, {3, 97, 300},
        {1000, 500, 50000}, {1460, 3000, 200000},
    };

    for (int server = 0; server < 2; server++)
        for (int v = 0; v < 2; v++)
            for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct pair pair = pair_open(server, versions[v], PKI_P256);

                pair.link->chunk = cases[i].chunk;
                if (cases[i].room > 0)
                    pair.link->out_capacity = cases[i].room;
                if (!link_handshake(pair.link))
                    fail_msg("server %d version %x chunk %zu room %zu: code %d", server, versions[v], cases[i].chunk,
                             cases[i].room, failure_of(pair.link).library_code);
                if (cases[i].data > 0) {
                    assert_true(link_send(pair.link, cases[i].data));
                    assert_true(link_receive(pair.link, cases[i].data));
                }
                pair_close(pair);
            }
}

static void test_large(void **state)
{
    for (int server = 0; server < 2; server++)
        for (int v = 0; v < 2; v++) {
            struct pair pair = pair_connected(server, versions[v], PKI_P256);

            assert_true(link_send(pair.link, 4 << 20));
            assert_true(link_receive(pair.link, 4 << 20));
            pair.link->chunk = 1460;
            pair.link->out_capacity = 4000;
            assert_true(link_send(pair.link, 1 << 20));
            assert_true(link_receive(pair.link, 1 << 20));
            pair_close(pair);
        }
}

/* Exactly tls_sealed_size() of room is enough, in one call, for every suite. */
static void test_sealed_size(void **state)
{
    static const size_t lengths[] = {1, 2, 100, 1023, 1024, 16383, 16384, 16385, 40000};
    static const char *const ciphers[] = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA384",
                                          "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-CHACHA20-POLY1305"};
    static uint8_t data[40000], out[50000];

    assert_int_equal(tls_sealed_size(0), 0);
    for (size_t c = 0; c < 5; c++) {
        struct tls_context *context = link_client_context(NULL, "ALL", 0, 0);
        int version = c < 4 ? TLS1_2_VERSION : TLS1_3_VERSION;
        SSL_CTX *peer = link_peer_server(&pki.identities[PKI_P256], version, version);
        struct link *link = link_create();

        if (c < 4)
            SSL_CTX_set_cipher_list(peer, ciphers[c]);
        link_open_client(link, context, "origin.test", link_verifier(&judge), NULL, peer);
        assert_true(link_handshake(link));
        for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
            struct tls_io io = {.out = out, .out_capacity = tls_sealed_size(lengths[i])};
            size_t taken;

            assert_true(io.out_capacity <= sizeof(out));
            assert_int_equal(tls_write(link->ours, &io, data, lengths[i], &taken), TLS_STATUS_OK);
            assert_int_equal(taken, lengths[i]);
        }
        link_close(link);
        SSL_CTX_free(peer);
        tls_context_free(context);
    }
}

static void test_write_without_room(void **state)
{
    struct pair pair = pair_connected(true, TLS1_3_VERSION, PKI_P256);
    uint8_t out[100], data[50] = {0};
    struct tls_io io = {.out = out, .out_capacity = 0};
    size_t taken;

    assert_int_equal(tls_write(pair.link->ours, &io, data, sizeof(data), &taken), TLS_STATUS_WANT_ROOM);
    assert_int_equal(taken, 0);
    io.out_capacity = sizeof(out); /* full before the next record is worth it: nothing is taken */
    io.out_length = 60;
    assert_int_equal(tls_write(pair.link->ours, &io, data, sizeof(data), &taken), TLS_STATUS_WANT_ROOM);
    assert_int_equal(taken, 0);
    assert_int_equal(io.out_length, 60);
    pair_close(pair);
}

/* --- ends ------------------------------------------------------------------------------------------------------------------------ */

static void test_close_notify(void **state)
{
    for (int server = 0; server < 2; server++)
        for (int v = 0; v < 2; v++) {
            struct pair pair = pair_connected(server, versions[v], PKI_P256);
            uint8_t out[200], buffer[10];
            struct tls_io io = {.out = out, .out_capacity = sizeof(out)};
            size_t length, taken;

            assert_true(link_receive(pair.link, 10));
            assert_int_equal(tls_close_notify(pair.link->ours, &io), TLS_STATUS_OK);
            assert_true(io.out_length > 0);
            BIO_write(SSL_get_rbio(pair.link->peer), out, (int)io.out_length);
            link_peer_reads(pair.link);
            assert_true(pair.link->peer_closed);
            assert_int_equal(pair.link->alert_received, TLS_ALERT_CLOSE_NOTIFY);
            io.out_length = 0; /* once */
            assert_int_equal(tls_close_notify(pair.link->ours, &io), TLS_STATUS_OK);
            assert_int_equal(io.out_length, 0);
            tls_write(pair.link->ours, &io, "x", 1, &taken); /* nothing goes out behind it */
            assert_int_equal(taken, 0);
            assert_int_equal(io.out_length, 0);
            /* What the peer still sends arrives. */
            SSL_write(pair.link->peer, "late", 4);
            assert_int_equal(link_read(pair.link, buffer, sizeof(buffer), &length), TLS_STATUS_OK);
            assert_int_equal(length, 4);
            SSL_shutdown(pair.link->peer);
            assert_int_equal(link_read(pair.link, buffer, sizeof(buffer), &length), TLS_STATUS_CLOSED);
            assert_int_equal(link_read(pair.link, buffer, sizeof(buffer), &length), TLS_STATUS_CLOSED);
            pair_close(pair);
        }
}

/* The peer closes first: ours may still write (RFC 8446 §6.1). */
static void test_half_close(void **state)
{
    for (int server = 0; server < 2; server++)
        for (int v = 0; v < 2; v++) {
            struct pair pair = pair_connected(server, versions[v], PKI_P256);
            uint8_t out[200], buffer[10];
            struct tls_io io = {.out = out, .out_capacity = sizeof(out)};
            size_t length, taken;

            assert_true(link_receive(pair.link, 10));
            SSL_shutdown(pair.link->peer);
            assert_int_equal(link_read(pair.link, buffer, sizeof(buffer), &length), TLS_STATUS_CLOSED);
            assert_int_equal(tls_write(pair.link->ours, &io, "end", 3, &taken), TLS_STATUS_OK);
            assert_int_equal(taken, 3);
            assert_int_equal(tls_close_notify(pair.link->ours, &io), TLS_STATUS_OK);
            BIO_write(SSL_get_rbio(pair.link->peer), out, (int)io.out_length);
            assert_int_equal(SSL_read(pair.link->peer, buffer, sizeof(buffer)), 3);
            link_peer_reads(pair.link);
            assert_true(pair.link->peer_closed);
            pair_close(pair);
        }
}

static void test_key_update(void **state)
{
    for (int server = 0; server < 2; server++)
        for (size_t room = 1; room < 100; room += 50) {
            struct pair pair = pair_connected(server, TLS1_3_VERSION, PKI_P256);

            for (int round = 0; round < 50; round++) {
                SSL_key_update(pair.link->peer, round % 2 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
                pair.link->out_capacity = room; /* the answer does not fit at once */
                pair.link->chunk = (size_t)round % 7;
                assert_true(link_receive(pair.link, 5000));
                pair.link->out_capacity = 1 << 16;
                assert_true(link_send(pair.link, 5000));
            }
            pair_close(pair);
        }
}

static void test_pending(void **state)
{
    struct pair pair = pair_connected(true, TLS1_3_VERSION, PKI_P256);
    uint8_t buffer[10];
    size_t length;

    SSL_write(pair.link->peer, "0123456789ABC", 13);
    assert_false(tls_pending(pair.link->ours));
    assert_int_equal(link_read(pair.link, buffer, sizeof(buffer), &length), TLS_STATUS_OK);
    assert_int_equal(length, 10);
    assert_int_equal(pair.link->input_length, 0);
    assert_true(tls_pending(pair.link->ours));
    assert_int_equal(link_read(pair.link, buffer, sizeof(buffer), &length), TLS_STATUS_OK);
    assert_int_equal(length, 3);
    assert_memory_equal(buffer, "ABC", 3);
    assert_false(tls_pending(pair.link->ours));
    assert_int_equal(link_read(pair.link, buffer, sizeof(buffer), &length), TLS_STATUS_WANT_INPUT);
    pair_close(pair);
}

/* --- memory ------------------------------------------------------------------------------------------------------------------------- */

#define IDLE_BYTES_MAX 4608

static void test_idle_memory(void **state)
{
    struct thread_slot *slot;

    assert_int_equal(thread_slot_create(64 << 20, &slot), ASSAY_OK);
    for (int server = 0; server < 2; server++)
        for (int v = 0; v < 2; v++) {
            struct thread_slot_stats before, idle, after;
            struct pair pair = pair_open(server, versions[v], PKI_P256);
            struct tls_connection *first = pair.link->ours;

            /* Contexts are control's; only what a connection takes is the core's. */
            tls_free(first);
            pair.link->ours = NULL;
            thread_slot_attach(slot);
            thread_slot_get_stats(slot, &before);
            if (!server)
                assert_int_equal(
                    tls_client_create(pair.context, "origin.test", link_verifier(&judge), NULL, &pair.link->ours),
                    ASSAY_OK);
            tls_hello_free(pair.link->hello);
            pair.link->hello = server ? tls_hello_create() : NULL;
            assert_true(link_handshake(pair.link));
            assert_true(link_receive(pair.link, 50000));
            assert_true(link_send(pair.link, 50000));
            thread_slot_get_stats(slot, &idle);
            assert_true(idle.bytes_in_use - before.bytes_in_use <= IDLE_BYTES_MAX);
            tls_free(pair.link->ours);
            pair.link->ours = NULL;
            thread_slot_get_stats(slot, &after);
            assert_int_equal(after.bytes_in_use, before.bytes_in_use);
            assert_int_equal(after.blocks_in_use, before.blocks_in_use);
            thread_slot_attach(NULL);
            pair_close(pair);
        }
    thread_slot_free(slot);
}

/* As pair_open_…(), but it may fail. */
static void pair_open_limited(struct pair *pair, bool server)
{
    link_open_peer(pair->link, pair->context, pair->peer, server);
    if (server)
        pair->link->hello = tls_hello_create();
    else if (tls_client_create(pair->context, "origin.test", link_verifier(&judge), NULL, &pair->link->ours) !=
             ASSAY_OK)
        assert_null(pair->link->ours);
}

/* All of the slot's memory but so much. Returns how many blocks it took. */
static size_t take_all_but(size_t spare, void **blocks, size_t capacity)
{
    size_t count = 0;
    void *kept = slot_alloc(spare);

    while (count < capacity && (blocks[count] = slot_alloc(512)) != NULL)
        count++;
    slot_free(kept);
    return count;
}

/* The allocator is used up at one point of the handshake after the other: it fails, or succeeds, and leaves nothing. */
static void test_out_of_memory(void **state)
{
    static void *blocks[1024];

    for (int server = 0; server < 2; server++)
        for (int v = 0; v < 2; v++)
            for (size_t spare = 1; spare < 24000; spare += 389) {
                struct pair pair = server ? server_pair(&pki.identities[PKI_P256], versions[v])
                                          : client_pair(&pki.identities[PKI_P256], NULL, versions[v]);
                struct thread_slot_stats stats;
                struct thread_slot *slot;
                size_t count;

                assert_int_equal(thread_slot_create(131072, &slot), ASSAY_OK);
                thread_slot_attach(slot);
                count = take_all_but(spare, blocks, 1024);
                pair_open_limited(&pair, server);
                if (pair.link->ours != NULL || pair.link->hello != NULL)
                    (void)link_handshake(pair.link);
                tls_free(pair.link->ours);
                tls_hello_free(pair.link->hello);
                pair.link->ours = NULL;
                pair.link->hello = NULL;
                while (count > 0)
                    slot_free(blocks[--count]);
                thread_slot_get_stats(slot, &stats);
                assert_int_equal(stats.blocks_in_use, 0);
                thread_slot_attach(NULL);
                thread_slot_free(slot);
                pair_close(pair);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_verifier),
        cmocka_unit_test(test_not_tls),
        cmocka_unit_test(test_peer_refuses),
        cmocka_unit_test(test_no_common_version),
        cmocka_unit_test(test_no_common_cipher),
        cmocka_unit_test(test_forged_record),
        cmocka_unit_test(test_record_too_long),
        cmocka_unit_test(test_key_update_flood),
        cmocka_unit_test(test_renegotiation_refused),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_sealed_size),
        cmocka_unit_test(test_write_without_room),
        cmocka_unit_test(test_close_notify),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_key_update),
        cmocka_unit_test(test_pending),
        cmocka_unit_test(test_idle_memory),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
