/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

static struct net_counters count;

static struct neighbours make(uint32_t max, uint32_t pending_max)
{
    struct neighbours table;

    memset(&count, 0, sizeof(count));
    assert_int_equal(neighbours_init(&table, max, pending_max, 0x1234567890abcdefULL, &count), ASSAY_OK);
    return table;
}

static struct neighbour *find(const struct neighbours *table, uint32_t port, uint32_t ip_be)
{
    struct assay_address address = address_from_ip4_be(ip_be);

    return neighbours_find(table, port, &address);
}

static struct neighbour *add(struct neighbours *table, uint32_t port, uint32_t ip_be, bool wanted, uint64_t now_us)
{
    struct assay_address address = address_from_ip4_be(ip_be);

    return neighbours_add(table, port, &address, wanted, now_us);
}

static struct rte_mbuf *packet(struct fixture *f, uint32_t number)
{
    return mbuf_of(f->pool, &number, sizeof(number));
}

static uint32_t number_of(const struct rte_mbuf *m)
{
    return read_raw32(rte_pktmbuf_mtod(m, uint8_t *));
}

static void a_neighbours_queue_drops_its_oldest(void **state)
{
    struct fixture *f = *state;
    struct neighbours table = make(4, 64);
    struct neighbour *n = add(&table, 0, 1, true, 1);

    for (uint32_t i = 0; i < NEIGHBOUR_PENDING_MAX + 3; i++)
        neighbours_enqueue(&table, n, packet(f, i));
    assert_int_equal(n->pending_count, NEIGHBOUR_PENDING_MAX);
    assert_int_equal(count.drop_arp_queue, 3);
    for (uint32_t i = 0; i < NEIGHBOUR_PENDING_MAX; i++) {
        struct rte_mbuf *m = neighbours_dequeue(&table, n);

        assert_int_equal(number_of(m), i + 3);
        rte_pktmbuf_free(m);
    }
    assert_null(neighbours_dequeue(&table, n));
    neighbours_fini(&table);
}

static void all_queues_share_one_bound(void **state)
{
    struct fixture *f = *state;
    struct neighbours table = make(8, 10);

    for (uint32_t i = 0; i < 24; i++) {
        struct neighbour *n = find(&table, 0, i % 3);

        if (n == NULL)
            n = add(&table, 0, i % 3, true, 1);
        neighbours_enqueue(&table, n, packet(f, i));
    }
    assert_int_equal(count.drop_arp_queue, 14);
    neighbours_remove(&table, find(&table, 0, 1)); /* gives its places back */
    assert_true(count.drop_arp_queue > 14);
    neighbours_enqueue(&table, find(&table, 0, 2), packet(f, 99));
    neighbours_fini(&table); /* frees what waits: the fixture counts */
}

static void the_table_evicts_the_least_recently_used(void **state)
{
    struct neighbours table = make(3, 4);

    for (uint32_t ip = 1; ip <= 3; ip++)
        assert_non_null(add(&table, 0, ip, true, ip * SECOND));
    neighbours_touch(&table, find(&table, 0, 1), 10 * SECOND);
    assert_non_null(add(&table, 0, 4, true, 11 * SECOND));
    assert_null(find(&table, 0, 2));
    assert_non_null(find(&table, 0, 1));
    assert_non_null(find(&table, 0, 3));
    assert_int_equal(count.arp_evicted, 1);
    assert_null(find(&table, 1, 4)); /* another port, another neighbour */
    neighbours_fini(&table);
}

static void who_asks_for_us_evicts_nobody_we_talk_to(void **state)
{
    struct neighbours table = make(4, 4);

    for (uint32_t ip = 1; ip <= 3; ip++)
        add(&table, 0, ip, true, SECOND);
    for (uint32_t ip = 100; ip < 200; ip++) /* a flood turns over one row */
        assert_non_null(add(&table, 0, ip, false, SECOND));
    for (uint32_t ip = 1; ip <= 3; ip++)
        assert_non_null(find(&table, 0, ip));
    assert_null(find(&table, 0, 198));
    neighbours_touch(&table, find(&table, 0, 199), 2 * SECOND); /* now we talk to it */
    assert_null(add(&table, 0, 300, false, 3 * SECOND));
    assert_non_null(find(&table, 0, 199));
    assert_non_null(add(&table, 0, 300, true, 3 * SECOND)); /* we want it: that is different */
    neighbours_fini(&table);
}

static void remembers_when_something_is_due(void **state)
{
    struct neighbours table = make(4, 4);
    struct neighbour *a = add(&table, 0, 1, true, 1), *b = add(&table, 0, 2, true, 1);

    assert_int_equal(table.next_due_us, UINT64_MAX);
    neighbours_set_state(&table, a, NEIGHBOUR_REACHABLE, 500);
    neighbours_set_state(&table, b, NEIGHBOUR_PROBE, 300);
    assert_int_equal(table.next_due_us, 300);
    for (unsigned s = NEIGHBOUR_FREE; s <= NEIGHBOUR_FAILED; s++)
        assert_true(strlen(neighbour_state_name((enum neighbour_state)s)) > 0);
    neighbours_fini(&table);
}

/* Against a model: a plain array of what must be there. */
static void agrees_with_a_model(void **state)
{
    struct fixture *f = *state;
    struct neighbours table = make(64, 32);
    bool there[200] = {false};
    uint32_t live = 0;

    srand(7);
    for (uint32_t i = 0; i < 50000; i++) {
        uint32_t ip = (uint32_t)rand() % 200;
        struct neighbour *n = find(&table, ip % 3, ip);

        assert_int_equal(n != NULL, there[ip]);
        if (n == NULL && live < 64) {
            n = add(&table, ip % 3, ip, rand() % 2, i);
            assert_non_null(n);
            there[ip] = true;
            live++;
        } else if (n != NULL && rand() % 3 == 0) {
            neighbours_remove(&table, n);
            there[ip] = false;
            live--;
        } else if (n != NULL && rand() % 2 == 0) {
            neighbours_touch(&table, n, i * SECOND);
        } else if (n != NULL) {
            neighbours_enqueue(&table, n, packet(f, ip));
        }
    }
    neighbours_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_neighbours_queue_drops_its_oldest, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(all_queues_share_one_bound, fixture_setup, fixture_teardown),
        cmocka_unit_test(the_table_evicts_the_least_recently_used),
        cmocka_unit_test(who_asks_for_us_evicts_nobody_we_talk_to),
        cmocka_unit_test(remembers_when_something_is_due),
        cmocka_unit_test_setup_teardown(agrees_with_a_model, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
