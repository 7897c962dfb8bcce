/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/policies.h"

#define NONE slice_of(NULL, 0)
#define P1   "1.2.3.1"
#define P2   "1.2.3.2"
#define P3   "1.2.3.3"
#define ANY  "2.5.29.32.0"

static struct slice policy(const char *oid)
{
    return FORGE_TLV(0x30, forge_oid(oid));
}

static struct slice policies(struct slice list)
{
    return forge_extension("2.5.29.32", false, FORGE_TLV(0x30, list));
}

#define ONE(oid)       policies(policy(oid))
#define TWO(oid, more) policies(forge_join(policy(oid), policy(more)))

static struct slice mapping(const char *from, const char *to)
{
    return forge_extension("2.5.29.33", true, FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid(from), forge_oid(to))));
}

/* policyConstraints: requireExplicitPolicy, inhibitPolicyMapping, as hex of the two fields. */
static struct slice constraints(const char *fields)
{
    return forge_extension("2.5.29.36", true, FORGE_TLV(0x30, forge_hex(fields)));
}

static struct slice inhibit_any(long skip)
{
    return forge_extension("2.5.29.54", true, forge_integer(skip));
}

static void refuses(void **state)
{
    static const struct {
        const char *oid, *value, *fault;
    } cases[] = {
        {"2.5.29.32", "3000", "the certificatePolicies do not decode"},
        {"2.5.29.32", "0500", "the certificatePolicies do not decode"},
        {"2.5.29.32", "3006 3004 06022a03 00", "the certificatePolicies do not decode"},
        {"2.5.29.32", "3002 3000", "the certificatePolicies do not decode"},
        {"2.5.29.32", "3008 3006 06022a03 3000", "the certificatePolicies do not decode"},
        {"2.5.29.32", "300a 3008 06022a03 3002 0500", "the certificatePolicies do not decode"},
        {"2.5.29.32", "300c 3004 06022a03 3004 06022a03", "a certificate policy is there twice"},
        {"2.5.29.33", "3000", "the policyMappings do not decode"},
        {"2.5.29.33", "3006 3004 06022a03", "the policyMappings do not decode"},
        {"2.5.29.33", "300c 300a 06022a03 06022a03 0500", "the policyMappings do not decode"},
        {"2.5.29.36", "3000", "the policyConstraints do not decode"}, /* §4.2.1.11: not empty */
        {"2.5.29.36", "3003 8001ff", "the policyConstraints do not decode"},
        {"2.5.29.36", "3006 810100 800100", "the policyConstraints do not decode"},
        {"2.5.29.54", "0201ff", "the inhibitAnyPolicy does not decode"},
        {"2.5.29.54", "0500", "the inhibitAnyPolicy does not decode"},
        {"2.5.29.54", "020100 00", "the inhibitAnyPolicy does not decode"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct forge what = {.subject = "a",
                             .extensions = {forge_extension(cases[i].oid, false, forge_hex(cases[i].value))}};
        struct x509_certificate certificate;
        const char *fault = "none";

        if (x509_certificate_parse(forge_certificate(&what), &certificate, &fault) != ASSAY_ERR_MALFORMED ||
            strcmp(fault, cases[i].fault) != 0)
            fail_msg("%zu: %s", i, fault);
    }
}

/* A path of up to four, without its anchor, from the top down; each with up to three extensions. */
struct scene {
    const char *name;
    struct slice extensions[4][3];
    size_t count;
    enum x509_reason expected;
    int depth;
    unsigned self_issued; /* bits: the i-th from the top */
};

static void judge(const struct scene *scene)
{
    struct x509_certificate certificates[5];
    const struct x509_certificate *path[5];
    static const char *const names[] = {"A", "B", "C", "D"};
    enum x509_reason reason;
    int depth = -1;

    for (size_t i = 0; i < scene->count; i++) {
        const char *issuer = i == 0 ? "R" : names[i - 1];
        struct forge what = {.subject = scene->self_issued >> i & 1 ? issuer : names[i], .issuer = issuer};

        memcpy(what.extensions, scene->extensions[i], sizeof(scene->extensions[i]));
        assert_int_equal(x509_certificate_parse(forge_certificate(&what), &certificates[i], NULL), ASSAY_OK);
        path[scene->count - 1 - i] = &certificates[i];
    }
    /* The anchor demands everything, and is not asked. */
    assert_int_equal(x509_certificate_parse(forge_certificate(&(struct forge){
                                                .subject = "R", .extensions = {constraints("800100"), inhibit_any(0)}}),
                                            &certificates[4], NULL),
                     ASSAY_OK);
    path[scene->count] = &certificates[4];
    reason = x509_policies_check(path, scene->count + 1, &depth);
    if (reason != scene->expected || (reason != X509_REASON_OK && depth != scene->depth))
        fail_msg("%s: %s depth %d", scene->name, x509_reason_name(reason), depth);
}

#define DEMAND constraints("800100")

static void demanded(void **state)
{
    const struct scene scenes[] = {
        /* RFC 5280 §6.1.3 (f), §6.1.5 (g): demanded, and there is none */
        {"none at all", {{DEMAND}, {NONE}}, 2, X509_REASON_NO_POLICY, 0, 0},
        {"the leaf has none", {{DEMAND, ONE(P1)}, {NONE}}, 2, X509_REASON_NO_POLICY, 0, 0},
        {"the leaf has another", {{DEMAND, ONE(P1)}, {ONE(P2)}}, 2, X509_REASON_NO_POLICY, 0, 0},
        {"the one in the middle has none", {{DEMAND, ONE(P1)}, {NONE}, {ONE(P1)}}, 3, X509_REASON_NO_POLICY, 1, 0},
        {"demanded by the leaf itself", {{ONE(P1)}, {DEMAND, ONE(P2)}}, 2, X509_REASON_NO_POLICY, 0, 0},
        {"demanded below", {{NONE}, {DEMAND, ONE(P1)}, {ONE(P1)}}, 3, X509_REASON_NO_POLICY, 0, 0},
        {"demanded in two",
         {{constraints("800102"), ONE(P1)}, {ONE(P1)}, {NONE}, {ONE(P1)}},
         4,
         X509_REASON_NO_POLICY,
         0,
         0},
        {"mapped away", {{DEMAND, ONE(P1), mapping(P1, P2)}, {ONE(P1)}}, 2, X509_REASON_NO_POLICY, 0, 0},
        {"mapping inhibited",
         {{constraints("800100 810100"), ONE(P1)}, {ONE(P1), mapping(P1, P2)}, {ONE(P2)}},
         3,
         X509_REASON_NO_POLICY,
         0,
         0},
        {"any inhibited", {{DEMAND, ONE(P1), inhibit_any(0)}, {ONE(ANY)}}, 2, X509_REASON_NO_POLICY, 0, 0},
        {"any inhibited after one",
         {{DEMAND, ONE(P1), inhibit_any(1)}, {ONE(ANY)}, {ONE(ANY)}},
         3,
         X509_REASON_NO_POLICY,
         0,
         0},
        {"anyPolicy mapped", {{ONE(ANY), mapping(ANY, P1)}, {ONE(P1)}}, 2, X509_REASON_INVALID_POLICY, 1, 0},
        {"mapped to anyPolicy", {{ONE(P1), mapping(P1, ANY)}, {ONE(P1)}}, 2, X509_REASON_INVALID_POLICY, 1, 0},
        /* and there is one */
        {"nobody demands", {{NONE}, {NONE}}, 2, X509_REASON_OK, 0, 0},
        {"not yet demanded", {{constraints("80 01 05")}, {NONE}}, 2, X509_REASON_OK, 0, 0},
        {"the same", {{DEMAND, ONE(P1)}, {ONE(P1)}}, 2, X509_REASON_OK, 0, 0},
        {"one of two", {{DEMAND, TWO(P1, P2)}, {TWO(P2, P3)}}, 2, X509_REASON_OK, 0, 0},
        {"any above", {{DEMAND, ONE(ANY)}, {ONE(P2)}}, 2, X509_REASON_OK, 0, 0},
        {"any below", {{DEMAND, ONE(P1)}, {ONE(ANY)}}, 2, X509_REASON_OK, 0, 0},
        {"any in the middle", {{DEMAND, ONE(P1)}, {ONE(ANY)}, {ONE(P1)}}, 3, X509_REASON_OK, 0, 0},
        {"any in the middle, another", {{DEMAND, ONE(P1)}, {ONE(ANY)}, {ONE(P2)}}, 3, X509_REASON_NO_POLICY, 0, 0},
        {"mapped", {{DEMAND, ONE(P1), mapping(P1, P2)}, {ONE(P2)}}, 2, X509_REASON_OK, 0, 0},
        {"mapped twice",
         {{DEMAND, ONE(P1), mapping(P1, P2)}, {ONE(P2), mapping(P2, P3)}, {ONE(P3)}},
         3,
         X509_REASON_OK,
         0,
         0},
        {"mapped out of any", {{DEMAND, ONE(ANY), mapping(P1, P2)}, {ONE(P2)}}, 2, X509_REASON_OK, 0, 0},
        {"the leaf demands and has", {{ONE(P1)}, {DEMAND, ONE(P1)}}, 2, X509_REASON_OK, 0, 0},
        /* (h): self-issued ones do not count down, and may say any */
        {"counted down", {{constraints("800101"), ONE(P1)}, {NONE}, {NONE}}, 3, X509_REASON_NO_POLICY, 0, 0},
        {"self-issued: not yet", {{constraints("800102"), ONE(P1)}, {NONE}, {NONE}}, 3, X509_REASON_OK, 0, 2},
        {"self-issued any", {{DEMAND, ONE(P1), inhibit_any(0)}, {ONE(ANY)}, {ONE(P1)}}, 3, X509_REASON_OK, 0, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
        judge(&scenes[i]);
}

/* More policies than are looked at: no policy where one is demanded, no fault where none is. */
static void too_many(void **state)
{
    struct slice list = NONE;
    struct scene scene = {.name = "too many", .count = 2, .expected = X509_REASON_NO_POLICY};

    (void)state;
    for (int i = 0; i <= POLICIES_MAX; i++) {
        char oid[32];

        snprintf(oid, sizeof(oid), "1.2.4.%d", i);
        list = forge_join(list, policy(oid));
    }
    scene.extensions[0][0] = DEMAND;
    scene.extensions[0][1] = ONE(ANY);
    scene.extensions[1][0] = policies(list);
    judge(&scene);
    scene.extensions[0][0] = mapping(P1, P2);
    scene.expected = X509_REASON_OK;
    judge(&scene);
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
        cmocka_unit_test(refuses),
        cmocka_unit_test(demanded),
        cmocka_unit_test(too_many),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
