/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl check: what assayd would say of a configuration, without one. */
#include <string.h>
#include <time.h>

#include "ctl/command.h"
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

int ctl_check(int argc, char **argv, FILE *out, FILE *err)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, out);
        return CTL_OK;
    }
    if (argc == 2 && strcmp(argv[1], "--keys") == 0) {
        check_print_keys(out);
        return CTL_OK;
    }
    if (argc != 2 || argv[1][0] == '-') {
        fputs(usage, err);
        return CTL_USAGE;
    }
    return check_one(argv[1], out, err);
}
