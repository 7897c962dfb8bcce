/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/revoked.h"
#include "x509/crl_set.h"

static struct revoked_item item_of(uint32_t number, int64_t not_after_s, const char *response)
{
    struct revoked_item item = {.response = slice_text(response), .not_after_s = not_after_s, .reason = ""};

    memcpy(item.sha256, &number, sizeof(number));
    return item;
}

static void put(struct revoked *revoked, uint32_t number, int64_t not_after_s, const char *response)
{
    struct revoked_item item = item_of(number, not_after_s, response);

    revoked_put(revoked, &item);
}

static const struct revoked_item *find(const struct revoked *revoked, uint32_t number)
{
    struct revoked_item item = item_of(number, 0, "");

    return revoked_find(revoked, item.sha256);
}

static void there_is_one_of_a_certificate(void **state)
{
    struct revoked revoked = {0};
    char text[] = "first";

    assert_null(find(&revoked, 1));
    put(&revoked, 1, 100, text);
    memcpy(text, "xxxxx", 5); /* it was copied */
    assert_true(slice_is(find(&revoked, 1)->response, "first"));
    put(&revoked, 2, 100, "second");
    put(&revoked, 1, 100, "later");
    assert_int_equal(revoked.count, 2);
    assert_true(slice_is(find(&revoked, 1)->response, "later"));
    revoked_put(&revoked, find(&revoked, 2)); /* its own */
    assert_true(slice_is(find(&revoked, 2)->response, "second"));
    revoked_remove(&revoked, find(&revoked, 1)->sha256);
    assert_null(find(&revoked, 1));
    assert_non_null(find(&revoked, 2));
    revoked_free(&revoked);
    assert_int_equal(revoked.count, 0);
}

static void those_that_are_over_go(void **state)
{
    struct revoked revoked = {0};

    for (uint32_t i = 0; i < 10; i++)
        put(&revoked, i, 100 + i, "");
    revoked_age(&revoked, 100);
    assert_int_equal(revoked.count, 10); /* its last second */
    revoked_age(&revoked, 105);
    assert_int_equal(revoked.count, 5);
    assert_null(find(&revoked, 4));
    assert_non_null(find(&revoked, 5));
    revoked_free(&revoked);
}

static void the_room_is_bounded(void **state)
{
    struct revoked revoked = {0};

    for (uint32_t i = 0; i < REVOKED_MAX; i++)
        put(&revoked, i, 1000 - (i == 7) * 500, "");
    put(&revoked, REVOKED_MAX, 1000, "");
    assert_int_equal(revoked.count, REVOKED_MAX);
    assert_null(find(&revoked, 7)); /* it ends first */
    assert_non_null(find(&revoked, REVOKED_MAX));
    put(&revoked, 3, 1000, "again"); /* takes no room */
    assert_int_equal(revoked.count, REVOKED_MAX);
    revoked_free(&revoked);
}

static void they_become_part_of_a_set(void **state)
{
    struct x509_crl_set *set = x509_crl_set_create();
    struct revoked revoked = {0};

    put(&revoked, 9, 100, "nine");
    put(&revoked, 4, 100, "four");
    assert_true(revoked_fill(&revoked, set));
    assert_int_equal(x509_crl_set_responses(set), 2);
    assert_true(slice_is(x509_crl_set_response(set, find(&revoked, 4)->sha256), "four"));
    assert_false(revoked_fill(&revoked, set)); /* they are there */
    x509_crl_set_free(set);
    revoked_free(&revoked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_one_of_a_certificate),
        cmocka_unit_test(those_that_are_over_go),
        cmocka_unit_test(the_room_is_bounded),
        cmocka_unit_test(they_become_part_of_a_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
