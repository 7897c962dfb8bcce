/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A change of trust, with many connections to origins in the pool: the sweep (proxy.c), and what may not wait for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/internal.h"
#include "world.h"

#define NODE "cucm.steven.lab"
#define MANY 40

/* So many idle connections to one origin, which trusts the root. */
static struct world *world_with_a_pool(struct world_peer *clients[MANY])
{
    struct world *w = world_create();

    w->settings.origin_connections_max = MANY;
    world_trust(w, WORLD_TRUST_ROOT);
    for (size_t i = 0; i < MANY; i++) {
        clients[i] = world_connect_tls(w, "edge.steven.lab", NULL);
        assert_true(clients[i]->established);
    }
    for (size_t i = 0; i < MANY; i++)
        assert_non_null(world_ask(w, clients[i], NODE, 8443));
    for (size_t i = 0; i < MANY; i++)
        world_answer(w, w->accepted[i], "ok");
    assert_int_equal(world_counters(w)->origin_connections_now, MANY);
    return w;
}

/* world_trust(w, 0), for tests that look at every turn after it. */
static void trust_nobody(struct world *w)
{
    w->stores[w->store_count] = world_tls_store(0);
    w->scopes[0].store = w->stores[w->store_count++];
    w->trust.epoch++;
    w->trust.revision++;
    w->snapshot.generation++;
}

/* However many there are, a turn looks at a few: the one chain is judged in the first, the verdict serves the others. */
static void a_change_of_trust_goes_over_the_pool_a_few_each_turn(void **state)
{
    struct world_peer *clients[MANY];
    struct world *w = world_with_a_pool(clients);

    assert_int_equal(world_counters(w)->verify_checks, 1);
    trust_nobody(w);
    world_step(w);
    assert_int_equal(world_counters(w)->verify_checks, 2);
    assert_int_equal(world_counters(w)->origin_connections_now, MANY - 1);
    assert_true(proxy_busy(w->proxy));
    world_step(w);
    assert_int_equal(world_counters(w)->origin_connections_now, MANY - 1 - 32);
    world_step(w);
    assert_int_equal(world_counters(w)->origin_connections_now, 0);
    assert_int_equal(world_counters(w)->verify_checks, 2);
    assert_false(proxy_busy(w->proxy));
    world_free(w);
}

/* Before the sweep has come by, a connection serves nobody whose trust is gone. */
static void no_request_goes_out_on_one_that_was_not_looked_at_yet(void **state)
{
    struct world_peer *clients[MANY];
    struct world *w = world_with_a_pool(clients);
    char head[512];

    snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: edge\r\n\r\n", world_path("https", NODE, 8443, "/x"));
    for (size_t i = 0; i < MANY; i++) {
        world_forget(clients[i]);
        world_forget(w->accepted[i]);
    }
    trust_nobody(w);
    for (size_t i = 0; i < MANY / 2; i++)
        world_send_bytes(w, clients[i], head, strlen(head)); /* on the wire together with the change */
    world_run(w, 200);
    for (size_t i = 0; i < MANY / 2; i++)
        world_expect(clients[i], WORLD_502);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(w->accepted[i]->length, 0);
    assert_int_equal(world_counters(w)->requests_verified, MANY);
    world_free(w);
}

/* A change in every turn: each goes on where the one before had come to. */
static void changes_that_follow_each_other_end_no_sweep(void **state)
{
    struct world_peer *clients[MANY];
    struct world *w = world_with_a_pool(clients);

    trust_nobody(w);
    for (int i = 0; i < 10; i++) {
        world_step(w);
        w->trust.revision++;
        w->snapshot.generation++;
    }
    assert_int_equal(world_counters(w)->origin_connections_now, 0);
    world_run(w, 1);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_of_trust_goes_over_the_pool_a_few_each_turn),
        cmocka_unit_test(no_request_goes_out_on_one_that_was_not_looked_at_yet),
        cmocka_unit_test(changes_that_follow_each_other_end_no_sweep),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
