/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "assay/log_record.h"
#include "daemon/log.h"
#include "daemon/text.h"
#include "scratch.h"

static void put(struct byte_ring *ring, uint64_t wall_ms, const char *name)
{
    struct log_record record = {.kind = LOG_NAME_MISMATCH, .wall_ns = wall_ms * 1000000};
    uint8_t *out = byte_ring_reserve(ring, sizeof(record) + strlen(name));

    assert_non_null(out);
    record.string_length[0] = (uint16_t)strlen(name);
    memcpy(out, &record, sizeof(record));
    memcpy(out + sizeof(record), name, strlen(name));
    byte_ring_commit(ring, sizeof(record) + strlen(name));
}

static char *content(const char *name)
{
    struct text text = {0};

    assert_int_equal(text_read_file(&text, scratch_path(name), 1 << 24), ASSAY_OK);
    return text.data != NULL ? text.data : strdup("");
}

static void test_rings_are_merged_by_time(void **state)
{
    struct byte_ring *rings[3];
    struct log_stats stats;
    struct log *log = log_create(scratch_path("a.log"));
    char *text, *at;

    for (int i = 0; i < 3; i++)
        assert_int_equal(byte_ring_create(65536, &rings[i]), ASSAY_OK);
    put(rings[0], 1000, "one");
    put(rings[0], 4000, "four");
    put(rings[1], 2000, "two");
    put(rings[2], 3000, "three");
    put(rings[2], 5000, "five");
    assert_int_equal(log_start(log, rings, 3), ASSAY_OK);
    log_stop(log); /* drains what is left */
    log_get_stats(log, &stats);
    assert_int_equal(stats.lines, 5);
    text = content("a.log");
    at = text;
    for (size_t i = 0; i < 5; i++) {
        static const char *const order[] = {"SNI (one)", "SNI (two)", "SNI (three)", "SNI (four)", "SNI (five)"};

        at = strstr(at, order[i]);
        assert_non_null(at);
    }
    free(text);
    for (int i = 0; i < 3; i++)
        byte_ring_destroy(rings[i]);
    log_free(log);
}

static void test_what_is_no_record_is_counted(void **state)
{
    struct log *log = log_create(scratch_path("b.log"));
    struct byte_ring *ring;
    struct log_stats stats;

    assert_int_equal(byte_ring_create(65536, &ring), ASSAY_OK);
    memset(byte_ring_reserve(ring, 16), 0xff, 16);
    byte_ring_commit(ring, 16);
    put(ring, 1000, "good");
    assert_int_equal(log_start(log, &ring, 1), ASSAY_OK);
    log_stop(log);
    log_get_stats(log, &stats);
    assert_int_equal(stats.malformed, 1);
    assert_int_equal(stats.lines, 1);
    log_free(log);
    byte_ring_destroy(ring);
}

static void test_events_and_reopening(void **state)
{
    struct log *log = log_create(scratch_path("c.log"));
    char *text;

    log_event(log, "INFO", "first %d", 1);
    assert_int_equal(rename(scratch_path("c.log"), scratch_path("c.log.1")), 0);
    log_event(log, "INFO", "second");
    log_reopen(log, scratch_path("c.log")); /* SIGUSR1 */
    log_event(log, "ERROR", "third\nforged");
    log_reopen(log, scratch_path("d.log")); /* log.file changed */
    log_event(log, "INFO", "fourth");
    text = content("c.log.1");
    assert_non_null(strstr(text, "Detail=\"first 1\"\n"));
    assert_non_null(strstr(text, "Detail=\"second\"\n"));
    free(text);
    text = content("c.log");
    assert_non_null(strstr(text, "Level=\"ERROR\": Detail=\"third%0Aforged\"\n"));
    free(text);
    text = content("d.log");
    assert_non_null(strstr(text, "fourth"));
    free(text);
    log_free(log);
}

static void test_reopening_while_it_runs(void **state)
{
    struct log *log = log_create(scratch_path("e.log"));
    struct byte_ring *ring;
    char *text;

    assert_int_equal(byte_ring_create(65536, &ring), ASSAY_OK);
    assert_int_equal(log_start(log, &ring, 1), ASSAY_OK);
    assert_int_equal(rename(scratch_path("e.log"), scratch_path("e.log.1")), 0);
    log_reopen(log, scratch_path("e.log"));
    put(ring, 1000, "after");
    for (int i = 0; i < 200 && !scratch_exists("e.log"); i++)
        usleep(10000);
    log_stop(log);
    text = content("e.log");
    assert_non_null(strstr(text, "SNI (after)"));
    free(text);
    log_free(log);
    byte_ring_destroy(ring);
}

/* More than the writer's buffer holds, and a file that takes nothing. */
static void test_floods_and_failures(void **state)
{
    struct log *log = log_create(scratch_path("f.log"));
    struct byte_ring *ring;
    struct log_stats stats;
    char name[2001];

    memset(name, 'n', 2000);
    name[2000] = '\0';
    assert_int_equal(byte_ring_create(1 << 21, &ring), ASSAY_OK);
    for (int i = 0; i < 900; i++)
        put(ring, 1000, name);
    assert_int_equal(log_start(log, &ring, 1), ASSAY_OK);
    log_stop(log);
    log_get_stats(log, &stats);
    assert_int_equal(stats.lines, 900);
    assert_true(stats.bytes > 900 * 4000);
    log_free(log);

    log = log_create("/dev/full");
    log_event(log, "INFO", "lost");
    log_get_stats(log, &stats);
    assert_int_equal(stats.write_failures, 1);
    log_free(log);
    byte_ring_destroy(ring);
}

/* A new file that cannot be opened: the old one goes on, and says so; then all is as before. */
static void test_a_file_that_cannot_be_reopened(void **state)
{
    struct log *log = log_create(scratch_path("g.log"));
    char *text;

    log_event(log, "INFO", "first");
    log_reopen(log, scratch_path("nowhere/g.log"));
    log_event(log, "INFO", "second");
    text = content("g.log");
    assert_non_null(strstr(text, "Level=\"ERROR\": Detail=\"log.file "));
    assert_non_null(
        strstr(text, "nowhere/g.log cannot be opened: No such file or directory: the one before goes on\"\n"));
    assert_non_null(strstr(text, "Detail=\"second\"\n"));
    free(text);
    log_reopen(log, scratch_path("h.log"));
    log_event(log, "INFO", "third");
    text = content("h.log");
    assert_non_null(strstr(text, "Detail=\"third\"\n"));
    free(text);
    log_free(log);
}

/* A disk that is full within a line, and has room again: no line begins in the middle of another. */
static void test_a_line_that_was_cut(void **state)
{
    struct log *log = log_create(scratch_path("full.log"));
    struct rlimit before, limit;
    struct log_stats stats;
    char *text, *cut;
    size_t length;

    log_event(log, "INFO", "first");
    text = content("full.log");
    length = strlen(text);
    free(text);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){length + length / 2, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    log_event(log, "INFO", "second");
    log_event(log, "INFO", "lost");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    log_event(log, "INFO", "third");
    log_event(log, "INFO", "fourth");
    log_get_stats(log, &stats);
    assert_int_equal(stats.write_failures, 2);
    text = content("full.log");
    cut = text + length + length / 2;
    assert_int_equal(cut[0], '\n'); /* behind the half of the second */
    assert_non_null(strstr(cut + 1, "Detail=\"third\"\n"));
    assert_null(strstr(text, "lost"));
    assert_null(strstr(cut + 1, "\n\n"));
    /* and the gap is said, where it can be said again */
    assert_non_null(strstr(cut + 1, "the log could not be written 2 times: lines are missing before this one"));
    assert_int_equal(stats.failing, 0);
    assert_non_null(strstr(cut + 1, "Detail=\"fourth\"\n"));
    free(text);
    log_free(log);
}

static void test_without_a_file(void **state)
{
    struct log *log = log_create(scratch_path("nowhere/x.log")); /* says so, and goes to standard error */
    struct log_stats stats;

    log_event(log, "INFO", "on standard error");
    log_get_stats(log, &stats);
    assert_int_equal(stats.lines, 1);
    assert_int_equal(log_start(log, NULL, LOG_RINGS_MAX + 1), ASSAY_ERR_RANGE);
    log_free(log);
    log_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rings_are_merged_by_time), cmocka_unit_test(test_what_is_no_record_is_counted),
        cmocka_unit_test(test_events_and_reopening),     cmocka_unit_test(test_reopening_while_it_runs),
        cmocka_unit_test(test_floods_and_failures),      cmocka_unit_test(test_a_file_that_cannot_be_reopened),
        cmocka_unit_test(test_a_line_that_was_cut),      cmocka_unit_test(test_without_a_file),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
