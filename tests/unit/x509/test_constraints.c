/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/constraints.h"
#include "x509/path.h"

#define NONE ((struct slice){NULL, 0})

static struct x509_certificate parsed(const struct forge *what)
{
    struct x509_certificate certificate;
    const char *fault = "";
    enum assay_error error = x509_certificate_parse(forge_certificate(what), &certificate, &fault);

    assert_string_equal(fault, "");
    assert_int_equal(error, ASSAY_OK);
    return certificate;
}

static enum x509_reason judge_with(const struct x509_certificate *leaf, const struct x509_certificate *issuer,
                                   enum x509_cn_match cn, int *depth)
{
    const struct x509_certificate *path[] = {leaf, issuer};
    uint32_t budget = PATH_CONSTRAINTS_MAX;
    struct x509_policy policy;

    x509_policy_default(&policy);
    policy.cn_match = cn;
    *depth = -1;
    return x509_constraints_check(path, 2, &policy, &budget, depth);
}

static struct x509_certificate ca(struct slice permitted, struct slice excluded)
{
    return parsed(
        &(struct forge){.subject = "ca", .extensions = {forge_ca(-1), forge_constraints(permitted, excluded)}});
}

static struct x509_certificate leaf(const char *cn, struct slice names)
{
    struct forge what = {.subject = cn, .issuer = "ca"};

    if (names.len > 0)
        what.extensions[0] = forge_san(names);
    return parsed(&what);
}

/* One name against one base, permitted and excluded. yes: inside; part: a wildcard that reaches inside. */
static void one_base(void **state)
{
    enum { NO, YES, PART };
    const struct {
        struct slice name, base;
        int fit;
    } cases[] = {
        {forge_dns("a.b"), forge_dns("c.b"), NO},
        {forge_dns("xa.b"), forge_dns("a.b"), NO},
        {forge_dns("b"), forge_dns("a.b"), NO},
        {forge_dns("a.b"), forge_dns(".a.b"), NO},
        {forge_dns("*.b.c"), forge_dns("x.a.b.c"), NO},
        {forge_dns("*.b.c"), forge_dns("a.b.c"), PART},
        {forge_dns("a.b"), forge_dns(""), YES},
        {forge_dns("a.b"), forge_dns("A.B"), YES},
        {forge_dns("x.y.a.b"), forge_dns("a.b"), YES},
        {forge_dns("x.a.b"), forge_dns(".a.b"), YES},
        {forge_dns("*.a.b"), forge_dns("a.b"), YES},
        {forge_ip("192.0.3.1"), forge_hex("8708c0000200ffffff00"), NO},
        {forge_ip("::1"), forge_hex("8708c0000200ffffff00"), NO},
        {forge_ip("192.0.2.7"), forge_hex("8708c0000200ffffff00"), YES},
        {forge_ip("192.0.2.7"), forge_hex("87080000000000000000"), YES},
        {forge_ip("2001:db8::7"), forge_hex("8720 20010db8000000000000000000000000 ffffffff000000000000000000000000"),
         YES},
        {forge_text(0x81, "a@b.c"), forge_text(0x81, "x@b.c"), NO},
        {forge_text(0x81, "A@b.c"), forge_text(0x81, "a@b.c"), NO}, /* the mailbox has case */
        {forge_text(0x81, "a@x.b.c"), forge_text(0x81, "b.c"), NO},
        {forge_text(0x81, "a@b.c"), forge_text(0x81, ".b.c"), NO},
        {forge_text(0x81, "b.c"), forge_text(0x81, "b.c"), PART}, /* no mailbox: it may be anywhere */
        {forge_text(0x81, "a@B.c"), forge_text(0x81, "a@b.C"), YES},
        {forge_text(0x81, "a@B.c"), forge_text(0x81, "b.c"), YES},
        {forge_text(0x81, "a@x.b.c"), forge_text(0x81, ".b.c"), YES},
        {forge_text(0x86, "sip://a@x.b.c:5061/q?r"), forge_text(0x86, "b.c"), NO},
        {forge_text(0x86, "http://b.c.d/"), forge_text(0x86, "b.c"), NO},
        {forge_text(0x86, "sip://a@b.c:5061/q?r"), forge_text(0x86, "b.c"), YES},
        {forge_text(0x86, "http://x.b.c#b"), forge_text(0x86, ".b.c"), YES},
        {FORGE_TLV(0xa4, forge_name("x")), FORGE_TLV(0xa4, forge_name("y")), NO},
        {FORGE_TLV(0xa4, forge_name("X")), FORGE_TLV(0xa4, forge_name("x")), YES},
    };
    int depth;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice permit = forge_subtrees(0, cases[i].base), exclude = forge_subtrees(1, cases[i].base);
        struct x509_certificate permitting = ca(permit, NONE), excluding = ca(NONE, exclude);
        /* the subject is empty, or it would be a directoryName of its own */
        struct x509_certificate c = parsed(&(struct forge){
            .issuer = "ca", .subject_name = forge_hex("3000"), .extensions = {forge_san(cases[i].name)}});

        assert_int_equal(judge_with(&c, &permitting, X509_CN_FALLBACK, &depth),
                         cases[i].fit == YES ? X509_REASON_OK : X509_REASON_NAME_CONSTRAINT_PERMITTED);
        assert_int_equal(judge_with(&c, &excluding, X509_CN_FALLBACK, &depth),
                         cases[i].fit == NO ? X509_REASON_OK : X509_REASON_NAME_CONSTRAINT_EXCLUDED);
    }
}

static void unclear_names_are_neither_inside_nor_outside(void **state)
{
    struct x509_certificate dns = ca(forge_subtrees(0, forge_dns("a.b")), NONE);
    struct x509_certificate uri = ca(forge_subtrees(0, forge_text(0x86, "a.b")), NONE);
    struct x509_certificate no_uri = ca(NONE, forge_subtrees(1, forge_text(0x86, "c.d")));
    struct x509_certificate mail = ca(forge_subtrees(0, forge_text(0x81, "a.b")), NONE);
    struct x509_certificate no_mail = ca(NONE, forge_subtrees(1, forge_text(0x81, "c.d")));
    const struct {
        const struct x509_certificate *issuer;
        struct slice name;
        enum x509_reason expected;
    } cases[] = {
        {&dns, forge_dns(".a.b"), X509_REASON_NAME_CONSTRAINT_PERMITTED},
        {&dns, forge_dns("x..a.b"), X509_REASON_NAME_CONSTRAINT_PERMITTED},
        {&uri, forge_text(0x86, "urn:a.b"), X509_REASON_NAME_CONSTRAINT_PERMITTED},
        {&uri, forge_text(0x86, "http://10.1.2.3/"), X509_REASON_NAME_CONSTRAINT_PERMITTED},
        {&no_uri, forge_text(0x86, "urn:a.b"), X509_REASON_NAME_CONSTRAINT_EXCLUDED},
        {&no_uri, forge_text(0x86, "http://10.1.2.3/"), X509_REASON_NAME_CONSTRAINT_EXCLUDED},
        {&mail, forge_text(0x81, "a.b"), X509_REASON_NAME_CONSTRAINT_PERMITTED},
        {&no_mail, forge_text(0x81, "a.b"), X509_REASON_NAME_CONSTRAINT_EXCLUDED},
        {&no_mail, forge_text(0x81, "x@"), X509_REASON_NAME_CONSTRAINT_EXCLUDED},
        {&no_mail, forge_text(0x81, ""), X509_REASON_NAME_CONSTRAINT_EXCLUDED},
        {&no_mail, forge_text(0x81, "x@a.b"), X509_REASON_OK},
    };
    int depth;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_certificate c = leaf("x", cases[i].name);

        assert_int_equal(judge_with(&c, cases[i].issuer, X509_CN_FALLBACK, &depth), cases[i].expected);
    }
}

static void other_kinds_do_not_meet(void **state)
{
    struct x509_certificate issuer =
        ca(forge_subtrees(0, forge_hex("8708c0000200ffffff00")), forge_subtrees(1, forge_dns("x.y")));
    struct x509_certificate c = leaf("title of it", forge_dns("a.b"));
    int depth;

    (void)state;
    assert_int_equal(judge_with(&c, &issuer, X509_CN_FALLBACK, &depth), X509_REASON_OK);
}

static void unsupported_kinds(void **state)
{
    struct slice other = FORGE_TLV(0xa0, forge_oid("1.2.3"), FORGE_TLV(0xa0, forge_text(0x0c, "upn")));
    struct x509_certificate issuer = ca(NONE, forge_subtrees(1, other));
    struct x509_certificate with = leaf("a", other), without = leaf("a", forge_dns("a.b"));
    int depth;

    (void)state;
    assert_int_equal(judge_with(&with, &issuer, X509_CN_FALLBACK, &depth), X509_REASON_NAME_CONSTRAINT_UNSUPPORTED);
    assert_int_equal(depth, 0);
    assert_int_equal(judge_with(&without, &issuer, X509_CN_FALLBACK, &depth), X509_REASON_OK);
}

static void the_subject_is_a_name(void **state)
{
    struct x509_certificate dn = ca(NONE, forge_subtrees(1, FORGE_TLV(0xa4, forge_name("bad"))));
    struct x509_certificate mail = ca(forge_subtrees(0, forge_text(0x81, "b.c")), NONE);
    struct slice email =
        FORGE_TLV(0x30, FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid("1.2.840.113549.1.9.1"), forge_text(0x16, "a@x.y"))));
    struct x509_certificate bad = leaf("bad", NONE), good = leaf("good", NONE);
    struct x509_certificate mailed = parsed(&(struct forge){.subject_name = email, .issuer = "ca"});
    int depth;

    (void)state;
    assert_int_equal(judge_with(&bad, &dn, X509_CN_FALLBACK, &depth), X509_REASON_NAME_CONSTRAINT_EXCLUDED);
    assert_int_equal(judge_with(&mailed, &mail, X509_CN_FALLBACK, &depth), X509_REASON_NAME_CONSTRAINT_PERMITTED);
    assert_int_equal(judge_with(&good, &dn, X509_CN_FALLBACK, &depth), X509_REASON_OK);
}

static void the_common_name_where_it_is_used(void **state)
{
    struct x509_certificate dns = ca(forge_subtrees(0, forge_dns("a.b")), NONE);
    struct x509_certificate ip = ca(forge_subtrees(0, forge_hex("8708c0000200ffffff00")), NONE);
    struct x509_certificate outside = leaf("x.c.d", NONE), with_san = leaf("x.c.d", forge_dns("x.a.b"));
    struct x509_certificate title = leaf("A title", NONE), address = leaf("10.1.2.3", NONE),
                            inside = leaf("x.a.b", NONE);
    int depth;

    (void)state;
    assert_int_equal(judge_with(&outside, &dns, X509_CN_FALLBACK, &depth), X509_REASON_NAME_CONSTRAINT_PERMITTED);
    assert_int_equal(judge_with(&with_san, &dns, X509_CN_EITHER, &depth), X509_REASON_NAME_CONSTRAINT_PERMITTED);
    assert_int_equal(judge_with(&address, &ip, X509_CN_FALLBACK, &depth), X509_REASON_NAME_CONSTRAINT_PERMITTED);
    assert_int_equal(judge_with(&outside, &dns, X509_CN_NEVER, &depth), X509_REASON_OK);
    assert_int_equal(judge_with(&address, &ip, X509_CN_NEVER, &depth), X509_REASON_OK);
    assert_int_equal(judge_with(&with_san, &dns, X509_CN_FALLBACK, &depth), X509_REASON_OK);
    assert_int_equal(judge_with(&title, &dns, X509_CN_FALLBACK, &depth), X509_REASON_OK);
    assert_int_equal(judge_with(&inside, &dns, X509_CN_FALLBACK, &depth), X509_REASON_OK);
}

/* Names in between count, except in self-issued certificates; all issuers above constrain. */
static void through_the_whole_path(void **state)
{
    struct x509_certificate root = ca(forge_subtrees(0, forge_dns("a.b")), NONE);
    struct x509_certificate middle = parsed(
        &(struct forge){.subject = "int", .issuer = "ca", .extensions = {forge_ca(-1), forge_san(forge_dns("c.d"))}});
    struct x509_certificate own = parsed(
        &(struct forge){.subject = "ca", .issuer = "ca", .extensions = {forge_ca(-1), forge_san(forge_dns("c.d"))}});
    struct x509_certificate good = leaf("x", forge_dns("a.b")), bad = leaf("x", forge_dns("c.d"));
    struct x509_certificate self =
        parsed(&(struct forge){.subject = "ca", .issuer = "ca", .extensions = {forge_san(forge_dns("c.d"))}});
    const struct {
        const struct x509_certificate *path[3];
        enum x509_reason expected;
        int depth;
    } cases[] = {
        {{&good, &middle, &root}, X509_REASON_NAME_CONSTRAINT_PERMITTED, 1},
        {{&bad, &own, &root}, X509_REASON_NAME_CONSTRAINT_PERMITTED, 0},
        {{&self, &own, &root}, X509_REASON_NAME_CONSTRAINT_PERMITTED, 0}, /* a self-issued leaf counts */
        {{&good, &own, &root}, X509_REASON_OK, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t budget = PATH_CONSTRAINTS_MAX;
        struct x509_policy policy;
        int depth = -1;

        x509_policy_default(&policy);
        assert_int_equal(x509_constraints_check(cases[i].path, 3, &policy, &budget, &depth), cases[i].expected);
        assert_int_equal(depth, cases[i].depth);
    }
}

static void work_is_bounded(void **state)
{
    struct x509_certificate issuer = ca(forge_subtrees(0, forge_dns("a.b")), NONE), c = leaf("x", forge_dns("a.b"));
    const struct x509_certificate *path[] = {&c, &issuer};
    struct x509_policy policy;
    uint32_t budget = 1;
    int depth;

    (void)state;
    x509_policy_default(&policy);
    assert_int_equal(x509_constraints_check(path, 2, &policy, &budget, &depth), X509_REASON_WORK_LIMIT);
    budget = 100;
    assert_int_equal(x509_constraints_check(path, 2, &policy, &budget, &depth), X509_REASON_OK);
    assert_in_range(budget, 90, 99);
}

/* A dNSName spelled as an address reaches that address only where policy lets it, and is then bound as one. */
static void an_address_spelled_as_a_name(void **state)
{
    struct slice inside = forge_hex("8708c0000200ffffff00");
    struct x509_certificate permitting = ca(forge_subtrees(0, inside), NONE);
    struct x509_certificate excluding = ca(NONE, forge_subtrees(1, inside));
    struct x509_certificate within = leaf("", forge_dns("192.0.2.7")), beyond = leaf("", forge_dns("192.0.3.7"));
    const struct {
        const struct x509_certificate *leaf, *issuer;
        bool as_dns;
        enum x509_reason expected;
    } cases[] = {
        {&within, &excluding, true, X509_REASON_NAME_CONSTRAINT_EXCLUDED},
        {&beyond, &permitting, true, X509_REASON_NAME_CONSTRAINT_PERMITTED},
        {&within, &permitting, true, X509_REASON_OK},
        {&beyond, &excluding, true, X509_REASON_OK},
        {&within, &excluding, false, X509_REASON_OK},
        {&beyond, &permitting, false, X509_REASON_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct x509_certificate *path[2] = {cases[i].leaf, cases[i].issuer};
        struct x509_policy policy;
        uint32_t budget = 1000;
        int depth;

        x509_policy_default(&policy);
        policy.compat_ip_as_dns = cases[i].as_dns;
        assert_int_equal(x509_constraints_check(path, 2, &policy, &budget, &depth), cases[i].expected);
    }
}

static int teardown(void **state)
{
    (void)state;
    forge_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_base),
        cmocka_unit_test(unclear_names_are_neither_inside_nor_outside),
        cmocka_unit_test(other_kinds_do_not_meet),
        cmocka_unit_test(unsupported_kinds),
        cmocka_unit_test(the_subject_is_a_name),
        cmocka_unit_test(the_common_name_where_it_is_used),
        cmocka_unit_test(through_the_whole_path),
        cmocka_unit_test(work_is_bounded),
        cmocka_unit_test(an_address_spelled_as_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
