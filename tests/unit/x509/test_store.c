/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/certificate.h"
#include "x509/store.h"

static void refuses(void **state)
{
    struct x509_store *store = x509_store_create();
    struct slice der = forge_certificate(&(struct forge){.subject = "a"});
    const char *fault = "none";

    (void)state;
    assert_int_equal(x509_store_add(store, slice_head(der, der.len - 1), X509_ROLE_ANCHOR, &fault),
                     ASSAY_ERR_MALFORMED);
    assert_string_equal(fault, "not a DER certificate");
    assert_int_equal(x509_store_add(store, slice_text("x"), X509_ROLE_ANCHOR, NULL), ASSAY_ERR_MALFORMED);
    assert_int_equal(x509_store_count(store), 0);
    assert_int_equal(x509_store_add(store, der, X509_ROLE_ANCHOR, NULL), ASSAY_OK);
    assert_int_equal(x509_store_add(store, der, X509_ROLE_ANCHOR, NULL), ASSAY_ERR_DUPLICATE);
    assert_int_equal(x509_store_add(store, der, X509_ROLE_HELPER, NULL), ASSAY_OK);
    assert_int_equal(x509_store_count(store), 2);
    assert_null(x509_store_at(store, 2, NULL));
    x509_store_free(store);
    x509_store_free(NULL);
}

static void keeps_a_copy(void **state)
{
    struct x509_store *store = x509_store_create();
    struct slice der =
        forge_certificate(&(struct forge){.subject = "a", .not_after = FORGE_BEFORE + 1}); /* expired: fine */
    uint8_t *bytes = (uint8_t *)(uintptr_t)der.data;
    const struct x509_certificate *c;
    enum x509_role role;

    (void)state;
    assert_int_equal(x509_store_add(store, der, X509_ROLE_LEAF_ONLY, NULL), ASSAY_OK);
    memset(bytes, 0, der.len);
    c = x509_store_at(store, 0, &role);
    assert_int_equal(role, X509_ROLE_LEAF_ONLY);
    assert_int_equal(c->der.len, der.len);
    assert_int_equal(c->der.data[0], 0x30);
    assert_int_equal(x509_store_roles(store, c->sha256), 1u << X509_ROLE_LEAF_ONLY);
    assert_int_equal(x509_store_roles(store, (const uint8_t[32]){0}), 0);
    x509_store_free(store);
}

/* MRA S10: many certificates of one subject side by side, also when the tables have grown. */
static void walks_all_of_a_subject(void **state)
{
    struct x509_store *store = x509_store_create();
    struct x509_store_walk walk;
    const struct x509_certificate *c, *first = NULL;
    enum x509_role role;
    char other[32];
    int seen = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(other, sizeof(other), "other %d", i);
        assert_int_equal(
            x509_store_add(store,
                           forge_certificate(&(struct forge){.subject = i % 4 ? other : "cucm-EC.steven.lab",
                                                             .serial = forge_integer(i)}),
                           X509_ROLE_ANCHOR, NULL),
            ASSAY_OK);
    }
    first = x509_store_at(store, 0, NULL);
    walk = x509_store_by_subject(store, first->subject, first->subject_hash);
    while (x509_store_walk_next(&walk, &c, &role)) {
        assert_true(c == x509_store_at(store, (size_t)seen * 4, NULL)); /* in order of adding */
        seen++;
    }
    assert_int_equal(seen, 25);
    walk = x509_store_by_subject(store, slice_of(NULL, 0), 1);
    assert_false(x509_store_walk_next(&walk, &c, &role));
    x509_store_free(store);
}

static void proposes_roles(void **state)
{
    void *other = forge_key(FORGE_P256, 1);
    const struct {
        struct forge what;
        enum x509_role role;
    } cases[] = {
        {{.subject = "ca", .extensions = {forge_ca(-1)}}, X509_ROLE_ANCHOR},
        {{.subject = "int", .issuer = "ca", .signer = other, .extensions = {forge_ca(0)}}, X509_ROLE_HELPER},
        {{.subject = "ca", .signer = other, .extensions = {forge_ca(-1)}},
         X509_ROLE_HELPER}, /* self-issued, not self-signed */
        {{.subject = "srv"}, X509_ROLE_LEAF_ONLY},
        {{.subject = "srv", .issuer = "ca", .signer = other}, X509_ROLE_LEAF_ONLY},
        /* CUCM's self-signed certificates say CA:TRUE */
        {{.subject = "srv", .extensions = {forge_ca(0), forge_san(forge_dns("srv"))}}, X509_ROLE_LEAF_ONLY},
        {{.subject = "srv", .extensions = {forge_ca(0), forge_san(forge_ip("10.1.2.3"))}}, X509_ROLE_LEAF_ONLY},
        {{.subject = "srv", .extensions = {forge_ca(0), forge_purpose(FORGE_SERVER_AUTH)}}, X509_ROLE_LEAF_ONLY},
        {{.subject = "ca", .extensions = {forge_ca(0), forge_san(forge_text(0x81, "pki@a.b"))}}, X509_ROLE_ANCHOR},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_certificate c;

        assert_int_equal(x509_certificate_parse(forge_certificate(&cases[i].what), &c, NULL), ASSAY_OK);
        assert_int_equal(x509_role_propose(&c), cases[i].role);
    }
    assert_string_equal(x509_role_name(X509_ROLE_ANCHOR), "anchor");
    assert_string_equal(x509_role_name(X509_ROLE_HELPER), "helper");
    assert_string_equal(x509_role_name(X509_ROLE_LEAF_ONLY), "leaf-only");
}

static int teardown(void **state)
{
    (void)state;
    forge_free();
    return 0;
}

/* A deployment's store over that of all: what both hold is seen once, by way of the first. */
static void a_base_counts_behind_the_stores_own(void **state)
{
    struct slice own = forge_certificate(&(struct forge){.subject = "a", .key = forge_key(FORGE_P256, 0)});
    struct slice both = forge_certificate(&(struct forge){.subject = "a", .key = forge_key(FORGE_P256, 1)});
    struct slice of_base = forge_certificate(&(struct forge){.subject = "a", .key = forge_key(FORGE_P256, 2)});
    struct x509_store *base = x509_store_create(), *store = x509_store_create();
    const struct x509_certificate *c, *seen[4];
    struct x509_store_walk walk;
    enum x509_role role;
    size_t count = 0;

    (void)state;
    assert_int_equal(x509_store_add(base, both, X509_ROLE_ANCHOR, NULL), ASSAY_OK);
    assert_int_equal(x509_store_add(base, of_base, X509_ROLE_ANCHOR, NULL), ASSAY_OK);
    assert_int_equal(x509_store_add(base, own, X509_ROLE_HELPER, NULL), ASSAY_OK);
    x509_store_set_base(store, base);
    assert_int_equal(x509_store_add(store, own, X509_ROLE_ANCHOR, NULL), ASSAY_OK);
    assert_int_equal(x509_store_add(store, both, X509_ROLE_ANCHOR, NULL), ASSAY_OK); /* its own: no duplicate */
    assert_int_equal(x509_store_count(store), 2);
    c = x509_store_at(store, 0, NULL);
    assert_int_equal(x509_store_roles(store, c->sha256), 1u << X509_ROLE_ANCHOR | 1u << X509_ROLE_HELPER);
    assert_int_equal(x509_store_roles(base, c->sha256), 1u << X509_ROLE_HELPER);
    walk = x509_store_by_subject(store, c->subject, c->subject_hash);
    while (x509_store_walk_next(&walk, &c, &role) && count < 4)
        seen[count++] = c;
    assert_int_equal(count, 4);
    assert_ptr_equal(seen[0], x509_store_at(store, 0, NULL));
    assert_ptr_equal(seen[1], x509_store_at(store, 1, NULL));
    assert_ptr_equal(seen[2], x509_store_at(base, 1, NULL));
    assert_ptr_equal(seen[3], x509_store_at(base, 2, NULL)); /* in another role */
    walk = x509_store_by_subject(base, seen[0]->subject, seen[0]->subject_hash);
    for (count = 0; x509_store_walk_next(&walk, &c, &role);)
        count++;
    assert_int_equal(count, 3); /* the base knows nothing of what is above it */
    x509_store_free(store);
    x509_store_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(keeps_a_copy),
        cmocka_unit_test(walks_all_of_a_subject),
        cmocka_unit_test(a_base_counts_behind_the_stores_own),
        cmocka_unit_test(proposes_roles),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
