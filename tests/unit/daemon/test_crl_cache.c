/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/crl_cache.h"
#include "scratch.h"

#define A "http://a/one.crl"
#define B "http://a/two.crl"

/* So that the order of writing is one of times too. */
static void written_at(const char *directory, const char *url, int64_t seconds)
{
    struct timespec times[2] = {{.tv_sec = (time_t)seconds}, {.tv_sec = (time_t)seconds}};
    struct text path = {0};

    crl_cache_path(directory, url, &path);
    assert_int_equal(utimensat(AT_FDCWD, text_get(&path), times, 0), 0);
    text_free(&path);
}

static bool holds(const char *directory, const char *url, const char *expected)
{
    struct text body = {0};
    bool same = crl_cache_read(directory, url, &body) == ASSAY_OK && strcmp(text_get(&body), expected) == 0;

    text_free(&body);
    return same;
}

static void refuses(void **state)
{
    struct text body = {0};

    (void)state;
    assert_int_equal(crl_cache_read(scratch_path("nowhere"), A, &body), ASSAY_ERR_NOT_FOUND);
    assert_int_equal(crl_cache_write(scratch_path("no/where"), A, slice_text("x"), 100), ASSAY_ERR_IO);
    assert_int_equal(crl_cache_write(scratch_path("cache"), A, slice_text("xxx"), 2), ASSAY_ERR_RANGE);
    assert_false(scratch_exists("cache"));
    text_free(&body);
}

static void writes_and_reads(void **state)
{
    const char *directory = scratch_path("plain");
    struct stat status;
    struct text path = {0};

    (void)state;
    assert_int_equal(crl_cache_write(directory, A, slice_text("first"), 100), ASSAY_OK);
    assert_int_equal(crl_cache_write(directory, B, slice_text("second"), 100), ASSAY_OK);
    assert_true(holds(directory, A, "first"));
    assert_true(holds(directory, B, "second"));
    assert_int_equal(crl_cache_write(directory, A, slice_text("third"), 100), ASSAY_OK);
    assert_true(holds(directory, A, "third"));
    assert_int_equal(scratch_count("plain"), 2);
    crl_cache_path(directory, A, &path);
    assert_int_equal(stat(text_get(&path), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    text_free(&path);
}

/* The oldest make room, what is not ours stays, and the file that is replaced does not count. */
static void is_bounded(void **state)
{
    const char *directory = scratch_path("full");

    (void)state;
    scratch_make("full");
    scratch_write("full/operator.crl", "not ours, and longer than all the others together");
    assert_int_equal(crl_cache_write(directory, A, slice_text("aaaa"), 10), ASSAY_OK);
    assert_int_equal(crl_cache_write(directory, B, slice_text("bbbb"), 10), ASSAY_OK);
    written_at(directory, A, 2000);
    written_at(directory, B, 1000);
    assert_int_equal(crl_cache_write(directory, A, slice_text("AAAAAA"), 10), ASSAY_OK);
    assert_true(holds(directory, A, "AAAAAA"));
    assert_true(holds(directory, B, "bbbb"));
    written_at(directory, A, 2000);
    assert_int_equal(crl_cache_write(directory, "http://c/", slice_text("cc"), 10), ASSAY_OK);
    assert_true(holds(directory, A, "AAAAAA"));
    assert_false(holds(directory, B, "bbbb"));
    assert_true(holds(directory, "http://c/", "cc"));
    assert_int_equal(crl_cache_write(directory, B, slice_text("bbbbbbbbbb"), 10), ASSAY_OK);
    assert_false(holds(directory, A, "AAAAAA"));
    assert_false(holds(directory, "http://c/", "cc"));
    assert_true(holds(directory, B, "bbbbbbbbbb"));
    assert_true(scratch_exists("full/operator.crl"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses), cmocka_unit_test(writes_and_reads),
                                       cmocka_unit_test(is_bounded)};

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
