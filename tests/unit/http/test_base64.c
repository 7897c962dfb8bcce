/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/base64.h"

static void refuses_second_spellings(void **state)
{
    static const char *const bad[] = {
        "c",        /* length 1 mod 4 */
        "c3R=l",    /* padding inside */
        "c3Rl=",    /* padding where nothing is missing */
        "c3Rl====", /* more than two */
        "c3Q==",    /* one too many */
        "cw=",      /* one too few */
        "=",        "====",    "c3R!", "c3 R",
        "c3R\n",    "c3R\xc3", "%63",  "c3R", /* unused bits set: "c3Q" and "c3R" would be the same two bytes */
        "cx",
    };
    uint8_t out[64];
    size_t len;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(base64_decode(slice_text(bad[i]), out, sizeof(out), &len), ASSAY_ERR_MALFORMED);
    assert_int_equal(base64_decode(slice_of("c3Q\0", 4), out, sizeof(out), &len), ASSAY_ERR_MALFORMED);
}

static void never_writes_beyond_its_room(void **state)
{
    uint8_t out[4] = {0, 0, 0, 0xaa};
    size_t len;

    assert_int_equal(base64_decode(slice_text("c3RlZQ"), out, 3, &len), ASSAY_ERR_NO_SPACE);
    assert_int_equal(base64_decode(slice_text("c3Rl"), out, 2, &len), ASSAY_ERR_NO_SPACE);
    assert_int_equal(base64_decode(slice_text("c3Rl"), out, 3, &len), ASSAY_OK);
    assert_int_equal(out[3], 0xaa);
}

static void decodes_both_alphabets(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""},
        {"c3Rl", "ste"},
        {"c3Rldg", "stev"},
        {"c3Rldg==", "stev"},
        {"c3RldmU", "steve"},
        {"c3RldmU=", "steve"},
        {"+/+/", "\xfb\xff\xbf"},
        {"-_-_", "\xfb\xff\xbf"},
        {"c3RldmVuLmxhYi9odHRwcy9jdWNtLnN0ZXZlbi5sYWIvODQ0Mw", "steven.lab/https/cucm.steven.lab/8443"},
    };
    uint8_t out[64];
    size_t len;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(base64_decode(slice_text(rows[i].in), out, sizeof(out), &len), ASSAY_OK);
        assert_true(slice_is(slice_of(out, len), rows[i].out));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_second_spellings),
        cmocka_unit_test(never_writes_beyond_its_room),
        cmocka_unit_test(decodes_both_alphabets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
