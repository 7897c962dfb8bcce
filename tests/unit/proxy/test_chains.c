/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "assay/chain_record.h"
#include "base/byte_ring.h"
#include "proxy/internal.h"
#include "world.h"
#include "x509/certificate.h"
#include "x509/reason.h"

#define NODE "cucm.steven.lab"

/* A request and its answer, on a connection of its own where fresh. */
static void exchange(struct world *w, struct world_peer *client, struct world_peer **origin, bool fresh)
{
    struct world_peer *accepted;

    world_forget(client);
    world_request(w, client, "GET", world_path("https", NODE, 8443, "/x"), "\r\n");
    world_run(w, 20);
    accepted = world_accept(w);
    if (accepted != NULL)
        *origin = accepted;
    if (*origin != NULL && (*origin)->established && !(*origin)->finished) {
        world_forget(*origin);
        if (fresh)
            world_send(w, *origin, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        else
            world_answer(w, *origin, "ok");
        world_run(w, 20);
    }
}

/* The next record; its host, and its first certificate. */
static bool next_record(struct world *w, struct chain_record *head, char host[256], struct slice *certificate)
{
    static uint8_t copy[65536];
    struct slice bytes;

    if (!byte_ring_peek(w->chains, &bytes))
        return false;
    assert_true(bytes.len >= sizeof(*head) && bytes.len <= sizeof(copy));
    memcpy(copy, bytes.data, bytes.len);
    byte_ring_release(w->chains);
    memcpy(head, copy, sizeof(*head));
    memset(host, 0, 256);
    memcpy(host, copy + sizeof(*head), head->host_length);
    *certificate = slice_of(copy + sizeof(*head) + head->host_length, head->certificate_length[0]);
    return true;
}

static unsigned records(struct world *w, unsigned *whole, struct chain_record *last)
{
    struct slice certificate;
    unsigned n = 0;
    char host[256];

    *whole = 0;
    for (; next_record(w, last, host, &certificate); n++)
        *whole += last->certificate_count > 0;
    return n;
}

static void a_new_chain_comes_whole_with_its_verdict(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect_tls(w, NULL, NULL), *origin = NULL;
    struct x509_certificate certificate;
    struct chain_record head;
    struct slice der;
    char host[256];

    exchange(w, client, &origin, true); /* nothing is trusted: refused, and handed over all the same */
    assert_true(next_record(w, &head, host, &der));
    assert_string_equal(host, NODE);
    assert_int_equal(head.peer_port, 8443);
    assert_memory_equal(&head.peer, &w->origins[0].addresses[0], sizeof(head.peer));
    assert_int_equal(head.flags, CHAIN_RECORD_HANDSHAKE);
    assert_int_equal(head.trust_epoch, w->trust.epoch);
    assert_int_equal(head.chain_reason, X509_REASON_UNKNOWN_ISSUER);
    assert_int_equal(head.name_reason, X509_REASON_OK);
    assert_int_equal(x509_certificate_parse(der, &certificate, NULL), ASSAY_OK);
    assert_memory_equal(certificate.sha256, head.leaf_sha256, 32);
    assert_false(next_record(w, &head, host, &der));
    assert_int_equal(world_counters(w)->chains_handed_over, 1);
    world_free(w);
}

/* Handshakes in between are told in few bytes, requests on a pooled connection not at all: until a minute has passed. */
static void the_same_chain_comes_whole_once_a_minute(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin = NULL;
    struct chain_record last;
    unsigned whole;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, NULL, NULL);
    for (int i = 0; i < 3; i++)
        exchange(w, client, &origin, true);
    assert_int_equal(records(w, &whole, &last), 3);
    assert_int_equal(whole, 1);
    assert_int_equal(last.flags, CHAIN_RECORD_HANDSHAKE);
    for (int i = 0; i < 5; i++)
        exchange(w, client, &origin, false);
    assert_int_equal(records(w, &whole, &last), 1);
    assert_int_equal(whole, 0);
    w->now_us += 60000000;
    for (int i = 0; i < 5; i++)
        exchange(w, client, &origin, false);
    assert_int_equal(records(w, &whole, &last), 1);
    assert_int_equal(whole, 1);
    assert_int_equal(last.chain_reason, X509_REASON_OK);
    world_free(w);
}

/* Another verdict about a pooled connection is news at once, and once. */
static void a_new_verdict_is_told(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin = NULL;
    struct chain_record last;
    unsigned whole;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, NULL, NULL);
    exchange(w, client, &origin, false);
    records(w, &whole, &last);
    world_trust(w, WORLD_TRUST_ROOT | WORLD_TRUST_SELF);
    exchange(w, client, &origin, false);
    exchange(w, client, &origin, false);
    assert_int_equal(records(w, &whole, &last), 1);
    assert_int_equal(whole, 0);
    assert_int_equal(last.trust_epoch, w->trust.epoch);
    assert_int_equal(last.flags, 0);
    world_free(w);
}

static void while_verification_is_disabled_chains_are_handed_over_without_a_verdict(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect_tls(w, NULL, NULL), *origin = NULL;
    struct chain_record last;
    unsigned whole;

    world_mode(w, VERIFY_DISABLED);
    exchange(w, client, &origin, false);
    assert_int_equal(records(w, &whole, &last), 1);
    assert_int_equal(whole, 1);
    assert_int_equal(last.trust_epoch, 0);
    world_free(w);
}

/* Nobody waits for control: what finds no room is counted, and comes a second later. */
static void a_full_ring_drops_and_the_chain_comes_again(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin = NULL;
    struct chain_record last;
    struct slice filler;
    unsigned whole, held = 0;

    world_trust(w, WORLD_TRUST_ROOT);
    while (byte_ring_reserve(w->chains, 256) != NULL) {
        byte_ring_commit(w->chains, 256);
        held++;
    }
    client = world_connect_tls(w, NULL, NULL);
    exchange(w, client, &origin, false);
    assert_true(origin->established); /* the request went through */
    assert_int_equal(world_counters(w)->chains_dropped, 1);
    assert_int_equal(world_counters(w)->chains_handed_over, 0);
    for (; held > 0; held--) {
        assert_true(byte_ring_peek(w->chains, &filler));
        byte_ring_release(w->chains);
    }
    exchange(w, client, &origin, false);
    assert_int_equal(records(w, &whole, &last), 0); /* not at every request */
    w->now_us += 1000000;
    exchange(w, client, &origin, false);
    assert_int_equal(records(w, &whole, &last), 1);
    assert_int_equal(whole, 1);
    assert_int_equal(world_counters(w)->chains_handed_over, 1);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_chain_comes_whole_with_its_verdict),
        cmocka_unit_test(the_same_chain_comes_whole_once_a_minute),
        cmocka_unit_test(a_new_verdict_is_told),
        cmocka_unit_test(while_verification_is_disabled_chains_are_handed_over_without_a_verdict),
        cmocka_unit_test(a_full_ring_drops_and_the_chain_comes_again),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
