/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/crl_scope.h"

#define NONE slice_of(NULL, 0)

static struct slice uri(const char *text)
{
    return forge_text(0x86, text);
}

/* distributionPoint [0] {fullName [0]}. */
static struct slice full(struct slice names)
{
    return FORGE_TLV(0xa0, FORGE_TLV(0xa0, names));
}

static struct slice relative(const char *cn)
{
    return FORGE_TLV(0xa0, FORGE_TLV(0xa1, FORGE_TLV(0x30, forge_oid("2.5.4.3"), forge_text(0x0c, cn))));
}

static struct slice point(struct slice name, const char *reasons, struct slice issuer)
{
    return FORGE_TLV(0x30, name, forge_hex(reasons), issuer);
}

static struct slice idp(struct slice name, const char *flags)
{
    return FORGE_TLV(0x30, name, forge_hex(flags));
}

static struct x509_certificate subject_of(bool ca, struct slice points)
{
    struct forge what = {.subject = "leaf", .issuer = "CA", .extensions = {forge_ca(-1)}};
    struct x509_certificate certificate;

    if (!ca)
        what.extensions[0] = forge_san(forge_dns("a.b"));
    if (points.len > 0)
        what.extensions[1] = forge_extension("2.5.29.31", false, FORGE_TLV(0x30, points));
    assert_int_equal(x509_certificate_parse(forge_certificate(&what), &certificate, NULL), ASSAY_OK);
    return certificate;
}

static void refuses(void **state)
{
    static const char *const scopes[] = {
        "0500",               /* no SEQUENCE */
        "3000 00",            /* data behind it */
        "3003 810101",        /* BER TRUE */
        "3006 8101ff 8201ff", /* users and CAs */
        "3006 8201ff 8101ff", /* order */
        "3002 a000",          /* an empty name */
        "3004 a002 a000",     /* an empty full name */
        "3004 a002 a100",     /* an empty relative name */
        "3002 8300",          /* no reasons */
        "3004 8302 0800",     /* 8 unused bits */
        "3005 a003 8601 61",  /* a name that is not explicit */
    };
    static const char *const points[] = {"", "0500", "3002 0500", "3002 a000", "3004 8102 0900", "3002 a200"};
    struct x509_crl_scope scope;

    (void)state;
    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
        assert_int_equal(x509_crl_scope_parse(forge_hex(scopes[i]), &scope), ASSAY_ERR_MALFORMED);
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
        assert_false(x509_crl_points_check(forge_hex(points[i])));
}

/* RFC 5280 §6.3.3 (b): first what is not covered. */
static void covers(void **state)
{
    struct slice a = uri("http://a/"), b = uri("http://b/"), dir = FORGE_TLV(0xa4, forge_name("CA"));
    struct slice to_a = point(full(a), "", NONE), elsewhere = point(full(a), "", FORGE_TLV(0xa2, dir));
    struct slice part = point(full(a), "81020560", NONE); /* keyCompromise, cACompromise */
    const struct {
        struct slice scope;
        bool ca;
        struct slice points;
        uint16_t expected;
    } cases[] = {
        {idp(NONE, "8101ff"), true, NONE, 0},
        {idp(NONE, "8201ff"), false, NONE, 0},
        {idp(NONE, "8501ff"), false, NONE, 0},
        {idp(NONE, "8401ff"), false, NONE, 0},
        {idp(full(a), ""), false, NONE, 0}, /* a partition, and the certificate names none */
        {idp(full(b), ""), false, to_a, 0},
        {idp(full(a), ""), false, elsewhere, 0},
        {idp(relative("x"), ""), false, to_a, 0},
        {idp(relative("x"), ""), false, point(relative("y"), "", NONE), 0},
        {idp(full(a), ""), false, point(NONE, "", FORGE_TLV(0xa2, dir)), 0},
        {idp(NONE, ""), false, NONE, X509_REASONS_ALL},
        {idp(NONE, ""), false, to_a, X509_REASONS_ALL},
        {idp(NONE, "8101ff"), false, NONE, X509_REASONS_ALL},
        {idp(NONE, "8201ff"), true, NONE, X509_REASONS_ALL},
        {idp(NONE, "8302 0560"), false, NONE, 1 << 1 | 1 << 2},
        {idp(full(forge_join(b, a)), ""), false, to_a, X509_REASONS_ALL},
        {idp(full(a), ""), false, part, 1 << 1 | 1 << 2},
        {idp(full(a), "8302 0640"), false, part, 1 << 1},
        {idp(full(a), ""), false, forge_join(point(full(b), "", NONE), to_a), X509_REASONS_ALL},
        {idp(full(dir), ""), false, NONE, X509_REASONS_ALL}, /* the issuer's own name */
        {idp(relative("x"), ""), false, point(relative("x"), "", NONE), X509_REASONS_ALL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_certificate certificate = subject_of(cases[i].ca, cases[i].points);
        struct x509_crl_scope scope;

        assert_int_equal(x509_crl_scope_parse(cases[i].scope, &scope), ASSAY_OK);
        if (x509_crl_scope_reasons(&scope, &certificate) != cases[i].expected)
            fail_msg("%zu: %#x", i, x509_crl_scope_reasons(&scope, &certificate));
    }
}

static int teardown(void **state)
{
    (void)state;
    forge_free();
    return 0;
}

/* Where the lists are: alternatives of one point stay together; what is another issuer's, or no URI, is passed over. */
static void names_places(void **state)
{
    struct slice other = FORGE_TLV(0xa2, FORGE_TLV(0xa4, forge_name("B")));
    struct slice points = forge_join(
        forge_join(point(full(uri("http://b/")), "", other), point(relative("x"), "", NONE)),
        forge_join(point(full(forge_join(forge_dns("a"), forge_join(uri("ldap://a"), uri("http://a/1")))), "", NONE),
                   point(full(forge_join(uri("http://a/2"), uri("http://a/3"))), "81020640", NONE)));
    struct x509_certificate certificate = subject_of(false, points);
    struct slice rest = certificate.crl_points, uris[2];
    size_t count;

    (void)state;
    assert_true(x509_crl_point_next(&rest, uris, 2, &count));
    assert_int_equal(count, 2);
    assert_true(slice_is(uris[0], "ldap://a"));
    assert_true(slice_is(uris[1], "http://a/1"));
    assert_true(x509_crl_point_next(&rest, uris, 1, &count));
    assert_int_equal(count, 1);
    assert_true(slice_is(uris[0], "http://a/2"));
    assert_false(x509_crl_point_next(&rest, uris, 2, &count));
    rest = NONE;
    assert_false(x509_crl_point_next(&rest, uris, 2, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(covers),
        cmocka_unit_test(names_places),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
