/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ctl/command.h"
#include "ctl/preflight.h"

#define SUMMARY(pass, warning, fail, unknown, rows_fail, rows_warning)                                                \
    "\"summary\":{\"origins\":4,\"pass\":" #pass ",\"warning\":" #warning ",\"fail\":" #fail ",\"unknown\":" #unknown \
    ",\"rows_fail\":" #rows_fail ",\"rows_warning\":" #rows_warning "}"

/* 0 pass, 1 fail, 3 not reached; a failure outweighs what was not reached. */
static void test_status(void **state)
{
    static const struct {
        const char *json;
        int status, strict;
    } cases[] = {
        {"{" SUMMARY(4, 0, 0, 0, 0, 0) "}", CTL_OK, CTL_OK},
        {"{" SUMMARY(3, 1, 0, 0, 0, 1) "}", CTL_OK, CTL_REFUSED},
        {"{" SUMMARY(4, 0, 0, 0, 1, 0) "}", CTL_OK, CTL_REFUSED},
        {"{" SUMMARY(3, 0, 1, 0, 1, 0) "}", CTL_REFUSED, CTL_REFUSED},
        {"{" SUMMARY(3, 0, 0, 1, 0, 0) "}", CTL_UNREACHABLE, CTL_UNREACHABLE},
        {"{" SUMMARY(2, 0, 1, 1, 1, 0) "}", CTL_REFUSED, CTL_REFUSED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *report = json_loads(cases[i].json, 0, NULL);

        assert_non_null(report);
        assert_int_equal(ctl_preflight_status(report, false), cases[i].status);
        assert_int_equal(ctl_preflight_status(report, true), cases[i].strict);
        json_decref(report);
    }
}

static void test_table(void **state)
{
    static const char json[] =
        "{\"rows\":["
        "{\"node\":\"a.lab\",\"address\":\"198.18.2.11\",\"port\":8443,\"key\":\"EC P-256\",\"preferring\":[\"ECDSA\"],"
        "\"now\":true,\"tls\":[\"1.3\",\"1.2\"],\"verdict\":\"pass\",\"reason\":\"ok\",\"depth\":0,\"days_left\":90,"
        "\"warnings\":[],\"action\":\"\"},"
        "{\"node\":\"b.lab\",\"address\":null,\"port\":8443,\"preferring\":[\"ECDSA\"],\"now\":true,\"tls\":[],"
        "\"verdict\":\"unknown\",\"reason\":\"NXDOMAIN\",\"days_left\":null,\"warnings\":[],\"action\":\"do this\"},"
        "{\"node\":\"c.lab\",\"address\":\"198.18.2.12\",\"port\":443,\"key\":\"RSA 2048\","
        "\"preferring\":[\"ECDSA\",\"RSA\"],\"now\":false,\"tls\":[\"1.2\"],\"verdict\":\"fail\",\"reason\":\"why\","
        "\"detail\":\"more\",\"depth\":2,\"days_left\":-3,\"warnings\":[],\"action\":\"do that\"},"
        "{\"node\":\"d.lab\",\"address\":\"198.18.2.13\",\"port\":443,\"key\":\"RSA 2048\",\"preferring\":[\"RSA\"],"
        "\"now\":true,\"tls\":[\"1.2\"],\"verdict\":\"warning\",\"reason\":\"ok\",\"days_left\":1,"
        "\"warnings\":[\"CN\",\"SHA-1\",\"unknown revocation status\"],\"action\":\"x\"},"
        "{\"node\":\"e.lab\",\"address\":\"198.18.2.13\",\"port\":443,\"key\":\"RSA 2048\",\"preferring\":[\"RSA\"],"
        "\"now\":true,\"tls\":[\"1.2\"],\"verdict\":\"warning\",\"reason\":\"ok\",\"days_left\":1,"
        "\"warnings\":[\"unknown revocation status\"],\"action\":\"x\"}]," SUMMARY(1, 2, 0, 1, 1, 2) "}";
    static const char *const expected[] = {
        "a.lab  198.18.2.11  8443  EC P-256  ECDSA*           1.3,1.2  would pass",
        "b.lab  -            8443  -         ECDSA*           -        not reached",
        "c.lab  198.18.2.12  443   RSA 2048  ECDSA,RSA        1.2      would fail",
        "why at depth 2: more",
        "-3    do that\n",
        "passes only by CN, SHA-1, unknown revocation status  ok",
        "passes with unknown revocation status  ",
        "* as assayd connects now: of 4 origins 3 would pass (2 with a warning), 0 would fail, 1 not reached\n",
    };
    json_t *report = json_loads(json, 0, NULL);
    char text[8192] = "";
    FILE *out = fmemopen(text, sizeof(text) - 1, "w");

    assert_non_null(report);
    ctl_preflight_print(report, out);
    fclose(out);
    json_decref(report);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        if (strstr(text, expected[i]) == NULL)
            fail_msg("'%s' is not in\n%s", expected[i], text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
