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
#include "tls/hello.h"

static struct builder message, wire;

static void sound_message(const char *name)
{
    begin_hello(&message);
    put_sni(&message, name);
    put_groups(&message);
    end_hello(&message);
}

static void wire_reset(void)
{
    wire.length = 0;
}

/* Feeds bytes in pieces, each in memory of exactly its size. */
static enum tls_status feed(struct tls_hello *hello, const uint8_t *bytes, size_t len, size_t piece, size_t *used,
                            uint8_t *alert)
{
    enum tls_status status = TLS_STATUS_WANT_INPUT;

    *used = 0;
    *alert = 0;
    while (status == TLS_STATUS_WANT_INPUT && *used < len) {
        size_t n = len - *used < piece ? len - *used : piece, now;
        uint8_t *copy = malloc(n);

        memcpy(copy, bytes + *used, n);
        status = tls_hello_feed(hello, slice_of(copy, n), &now, alert);
        free(copy);
        *used += now;
        if (status == TLS_STATUS_WANT_INPUT)
            assert_int_equal(now, n);
    }
    return status;
}

/* --- what must be refused --------------------------------------------------------------------------------------------------- */

static void test_refused(void **state)
{
    static const struct {
        const char *what, *bytes;
        size_t len;
        uint8_t alert;
    } cases[] = {
        {"plain HTTP", "GET / HTTP/1.1\r\n", 16, TLS_ALERT_UNEXPECTED_MESSAGE},
        {"one byte of it", "G", 1, TLS_ALERT_UNEXPECTED_MESSAGE},
        {"SSL 2", "\x80\x2e\x01\x03\x01", 5, TLS_ALERT_UNEXPECTED_MESSAGE},
        {"application data", "\x17\x03\x03\x00\x10", 5, TLS_ALERT_UNEXPECTED_MESSAGE},
        {"change cipher spec first", "\x14\x03\x03\x00\x01\x01", 6, TLS_ALERT_UNEXPECTED_MESSAGE},
        {"version 2", "\x16\x02\x00\x00\x10", 5, TLS_ALERT_UNEXPECTED_MESSAGE},
        {"empty record", "\x16\x03\x01\x00\x00", 5, TLS_ALERT_UNEXPECTED_MESSAGE},
        {"record too long", "\x16\x03\x01\x40\x01", 5, TLS_ALERT_RECORD_OVERFLOW},
        {"other message", "\x16\x03\x01\x00\x04\x02", 6, TLS_ALERT_UNEXPECTED_MESSAGE},
        {"message too long", "\x16\x03\x01\x00\x40\x01\x00\x40\x00", 9, TLS_ALERT_DECODE_ERROR},
        {"message of 16 MB", "\x16\x03\x01\x00\x40\x01\xff\xff\xff", 9, TLS_ALERT_DECODE_ERROR},
        {"alert", "\x15\x03\x01\x00\x02\x02\x28", 7, TLS_ALERT_UNEXPECTED_MESSAGE},
        {"empty hello", "\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9, TLS_ALERT_DECODE_ERROR},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (size_t piece = 1; piece < 20; piece += 18) {
            struct tls_hello *hello = tls_hello_create();
            uint8_t alert;
            size_t used;

            if (feed(hello, (const uint8_t *)cases[i].bytes, cases[i].len, piece, &used, &alert) != TLS_STATUS_FAILED ||
                alert != cases[i].alert)
                fail_msg("%s: alert %d", cases[i].what, alert);
            assert_int_equal(tls_hello_sni(hello).len, 0);
            assert_int_equal(tls_hello_record(hello).len, 0);
            /* It stays refused. */
            assert_int_equal(tls_hello_feed(hello, slice_text("more"), &used, &alert), TLS_STATUS_FAILED);
            assert_int_equal(alert, cases[i].alert);
            assert_int_equal(used, 0);
            assert_int_equal(tls_hello_alert_received(hello), i == 11 ? 40 : 0);
            tls_hello_free(hello);
        }
    tls_hello_free(NULL);
}

static void test_more_behind_the_message(void **state)
{
    struct tls_hello *hello = tls_hello_create();
    uint8_t alert;
    size_t used;

    sound_message("a.example");
    message.bytes[message.length++] = 0x16; /* another message begins in the same record */
    wire_reset();
    put_record(&wire, 22, message.bytes, message.length);
    assert_int_equal(feed(hello, wire.bytes, wire.length, 100000, &used, &alert), TLS_STATUS_FAILED);
    assert_int_equal(alert, TLS_ALERT_UNEXPECTED_MESSAGE);
    tls_hello_free(hello);
}

/* A record of another type between the parts of a message (RFC 8446 §5.1). */
static void test_interleaved_records(void **state)
{
    static const uint8_t types[] = {20, 21, 23};

    for (size_t i = 0; i < sizeof(types); i++) {
        struct tls_hello *hello = tls_hello_create();
        uint8_t alert;
        size_t used;

        sound_message("a.example");
        wire_reset();
        put_record(&wire, 22, message.bytes, 20);
        put_record(&wire, types[i], "\1\0", types[i] == 20 ? 1 : 2);
        put_record(&wire, 22, message.bytes + 20, message.length - 20);
        assert_int_equal(feed(hello, wire.bytes, wire.length, 100000, &used, &alert), TLS_STATUS_FAILED);
        assert_int_equal(alert, TLS_ALERT_UNEXPECTED_MESSAGE);
        tls_hello_free(hello);
    }
}

/* --- what must be put together ----------------------------------------------------------------------------------------------- */

static void expect_whole(size_t record_bytes, size_t piece)
{
    struct tls_hello *hello = tls_hello_create();
    size_t used, expected;
    struct slice record;
    uint8_t alert;

    wire_reset();
    for (size_t at = 0; at < message.length; at += record_bytes)
        put_record(&wire, 22, message.bytes + at,
                   message.length - at < record_bytes ? message.length - at : record_bytes);
    expected = wire.length;
    put_bytes(&wire, "beyond", 6);
    assert_int_equal(feed(hello, wire.bytes, wire.length, piece, &used, &alert), TLS_STATUS_OK);
    assert_int_equal(used, expected);
    record = tls_hello_record(hello);
    assert_int_equal(record.len, message.length + 5);
    assert_memory_equal(record.data + 5, message.bytes, message.length);
    assert_int_equal(record.data[3] << 8 | record.data[4], message.length);
    assert_true(slice_is(tls_hello_sni(hello), "phone.example"));
    tls_hello_free(hello);
}

static void test_every_cut(void **state)
{
    sound_message("Phone.Example");
    for (size_t record_bytes = 1; record_bytes <= message.length; record_bytes++)
        for (size_t piece = 1; piece < 100000; piece = piece * 3 + 1)
            expect_whole(record_bytes, piece);
}

/* The longest that is taken, and one more byte. */
static void test_longest(void **state)
{
    struct tls_hello *hello = tls_hello_create();
    uint8_t alert;
    size_t used, now;

    begin_hello(&message);
    put_sni(&message, "phone.example");
    open_extension(&message, 21); /* padding */
    put_fill(&message, 0, TLS_HELLO_MAX - message.length);
    end_hello(&message);
    assert_int_equal(message.length, TLS_HELLO_MAX);
    expect_whole(16384, 1000);
    expect_whole(1, 1);
    expect_whole(5000, 70000);
    message.bytes[3]++; /* the message's length */
    wire_reset();
    put_record(&wire, 22, message.bytes, 10000);
    assert_int_equal(feed(hello, wire.bytes, wire.length, 70000, &used, &alert), TLS_STATUS_FAILED);
    assert_int_equal(alert, TLS_ALERT_DECODE_ERROR);
    assert_int_equal(tls_hello_feed(hello, slice_of(NULL, 0), &now, &alert), TLS_STATUS_FAILED);
    tls_hello_free(hello);
}

static void test_empty_input(void **state)
{
    struct tls_hello *hello = tls_hello_create();
    uint8_t alert;
    size_t used;

    assert_int_equal(tls_hello_feed(hello, slice_of(NULL, 0), &used, &alert), TLS_STATUS_WANT_INPUT);
    assert_int_equal(used, 0);
    tls_hello_free(hello);
}

/* --- the second one, after a HelloRetryRequest --------------------------------------------------------------------------------- */

static struct tls_hello *first_done(const char *name)
{
    struct tls_hello *hello = tls_hello_create();
    uint8_t alert;
    size_t used;

    sound_message(name);
    wire_reset();
    put_record(&wire, 22, message.bytes, message.length);
    assert_int_equal(feed(hello, wire.bytes, wire.length, 100000, &used, &alert), TLS_STATUS_OK);
    tls_hello_expect_second(hello);
    assert_int_equal(tls_hello_record(hello).len, 0);
    wire_reset();
    return hello;
}

static void test_second_names_another(void **state)
{
    struct tls_hello *hello = first_done("a.example");
    uint8_t alert;
    size_t used;

    sound_message("b.example");
    put_record(&wire, 22, message.bytes, message.length);
    assert_int_equal(feed(hello, wire.bytes, wire.length, 1, &used, &alert), TLS_STATUS_FAILED);
    assert_int_equal(alert, TLS_ALERT_ILLEGAL_PARAMETER);
    tls_hello_free(hello);
}

static void test_second_after_change_cipher_spec(void **state)
{
    struct tls_hello *hello = first_done("a.example");
    uint8_t alert;
    size_t used;

    sound_message("A.example");
    put_record(&wire, 20, "\1", 1);
    put_record(&wire, 22, message.bytes, message.length);
    assert_int_equal(feed(hello, wire.bytes, wire.length, 1, &used, &alert), TLS_STATUS_OK);
    assert_int_equal(used, wire.length);
    tls_hello_free(hello);
}

static void test_second_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        uint8_t received;
    } cases[] = {
        {"\x14\x03\x03\x00\x01\x01\x14\x03\x03\x00\x01\x01", 12, 0}, /* two change_cipher_spec */
        {"\x14\x03\x03\x00\x01\x02", 6, 0},                          /* of another value */
        {"\x14\x03\x03\x00\x02\x01\x01", 7, 0},                      /* longer */
        {"\x17\x03\x03\x00\x01\x01", 6, 0},                          /* early data that nobody offered */
        {"\x15\x03\x03\x00\x02\x02\x2f", 7, 47},                     /* the client gives up */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct tls_hello *hello = first_done("a.example");
        uint8_t alert;
        size_t used;

        assert_int_equal(feed(hello, (const uint8_t *)cases[i].bytes, cases[i].len, 1, &used, &alert),
                         TLS_STATUS_FAILED);
        assert_int_equal(alert, TLS_ALERT_UNEXPECTED_MESSAGE);
        assert_int_equal(tls_hello_alert_received(hello), cases[i].received);
        tls_hello_free(hello);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_more_behind_the_message),
        cmocka_unit_test(test_interleaved_records),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_empty_input),
        cmocka_unit_test(test_second_names_another),
        cmocka_unit_test(test_second_after_change_cipher_spec),
        cmocka_unit_test(test_second_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
