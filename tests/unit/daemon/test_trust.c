/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "daemon/trust.h"
#include "forge.h"
#include "scratch.h"
#include "x509/pem.h"

/* A server's self-signed certificate (MRA S10's tomcat-ECDSA): proposes leaf-only. */
static struct slice self_signed(const char *name, unsigned key)
{
    struct forge forge = {
        .subject = name, .key = forge_key(FORGE_P256, key), .extensions = {forge_san(forge_dns(name))}};

    return forge_certificate(&forge);
}

static struct trust *load(const char *name)
{
    struct problems problems = {0};
    struct trust *trust = trust_load(scratch_path(name), &problems);

    for (size_t i = 0; i < problems.kept; i++)
        print_error("%s\n", problems.items[i]);
    problems_free(&problems);
    assert_non_null(trust);
    return trust;
}

static void add(const char *directory, struct slice der, int role)
{
    struct trust *trust = load(directory), *added;
    struct problems problems = {0};

    added = trust_read(der, "upload", role, &problems);
    assert_non_null(added);
    assert_int_equal(trust_add(trust, added, &problems), ASSAY_OK);
    assert_int_equal(problems.count, 0);
    trust_free(added);
    trust_free(trust);
}

static void test_files_that_are_refused(void **state)
{
    const struct slice good = scratch_ca("ca", 0);
    struct problems problems = {0};

    scratch_make("bad");
    SCRATCH_PEM("bad/a.pem", good);
    scratch_write("bad/b.pem", "hello\n");
    scratch_write_slice("bad/c.der", slice_head(good, good.len - 1));
    scratch_write("bad/d.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    SCRATCH_PEM("bad/e.pem", good, slice_of("\x30\x03\x02\x01\x01", 5));
    scratch_write("bad/notes.txt", "hello\n");
    assert_null(trust_load(scratch_path("bad"), &problems));
    assert_int_equal(problems.count, 4);
    assert_non_null(strstr(problems.items[0], "bad/b.pem: holds no certificate"));
    assert_non_null(strstr(problems.items[1], "bad/c.der: certificate 1: "));
    assert_non_null(strstr(problems.items[2], "bad/d.crt: certificate 1: "));
    assert_non_null(strstr(problems.items[3], "bad/e.pem: certificate 2: "));
    assert_int_equal(problems.warning_count, 1);
    assert_non_null(strstr(problems.warnings[0], "notes.txt: skipped"));
    problems_free(&problems);
}

static void test_no_directory(void **state)
{
    struct problems problems = {0};
    struct trust *trust = trust_load(scratch_path("nowhere"), &problems);

    assert_non_null(trust);
    assert_int_equal(trust->count, 0);
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.warning_count, 1);
    trust_free(trust);
    problems_free(&problems);
}

static void test_roles_and_formats(void **state)
{
    const struct slice one = scratch_ca("one", 1);
    struct trust *trust;

    scratch_make("roles");
    scratch_make("roles/anchors");
    scratch_make("roles/helpers");
    scratch_make("roles/leaves");
    scratch_write_slice("roles/anchors/one.der", one);
    SCRATCH_PEM("roles/helpers/two.pem", scratch_ca("two", 2), scratch_ca("three", 3));
    SCRATCH_PEM("roles/leaves/four.crt", scratch_ca("four", 4));
    SCRATCH_PEM("roles/five.pem", scratch_ca("five", 5), self_signed("six.steven.lab", 6));
    scratch_write("roles/.five.pem.Xy12ab", "what a crash left\n");
    SCRATCH_PEM("roles/one-again.pem", one); /* proposes anchor: it is there */
    trust = load("roles");
    assert_int_equal(trust->count, 6);
    assert_int_equal(trust->entries[0].role, X509_ROLE_ANCHOR);
    assert_false(trust->entries[0].role_proposed);
    assert_int_equal(trust->entries[2].role, X509_ROLE_HELPER);
    assert_int_equal(trust->entries[2].number, 2);
    assert_int_equal(trust->entries[3].role, X509_ROLE_LEAF_ONLY);
    assert_int_equal(trust->entries[4].role, X509_ROLE_ANCHOR);
    assert_true(trust->entries[4].role_proposed);
    assert_int_equal(trust->entries[5].role, X509_ROLE_LEAF_ONLY);
    trust_free(trust);
}

static void test_add_list_remove(void **state)
{
    const struct slice one = self_signed("cucm-EC.steven.lab", 7), two = self_signed("cucm-EC.steven.lab", 8);
    const struct trust_entry *entry;
    struct problems problems = {0};
    struct x509_store *store;
    char fingerprint[65];
    struct trust *trust;

    add("fresh", one, -1); /* the directory is made */
    add("fresh", two, -1); /* another of the same name (S10) */
    add("fresh", one, -1); /* skipped */
    add("fresh", one, X509_ROLE_ANCHOR);
    assert_int_equal(scratch_count("fresh/leaves"), 2);
    assert_int_equal(scratch_count("fresh/anchors"), 1);
    trust = load("fresh");
    assert_int_equal(trust->count, 3);
    store = trust_store(trust, &problems);
    assert_non_null(store);
    assert_int_equal(x509_store_count(store), 3);
    x509_store_free(store);

    trust_fingerprint(trust->entries[0].certificate.sha256, fingerprint);
    fingerprint[8] = '\0';
    assert_int_equal(trust_find(trust, fingerprint, &entry), ASSAY_OK);
    assert_ptr_equal(entry, &trust->entries[0]);
    assert_int_equal(trust_remove(trust, entry->certificate.sha256, &problems), ASSAY_OK);
    trust_free(trust);
    trust = load("fresh"); /* gone in both roles */
    assert_int_equal(trust->count, 1);
    trust_free(trust);
    assert_int_equal(problems.count, 0);
}

static void test_remove_from_a_bundle(void **state)
{
    const struct slice one = scratch_ca("one", 1), two = scratch_ca("two", 2), three = scratch_ca("three", 3);
    struct problems problems = {0};
    struct trust *trust;

    scratch_make("bundle");
    SCRATCH_PEM("bundle/all.pem", one, two, three, two);
    trust = load("bundle");
    assert_int_equal(trust->count, 3);
    assert_int_equal(trust_remove(trust, trust->entries[1].certificate.sha256, &problems), ASSAY_OK);
    trust_free(trust);
    trust = load("bundle");
    assert_int_equal(trust->count, 2);
    assert_true(slice_equal(trust->entries[1].certificate.der, three));
    trust_free(trust);
}

static void test_find(void **state)
{
    static const struct {
        const char *text;
        enum assay_error error;
    } cases[] = {{"", ASSAY_ERR_MALFORMED},
                 {"1234567", ASSAY_ERR_MALFORMED},
                 {"1234567g", ASSAY_ERR_MALFORMED},
                 {"../../../etc/passwd", ASSAY_ERR_MALFORMED},
                 {"00000000000000000000000000000000000000000000000000000000000000000", ASSAY_ERR_MALFORMED},
                 {"00000000", ASSAY_ERR_NOT_FOUND}};
    const struct trust_entry *entry;
    char fingerprint[65], colons[24];
    struct trust *trust;

    scratch_make("find");
    SCRATCH_PEM("find/a.pem", scratch_ca("one", 1));
    trust = load("find");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(trust_find(trust, cases[i].text, &entry), cases[i].error);
    trust_fingerprint(trust->entries[0].certificate.sha256, fingerprint);
    assert_int_equal(trust_find(trust, fingerprint, &entry), ASSAY_OK);
    snprintf(colons, sizeof(colons), "%.2s:%.2s:%.2s:%.2s", fingerprint, fingerprint + 2, fingerprint + 4,
             fingerprint + 6);
    assert_int_equal(trust_find(trust, colons, &entry), ASSAY_OK);
    trust_free(trust);
}

/* A failure in the middle takes back what was written. */
static void test_add_is_all_or_nothing(void **state)
{
    const struct slice both[] = {scratch_ca("one", 1), self_signed("two.steven.lab", 2)};
    struct problems problems = {0};
    struct trust *trust, *added;
    struct text upload = {0};
    char block[8192];

    for (size_t i = 0; i < 2; i++) {
        x509_pem_write(both[i], block, sizeof(block));
        text_add_text(&upload, block);
    }
    scratch_make("half");
    trust = load("half");
    /* leads nowhere: the second cannot be written */
    assert_int_equal(symlink("nowhere", scratch_path("half/leaves")), 0);
    added = trust_read(text_slice(&upload), "upload", -1, &problems);
    assert_non_null(added);
    assert_int_equal(added->count, 2);
    assert_int_not_equal(trust_add(trust, added, &problems), ASSAY_OK);
    assert_int_equal(problems.count, 1);
    assert_int_equal(scratch_count("half/anchors"), 0);
    assert_null(added->entries[0].file);
    trust_free(added);
    trust_free(trust);
    problems_free(&problems);
    text_free(&upload);
}

static void test_uploads_that_are_refused(void **state)
{
    struct problems problems = {0};

    assert_null(trust_read(slice_of(NULL, 0), "upload", -1, &problems));
    assert_null(trust_read(slice_text("no certificate"), "upload", -1, &problems));
    assert_int_equal(problems.count, 2);
    problems_free(&problems);
}

static void test_expired_is_accepted(void **state)
{
    struct forge old = {.subject = "old",
                        .key = forge_key(FORGE_P256, 9),
                        .not_before = FORGE_NOW - 2 * FORGE_YEAR,
                        .not_after = FORGE_NOW - FORGE_YEAR,
                        .extensions = {forge_ca(-1)}};

    add("expired", forge_certificate(&old), -1);
    assert_int_equal(scratch_count("expired/anchors"), 1);
}

/* The content does not depend on where the files are. */
static void test_content(void **state)
{
    const struct slice one = scratch_ca("one", 1), two = scratch_ca("two", 2);
    struct text a = {0}, b = {0};
    struct trust *trust;

    scratch_make("x");
    scratch_make("y");
    scratch_make("y/anchors");
    SCRATCH_PEM("x/all.pem", one, two);
    SCRATCH_PEM("y/a.pem", two);
    SCRATCH_PEM("y/anchors/b.pem", one);
    trust = load("x");
    trust_content(trust, &a);
    trust_free(trust);
    trust = load("y");
    trust_content(trust, &b);
    trust_free(trust);
    assert_string_equal(text_get(&a), text_get(&b));
    assert_int_equal(strncmp(text_get(&a), "anchor ", 7), 0);
    text_free(&a);
    text_free(&b);
}

static void test_role_words(void **state)
{
    enum x509_role role;

    assert_int_equal(trust_role_parse("root", &role), ASSAY_ERR_MALFORMED);
    assert_int_equal(trust_role_parse("", &role), ASSAY_ERR_MALFORMED);
    assert_int_equal(trust_role_parse("helper", &role), ASSAY_OK);
    assert_int_equal(role, X509_ROLE_HELPER);
    assert_int_equal(trust_role_parse("leaf", &role), ASSAY_OK);
    assert_int_equal(role, X509_ROLE_LEAF_ONLY);
    assert_string_equal(trust_folder(X509_ROLE_LEAF_ONLY), "leaves");
}

/* Hundreds of one name, each twice in the file and one a third time in a folder of a role; read again beside what is known, the picture
 * is the same, and each certificate is found. */
static void test_many_and_again(void **state)
{
    enum { MANY = 300 };
    struct slice ders[2 * MANY];
    struct text first = {0}, second = {0};
    struct problems problems = {0};
    struct trust *trust, *again;

    for (unsigned i = 0; i < MANY; i++) {
        struct forge forge = {
            .subject = "one name", .serial = forge_integer((long)i + 1), .extensions = {forge_ca(-1)}};

        if (i % 3 == 0)
            forge.extensions[0] = forge_san(forge_dns("one.name"));
        ders[i] = ders[2 * MANY - 1 - i] = forge_certificate(&forge);
    }
    scratch_make("many");
    scratch_pem("many/all.pem", ders, 2 * MANY);
    scratch_make("many/helpers");
    SCRATCH_PEM("many/helpers/one.pem", ders[1]);
    trust = load("many");
    assert_int_equal(trust->count, MANY + 1);
    again = trust_load_again(scratch_path("many"), trust, &problems);
    assert_non_null(again);
    assert_int_equal(problems.count, 0);
    trust_content(trust, &first);
    trust_content(again, &second);
    assert_string_equal(text_get(&first), text_get(&second));
    for (unsigned i = 0; i < trust->count; i++) {
        const struct trust_entry *entry;
        char fingerprint[2 * X509_FINGERPRINT_SIZE + 1];

        trust_fingerprint(trust->entries[i].certificate.sha256, fingerprint);
        assert_int_equal(trust_find(again, fingerprint, &entry), ASSAY_OK);
        assert_int_equal(again->entries[i].role, trust->entries[i].role);
        assert_int_equal(again->entries[i].role_proposed, trust->entries[i].role_proposed);
    }
    text_free(&first);
    text_free(&second);
    trust_free(again);
    trust_free(trust);
}

/* What was not written to is not read again; of what was, the picture before knows nothing. */
static void test_files_are_kept(void **state)
{
    struct slice one = scratch_ca("kept one", 0), two = scratch_ca("kept two", 1), three = scratch_ca("kept three", 2);
    struct problems problems = {0};
    struct trust *first, *second, *third;

    scratch_make("kept");
    scratch_make("kept/anchors");
    SCRATCH_PEM("kept/anchors/a.pem", one, two);
    SCRATCH_PEM("kept/b.pem", two);
    first = load("kept");
    assert_int_equal(first->file_count, 2);
    for (size_t i = 0; i < first->file_count; i++)
        first->files[i]->settled = true; /* as if they had been written to long ago */
    second = trust_load_again(scratch_path("kept"), first, &problems);
    assert_non_null(second);
    for (size_t i = 0; i < 2; i++)
        assert_ptr_equal(second->files[i], first->files[i]);
    trust_free(first); /* what it held is still there */
    assert_int_equal(second->count, 2);
    assert_true(slice_equal(second->entries[1].certificate.der, two));
    assert_string_equal(second->entries[0].file, scratch_path("kept/anchors/a.pem"));

    SCRATCH_PEM("kept/anchors/a.pem", one, two, three);
    third = trust_load_again(scratch_path("kept"), second, &problems);
    assert_non_null(third);
    assert_int_equal(third->count, 3);
    assert_ptr_not_equal(third->files[0], second->files[0]);
    assert_ptr_equal(third->files[1], second->files[1]);
    assert_int_equal(trust_remove(third, third->entries[1].certificate.sha256, &problems), ASSAY_OK);
    assert_false(scratch_exists("kept/b.pem"));
    trust_free(second);
    second = trust_load_again(scratch_path("kept"), third, &problems);
    assert_int_equal(second->count, 2);
    assert_int_equal(problems.count, 0);
    trust_free(second);
    trust_free(third);
}

/* A change that is only thought of: what is there with that role is not taken twice, what goes can come again. */
static void test_merge_and_forget(void **state)
{
    struct problems problems = {0};
    struct trust *trust = NULL, *added;
    uint8_t first[X509_FINGERPRINT_SIZE];

    for (unsigned i = 0; i < 40; i++) {
        struct slice der = scratch_ca("many", i % 16);

        added = trust_read(der, "one", X509_ROLE_ANCHOR, &problems);
        assert_non_null(added);
        if (trust == NULL) {
            trust = added;
            memcpy(first, trust->entries[0].certificate.sha256, sizeof(first));
            continue;
        }
        trust_merge(trust, added);
        trust_merge(trust, added);
        assert_int_equal(trust->count, i + 1); /* each signature is another certificate */
        trust_free(added);
    }
    added = trust_read(trust->entries[0].certificate.der, "one", X509_ROLE_HELPER, &problems);
    trust_merge(trust, added); /* another role */
    assert_int_equal(trust->count, 41);
    trust_forget(trust, first);
    assert_int_equal(trust->count, 39);
    trust_merge(trust, added);
    trust_merge(trust, added);
    assert_int_equal(trust->count, 40);
    for (size_t i = 0; i < trust->count; i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(trust->entries[i].certificate.sha256, trust->entries[k].certificate.sha256, 32);
    trust_free(added);
    trust_free(trust);
    problems_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_that_are_refused), cmocka_unit_test(test_no_directory),
        cmocka_unit_test(test_roles_and_formats),      cmocka_unit_test(test_add_list_remove),
        cmocka_unit_test(test_remove_from_a_bundle),   cmocka_unit_test(test_find),
        cmocka_unit_test(test_add_is_all_or_nothing),  cmocka_unit_test(test_uploads_that_are_refused),
        cmocka_unit_test(test_expired_is_accepted),    cmocka_unit_test(test_content),
        cmocka_unit_test(test_many_and_again),         cmocka_unit_test(test_role_words),
        cmocka_unit_test(test_merge_and_forget),       cmocka_unit_test(test_files_are_kept),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
