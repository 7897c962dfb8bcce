/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "canned.h"
#include "ctl/command.h"

#define FLIP                                                                                                         \
    "{\"considered\":4,\"unchanged\":3,\"warnings\":[\"w\"],\"flips\":[{\"host\":\"cucm.steven.lab\",\"port\":8443," \
    "\"common_name\":\"cucm-ms\",\"from\":{\"error\":\"ok\",\"effect\":\"passes\"},\"to\":{\"error\":"               \
    "\"certificate has expired\",\"effect\":\"refused\"},\"action\":\"renew\"}]}"
#define NONE "{\"considered\":4,\"unchanged\":4,\"warnings\":[],\"flips\":[]}"

static const char *file_of(const char *text)
{
    static char path[64];
    FILE *file;

    snprintf(path, sizeof(path), "%s", "/tmp/assay-what-if-XXXXXX");
    file = fdopen(mkstemp(path), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static void test_trust(void **state)
{
    const char *path = file_of("certificate");

    canned_json(200, FLIP);
    assert_int_equal(CANNED_RUN(ctl_trust, "add", "--dry-run", path, "--role", "anchor"), CTL_REFUSED);
    assert_memory_equal(canned_request(), "POST /v1/trust?role=anchor&dry_run=1 ", 37);
    assert_non_null(strstr(canned_out(), "warning: w\n"));
    assert_non_null(strstr(canned_out(), "passes  certificate has expired  refused  renew"));
    assert_non_null(strstr(canned_out(), "of 4 chains of the last 24 hours, 1 would flip\n"));
    canned_json(200, NONE);
    assert_int_equal(CANNED_RUN(ctl_trust, "remove", "--dry-run", "00112233"), CTL_OK);
    assert_memory_equal(canned_request(), "DELETE /v1/trust/00112233?dry_run=1 ", 36);
    canned_json(200, FLIP);
    assert_int_equal(CANNED_RUN(ctl_trust, "remove", "--dry-run", "00112233", "--json"), CTL_REFUSED);
    assert_non_null(strstr(canned_out(), "\"considered\": 4"));
    /* a dry run goes on to the second one (nobody answers any more), a change that is refused does not */
    canned_json(200, FLIP);
    assert_int_equal(CANNED_RUN(ctl_trust, "remove", "--dry-run", "00112233", "44556677"), CTL_UNREACHABLE);
    canned_json(422, "{\"error\":\"refused\"}");
    assert_int_equal(CANNED_RUN(ctl_trust, "remove", "00112233", "44556677"), CTL_REFUSED);
    remove(path);
}

static void test_reload(void **state)
{
    const char *path = file_of("via: a\n");

    canned_json(200, NONE);
    assert_int_equal(CANNED_RUN(ctl_reload, "--dry-run"), CTL_OK);
    assert_memory_equal(canned_request(), "POST /v1/reload?dry_run=1 ", 26);
    canned_json(200, FLIP);
    assert_int_equal(CANNED_RUN(ctl_reload, "--dry-run", path), CTL_REFUSED);
    assert_non_null(strstr(canned_request(), "\r\n\r\nvia: a\n"));
    canned_json(422, "{\"error\":\"would be refused\",\"problems\":[\"a.yaml:3: via: is there twice\"]}");
    assert_int_equal(CANNED_RUN(ctl_reload, "--dry-run", path), CTL_REFUSED);
    assert_string_equal(canned_err(), "a.yaml:3: via: is there twice\nassayctl: would be refused\n");
    remove(path);
    assert_int_equal(CANNED_RUN(ctl_reload, "--dry-run", path), CTL_USAGE); /* gone */
    assert_int_equal(CANNED_RUN(ctl_reload, path), CTL_USAGE);
    path = file_of("");
    assert_int_equal(CANNED_RUN(ctl_reload, "--dry-run", path), CTL_USAGE);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_trust), cmocka_unit_test(test_reload)};

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
