/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl check: what assayd would say of a configuration, without one. */
#include <time.h>

#include "ctl/command.h"
#include "ctl/options.h"
#include "ctl/print.h"
#include "daemon/check.h"
#include "daemon/problems.h"

static const char usage[] =
    "usage: assayctl check FILE\n"
    "       assayctl check --keys\n"
    "Reads the configuration as assayd would, with the certificates, keys, allow list and trust\n"
    "directory it names, and reports every fault as FILE:LINE: text. Needs no running assayd.\n"
    "--keys prints all keys a configuration may have.\n"
    "exit status: 0 good, 1 faults, 2 wrong usage\n";

static int check_one(const char *file, FILE *out, FILE *err)
{
    struct problems problems = {0};
    bool good = check_file(file, (uint64_t)time(NULL), &problems);

    ctl_print_problems(&problems, err);
    problems_free(&problems);
    if (good)
        fprintf(out, "%s: good\n", file);
    return good ? CTL_OK : CTL_REFUSED;
}

static bool option_take(void *into, int option, FILE *err)
{
    (void)option; /* there is one */
    (void)err;
    *(bool *)into = true;
    return true;
}

static const struct option option_table[] = {{"keys", no_argument, NULL, 'k'}, CTL_OPTIONS_END};
static const struct ctl_options command = {
    .command = "check", .usage = usage, .table = option_table, .take = option_take, .words_max = 1};

int ctl_check(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl_words words;
    bool keys = false;
    int code;

    if (!ctl_options_parse(&command, argc, argv, &keys, &words, out, err, &code))
        return code;
    if (keys == (words.count == 1)) { /* one of them */
        fputs(usage, err);
        return CTL_USAGE;
    }
    if (!keys)
        return check_one(words.items[0], out, err);
    check_print_keys(out);
    return CTL_OK;
}
