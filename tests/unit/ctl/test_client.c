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
#include "ctl/client.h"

/* What is no answer of assayd, on the wire. */
static const char *const broken[] = {
    "hello\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{\"a\":",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
};

static unsigned call(json_t **out, char **complaint)
{
    size_t size = 0;
    FILE *err;
    unsigned status;

    *complaint = NULL;
    err = open_memstream(complaint, &size);
    status = ctl_client_call(canned_socket(), "POST", "/v1/x", slice_text("body"), out, err);
    fclose(err);
    return status;
}

static void test_answers_that_are_none(void **state)
{
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        char *complaint;
        json_t *out;

        canned_raw(broken[i]);
        assert_int_equal(call(&out, &complaint), 0);
        assert_null(out);
        assert_non_null(strstr(complaint, "what answers there is not assayd"));
        free(complaint);
    }
}

/* It ends, or has no room: another thing than somebody who is not assayd. */
static void test_no_answer(void **state)
{
    static const char *const none[] = {NULL, ""};

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        char *complaint;
        json_t *out;

        canned_raw(none[i]);
        assert_int_equal(call(&out, &complaint), 0);
        assert_null(out);
        assert_non_null(strstr(complaint, ": closed without an answer: assayd is ending"));
        free(complaint);
    }
}

static void test_answers(void **state)
{
    static const struct {
        const char *bytes;
        unsigned status;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}", 200},
        {"HTTP/1.1 422 No\r\nContent-Length: 7\r\n\r\n{\"a\":1}", 422},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n", 200},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"a\":1}", 200},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *complaint;
        json_t *out;

        canned_raw(cases[i].bytes);
        assert_int_equal(call(&out, &complaint), cases[i].status);
        assert_string_equal(complaint, "");
        assert_int_equal(json_integer_value(json_object_get(out, "a")), 1);
        json_decref(out);
        free(complaint);
    }
    assert_string_equal(canned_request(),
                        "POST /v1/x HTTP/1.1\r\nHost: assayd\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody");
}

static void test_nobody_there(void **state)
{
    char long_path[200], *complaint = NULL;
    size_t size = 0;
    json_t *out;
    FILE *err = open_memstream(&complaint, &size);

    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    assert_int_equal(ctl_client_call("nowhere.sock", "GET", "/", slice_of(NULL, 0), &out, err), 0);
    assert_int_equal(ctl_client_call(long_path, "GET", "/", slice_of(NULL, 0), &out, err), 0);
    fclose(err);
    assert_non_null(strstr(complaint, "assayctl: nowhere.sock: No such file or directory\n"
                                      "assayctl: no assayd answers there: is it running"));
    assert_non_null(strstr(complaint, "too long for a socket's path"));
    free(complaint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers_that_are_none), cmocka_unit_test(test_no_answer),
                                       cmocka_unit_test(test_answers), cmocka_unit_test(test_nobody_there)};

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
