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
#include "ctl/admin.h"

static bool parse(unsigned options, struct ctl_admin *admin, int *code, const char *const *words)
{
    static char name[] = "command";
    char *argv[32] = {name};
    int argc = 1;
    FILE *sink = fopen("/dev/null", "w");
    bool good;

    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    good = ctl_admin_parse(argc, argv, "usage\n", options, admin, sink, sink, code);
    fclose(sink);
    return good;
}

#define WORDS(...)                      \
    (const char *const[])               \
    {                                   \
        __VA_ARGS__ __VA_OPT__(, ) NULL \
    }

static void test_options(void **state)
{
    static const struct {
        const char *words[4];
        unsigned options;
        int code;
    } refused[] = {
        {{"--socket"}, 0, CTL_USAGE},
        {{"--role", "anchor"}, 0, CTL_USAGE},
        {{"--for"}, CTL_ADMIN_FOR, CTL_USAGE},
        {{"--unknown"}, 0, CTL_USAGE},
        {{"-x"}, 0, CTL_USAGE},
        {{"--jsonx"}, 0, CTL_USAGE},
        {{"--socketx", "y"}, 0, CTL_USAGE},
        {{"a", "--help"}, 0, CTL_OK},
        {{"-h"}, 0, CTL_OK},
    };
    struct ctl_admin admin;
    int code = -1;

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_false(parse(refused[i].options, &admin, &code, refused[i].words));
        assert_int_equal(code, refused[i].code);
    }
    assert_false(
        parse(0, &admin, &code,
              WORDS("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17")));

    assert_true(parse(0, &admin, &code, WORDS()));
    assert_string_equal(admin.socket, "/run/assay/admin.sock");
    assert_true(parse(CTL_ADMIN_ROLE | CTL_ADMIN_FOR | CTL_ADMIN_MAX, &admin, &code,
                      WORDS("add", "--socket", "s", "-", "--json", "--role=helper", "--for", "4h", "--max=7", "b")));
    assert_string_equal(admin.socket, "s");
    assert_true(admin.json);
    assert_string_equal(admin.role, "helper");
    assert_string_equal(admin.duration, "4h");
    assert_string_equal(admin.max, "7");
    assert_int_equal(admin.word_count, 3);
    assert_string_equal(admin.words[1], "-");
}

static void test_calls(void **state)
{
    struct ctl_admin admin = {.socket = canned_socket()};
    char *text = NULL;
    size_t size = 0;
    json_t *answer;

    admin.out = admin.err = open_memstream(&text, &size);
    canned_json(422, "{\"error\":\"refused\",\"problems\":[\"a.yaml:1: x\",\"a.yaml:2: y\"]}");
    assert_int_equal(ctl_admin_call(&admin, "POST", "/v1/reload", slice_of(NULL, 0), &answer), CTL_REFUSED);
    assert_null(answer);
    canned_json(503, "{}");
    assert_int_equal(ctl_admin_call(&admin, "GET", "/v1/x", slice_of(NULL, 0), &answer), CTL_REFUSED);
    admin.socket = "nowhere.sock";
    assert_int_equal(ctl_admin_call(&admin, "GET", "/v1/x", slice_of(NULL, 0), &answer), CTL_UNREACHABLE);
    fclose(admin.out);
    assert_non_null(strstr(text, "a.yaml:1: x\na.yaml:2: y\nassayctl: refused\nassayctl: assayd answered 503\n"));
    free(text);
}

/* Whatever an assayd of another version leaves out, or writes otherwise: a command says less, and does not fall. */
static void test_answers_of_another_version(void **state)
{
    static const char *const answers[] = {
        "{}",
        "{\"certificates\":[{}],\"verdicts\":[{}],\"origins\":[{}],\"connections\":[{}],\"names\":[{}],\"crls\":[{}],"
        "\"entries\":[{}],\"chains\":[{}],\"flips\":[{}],\"failing\":[{}],\"repaired\":[{}],\"preflight\":[{}],"
        "\"listeners\":[{}],\"cores\":[{}],\"alarms\":[{}],\"warnings\":[{}],\"verify\":{\"scopes\":[{},{}]},"
        "\"total\":{\"tcp\":{}},\"ciphers\":{},\"report\":{\"rows\":[{}],\"summary\":{}}}",
        "{\"certificates\":7,\"verdicts\":\"x\",\"origins\":true,\"connections\":{},\"names\":1.5,\"crls\":7,"
        "\"entries\":7,"
        "\"chains\":7,\"flips\":7,\"failing\":7,\"repaired\":7,\"preflight\":7,\"listeners\":7,\"cores\":7,"
        "\"alarms\":[7],\"warnings\":[7],\"verify\":7,\"total\":{\"tcp\":7},\"ciphers\":{\"string\":7},\"mode\":7,"
        "\"report\":{\"rows\":7}}",
    };
    static const struct {
        canned_command command;
        const char *words[4];
    } cases[] = {
        {ctl_status, {NULL}},
        {ctl_reload, {NULL}},
        {ctl_reload, {"--dry-run"}},
        {ctl_trust, {"list"}},
        {ctl_trust, {"show", "aabbccdd"}},
        {ctl_trust, {"add", "/dev/null"}},
        {ctl_trust, {"remove", "aabbccdd"}},
        {ctl_crls, {NULL}},
        {ctl_crls, {"fetch"}},
        {ctl_origins, {NULL}},
        {ctl_verdicts, {NULL}},
        {ctl_verdicts, {"show", "cucm.lab"}},
        {ctl_connections, {NULL}},
        {ctl_names, {NULL}},
        {ctl_stats, {NULL}},
        {ctl_capture, {"status"}},
        {ctl_enforce, {NULL}},
        {ctl_expiry, {NULL}},
        {ctl_set, {"verify", "on"}},
        {ctl_preflight, {"--last"}},
        {ctl_certs, {NULL}},
        {ctl_ciphers, {"explain"}},
    };

    for (size_t k = 0; k < sizeof(answers) / sizeof(answers[0]); k++)
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            canned_json(200, answers[k]);
            canned_then_json(200, answers[k]);
            assert_in_range(canned_run(cases[i].command, cases[i].words), CTL_OK, CTL_UNREACHABLE);
            assert_null(strstr(canned_out(), "(null)"));
            assert_null(strstr(canned_err(), "(null)"));
        }
    canned_json(404, "{\"error\":\"no such thing\"}");
    assert_int_equal(CANNED_RUN(ctl_crls), CTL_REFUSED);
    assert_non_null(strstr(canned_err(), "is it of another version?"));
}

static void test_changes(void **state)
{
    static const struct {
        const char *json, *expected;
    } cases[] = {
        {"{\"published\":false,\"generation\":3}", "nothing changed, generation 3\n"},
        {"{\"published\":true,\"generation\":4,\"adopted\":true,\"adopted_ms\":0.25}",
         "generation 4, all cores after 0.250 ms\n"},
        {"{\"published\":true,\"generation\":5,\"adopted\":false,\"adopted_ms\":2000.0,\"warnings\":[\"w\"],"
         "\"needs_restart\":\"cores\"}",
         "generation 5, NOT all cores after 2000.000 ms\nwarning: w\nchanged, but acts at the next start only: "
         "cores\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *answer = json_loads(cases[i].json, 0, NULL);
        struct ctl_admin admin = {0};
        char *text = NULL;
        size_t size = 0;

        assert_non_null(answer);
        admin.out = open_memstream(&text, &size);
        ctl_admin_print_change(&admin, answer);
        fclose(admin.out);
        assert_string_equal(text, cases[i].expected);
        json_decref(answer);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_options), cmocka_unit_test(test_calls),
                                       cmocka_unit_test(test_answers_of_another_version),
                                       cmocka_unit_test(test_changes)};

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
