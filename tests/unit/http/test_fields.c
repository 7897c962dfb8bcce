/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/fields.h"

static void finds_known_names(void **state)
{
    static const struct {
        const char *name;
        enum http_known_field known;
    } rows[] = {
#define HTTP_FIELD(symbol, name, fate) {name, HTTP_FIELD_##symbol},
        HTTP_KNOWN_FIELDS(HTTP_FIELD)
#undef HTTP_FIELD
            {"", HTTP_FIELD_OTHER},
        {"Hosts", HTTP_FIELD_OTHER},
        {"Hast", HTTP_FIELD_OTHER},
        {"Content_Length", HTTP_FIELD_OTHER},
        {"Content-Lengti", HTTP_FIELD_OTHER},
        {"tRANSFER-eNCODING", HTTP_FIELD_TRANSFER_ENCODING},
        {"trackingid", HTTP_FIELD_TRACKING_ID},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(http_field_lookup(slice_text(rows[i].name)), rows[i].known);
}

static void says_what_becomes_of_a_field(void **state)
{
    assert_int_equal(http_field_fate(HTTP_FIELD_OTHER), HTTP_FATE_PASS);
    assert_int_equal(http_field_fate(HTTP_FIELD_HOST), HTTP_FATE_OURS);
    assert_int_equal(http_field_fate(HTTP_FIELD_CONNECTION), HTTP_FATE_HOP);
    assert_true(http_field_is_secret(HTTP_FIELD_AUTHORIZATION));
    assert_true(http_field_is_secret(HTTP_FIELD_SET_COOKIE));
    assert_false(http_field_is_secret(HTTP_FIELD_HOST));
    assert_false(http_field_is_secret(HTTP_FIELD_OTHER));
}

static struct http_field field(const char *name, const char *value)
{
    return (struct http_field){slice_text(name), slice_text(value), (uint8_t)http_field_lookup(slice_text(name))};
}

static void finds_the_first_of_a_name(void **state)
{
    struct http_field fields[] = {field("A", "1"), field("b", ""), field("a", "2")};

    assert_null(http_find(fields, 3, "c").data);
    assert_null(http_find(fields, 0, "a").data);
    assert_true(slice_is(http_find(fields, 3, "a"), "1"));
    assert_non_null(http_find(fields, 3, "B").data);
    assert_int_equal(http_find(fields, 3, "B").len, 0);
}

static void lists_skip_empty_elements(void **state)
{
    static const struct {
        const char *in;
        const char *out[3];
        size_t count;
    } rows[] = {
        {"", {NULL}, 0},
        {" , ,,\t", {NULL}, 0},
        {"a", {"a"}, 1},
        {",a ,\tb,", {"a", "b"}, 2},
        {"a b,c;d", {"a b", "c;d"}, 2},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice rest = slice_text(rows[i].in);
        struct slice element;

        for (size_t n = 0; n < rows[i].count; n++) {
            assert_true(http_list_next(&rest, &element));
            assert_true(slice_is(element, rows[i].out[n]));
        }
        assert_false(http_list_next(&rest, &element));
    }
}

static void refuses_bad_connection_options(void **state)
{
    static const char many[] = "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a";
    static const char *const bad[] = {"a b", "x;y", "\"q\"", "close, (x)", many};
    struct http_options options;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct http_field one = field("Connection", bad[i]);

        assert_false(http_options_read(&one, 1, &options));
    }
    struct http_field most = field("Connection", many + 2);
    assert_true(http_options_read(&most, 1, &options));
    assert_int_equal(options.count, HTTP_OPTIONS_MAX);
}

static void reads_connection_options_of_all_fields(void **state)
{
    struct http_field fields[] = {field("Connection", "Keep-Alive, X-One"), field("Host", "close"),
                                  field("connection", "CLOSE,x-two")};
    struct http_options options;

    assert_true(http_options_read(fields, 3, &options));
    assert_true(options.close);
    assert_true(options.keep_alive);
    assert_true(http_options_name(&options, slice_text("x-one")));
    assert_true(http_options_name(&options, slice_text("X-Two")));
    assert_false(http_options_name(&options, slice_text("close")));
    assert_false(http_options_name(&options, slice_text("Host")));
}

static void tells_connection_authentication(void **state)
{
    static const struct {
        const char *value;
        bool ntlm;
    } rows[] = {{"", false},    {"Basic NTLM", false},   {"NTLMv9 x", false},   {"NegotiateX", false},
                {"NTLM", true}, {"ntlm TlRMTVNT", true}, {"Negotiate a", true}, {"Bearer x", false}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(http_auth_is_ntlm(slice_text(rows[i].value)), rows[i].ntlm);
}

static void via_is_read_with_its_comments(void **state)
{
    static const struct {
        const char *via, *last;
        bool ours;
    } rows[] = {
        {"", "", false},
        {"1.1", "", false},
        {"1.1 assay-x", "assay-x", false},
        {"1.1 edge (1.1 assay)", "edge", false},
        {"1.1 edge (a, 1.1 assay, b)", "edge", false},
        {"1.1 edge (a \\) , 1.1 assay)", "edge", false},
        {"1.1 edge (a (b), 1.1 assay", "edge", false},
        {"1.1 assay", "assay", true},
        {"HTTP/1.1 ASSAY(x), 1.0 edge:8443", "edge:8443", true},
        {"1.1 edge:8443 (comment, more) , 1.1\tassay", "assay", true},
        {",,1.1 assay,,", "assay", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_field fields[] = {field("X", "1.1 assay"), field("Via", rows[i].via)};

        assert_int_equal(http_via_has(fields, 2, slice_text("assay")), rows[i].ours);
        assert_true(slice_is(http_last_via(fields, 2), rows[i].last));
    }
    struct http_field two[] = {field("Via", "1.1 assay"), field("Via", "1.0 last")};
    assert_true(http_via_has(two, 2, slice_text("assay")));
    assert_true(slice_is(http_last_via(two, 2), "last"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_known_names),
        cmocka_unit_test(says_what_becomes_of_a_field),
        cmocka_unit_test(finds_the_first_of_a_name),
        cmocka_unit_test(lists_skip_empty_elements),
        cmocka_unit_test(refuses_bad_connection_options),
        cmocka_unit_test(reads_connection_options_of_all_fields),
        cmocka_unit_test(tells_connection_authentication),
        cmocka_unit_test(via_is_read_with_its_comments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
