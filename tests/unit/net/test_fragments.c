/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "net/fragments.h"

#define HEADER 20 /* bytes in front of a fragment's data, as if it were IPv4 */
#define UDP    17
#define TCP    6

static struct net_counters count;
static bool marked; /* what fragments_add() said last */

static struct fragments *make(void)
{
    static struct fragments table;

    memset(&count, 0, sizeof(count));
    fragments_init(&table, &count);
    return &table;
}

struct piece {
    uint16_t offset, length;
    bool more;
};

/* Data of a datagram: the byte at offset n is n * 7. */
static struct rte_mbuf *mbuf_of_piece(struct fixture *f, struct piece piece)
{
    uint8_t bytes[FRAME_MAX];

    memset(bytes, 0xaa, HEADER);
    for (uint32_t i = 0; i < piece.length; i++)
        bytes[HEADER + i] = (uint8_t)((piece.offset + i) * 7);
    return mbuf_of(f->pool, bytes, HEADER + piece.length);
}

static struct fragment fragment_of(struct piece piece, uint32_t id, uint8_t protocol, uint32_t source)
{
    return (struct fragment){.src = address_from_ip4_be(source),
                             .dst = address_from_ip4_be(IP(198, 18, 1, 10)),
                             .id = id,
                             .key_protocol = protocol,
                             .protocol = protocol,
                             .more = piece.more,
                             .offset = piece.offset,
                             .data_at = HEADER};
}

static struct rte_mbuf *add(struct fixture *f, struct fragments *table, struct piece piece, uint32_t id,
                            uint8_t protocol)
{
    struct fragment fragment = fragment_of(piece, id, protocol, IP(198, 18, 1, 77));

    return fragments_add(table, 0, &fragment, mbuf_of_piece(f, piece), f->now_us, &marked);
}

static void expect_whole(struct rte_mbuf *m, uint32_t length)
{
    uint8_t copy[3 * FRAME_MAX];
    const uint8_t *p;

    assert_non_null(m);
    assert_int_equal(m->pkt_len, HEADER + length);
    p = rte_pktmbuf_read(m, 0, m->pkt_len, copy);
    assert_int_equal(p[0], 0xaa);
    for (uint32_t i = 0; i < length; i++)
        assert_int_equal(p[HEADER + i], (uint8_t)(i * 7));
    rte_pktmbuf_free(m);
}

/* Three fragments in every order, the last one twice in between. */
static void puts_together_in_any_order(void **state)
{
    static const struct piece pieces[3] = {{0, 1000, true}, {1000, 1000, true}, {2000, 333, false}};
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct fixture *f = *state;
    struct fragments *table = make();

    for (uint32_t i = 0; i < 6; i++) {
        assert_null(add(f, table, pieces[orders[i][0]], i, UDP));
        assert_null(add(f, table, pieces[orders[i][0]], i, UDP)); /* duplicated by the network */
        assert_null(add(f, table, pieces[orders[i][1]], i, UDP));
        expect_whole(add(f, table, pieces[orders[i][2]], i, UDP), 2333);
        assert_int_equal(count.fragments_reassembled, i + 1);
    }
    assert_int_equal(count.fragments_received, 24);
    assert_int_equal(rte_mempool_in_use_count(f->pool), 0);
}

static void never_delivers_what_overlaps(void **state)
{
    static const struct {
        const char *what;
        struct piece pieces[3];
    } rows[] = {
        {"over the end of the one before", {{0, 1000, true}, {992, 1000, true}, {1992, 100, false}}},
        {"over the start of the one behind", {{1000, 1000, false}, {0, 1008, true}, {0, 1000, true}}},
        {"inside another", {{0, 1000, true}, {504, 8, true}, {1000, 100, false}}},
        {"around another", {{504, 8, true}, {0, 1000, true}, {1000, 100, false}}},
        {"the same start, longer", {{0, 1000, true}, {0, 1008, true}, {1000, 100, false}}},
        {"the same start, shorter", {{0, 1000, true}, {0, 992, true}, {1000, 100, false}}},
        {"two ends", {{1000, 100, false}, {2000, 100, false}, {0, 1000, true}}},
        {"behind the end", {{1000, 100, false}, {1104, 104, true}, {0, 1000, true}}},
        {"an end before what was there", {{2000, 1000, true}, {1000, 100, false}, {0, 1000, true}}},
        {"the end again, as none", {{1000, 104, false}, {1000, 112, true}, {0, 1000, true}}},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fragments *table = make();

        for (int k = 0; k < 3; k++)
            if (add(f, table, rows[i].pieces[k], 1, UDP) != NULL)
                fail_msg("delivered: %s", rows[i].what);
        if (count.fragments_overlapped != 1 || rte_mempool_in_use_count(f->pool) != 0)
            fail_msg("%s", rows[i].what);
        assert_null(add(f, table, (struct piece){0, 100, true}, 1, UDP)); /* nor anything that comes later */
        assert_int_equal(rte_mempool_in_use_count(f->pool), 0);
    }
}

/* RFC 3168 §5.3: a mark on any of them is one on the whole; one beside what cannot be marked is believed of none. */
static void keeps_marks(void **state)
{
    static const struct {
        uint8_t ecn[3];
        bool delivered, marked;
    } rows[] = {
        {{NET_ECN_NONE, NET_ECN_NONE, NET_ECN_NONE}, true, false},
        {{NET_ECN_ECT0, NET_ECN_ECT0, NET_ECN_ECT0}, true, false},
        {{NET_ECN_CE, NET_ECN_CE, NET_ECN_CE}, true, true},
        {{NET_ECN_CE, NET_ECN_ECT0, NET_ECN_ECT0}, true, true},
        {{NET_ECN_ECT0, NET_ECN_ECT0, NET_ECN_CE}, true, true},
        {{NET_ECN_ECT1, NET_ECN_CE, NET_ECN_ECT1}, true, true},
        {{NET_ECN_ECT0, NET_ECN_ECT1, NET_ECN_ECT0}, true, false},
        {{NET_ECN_ECT0, NET_ECN_NONE, NET_ECN_ECT0}, true, false},
        {{NET_ECN_NONE, NET_ECN_CE, NET_ECN_NONE}, false, false},
        {{NET_ECN_CE, NET_ECN_ECT0, NET_ECN_NONE}, false, false},
    };
    static const struct piece pieces[3] = {{0, 1000, true}, {1000, 1000, true}, {2000, 333, false}};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fragments *table = make();
        struct rte_mbuf *whole = NULL;

        for (int k = 0; k < 3; k++) {
            struct fragment fragment = fragment_of(pieces[k], 1, UDP, IP(198, 18, 1, 77));

            assert_null(whole);
            fragment.ecn = rows[i].ecn[k];
            whole = fragments_add(table, 0, &fragment, mbuf_of_piece(f, pieces[k]), f->now_us, &marked);
        }
        if (rows[i].delivered)
            expect_whole(whole, 2333);
        assert_int_equal(marked, rows[i].marked);
        assert_int_equal(count.fragments_refused, !rows[i].delivered);
        assert_int_equal(rte_mempool_in_use_count(f->pool), 0);
    }
}

static void refuses_fragments_nobody_needs(void **state)
{
    static const struct {
        const char *what;
        struct piece piece;
        uint8_t protocol;
    } rows[] = {
        {"no data", {8, 0, true}, UDP},
        {"no data at the end", {8, 0, false}, UDP},
        {"not a multiple of eight", {0, 1001, true}, UDP},
        {"longer than a datagram can be", {64000, 1008, false}, UDP},
        {"a TCP header cut after the ports (RFC 1858)", {0, 16, true}, TCP},
        {"flags of TCP in the second fragment (RFC 3128)", {8, 1000, false}, TCP},
        {"the second half of a TCP header", {16, 1000, false}, TCP},
    };
    struct fixture *f = *state;
    struct fragments *table = make();

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (add(f, table, rows[i].piece, 1, rows[i].protocol) != NULL || count.fragments_refused != i + 1)
            fail_msg("%s", rows[i].what);
        assert_int_equal(rte_mempool_in_use_count(f->pool), 0);
    }
    assert_null(add(f, table, (struct piece){0, 24, true}, 2, TCP));
    expect_whole(add(f, table, (struct piece){24, 1, false}, 2, TCP), 25);
}

static void keeps_datagrams_apart(void **state)
{
    struct fixture *f = *state;
    struct fragments *table = make();
    struct piece first = {0, 800, true}, last = {800, 8, false};
    struct fragment other;

    assert_null(add(f, table, first, 1, UDP));
    assert_null(add(f, table, last, 2, UDP)); /* another identification */
    assert_null(add(f, table, last, 1, 1));   /* another protocol */
    other = fragment_of(last, 1, UDP, IP(198, 18, 1, 78));
    assert_null(fragments_add(table, 0, &other, mbuf_of_piece(f, last), f->now_us, &marked)); /* another source */
    other = fragment_of(last, 1, UDP, IP(198, 18, 1, 77));
    assert_null(fragments_add(table, 1, &other, mbuf_of_piece(f, last), f->now_us, &marked)); /* another port */
    expect_whole(add(f, table, last, 1, UDP), 808);
    fragments_fini(table);
}

static void bounds_what_it_holds(void **state)
{
    struct fixture *f = *state;
    struct fragments *table = make();

    for (uint32_t id = 0; id < 10; id++) /* of one source */
        assert_null(add(f, table, (struct piece){0, 800, true}, id, UDP));
    assert_int_equal(rte_mempool_in_use_count(f->pool), FRAGMENTS_PER_SOURCE_MAX);
    assert_int_equal(count.fragments_refused, 10 - FRAGMENTS_PER_SOURCE_MAX);
    fragments_fini(table);
    table = make();
    for (uint32_t i = 0; i < 100; i++) { /* of many: the oldest gives way */
        struct piece piece = {0, 800, true};
        struct fragment fragment = fragment_of(piece, 1, UDP, IP(198, 18, 2, i));

        assert_null(fragments_add(table, 0, &fragment, mbuf_of_piece(f, piece), f->now_us + i, &marked));
    }
    assert_int_equal(rte_mempool_in_use_count(f->pool), FRAGMENTS_DATAGRAMS_MAX);
    assert_int_equal(count.fragments_evicted, 100 - FRAGMENTS_DATAGRAMS_MAX);
    fragments_fini(table);
    table = make();
    for (uint16_t i = 0; i <= FRAGMENTS_PARTS_MAX; i++)
        assert_null(add(f, table, (struct piece){(uint16_t)(i * 8), 8, true}, 1, UDP));
    assert_int_equal(count.fragments_refused, 1);
    assert_int_equal(rte_mempool_in_use_count(f->pool), 0); /* too many parts: all of it is gone */
    assert_null(add(f, table, (struct piece){(FRAGMENTS_PARTS_MAX + 1) * 8, 8, false}, 1, UDP));
    assert_int_equal(rte_mempool_in_use_count(f->pool), 0);
}

/* Several at once come one by one, each with the port it came in on; what has no first fragment, or overlapped, comes not. */
static void gives_up_several_at_once(void **state)
{
    struct fixture *f = *state;
    struct fragments *table = make();
    struct rte_mbuf *first;
    uint32_t port, ports = 0;

    for (uint16_t i = 0; i < 2; i++) {
        struct piece piece = {0, 800, true};
        struct fragment fragment = fragment_of(piece, 5, UDP, IP(198, 18, 2, i));

        assert_null(fragments_add(table, i, &fragment, mbuf_of_piece(f, piece), f->now_us, &marked));
    }
    assert_null(add(f, table, (struct piece){800, 800, true}, 6, UDP));
    assert_null(add(f, table, (struct piece){0, 800, true}, 7, UDP));
    assert_null(add(f, table, (struct piece){400, 800, true}, 7, UDP));
    while ((first = fragments_expire(table, f->now_us + FRAGMENTS_TIMEOUT_US, &port)) != NULL) {
        ports |= 1U << port;
        rte_pktmbuf_free(first);
    }
    assert_int_equal(ports, 3);
    assert_int_equal(count.fragments_expired, 4);
    assert_int_equal(table->next_due_us, UINT64_MAX);
    assert_int_equal(rte_mempool_in_use_count(f->pool), 0);
    fragments_fini(table);
}

static void gives_up_in_time(void **state)
{
    struct fixture *f = *state;
    struct fragments *table = make();
    struct rte_mbuf *first;
    uint32_t port;

    assert_int_equal(table->next_due_us, UINT64_MAX);
    assert_null(add(f, table, (struct piece){0, 800, true}, 1, UDP));
    f->now_us += SECOND;
    assert_null(add(f, table, (struct piece){0, 800, true}, 2, UDP));
    assert_int_equal(table->next_due_us, f->now_us - SECOND + FRAGMENTS_TIMEOUT_US);
    assert_null(fragments_expire(table, f->now_us + FRAGMENTS_TIMEOUT_US - SECOND - 1, &port));
    assert_int_equal(count.fragments_expired, 0);
    first = fragments_expire(table, f->now_us + FRAGMENTS_TIMEOUT_US - SECOND, &port);
    assert_non_null(first);
    rte_pktmbuf_free(first);
    assert_null(fragments_expire(table, f->now_us + FRAGMENTS_TIMEOUT_US - SECOND, &port));
    assert_int_equal(count.fragments_expired, 1);
    assert_int_equal(rte_mempool_in_use_count(f->pool), 1);
    assert_int_equal(table->next_due_us, f->now_us + FRAGMENTS_TIMEOUT_US);
    rte_pktmbuf_free(fragments_expire(table, f->now_us + FRAGMENTS_TIMEOUT_US, &port));
    assert_null(fragments_expire(table, f->now_us + FRAGMENTS_TIMEOUT_US, &port));
    assert_int_equal(rte_mempool_in_use_count(f->pool), 0);
    assert_int_equal(table->next_due_us, UINT64_MAX);
    assert_null(add(f, table, (struct piece){800, 8, false}, 1, UDP)); /* begins anew */
    fragments_fini(table);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(puts_together_in_any_order),     TEST(never_delivers_what_overlaps),
        TEST(refuses_fragments_nobody_needs), TEST(keeps_datagrams_apart),
        TEST(bounds_what_it_holds),           TEST(gives_up_in_time),
        TEST(gives_up_several_at_once),       TEST(keeps_marks),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
