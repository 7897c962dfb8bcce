/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/text.h"
#include "scratch.h"

static void test_grows(void **state)
{
    struct text text = {0};

    assert_string_equal(text_get(&text), "");
    for (int i = 0; i < 1000; i++)
        text_printf(&text, "%04d", i);
    assert_int_equal(text.len, 4000);
    assert_memory_equal(text.data + 3996, "0999", 5);
    text_clear(&text);
    assert_string_equal(text_get(&text), "");
    text_add(&text, "a\0b", 3);
    assert_int_equal(text_slice(&text).len, 3);
    text_free_secret(&text);
    assert_null(text.data);
}

static void test_files_that_cannot_be_read(void **state)
{
    static const struct {
        const char *name;
        enum assay_error error;
    } cases[] = {{"nowhere", ASSAY_ERR_NOT_FOUND},
                 {"long/below", ASSAY_ERR_NOT_FOUND},
                 {"long", ASSAY_ERR_RANGE},
                 {".", ASSAY_ERR_IO}};

    scratch_write("long", "12345678901");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text text = {0};

        assert_int_equal(text_read_file(&text, scratch_path(cases[i].name), 10), cases[i].error);
        text_free(&text);
    }
}

static void test_a_fifo_does_not_block(void **state)
{
    struct text text = {0};

    assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
    assert_int_equal(text_read_file(&text, scratch_path("fifo"), 10), ASSAY_OK);
    assert_int_equal(text.len, 0);
    text_free(&text);
}

static void expect_content(const char *name, const char *content)
{
    struct text text = {0};

    assert_int_equal(text_read_file(&text, scratch_path(name), 1 << 20), ASSAY_OK);
    assert_string_equal(text_get(&text), content);
    text_free(&text);
}

static void test_write_atomic(void **state)
{
    struct stat status;
    size_t before = scratch_count(".");

    assert_int_equal(file_write_atomic(scratch_path("f"), slice_text("one"), 0640), ASSAY_OK);
    expect_content("f", "one");
    assert_int_equal(stat(scratch_path("f"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(file_write_atomic(scratch_path("f"), slice_text("two"), 0600), ASSAY_OK);
    expect_content("f", "two");
    assert_int_equal(scratch_count("."), before + 1); /* no temporary file is left */
    assert_int_equal(file_write_atomic(scratch_path("nowhere/f"), slice_text("x"), 0600), ASSAY_ERR_NOT_FOUND);
    scratch_make("taken");
    assert_int_not_equal(file_write_atomic(scratch_path("taken"), slice_text("x"), 0600), ASSAY_OK);
    assert_int_equal(file_remove(scratch_path("f")), ASSAY_OK);
    assert_int_equal(file_remove(scratch_path("f")), ASSAY_ERR_NOT_FOUND);
}

/* A writer that is killed at any moment leaves the old content or the new one. */
static void test_a_killed_writer_leaves_a_whole_file(void **state)
{
    static char old[20000], new[20000];

    memset(old, 'o', sizeof(old) - 1);
    memset(new, 'n', sizeof(new) - 1);
    for (int round = 0; round < 40; round++) {
        struct text text = {0};
        pid_t child;

        assert_int_equal(file_write_atomic(scratch_path("whole"), slice_text(old), 0600), ASSAY_OK);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (;;)
                if (file_write_atomic(scratch_path("whole"), slice_text(new), 0600) != ASSAY_OK)
                    _exit(1);
        }
        usleep((useconds_t)(round * 53 % 2000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_int_equal(text_read_file(&text, scratch_path("whole"), 1 << 20), ASSAY_OK);
        assert_true(strcmp(text_get(&text), old) == 0 || strcmp(text_get(&text), new) == 0);
        text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows),
        cmocka_unit_test(test_files_that_cannot_be_read),
        cmocka_unit_test(test_a_fifo_does_not_block),
        cmocka_unit_test(test_write_atomic),
        cmocka_unit_test(test_a_killed_writer_leaves_a_whole_file),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
