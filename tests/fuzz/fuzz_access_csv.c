/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file of rules is taken whole or not at all; what was taken compiles, and allows the URL it names. The same bytes as a test
 * file: refused with a line, or rows that can be asked. */
#include <string.h>

#include "access/access.h"
#include "fuzz.h"

/* Compiling costs milliseconds: short lists only. */
#define COMPILED_MAX 3

static const char header[] = "Url,Deployment,HttpMethods,MatchType,Description\n";
static const char tests_header[] = "Url,ExpectedResult,Deployment,Description,HttpMethod\n";

static void check_set(struct access_set *set)
{
    static const char *const paths[] = {"/", "/a", "/a/b?c=d", "/cucm-uds/user/emusk"};

    for (size_t i = 0; i < access_set_count(set); i++) {
        const struct access_rule *rule = access_set_at(set, i);

        FUZZ_CHECK(rule->source == ACCESS_SOURCE_MANUAL && rule->line > 1 && rule->deployment[0] != 0);
        for (size_t n = 0; n < sizeof(paths) / sizeof(paths[0]); n++) {
            struct access_request request = {slice_text("GET"), true, slice_text("h"), 443, slice_text(paths[n]), NULL};
            struct access_decision decision;

            access_decide(set, 0, &request, &decision);
            FUZZ_CHECK(decision.allowed == (decision.rule != NULL) && decision.reason != NULL);
        }
    }
}

static void check_tests(const struct access_set *set, const uint8_t *data, size_t size, size_t lines)
{
    size_t len = sizeof(tests_header) - 1;
    struct access_tests *tests = NULL;
    const char *fault = NULL;
    uint32_t line = 0;
    char *text = malloc(len + size);
    enum assay_error error;

    memcpy(text, tests_header, len);
    if (size > 0)
        memcpy(text + len, data, size);
    error = access_tests_read(slice_of(text, len + size), &tests, &line, &fault);
    free(text);
    FUZZ_CHECK((error == ASSAY_OK) == (tests != NULL));
    FUZZ_CHECK(error == ASSAY_OK || (line > 0 && line <= lines + 2 && fault[0] != 0));
    for (size_t i = 0; tests != NULL && i < access_tests_count(tests); i++) {
        struct access_decision decision;

        access_test_decide(set, access_tests_at(tests, i), &decision);
        FUZZ_CHECK(decision.allowed == (decision.rule != NULL) && decision.reason[0] != 0);
    }
    access_tests_free(tests);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct access_builder *builder = access_builder_create();
    struct access_set *set = NULL;
    const char *fault = NULL;
    uint32_t line = 0;
    size_t len = sizeof(header) - 1;
    size_t lines = 0;
    char *text = malloc(len + size);

    memcpy(text, header, len);
    if (size > 0)
        memcpy(text + len, data, size);
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    enum assay_error error = access_builder_add_csv(builder, slice_of(text, len + size), &line, &fault);
    FUZZ_CHECK(error == ASSAY_OK || (line > 0 && line <= lines + 2 && fault[0] != 0));
    if (lines < COMPILED_MAX) {
        FUZZ_CHECK(access_builder_finish(builder, 1, &set) == ASSAY_OK);
        FUZZ_CHECK(error == ASSAY_OK || access_set_count(set) == 0);
        check_set(set);
        check_tests(set, data, size, lines);
    }
    access_set_free(set);
    access_builder_free(builder);
    free(text);
    return 0;
}
