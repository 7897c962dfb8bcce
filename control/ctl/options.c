/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/options.h"

#include "ctl/command.h"

static bool is_letter_of(const struct option *table, int letter)
{
    while (table->name != NULL && table->val != letter)
        table++;
    return table->name != NULL;
}

static int complain(const struct ctl_options *what, int option, char **argv, FILE *err)
{
    const char letter[] = {'-', (char)optopt, '\0'};
    /* of letters in a row getopt is still at the word; a long option is behind it */
    const char *word = optopt != 0 && !is_letter_of(what->table, optopt) ? letter : argv[optind - 1];

    if (option == ':')
        fprintf(err, "assayctl %s: a value is missing behind %s (see --help)\n", what->command, word);
    else
        fprintf(err, "assayctl %s: unknown option, or one that takes no value: %s (see --help)\n", what->command, word);
    return CTL_USAGE;
}

bool ctl_options_parse(const struct ctl_options *what, int argc, char **argv, void *options, struct ctl_words *words,
                       FILE *out, FILE *err, int *code)
{
    int option;

    optind = 0; /* glibc: start anew, also its own state */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", what->table, NULL)) != -1) {
        if (option == 'h') {
            fputs(what->usage, out);
            *code = CTL_OK;
            return false;
        }
        if (option == '?' || option == ':') {
            *code = complain(what, option, argv, err);
            return false;
        }
        if (!what->take(options, option, err)) {
            *code = CTL_USAGE;
            return false;
        }
    }
    *words = (struct ctl_words){argv + optind, argc - optind};
    if (words->count <= what->words_max)
        return true;
    fprintf(err, "assayctl %s: unexpected argument %s\n", what->command, words->items[what->words_max]);
    *code = CTL_USAGE;
    return false;
}
