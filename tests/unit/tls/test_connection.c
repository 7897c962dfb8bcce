/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/thread_slot.h"
#include "link.h"

static struct pki pki;

static void handshake_once(int version, enum pki_key kind, size_t chunk, size_t room, bool server)
{
    struct tls_context *context;
    struct link_judge judge = {0};
    struct link *link = calloc(1, sizeof(*link));
    SSL_CTX *peer;

    link->chunk = chunk;
    link->out_capacity = room;
    if (server) {
        context = link_server_context(&pki.identities[kind], NULL, 0, 0);
        peer = link_peer_client(version, version);
        link_open_server(link, context, peer);
    } else {
        context = link_client_context(NULL, NULL, 0, 0);
        peer = link_peer_server(&pki.identities[kind], version, version);
        link_open_client(link, context, "origin.test", link_verifier(&judge), NULL, peer);
    }
    if (!link_handshake(link)) {
        struct tls_failure failure = {0};

        if (link->ours != NULL)
            tls_get_failure(link->ours, &failure);
        fail_msg("version %x key %d chunk %zu room %zu server %d: status %d hello alert %d, kind %d sent %d received "
                 "%d code %d; peer %lx",
                 version, kind, chunk, room, server, link->status, link->hello_alert, failure.kind, failure.alert_sent,
                 failure.alert_received, failure.library_code, link->peer_error);
    }
    assert_int_equal(tls_get_version(link->ours), version);
    assert_true(link_send(link, 100000));
    assert_true(link_receive(link, 100000));
    link_close(link);
    free(link);
    SSL_CTX_free(peer);
    tls_context_free(context);
}

static void test_matrix(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    for (int server = 0; server < 2; server++)
        for (int v = 0; v < 2; v++)
            for (int kind = 0; kind < PKI_KEYS; kind++)
                handshake_once(versions[v], (enum pki_key)kind, 0, 0, server);
}

static int setup(void **state)
{
    if (thread_slot_install() != ASSAY_OK)
        return -1;
    pki_create(&pki);
    return 0;
}

static int teardown(void **state)
{
    pki_free(&pki);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_matrix)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
