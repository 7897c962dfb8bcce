/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hello_builder.h"
#include "tls/alerts.h"
#include "tls/client_hello.h"

static struct builder hello;

/* Parsed from memory of exactly its size, so that a read beyond it is seen. */
static uint8_t parse_bytes(const uint8_t *bytes, size_t len, struct client_hello *out)
{
    uint8_t *copy = malloc(len > 0 ? len : 1), alert;
    struct client_hello parsed;

    memcpy(copy, bytes, len);
    if (client_hello_parse(slice_of(copy, len), &parsed, &alert) == ASSAY_OK) {
        assert_int_equal(alert, 0);
        /* The slices of the result point into the copy, which is about to go: give those of the original. */
        if (parsed.sni.len > 0)
            parsed.sni.data = bytes + (parsed.sni.data - copy);
        if (parsed.alpn.len > 0)
            parsed.alpn.data = bytes + (parsed.alpn.data - copy);
        if (out != NULL)
            *out = parsed;
    } else {
        assert_true(alert != 0);
        assert_int_equal(parsed.sni.len, 0);
    }
    free(copy);
    return alert;
}

static uint8_t parse(struct client_hello *out)
{
    return parse_bytes(hello.bytes, hello.length, out);
}

static void sound_hello(void)
{
    begin_hello(&hello);
    put_sni(&hello, "Phone.Example");
    put_groups(&hello);
    put_signatures(&hello);
    put_versions(&hello);
    open_extension(&hello, 51);
    open_vector(&hello, 2);
    put_share(&hello, 29, 32);
    put_share(&hello, 23, 65);
    close_vector(&hello);
    close_vector(&hello);
    put_extension(&hello, 16, "\0\x0c\x02h2\x08http/1.1", 14);
    put_extension(&hello, 45, "\1\1", 2);
}

/* --- what must be refused --------------------------------------------------------------------------------------------------- */

static void test_every_truncation(void **state)
{
    sound_hello();
    end_hello(&hello);
    assert_int_equal(parse(NULL), 0);
    for (size_t len = 0; len < hello.length; len++)
        assert_true(parse_bytes(hello.bytes, len, NULL) != 0);
    hello.bytes[hello.length++] = 0;
    assert_int_equal(parse(NULL), TLS_ALERT_DECODE_ERROR);
}

static void test_other_messages(void **state)
{
    sound_hello();
    end_hello(&hello);
    hello.bytes[0] = 2;
    assert_int_equal(parse(NULL), TLS_ALERT_UNEXPECTED_MESSAGE);
}

/* One malformed extension in an otherwise sound hello. */
static const struct {
    const char *what;
    uint16_t type;
    const char *body;
    size_t len;
    uint8_t alert;
} malformed[] = {
    {"sni: empty", 0, "", 0, TLS_ALERT_DECODE_ERROR},
    {"sni: empty list", 0, "\0\0", 2, TLS_ALERT_DECODE_ERROR},
    {"sni: empty name", 0, "\0\3\0\0\0", 5, TLS_ALERT_DECODE_ERROR},
    {"sni: list shorter than the body", 0, "\0\4\0\0\1a!", 7, TLS_ALERT_DECODE_ERROR},
    {"sni: list longer than the body", 0, "\0\5\0\0\1a", 6, TLS_ALERT_DECODE_ERROR},
    {"sni: name longer than the list", 0, "\0\4\0\0\2a", 6, TLS_ALERT_DECODE_ERROR},
    {"sni: unknown type of name", 0, "\0\4\1\0\1a", 6, TLS_ALERT_DECODE_ERROR},
    {"sni: two names", 0, "\0\x8\0\0\1a\0\0\1b", 10, TLS_ALERT_ILLEGAL_PARAMETER},
    {"sni: NUL", 0, "\0\6\0\0\3a\0b", 8, TLS_ALERT_ILLEGAL_PARAMETER},
    {"sni: trailing dot", 0, "\0\5\0\0\2a.", 7, TLS_ALERT_ILLEGAL_PARAMETER},
    {"sni: leading dot", 0, "\0\5\0\0\2.a", 7, TLS_ALERT_ILLEGAL_PARAMETER},
    {"sni: empty label", 0, "\0\7\0\0\4a..b", 9, TLS_ALERT_ILLEGAL_PARAMETER},
    {"sni: slash", 0, "\0\6\0\0\3a/b", 8, TLS_ALERT_ILLEGAL_PARAMETER},
    {"sni: IPv6 literal", 0, "\0\6\0\0\3::1", 8, TLS_ALERT_ILLEGAL_PARAMETER},
    {"sni: eight-bit byte", 0, "\0\4\0\0\1\xe9", 6, TLS_ALERT_ILLEGAL_PARAMETER},
    {"alpn: empty", 16, "", 0, TLS_ALERT_DECODE_ERROR},
    {"alpn: empty list", 16, "\0\0", 2, TLS_ALERT_DECODE_ERROR},
    {"alpn: empty name", 16, "\0\2\0\0", 4, TLS_ALERT_DECODE_ERROR},
    {"alpn: empty name at the end", 16, "\0\4\2h2\0", 6, TLS_ALERT_DECODE_ERROR},
    {"alpn: name beyond the list", 16, "\0\3\3h2", 5, TLS_ALERT_DECODE_ERROR},
    {"alpn: last name beyond the list by one", 16, "\0\5\2h2\2h", 7, TLS_ALERT_DECODE_ERROR},
    {"alpn: list shorter than the body", 16, "\0\3\2h2\1", 6, TLS_ALERT_DECODE_ERROR},
    {"alpn: list longer than the body", 16, "\0\4\2h2", 5, TLS_ALERT_DECODE_ERROR},
    {"versions: odd", 43, "\3\3\4\3", 4, TLS_ALERT_DECODE_ERROR},
    {"versions: empty", 43, "\0", 1, TLS_ALERT_DECODE_ERROR},
    {"versions: beyond", 43, "\4\3\4", 3, TLS_ALERT_DECODE_ERROR},
    {"groups: odd", 10, "\0\3\0\x1d\0", 5, TLS_ALERT_DECODE_ERROR},
    {"groups: empty", 10, "\0\0", 2, TLS_ALERT_DECODE_ERROR},
    {"signatures: odd", 13, "\0\1\4", 3, TLS_ALERT_DECODE_ERROR},
    {"signatures: empty", 13, "\0\0", 2, TLS_ALERT_DECODE_ERROR},
    {"signatures for certificates: empty", 50, "\0\0", 2, TLS_ALERT_DECODE_ERROR},
    {"modes: empty", 45, "\0", 1, TLS_ALERT_DECODE_ERROR},
    {"point formats: empty", 11, "\0", 1, TLS_ALERT_DECODE_ERROR},
    {"extended master secret: not empty", 23, "\0", 1, TLS_ALERT_DECODE_ERROR},
    {"encrypt then mac: not empty", 22, "\0", 1, TLS_ALERT_DECODE_ERROR},
    {"early data: not empty", 42, "\0\0\0\0", 4, TLS_ALERT_DECODE_ERROR},
    {"renegotiation info: beyond", 0xff01, "\1", 1, TLS_ALERT_DECODE_ERROR},
    {"cookie: empty", 44, "\0\0", 2, TLS_ALERT_DECODE_ERROR},
    {"shares: no length", 51, "\0", 1, TLS_ALERT_DECODE_ERROR},
    {"shares: beyond", 51, "\0\5\0\x1d\0\1", 6, TLS_ALERT_DECODE_ERROR},
    {"shares: empty key", 51, "\0\4\0\x1d\0\0", 6, TLS_ALERT_DECODE_ERROR},
    {"shares: key beyond the list", 51, "\0\5\0\x1d\0\2a", 7, TLS_ALERT_DECODE_ERROR},
    {"psk: nothing", 41, "", 0, TLS_ALERT_DECODE_ERROR},
    {"psk: no identity", 41,
     "\0\0\0\x21\x20"
     "01234567890123456789012345678901",
     37, TLS_ALERT_DECODE_ERROR},
    {"psk: no binder", 41, "\0\7\0\1a\0\0\0\0\0\0", 11, TLS_ALERT_DECODE_ERROR},
    {"psk: short binder", 41,
     "\0\7\0\1a\0\0\0\0\0\x20\x1f"
     "0123456789012345678901234567890",
     43, TLS_ALERT_DECODE_ERROR},
};

static void test_malformed_extensions(void **state)
{
    for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++) {
        uint8_t alert;

        begin_hello(&hello);
        put_extension(&hello, malformed[i].type, malformed[i].body, malformed[i].len);
        end_hello(&hello);
        alert = parse(NULL);
        if (alert != malformed[i].alert)
            fail_msg("%s: alert %d", malformed[i].what, alert);
    }
}

static void test_duplicate_extension(void **state)
{
    static const uint16_t types[] = {0, 10, 16, 43, 51, 0x1234, 0xffff};

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        sound_hello();
        if (types[i] == 0)
            put_sni(&hello, "other.example");
        else if (types[i] == 10)
            put_groups(&hello);
        else if (types[i] >= 0x1234)
            for (int twice = 0; twice < 2; twice++)
                put_extension(&hello, types[i], "x", 1);
        else
            put_extension(&hello, types[i], "", 0);
        end_hello(&hello);
        assert_int_equal(parse(NULL), TLS_ALERT_ILLEGAL_PARAMETER);
    }
}

static void test_too_many_extensions(void **state)
{
    begin_hello(&hello);
    for (uint16_t i = 0; i <= CLIENT_HELLO_EXTENSIONS_MAX; i++)
        put_extension(&hello, (uint16_t)(0x4000 + i), "", 0);
    end_hello(&hello);
    assert_int_equal(parse(NULL), TLS_ALERT_ILLEGAL_PARAMETER);
}

static void hello_with_shares(const uint16_t *groups, size_t count, bool with_groups)
{
    begin_hello(&hello);
    if (with_groups)
        put_groups(&hello);
    put_versions(&hello);
    open_extension(&hello, 51);
    open_vector(&hello, 2);
    for (size_t i = 0; i < count; i++)
        put_share(&hello, groups[i], 32);
    close_vector(&hello);
    close_vector(&hello);
    end_hello(&hello);
}

static void test_key_shares(void **state)
{
    uint16_t many[CLIENT_HELLO_SHARES_MAX + 1];

    hello_with_shares((const uint16_t[]){29, 29}, 2, true);
    assert_int_equal(parse(NULL), TLS_ALERT_ILLEGAL_PARAMETER);
    hello_with_shares((const uint16_t[]){29, 23, 29}, 3, true);
    assert_int_equal(parse(NULL), TLS_ALERT_ILLEGAL_PARAMETER);
    hello_with_shares((const uint16_t[]){25}, 1, true); /* not in supported_groups */
    assert_int_equal(parse(NULL), TLS_ALERT_ILLEGAL_PARAMETER);
    hello_with_shares((const uint16_t[]){29}, 1, false);
    assert_int_equal(parse(NULL), TLS_ALERT_MISSING_EXTENSION);
    for (size_t i = 0; i < CLIENT_HELLO_SHARES_MAX + 1; i++)
        many[i] = (uint16_t)(1000 + i);
    hello_with_shares(many, CLIENT_HELLO_SHARES_MAX + 1, true);
    assert_int_equal(parse(NULL), TLS_ALERT_ILLEGAL_PARAMETER);
    hello_with_shares(NULL, 0, true); /* none: asks for a HelloRetryRequest */
    assert_int_equal(parse(NULL), 0);
}

static void put_psk(size_t identities, size_t binders)
{
    open_extension(&hello, 41);
    open_vector(&hello, 2);
    for (size_t i = 0; i < identities; i++) {
        open_vector(&hello, 2);
        put_fill(&hello, 'i', 100);
        close_vector(&hello);
        put_number(&hello, 4, 1000);
    }
    close_vector(&hello);
    open_vector(&hello, 2);
    for (size_t i = 0; i < binders; i++) {
        open_vector(&hello, 1);
        put_fill(&hello, 'b', 32);
        close_vector(&hello);
    }
    close_vector(&hello);
    close_vector(&hello);
}

static void test_psk(void **state)
{
    sound_hello();
    put_psk(1, 2);
    end_hello(&hello);
    assert_int_equal(parse(NULL), TLS_ALERT_ILLEGAL_PARAMETER);
    sound_hello();
    put_psk(1, 1);
    put_extension(&hello, 0x1234, "", 0); /* not the last */
    end_hello(&hello);
    assert_int_equal(parse(NULL), TLS_ALERT_ILLEGAL_PARAMETER);
    begin_hello(&hello);
    put_versions(&hello);
    put_psk(1, 1); /* without psk_key_exchange_modes */
    end_hello(&hello);
    assert_int_equal(parse(NULL), TLS_ALERT_MISSING_EXTENSION);
    sound_hello();
    put_psk(2, 2);
    end_hello(&hello);
    assert_int_equal(parse(NULL), 0);
}

/* The fixed part: header 4, version 2, random 32, session id 1+32, suites 2+6, compression 1+1, extensions 2. */
static void test_fixed_part(void **state)
{
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
        uint8_t alert;
    } cases[] = {
        {"session id of 33", 38, 33, TLS_ALERT_DECODE_ERROR},
        {"odd suites", 72, 5, TLS_ALERT_DECODE_ERROR},
        {"no suites", 72, 0, TLS_ALERT_DECODE_ERROR},
        {"no compression", 79, 0, TLS_ALERT_DECODE_ERROR},
        {"compression without null", 80, 1, TLS_ALERT_ILLEGAL_PARAMETER},
        {"extensions too short", 82, 1, TLS_ALERT_DECODE_ERROR},
        {"message too long", 3, 0xff, TLS_ALERT_DECODE_ERROR},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        begin_hello(&hello);
        put_sni(&hello, "a.example");
        end_hello(&hello);
        hello.bytes[cases[i].at] = cases[i].value;
        if (parse(NULL) != cases[i].alert)
            fail_msg("%s", cases[i].what);
    }
}

static void test_compression_in_13(void **state)
{
    begin_hello(&hello);
    put_versions(&hello);
    end_hello(&hello);
    /* Another compression method before null: fine in 1.2, not in 1.3. */
    memmove(hello.bytes + 81, hello.bytes + 80, hello.length - 80);
    hello.bytes[79] = 2;
    hello.bytes[80] = 1;
    hello.bytes[3]++;
    hello.length++;
    assert_int_equal(parse(NULL), TLS_ALERT_ILLEGAL_PARAMETER);
    begin_hello(&hello);
    end_hello(&hello);
    memmove(hello.bytes + 81, hello.bytes + 80, hello.length - 80);
    hello.bytes[79] = 2;
    hello.bytes[80] = 1;
    hello.bytes[3]++;
    hello.length++;
    assert_int_equal(parse(NULL), 0);
}

/* No byte of a sound hello can be changed so that the parser reads outside. */
static void test_every_byte_changed(void **state)
{
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};

    sound_hello();
    put_psk(2, 2);
    end_hello(&hello);
    for (size_t at = 0; at < hello.length; at++) {
        uint8_t was = hello.bytes[at];

        for (size_t v = 0; v < sizeof(values); v++) {
            hello.bytes[at] = values[v];
            (void)parse(NULL);
        }
        hello.bytes[at] = was;
    }
}

static void test_host_names(void **state)
{
    char label[70], name[300];

    memset(label, 'a', sizeof(label));
    assert_false(client_hello_is_host_name(slice_of(NULL, 0)));
    assert_false(client_hello_is_host_name(slice_of(label, 64)));
    assert_true(client_hello_is_host_name(slice_of(label, 63)));
    memset(name, 'b', sizeof(name));
    for (size_t i = 50; i < sizeof(name); i += 50)
        name[i] = '.';
    assert_true(client_hello_is_host_name(slice_of(name, 253)));
    assert_false(client_hello_is_host_name(slice_of(name, 254)));
    assert_false(client_hello_is_host_name(slice_text(".")));
    assert_false(client_hello_is_host_name(slice_text("a b")));
    assert_false(client_hello_is_host_name(slice_text("a\n")));
    assert_true(client_hello_is_host_name(slice_text("vcs_control.steven.lab")));
    assert_true(client_hello_is_host_name(slice_text("10.48.36.215")));
}

/* --- what must be read ------------------------------------------------------------------------------------------------------- */

static void test_sound(void **state)
{
    struct client_hello parsed;

    sound_hello();
    end_hello(&hello);
    assert_int_equal(parse(&parsed), 0);
    assert_true(slice_is(parsed.sni, "Phone.Example"));
    assert_true(slice_is(parsed.alpn, "\x02h2\x08http/1.1"));
    assert_true(parsed.offers_tls13);
    assert_true(parsed.has_key_share);
    assert_false(parsed.has_psk);
    assert_int_equal(parsed.legacy_version, 0x0303);
    assert_int_equal(parsed.session_id.len, 32);
}

static void test_tls12_without_extensions(void **state)
{
    struct client_hello parsed;

    begin_hello(&hello);
    hello.length -= 2;
    hello.depth = 1;
    end_hello(&hello);
    assert_int_equal(parse(&parsed), 0);
    assert_false(parsed.offers_tls13);
    assert_int_equal(parsed.sni.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_other_messages),
        cmocka_unit_test(test_malformed_extensions),
        cmocka_unit_test(test_duplicate_extension),
        cmocka_unit_test(test_too_many_extensions),
        cmocka_unit_test(test_key_shares),
        cmocka_unit_test(test_psk),
        cmocka_unit_test(test_fixed_part),
        cmocka_unit_test(test_compression_in_13),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_host_names),
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_tls12_without_extensions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
