/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/change_log.h"
#include "scratch.h"

static void test_lines(void **state)
{
    static const char *const expected[] = {
        "Level=\"ERROR\": Detail=\"a.yaml:3: wrong\"",
        "Level=\"WARNING\": Detail=\"b: odd\"",
        "Level=\"ERROR\": Detail=\"reload refused, generation 7 stays\"",
        "Level=\"INFO\": Detail=\"reload: nothing changed, generation 7\"",
        "Level=\"INFO\": Detail=\"reload: generation 8, all cores after 1.500 ms\"",
        "Level=\"WARNING\": Detail=\"changed, but acts at the next start only: cores\"",
        "Level=\"WARNING\": Detail=\"reload: generation 9, not all cores after 2000.000 ms\"",
    };
    struct log *log = log_create(scratch_path("a.log"));
    struct change change = {.generation = 7};
    struct text text = {0};
    const char *at;

    problems_add(&change.problems, "a.yaml", 3, "wrong");
    problems_warn(&change.problems, "b", 0, "odd");
    change_log(log, "reload", false, &change);
    change_free(&change);
    change = (struct change){.generation = 7};
    change_log(log, "reload", true, &change);
    change = (struct change){.published = true, .generation = 8, .adopted = true, .adopted_ms = 1.5};
    text_add_text(&change.restart_keys, "cores");
    change_log(log, "reload", true, &change);
    change_free(&change);
    change = (struct change){.published = true, .generation = 9, .adopted_ms = 2000};
    change_log(log, "reload", true, &change);
    log_free(log);
    assert_int_equal(text_read_file(&text, scratch_path("a.log"), 1 << 20), ASSAY_OK);
    at = text_get(&text);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        at = strstr(at, expected[i]);
        if (at == NULL)
            fail_msg("not there, or out of order: %s", expected[i]);
    }
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
