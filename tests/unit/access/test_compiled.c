/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/compiled.h"

static struct access_compiled *get(struct access_compiled_list *list, const struct access_compiled_list *previous,
                                   const char *literal, enum pattern_tail tail)
{
    struct pattern pattern = {slice_text(literal), tail};
    struct access_compiled *compiled = NULL;

    assert_int_equal(access_compiled_get(list, previous, &pattern, 1, &compiled), ASSAY_OK);
    return compiled;
}

static void refuses_no_patterns(void **state)
{
    struct access_compiled_list list = {0};
    struct access_compiled *compiled;

    assert_int_equal(access_compiled_get(&list, NULL, NULL, 0, &compiled), ASSAY_ERR_RANGE);
    assert_int_equal(list.count, 0);
    access_compiled_clear(&list);
}

static void compiles_a_list_once(void **state)
{
    struct access_compiled_list list = {0};
    struct access_compiled *a = get(&list, NULL, "/a", PATTERN_TAIL_ANY);

    assert_ptr_equal(get(&list, NULL, "/a", PATTERN_TAIL_ANY), a);
    assert_ptr_not_equal(get(&list, NULL, "/a", PATTERN_TAIL_SEGMENT), a);
    assert_ptr_not_equal(get(&list, NULL, "/ab", PATTERN_TAIL_ANY), a);
    assert_int_equal(list.count, 3);
    access_compiled_clear(&list);
}

static void takes_over_and_outlives_the_previous_list(void **state)
{
    struct access_compiled_list old = {0};
    struct access_compiled_list new = {0};
    struct access_compiled *a = get(&old, NULL, "/a", PATTERN_TAIL_ANY);

    (void)get(&old, NULL, "/b", PATTERN_TAIL_ANY);
    assert_ptr_equal(get(&new, &old, "/a", PATTERN_TAIL_ANY), a);
    assert_ptr_not_equal(get(&new, &old, "/c", PATTERN_TAIL_ANY), a);
    access_compiled_clear(&old);
    assert_int_equal(pattern_set_count(a->patterns), 1);
    access_compiled_clear(&new);
}

static void grows(void **state)
{
    struct access_compiled_list list = {0};
    struct access_compiled *first[60];
    char literal[3] = "/";

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 60; i++) {
            literal[1] = (char)('0' + i);
            struct access_compiled *compiled = get(&list, NULL, literal, PATTERN_TAIL_END);

            if (round == 0)
                first[i] = compiled;
            assert_ptr_equal(compiled, first[i]);
        }
    }
    assert_int_equal(list.count, 60);
    access_compiled_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_no_patterns),
        cmocka_unit_test(compiles_a_list_once),
        cmocka_unit_test(takes_over_and_outlives_the_previous_list),
        cmocka_unit_test(grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
