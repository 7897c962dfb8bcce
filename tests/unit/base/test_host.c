/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/host.h"

static void refuses_what_is_no_host(void **state)
{
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "a.",
        ".a",
        "a..b",
        "-a",
        "a-",
        "a.-b",
        "a b",
        "a/b",
        "a@b",
        "a:b",
        "a%41",
        "a,b",
        "a\\b",
        "*.a",
        "\xc3\xa9",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "256.1.1.1",
        "0x7f.1",
        "0x7f000001",
        "a.0x",
        "a.1",
        "[::1]",
        "::1%eth0",
        ":::",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", /* a label of 64 */
    };
    char longest[HOST_NAME_MAX + 2];
    char out[HOST_NAME_MAX + 1];
    struct slice canonical;
    enum host_kind kind;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (host_check(slice_text(bad[i]), &kind) != ASSAY_ERR_MALFORMED)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(host_canonical(slice_text(bad[i]), out, &canonical), ASSAY_ERR_MALFORMED);
    }
    assert_int_equal(host_check(slice_of("a\0b", 3), &kind), ASSAY_ERR_MALFORMED);
    for (size_t i = 0; i < sizeof(longest); i++)
        longest[i] = i % 2 ? '.' : 'a';
    assert_int_equal(host_check(slice_of(longest, HOST_NAME_MAX), &kind), ASSAY_OK);
    assert_int_equal(host_canonical(slice_of(longest, HOST_NAME_MAX), out, &canonical), ASSAY_OK);
    longest[HOST_NAME_MAX] = 'a';
    assert_int_equal(host_check(slice_of(longest, HOST_NAME_MAX + 1), &kind), ASSAY_ERR_MALFORMED);
}

static void one_spelling(void **state)
{
    static const struct {
        const char *in, *out;
        enum host_kind kind;
    } rows[] = {
        {"CUCM.Steven.lab", "cucm.steven.lab", HOST_NAME},
        {"vcs_control", "vcs_control", HOST_NAME},
        {"1a.2b", "1a.2b", HOST_NAME},
        {"0xg", "0xg", HOST_NAME},
        {"10.48.36.215", "10.48.36.215", HOST_IP4},
        {"2001:DB8:0:0::1", "2001:db8::1", HOST_IP6},
        {"::ffff:10.0.0.1", "10.0.0.1", HOST_IP6},
    };
    char out[HOST_NAME_MAX + 1];
    struct slice canonical;
    enum host_kind kind;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(host_check(slice_text(rows[i].in), &kind), ASSAY_OK);
        assert_int_equal(kind, rows[i].kind);
        assert_int_equal(host_canonical(slice_text(rows[i].in), out, &canonical), ASSAY_OK);
        assert_true(slice_is(canonical, rows[i].out));
    }
}

static void authorities(void **state)
{
    static const struct {
        const char *in, *host;
        uint16_t port;
    } rows[] = {
        {"", NULL, 0},
        {":80", NULL, 0},
        {"h:", NULL, 0},
        {"h:0", NULL, 0},
        {"h:65536", NULL, 0},
        {"h:+1", NULL, 0},
        {"h:1:1", NULL, 0},
        {"u@h", NULL, 0},
        {"[h]", NULL, 0},
        {"[::1", NULL, 0},
        {"[::1]x", NULL, 0},
        {"::1", NULL, 0},
        {"[]", NULL, 0},
        {"[1.2.3.4]", NULL, 0},
        {"[::1]:", NULL, 0},
        {"h:080", NULL, 0},
        {"h:1 ", NULL, 0},
        {"x[::1]", NULL, 0},
        {"h", "h", 0},
        {"h:1", "h", 1},
        {"h:65535", "h", 65535},
        {"[::1]", "::1", 0},
        {"[::1]:8443", "::1", 8443},
        {"1.2.3.4:80", "1.2.3.4", 80},
    };
    struct slice host;
    uint16_t port;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum assay_error error = authority_parse(slice_text(rows[i].in), &host, &port);

        assert_int_equal(error, rows[i].host ? ASSAY_OK : ASSAY_ERR_MALFORMED);
        if (error != ASSAY_OK)
            continue;
        assert_true(slice_is(host, rows[i].host));
        assert_int_equal(port, rows[i].port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_no_host),
        cmocka_unit_test(one_spelling),
        cmocka_unit_test(authorities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
