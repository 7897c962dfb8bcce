/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "x509/identity.h"

static void refuses(void **state)
{
    static const char *const bad[] = {
        "",
        ".",
        "a..b",
        ".a",
        "a b",
        "a\n",
        "*.a.b",
        "a/b",
        "a:b",
        "1.2.3",
        "010.48.36.215",
        "1.2.3.256",
        "0x7f",
        "a.1",
        "[10.1.2.3]",
        "[a.b]",
        "[]",
        "[2001:db8::1",
        "2001:db8::1%eth0",
        "\xc3\xbc.de",
        "-a.b",
        "a-.b",
        "a.b..",
    };
    char label[70] = {0}, name[300];
    struct x509_identity identity;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(x509_identity_from_host(slice_text(bad[i]), &identity), ASSAY_ERR_MALFORMED);
    assert_int_equal(x509_identity_from_host(slice_of("a\0b", 3), &identity), ASSAY_ERR_MALFORMED);
    memset(label, 'a', 64);
    assert_int_equal(x509_identity_from_host(slice_text(label), &identity), ASSAY_ERR_MALFORMED);
    label[63] = 0;
    assert_int_equal(x509_identity_from_host(slice_text(label), &identity), ASSAY_OK);
    /* 253 is the longest name, 254 with its root dot */
    snprintf(name, sizeof(name), "%s.%s.%s.%.61s.", label, label, label, label);
    assert_int_equal(x509_identity_from_host(slice_text(name), &identity), ASSAY_OK);
    assert_int_equal(identity.length, 253);
    snprintf(name, sizeof(name), "%s.%s.%s.%.62s", label, label, label, label);
    assert_int_equal(x509_identity_from_host(slice_text(name), &identity), ASSAY_ERR_MALFORMED);
}

static void canonical(void **state)
{
    static const struct {
        const char *host, *text;
        int kind;
    } cases[] = {
        {"CUCM.Steven.LAB", "cucm.steven.lab", X509_IDENTITY_DNS},
        {"cucm.steven.lab.", "cucm.steven.lab", X509_IDENTITY_DNS},
        {"vcs_control", "vcs_control", X509_IDENTITY_DNS},
        {"xn--n3h.com", "xn--n3h.com", X509_IDENTITY_DNS},
        {"10.48.36.215", "10.48.36.215", X509_IDENTITY_IP4},
        {"::ffff:10.48.36.215", "10.48.36.215", X509_IDENTITY_IP4},
        {"2001:DB8:0::1", "2001:db8::1", X509_IDENTITY_IP6},
        {"[2001:db8::1]", "2001:db8::1", X509_IDENTITY_IP6},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_identity identity, again;
        char text[256];

        assert_int_equal(x509_identity_from_host(slice_text(cases[i].host), &identity), ASSAY_OK);
        assert_int_equal(identity.kind, cases[i].kind);
        assert_string_equal(x509_identity_format(&identity, text), cases[i].text);
        /* equal hosts are equal memory */
        assert_int_equal(x509_identity_from_host(slice_text(text), &again), ASSAY_OK);
        assert_memory_equal(&identity, &again, sizeof(identity));
        assert_true(x509_identity_equal(&identity, &again));
    }
}

static void kinds_differ(void **state)
{
    struct x509_identity a, b;

    (void)state;
    assert_int_equal(x509_identity_from_host(slice_text("a.b"), &a), ASSAY_OK);
    assert_int_equal(x509_identity_from_host(slice_text("a.c"), &b), ASSAY_OK);
    assert_false(x509_identity_equal(&a, &b));
    assert_int_equal(x509_identity_from_host(slice_text("97.46.98.99"), &b), ASSAY_OK); /* the octets of "a.bc" */
    assert_false(x509_identity_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses), cmocka_unit_test(canonical),
                                       cmocka_unit_test(kinds_differ)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
