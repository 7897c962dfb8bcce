/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "daemon/crl_sources.h"
#include "forge.h"
#include "scratch.h"

#define URL   "http://198.18.2.53/a.crl"
#define OTHER "http://198.18.2.54/a.crl"

static struct config_revocation config = {.fetch = true,
                                          .fetch_interval = 86400000000,
                                          .fetch_retry = 60000000,
                                          .fetch_timeout = 30000000,
                                          .fetch_max = 65536};

static struct crl_clock at(int64_t seconds)
{
    return (struct crl_clock){.wall_s = FORGE_NOW + seconds, .now_ms = (uint64_t)(1000000 + seconds) * 1000};
}

static struct crl_source *want(struct crl_sources *sources, const char *one, const char *two)
{
    struct slice uris[] = {slice_text(one), slice_text(two != NULL ? two : "")};
    struct crl_source *source = NULL;

    assert_true(crl_sources_want(sources, uris, two != NULL ? 2 : 1, "test", &source));
    return source;
}

static void *ca_key(void)
{
    return forge_key(FORGE_P256, 0);
}

static struct slice ca_der(unsigned key)
{
    return forge_certificate(
        &(struct forge){.subject = "CA", .key = forge_key(FORGE_P256, key), .extensions = {forge_ca(-1)}});
}

static struct x509_store *store_of(struct slice der)
{
    struct x509_store *store = x509_store_create();

    if (der.len > 0)
        assert_int_equal(x509_store_add(store, der, X509_ROLE_ANCHOR, NULL), ASSAY_OK);
    return store;
}

static struct x509_crl_record *record_of(struct forge_crl what)
{
    struct x509_crl_record *record;

    if (what.issuer == NULL)
        what.issuer = "CA";
    if (what.signer == NULL)
        what.signer = ca_key();
    assert_int_equal(x509_crl_record_create(forge_crl(&what), &record, NULL), ASSAY_OK);
    return record;
}

/* Asks and takes what is answered. */
static enum crl_outcome take(struct crl_sources *sources, struct crl_source *source, struct crl_answer answer,
                             const struct x509_store *store, struct crl_clock clock)
{
    struct crl_request request;
    struct names names = {0};

    assert_true(crl_source_request(sources, source, &names, &config, &clock, &request));
    assert_int_equal(request.id, source->id);
    assert_false(crl_source_request(sources, source, &names, &config, &clock, &request)); /* under way */
    return crl_source_take(sources, source, &answer, store, &config, &clock);
}

static void which_are_wanted(void **state)
{
    struct crl_sources sources = {0};
    struct slice bad[] = {slice_text("ldap://a/"), slice_text("http://user@a/")};
    struct slice mixed[] = {slice_text("ldap://a/"), slice_text(OTHER), slice_text("HTTP://198.18.2.53:80/a.crl")};
    struct crl_source *a, *b;

    (void)state;
    assert_false(crl_sources_want(&sources, bad, 2, "test", &a));
    assert_int_equal(sources.count, 0);
    a = want(&sources, URL, NULL);
    assert_ptr_equal(want(&sources, "HTTP://198.18.2.53:80/a.crl", NULL), a);
    assert_true(crl_sources_want(&sources, mixed, 3, "test", &b));
    assert_int_equal(b->url_count, 2);
    assert_string_equal(b->urls[0].text, OTHER);
    assert_string_equal(b->urls[1].text, URL);
    assert_int_equal(sources.count, 2);
    assert_ptr_equal(crl_sources_find(&sources, b->id), b);
    crl_sources_begin(&sources);
    (void)want(&sources, OTHER, NULL);
    assert_int_equal(sources.count, 2);
    assert_int_equal(crl_sources_sweep(&sources), 1);
    assert_int_equal(sources.count, 1);
    assert_ptr_equal(sources.items[0], b);
    for (unsigned i = 1; i < CRL_SOURCES_MAX; i++) {
        char text[64];

        snprintf(text, sizeof(text), "http://a/%u", i);
        (void)want(&sources, text, NULL);
    }
    assert_false(crl_sources_want(&sources, &mixed[2], 1, "test", &a));
    assert_true(sources.full);
    assert_true(crl_sources_want(&sources, &mixed[1], 1, "test", &a)); /* there already */
    crl_sources_free(&sources);
}

/* Nobody who answers in the server's place can take anything away. */
static void what_is_believed(void **state)
{
    const struct {
        const char *error;
        struct forge_crl crl;
        unsigned store; /* the CA's key there; 99: no CA */
        enum crl_outcome expected;
    } cases[] = {
        {"the CRL's issuer CA is not known", {.issuer = "CA"}, 99, CRL_FAILED},
        {"the CRL's issuer X is not known", {.issuer = "X"}, 0, CRL_FAILED},
        {"the CRL is not signed by CA", {.signer = forge_key(FORGE_P256, 3)}, 0, CRL_FAILED},
        {"the CRL is not signed by CA", {.break_signature = true}, 0, CRL_FAILED},
        {"the CRL is not signed by CA", {.issuer = "CA"}, 1, CRL_FAILED},
        {"the CRL is older than the one at hand", {.this_update = FORGE_NOW - 3601}, 0, CRL_FAILED},
        {"the CRL's nextUpdate is over, that of the one at hand is not",
         {.this_update = FORGE_NOW - 10, .next_update_s = FORGE_NOW - 1},
         0,
         CRL_FAILED},
        {"", {.this_update = FORGE_NOW - 10}, 0, CRL_NEW},
        {"", {.issuer = "CA"}, 0, CRL_UNCHANGED},
    };
    struct slice good = forge_crl(&(struct forge_crl){.issuer = "CA", .signer = ca_key()});

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_store *first = store_of(ca_der(0));
        struct x509_store *store = store_of(cases[i].store == 99 ? slice_of(NULL, 0) : ca_der(cases[i].store));
        struct crl_sources sources = {0};
        struct crl_source *source = want(&sources, URL, NULL);
        struct x509_crl_record *record;
        enum crl_outcome outcome;

        assert_int_equal(x509_crl_record_create(good, &record, NULL), ASSAY_OK);
        assert_int_equal(take(&sources, source, (struct crl_answer){.record = record}, first, at(0)), CRL_NEW);
        source->due_ms = 0;
        record = cases[i].expected == CRL_UNCHANGED ? x509_crl_record_ref(record) : record_of(cases[i].crl);
        outcome = take(&sources, source, (struct crl_answer){.record = record}, store, at(1));
        if (outcome != cases[i].expected || strcmp(source->error, cases[i].error) != 0)
            fail_msg("case %zu: %d, %s", i, (int)outcome, source->error);
        assert_non_null(source->record);
        if (outcome == CRL_FAILED)
            assert_true(slice_equal(source->record->crl.der, good));
        x509_store_free(store);
        x509_store_free(first);
        crl_sources_free(&sources);
    }
}

/* What can prove a list does so until it is known that no path has it any more. */
static void issuers_stay_until_swept(void **state)
{
    struct crl_sources sources = {0};
    struct crl_source *source = want(&sources, URL, NULL);
    char octet[CRL_ISSUERS_MAX + 2];

    (void)state;
    for (unsigned i = 0; i < sizeof(octet); i++) {
        octet[i] = (char)('a' + i);
        crl_source_add_issuer(source, slice_of(&octet[i], 1));
    }
    assert_int_equal(source->issuer_count, CRL_ISSUERS_MAX); /* the others found no place */
    crl_sources_begin(&sources);
    (void)want(&sources, URL, NULL);
    crl_source_add_issuer(source, slice_of(&octet[1], 1));
    assert_int_equal(source->issuer_count, CRL_ISSUERS_MAX);
    crl_source_add_issuer(source, slice_of(&octet[CRL_ISSUERS_MAX], 1)); /* in the place of "a" */
    assert_int_equal(source->issuer_count, CRL_ISSUERS_MAX);
    assert_int_equal(crl_sources_sweep(&sources), 0);
    assert_int_equal(source->issuer_count, 2);
    assert_true(slice_equal(source->issuers[0], slice_of(&octet[CRL_ISSUERS_MAX], 1)));
    assert_true(slice_equal(source->issuers[1], slice_of(&octet[1], 1)));
    crl_sources_free(&sources);
}

/* An intermediate that only the origin presents has signed it. A leaf that is trusted by itself signs nothing. */
static void who_may_sign(void **state)
{
    struct slice leaf_only = forge_certificate(&(struct forge){.subject = "CA", .key = ca_key()});
    struct slice ca = ca_der(0);
    struct x509_store *empty = store_of(slice_of(NULL, 0)), *leaves = x509_store_create();
    struct crl_sources sources = {0};
    struct crl_source *source = want(&sources, URL, NULL);

    (void)state;
    assert_int_equal(x509_store_add(leaves, leaf_only, X509_ROLE_LEAF_ONLY, NULL), ASSAY_OK);
    assert_int_equal(
        take(&sources, source, (struct crl_answer){.record = record_of((struct forge_crl){0})}, leaves, at(0)),
        CRL_FAILED);
    crl_source_add_issuer(source, ca_der(5));
    crl_source_add_issuer(source, ca);
    crl_source_add_issuer(source, ca);
    assert_int_equal(source->issuer_count, 2);
    source->due_ms = 0;
    assert_int_equal(
        take(&sources, source, (struct crl_answer){.record = record_of((struct forge_crl){0})}, empty, at(0)), CRL_NEW);
    x509_store_free(leaves);
    x509_store_free(empty);
    crl_sources_free(&sources);
}

/* No certificate of the issuer is known yet: the first list stays beside the newest, whatever comes; once there is one, its
 * signature decides. */
static void before_the_issuer_is_known(void **state)
{
    struct x509_store *empty = store_of(slice_of(NULL, 0)), *store = store_of(ca_der(0));
    struct x509_crl_record *good = record_of((struct forge_crl){.this_update = FORGE_NOW - 50}), *forged, *later;
    struct crl_sources sources = {0};
    struct crl_source *source = want(&sources, URL, NULL);

    (void)state;
    assert_int_equal(take(&sources, source, (struct crl_answer){.record = good}, empty, at(0)), CRL_NEW);
    assert_false(source->proven);
    for (int i = 0; i < 3; i++) {
        forged = record_of((struct forge_crl){.this_update = FORGE_NOW - 40 + i, .signer = forge_key(FORGE_P256, 3)});
        source->due_ms = 0;
        assert_int_equal(take(&sources, source, (struct crl_answer){.record = forged}, empty, at(0)), CRL_NEW);
        assert_ptr_equal(source->record, good);
        assert_ptr_equal(crl_source_latest(source), forged);
    }
    source->due_ms = 0;
    assert_int_equal(take(&sources, source, (struct crl_answer){.record = record_of((struct forge_crl){.issuer = "X"})},
                          empty, at(0)),
                     CRL_FAILED);
    assert_string_equal(source->error, "the CRL is of another issuer, X, than the one at hand");
    source->due_ms = 0; /* a forged one that is newer keeps no proven one out */
    later = record_of((struct forge_crl){.this_update = FORGE_NOW - 45});
    assert_int_equal(take(&sources, source, (struct crl_answer){.record = later}, store, at(0)), CRL_NEW);
    assert_true(source->proven);
    assert_ptr_equal(source->record, later);
    assert_null(source->newest);
    x509_store_free(store);
    x509_store_free(empty);
    crl_sources_free(&sources);
}

/* The first one may be over: what is on it is revoked nevertheless. But it is asked for again like after a failure. */
static void an_expired_one_is_better_than_none(void **state)
{
    struct x509_store *store = store_of(ca_der(0));
    struct crl_sources sources = {0};
    struct crl_source *source = want(&sources, URL, NULL);
    struct x509_crl_record *record = record_of((struct forge_crl){.next_update_s = FORGE_NOW - 1});

    (void)state;
    x509_crl_record_ref(record);
    assert_int_equal(take(&sources, source, (struct crl_answer){.record = record}, store, at(0)), CRL_NEW);
    assert_string_equal(source->error, "the CRL's nextUpdate is over");
    assert_int_equal(source->failures, 1);
    source->due_ms = 0;
    assert_int_equal(take(&sources, source, (struct crl_answer){.record = record}, store, at(60)), CRL_FAILED);
    assert_int_equal(source->failures, 2);
    source->due_ms = 0;
    assert_int_equal(take(&sources, source,
                          (struct crl_answer){.record = record_of((struct forge_crl){.this_update = FORGE_NOW})}, store,
                          at(60)),
                     CRL_NEW);
    assert_string_equal(source->error, "");
    assert_int_equal(source->failures, 0);
    x509_store_free(store);
    crl_sources_free(&sources);
}

static uint64_t delay_s(const struct crl_source *source, struct crl_clock clock)
{
    return (source->due_ms - clock.now_ms) / 1000;
}

static void when_it_is_asked_again(void **state)
{
    const struct {
        int64_t next_update_s; /* from now */
        uint64_t least_s, most_s;
    } cases[] = {{3600, 2430, 2700}, {4, 2, 3}, {1, 1, 1}, {864000, 77760, 86400}};
    struct x509_store *store = store_of(ca_der(0));

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (uint32_t random = 0; random < 2048; random += 511) {
            struct crl_sources sources = {0};
            struct crl_source *source = want(&sources, URL, NULL);
            struct x509_crl_record *record =
                record_of((struct forge_crl){.next_update_s = FORGE_NOW + cases[i].next_update_s});
            struct crl_clock clock = at(0);

            clock.random = random;
            x509_crl_record_ref(record);
            assert_int_equal(take(&sources, source, (struct crl_answer){.record = record}, store, clock), CRL_NEW);
            assert_in_range(delay_s(source, clock), cases[i].least_s, cases[i].most_s);
            source->due_ms = 0;
            assert_int_equal(take(&sources, source, (struct crl_answer){.record = record}, store, clock),
                             CRL_UNCHANGED);
            assert_in_range(delay_s(source, clock), 60, cases[i].most_s > 60 ? cases[i].most_s : 60);
            crl_sources_free(&sources);
        }
    x509_store_free(store);
}

static void later_after_each_failure(void **state)
{
    static const uint64_t least[] = {54, 108, 216, 432, 864, 1728, 3456, 3456}, most = 3840;
    struct x509_store *store = store_of(ca_der(0));
    struct crl_sources sources = {0};
    struct crl_source *source = want(&sources, URL, NULL);
    struct crl_clock clock = at(0);

    (void)state;
    for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++) {
        clock.random = (uint32_t)i * 300;
        assert_int_equal(take(&sources, source, (struct crl_answer){.error = "the server answered 404"}, store, clock),
                         CRL_FAILED);
        assert_string_equal(source->error, "the server answered 404");
        assert_in_range(delay_s(source, clock), least[i], least[i] * 10 / 9 < most ? least[i] * 10 / 9 + 1 : most);
        clock.now_ms = source->due_ms - 1;
        assert_false(
            crl_source_request(&sources, source, &(struct names){0}, &config, &clock, &(struct crl_request){0}));
        clock.now_ms++;
    }
    config.fetch_interval = 100000000;
    assert_int_equal(take(&sources, source, (struct crl_answer){.error = "x"}, store, clock), CRL_FAILED);
    assert_in_range(delay_s(source, clock), 90, 100); /* never later than usual */
    config.fetch_interval = 86400000000;
    assert_int_equal(sources.failed, 9);
    x509_store_free(store);
    crl_sources_free(&sources);
}

/* The mirrors of a distribution point at once, one after the other; then a pause. */
static void the_mirrors(void **state)
{
    struct x509_store *store = store_of(ca_der(0));
    struct crl_sources sources = {0};
    struct crl_source *source = want(&sources, URL, OTHER);
    struct crl_clock clock = at(0);
    struct crl_request request;

    (void)state;
    assert_true(crl_source_request(&sources, source, &(struct names){0}, &config, &clock, &request));
    assert_string_equal(request.url.text, URL);
    assert_int_equal(crl_source_take(&sources, source, &(struct crl_answer){.error = "x"}, store, &config, &clock),
                     CRL_FAILED);
    assert_true(crl_source_request(&sources, source, &(struct names){0}, &config, &clock, &request));
    assert_string_equal(request.url.text, OTHER);
    assert_int_equal(crl_source_take(&sources, source, &(struct crl_answer){.error = "x"}, store, &config, &clock),
                     CRL_FAILED);
    assert_false(crl_source_request(&sources, source, &(struct names){0}, &config, &clock, &request));
    clock = at(60);
    assert_true(crl_source_request(&sources, source, &(struct names){0}, &config, &clock, &request));
    assert_string_equal(request.url.text, URL);
    crl_source_not_asked(source);
    assert_true(crl_source_request(&sources, source, &(struct names){0}, &config, &clock, &request));
    x509_store_free(store);
    crl_sources_free(&sources);
}

static void redirections(void **state)
{
    struct x509_store *store = store_of(ca_der(0));
    struct crl_sources sources = {0};
    struct crl_source *source = want(&sources, URL, NULL);
    struct crl_clock clock = at(0);
    struct crl_request request;

    (void)state;
    for (int i = 0; i < CRL_REDIRECTS_MAX; i++) {
        assert_int_equal(
            take(&sources, source, (struct crl_answer){.redirected = true, .redirect = OTHER}, store, clock),
            CRL_REDIRECTED);
        assert_true(crl_source_request(&sources, source, &(struct names){0}, &config, &clock, &request));
        assert_string_equal(request.url.text, OTHER);
        crl_source_not_asked(source);
    }
    assert_int_equal(take(&sources, source, (struct crl_answer){.redirected = true, .redirect = OTHER}, store, clock),
                     CRL_FAILED);
    assert_string_equal(source->error, "redirected more than 3 times");
    source->due_ms = 0;
    assert_int_equal(
        take(&sources, source, (struct crl_answer){.redirected = true, .redirect = "file:///x"}, store, clock),
        CRL_FAILED);
    assert_string_equal(source->error, "redirected to what is no http or https URL");
    /* the next try begins where the certificate says */
    clock = at(4000);
    assert_true(crl_source_request(&sources, source, &(struct names){0}, &config, &clock, &request));
    assert_string_equal(request.url.text, URL);
    x509_store_free(store);
    crl_sources_free(&sources);
}

static void expect_error(const char *url, const struct names *names, const char *error)
{
    struct crl_sources sources = {0};
    struct crl_source *source = want(&sources, url, NULL);
    struct crl_clock clock = at(0);
    struct crl_request request;

    assert_false(crl_source_request(&sources, source, names, &config, &clock, &request));
    assert_string_equal(source->error, error);
    assert_int_equal(source->failures, error[0] != '\0');
    crl_sources_free(&sources);
}

/* Names as control resolved them; never the host itself, nor what the operator left out. */
static void whom_to_ask(void **state)
{
    struct assay_address addresses[2];
    struct assay_prefix from;
    struct crl_sources sources = {0};
    struct crl_source *source;
    struct crl_clock clock = at(0);
    struct crl_request request;
    struct names names = {0};

    (void)state;
    assert_int_equal(address_parse(slice_text("198.18.2.53"), &addresses[0]), ASSAY_OK);
    assert_int_equal(address_parse(slice_text("2001:db8::53"), &addresses[1]), ASSAY_OK);
    names_want(&names, slice_text("crl.lab"));
    expect_error("http://127.0.0.1/", &names, "127.0.0.1 may not be asked (trust.revocation.fetch_from)");
    expect_error("http://169.254.169.254/", &names, "169.254.169.254 may not be asked (trust.revocation.fetch_from)");
    expect_error("http://[::1]/", &names, "::1 may not be asked (trust.revocation.fetch_from)");
    expect_error("http://crl.lab/", &names, ""); /* not answered yet: no fault */
    names_fail(&names, slice_text("crl.lab"), "NXDOMAIN");
    expect_error("http://crl.lab/", &names, "the server has no address: NXDOMAIN");
    names_answer(&names, slice_text("crl.lab"), addresses, 2, NULL, 0);
    source = want(&sources, "http://crl.lab/", NULL);
    assert_true(crl_source_request(&sources, source, &names, &config, &clock, &request));
    assert_true(address_equal(&request.address, &addresses[1])); /* IPv6 first */
    assert_int_equal(request.bytes_max, 65536);
    assert_int_equal(request.timeout_ms, 30000);
    crl_source_not_asked(source);
    source->failures = 1;
    assert_true(crl_source_request(&sources, source, &names, &config, &clock, &request));
    assert_true(address_equal(&request.address, &addresses[0]));
    crl_source_not_asked(source);
    source->failures = 0;
    assert_int_equal(prefix_parse(slice_text("198.18.0.0/15"), &from), ASSAY_OK);
    config.fetch_from.items = &from;
    config.fetch_from.count = 1;
    assert_true(crl_source_request(&sources, source, &names, &config, &clock, &request));
    assert_true(address_equal(&request.address, &addresses[0]));
    assert_int_equal(prefix_parse(slice_text("10.0.0.0/8"), &from), ASSAY_OK);
    expect_error("http://crl.lab/", &names, "no address of the server may be asked (trust.revocation.fetch_from)");
    config.fetch_from.items = NULL;
    config.fetch_from.count = 0;
    names_free(&names);
    crl_sources_free(&sources);
}

static void from_the_cache(void **state)
{
    struct x509_store *store = store_of(ca_der(0));
    struct crl_sources sources = {0};
    struct crl_source *source = want(&sources, URL, NULL);

    (void)state;
    assert_false(
        crl_source_take_cached(source, record_of((struct forge_crl){.signer = forge_key(FORGE_P256, 3)}), store));
    assert_null(source->record);
    assert_true(crl_source_take_cached(source, record_of((struct forge_crl){0}), store));
    assert_non_null(source->record);
    assert_false(crl_source_take_cached(source, record_of((struct forge_crl){.this_update = FORGE_NOW}), store));
    x509_store_free(store);
    crl_sources_free(&sources);
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
        cmocka_unit_test(which_are_wanted),
        cmocka_unit_test(what_is_believed),
        cmocka_unit_test(who_may_sign),
        cmocka_unit_test(issuers_stay_until_swept),
        cmocka_unit_test(before_the_issuer_is_known),
        cmocka_unit_test(an_expired_one_is_better_than_none),
        cmocka_unit_test(when_it_is_asked_again),
        cmocka_unit_test(later_after_each_failure),
        cmocka_unit_test(the_mirrors),
        cmocka_unit_test(redirections),
        cmocka_unit_test(whom_to_ask),
        cmocka_unit_test(from_the_cache),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
