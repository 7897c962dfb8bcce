/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define LEN 300

static void fill(uint8_t *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 31 + i / 256 + 1);
}

static void expect_bytes(const struct rte_mbuf *m, const uint8_t *data, uint32_t len)
{
    uint8_t copy[FRAME_MAX];
    uint32_t sum = 0;
    uint16_t segments = 0;

    assert_int_equal(m->pkt_len, len);
    assert_memory_equal(rte_pktmbuf_read(m, 0, len, copy), data, len);
    for (const struct rte_mbuf *s = m; s != NULL; s = s->next) {
        sum += s->data_len;
        segments++;
    }
    assert_int_equal(sum, len);
    assert_int_equal(segments, m->nb_segs);
}

static void pull_says_when_it_cannot(void **state)
{
    struct fixture *f = *state;
    struct rte_mbuf *hold[2047], *m;
    uint8_t data[LEN];
    uint32_t cut[2] = {10, 100};

    fill(data, LEN);
    m = mbuf_cut(f->pool, data, LEN, cut, 2);
    rte_mbuf_refcnt_update(m->next, 1); /* shared: only a copy will do */
    assert_int_equal(rte_pktmbuf_alloc_bulk(f->pool, hold, 2044), 0);
    assert_false(mbuf_pull(&m, 60, f->pool));
    expect_bytes(m, data, LEN);
    rte_pktmbuf_free_bulk(hold, 2044);
    /* a pool whose buffers are too small */
    assert_false(mbuf_pull(&m, 200, f->tiny_pool));
    struct rte_mbuf *shared = m->next;
    assert_true(mbuf_pull(&m, 200, f->pool));
    expect_bytes(m, data, LEN);
    assert_true(m->data_len >= 200);
    rte_pktmbuf_free(m);
    rte_pktmbuf_free_seg(shared);
}

static void pulls_at_every_cut(void **state)
{
    struct fixture *f = *state;
    uint8_t data[LEN];

    fill(data, LEN);
    for (uint32_t first = 0; first <= LEN; first++)
        for (uint32_t second = first; second <= LEN; second += 7) {
            uint32_t cuts[2] = {first, second};
            struct rte_mbuf *m = mbuf_cut(f->pool, data, LEN, cuts, 2);
            uint32_t len = (first * 13 + second) % (LEN + 10);

            assert_true(mbuf_pull(&m, len, f->pool));
            assert_true(m->data_len >= RTE_MIN(len, (uint32_t)LEN));
            expect_bytes(m, data, LEN);
            rte_pktmbuf_free(m);
        }
}

/* Too little room behind the first segment: the packet is copied into bigger buffers. */
static void pulls_from_tiny_buffers(void **state)
{
    struct fixture *f = *state;
    uint8_t data[LEN];
    uint32_t cuts[2] = {190, 195};
    struct rte_mbuf *m;

    fill(data, LEN);
    m = mbuf_cut(f->tiny_pool, data, LEN, cuts, 2);
    assert_true(mbuf_pull(&m, 250, f->pool));
    assert_true(m->data_len >= 250);
    expect_bytes(m, data, LEN);
    rte_pktmbuf_free(m);
}

static void truncates_at_every_cut(void **state)
{
    struct fixture *f = *state;
    uint8_t data[LEN];

    fill(data, LEN);
    for (uint32_t cut = 0; cut <= LEN; cut += 3)
        for (uint32_t len = 1; len <= LEN + 1; len += 5) {
            uint32_t cuts[2] = {cut, (cut + LEN) / 2};
            struct rte_mbuf *m = mbuf_cut(f->pool, data, LEN, cuts, 2);

            mbuf_truncate(m, len);
            expect_bytes(m, data, RTE_MIN(len, (uint32_t)LEN));
            rte_pktmbuf_free(m);
        }
}

static void flattens_and_never_writes_what_is_shared(void **state)
{
    struct fixture *f = *state;
    uint8_t data[3000];
    uint32_t cuts[2] = {54, 1000};
    struct rte_mbuf *m, *payload, *indirect;

    fill(data, sizeof(data));
    m = mbuf_of(f->pool, data, 100);
    assert_ptr_equal(mbuf_flatten(m, f->pool), m); /* nothing to do */
    rte_pktmbuf_free(m);

    m = mbuf_cut(f->pool, data, 1514, cuts, 2); /* into its own tail */
    assert_ptr_equal(mbuf_flatten(m, f->pool), m);
    assert_int_equal(m->nb_segs, 1);
    expect_bytes(m, data, 1514);
    rte_pktmbuf_free(m);

    m = mbuf_cut(f->pool, data, 3000, cuts, 2); /* more than a buffer */
    assert_null(mbuf_flatten(m, f->pool));
    expect_bytes(m, data, 3000);
    rte_pktmbuf_free(m);

    /* a header before an indirect payload, as TCP sends it */
    payload = mbuf_of(f->pool, data + 54, 1000);
    indirect = rte_pktmbuf_clone(payload, f->indirect_pool);
    assert_non_null(indirect);
    m = mbuf_of(f->pool, data, 54);
    assert_int_equal(rte_pktmbuf_chain(m, indirect), 0);
    m = mbuf_flatten(m, f->pool);
    assert_int_equal(m->nb_segs, 1);
    expect_bytes(m, data, 1054);
    rte_pktmbuf_free(m);
    expect_bytes(payload, data + 54, 1000);
    assert_int_equal(rte_mbuf_refcnt_read(payload), 1);
    rte_pktmbuf_free(payload);

    /* the first segment itself is shared: a copy */
    m = mbuf_cut(f->pool, data, 200, cuts, 1);
    rte_mbuf_refcnt_update(m, 1);
    struct rte_mbuf *held = m;
    m = mbuf_flatten(m, f->pool);
    assert_ptr_not_equal(m, held);
    expect_bytes(m, data, 200);
    rte_pktmbuf_free(m);
    rte_pktmbuf_free_seg(held);
}

static uint16_t plain_sum(const uint8_t *p, uint32_t len)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < len; i++)
        sum += i % 2 ? (uint32_t)p[i] << 8 : p[i]; /* memory order */
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void sums_every_length_and_alignment(void **state)
{
    uint8_t data[2048];

    fill(data, sizeof(data));
    for (uint32_t from = 0; from < 9; from++)
        for (uint32_t len = 0; len < 300; len++)
            assert_int_equal(checksum_add(0, data + from, len), plain_sum(data + from, len));
    assert_int_equal(checksum_add(0, data, sizeof(data)), plain_sum(data, sizeof(data)));
    memset(data, 0xff, sizeof(data)); /* every carry there is */
    for (uint32_t len = 0; len <= sizeof(data); len++)
        assert_int_equal(checksum_add(0xffff, data, len), plain_sum(data, len) ? plain_sum(data, len) : 0xffff);
    /* RFC 1071 §3 */
    assert_int_equal(checksum_add(0, "\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", 8), 0xf2dd);
}

static void sums_chains_cut_anywhere(void **state)
{
    struct fixture *f = *state;
    uint8_t data[LEN];

    fill(data, LEN);
    for (uint32_t first = 0; first <= LEN; first++)
        for (uint32_t second = first; second <= LEN; second += 11)
            for (uint32_t offset = 0; offset < 40; offset += 13) {
                uint32_t cuts[2] = {first, second};
                struct rte_mbuf *m = mbuf_cut(f->pool, data, LEN, cuts, 2);

                assert_int_equal(mbuf_checksum(0, m, offset), plain_sum(data + offset, LEN - offset));
                rte_pktmbuf_free(m);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pull_says_when_it_cannot, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(pulls_at_every_cut, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(pulls_from_tiny_buffers, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(truncates_at_every_cut, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(flattens_and_never_writes_what_is_shared, fixture_setup, fixture_teardown),
        cmocka_unit_test(sums_every_length_and_alignment),
        cmocka_unit_test_setup_teardown(sums_chains_cut_anywhere, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
