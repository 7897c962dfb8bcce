/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/pattern_set.h"

static void refuses_what_it_cannot_compile(void **state)
{
    struct pattern pattern = {slice_of(NULL, PATTERN_LITERAL_MAX + 1), PATTERN_TAIL_ANY};
    struct pattern_set *set;

    assert_int_equal(pattern_set_compile(&pattern, 0, &set), ASSAY_ERR_RANGE);
    assert_int_equal(pattern_set_compile(&pattern, 1, &set), ASSAY_ERR_RANGE);
    pattern_set_free(NULL);
    pattern_scratch_free(NULL);
}

static uint64_t scan_one(const char *literal, enum pattern_tail tail, const char *subject)
{
    struct pattern pattern = {slice_text(literal), tail};
    struct pattern_scratch *scratch;
    struct pattern_set *set;
    uint64_t result;

    assert_int_equal(pattern_set_compile(&pattern, 1, &set), ASSAY_OK);
    assert_int_equal(pattern_scratch_create(&set, 1, &scratch), ASSAY_OK);
    result = pattern_set_scan(set, scratch, slice_text(subject))[0];
    pattern_scratch_free(scratch);
    pattern_set_free(set);
    return result;
}

static void tails(void **state)
{
    static const struct {
        const char *literal;
        enum pattern_tail tail;
        const char *subject;
        bool matches;
    } rows[] = {
        {"/a", PATTERN_TAIL_ANY, "/", false},
        {"/a", PATTERN_TAIL_ANY, "x/a", false},
        {"/a", PATTERN_TAIL_ANY, "", false},
        {"/a", PATTERN_TAIL_ANY, "/A", false},
        {"/a", PATTERN_TAIL_ANY, "/a", true},
        {"/a", PATTERN_TAIL_ANY, "/ab", true},
        {"/a", PATTERN_TAIL_END, "/ab", false},
        {"/a", PATTERN_TAIL_END, "/a?", false},
        {"/a", PATTERN_TAIL_END, "/a\n", false},
        {"/a", PATTERN_TAIL_END, "/a", true},
        {"/a", PATTERN_TAIL_QUERY, "/a/", false},
        {"/a", PATTERN_TAIL_QUERY, "/a\n", false},
        {"/a", PATTERN_TAIL_QUERY, "/a", true},
        {"/a", PATTERN_TAIL_QUERY, "/a?b", true},
        {"/a", PATTERN_TAIL_SEGMENT, "/ab", false},
        {"/a", PATTERN_TAIL_SEGMENT, "/a", true},
        {"/a", PATTERN_TAIL_SEGMENT, "/a/", true},
        {"/a", PATTERN_TAIL_SEGMENT, "/a?b", true},
        {"/a", PATTERN_TAIL_PAIR, "/a/", false},
        {"/a", PATTERN_TAIL_PAIR, "/a&b", true},
        {"/a", PATTERN_TAIL_PAIR, "/a", true},
        {".*[a]\\E(", PATTERN_TAIL_END, "xa", false},
        {".*[a]\\E(", PATTERN_TAIL_END, ".*[a]\\E(", true},
        {"\xff\x80", PATTERN_TAIL_ANY, "\xff\x80z", true},
        {"", PATTERN_TAIL_ANY, "abc", true},
        {"", PATTERN_TAIL_SEGMENT, "abc", false},
        {"", PATTERN_TAIL_SEGMENT, "/abc", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (scan_one(rows[i].literal, rows[i].tail, rows[i].subject) != rows[i].matches)
            fail_msg("%s (%d): %s", rows[i].literal, rows[i].tail, rows[i].subject);
    }
}

/* One scratch for sets of different size, and no bit left over from the scan before. */
static void many_patterns_and_one_scratch(void **state)
{
    struct pattern patterns[130];
    char literals[130][8];
    struct pattern_scratch *scratch;
    struct pattern_set *sets[2];

    for (int i = 0; i < 130; i++) {
        literals[i][0] = '/';
        literals[i][1] = (char)('a' + i % 26);
        literals[i][2] = (char)('a' + i / 26);
        patterns[i] = (struct pattern){slice_of(literals[i], 3), PATTERN_TAIL_ANY};
    }
    assert_int_equal(pattern_set_compile(patterns, 130, &sets[0]), ASSAY_OK);
    assert_int_equal(pattern_set_compile(patterns, 1, &sets[1]), ASSAY_OK);
    assert_int_equal(pattern_set_count(sets[0]), 130);
    assert_int_equal(pattern_scratch_create(sets, 2, &scratch), ASSAY_OK);
    for (int i = 0; i < 130; i++) {
        const uint64_t *matched = pattern_set_scan(sets[0], scratch, patterns[i].literal);

        for (int word = 0; word < 3; word++)
            assert_int_equal(matched[word], word == i / 64 ? UINT64_C(1) << (i % 64) : 0);
    }
    assert_int_equal(pattern_set_scan(sets[1], scratch, slice_text("/aa"))[0], 1);
    assert_int_equal(pattern_set_scan(sets[1], scratch, slice_text("/zz"))[0], 0);
    pattern_scratch_free(scratch);
    /* A scratch made for the small set is not enough for the large one. */
    assert_int_equal(pattern_scratch_create(&sets[1], 1, &scratch), ASSAY_OK);
    assert_null(pattern_set_scan(sets[0], scratch, slice_text("/aa")));
    pattern_scratch_free(scratch);
    pattern_set_free(sets[0]);
    pattern_set_free(sets[1]);
}

static void the_longest_literal(void **state)
{
    char *literal = malloc(PATTERN_LITERAL_MAX + 1);

    memset(literal, 'a', PATTERN_LITERAL_MAX);
    literal[PATTERN_LITERAL_MAX] = 0;
    assert_int_equal(scan_one(literal, PATTERN_TAIL_END, literal), 1);
    assert_int_equal(scan_one(literal, PATTERN_TAIL_END, literal + 1), 0);
    free(literal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_it_cannot_compile),
        cmocka_unit_test(tails),
        cmocka_unit_test(many_patterns_and_one_scratch),
        cmocka_unit_test(the_longest_literal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
