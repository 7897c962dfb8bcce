/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl allow-list: the rules a configuration means, and whether they do what is expected of them (MRA S16). */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "access/access.h"
#include "ctl/command.h"
#include "ctl/file.h"
#include "ctl/options.h"
#include "ctl/print.h"
#include "daemon/check.h"
#include "daemon/problems.h"

static const char usage[] =
    "usage: assayctl allow-list show CONFIG [--json]\n"
    "       assayctl allow-list test CONFIG TESTS.csv [--json]\n"
    "show prints the rules that assayd would have of a configuration, its own list and those of its nodes.\n"
    "test asks them for each row of a file with the header line\n"
    "    Url,ExpectedResult,Deployment,Description,HttpMethod\n"
    "where ExpectedResult is allow or block, and HttpMethod is GET unless the row names another. A row that names\n"
    "a deployment is a request of a domain of that deployment: rules of others do not allow it. Needs no running "
    "assayd.\n"
    "exit status: 0 all rows as expected, 1 some not, or a fault in the files, 2 wrong usage\n";

static struct access_set *read_rules(const char *file, FILE *err)
{
    struct problems problems = {0};
    struct access_set *rules = check_rules(file, &problems);

    ctl_print_problems(&problems, err);
    problems_free(&problems);
    return rules;
}

static const char *match_text(const struct access_rule *rule)
{
    return rule->match == ACCESS_MATCH_EXACT ? "exact" : "prefix";
}

/* As a rule is written: "GET,PUT"; all: "*". */
static const char *methods_text(uint32_t methods, char *buffer, size_t size)
{
    static const struct {
        enum access_method bit;
        const char *name;
    } rows[] = {{ACCESS_GET, "GET"},       {ACCESS_HEAD, "HEAD"},       {ACCESS_POST, "POST"},  {ACCESS_PUT, "PUT"},
                {ACCESS_DELETE, "DELETE"}, {ACCESS_OPTIONS, "OPTIONS"}, {ACCESS_PATCH, "PATCH"}};
    size_t len = 0;

    snprintf(buffer, size, "*");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (methods & rows[i].bit)
            len += (size_t)snprintf(buffer + len, size - len, "%s%s", len > 0 ? "," : "", rows[i].name);
    return buffer;
}

/* --- show --------------------------------------------------------------------------------------------------------------------- */

static void show_text(const struct access_set *rules, FILE *out)
{
    char methods[64];

    for (size_t i = 0; i < access_set_count(rules); i++) {
        const struct access_rule *rule = access_set_at(rules, i);

        fprintf(out, "%-6s  %-12s  %-2s  %s  %s\n", match_text(rule),
                methods_text(rule->methods, methods, sizeof(methods)), rule->deployment, rule->url, rule->description);
    }
    fprintf(out, "%zu rules\n", access_set_count(rules));
}

static void show_json(const struct access_set *rules, FILE *out)
{
    json_t *list = json_array();
    char methods[64];

    for (size_t i = 0; i < access_set_count(rules); i++) {
        const struct access_rule *rule = access_set_at(rules, i);

        json_t *row = json_object();

        json_object_set_new(row, "url", ctl_json_text(rule->url));
        json_object_set_new(row, "methods", json_string(methods_text(rule->methods, methods, sizeof(methods))));
        json_object_set_new(row, "match", json_string(match_text(rule)));
        json_object_set_new(row, "deployment", ctl_json_text(rule->deployment));
        json_object_set_new(row, "description", ctl_json_text(rule->description));
        json_object_set_new(row, "automatic", json_boolean(rule->source == ACCESS_SOURCE_AUTOMATIC));
        json_object_set_new(row, "line", json_integer(rule->line));
        json_array_append_new(list, row);
    }
    ctl_print_json(list, out);
    json_decref(list);
}

/* --- test --------------------------------------------------------------------------------------------------------------------- */

static struct access_tests *read_tests(const char *file, FILE *err)
{
    struct access_tests *tests = NULL;
    uint8_t *data = NULL;
    size_t size = 0;
    uint32_t line = 0;
    const char *fault = "";
    enum assay_error error = ctl_file_read(file, &data, &size);

    if (error != ASSAY_OK) {
        fprintf(err, "%s: %s\n", file, ctl_file_fault(error));
    } else {
        error = access_tests_read(slice_of(data, size), &tests, &line, &fault);
        if (error != ASSAY_OK)
            fprintf(err, "%s:%u: %s\n", file, line, fault[0] ? fault : assay_error_text(error));
    }
    free(data);
    return tests;
}

/* Why the row is not as expected, or NULL. */
static const char *judge(const struct access_test *test, const struct access_decision *decision)
{
    if (test->allow && !decision->allowed)
        return decision->reason;
    if (!test->allow && decision->allowed)
        return "allowed";
    return NULL;
}

static void row_text(const char *file, const struct access_test *test, const struct access_decision *decision,
                     const char *why, FILE *out)
{
    if (why == NULL)
        return;
    fprintf(out, "%s:%u: %s %s: expected %s: %s", file, test->line, test->method, test->url,
            test->allow ? "allow" : "block", why);
    if (decision->rule != NULL)
        fprintf(out, " (rule %s, %s, deployment %s)", decision->rule->url, match_text(decision->rule),
                decision->rule->deployment);
    fprintf(out, "%s%s\n", test->description[0] ? ": " : "", test->description);
}

static json_t *row_json(const struct access_test *test, const struct access_decision *decision, const char *why)
{
    json_t *row = json_object();

    json_object_set_new(row, "line", json_integer(test->line));
    json_object_set_new(row, "url", ctl_json_text(test->url));
    json_object_set_new(row, "method", ctl_json_text(test->method));
    json_object_set_new(row, "description", ctl_json_text(test->description));
    json_object_set_new(row, "expected", json_string(test->allow ? "allow" : "block"));
    json_object_set_new(row, "result", json_string(decision->allowed ? "allow" : "block"));
    json_object_set_new(row, "passed", json_boolean(why == NULL));
    json_object_set_new(row, "reason", json_string(why != NULL ? why : decision->reason));
    json_object_set_new(row, "rule", decision->rule != NULL ? ctl_json_text(decision->rule->url) : json_null());
    return row;
}

static int run_tests(const struct access_set *rules, const struct access_tests *tests, const char *file, bool json,
                     FILE *out)
{
    json_t *rows = json_array();
    size_t failed = 0, count = access_tests_count(tests);

    for (size_t i = 0; i < count; i++) {
        const struct access_test *test = access_tests_at(tests, i);
        struct access_decision decision;
        const char *why;

        access_test_decide(rules, test, &decision);
        why = judge(test, &decision);
        failed += why != NULL;
        if (json)
            json_array_append_new(rows, row_json(test, &decision, why));
        else
            row_text(file, test, &decision, why, out);
    }
    if (json) {
        json_t *all = json_pack("{s:I, s:I, s:O}", "passed", (json_int_t)(count - failed), "failed", (json_int_t)failed,
                                "rows", rows);

        ctl_print_json(all, out);
        json_decref(all);
    } else {
        fprintf(out, "%zu as expected, %zu not\n", count - failed, failed);
    }
    json_decref(rows);
    return failed == 0 ? CTL_OK : CTL_REFUSED;
}

static int allow_list_show(const char *config, bool json, FILE *out, FILE *err)
{
    struct access_set *rules = read_rules(config, err);

    if (rules == NULL)
        return CTL_REFUSED;
    if (json)
        show_json(rules, out);
    else
        show_text(rules, out);
    access_set_free(rules);
    return CTL_OK;
}

static int allow_list_test(const char *config, const char *file, bool json, FILE *out, FILE *err)
{
    struct access_set *rules = read_rules(config, err);
    struct access_tests *tests = rules != NULL ? read_tests(file, err) : NULL;
    int code = tests != NULL ? run_tests(rules, tests, file, json, out) : CTL_REFUSED;

    access_tests_free(tests);
    access_set_free(rules);
    return code;
}

static bool option_take(void *into, int option, FILE *err)
{
    (void)option; /* there is one */
    (void)err;
    *(bool *)into = true;
    return true;
}

static const struct option option_table[] = {{"json", no_argument, NULL, 'J'}, CTL_OPTIONS_END};
static const struct ctl_options command = {
    .command = "allow-list", .usage = usage, .table = option_table, .take = option_take, .words_max = 3};

int ctl_allow_list(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl_words words;
    bool json = false;
    int code;

    if (!ctl_options_parse(&command, argc, argv, &json, &words, out, err, &code))
        return code;
    if (words.count == 2 && strcmp(words.items[0], "show") == 0)
        return allow_list_show(words.items[1], json, out, err);
    if (words.count == 3 && strcmp(words.items[0], "test") == 0)
        return allow_list_test(words.items[1], words.items[2], json, out, err);
    fputs(usage, err);
    return CTL_USAGE;
}
