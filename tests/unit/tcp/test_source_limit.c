/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "fixture.h"
#include "tcp/source_limit.h"

static const uint8_t key[16] = {7};

static void nothing_is_held_at_first(void **state)
{
    struct assay_address a = rig_address("198.18.1.1");
    struct source_limit *limit;
    struct source_counts counts;

    assert_int_equal(source_limit_create(4, key, &limit), ASSAY_OK);
    counts = source_limit_counts(limit, &a);
    assert_int_equal(counts.connections, 0);
    assert_int_equal(counts.half_open, 0);
    assert_int_equal(source_limit_used(limit), 0);
    source_limit_free(limit);
    source_limit_free(NULL);
}

/* IPv4: each address by itself; IPv6: a /64 is one source. */
static void prefixes(void **state)
{
    static const struct {
        const char *one, *other;
        bool same;
    } rows[] = {
        {"198.18.1.1", "198.18.1.2", false},           {"198.18.1.1", "198.18.1.1", true},
        {"2001:db8::1", "2001:db8::ffff:1:2:3", true}, {"2001:db8::1", "2001:db8:0:1::1", false},
        {"::ffff:198.18.1.1", "198.18.1.1", true},     {"2001:db8::1", "2001:db9::1", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct assay_address one = rig_address(rows[i].one), other = rig_address(rows[i].other);
        struct source_limit *limit;

        assert_int_equal(source_limit_create(4, key, &limit), ASSAY_OK);
        assert_int_not_equal(source_limit_add(limit, &one, true), SOURCE_NONE);
        if (source_limit_counts(limit, &other).half_open != rows[i].same)
            fail_msg("%s and %s", rows[i].one, rows[i].other);
        source_limit_free(limit);
    }
}

static void an_entry_lives_as_long_as_a_connection(void **state)
{
    struct assay_address a = rig_address("198.18.1.1");
    struct source_limit *limit;
    uint32_t first, second;

    assert_int_equal(source_limit_create(4, key, &limit), ASSAY_OK);
    first = source_limit_add(limit, &a, true);
    second = source_limit_add(limit, &a, false);
    assert_int_equal(first, second);
    assert_int_equal(source_limit_counts(limit, &a).connections, 2);
    assert_int_equal(source_limit_counts(limit, &a).half_open, 1);
    source_limit_opened(limit, first);
    assert_int_equal(source_limit_counts(limit, &a).half_open, 0);
    source_limit_remove(limit, first);
    assert_int_equal(source_limit_counts(limit, &a).connections, 1);
    assert_int_equal(source_limit_used(limit), 1);
    source_limit_remove(limit, first);
    assert_int_equal(source_limit_used(limit), 0);
    assert_int_equal(source_limit_counts(limit, &a).connections, 0);
    source_limit_free(limit);
}

static void it_is_full_when_every_connection_has_its_own(void **state)
{
    struct source_limit *limit;
    struct assay_address a = rig_address("198.18.0.0");
    uint32_t entries[100];

    assert_int_equal(source_limit_create(100, key, &limit), ASSAY_OK);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 100; i++) {
            a.bytes[15] = (uint8_t)i;
            entries[i] = source_limit_add(limit, &a, false);
            assert_in_range(entries[i], 0, 99);
        }
        a.bytes[15] = 200;
        assert_int_equal(source_limit_add(limit, &a, false), SOURCE_NONE);
        assert_int_equal(source_limit_used(limit), 100);
        for (uint32_t i = 0; i < 100; i++)
            source_limit_remove(limit, entries[i * 37 % 100]);
        assert_int_equal(source_limit_used(limit), 0);
    }
    source_limit_free(limit);
}

/* Against plain counting: many sources, many buckets shared, in any order. */
static void agrees_with_counting(void **state)
{
    enum { SOURCES = 50, CONNECTIONS = 400 };
    struct {
        uint32_t entry, source;
        bool live, half_open;
    } *held = calloc(CONNECTIONS, sizeof(*held));
    struct source_counts want[SOURCES] = {0};
    struct assay_address a = rig_address("198.18.0.0");
    struct source_limit *limit;
    uint64_t random = 11;

    assert_int_equal(source_limit_create(CONNECTIONS, key, &limit), ASSAY_OK);
    for (int round = 0; round < 20000; round++) {
        uint32_t i = rig_below(&random, CONNECTIONS), source = rig_below(&random, SOURCES);

        if (!held[i].live) {
            held[i].live = true;
            held[i].source = source;
            held[i].half_open = rig_below(&random, 2);
            a.bytes[15] = (uint8_t)source;
            held[i].entry = source_limit_add(limit, &a, held[i].half_open);
            want[source].connections++;
            want[source].half_open += held[i].half_open;
        } else {
            source = held[i].source;
            if (held[i].half_open) {
                source_limit_opened(limit, held[i].entry);
                held[i].half_open = false;
                want[source].half_open--;
            } else {
                source_limit_remove(limit, held[i].entry);
                held[i].live = false;
                want[source].connections--;
            }
        }
        a.bytes[15] = (uint8_t)source;
        assert_int_equal(source_limit_counts(limit, &a).connections, want[source].connections);
        assert_int_equal(source_limit_counts(limit, &a).half_open, want[source].half_open);
        assert_in_range(source_limit_used(limit), 0, SOURCES);
    }
    source_limit_free(limit);
    free(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_held_at_first),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(an_entry_lives_as_long_as_a_connection),
        cmocka_unit_test(it_is_full_when_every_connection_has_its_own),
        cmocka_unit_test(agrees_with_counting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
