/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "access/access.h"

struct rule_row {
    const char *url;
    enum access_match match;
    uint32_t methods;
    enum access_source source;
};

static struct access_builder *builder_of(const struct rule_row *rows, size_t count)
{
    struct access_builder *builder = access_builder_create();
    const char *fault;

    for (size_t i = 0; i < count; i++) {
        struct access_rule rule = {.url = rows[i].url,
                                   .deployment = "1",
                                   .methods = rows[i].methods,
                                   .match = rows[i].match,
                                   .source = rows[i].source,
                                   .description = "d",
                                   .line = (uint32_t)i + 1};

        assert_int_equal(access_builder_add(builder, &rule, &fault), ASSAY_OK);
    }
    return builder;
}

static struct access_set *set_of(const struct rule_row *rows, size_t count, uint32_t cores)
{
    struct access_builder *builder = builder_of(rows, count);
    struct access_set *set;

    assert_int_equal(access_builder_finish(builder, cores, &set), ASSAY_OK);
    access_builder_free(builder);
    return set;
}

static struct access_decision decide(const struct access_set *set, const char *method, const char *path)
{
    struct access_request request = {slice_text(method), true, slice_text("h"), 443, slice_text(path), NULL};
    struct access_decision decision;

    access_decide(set, 0, &request, &decision);
    return decision;
}

/* S16, S17: a domain uses the nodes of its deployment. */
static void a_rule_allows_requests_of_its_deployment(void **state)
{
    static const struct {
        const char *url, *deployment;
        uint32_t methods;
    } rules[] = {{"https://h/a/", "1", 0}, {"https://h/a/", "2", ACCESS_PUT}, {"https://h/a/b/", "3", 0}};
    static const struct {
        const char *deployment, *method, *path, *rule, *reason;
    } rows[] = {
        {"1", "GET", "/a/b/c", "1", "In allow list"},
        {"2", "PUT", "/a/b/c", "2", "In allow list"},
        {"2", "GET", "/a/b/c", NULL, "Method not allowed by rule"},
        {"3", "GET", "/a/b/c", "3", "In allow list"},
        {"3", "GET", "/a/c", NULL, "Only in the allow list of another deployment"},
        {"4", "GET", "/a/c", NULL, "Only in the allow list of another deployment"},
        {"", "GET", "/a/c", NULL, "Only in the allow list of another deployment"},
        {"4", "GET", "/b", NULL, "Not in allow list"},
        {NULL, "GET", "/a/b/c", "3", "In allow list"}, /* of any: the longest prefix */
    };
    struct access_builder *builder = access_builder_create();
    struct access_decision decision;
    struct access_set *set;
    const char *fault;

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        struct access_rule rule = {.url = rules[i].url,
                                   .deployment = rules[i].deployment,
                                   .methods = rules[i].methods,
                                   .match = ACCESS_MATCH_PREFIX,
                                   .description = "d"};

        assert_int_equal(access_builder_add(builder, &rule, &fault), ASSAY_OK);
    }
    assert_int_equal(access_builder_finish(builder, 1, &set), ASSAY_OK);
    access_builder_free(builder);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct access_request request = {.method = slice_text(rows[i].method),
                                         .https = true,
                                         .host = slice_text("h"),
                                         .port = 443,
                                         .path = slice_text(rows[i].path),
                                         .deployment = rows[i].deployment};

        access_decide(set, 0, &request, &decision);
        assert_int_equal(decision.allowed, rows[i].rule != NULL);
        assert_string_equal(decision.reason, rows[i].reason);
        if (rows[i].rule != NULL)
            assert_string_equal(decision.rule->deployment, rows[i].rule);
    }
    access_set_free(set);
}

static void an_empty_list_allows_nothing(void **state)
{
    struct access_set *set = set_of(NULL, 0, 1);

    assert_false(decide(set, "GET", "/").allowed);
    assert_false(access_knows_origin(set, true, slice_text("h"), 443));
    access_set_free(set);
    access_set_free(NULL);
}

static void wants_a_core(void **state)
{
    struct access_builder *builder = access_builder_create();
    struct access_set *set;

    assert_int_equal(access_builder_finish(builder, 0, &set), ASSAY_ERR_RANGE);
    access_builder_free(builder);
}

/* What one rule covers, at its edges. */
static void coverage(void **state)
{
    static const struct {
        struct rule_row rule;
        const char *path;
        bool allowed;
    } rows[] = {
        {{"https://h/a/b", ACCESS_MATCH_PREFIX, 0, 0}, "/a", false},
        {{"https://h/a/b", ACCESS_MATCH_PREFIX, 0, 0}, "/a/bc", false},
        {{"https://h/a/b", ACCESS_MATCH_PREFIX, 0, 0}, "/a/b;x", false},
        {{"https://h/a/b", ACCESS_MATCH_PREFIX, 0, 0}, "/a/b%20", false},
        {{"https://h/a/b", ACCESS_MATCH_PREFIX, 0, 0}, "/A/b", false},
        {{"https://h/a/b", ACCESS_MATCH_PREFIX, 0, 0}, "/x/a/b", false},
        {{"https://h/a/b", ACCESS_MATCH_PREFIX, 0, 0}, "/a/b", true},
        {{"https://h/a/b", ACCESS_MATCH_PREFIX, 0, 0}, "/a/b/", true},
        {{"https://h/a/b", ACCESS_MATCH_PREFIX, 0, 0}, "/a/b/c", true},
        {{"https://h/a/b", ACCESS_MATCH_PREFIX, 0, 0}, "/a/b?c", true},
        {{"https://h/a/", ACCESS_MATCH_PREFIX, 0, 0}, "/a", false},
        {{"https://h/a/", ACCESS_MATCH_PREFIX, 0, 0}, "/a?x", false},
        {{"https://h/a/", ACCESS_MATCH_PREFIX, 0, 0}, "/a/", true},
        {{"https://h/a/", ACCESS_MATCH_PREFIX, 0, 0}, "/a/b", true},
        {{"https://h", ACCESS_MATCH_PREFIX, 0, 0}, "/any?thing", true},
        {{"https://h/CSF*", ACCESS_MATCH_PREFIX, 0, 0}, "/CS", false},
        {{"https://h/CSF*", ACCESS_MATCH_PREFIX, 0, 0}, "/CSF", true},
        {{"https://h/CSF*", ACCESS_MATCH_PREFIX, 0, 0}, "/CSFemusk.cnf.xml", true},
        {{"https://h/CSF*", ACCESS_MATCH_EXACT, 0, 0}, "/CSFx", false},
        {{"https://h/CSF*", ACCESS_MATCH_EXACT, 0, 0}, "/CSF*", true},
        {{"https://h/a?b=c", ACCESS_MATCH_PREFIX, 0, 0}, "/a?b=cd", false},
        {{"https://h/a?b=c", ACCESS_MATCH_PREFIX, 0, 0}, "/a?b=c/d", false},
        {{"https://h/a?b=c", ACCESS_MATCH_PREFIX, 0, 0}, "/a?b=c&d", true},
        {{"https://h/a?b=", ACCESS_MATCH_PREFIX, 0, 0}, "/a?b=z", true},
        {{"https://h/a", ACCESS_MATCH_EXACT, 0, 0}, "/a/", false},
        {{"https://h/a", ACCESS_MATCH_EXACT, 0, 0}, "/ab", false},
        {{"https://h/a", ACCESS_MATCH_EXACT, 0, 0}, "/a", true},
        {{"https://h/a", ACCESS_MATCH_EXACT, 0, 0}, "/a?b", true},
        {{"https://h/a?b", ACCESS_MATCH_EXACT, 0, 0}, "/a", false},
        {{"https://h/a?b", ACCESS_MATCH_EXACT, 0, 0}, "/a?b&c", false},
        {{"https://h/a?b", ACCESS_MATCH_EXACT, 0, 0}, "/a?b", true},
        {{"https://h", ACCESS_MATCH_EXACT, 0, 0}, "/a", false},
        {{"https://h", ACCESS_MATCH_EXACT, 0, 0}, "/", true},
        /* what would be an operator in a regular expression is a byte like any other */
        {{"https://h/a.b", ACCESS_MATCH_EXACT, 0, 0}, "/axb", false},
        {{"https://h/(a|b)+[c]$", ACCESS_MATCH_EXACT, 0, 0}, "/a", false},
        {{"https://h/(a|b)+[c]$", ACCESS_MATCH_EXACT, 0, 0}, "/(a|b)+[c]$", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct access_set *set = set_of(&rows[i].rule, 1, 1);
        struct access_decision decision = decide(set, "GET", rows[i].path);

        if (decision.allowed != rows[i].allowed)
            fail_msg("%s: %s", rows[i].rule.url, rows[i].path);
        assert_string_equal(decision.reason, rows[i].allowed ? "In allow list" : "Not in allow list");
        assert_true((decision.rule != NULL) == rows[i].allowed);
        access_set_free(set);
    }
}

static void origins_compare_exactly(void **state)
{
    static const struct rule_row rule = {"https://cucm.lab:8443/", ACCESS_MATCH_PREFIX, 0, 0};
    static const struct {
        bool https;
        const char *host;
        uint16_t port;
        bool known;
    } rows[] = {
        {false, "cucm.lab", 8443, false}, {true, "cucm.lab", 443, false},    {true, "cucm.la", 8443, false},
        {true, "cucm.labx", 8443, false}, {true, "x.cucm.lab", 8443, false}, {true, "", 8443, false},
        {true, "cucm.lab", 8443, true},
    };
    struct access_set *set = set_of(&rule, 1, 1);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct access_request request = {slice_text("GET"), rows[i].https,    slice_text(rows[i].host),
                                         rows[i].port,      slice_text("/a"), NULL};
        struct access_decision decision;

        access_decide(set, 0, &request, &decision);
        assert_int_equal(decision.allowed, rows[i].known);
        assert_int_equal(access_knows_origin(set, rows[i].https, slice_text(rows[i].host), rows[i].port),
                         rows[i].known);
    }
    access_set_free(set);
}

static void precedence(void **state)
{
    static const struct rule_row rules[] = {
        {"https://h/", ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_AUTOMATIC},
        {"https://h/a/", ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_AUTOMATIC},
        {"https://h/a/", ACCESS_MATCH_PREFIX, ACCESS_GET | ACCESS_PUT, ACCESS_SOURCE_MANUAL},
        {"https://h/a/", ACCESS_MATCH_PREFIX, ACCESS_GET, ACCESS_SOURCE_MANUAL},
        {"https://h/a/b/c", ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_MANUAL},
        {"https://h/a/b/c/d", ACCESS_MATCH_PREFIX, 0, ACCESS_SOURCE_AUTOMATIC},
        {"https://h/a/b/c", ACCESS_MATCH_EXACT, ACCESS_GET, ACCESS_SOURCE_AUTOMATIC},
    };
    static const struct {
        const char *method, *path;
        uint32_t line;
    } rows[] = {
        {"GET", "/z", 1},       {"GET", "/a/x", 3},     {"PUT", "/a/x", 3},   {"POST", "/a/x", 2},
        {"GET", "/a/b/c", 7},   {"GET", "/a/b/c?q", 7}, {"PUT", "/a/b/c", 5}, {"GET", "/a/b/c/", 5},
        {"GET", "/a/b/c/d", 6}, {"BREW", "/a/x", 2},
    };
    struct access_set *set = set_of(rules, sizeof(rules) / sizeof(rules[0]), 1);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct access_decision decision = decide(set, rows[i].method, rows[i].path);

        assert_true(decision.allowed);
        assert_int_equal(decision.rule->line, rows[i].line);
    }
    assert_int_equal(access_set_count(set), sizeof(rules) / sizeof(rules[0]));
    assert_string_equal(access_set_at(set, 4)->url, "https://h/a/b/c");
    access_set_free(set);
}

static void says_when_only_the_method_is_wrong(void **state)
{
    static const struct rule_row rule = {"https://h/a", ACCESS_MATCH_PREFIX, ACCESS_GET, 0};
    struct access_set *set = set_of(&rule, 1, 1);
    struct access_decision decision = decide(set, "HEAD", "/a");

    assert_false(decision.allowed);
    assert_null(decision.rule);
    assert_string_equal(decision.reason, "Method not allowed by rule");
    assert_string_equal(decide(set, "get", "/a").reason, "Method not allowed by rule");
    assert_string_equal(decide(set, "GET", "/b").reason, "Not in allow list");
    access_set_free(set);
}

static void a_set_takes_over_from_the_one_before(void **state)
{
    static const struct rule_row rules[] = {{"https://h/a", ACCESS_MATCH_PREFIX, 0, 0},
                                            {"https://i/a", ACCESS_MATCH_PREFIX, 0, 0},
                                            {"https://j/b", ACCESS_MATCH_PREFIX, 0, 0}};
    struct access_set *old = set_of(rules, 2, 2);
    struct access_builder *builder = builder_of(rules, 3);
    struct access_set *new;

    access_builder_reuse(builder, old);
    assert_int_equal(access_builder_finish(builder, 4, &new), ASSAY_OK);
    access_builder_free(builder);
    access_set_free(old);
    for (uint32_t core = 0; core < 4; core++) {
        struct access_request request = {slice_text("GET"), true, slice_text("i"), 443, slice_text("/a/b"), NULL};
        struct access_decision decision;

        access_decide(new, core, &request, &decision);
        assert_true(decision.allowed);
        assert_string_equal(decision.rule->url, "https://i/a");
    }
    access_set_free(new);
}

/* --- property: Hyperscan and a walk over all rules decide alike --------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void random_path(uint64_t *random, char *out, bool query)
{
    static const char *const pieces[] = {"a", "b", "ab", "/", "/", ".", "-x", "%41", "~", "(", "+", "a/b"};
    size_t count = next_random(random) % 5;

    strcpy(out, "/");
    for (size_t i = 0; i < count; i++)
        strcat(out, pieces[next_random(random) % (sizeof(pieces) / sizeof(pieces[0]))]);
    if (query && next_random(random) % 3 == 0)
        strcat(out, next_random(random) % 2 ? "?a=b" : "?a=b&c");
}

/* The contract of access.h, read off word by word. */
static bool covers(enum access_match match, const char *rule, const char *path)
{
    size_t len = strlen(rule);
    bool query = strchr(rule, '?') != NULL;
    char last = rule[len - 1];
    char next;

    if (match == ACCESS_MATCH_EXACT) {
        if (strncmp(rule, path, len) != 0)
            return false;
        return path[len] == 0 || (!query && path[len] == '?');
    }
    if (last == '*')
        return strncmp(rule, path, len - 1) == 0;
    if (strncmp(rule, path, len) != 0)
        return false;
    next = path[len];
    if (query)
        return last == '=' || last == '&' || last == '?' || next == 0 || next == '&';
    return last == '/' || next == 0 || next == '/' || next == '?';
}

struct drawn {
    char url[64];
    const char *path; /* in url */
    struct access_rule rule;
};

static size_t literal_len(const struct drawn *drawn)
{
    size_t len = strlen(drawn->path);

    return drawn->rule.match == ACCESS_MATCH_PREFIX && drawn->path[len - 1] == '*' ? len - 1 : len;
}

static bool beats(const struct drawn *a, const struct drawn *b)
{
    if (a->rule.match != b->rule.match)
        return a->rule.match == ACCESS_MATCH_EXACT;
    if (literal_len(a) != literal_len(b))
        return literal_len(a) > literal_len(b);
    return a->rule.source == ACCESS_SOURCE_MANUAL && b->rule.source == ACCESS_SOURCE_AUTOMATIC;
}

static size_t draw_rules(uint64_t *random, struct access_builder *builder, struct drawn *drawn, size_t max)
{
    size_t count = 0;
    const char *fault;

    for (size_t n = 0; n < max; n++) {
        struct drawn *d = &drawn[count];
        int start = snprintf(d->url, sizeof(d->url), "https://h");

        random_path(random, d->url + start, true);
        if (next_random(random) % 4 == 0)
            strcat(d->url, "*");
        d->path = d->url + start;
        d->rule =
            (struct access_rule){.url = d->url,
                                 .deployment = "1",
                                 .methods = (uint32_t)(next_random(random) % 4),
                                 .match = next_random(random) % 2 ? ACCESS_MATCH_EXACT : ACCESS_MATCH_PREFIX,
                                 .source = next_random(random) % 2 ? ACCESS_SOURCE_MANUAL : ACCESS_SOURCE_AUTOMATIC,
                                 .description = "",
                                 .line = (uint32_t)count + 1};
        /* Paths that are refused, and the same again, are left out. */
        count += access_builder_add(builder, &d->rule, &fault) == ASSAY_OK;
    }
    return count;
}

static void decides_like_a_walk_over_all_rules(void **state)
{
    uint64_t random = 0x9e3779b97f4a7c15;
    struct drawn drawn[150];
    uint32_t allowed = 0;

    for (int round = 0; round < 30; round++) {
        struct access_builder *builder = access_builder_create();
        size_t count = draw_rules(&random, builder, drawn, 1 + next_random(&random) % 150);
        struct access_set *set;

        assert_int_equal(access_builder_finish(builder, 1, &set), ASSAY_OK);
        access_builder_free(builder);
        for (int n = 0; n < 500; n++) {
            static const char *const methods[] = {"GET", "HEAD", "PUT"};
            size_t method = next_random(&random) % 3;
            const struct drawn *best = NULL;
            struct access_decision decision;
            char path[64];

            random_path(&random, path, true);
            for (size_t i = 0; i < count; i++) {
                bool method_ok =
                    drawn[i].rule.methods == 0 || (method < 2 && (drawn[i].rule.methods & 1U << method) != 0);

                if (method_ok && covers(drawn[i].rule.match, drawn[i].path, path) &&
                    (best == NULL || beats(&drawn[i], best)))
                    best = &drawn[i];
            }
            decision = decide(set, methods[method], path);
            assert_int_equal(decision.allowed, best != NULL);
            if (best != NULL && decision.rule->line != best->rule.line)
                fail_msg("%s: line %u, not %u", path, decision.rule->line, best->rule.line);
            allowed += decision.allowed;
        }
        access_set_free(set);
    }
    /* The draw must say something about both answers. */
    assert_in_range(allowed, 2000, 13000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_list_allows_nothing),
        cmocka_unit_test(a_rule_allows_requests_of_its_deployment),
        cmocka_unit_test(wants_a_core),
        cmocka_unit_test(coverage),
        cmocka_unit_test(origins_compare_exactly),
        cmocka_unit_test(precedence),
        cmocka_unit_test(says_when_only_the_method_is_wrong),
        cmocka_unit_test(a_set_takes_over_from_the_one_before),
        cmocka_unit_test(decides_like_a_walk_over_all_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
