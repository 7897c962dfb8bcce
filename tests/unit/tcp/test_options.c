/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

struct row {
    const char *what;
    uint8_t bytes[TCP_OPTIONS_MAX];
    uint32_t len;
    bool syn;
    enum assay_error error;
    struct tcp_options options;
};

static const struct row bad[] = {
    {"length 0", {2, 0, 5, 180}, 4, true, ASSAY_ERR_MALFORMED, {0}},
    {"length 0 of an unknown kind", {99, 0}, 2, true, ASSAY_ERR_MALFORMED, {0}},
    {"length 1", {8, 1}, 2, false, ASSAY_ERR_MALFORMED, {0}},
    {"kind without length", {1, 1, 1, 2}, 4, true, ASSAY_ERR_MALFORMED, {0}},
    {"past the end", {2, 5, 5, 180}, 4, true, ASSAY_ERR_MALFORMED, {0}},
    {"MSS of three bytes", {2, 3, 5, 0}, 4, true, ASSAY_ERR_MALFORMED, {0}},
    {"MSS of three bytes, no SYN", {2, 3, 5, 0}, 4, false, ASSAY_ERR_MALFORMED, {0}},
    {"window scale of two", {3, 4, 7, 7}, 4, true, ASSAY_ERR_MALFORMED, {0}},
    {"SACK permitted with a value", {4, 3, 1, 0}, 4, true, ASSAY_ERR_MALFORMED, {0}},
    {"SACK of no block", {5, 2, 0, 0}, 4, false, ASSAY_ERR_MALFORMED, {0}},
    {"SACK of half a block", {5, 6, 0, 0, 0, 1, 0, 0}, 8, false, ASSAY_ERR_MALFORMED, {0}},
    {"timestamps too short", {8, 6, 0, 0, 0, 1}, 6, false, ASSAY_ERR_MALFORMED, {0}},
    {"SACK of four blocks, cut", {5, 34, 0, 0, 0, 1, 0, 0, 0, 2}, 10, false, ASSAY_ERR_MALFORMED, {0}},
};

static const struct row good[] = {
    {"nothing", {0}, 0, true, ASSAY_OK, {0}},
    {"end, then anything", {0, 2, 0, 0}, 4, true, ASSAY_OK, {0}},
    {"only NOPs", {1, 1, 1, 1}, 4, true, ASSAY_OK, {0}},
    {"MSS", {2, 4, 5, 180}, 4, true, ASSAY_OK, {.has_mss = true, .mss = 1460}},
    {"MSS without SYN is passed over", {2, 4, 5, 180}, 4, false, ASSAY_OK, {0}},
    {"scale without SYN is passed over", {3, 3, 7, 0}, 4, false, ASSAY_OK, {0}},
    {"permission without SYN is passed over", {4, 2, 0, 0}, 4, false, ASSAY_OK, {0}},
    {"SACK in a SYN is passed over", {5, 10, 0, 0, 0, 1, 0, 0, 0, 9}, 10, true, ASSAY_OK, {0}},
    {"unknown kinds", {77, 5, 1, 2, 3, 2, 4, 1, 0}, 9, true, ASSAY_OK, {.has_mss = true, .mss = 256}},
    {"a shift that is too big is told as it is",
     {3, 3, 200},
     3,
     true,
     ASSAY_OK,
     {.has_window_scale = true, .window_shift = 200}},
    {"timestamps as usual",
     {1, 1, 8, 10, 0, 0, 1, 0, 0, 0, 0, 9},
     12,
     false,
     ASSAY_OK,
     {.has_timestamps = true, .ts_value = 256, .ts_echo = 9}},
    {"timestamps elsewhere",
     {8, 10, 0xff, 0, 0, 1, 0, 0, 0, 2},
     10,
     false,
     ASSAY_OK,
     {.has_timestamps = true, .ts_value = 0xff000001, .ts_echo = 2}},
    {"what Linux sends in a SYN",
     {2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7},
     20,
     true,
     ASSAY_OK,
     {.has_mss = true,
      .mss = 1460,
      .sack_permitted = true,
      .has_timestamps = true,
      .ts_value = 7,
      .has_window_scale = true,
      .window_shift = 7}},
    {"two SACK blocks",
     {1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 2, 0},
     20,
     false,
     ASSAY_OK,
     {.sack_count = 2, .sack = {{1, 2}, {256, 512}}}},
};

static void check(const struct row *row)
{
    struct tcp_options got;
    enum assay_error error = tcp_options_parse(slice_of(row->bytes, row->len), row->syn, &got);

    if (error != row->error)
        fail_msg("%s: %s", row->what, assay_error_name(error));
    if (error)
        return;
    assert_int_equal(got.has_mss, row->options.has_mss);
    assert_int_equal(got.has_window_scale, row->options.has_window_scale);
    assert_int_equal(got.has_timestamps, row->options.has_timestamps);
    assert_int_equal(got.sack_permitted, row->options.sack_permitted);
    assert_int_equal(got.sack_count, row->options.sack_count);
    if (got.has_mss)
        assert_int_equal(got.mss, row->options.mss);
    if (got.has_window_scale)
        assert_int_equal(got.window_shift, row->options.window_shift);
    if (got.has_timestamps) {
        assert_int_equal(got.ts_value, row->options.ts_value);
        assert_int_equal(got.ts_echo, row->options.ts_echo);
    }
    for (uint32_t i = 0; i < got.sack_count; i++)
        assert_memory_equal(&got.sack[i], &row->options.sack[i], sizeof(got.sack[i]));
}

static void refuses_what_is_malformed(void **state)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check(&bad[i]);
}

static void reads_what_is_right(void **state)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        check(&good[i]);
}

/* Cut anywhere, no list reads a byte beyond its end (the sanitizer would see it), and every one comes to an end. */
static void any_cut_ends(void **state)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        for (uint32_t len = 0; len <= good[i].len; len++) {
            uint8_t *exact = test_malloc(len + 1);
            struct tcp_options got;

            memcpy(exact, good[i].bytes, len);
            if (tcp_options_parse(slice_of(exact, len), good[i].syn, &got) == ASSAY_OK)
                assert_true(got.sack_count <= TCP_SACK_BLOCKS_MAX);
            test_free(exact);
        }
}

static void what_is_written_reads_back(void **state)
{
    uint8_t bytes[TCP_OPTIONS_MAX];
    struct tcp_options got;

    for (uint32_t bits = 0; bits < 8; bits++) {
        struct tcp_options options = {.has_mss = true,
                                      .mss = 1460,
                                      .sack_permitted = bits & 1,
                                      .has_timestamps = bits & 2,
                                      .has_window_scale = bits & 4,
                                      .window_shift = 9,
                                      .ts_value = 0x01020304,
                                      .ts_echo = 5};
        uint32_t len = tcp_options_write_syn(&options, bytes);

        assert_int_equal(len % 4, 0);
        assert_int_equal(tcp_options_parse(slice_of(bytes, len), true, &got), ASSAY_OK);
        assert_int_equal(got.mss, 1460);
        assert_int_equal(got.sack_permitted, options.sack_permitted);
        assert_int_equal(got.has_timestamps, options.has_timestamps);
        assert_int_equal(got.has_window_scale, options.has_window_scale);
    }
    for (uint32_t count = 0; count <= TCP_SACK_BLOCKS_MAX; count++)
        for (uint32_t timestamps = 0; timestamps < 2; timestamps++) {
            struct tcp_options options = {.has_timestamps = timestamps,
                                          .ts_value = 3,
                                          .sack_count = (uint8_t)count,
                                          .sack = {{1, 2}, {3, 4}, {5, 6}, {7, 8}}};
            uint32_t len = tcp_options_write(&options, bytes), fits = timestamps && count == 4 ? 3 : count;

            assert_int_equal(len, tcp_options_length(timestamps, count));
            assert_int_equal(len % 4, 0);
            assert_int_equal(tcp_options_parse(slice_of(bytes, len), false, &got), ASSAY_OK);
            assert_int_equal(got.sack_count, fits);
            for (uint32_t i = 0; i < fits; i++)
                assert_int_equal(got.sack[i].start, 2 * i + 1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_malformed),
        cmocka_unit_test(reads_what_is_right),
        cmocka_unit_test(any_cut_ends),
        cmocka_unit_test(what_is_written_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
