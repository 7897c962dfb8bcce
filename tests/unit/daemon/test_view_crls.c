/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/view_crls.h"
#include "forge.h"
#include "scratch.h"

static struct slice list_of(const char *issuer, int64_t next_update_s)
{
    return forge_crl(&(struct forge_crl){.issuer = issuer,
                                         .signer = forge_key(FORGE_P256, 1),
                                         .next_update_s = next_update_s,
                                         .revoked = forge_revoked(forge_integer(5), FORGE_NOW, slice_of(NULL, 0))});
}

static struct crl_source *want(struct control *control, const char *url)
{
    struct slice uri = slice_text(url);
    struct crl_source *source;

    assert_true(crl_sources_want(&control->crls.sources, &uri, 1, "CA \"x\"", &source));
    return source;
}

static const char *text(const json_t *row, const char *member)
{
    return json_string_value(json_object_get(row, member));
}

static void shows_files_and_sources(void **state)
{
    struct control control = {.config = scratch_config("")};
    struct problems problems = {0};
    struct text content = {0};
    struct crl_source *empty, *full;
    const json_t *rows, *row;
    json_t *view;

    (void)state;
    scratch_make("lists");
    scratch_write_slice("lists/a.crl", list_of("A", FORGE_NOW + 100));
    x509_crl_set_free(crls_load(&control.crls, scratch_path("lists"), &content, &problems));
    empty = want(&control, "http://a/none.crl");
    snprintf(empty->error, sizeof(empty->error), "the server answered 404");
    empty->failures = 3;
    empty->tried_s = FORGE_NOW;
    full = want(&control, "http://a/b.crl");
    assert_int_equal(x509_crl_record_create(list_of("B", FORGE_NOW - 1), &full->record, NULL), ASSAY_OK);
    full->taken_s = FORGE_NOW - 50;
    revoked_put(&control.crls.revoked, &(struct revoked_item){.sha256 = {7},
                                                              .this_update_s = FORGE_NOW,
                                                              .not_after_s = FORGE_NOW + 1,
                                                              .reason = "keyCompromise",
                                                              .host = "cucm.steven.lab",
                                                              .port = 8443});
    view = view_crls(&control, FORGE_NOW);
    assert_true(json_is_false(json_object_get(view, "fetch")));
    rows = json_object_get(view, "crls");
    assert_int_equal(json_array_size(rows), 3);
    row = json_array_get(rows, 0);
    assert_string_equal(text(row, "source"), scratch_path("lists/a.crl"));
    assert_string_equal(text(row, "issuer_name"), "A");
    assert_int_equal(json_integer_value(json_object_get(row, "entries")), 1);
    assert_true(json_is_false(json_object_get(row, "fetched")));
    assert_true(json_is_false(json_object_get(row, "expired")));
    assert_non_null(text(row, "number"));
    assert_string_equal(text(row, "next_update"), "2023-11-14T22:15:00Z");
    row = json_array_get(rows, 1);
    assert_string_equal(text(row, "source"), "http://a/none.crl");
    assert_string_equal(text(row, "named_by"), "CA \"x\"");
    assert_string_equal(text(row, "error"), "the server answered 404");
    assert_string_equal(text(row, "tried"), "2023-11-14T22:13:20Z");
    assert_null(json_object_get(row, "issuer"));
    row = json_array_get(rows, 2);
    assert_string_equal(text(row, "issuer_name"), "B");
    assert_true(json_is_true(json_object_get(row, "expired")));
    assert_true(json_is_true(json_object_get(row, "fetched")));
    row = json_array_get(json_object_get(view, "revoked_by_ocsp"), 0);
    assert_string_equal(text(row, "host"), "cucm.steven.lab");
    assert_string_equal(text(row, "reason"), "keyCompromise");
    assert_string_equal(text(row, "this_update"), "2023-11-14T22:13:20Z");
    assert_memory_equal(text(row, "sha256"), "0700", 4);
    json_decref(view);
    crls_free(&control.crls);
    config_free((struct config *)(uintptr_t)control.config);
    problems_free(&problems);
    text_free(&content);
}

/* Only where a verdict may miss something. */
static void alarms(void **state)
{
    struct control control = {0};
    json_t *lines = json_array();
    struct crl_source *source = want(&control, "http://a/b.crl");

    (void)state;
    view_crls_alarms(&control, FORGE_NOW, lines);
    assert_int_equal(json_array_size(lines), 0); /* not asked yet */
    snprintf(source->error, sizeof(source->error), "the server answered 404");
    view_crls_alarms(&control, FORGE_NOW, lines);
    assert_int_equal(json_array_size(lines), 1);
    assert_string_equal(json_string_value(json_array_get(lines, 0)),
                        "there is no CRL, from http://a/b.crl: the server answered 404");
    assert_int_equal(x509_crl_record_create(list_of("B", FORGE_NOW + 10), &source->record, NULL), ASSAY_OK);
    view_crls_alarms(&control, FORGE_NOW, lines);
    assert_int_equal(json_array_size(lines), 1);
    view_crls_alarms(&control, FORGE_NOW + 11, lines);
    assert_string_equal(json_string_value(json_array_get(lines, 1)),
                        "the CRL is over, from http://a/b.crl: the server answered 404");
    json_decref(lines);
    crls_free(&control.crls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shows_files_and_sources), cmocka_unit_test(alarms)};

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
