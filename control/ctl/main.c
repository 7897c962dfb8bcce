/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"

static const struct ctl_command commands[] = {
    {"verify", "judge a certificate chain for a name, as assayd would", ctl_verify},
};

static void help(FILE *out)
{
    fprintf(out, "usage: assayctl COMMAND [options]\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        fprintf(out, "  %-16s %s\n", commands[i].name, commands[i].help);
    fprintf(out, "assayctl COMMAND --help says more.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return CTL_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help(stdout);
        return CTL_OK;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1, stdout, stderr);
    fprintf(stderr, "assayctl: no command %s (see assayctl --help)\n", argv[1]);
    return CTL_USAGE;
}
