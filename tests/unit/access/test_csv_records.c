/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/csv_records.h"

static void refuses_a_wrong_header(void **state)
{
    static const char *const rows[] = {"", "A\n", "A,B,C\n", "a,B\n", "\nA,B\n", "A,B", " A,B\n"};
    struct csv csv;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum assay_error error = csv_open(&csv, slice_text(rows[i]), "A,B", 2);

        /* the header alone, without an end of line, is a file of no records */
        assert_int_equal(error, i == 5 ? ASSAY_OK : ASSAY_ERR_MALFORMED);
        assert_int_equal(csv.record_line, 1);
        assert_true(error == ASSAY_OK || csv.fault[0] != 0);
        csv_close(&csv);
    }
}

static void names_the_line_of_a_fault(void **state)
{
    static const struct {
        const char *text;
        uint32_t line;
    } rows[] = {
        {"A,B\n1\n", 2},     {"A,B\n1,2,3\n", 2},        {"A,B\n1,2\n\n\n1,\"2\n", 5}, {"A,B\n\"1\n\",2\n1\n", 4},
        {"A,B\n1,2\"\n", 2}, {"A,B\r\n1,\"2\"3\r\n", 2},
    };
    const char *fields[2];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct csv csv;
        enum assay_error error = csv_open(&csv, slice_text(rows[i].text), "A,B", 2);

        assert_int_equal(error, ASSAY_OK);
        while (csv_next(&csv, fields, &error)) {
        }
        assert_int_equal(error, ASSAY_ERR_MALFORMED);
        if (csv.record_line != rows[i].line)
            fail_msg("%zu: line %u", i, csv.record_line);
        csv_close(&csv);
    }
}

static void reads_records(void **state)
{
    static const char text[] = "\xef\xbb\xbf"
                               "A,B\r\n,\r\n\n\"x,\"\"y\"\"\",\"two\nlines\"\nlast,end";
    static const char *const expected[][2] = {{"", ""}, {"x,\"y\"", "two\nlines"}, {"last", "end"}};
    const char *fields[2];
    enum assay_error error;
    struct csv csv;
    size_t n = 0;

    error = csv_open(&csv, slice_text(text), "A,B", 2);
    assert_int_equal(error, ASSAY_OK);
    for (; csv_next(&csv, fields, &error); n++) {
        assert_true(n < 3);
        assert_string_equal(fields[0], expected[n][0]);
        assert_string_equal(fields[1], expected[n][1]);
    }
    assert_int_equal(error, ASSAY_OK);
    assert_int_equal(n, 3);
    csv_close(&csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_a_wrong_header),
        cmocka_unit_test(names_the_line_of_a_fault),
        cmocka_unit_test(reads_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
