/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/crls.h"
#include "daemon/sections.h"
#include "forge.h"
#include "scratch.h"

static struct slice crl_of(const char *issuer, struct slice extension)
{
    return forge_crl(
        &(struct forge_crl){.issuer = issuer, .signer = forge_key(FORGE_P256, 1), .extensions = {extension}});
}

static struct slice plain(const char *issuer)
{
    return crl_of(issuer, slice_of(NULL, 0));
}

static const char *full(const char *name, const char *text)
{
    static char lines[8][512];
    static unsigned next;
    char *line = lines[next++ % 8];

    snprintf(line, sizeof(lines[0]), "%s: %s", scratch_path(name), text);
    return line;
}

static struct config *config_of(const char *trust)
{
    struct problems problems = {0};
    struct text text = {0};
    struct config *config;

    text_printf(&text, "port: {device: net_null0, address: 198.18.0.10/15}\nlisteners: [{clients: any, tls: off}]\n%s",
                trust);
    config = config_parse(text_slice(&text), scratch_path("other.yaml"), &problems);
    assert_non_null(config);
    problems_free(&problems);
    text_free(&text);
    return config;
}

static void test_refuses(void **state)
{
    struct problems problems = {0};
    struct text content = {0};

    (void)state;
    assert_null(crls_load(NULL, scratch_path("nowhere"), &content, &problems));
    scratch_expect(&problems, (const char *const[]){"nowhere: cannot be read: No such file or directory", NULL});
    problems_free(&problems);
    problems = (struct problems){0};
    scratch_make("bad");
    scratch_write_slice("bad/a.crl", slice_head(plain("A"), 40));
    scratch_write("bad/b.pem", "no list in here\n");
    scratch_write("bad/c.pem", "-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n");
    scratch_write_slice("bad/d.crl", plain("D"));
    scratch_write("bad/.hidden.crl", "x");
    scratch_write("bad/README", "x");
    assert_null(crls_load(NULL, scratch_path("bad"), &content, &problems));
    scratch_expect(&problems,
                   (const char *const[]){"bad/a.crl: CRL 1: not a DER CRL", "bad/b.pem: holds no CRL (PEM or DER)",
                                         "bad/c.pem:1: CRL 1: cannot be decoded", NULL});
    problems_free(&problems);
    text_free(&content);
}

/* Sound, yet not for us: a warning; the others are taken. */
static void test_leaves_out(void **state)
{
    struct problems problems = {0};
    struct text content = {0};
    struct x509_crl_set *set;

    (void)state;
    scratch_make("mixed");
    scratch_write_slice("mixed/a.crl", plain("A"));
    scratch_write_slice("mixed/delta.crl", crl_of("A", forge_extension("2.5.29.27", true, forge_integer(1))));
    set = crls_load(NULL, scratch_path("mixed"), &content, &problems);
    assert_non_null(set);
    assert_int_equal(x509_crl_set_count(set), 1);
    assert_int_equal(problems.warning_count, 1);
    assert_string_equal(problems.warnings[0],
                        full("mixed/delta.crl", "CRL 1 left out: a delta CRL: give the complete one"));
    x509_crl_set_free(set);
    problems_free(&problems);
    text_free(&content);
}

/* The content is that of the lists, whatever the files are called. */
static void test_content(void **state)
{
    struct problems problems = {0};
    struct text one = {0}, same = {0}, other = {0};
    struct slice a = plain("A"), b = plain("B");

    (void)state;
    scratch_make("one");
    scratch_make("same");
    scratch_write_slice("one/a.crl", a);
    scratch_write_slice("one/b.crl", b);
    scratch_write_slice("same/1.der", b);
    scratch_write_slice("same/2.der", a);
    x509_crl_set_free(crls_load(NULL, scratch_path("one"), &one, &problems));
    x509_crl_set_free(crls_load(NULL, scratch_path("same"), &same, &problems));
    x509_crl_set_free(crls_load(NULL, scratch_path("one/a.crl"), &other, &problems)); /* a file alone */
    assert_false(problems_any(&problems));
    assert_string_equal(text_get(&one), text_get(&same));
    assert_string_not_equal(text_get(&one), text_get(&other));
    assert_int_not_equal(text_slice(&other).len, 0);
    text_free(&one);
    text_free(&same);
    text_free(&other);
}

static void age(const char *name)
{
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    assert_int_equal(utimensat(AT_FDCWD, scratch_path(name), times, 0), 0);
}

/* A file that is as it was is not read again; one that is not is, even if its times say nothing; a failure forgets nothing. */
static void test_reads_what_changed(void **state)
{
    struct problems problems = {0};
    struct text content = {0};
    struct crls crls = {0};
    const struct x509_crl_record *first;
    struct x509_crl_set *one, *two;

    (void)state;
    scratch_make("kept");
    scratch_write_slice("kept/a.crl", plain("A"));
    scratch_write_slice("kept/delta.crl", crl_of("A", forge_extension("2.5.29.27", true, forge_integer(1))));
    one = crls_load(&crls, scratch_path("kept"), &content, &problems);
    assert_int_equal(crls.reads, 2);
    first = x509_crl_set_at(one, 0);
    two = crls_load(&crls, scratch_path("kept"), &content, &problems);
    assert_int_equal(crls.reads, 4); /* written just now: the clock may not have moved on */
    x509_crl_set_free(two);
    for (size_t i = 0; i < crls.count; i++)
        crls.files[i].settled = true; /* as if it had */
    two = crls_load(&crls, scratch_path("kept"), &content, &problems);
    assert_int_equal(crls.reads, 4);
    assert_int_equal(x509_crl_set_count(two), 1);
    assert_int_equal(problems.warning_count, 3); /* the delta CRL is told of each time, in the same words */
    assert_string_equal(problems.warnings[0], problems.warnings[2]);
    x509_crl_set_free(two);
    for (size_t i = 0; i < crls.count; i++)
        crls.files[i].settled = true;
    age("kept/a.crl");
    two = crls_load(&crls, scratch_path("kept"), &content, &problems);
    assert_int_equal(crls.reads, 5);
    x509_crl_set_free(two);
    scratch_write("kept/b.crl", "broken");
    assert_null(crls_load(&crls, scratch_path("kept"), &content, &problems));
    assert_int_equal(crls.count, 2);
    assert_true(slice_equal(first->crl.der, crls.files[0].records[0]->crl.der));
    x509_crl_set_free(one);
    crls_free(&crls);
    problems_free(&problems);
    text_free(&content);
}

/* Where a change is not about files, those that cannot be read count as they did. */
static void test_lasting(void **state)
{
    struct problems problems = {0};
    struct text content = {0};
    struct crls crls = {.lasting = true};
    struct x509_crl_set *set;

    (void)state;
    scratch_make("lasting");
    scratch_write("lasting/b.crl", "broken");
    assert_null(crls_load(&crls, scratch_path("lasting"), &content, &problems)); /* none was read before */
    assert_int_equal(problems.count, 1);
    problems_free(&problems);
    remove(scratch_path("lasting/b.crl"));
    scratch_write_slice("lasting/a.crl", plain("A"));
    x509_crl_set_free(crls_load(&crls, scratch_path("lasting"), &content, &problems));
    scratch_write("lasting/a.crl", "broken");
    for (int turn = 0; turn < 2; turn++) {
        set = crls_load(&crls, scratch_path("lasting"), &content, &problems);
        assert_non_null(set);
        assert_int_equal(x509_crl_set_count(set), 1);
        x509_crl_set_free(set);
    }
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.warning_count, 2);
    assert_non_null(strstr(problems.warnings[0], "the CRLs that were read last stay: "));
    crls.lasting = false;
    assert_null(crls_load(&crls, scratch_path("lasting"), &content, &problems));
    assert_int_equal(problems.count, 1);
    scratch_write_slice("lasting/a.crl", plain("B")); /* repaired */
    set = crls_load(&crls, scratch_path("lasting"), &content, &problems);
    assert_int_equal(x509_crl_set_count(set), 1);
    x509_crl_set_free(set);
    crls_free(&crls);
    problems_free(&problems);
    text_free(&content);
}

/* What is tried with a loan changes nothing, and need not read again. */
static void test_lent(void **state)
{
    struct problems problems = {0};
    struct text content = {0};
    struct crls crls = {0}, lent;
    struct x509_crl_set *set;

    (void)state;
    scratch_make("lent");
    scratch_make("elsewhere");
    scratch_write_slice("lent/a.crl", plain("A"));
    x509_crl_set_free(crls_load(&crls, scratch_path("lent"), &content, &problems));
    crls.files[0].settled = true;
    lent = crls_lend(&crls);
    set = crls_load(&lent, scratch_path("lent"), &content, &problems);
    assert_ptr_equal(x509_crl_set_at(set, 0), crls.files[0].records[0]);
    x509_crl_set_free(set);
    x509_crl_set_free(crls_load(&lent, scratch_path("elsewhere"), &content, &problems));
    assert_int_equal(lent.count, 0);
    assert_int_equal(lent.reads, 0);
    crls_give_back(&lent);
    assert_int_equal(crls.count, 1);
    crls_free(&crls);
    problems_free(&problems);
    text_free(&content);
}

/* Fetched ones beside those of files, or alone; the same list twice is one. */
static void test_fetched(void **state)
{
    struct problems problems = {0};
    struct text content = {0};
    struct crls crls = {0};
    struct slice uris[] = {slice_text("http://a/1"), slice_text("http://a/2")};
    struct crl_source *source;
    struct x509_crl_set *set;

    (void)state;
    scratch_make("beside");
    scratch_write_slice("beside/a.crl", plain("A"));
    assert_true(crl_sources_want(&crls.sources, &uris[0], 1, "", &source));
    assert_int_equal(x509_crl_record_create(plain("B"), &source->record, NULL), ASSAY_OK);
    assert_true(crl_sources_want(&crls.sources, &uris[1], 1, "", &source));
    set = crls_load(&crls, scratch_path("beside"), &content, &problems);
    assert_int_equal(x509_crl_set_count(set), 2);
    x509_crl_set_free(set);
    source->record = x509_crl_record_ref(crls.files[0].records[0]);
    set = crls_load(&crls, scratch_path("beside"), &content, &problems);
    assert_int_equal(x509_crl_set_count(set), 2);
    x509_crl_set_free(set);
    set = crls_load(&crls, NULL, &content, &problems);
    assert_int_equal(x509_crl_set_count(set), 2);
    x509_crl_set_free(set);
    crls_free(&crls);
    text_free(&content);
}

/* Into the trust section: a new list is a new epoch; nothing new keeps it; without a mode they are not even read. */
static void test_section(void **state)
{
    const char *more = "trust: {directory: trust, revocation: {mode: hard-fail, crls: lists}}\n";
    const struct verify_switches verify = {0};
    struct problems problems = {0};
    struct section *running, *next;
    struct config *config;
    struct trust *trust;

    (void)state;
    scratch_make("trust");
    scratch_make("lists");
    scratch_write_slice("lists/a.crl", plain("A"));
    config = config_of(more);
    trust = trust_load(scratch_path("trust"), &problems);
    running = section_choose(NULL, section_build_trust(config, trust, &verify, NULL, &problems));
    assert_int_equal(x509_crl_set_count(x509_store_crls(running->data.trust.scopes[0].store)), 1);
    assert_int_equal(running->data.trust.scopes[0].policy->revocation, X509_REVOCATION_HARD_FAIL);
    next = section_choose(running, section_build_trust(config, trust, &verify, NULL, &problems));
    assert_ptr_equal(next, running);
    section_drop(next);
    scratch_write_slice("lists/b.crl", plain("B"));
    next = section_choose(running, section_build_trust(config, trust, &verify, NULL, &problems));
    assert_int_equal(section_epoch(next), section_epoch(running) + 1);
    section_drop(next);
    scratch_write("lists/c.crl", "broken");
    assert_null(section_build_trust(config, trust, &verify, NULL, &problems));
    assert_true(problems_any(&problems));
    config_free(config);
    config = config_of("trust: {directory: trust, revocation: {crls: lists}}\n");
    next = section_choose(running, section_build_trust(config, trust, &verify, NULL, &problems));
    assert_null(x509_store_crls(next->data.trust.scopes[0].store));
    section_drop(next);
    section_drop(running);
    trust_free(trust);
    config_free(config);
    problems_free(&problems);
}

/* The cache of a daemon: whatever is wrong in it, the rest counts, and nothing fails. */
static void test_cache_of_a_daemon(void **state)
{
    struct problems problems = {0};
    struct crls crls = {0};
    struct text content = {0};
    struct slice b = plain("B");
    struct x509_crl_set *set;

    (void)state;
    assert_int_equal(crls_read_cache(&crls, scratch_path("no-cache"), &problems), 0);
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.warnings_kept, 1);
    assert_non_null(strstr(problems.warnings[0], "no-cache: cannot be read: No such file"));
    scratch_make("its-cache");
    scratch_make("beside-it");
    scratch_write_slice("its-cache/aa.crl", plain("A"));
    scratch_write_slice("its-cache/bb.crl", b);
    scratch_write_slice("its-cache/cc.crl", slice_head(plain("C"), 50));
    scratch_write_slice("beside-it/b.crl", b); /* the same list again */
    scratch_write_slice("beside-it/d.crl", plain("D"));
    assert_int_equal(crls_read_cache(&crls, scratch_path("its-cache"), &problems), 2);
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.warnings_kept, 2);
    assert_non_null(strstr(problems.warnings[1], "left out of what assayd fetched: "));
    assert_non_null(strstr(problems.warnings[1], "its-cache/cc.crl: CRL 1: not a DER CRL"));
    set = crls_load(&crls, scratch_path("beside-it"), &content, &problems);
    assert_non_null(set);
    assert_int_equal(x509_crl_set_count(set), 3);
    x509_crl_set_free(set);
    set = crls_load(&crls, NULL, &content, &problems);
    assert_int_equal(x509_crl_set_count(set), 2);
    x509_crl_set_free(set);
    crls_free(&crls);
    text_free(&content);
    problems_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses),           cmocka_unit_test(test_leaves_out),
        cmocka_unit_test(test_content),           cmocka_unit_test(test_reads_what_changed),
        cmocka_unit_test(test_lasting),           cmocka_unit_test(test_lent),
        cmocka_unit_test(test_fetched),           cmocka_unit_test(test_section),
        cmocka_unit_test(test_cache_of_a_daemon),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
