/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/syn_cookie.h"

#define PERIOD SYN_COOKIE_PERIOD_US

static const uint8_t secret[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static struct tcp_tuple tuple_of(const char *local, const char *remote)
{
    return (struct tcp_tuple){rig_address(local), rig_address(remote), 443, 50000};
}

static enum syn_cookie_verdict check(const struct tcp_tuple *tuple, uint32_t irs, uint32_t cookie, uint64_t now_us)
{
    struct syn_cookie_terms terms;

    return syn_cookie_check(secret, tuple, irs, cookie, false, 0, now_us, &terms);
}

static void what_it_does_not_cover_is_refused(void **state)
{
    const struct syn_cookie_terms terms = {.mss = 1460};
    const struct tcp_tuple tuple = tuple_of("198.18.1.1", "198.18.1.2");
    const uint64_t now_us = 1000 * UINT64_C(64000000);
    uint32_t cookie = syn_cookie_make(secret, &tuple, 77, &terms, now_us);
    uint8_t other_secret[16];
    struct syn_cookie_terms out;
    struct tcp_tuple other;

    assert_int_equal(check(&tuple, 77, cookie, now_us), SYN_COOKIE_GOOD);
    assert_int_equal(check(&tuple, 78, cookie, now_us), SYN_COOKIE_BAD);
    assert_int_equal(check(&tuple, 77, cookie + 1000, now_us), SYN_COOKIE_BAD);
    assert_int_equal(check(&tuple, 77, cookie - 8, now_us), SYN_COOKIE_BAD);
    assert_int_equal(check(&tuple, 77, 0, now_us), SYN_COOKIE_BAD);
    other = tuple;
    other.remote_port++;
    assert_int_equal(check(&other, 77, cookie, now_us), SYN_COOKIE_BAD);
    other = tuple;
    other.local_port++;
    assert_int_equal(check(&other, 77, cookie, now_us), SYN_COOKIE_BAD);
    other = tuple_of("198.18.1.1", "198.18.1.3");
    assert_int_equal(check(&other, 77, cookie, now_us), SYN_COOKIE_BAD);
    memcpy(other_secret, secret, sizeof(secret));
    other_secret[15] ^= 0x80;
    assert_int_equal(syn_cookie_check(other_secret, &tuple, 77, cookie, false, 0, now_us, &out), SYN_COOKIE_BAD);
    /* without timestamps made, with timestamps back: the peer did not agree to them */
    assert_int_equal(syn_cookie_check(secret, &tuple, 77, cookie, true, 0, now_us, &out), SYN_COOKIE_BAD);
}

/* Good in its period and the next one, then old, then unknown. */
static void it_ages(void **state)
{
    const struct syn_cookie_terms terms = {.mss = 1460};
    const struct tcp_tuple tuple = tuple_of("198.18.1.1", "198.18.1.2");
    const uint64_t made_us = 7 * UINT64_C(64000000) + 1000;
    uint32_t cookie = syn_cookie_make(secret, &tuple, 5, &terms, made_us);
    static const struct {
        uint64_t after_us;
        enum syn_cookie_verdict verdict;
    } rows[] = {
        {0, SYN_COOKIE_GOOD},
        {PERIOD - 2000, SYN_COOKIE_GOOD},
        {PERIOD, SYN_COOKIE_GOOD},
        {2 * PERIOD - 2000, SYN_COOKIE_GOOD},
        {2 * PERIOD, SYN_COOKIE_OLD},
        {UINT64_C(4) * PERIOD - 2000, SYN_COOKIE_OLD},
        {UINT64_C(4) * PERIOD, SYN_COOKIE_BAD},
        {UINT64_C(32) * PERIOD, SYN_COOKIE_BAD},
        {UINT64_C(256) * PERIOD, SYN_COOKIE_BAD},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (check(&tuple, 5, cookie, made_us + rows[i].after_us) != rows[i].verdict)
            fail_msg("row %zu", i);
    /* a SYN sent again gets the same answer, as long as the period lasts */
    assert_int_equal(syn_cookie_make(secret, &tuple, 5, &terms, made_us + PERIOD - 2000), cookie);
    assert_int_not_equal(syn_cookie_make(secret, &tuple, 5, &terms, made_us + PERIOD), cookie);
    /* nor is there a period before the first one */
    cookie = syn_cookie_make(secret, &tuple, 5, &terms, 1);
    assert_int_equal(check(&tuple, 5, cookie, 1), SYN_COOKIE_GOOD);
    assert_int_equal(check(&tuple, 6, cookie, 1), SYN_COOKIE_BAD);
}

static void the_mss_is_the_next_lower_one(void **state)
{
    static const struct {
        uint16_t offered, kept;
    } rows[] = {{0, 216},     {215, 216},   {216, 216},   {535, 216},   {536, 536},   {1219, 536},  {1220, 1220},
                {1380, 1360}, {1400, 1400}, {1412, 1400}, {1440, 1440}, {1452, 1440}, {1460, 1460}, {1461, 1460},
                {8939, 1460}, {8940, 8940}, {8960, 8940}, {9000, 8940}, {65535, 8940}};
    const struct tcp_tuple tuple = tuple_of("2001:db8::1", "2001:db8::2");

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct syn_cookie_terms terms = {.mss = rows[i].offered}, out = {0};
        uint32_t cookie = syn_cookie_make(secret, &tuple, 9, &terms, 1000000);

        assert_int_equal(syn_cookie_check(secret, &tuple, 9, cookie, false, 0, 1000000, &out), SYN_COOKIE_GOOD);
        assert_int_equal(out.mss, rows[i].kept);
        assert_false(out.timestamps || out.sack || out.window_scaling || out.ecn);
    }
}

/* Every shift, with and without SACK and ECN, at every phase of the timestamp clock: what comes back is what went out; the timestamp
 * lies in the past, and not far; what the peer changes in it is found out. */
static void the_terms_ride_in_the_timestamp(void **state)
{
    const struct tcp_tuple tuple = tuple_of("2001:db8::1", "2001:db8::2");

    for (uint32_t shift = 0; shift <= 15; shift++)
        for (uint32_t bits = 0; bits < 4; bits++)
            for (uint32_t phase = 0; phase < 64; phase++) {
                bool sack = bits & 1, ecn = bits & 2;
                struct syn_cookie_terms terms = {1460, true, sack, shift < 15, ecn, (uint8_t)(shift < 15 ? shift : 0)};
                struct syn_cookie_terms out = {0};
                uint32_t now = 0xffffffe0u + phase, ts = syn_cookie_timestamp(&terms, now);
                uint32_t cookie = syn_cookie_make(secret, &tuple, 9, &terms, 1000000);

                assert_in_range(now - ts, 0, 63);
                assert_int_equal(syn_cookie_check(secret, &tuple, 9, cookie, true, ts, 1000000, &out), SYN_COOKIE_GOOD);
                assert_true(out.timestamps);
                assert_int_equal(out.sack, sack);
                assert_int_equal(out.ecn, ecn);
                assert_int_equal(out.window_scaling, shift < 15);
                assert_int_equal(out.window_shift, shift < 15 ? shift : 0);
                assert_int_equal(syn_cookie_check(secret, &tuple, 9, cookie, true, ts ^ 1, 1000000, &out),
                                 SYN_COOKIE_BAD);
                assert_int_equal(syn_cookie_check(secret, &tuple, 9, cookie, true, ts ^ 16, 1000000, &out),
                                 SYN_COOKIE_BAD);
                assert_int_equal(syn_cookie_check(secret, &tuple, 9, cookie, true, ts ^ 32, 1000000, &out),
                                 SYN_COOKIE_BAD);
                assert_int_equal(syn_cookie_check(secret, &tuple, 9, cookie, false, 0, 1000000, &out), SYN_COOKIE_BAD);
            }
}

/* No guess hits, and no bit of it stands still. */
static void it_looks_random(void **state)
{
    const struct tcp_tuple tuple = tuple_of("198.18.1.1", "198.18.1.2");
    const struct syn_cookie_terms terms = {.mss = 1460};
    uint32_t ones[32] = {0}, hits = 0;
    uint64_t random = 5;

    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t cookie = syn_cookie_make(secret, &tuple, i, &terms, 1000000);

        for (uint32_t bit = 0; bit < 32; bit++)
            ones[bit] += cookie >> bit & 1;
        hits += check(&tuple, i, (uint32_t)rig_random(&random), 1000000) != SYN_COOKIE_BAD;
    }
    for (uint32_t bit = 0; bit < 32; bit++)
        assert_in_range(ones[bit], 4700, 5300);
    assert_int_equal(hits, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_does_not_cover_is_refused),
        cmocka_unit_test(it_ages),
        cmocka_unit_test(the_mss_is_the_next_lower_one),
        cmocka_unit_test(the_terms_ride_in_the_timestamp),
        cmocka_unit_test(it_looks_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
