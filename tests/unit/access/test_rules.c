/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "access/rules.h"

static enum assay_error add(struct access_builder *builder, const char *url, enum access_match match, uint32_t methods,
                            enum access_source source, const char *deployment, const char **fault)
{
    struct access_rule rule = {
        .url = url, .deployment = deployment, .methods = methods, .match = match, .source = source, .description = "d"};

    return access_builder_add(builder, &rule, fault);
}

static void refuses_bad_urls(void **state)
{
    static const char *const bad[] = {
        "",
        "cucm",
        "https",
        "https:",
        "https:/",
        "https://",
        "https:///a",
        "ftp://h/",
        "://h/",
        "https//h/",
        "https://u@h/",
        "https://h:/",
        "https://h:0/",
        "https://h:65536/",
        "https://h:08443/",
        "https://h./",
        "https://*.h/",
        "https://1.2.3/",
        "https://[h]/",
        "https://::1/",
        "https://h/a//b",
        "https://h/../a",
        "https://h/%2e",
        "https://h/a b",
        "https://h#a",
        "https://h/#a",
        "https://h?x",
        "https://h/a%",
        " https://h/",
        "https://h /",
    };
    struct access_builder *builder = access_builder_create();
    const char *fault;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (add(builder, bad[i], ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_MANUAL, "1", &fault) != ASSAY_ERR_MALFORMED ||
            fault[0] == 0)
            fail_msg("taken: %s", bad[i]);
    }
    assert_int_equal(builder->count, 0);
    access_builder_free(builder);
    access_builder_free(NULL);
}

static void refuses_bad_texts(void **state)
{
    char longest[ACCESS_URL_MAX + 2] = "https://h/";
    struct access_builder *builder = access_builder_create();
    struct access_rule rule = {.url = "https://h/", .deployment = "1", .description = "line\nbreak"};
    const char *fault;

    assert_int_equal(access_builder_add(builder, &rule, &fault), ASSAY_ERR_MALFORMED);
    rule.description = "";
    rule.deployment = "";
    assert_int_equal(access_builder_add(builder, &rule, &fault), ASSAY_ERR_MALFORMED);
    rule.deployment = "1";
    memset(longest + 10, 'a', ACCESS_URL_MAX - 9);
    rule.url = longest;
    assert_int_equal(access_builder_add(builder, &rule, &fault), ASSAY_ERR_MALFORMED);
    longest[ACCESS_URL_MAX] = 0;
    assert_int_equal(access_builder_add(builder, &rule, &fault), ASSAY_OK);
    access_builder_free(builder);
}

static void takes_urls_apart(void **state)
{
    static const struct {
        const char *url;
        enum access_match match;
        bool https;
        const char *host;
        uint16_t port;
        const char *literal;
        enum pattern_tail tail;
    } rows[] = {
        {"https://cucm.steven.lab:8443/cucm-uds/user/", ACCESS_MATCH_PREFIX, true, "cucm.steven.lab", 8443,
         "/cucm-uds/user/", PATTERN_TAIL_ANY},
        {"HTTPS://CUCM.lab", ACCESS_MATCH_PREFIX, true, "cucm.lab", 443, "/", PATTERN_TAIL_ANY},
        {"http://h", ACCESS_MATCH_EXACT, false, "h", 80, "/", PATTERN_TAIL_QUERY},
        {"http://10.0.0.1:6970/a", ACCESS_MATCH_PREFIX, false, "10.0.0.1", 6970, "/a", PATTERN_TAIL_SEGMENT},
        {"https://[2001:DB8:0::1]:8443/a", ACCESS_MATCH_EXACT, true, "2001:db8::1", 8443, "/a", PATTERN_TAIL_QUERY},
        {"https://h/a?b=c", ACCESS_MATCH_EXACT, true, "h", 443, "/a?b=c", PATTERN_TAIL_END},
        {"https://h/a?b=c", ACCESS_MATCH_PREFIX, true, "h", 443, "/a?b=c", PATTERN_TAIL_PAIR},
        {"https://h/a?b=", ACCESS_MATCH_PREFIX, true, "h", 443, "/a?b=", PATTERN_TAIL_ANY},
        {"https://h/a?", ACCESS_MATCH_PREFIX, true, "h", 443, "/a?", PATTERN_TAIL_ANY},
        {"https://h/a?b/", ACCESS_MATCH_PREFIX, true, "h", 443, "/a?b/", PATTERN_TAIL_PAIR},
        {"https://h/CSF*", ACCESS_MATCH_PREFIX, true, "h", 443, "/CSF", PATTERN_TAIL_ANY},
        {"https://h/CSF*", ACCESS_MATCH_EXACT, true, "h", 443, "/CSF*", PATTERN_TAIL_QUERY},
        {"https://h/*", ACCESS_MATCH_PREFIX, true, "h", 443, "/", PATTERN_TAIL_ANY},
    };
    const char *fault;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct access_rule rule = {.url = rows[i].url, .deployment = "1", .match = rows[i].match, .description = ""};
        struct access_entry entry;

        assert_int_equal(access_entry_init(&rule, &entry, &fault), ASSAY_OK);
        assert_int_equal(entry.https, rows[i].https);
        assert_true(slice_is(entry.host, rows[i].host));
        assert_int_equal(entry.port, rows[i].port);
        assert_true(slice_is(entry.pattern.literal, rows[i].literal));
        assert_int_equal(entry.pattern.tail, rows[i].tail);
        assert_string_equal(entry.rule.url, rows[i].url);
        assert_ptr_not_equal(entry.rule.url, rows[i].url);
        access_entry_clear(&entry);
    }
}

static void finds_duplicates(void **state)
{
    struct access_builder *builder = access_builder_create();
    const char *fault;

    assert_int_equal(add(builder, "https://h/a", ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_MANUAL, "1", &fault), ASSAY_OK);
    assert_int_equal(add(builder, "HTTPS://H:443/a", ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_MANUAL, "1", &fault),
                     ASSAY_ERR_DUPLICATE);
    assert_int_equal(add(builder, "https://h/a", ACCESS_MATCH_EXACT, 0, ACCESS_SOURCE_MANUAL, "1", &fault), ASSAY_OK);
    assert_int_equal(add(builder, "https://h/a", ACCESS_MATCH_PREFIX, ACCESS_GET, ACCESS_SOURCE_MANUAL, "1", &fault),
                     ASSAY_OK);
    assert_int_equal(add(builder, "https://h/a", ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_AUTOMATIC, "1", &fault),
                     ASSAY_OK);
    assert_int_equal(add(builder, "https://h/a", ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_MANUAL, "2", &fault), ASSAY_OK);
    assert_int_equal(add(builder, "https://h/a/", ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_MANUAL, "1", &fault), ASSAY_OK);
    assert_int_equal(add(builder, "http://h/a", ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_MANUAL, "1", &fault), ASSAY_OK);
    assert_int_equal(builder->count, 7);
    access_builder_free(builder);
}

static void finds_duplicates_among_many(void **state)
{
    struct access_builder *builder = access_builder_create();
    const char *fault;
    char url[64];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 500; i++) {
            snprintf(url, sizeof(url), "https://h%d/a/%d", i % 50, i);
            assert_int_equal(add(builder, url, ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_MANUAL, "1", &fault),
                             round == 0 ? ASSAY_OK : ASSAY_ERR_DUPLICATE);
        }
    }
    access_builder_truncate(builder, 100);
    assert_int_equal(add(builder, "https://h0/a/100", ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_MANUAL, "1", &fault),
                     ASSAY_OK);
    assert_int_equal(add(builder, "https://h49/a/99", ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_MANUAL, "1", &fault),
                     ASSAY_ERR_DUPLICATE);
    access_builder_free(builder);
}

static void methods(void **state)
{
    assert_int_equal(access_method_bit(slice_text("GET")), ACCESS_GET);
    assert_int_equal(access_method_bit(slice_text("PATCH")), ACCESS_PATCH);
    assert_int_equal(access_method_bit(slice_text("get")), 0);
    assert_int_equal(access_method_bit(slice_text("BREW")), 0);
    assert_int_equal(access_method_bit(slice_text("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_urls),
        cmocka_unit_test(refuses_bad_texts),
        cmocka_unit_test(takes_urls_apart),
        cmocka_unit_test(finds_duplicates),
        cmocka_unit_test(finds_duplicates_among_many),
        cmocka_unit_test(methods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
