/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/options.h"

struct taken {
    const char *file;
    int turns;
};

static bool take(void *options, int option, FILE *err)
{
    struct taken *taken = options;

    if (option == 'f')
        taken->file = optarg;
    else if (++taken->turns > 2) {
        fputs("too many turns\n", err);
        return false;
    }
    return true;
}

static const struct option table[] = {
    {"file", required_argument, NULL, 'f'},
    {"turn", no_argument, NULL, 't'},
    CTL_OPTIONS_END,
};

static const struct ctl_options command = {
    .command = "spin", .usage = "usage: spin\n", .table = table, .take = take, .words_max = 2};

struct parsed {
    struct taken taken;
    struct ctl_words words;
    int code;
    bool good;
    char *out, *err;
};

/* words ends with NULL */
static struct parsed parse(const char *const *words)
{
    struct parsed parsed = {.code = -1};
    size_t out_size, err_size;
    FILE *out = open_memstream(&parsed.out, &out_size), *err = open_memstream(&parsed.err, &err_size);
    static char *argv[10];
    int argc = 0;

    for (; words[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc];
    argv[argc] = NULL;
    parsed.good = ctl_options_parse(&command, argc, argv, &parsed.taken, &parsed.words, out, err, &parsed.code);
    fclose(out);
    fclose(err);
    return parsed;
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void parsed_free(struct parsed *parsed)
{
    free(parsed->out);
    free(parsed->err);
}

/* Words before, between and behind options; what is behind -- is no option. */
static void test_options_and_words(void **state)
{
    struct parsed parsed = PARSE("spin", "one", "--file", "x", "--turn", "--", "--turn");

    assert_true(parsed.good);
    assert_string_equal(parsed.taken.file, "x");
    assert_int_equal(parsed.taken.turns, 1);
    assert_int_equal(parsed.words.count, 2);
    assert_string_equal(parsed.words.items[0], "one");
    assert_string_equal(parsed.words.items[1], "--turn");
    assert_string_equal(parsed.err, "");
    parsed_free(&parsed);
}

static void test_help(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        struct parsed parsed = PARSE("spin", "--turn", i == 0 ? "--help" : "-h", "--nonsense");

        assert_false(parsed.good);
        assert_int_equal(parsed.code, CTL_OK);
        assert_string_equal(parsed.out, "usage: spin\n");
        assert_string_equal(parsed.err, "");
        parsed_free(&parsed);
    }
}

/* Each complaint names the word that it is about. */
static void test_wrong_usage(void **state)
{
    static const struct {
        const char *argv[5];
        const char *said;
    } cases[] = {
        {{"spin", "--nonsense", "--turn"}, "unknown option, or one that takes no value: --nonsense (see --help)\n"},
        {{"spin", "--turn=3", "--turn"}, "unknown option, or one that takes no value: --turn=3 (see --help)\n"},
        {{"spin", "--turn", "-xy"}, "unknown option, or one that takes no value: -x (see --help)\n"},
        {{"spin", "--turn", "--file"}, "a value is missing behind --file (see --help)\n"},
        {{"spin", "a", "b", "c"}, "unexpected argument c\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed parsed = parse(cases[i].argv);

        assert_false(parsed.good);
        assert_int_equal(parsed.code, CTL_USAGE);
        assert_ptr_equal(strstr(parsed.err, "assayctl spin: "), parsed.err);
        assert_string_equal(parsed.err + strlen("assayctl spin: "), cases[i].said);
        parsed_free(&parsed);
    }
}

/* What the command itself refuses ends it, with the command's own words. */
static void test_refused_by_the_command(void **state)
{
    struct parsed parsed = PARSE("spin", "--turn", "--turn", "--turn", "--file");

    assert_false(parsed.good);
    assert_int_equal(parsed.code, CTL_USAGE);
    assert_string_equal(parsed.err, "too many turns\n");
    parsed_free(&parsed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_and_words),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_refused_by_the_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
