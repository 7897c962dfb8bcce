/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ctl/progress.h"

static char shown[4096];

static FILE *stream(void)
{
    memset(shown, 0, sizeof(shown));
    return fmemopen(shown, sizeof(shown) - 1, "w");
}

/* Scripts and files get no bar. */
static void test_no_terminal(void **state)
{
    struct progress progress;
    FILE *out = stream();

    progress_begin(&progress, out);
    progress_show(&progress, "asking", 1, 2);
    progress_end(&progress);
    fclose(out);
    assert_string_equal(shown, "");
}

static void test_bar(void **state)
{
    struct progress progress;
    FILE *out = stream();

    progress_begin_as(&progress, out, true);
    progress_show(&progress, "resolving names", 0, 0);
    progress_show(&progress, "resolving names", 0, 0); /* nothing new: nothing written */
    progress_show(&progress, "asking", 0, 4);
    progress_show(&progress, "asking", 4, 4);
    progress_end(&progress);
    progress_end(&progress);
    fclose(out);
    assert_string_equal(shown, "\r\033[Kresolving names"
                               "\r\033[Kasking [........................................] 0/4"
                               "\r\033[Kasking [########################################] 4/4"
                               "\r\033[K");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_terminal),
        cmocka_unit_test(test_bar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
