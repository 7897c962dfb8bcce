/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/arena.h"

static void test_pieces_are_zeroed_aligned_and_apart(void **state)
{
    struct arena arena = {0};
    unsigned char *pieces[200];

    for (size_t i = 0; i < 200; i++) {
        size_t len = i * 37 % 9000; /* within a block, and longer than one */

        pieces[i] = arena_alloc(&arena, len);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < len; k++)
            assert_int_equal(pieces[i][k], 0);
        memset(pieces[i], (int)i, len);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t k = 0; k < i * 37 % 9000; k++)
            assert_int_equal(pieces[i][k], (unsigned char)i);
    arena_free(&arena);
    assert_null(arena.blocks);
}

static void test_texts(void **state)
{
    struct arena arena = {0};

    assert_string_equal(arena_text(&arena, ""), "");
    assert_string_equal(arena_text(&arena, "abc"), "abc");
    assert_string_equal(arena_text_n(&arena, "abcdef", 2), "ab");
    assert_string_equal(arena_printf(&arena, "%s-%d", "x", 7), "x-7");
    assert_memory_equal(arena_copy(&arena, "\0\1", 2), "\0\1", 2);
    arena_free(&arena);
}

static void test_memory(void **state)
{
    char *block = memory_alloc(4);

    assert_memory_equal(block, "\0\0\0\0", 4);
    block = memory_grow(block, 4096);
    assert_memory_equal(block, "\0\0\0\0", 4);
    free(block);
    free(memory_alloc(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
