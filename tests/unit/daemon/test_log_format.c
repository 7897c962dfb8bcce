/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines of MRA §4, byte for byte: each S-number's own example is the expected text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "daemon/log_format.h"

/* 2022-07-11 16:55:25.910 UTC, vcsc, two hours east. */
#define AT_MS   1657558525910ULL
#define PREFIX  "2022-07-11T18:55:25.910+02:00 vcsc traffic_server[18242]: "
#define M       "UTCTime=\"2022-07-11 16:55:25,910\" Module=\"network.http.trafficserver\" Level=\"INFO\": "
#define TRACKED "6af9a674-9ebc-41ea-868e-90e7309a758c"
#define CLIENT  "GET http://vcs_control.steven.lab:8443/c3Rl/cucm-uds/user/emusk/devices HTTP/1.1"
#define ORIGIN  "GET /cucm-uds/user/emusk/devices HTTP/1.1"

static struct log_context vcsc = {.host = "vcsc", .pid = 18242, .utc_offset_s = 7200};

struct golden {
    const char *what;
    struct log_record record;
    const char *peer;
    const char *strings[LOG_STRINGS];
    const char *expected; /* behind the prefix, without the line end */
};

static const struct golden golden[] = {
    {"S20",
     {.kind = LOG_RECEIVE_REQUEST, .transaction = 189, .peer_port = 35764},
     "127.0.0.1",
     {TRACKED, "", CLIENT},
     M "Detail=\"Receive Request\" Txn-id=\"189\" TrackingID=\"" TRACKED "\" Src-ip=\"127.0.0.1\" Src-port=\"35764\" "
       "Last-via-addr=\"\" Msg=\"" CLIENT "\""},
    {"S21",
     {.kind = LOG_ACCESS_ALLOWED, .transaction = 189, .wall_ns = 6},
     NULL,
     {"emusk", "1", "GET", "https://cucm.steven.lab:8443/cucm-uds/user/emusk/devices",
      "https://cucm.steven.lab:8443/cucm-uds/user/", "prefix", "Automatically generated rule for CUCM server"},
     "Event=\"Request Allowed\" Detail=\"Access allowed\" Reason=\"In allow list\" Username=\"emusk\" Deployment=\"1\" "
     "Method=\"GET\" Request=\"https://cucm.steven.lab:8443/cucm-uds/user/emusk/devices\" "
     "Rule=\"https://cucm.steven.lab:8443/cucm-uds/user/\" Match=\"prefix\" "
     "Type=\"Automatically generated rule for CUCM server\" UTCTime=\"2022-07-11 16:55:25,916\""},
    {"S21, refused",
     {.kind = LOG_ACCESS_DENIED, .status = 403},
     NULL,
     {"", "1", "GET", "https://cucm.steven.lab:8443/axl/", "Not in allow list"},
     "Event=\"Request Denied\" Detail=\"Access denied\" Reason=\"Not in allow list\" Username=\"\" Deployment=\"1\" "
     "Method=\"GET\" Request=\"https://cucm.steven.lab:8443/axl/\" Status=\"403\" UTCTime=\"2022-07-11 16:55:25,910\""},
    {"S21, refused: the rule of another deployment",
     {.kind = LOG_ACCESS_DENIED, .status = 403},
     NULL,
     {"", "branch", "POST", "https://cucm.steven.lab:8443/axl/", "Only in the allow list of another deployment"},
     "Event=\"Request Denied\" Detail=\"Access denied\" Reason=\"Only in the allow list of another deployment\" "
     "Username=\"\" Deployment=\"branch\" Method=\"POST\" Request=\"https://cucm.steven.lab:8443/axl/\" Status=\"403\" "
     "UTCTime=\"2022-07-11 16:55:25,910\""},
    {"S22",
     {.kind = LOG_SENDING_REQUEST, .transaction = 189, .peer_port = 8443},
     "10.48.36.215",
     {TRACKED, "", ORIGIN},
     M "Detail=\"Sending Request\" Txn-id=\"189\" TrackingID=\"" TRACKED "\" Dst-ip=\"10.48.36.215\" Dst-port=\"8443\" "
       "Msg=\"" ORIGIN "\""},
    {"S23",
     {.kind = LOG_RECEIVE_RESPONSE, .transaction = 189, .peer_port = 8443},
     "10.48.36.215",
     {"", "", "HTTP/1.1 200 "},
     M "Detail=\"Receive Response\" Txn-id=\"189\" TrackingID=\"\" Src-ip=\"10.48.36.215\" Src-port=\"8443\" "
       "Msg=\"HTTP/1.1 200 \""},
    {"S24",
     {.kind = LOG_SENDING_RESPONSE, .transaction = 189, .peer_port = 35764},
     "127.0.0.1",
     {"", "", "HTTP/1.1 200 "},
     M "Detail=\"Sending Response\" Txn-id=\"189\" TrackingID=\"\" Dst-ip=\"127.0.0.1\" Dst-port=\"35764\" "
       "Msg=\"HTTP/1.1 200 \""},
    {"S24, after a failed origin connection",
     {.kind = LOG_SENDING_RESPONSE, .transaction = 190, .peer_port = 35764},
     "127.0.0.1",
     {"", "", "HTTP/1.1 502 connect failed"},
     M "Detail=\"Sending Response\" Txn-id=\"190\" TrackingID=\"\" Dst-ip=\"127.0.0.1\" Dst-port=\"35764\" "
       "Msg=\"HTTP/1.1 502 connect failed\""},
    {"S26",
     {.kind = LOG_VERIFY_FAILED, .action = LOG_ACTION_TERMINATE, .depth = 0},
     "10.48.36.215",
     {"cucm.steven.lab", "self signed certificate"},
     "[ET_NET 0] WARNING: Core server certificate verification failed for (cucm.steven.lab). Action=Terminate "
     "Error=self signed certificate server=cucm.steven.lab(10.48.36.215) depth=0"},
    {"S26, an address",
     {.kind = LOG_VERIFY_FAILED, .depth = 0},
     "10.48.36.215",
     {"10.48.36.215", "self signed certificate"},
     "[ET_NET 0] WARNING: Core server certificate verification failed for (10.48.36.215). Action=Terminate "
     "Error=self signed certificate server=10.48.36.215(10.48.36.215) depth=0"},
    {"S26, depth 1, permissive, core 3",
     {.kind = LOG_VERIFY_FAILED, .action = LOG_ACTION_CONTINUE, .depth = 1, .core = 3},
     "10.48.36.215",
     {"cucm.steven.lab", "self signed certificate in certificate chain"},
     "[ET_NET 3] WARNING: Core server certificate verification failed for (cucm.steven.lab). Action=Continue "
     "Error=self signed certificate in certificate chain server=cucm.steven.lab(10.48.36.215) depth=1"},
    {"S27",
     {.kind = LOG_NAME_MISMATCH, .core = 2},
     "10.48.36.215",
     {"10.48.36.215"},
     "[ET_NET 2] WARNING: SNI (10.48.36.215) not in certificate. Action=Terminate server=10.48.36.215(10.48.36.215)"},
    {"S27, permissive",
     {.kind = LOG_NAME_MISMATCH, .action = LOG_ACTION_CONTINUE},
     "10.48.36.215",
     {"cucm.steven.lab"},
     "[ET_NET 0] WARNING: SNI (cucm.steven.lab) not in certificate. Action=Continue "
     "server=cucm.steven.lab(10.48.36.215)"},
    {"S28",
     {.kind = LOG_SSL_FAILED},
     "10.48.36.215",
     {"cucm.steven.lab", "error:1416F086:SSL routines:tls_process_server_certificate:certificate verify failed"},
     "[ET_NET 0] ERROR: SSL connection failed for 'cucm.steven.lab': "
     "error:1416F086:SSL routines:tls_process_server_certificate:certificate verify failed"},
    {"an origin that refuses our certificate",
     {.kind = LOG_SSL_FAILED},
     "10.48.36.215",
     {"cucm.steven.lab", "error:14094418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca"},
     "[ET_NET 0] ERROR: SSL connection failed for 'cucm.steven.lab': "
     "error:14094418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca"},
    {"transport",
     {.kind = LOG_ORIGIN_FAILED, .peer_port = 8443},
     "10.48.36.215",
     {"cucm.steven.lab", "connection refused"},
     "[ET_NET 0] WARNING: Origin connection failed for (cucm.steven.lab). Error=connection refused "
     "server=cucm.steven.lab(10.48.36.215) port=8443"},
    {"S33",
     {.kind = LOG_WEAK_CERTIFICATE},
     "10.48.36.215",
     {"cucm.steven.lab", "SHA-1 signature"},
     "[ET_NET 0] WARNING: Weak core server certificate accepted for (cucm.steven.lab). Reason=SHA-1 signature "
     "server=cucm.steven.lab(10.48.36.215)"},
};

static size_t format(const struct golden *golden_line, struct log_context *context, char *out)
{
    struct log_record record = golden_line->record;
    struct slice strings[LOG_STRINGS] = {{NULL, 0}};

    record.wall_ns = AT_MS * 1000000 + record.wall_ns * 1000000;
    if (golden_line->peer != NULL)
        assert_int_equal(address_parse(slice_text(golden_line->peer), &record.peer), ASSAY_OK);
    for (size_t i = 0; i < LOG_STRINGS; i++)
        if (golden_line->strings[i] != NULL)
            strings[i] = slice_text(golden_line->strings[i]);
    return log_format(&record, strings, context, out, LOG_LINE_MAX);
}

static void test_golden(void **state)
{
    char *out = malloc(LOG_LINE_MAX + 1), prefix[128];

    for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
        size_t len = format(&golden[i], &vcsc, out);

        assert_true(len > strlen(PREFIX));
        assert_int_equal(out[len - 1], '\n');
        out[len - 1] = '\0';
        /* a record may carry its own moment */
        memcpy(prefix, PREFIX, sizeof(PREFIX));
        prefix[22] = (char)('0' + golden[i].record.wall_ns);
        if (strncmp(out, prefix, strlen(prefix)) != 0 || strcmp(out + strlen(prefix), golden[i].expected) != 0)
            fail_msg("%s:\n'%s', expected\n'%s%s'", golden[i].what, out, prefix, golden[i].expected);
    }
    free(out);
}

static void test_time_zones(void **state)
{
    static const struct {
        int32_t offset_s;
        const char *stamp;
    } cases[] = {{0, "2022-07-11T16:55:25.910+00:00 "},
                 {-12600, "2022-07-11T13:25:25.910-03:30 "},
                 {20700, "2022-07-11T22:40:25.910+05:45 "},
                 {-61200, "2022-07-10T23:55:25.910-17:00 "}};
    char *out = malloc(LOG_LINE_MAX);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct log_context context = {.host = "h", .pid = 1, .utc_offset_s = cases[i].offset_s};

        format(&golden[0], &context, out);
        assert_memory_equal(out, cases[i].stamp, strlen(cases[i].stamp));
    }
    free(out);
}

/* What a client sends stays within its quotes and on its line. */
static void test_nothing_is_forged(void **state)
{
    static const struct {
        const char *sent, *written;
    } cases[] = {
        {"GET /\" Event=\"Request Allowed HTTP/1.1", "GET /%22 Event=%22Request Allowed HTTP/1.1"},
        {"GET /a\r\n2022 HTTP/1.1", "GET /a%0D%0A2022 HTTP/1.1"},
        {"GET /\t\x1b[31m\x7f HTTP/1.1", "GET /%09%1B[31m%7F HTTP/1.1"},
        {"GET /\xc3\xa9 HTTP/1.1", "GET /%C3%A9 HTTP/1.1"},
        {"GET /%22%0a\\ HTTP/1.1", "GET /%22%0a\\ HTTP/1.1"},
    };
    char *out = malloc(LOG_LINE_MAX + 1);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct golden line = {"", {.kind = LOG_SENDING_RESPONSE}, "127.0.0.1", {"", "", cases[i].sent}, ""};
        char expected[256];
        size_t len = format(&line, &vcsc, out);

        out[len] = '\0';
        snprintf(expected, sizeof(expected), "Msg=\"%s\"\n", cases[i].written);
        assert_string_equal(strstr(out, "Msg="), expected);
        assert_ptr_equal(strchr(out, '\n'), out + len - 1);
    }
    free(out);
}

static void test_names_without_quotes(void **state)
{
    struct golden line = {
        "", {.kind = LOG_VERIFY_FAILED}, "10.48.36.215", {"a). Action=Continue Error='x'", "bad\nline \"q\""}, ""};
    char *out = malloc(LOG_LINE_MAX + 1);
    size_t len = format(&line, &vcsc, out);

    out[len - 1] = '\0';
    assert_string_equal(out + strlen(PREFIX),
                        "[ET_NET 0] WARNING: Core server certificate verification failed for "
                        "(a%29.%20Action=Continue%20Error=%27x%27). Action=Terminate Error=bad%0Aline %22q%22 "
                        "server=a%29.%20Action=Continue%20Error=%27x%27(10.48.36.215) depth=0");
    free(out);
}

static void test_longest_line(void **state)
{
    struct slice strings[LOG_STRINGS];
    struct log_record record = {.kind = LOG_ACCESS_ALLOWED, .wall_ns = AT_MS * 1000000};
    char *out = malloc(LOG_LINE_MAX), text[LOG_STRING_MAX];
    size_t len;

    memset(text, '\n', sizeof(text));
    for (size_t i = 0; i < LOG_STRINGS; i++)
        strings[i] = slice_of(text, sizeof(text));
    len = log_format(&record, strings, &vcsc, out, LOG_LINE_MAX);
    assert_true(len > 7 * 3 * LOG_STRING_MAX && len <= LOG_LINE_MAX);
    assert_int_equal(out[len - 1], '\n');
    /* less room: cut, with its end */
    len = log_format(&record, strings, &vcsc, out, 200);
    assert_int_equal(len, 200);
    assert_int_equal(out[199], '\n');
    free(out);
}

static void test_records(void **state)
{
    unsigned char bytes[sizeof(struct log_record) + 64];
    struct slice strings[LOG_STRINGS];
    struct log_record record = {.kind = LOG_SSL_FAILED, .string_length = {3, 0, 5}}, out;

    memcpy(bytes, &record, sizeof(record));
    memcpy(bytes + sizeof(record), "abcdefgh", 8);
    for (size_t len = 0; len < sizeof(record) + 8; len++)
        assert_false(log_record_parse(slice_of(bytes, len), &out, strings));
    assert_true(log_record_parse(slice_of(bytes, sizeof(record) + 8), &out, strings));
    assert_true(slice_is(strings[0], "abc"));
    assert_int_equal(strings[1].len, 0);
    assert_true(slice_is(strings[2], "defgh"));

    record.kind = LOG_KINDS;
    memcpy(bytes, &record, sizeof(record));
    assert_false(log_record_parse(slice_of(bytes, sizeof(record) + 8), &out, strings));
    record = (struct log_record){.string_length = {LOG_STRING_MAX + 1}};
    memcpy(bytes, &record, sizeof(record));
    assert_false(log_record_parse(slice_of(bytes, sizeof(bytes)), &out, strings));
}

static void test_events_of_control(void **state)
{
    char *out = malloc(LOG_LINE_MAX + 1);
    size_t len = log_format_event(AT_MS * 1000000, "WARNING", slice_text("a \"b\"\nc"), &vcsc, out, LOG_LINE_MAX);

    out[len] = '\0';
    assert_string_equal(out, "2022-07-11T18:55:25.910+02:00 vcsc assayd[18242]: UTCTime=\"2022-07-11 16:55:25,910\" "
                             "Module=\"assay.control\" Level=\"WARNING\": Detail=\"a %22b%22%0Ac\"\n");
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_time_zones),
        cmocka_unit_test(test_nothing_is_forged),
        cmocka_unit_test(test_names_without_quotes),
        cmocka_unit_test(test_longest_line),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_events_of_control),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
