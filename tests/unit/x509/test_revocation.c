/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "forge_ocsp.h"
#include "x509/revocation.h"

#define NONE    slice_of(NULL, 0)
#define SERIAL  0x1234 /* forge's default */
#define REVOKED forge_revoked(forge_integer(SERIAL), FORGE_NOW - 7200, NONE)

static void *root_key(void)
{
    return forge_key(FORGE_P256, 0);
}

static void *int_key(void)
{
    return forge_key(FORGE_P256, 1);
}

static struct x509_certificate parsed(const struct forge *what)
{
    struct x509_certificate certificate;

    assert_int_equal(x509_certificate_parse(forge_certificate(what), &certificate, NULL), ASSAY_OK);
    return certificate;
}

/* Root R, intermediate I, leaf L. */
struct scene {
    struct x509_certificate leaf, intermediate, root;
    const struct x509_certificate *path[3];
    struct x509_crl_set *crls;
    struct x509_policy policy;
    struct x509_work work;
    struct x509_revocation revocation;
};

static void scene_begin(struct scene *scene, unsigned int_usage, struct slice points)
{
    struct forge leaf = {.subject = "L",
                         .issuer = "I",
                         .key = forge_key(FORGE_P256, 2),
                         .signer = int_key(),
                         .extensions = {forge_san(forge_dns("a.b"))}};
    struct forge middle = {.subject = "I",
                           .issuer = "R",
                           .key = int_key(),
                           .signer = root_key(),
                           .serial = forge_integer(2),
                           .extensions = {forge_ca(-1), forge_ski("I")}};

    if (points.len > 0)
        leaf.extensions[1] = forge_extension("2.5.29.31", false, FORGE_TLV(0x30, points));
    if (int_usage != 0)
        middle.extensions[2] = forge_usage(int_usage);
    scene->leaf = parsed(&leaf);
    scene->intermediate = parsed(&middle);
    scene->root = parsed(&(struct forge){.subject = "R", .key = root_key(), .extensions = {forge_ca(-1)}});
    scene->path[0] = &scene->leaf;
    scene->path[1] = &scene->intermediate;
    scene->path[2] = &scene->root;
    scene->crls = x509_crl_set_create();
    x509_policy_default(&scene->policy);
    scene->work = (struct x509_work){.max = 64};
    scene->policy.revocation = X509_REVOCATION_HARD_FAIL;
    scene->revocation = (struct x509_revocation){
        .crls = scene->crls, .policy = &scene->policy, .now_s = FORGE_NOW, .work = &scene->work};
}

static void scene_add(struct scene *scene, struct forge_crl crl)
{
    assert_int_equal(x509_crl_set_add(scene->crls, forge_crl(&crl), NULL), ASSAY_OK);
}

#define BY_I(...) ((struct forge_crl){.issuer = "I", .signer = int_key(), __VA_ARGS__})
#define BY_R(...) ((struct forge_crl){.issuer = "R", .signer = root_key(), __VA_ARGS__})

/* One CRL of I about the leaf, beside a good one of R: what becomes of it. */
static void one_crl(void **state)
{
    struct slice a = FORGE_TLV(0xa0, FORGE_TLV(0xa0, forge_text(0x86, "http://a/")));
    struct slice partition = forge_extension("2.5.29.28", true, FORGE_TLV(0x30, a));
    struct slice cas = forge_extension("2.5.29.28", true, FORGE_TLV(0x30, forge_hex("8201ff")));
    struct slice some = forge_extension("2.5.29.28", true, FORGE_TLV(0x30, forge_hex("8302 0560")));
    struct slice aki = forge_extension("2.5.29.35", false, FORGE_TLV(0x30, forge_text(0x80, "other")));
    const struct {
        const char *name;
        struct forge_crl crl;
        struct slice points;
        unsigned usage;
        enum x509_reason expected;
        const char *detail;
    } cases[] = {
        /* RFC 5280 §6.3.3 (i): on the list */
        {"listed", BY_I(.revoked = REVOKED), NONE, 0, X509_REASON_REVOKED, "unspecified"},
        {"listed, why", BY_I(.revoked = forge_revoked(forge_integer(SERIAL), FORGE_NOW, forge_reason(1))), NONE, 0,
         X509_REASON_REVOKED, "keyCompromise"},
        {"on hold", BY_I(.revoked = forge_revoked(forge_integer(SERIAL), FORGE_NOW, forge_reason(6))), NONE, 0,
         X509_REASON_REVOKED, "certificateHold"},
        {"listed by an expired one", BY_I(.revoked = REVOKED, .next_update_s = FORGE_NOW - 1), NONE, 0,
         X509_REASON_REVOKED, "unspecified"},
        {"listed by a partition of another point", BY_I(.revoked = REVOKED, .extensions = {partition}), NONE, 0,
         X509_REASON_REVOKED, "unspecified"},
        /* (a), (c): validity */
        {"expired", BY_I(.next_update_s = FORGE_NOW - 1), NONE, 0, X509_REASON_CRL_EXPIRED,
         "the CRL's nextUpdate is over"},
        {"not yet", BY_I(.this_update = FORGE_NOW + 1), NONE, 0, X509_REASON_NO_CRL, "the CRL is not valid yet"},
        {"to the second", BY_I(.this_update = FORGE_NOW, .next_update_s = FORGE_NOW), NONE, 0, X509_REASON_OK, NULL},
        /* (b): scope */
        {"CAs only", BY_I(.extensions = {cas}), NONE, 0, X509_REASON_NO_CRL,
         "the CRL's scope does not cover the certificate"},
        {"a partition of another point", BY_I(.extensions = {partition}), NONE, 0, X509_REASON_NO_CRL,
         "the CRL's scope does not cover the certificate"},
        {"its partition", BY_I(.extensions = {partition}), FORGE_TLV(0x30, a), 0, X509_REASON_OK, NULL},
        {"some reasons", BY_I(.extensions = {some}), NONE, 0, X509_REASON_NO_CRL, "no CRL of the issuer"},
        /* (f), (g): who signed it */
        {"wrong signature", BY_I(.break_signature = true), NONE, 0, X509_REASON_NO_CRL,
         "the CRL's signature is not the issuer's"},
        {"another key",
         {.issuer = "I", .signer = forge_key(FORGE_P256, 7), .revoked = REVOKED},
         NONE,
         0,
         X509_REASON_NO_CRL,
         "the CRL's signature is not the issuer's"},
        {"another kind of key",
         {.issuer = "I", .signer = forge_key(FORGE_RSA2048, 0), .revoked = REVOKED},
         NONE,
         0,
         X509_REASON_NO_CRL,
         "the CRL's signature is not the issuer's"},
        {"another key identifier", BY_I(.extensions = {aki}, .revoked = REVOKED), NONE, 0, X509_REASON_NO_CRL,
         "the CRL is of another key of the issuer"},
        {"no cRLSign", BY_I(.revoked = REVOKED), NONE, X509_KU_KEY_CERT_SIGN, X509_REASON_NO_CRL,
         "the issuer may not sign CRLs (keyUsage)"},
        {"cRLSign", BY_I(.digest = 384), NONE, X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN, X509_REASON_OK, NULL},
        {"another issuer", BY_R(.revoked = REVOKED, .this_update = FORGE_NOW - 9), NONE, 0, X509_REASON_NO_CRL,
         "no CRL of the issuer"},
        {"nothing revoked", BY_I(.no_number = true), NONE, 0, X509_REASON_OK, NULL},
        {"another serial", BY_I(.revoked = forge_revoked(forge_integer(SERIAL + 1), FORGE_NOW, NONE)), NONE, 0,
         X509_REASON_OK, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene;
        enum x509_reason reason;
        int depth = -1;

        scene_begin(&scene, cases[i].usage, cases[i].points);
        scene_add(&scene, BY_R(.digest = 256));
        scene_add(&scene, cases[i].crl);
        reason = x509_revocation_check(scene.path, 3, &scene.revocation, &depth);
        if (reason != cases[i].expected || (reason != X509_REASON_OK && depth != 0) ||
            (cases[i].detail != NULL && strcmp(cases[i].detail, scene.revocation.detail) != 0))
            fail_msg("%s: %s depth %d, %s", cases[i].name, x509_reason_name(reason), depth, scene.revocation.detail);
        /* soft-fail refuses the revoked only; off asks nothing */
        scene.policy.revocation = X509_REVOCATION_SOFT_FAIL;
        reason = x509_revocation_check(scene.path, 3, &scene.revocation, &depth);
        assert_int_equal(reason, cases[i].expected == X509_REASON_REVOKED ? X509_REASON_REVOKED : X509_REASON_OK);
        if (reason == X509_REASON_OK)
            assert_int_equal(scene.revocation.undetermined, cases[i].expected != X509_REASON_OK);
        scene.policy.revocation = X509_REVOCATION_OFF;
        assert_int_equal(x509_revocation_check(scene.path, 3, &scene.revocation, &depth), X509_REASON_OK);
        assert_false(scene.revocation.undetermined);
        x509_crl_set_free(scene.crls);
    }
}

static enum x509_reason check(struct scene *scene, size_t count, int *depth)
{
    *depth = -1;
    return x509_revocation_check(scene->path, count, &scene->revocation, depth);
}

static void whole_path(void **state)
{
    struct scene scene;
    int depth;

    (void)state;
    scene_begin(&scene, 0, NONE);
    scene.revocation.crls = NULL;
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_NO_CRL);
    scene.revocation.crls = scene.crls;
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_NO_CRL);
    assert_int_equal(depth, 0);
    assert_int_equal(check(&scene, 1, &depth), X509_REASON_OK); /* the anchor is not asked about */
    scene_add(&scene, BY_I(.digest = 256, .next_update_s = FORGE_NOW + 100));
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_NO_CRL); /* of the intermediate */
    assert_int_equal(depth, 1);
    scene_add(&scene, BY_R(.digest = 256, .next_update_s = FORGE_NOW + 50));
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_OK);
    assert_int_equal(scene.revocation.until_s, FORGE_NOW + 50); /* the earliest nextUpdate */
    scene.policy.skew_s = 7;
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_OK);
    assert_int_equal(scene.revocation.until_s, FORGE_NOW + 57);
    /* a revoked intermediate, found although the leaf's CRL is missing now */
    scene_add(&scene, BY_R(.this_update = FORGE_NOW - 60,
                           .revoked = forge_revoked(forge_integer(2), FORGE_NOW, forge_reason(2))));
    scene.leaf.issuer_hash ^= 1;
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_REVOKED);
    assert_int_equal(depth, 1);
    assert_string_equal(scene.revocation.detail, "cACompromise");
    x509_crl_set_free(scene.crls);
}

/* The latest of a scope counts: a hold that was lifted, and one that was put on since. */
static void the_latest_counts(void **state)
{
    struct scene scene;
    int depth;

    (void)state;
    scene_begin(&scene, 0, NONE);
    scene_add(&scene, BY_R(.digest = 256));
    scene_add(&scene, BY_I(.this_update = FORGE_NOW - 100, .revoked = REVOKED));
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_REVOKED);
    scene_add(&scene, BY_I(.this_update = FORGE_NOW - 50));
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_OK);
    assert_int_equal(scene.revocation.until_s, FORGE_NOW + 3600);
    scene_add(&scene, BY_I(.this_update = FORGE_NOW + 50, .revoked = REVOKED)); /* not yet */
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_OK);
    assert_int_equal(scene.revocation.until_s, FORGE_NOW + 49); /* and no longer than that */
    scene_add(&scene, BY_I(.this_update = FORGE_NOW - 40, .revoked = REVOKED, .break_signature = true));
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_OK);
    scene_add(&scene, BY_I(.this_update = FORGE_NOW - 30, .revoked = REVOKED));
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_REVOKED);
    x509_crl_set_free(scene.crls);
}

/* Made by a CA whose clock is ahead of ours: what passes without it passes until it counts. */
static void one_of_the_future_is_waited_for(void **state)
{
    struct scene scene;
    int depth;

    (void)state;
    scene_begin(&scene, 0, NONE);
    scene.policy.revocation = X509_REVOCATION_SOFT_FAIL;
    scene_add(&scene, BY_I(.this_update = FORGE_NOW + 50, .revoked = REVOKED));
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_OK);
    assert_true(scene.revocation.undetermined);
    assert_int_equal(scene.revocation.until_s, FORGE_NOW + 49);
    scene.policy.skew_s = 20;
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_OK);
    assert_int_equal(scene.revocation.until_s, FORGE_NOW + 29);
    scene.revocation.now_s = FORGE_NOW + 30;
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_REVOKED);
    x509_crl_set_free(scene.crls);
    /* Whoever is not the issuer says nothing, now or later. */
    scene_begin(&scene, 0, NONE);
    scene.policy.revocation = X509_REVOCATION_SOFT_FAIL;
    scene_add(&scene, BY_I(.this_update = FORGE_NOW + 50, .break_signature = true));
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_OK);
    assert_int_equal(scene.revocation.until_s, INT64_MAX);
    x509_crl_set_free(scene.crls);
}

/* Reasons shared out among CRLs: all of them are needed. */
static void reasons_add_up(void **state)
{
    struct slice some = forge_extension("2.5.29.28", true, FORGE_TLV(0x30, forge_hex("8302 0560")));
    struct slice rest = forge_extension("2.5.29.28", true, FORGE_TLV(0x30, forge_hex("8303 071f80")));
    struct scene scene;
    int depth;

    (void)state;
    scene_begin(&scene, 0, NONE);
    scene_add(&scene, BY_R(.digest = 256));
    scene_add(&scene, BY_I(.extensions = {some}));
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_NO_CRL);
    scene_add(&scene, BY_I(.extensions = {rest}, .next_update_s = FORGE_NOW + 9));
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_OK);
    assert_int_equal(scene.revocation.until_s, FORGE_NOW + 9);
    x509_crl_set_free(scene.crls);
}

static void profiles_and_work(void **state)
{
    struct scene scene;
    int depth;

    (void)state;
    scene_begin(&scene, 0, NONE);
    scene_add(&scene, BY_R(.digest = 256));
    scene_add(&scene, BY_I(.no_number = true));
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_OK);
    assert_int_equal(scene.work.checks, 2);
    scene.work.max = 3;
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_WORK_LIMIT);
    assert_int_equal(scene.work.checks, 3);
    scene.work.max = 64;
    scene.policy.profile = X509_PROFILE_RFC5280;
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_NO_CRL);
    assert_string_equal(scene.revocation.detail, "the CRL has no number");
    scene_add(&scene, BY_I(.digest = 1));
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_OK);
    scene.policy.sha1_allowed = false;
    assert_int_equal(check(&scene, 3, &depth), X509_REASON_NO_CRL);
    x509_crl_set_free(scene.crls);
}

static void words(void **state)
{
    (void)state;
    assert_string_equal(x509_revocation_reason(0), "unspecified");
    assert_string_equal(x509_revocation_reason(10), "aACompromise");
    assert_string_equal(x509_revocation_reason(11), "");
}

static int teardown(void **state)
{
    (void)state;
    forge_free();
    return 0;
}

#define FROM_I(...) forge_ocsp(&(struct forge_ocsp){.issuer = "I", .issuer_key = int_key(), __VA_ARGS__})

/* Told of one connection: revoked; stapled to this one: what is given. A CRL of R is there for the intermediate. */
static void what_another_connection_was_told(void **state)
{
    struct slice revoked = forge_ocsp_revoked(FORGE_NOW - 9, 1);
    struct slice told = FROM_I(.status = revoked, .this_update = FORGE_NOW - 600);
    const struct {
        const char *name;
        struct slice told, staple;
        enum x509_revocation_mode mode;
        enum x509_reason expected;
    } cases[] = {
        {"nothing stapled", told, NONE, X509_REVOCATION_HARD_FAIL, X509_REASON_REVOKED},
        {"soft-fail", told, NONE, X509_REVOCATION_SOFT_FAIL, X509_REASON_REVOKED},
        {"nobody asks", told, NONE, X509_REVOCATION_OFF, X509_REASON_OK},
        {"an earlier good", told, FROM_I(.this_update = FORGE_NOW - 601), X509_REVOCATION_HARD_FAIL,
         X509_REASON_REVOKED},
        {"a good of that second", told, FROM_I(.this_update = FORGE_NOW - 600), X509_REVOCATION_HARD_FAIL,
         X509_REASON_REVOKED},
        {"a later good", told, FROM_I(.this_update = FORGE_NOW - 599), X509_REVOCATION_HARD_FAIL, X509_REASON_OK},
        {"a later good that nobody signed", told, FROM_I(.this_update = FORGE_NOW - 599, .break_signature = true),
         X509_REVOCATION_SOFT_FAIL, X509_REASON_REVOKED},
        {"a later unknown", told, FROM_I(.status = forge_hex("8200"), .this_update = FORGE_NOW - 5),
         X509_REVOCATION_HARD_FAIL, X509_REASON_REVOKED},
        {"told long ago", FROM_I(.status = revoked, .this_update = FORGE_NOW - 9999, .next_update = FORGE_NOW - 9000),
         NONE, X509_REVOCATION_SOFT_FAIL, X509_REASON_REVOKED},
        {"told by nobody", FROM_I(.status = revoked, .break_signature = true), NONE, X509_REVOCATION_SOFT_FAIL,
         X509_REASON_OK},
        {"told by another", FROM_I(.status = revoked, .signer = forge_key(FORGE_P256, 7)), NONE,
         X509_REVOCATION_SOFT_FAIL, X509_REASON_OK},
        {"told of another", FROM_I(.status = revoked, .serial = forge_integer(5)), NONE, X509_REVOCATION_SOFT_FAIL,
         X509_REASON_OK},
        {"told that it is good is nothing", FROM_I(.this_update = FORGE_NOW - 1), NONE, X509_REVOCATION_HARD_FAIL,
         X509_REASON_NO_CRL},
        {"told nonsense", forge_hex("3000"), NONE, X509_REVOCATION_SOFT_FAIL, X509_REASON_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene;
        int depth = -1;
        enum x509_reason reason;

        scene_begin(&scene, 0, NONE);
        scene_add(&scene, BY_R(.revoked = NONE));
        assert_int_equal(x509_crl_set_add_response(scene.crls, scene.leaf.sha256, cases[i].told), ASSAY_OK);
        scene.policy.revocation = cases[i].mode;
        scene.revocation.staple = cases[i].staple;
        reason = x509_revocation_check(scene.path, 3, &scene.revocation, &depth);
        if (reason != cases[i].expected)
            fail_msg("%s: %s", cases[i].name, x509_reason_name(reason));
        if (reason == X509_REASON_REVOKED) {
            assert_int_equal(depth, 0);
            assert_string_equal(scene.revocation.detail, "keyCompromise");
        }
        x509_crl_set_free(scene.crls);
    }
}

/* The word about one certificate is none about the CA above it, and costs work like any other. */
static void what_was_told_costs_work(void **state)
{
    struct scene scene;
    int depth;

    (void)state;
    scene_begin(&scene, 0, NONE);
    scene_add(&scene, BY_R(.revoked = NONE));
    scene_add(&scene, BY_I(.revoked = NONE));
    assert_int_equal(x509_crl_set_add_response(scene.crls, scene.intermediate.sha256,
                                               FROM_I(.status = forge_ocsp_revoked(FORGE_NOW, -1))),
                     ASSAY_OK);
    assert_int_equal(x509_revocation_check(scene.path, 3, &scene.revocation, &depth), X509_REASON_OK);
    assert_int_equal(
        x509_crl_set_add_response(scene.crls, scene.leaf.sha256, FROM_I(.status = forge_ocsp_revoked(FORGE_NOW, -1))),
        ASSAY_OK);
    scene.work = (struct x509_work){.max = 0};
    assert_int_equal(x509_revocation_check(scene.path, 3, &scene.revocation, &depth), X509_REASON_WORK_LIMIT);
    x509_crl_set_free(scene.crls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_another_connection_was_told),
        cmocka_unit_test(what_was_told_costs_work),
        cmocka_unit_test(one_crl),
        cmocka_unit_test(whole_path),
        cmocka_unit_test(the_latest_counts),
        cmocka_unit_test(one_of_the_future_is_waited_for),
        cmocka_unit_test(reasons_add_up),
        cmocka_unit_test(profiles_and_work),
        cmocka_unit_test(words),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
