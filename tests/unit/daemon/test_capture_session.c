/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Played cores put records into their rings; the file is read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/byte_ring.h"
#include "daemon/capture_session.h"
#include "fake_core.h"
#include "net/capture.h"
#include "scratch.h"

static struct core cores[2];
static struct fleet fleet;

static int begin(void **state)
{
    if (scratch_begin(state) != 0)
        return -1;
    fake_fleet(&fleet, cores, 2, NULL);
    return 0;
}

static struct capture_options options_of(const char *file)
{
    static char directory[512];

    snprintf(directory, sizeof(directory), "%s", scratch_path("captures"));
    return (struct capture_options){.directory = directory,
                                    .file = file,
                                    .filter = "",
                                    .port = "net_null0",
                                    .snaplen = 65535,
                                    .max_bytes = 1 << 20};
}

static struct capture_session *started(const struct capture_options *options)
{
    char error[512] = "";
    struct capture_session *session = capture_start(&fleet, options, 1000, error, sizeof(error));

    if (session == NULL)
        fail_msg("%s", error);
    return session;
}

static void record(uint32_t core, uint64_t wall_ns, uint32_t direction, uint32_t len)
{
    struct capture *capture = cores[core].capture;
    struct capture_record *out = byte_ring_reserve(capture->ring, sizeof(*out) + len);

    assert_non_null(out);
    *out = (struct capture_record){.wall_ns = wall_ns, .length = len + 100, .direction = direction};
    memset(out->bytes, (int)core + 1, len);
    capture->seen++;
    capture->matched++;
    byte_ring_commit(capture->ring, sizeof(*out) + len);
}

static void wait_ended(struct capture_session *session)
{
    for (int i = 0; i < 2000 && !capture_tick(session); i++)
        usleep(1000);
    assert_false(capture_running(session));
}

/* The file by libpcap's reader: how many packets, and that they are in the order of time. */
static unsigned read_back(const char *path, uint32_t *captured)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);
    struct pcap_pkthdr *head;
    const u_char *bytes;
    uint64_t last_ns = 0;
    unsigned count = 0;
    int got;

    if (pcap == NULL)
        fail_msg("%s", error);
    assert_int_equal(pcap_datalink(pcap), DLT_EN10MB);
    while ((got = pcap_next_ex(pcap, &head, &bytes)) == 1) {
        uint64_t ns = (uint64_t)head->ts.tv_sec * 1000000000 + (uint64_t)head->ts.tv_usec;

        assert_true(ns >= last_ns);
        assert_int_equal(head->len, head->caplen + 100);
        last_ns = ns;
        *captured += head->caplen;
        count++;
    }
    assert_int_equal(got, PCAP_ERROR_BREAK); /* the end of the file, no fault */
    pcap_close(pcap);
    return count;
}

static void what_the_cores_saw_is_in_the_file_in_order(void **state)
{
    struct capture_options options = options_of("a.pcapng");
    struct capture_session *session = started(&options);
    struct capture_status status;
    uint32_t captured = 0;
    struct stat info;

    assert_true(capture_running(session));
    assert_non_null(cores[0].capture);
    assert_non_null(cores[1].capture);
    for (uint64_t i = 0; i < 50; i++) {
        record(1, 1700000000000000001 + 2 * i, CAPTURE_OUT, 61);
        record(0, 1700000000000000000 + 2 * i, CAPTURE_IN, 60);
    }
    assert_int_equal(capture_stop(session), ASSAY_OK);
    assert_null(cores[0].capture);
    assert_null(cores[1].capture);
    assert_int_equal(capture_stop(session), ASSAY_OK); /* again: nothing to do */
    capture_get_status(session, &status);
    assert_false(status.running);
    assert_string_equal(status.ended, "stopped");
    assert_int_equal(status.packets, 100);
    assert_int_equal(status.seen, 100);
    assert_int_equal(status.dropped, 0);
    assert_int_equal(status.started_s, 1000);
    assert_int_equal(stat(status.path, &info), 0);
    assert_int_equal(info.st_size, status.bytes);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(read_back(status.path, &captured), 100);
    assert_int_equal(captured, 50 * 60 + 50 * 61);
    capture_free(session);
}

static void limits_end_it(void **state)
{
    struct capture_options packets = options_of("p.pcapng"), bytes = options_of("b.pcapng"),
                           time = options_of("t.pcapng");
    struct capture_session *session;
    struct capture_status status;
    uint32_t captured = 0;

    packets.max_packets = 3;
    session = started(&packets);
    for (uint64_t i = 0; i < 5; i++)
        record(0, i, CAPTURE_IN, 60);
    wait_ended(session);
    capture_get_status(session, &status);
    assert_string_equal(status.ended, "max_packets were captured");
    assert_int_equal(status.packets, 3);
    assert_int_equal(read_back(status.path, &captured), 3);
    capture_free(session);

    bytes.max_bytes = 2000;
    session = started(&bytes);
    for (uint64_t i = 0; i < 50; i++)
        record(i % 2, i, CAPTURE_IN, 60);
    wait_ended(session);
    capture_get_status(session, &status);
    assert_string_equal(status.ended, "the file has reached max_bytes");
    assert_in_range(status.bytes, 1700, 2000);
    assert_int_equal(read_back(status.path, &captured), status.packets);
    capture_free(session);

    time.for_s = 1;
    session = started(&time);
    assert_false(capture_tick(session));
    wait_ended(session);
    capture_get_status(session, &status);
    assert_string_equal(status.ended, "the time is over");
    capture_free(session);
}

static void what_cannot_be_is_refused_and_leaves_nothing(void **state)
{
    static const char *const names[] = {"", ".hidden", "../up", "a/b", "a b", "caf\xe9", "-\n"};
    struct capture_options options = options_of("x.pcapng"), again;
    struct capture_session *session;
    char error[512];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        options.file = names[i];
        assert_null(capture_start(&fleet, &options, 1, error, sizeof(error)));
        assert_non_null(strstr(error, "file: a name"));
    }
    options.file = "x.pcapng";
    options.filter = "host a.b";
    assert_null(capture_start(&fleet, &options, 1, error, sizeof(error)));
    assert_non_null(strstr(error, "'a.b' is no word"));
    assert_int_not_equal(access(scratch_path("captures/x.pcapng"), F_OK), 0);
    options.filter = "";
    options.directory = "/proc/no-such-folder";
    assert_null(capture_start(&fleet, &options, 1, error, sizeof(error)));
    assert_non_null(strstr(error, "/proc/no-such-folder/x.pcapng: "));
    assert_null(cores[0].capture);
    /* never over what is there */
    again = options_of("x.pcapng");
    session = started(&again);
    assert_int_equal(capture_stop(session), ASSAY_OK);
    capture_free(session);
    assert_null(capture_start(&fleet, &again, 1, error, sizeof(error)));
    assert_non_null(strstr(error, "is there already"));
    assert_int_equal(unlink(scratch_path("captures/x.pcapng")), 0);
    assert_int_equal(symlink(scratch_path("elsewhere"), scratch_path("captures/x.pcapng")), 0);
    assert_null(capture_start(&fleet, &again, 1, error, sizeof(error)));
    assert_int_not_equal(access(scratch_path("elsewhere"), F_OK), 0);
}

static void a_core_that_does_not_answer_keeps_what_it_has(void **state)
{
    struct capture_options options = options_of("d.pcapng");
    struct capture_session *session = started(&options);

    cores[1].refuses = true;
    assert_int_equal(capture_stop(session), ASSAY_ERR_BUSY);
    assert_true(capture_running(session));
    record(1, 5, CAPTURE_IN, 60); /* its ring is still there */
    cores[1].refuses = false;
    assert_int_equal(capture_stop(session), ASSAY_OK);
    capture_free(session);
    /* at the start: it is stopped again as soon as that can be done */
    options = options_of("e.pcapng");
    cores[1].refuses = true;
    session = started(&options);
    assert_false(capture_tick(session));
    cores[1].refuses = false;
    wait_ended(session);
    capture_free(session);
    capture_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_cores_saw_is_in_the_file_in_order, begin, scratch_end),
        cmocka_unit_test_setup_teardown(limits_end_it, begin, scratch_end),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_refused_and_leaves_nothing, begin, scratch_end),
        cmocka_unit_test_setup_teardown(a_core_that_does_not_answer_keeps_what_it_has, begin, scratch_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
