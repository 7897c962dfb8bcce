/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be said without a network: options, files, help. The probe itself is tested in probe/, with real nodes in
 * tests/e2e/preflight.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "canned.h"
#include "ctl/command.h"

static char nodes[] = "/tmp/assay-nodes-XXXXXX";

static int begin(void **state)
{
    int fd = mkstemp(nodes);

    if (fd < 0 || canned_begin(state) != 0)
        return -1;
    close(fd);
    return 0;
}

static int end(void **state)
{
    unlink(nodes);
    return canned_end(state);
}

static char output[16384], complaint[16384];

static int run(canned_command command, const char *const *words)
{
    static char name[] = "command";
    char *argv[16] = {name};
    FILE *out = fmemopen(output, sizeof(output), "w"), *err = fmemopen(complaint, sizeof(complaint), "w");
    int argc = 1, code;

    memset(output, 0, sizeof(output));
    memset(complaint, 0, sizeof(complaint));
    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    code = command(argc, argv, out, err);
    fclose(out);
    fclose(err);
    return code;
}
#define RUN(command, ...) run(command, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void write_nodes(const char *text)
{
    FILE *out = fopen(nodes, "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void test_wrong_usage(void **state)
{
    assert_int_equal(RUN(ctl_preflight, "--nodes", nodes), CTL_USAGE);
    assert_int_equal(RUN(ctl_preflight, "--config"), CTL_USAGE);
    assert_int_equal(RUN(ctl_preflight, "--config", "x", "word"), CTL_USAGE);
    assert_int_equal(RUN(ctl_preflight, "--config", "x", "--ports", "443,"), CTL_USAGE);
    assert_non_null(strstr(complaint, "--ports 443,: not a list"));
    assert_int_equal(RUN(ctl_preflight, "--config", "x", "--jobs", "257"), CTL_USAGE);
    assert_int_equal(RUN(ctl_preflight, "--config", "x", "--jobs", "0"), CTL_USAGE);
    assert_int_equal(RUN(ctl_preflight, "--config", "x", "--timeout", "61s"), CTL_USAGE);
    assert_int_equal(RUN(ctl_preflight, "--config", "x", "--timeout", "5m"), CTL_USAGE);
    assert_int_equal(RUN(ctl_preflight, "--config", "x", "--timeout", "0"), CTL_USAGE);
    assert_int_equal(RUN(ctl_preflight, "--trust", "x"), CTL_USAGE);
    assert_int_equal(RUN(ctl_preflight, "--last", "--config", "x"), CTL_USAGE);
    assert_int_equal(RUN(ctl_preflight, "--last", "--ports", "8443"), CTL_USAGE);
    assert_int_equal(RUN(ctl_preflight, "--config", "/nonexistent"), CTL_USAGE);
    assert_non_null(strstr(complaint, "/nonexistent: cannot be read"));
}

static void test_files(void **state)
{
    char expected[128];

    write_nodes("a.lab cucm\nb..lab\n");
    assert_int_equal(RUN(ctl_preflight, "--nodes", nodes, "--trust", "/nonexistent.pem"), CTL_USAGE);
    snprintf(expected, sizeof(expected), "%s:2: neither a host name nor an IP address", nodes);
    assert_non_null(strstr(complaint, expected));
    assert_non_null(strstr(complaint, "/nonexistent.pem: cannot be read"));
    write_nodes("# nobody\n");
    assert_int_equal(RUN(ctl_preflight, "--nodes", nodes, "--trust", P_tmpdir), CTL_USAGE);
}

#define REPORT(fail)                                                                                               \
    "\"finished\":\"2026-01-01T00:00:00Z\",\"idle_only\":true,\"report\":{\"rows\":[{\"node\":\"a.lab\",\"port\":" \
    "8443,"                                                                                                        \
    "\"verdict\":\"pass\",\"now\":true,\"preferring\":[\"RSA\"],\"reason\":\"ok\"}],\"summary\":{\"origins\":1,"   \
    "\"pass\":1,\"fail\":" fail "}}}"

/* By a running daemon: asked to begin, then asked until it is over. */
static void test_daemon(void **state)
{
    canned_json(200, "{\"running\":true,\"report\":null}");
    canned_then_json(200, "{\"running\":false," REPORT("1"));
    assert_int_equal(CANNED_RUN(ctl_preflight, "--ports", "8443", "--jobs", "4"), CTL_REFUSED);
    assert_non_null(strstr(canned_out(), "a.lab"));
    assert_null(strstr(canned_out(), "2026-01-01"));
    canned_json(409, "{\"error\":\"a preflight is under way\"}");
    assert_int_equal(CANNED_RUN(ctl_preflight, "--ports", "8443", "--jobs", "4", "--timeout", "2s"), CTL_REFUSED);
    assert_non_null(strstr(canned_request(), "POST /v1/preflight "));
    assert_non_null(strstr(canned_request(), "{\"ports\":\"8443\",\"jobs\":4,\"timeout_ms\":2000}"));
    assert_non_null(strstr(canned_err(), "under way"));
}

static void test_last(void **state)
{
    canned_json(200, "{\"running\":false,\"report\":null}");
    assert_int_equal(CANNED_RUN(ctl_preflight, "--last"), CTL_REFUSED);
    assert_non_null(strstr(canned_err(), "has not run one yet"));
    canned_json(200, "{\"running\":true," REPORT("0"));
    assert_int_equal(CANNED_RUN(ctl_preflight, "--last"), CTL_OK);
    assert_memory_equal(canned_request(), "GET /v1/preflight ", 18);
    assert_non_null(strstr(canned_out(), "2026-01-01T00:00:00Z, of origins without traffic\n"));
    canned_json(200, "{\"running\":false," REPORT("0"));
    assert_int_equal(CANNED_RUN(ctl_preflight, "--last", "--json"), CTL_OK);
    assert_int_equal(canned_out()[0], '{');
    assert_int_equal(RUN(ctl_preflight, "--socket", "/nonexistent"), CTL_UNREACHABLE);
}

static void test_help(void **state)
{
    assert_int_equal(RUN(ctl_preflight, "--help"), CTL_OK);
    assert_non_null(strstr(output, "exit status: 0 all would pass"));
}

/* Files, live, probe: each of the three names the other two. */
static void test_help_names_the_others(void **state)
{
    static const struct {
        canned_command command;
        const char *others[2];
    } cases[] = {
        {ctl_preflight, {"assayctl verify", "assayctl verdicts"}},
        {ctl_verify, {"assayctl verdicts", "assayctl preflight"}},
        {ctl_verdicts, {"assayctl verify", "assayctl preflight"}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(RUN(cases[i].command, "--help"), CTL_OK);
        for (int k = 0; k < 2; k++)
            assert_non_null(strstr(output, cases[i].others[k]));
    }
}

/* An address that nothing can be reached at is refused by the rules of the data path, without a socket. */
static void test_special_address(void **state)
{
    write_nodes("127.0.0.1 8443\n");
    assert_int_equal(RUN(ctl_preflight, "--nodes", nodes, "--trust", "/etc/ssl/certs/ca-certificates.crt"),
                     CTL_UNREACHABLE);
    assert_non_null(strstr(output, "this address cannot be an origin's"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_help_names_the_others),
        cmocka_unit_test(test_special_address),
        cmocka_unit_test(test_daemon),
        cmocka_unit_test(test_last),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
