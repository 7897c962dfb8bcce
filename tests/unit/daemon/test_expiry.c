/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/expiry.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"
#include "sightings.h"

#define NOW  FORGE_NOW
#define DAY  86400
#define NODE "cucm.steven.lab"

static unsigned lines(const struct text *text)
{
    unsigned n = 0;

    for (const char *at = text_get(text); (at = strchr(at, '\n')) != NULL; at++)
        n++;
    return n;
}

/* Once a threshold, the nearest one alone where several are passed at once, and again for a certificate that came back. */
static void a_line_a_threshold(void **state)
{
    static const struct {
        int64_t left;
        unsigned lines;
        const char *words;
    } days[] = {
        {31 * DAY, 0, ""},
        {30 * DAY, 1, "expires in 30 days"},
        {29 * DAY, 0, ""},
        {8 * DAY, 1, "expires in 8 days"}, /* the 14 days */
        {6 * DAY, 1, "expires in 6 days"},
        {2 * DAY, 0, ""},
        {DAY, 1, "expires in 24 hours"},
        {0, 0, ""},
        {-1, 1, "has expired"},
        {-9 * DAY, 0, ""},
    };
    struct expiry_item item = {.kind = EXPIRY_ORIGIN, .common_name = NODE, .key = "RSA 2048", .where = NODE ":8443"};
    struct expiry_list list = {1, &item}, none = {0};
    struct expiry_said said = {0};
    struct text text = {0};

    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        item.not_after_s = NOW + days[i].left;
        text_clear(&text);
        expiry_warn(&said, &list, NOW, &text);
        if (lines(&text) != days[i].lines || strstr(text_get(&text), days[i].words) == NULL)
            fail_msg("case %zu: %s", i, text_get(&text));
    }
    expiry_warn(&said, &none, NOW, &text);
    text_clear(&text);
    expiry_warn(&said, &list, NOW, &text);
    assert_int_equal(lines(&text), 1);
    text_free(&text);
    expiry_said_free(&said);
}

static void numbers(void **state)
{
    static const int64_t left[] = {-5, -1, 0, DAY, 2 * DAY, 10 * DAY, 20 * DAY, 100 * DAY};
    struct expiry_item items[8] = {0};
    struct expiry_list list = {8, items};
    struct expiry_counts counts;
    json_t *json;

    for (size_t i = 0; i < 8; i++)
        items[i].not_after_s = NOW + left[i];
    expiry_count(&list, NOW, &counts);
    assert_int_equal(counts.over, 2);
    assert_int_equal(counts.within[0], 2);
    assert_int_equal(counts.within[1], 3);
    assert_int_equal(counts.within[2], 4);
    assert_int_equal(counts.within[3], 5);
    assert_int_equal(counts.next_s, NOW);
    json = expiry_counts_view(&counts, NOW);
    assert_int_equal(json_integer_value(json_object_get(json, "certificates_expired")), 2);
    assert_int_equal(json_integer_value(json_object_get(json, "certificates_30_days")), 5);
    json_decref(json);
    json = expiry_view(&list, NOW, 7);
    assert_int_equal(json_array_size(json_object_get(json, "certificates")), 5);
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(json_object_get(json, "certificates"), 0), "days_left")), -1);
    json_decref(json);
    json = expiry_view(&list, NOW, -1);
    assert_int_equal(json_array_size(json_object_get(json, "certificates")), 8);
    json_decref(json);
}

/* Trusted ones, our own, and one item for a leaf that two origins show; none for one that was replaced. */
static void collected(void **state)
{
    struct slice old[] = {
        forge_certificate(&(struct forge){.subject = NODE, .key = forge_key(FORGE_P256, 1), .not_after = NOW + DAY})};
    struct slice new[] = {forge_certificate(
        &(struct forge){.subject = NODE, .key = forge_key(FORGE_P256, 2), .not_after = NOW + 2 * DAY})};
    unsigned kinds[3] = {0};
    struct expiry_list list;
    struct running running;
    struct change change;
    struct trust *added;

    running_start(&running, NOW);
    assert_true(control_trust_add(&running.control, NULL, scratch_ca("root", 3), -1, &added, &change));
    change_free(&change);
    trust_free(added);
    sighting_take(running.control.registry, &(struct sighting){NODE, 8443, old, 1, .at_s = NOW});
    sighting_take(running.control.registry, &(struct sighting){NODE, 8443, new, 1, .at_s = NOW + 1});
    sighting_take(running.control.registry, &(struct sighting){NODE, 8444, new, 1, .at_s = NOW + 1});
    expiry_collect(&running.control, &list);
    for (size_t i = 0; i < list.count; i++)
        kinds[list.items[i].kind]++;
    assert_int_equal(kinds[EXPIRY_TRUSTED], 1);
    assert_int_equal(kinds[EXPIRY_OWN], 1); /* one without a certificate, toward origins, has no end */
    assert_int_equal(kinds[EXPIRY_ORIGIN], 1);
    assert_int_equal(list.items[0].kind, EXPIRY_ORIGIN);
    assert_int_equal(list.items[0].not_after_s, NOW + 2 * DAY);
    assert_string_equal(list.items[0].where, NODE ":8443 and 1 more");
    expiry_free(&list);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_a_threshold),
        cmocka_unit_test(numbers),
        cmocka_unit_test(collected),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
