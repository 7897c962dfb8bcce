/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"

static const struct ctl_command commands[] = {
    {"verify", "judge a certificate chain for a name, as assayd would", ctl_verify},
    {"preflight", "ask the nodes for their certificates, and judge them as assayd would", ctl_preflight},
    {"certs", "the certificates that nodes show, by traffic and preflight", ctl_certs},
    {"ciphers", "explain: what is offered to origins, and which certificate each shows", ctl_ciphers},
    {"check", "check a configuration and the files it names, without a daemon", ctl_check},
    {"allow-list", "show the rules of a configuration, and test them", ctl_allow_list},
    {"status", "what runs", ctl_status},
    {"reload", "read the configuration and its files again", ctl_reload},
    {"trust", "list, show, add, remove trusted certificates", ctl_trust},
    {"crls", "revocation lists at hand, and fetching them again", ctl_crls},
    {"origins", "origins and their connections", ctl_origins},
    {"verdicts", "verdicts the cores remember; show HOST:PORT: why one is what it is", ctl_verdicts},
    {"connections", "connections of both sides", ctl_connections},
    {"names", "names of origins and their addresses", ctl_names},
    {"stats", "counters", ctl_stats},
    {"capture", "start, stop, status: frames of the port into a pcapng file", ctl_capture},
    {"enforce", "enforce verification, once nothing that was seen would be refused", ctl_enforce},
    {"expiry", "certificates that end soon", ctl_expiry},
    {"set", "set verify on|off [--deployment NAME | --origin HOST[:PORT]] [--for 4h]", ctl_set},
    {"xconfiguration", "EdgeConfigServer VerifyOriginServer: Off|On", ctl_xconfiguration},
};

#define ARGUMENTS_MAX 64

static void help(FILE *out)
{
    fprintf(out, "usage: assayctl [--socket PATH] COMMAND [options]\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        fprintf(out, "  %-16s %s\n", commands[i].name, commands[i].help);
    fprintf(
        out,
        "assayctl COMMAND --help says more; assayctl --version which one this is.\n"
        "exit status: 0 done, or yes; 1 refused, or no; 2 wrong usage, or a file that cannot be read or written; 3 no "
        "assayd\n"
        "(preflight: or nodes that were not reached)\n");
}

/* What a script was to get must not be lost quietly: standard output closed, or on a full disk. */
static int finish(int code)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return code;
    fprintf(stderr, "assayctl: the output cannot be written: %s\n", strerror(errno));
    return code == CTL_OK ? CTL_USAGE : code;
}

static int run(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(argc, argv, stdout, stderr);
    fprintf(stderr, "assayctl: no command %s (see assayctl --help)\n", argv[0]);
    return CTL_USAGE;
}

/* `assayctl --socket PATH COMMAND …` is `assayctl COMMAND --socket PATH …`. */
static int run_with_socket(int argc, char **argv)
{
    char *moved[ARGUMENTS_MAX];
    int count = 0;

    if (argc < 4 || argc > ARGUMENTS_MAX) {
        help(stderr);
        return CTL_USAGE;
    }
    moved[count++] = argv[3];
    moved[count++] = argv[1];
    moved[count++] = argv[2];
    for (int i = 4; i < argc; i++)
        moved[count++] = argv[i];
    return run(count, moved);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return CTL_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help(stdout);
        return finish(CTL_OK);
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("assayctl " ASSAY_VERSION);
        return finish(CTL_OK);
    }
    return finish(strcmp(argv[1], "--socket") == 0 ? run_with_socket(argc, argv) : run(argc - 1, argv + 1));
}
