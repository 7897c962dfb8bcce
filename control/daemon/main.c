/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/check.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/problems.h"

static const char usage_text[] =
    "usage: assayd --config FILE [--state-directory DIR] [--check] [--help-config] [--version] [--help]\n"
    "\n"
    "  --config FILE           the configuration (YAML)\n"
    "  --state-directory DIR   where the last good configuration and the state of `set verify` are kept\n"
    "                          (default /var/lib/assay)\n"
    "  --check                 check the configuration and the files it names, then exit\n"
    "  --help-config           print all keys of the configuration\n"
    "\n"
    "Signals: SIGHUP reloads, SIGUSR1 reopens the log file, SIGTERM and SIGINT drain and stop (twice: at once).\n"
    "Exit status: 0 stopped as told, 1 configuration or machine refused, 2 wrong usage, 3 failed while running.\n";

enum option_code { OPTION_CONFIG = 1, OPTION_STATE, OPTION_CHECK, OPTION_KEYS, OPTION_VERSION, OPTION_HELP };

static const struct option option_list[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"state-directory", required_argument, NULL, OPTION_STATE},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"help-config", no_argument, NULL, OPTION_KEYS},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static int usage(FILE *out, int code)
{
    fputs(usage_text, out);
    return code;
}

static int print_keys(void)
{
    struct text keys = {0};

    config_print_keys(&keys);
    fputs(text_get(&keys), stdout);
    text_free(&keys);
    return DAEMON_EXIT_OK;
}

static int check(const char *file)
{
    struct problems problems = {0};
    bool good = check_file(file, (uint64_t)time(NULL), &problems);

    for (size_t i = 0; i < problems.kept; i++)
        fprintf(stderr, "%s\n", problems.items[i]);
    for (size_t i = 0; i < problems.warnings_kept; i++)
        fprintf(stderr, "warning: %s\n", problems.warnings[i]);
    problems_free(&problems);
    if (good)
        printf("%s: good\n", file);
    return good ? DAEMON_EXIT_OK : DAEMON_EXIT_REFUSED;
}

int main(int argc, char **argv)
{
    struct daemon_options options = {.state_directory = "/var/lib/assay"};
    bool only_check = false;
    int code;

    while ((code = getopt_long(argc, argv, "", option_list, NULL)) != -1) {
        switch (code) {
        case OPTION_CONFIG: options.config_file = optarg; break;
        case OPTION_STATE: options.state_directory = optarg; break;
        case OPTION_CHECK: only_check = true; break;
        case OPTION_KEYS: return print_keys();
        case OPTION_VERSION: puts("assayd " ASSAY_VERSION); return DAEMON_EXIT_OK;
        case OPTION_HELP: return usage(stdout, DAEMON_EXIT_OK);
        default: return usage(stderr, DAEMON_EXIT_USAGE);
        }
    }
    if (options.config_file == NULL || optind != argc)
        return usage(stderr, DAEMON_EXIT_USAGE);
    return only_check ? check(options.config_file) : (int)daemon_run(&options);
}
