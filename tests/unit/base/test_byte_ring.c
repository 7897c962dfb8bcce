/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/byte_ring.h"

static struct byte_ring *make(size_t bytes)
{
    struct byte_ring *ring = NULL;

    assert_int_equal(byte_ring_create(bytes, &ring), ASSAY_OK);
    return ring;
}

static void put(struct byte_ring *ring, uint8_t value, size_t len)
{
    void *record = byte_ring_reserve(ring, len);

    assert_non_null(record);
    memset(record, value, len);
    byte_ring_commit(ring, len);
}

static void take(struct byte_ring *ring, uint8_t value, size_t len)
{
    struct slice record;

    assert_true(byte_ring_peek(ring, &record));
    assert_int_equal(record.len, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(record.data[i], value);
    byte_ring_release(ring);
}

static void refuses_sizes_that_are_no_ring(void **state)
{
    static const size_t bad[] = {0, 1, 128, 255, 257, 1000, (1U << 30) + 1, 1ULL << 31, SIZE_MAX};
    struct byte_ring *ring;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(byte_ring_create(bad[i], &ring), ASSAY_ERR_RANGE);
}

static void refuses_records_that_never_fit(void **state)
{
    struct byte_ring *ring = make(256);

    assert_int_equal(byte_ring_record_max(ring), 120);
    assert_null(byte_ring_reserve(ring, 0));
    assert_null(byte_ring_reserve(ring, 121));
    assert_null(byte_ring_reserve(ring, SIZE_MAX));
    assert_non_null(byte_ring_reserve(ring, 120));
    byte_ring_destroy(ring);
}

static void nothing_is_seen_before_its_commit(void **state)
{
    struct byte_ring *ring = make(256);
    struct slice record;

    assert_false(byte_ring_peek(ring, &record));
    byte_ring_release(ring); /* nothing peeked: nothing given back */
    assert_non_null(byte_ring_reserve(ring, 10));
    assert_false(byte_ring_peek(ring, &record));
    byte_ring_commit(ring, 0);
    assert_false(byte_ring_peek(ring, &record));
    put(ring, 7, 10);
    assert_true(byte_ring_peek(ring, &record));
    take(ring, 7, 10); /* peeked twice: the same one */
    assert_false(byte_ring_peek(ring, &record));
    byte_ring_destroy(ring);
}

static void a_full_ring_refuses_and_recovers(void **state)
{
    struct byte_ring *ring = make(256);
    int in = 0;

    while (byte_ring_reserve(ring, 24) != NULL) {
        byte_ring_commit(ring, 24);
        in++;
    }
    assert_int_equal(in, 8);
    struct slice record;
    assert_true(byte_ring_peek(ring, &record));
    byte_ring_release(ring);
    assert_non_null(byte_ring_reserve(ring, 24));
    assert_null(byte_ring_reserve(ring, 25));
    byte_ring_destroy(ring);
}

/* The longest record must find room in an empty ring at every place its indices may stand. */
static void the_longest_record_fits_at_every_position(void **state)
{
    struct byte_ring *ring = make(256);
    size_t longest = byte_ring_record_max(ring);

    for (int i = 0; i < 200; i++) {
        put(ring, (uint8_t)i, longest);
        take(ring, (uint8_t)i, longest);
        put(ring, 1, 1);
        take(ring, 1, 1);
    }
    byte_ring_destroy(ring);
}

static void a_commit_may_be_shorter(void **state)
{
    struct byte_ring *ring = make(256);

    for (int i = 0; i < 100; i++) {
        void *record = byte_ring_reserve(ring, 100);

        assert_non_null(record);
        memset(record, i, 100);
        byte_ring_commit(ring, (size_t)(i % 100) + 1);
        take(ring, (uint8_t)i, (size_t)(i % 100) + 1);
    }
    byte_ring_destroy(ring);
}

/* Against a model: a queue of (value, length) in plain memory. */
static void agrees_with_a_queue(void **state)
{
    struct {
        uint8_t value;
        size_t len;
    } model[64];
    struct byte_ring *ring = make(512);
    size_t in = 0, out = 0;

    srand(1);
    for (int i = 0; i < 100000; i++) {
        size_t len = (size_t)rand() % 250;
        void *record = rand() % 2 ? byte_ring_reserve(ring, len) : NULL;

        if (record != NULL) {
            assert_int_equal((uintptr_t)record % 8, 0);
            memset(record, i & 0xff, len);
            byte_ring_commit(ring, len);
            model[in % 64].value = (uint8_t)i;
            model[in++ % 64].len = len;
        } else if (in != out) {
            take(ring, model[out % 64].value, model[out % 64].len);
            out++;
        }
        assert_true(in - out <= 64);
    }
    assert_true(in > 10000);
    byte_ring_destroy(ring);
    byte_ring_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_sizes_that_are_no_ring),
        cmocka_unit_test(refuses_records_that_never_fit),
        cmocka_unit_test(nothing_is_seen_before_its_commit),
        cmocka_unit_test(a_full_ring_refuses_and_recovers),
        cmocka_unit_test(the_longest_record_fits_at_every_position),
        cmocka_unit_test(a_commit_may_be_shorter),
        cmocka_unit_test(agrees_with_a_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
