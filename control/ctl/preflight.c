/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl preflight: which certificates do the nodes show, and would assayd accept them? */
#include "ctl/preflight.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/admin.h"
#include "ctl/client.h"
#include "ctl/options.h"
#include "ctl/progress.h"
#include "daemon/problems.h"
#include "probe/probe.h"

#define TURN_MS       100
#define TIMEOUT_MAX_S 60

static const char usage[] =
    "usage: assayctl preflight [--last] [--ports LIST] [--jobs N] [--timeout TIME] [--strict] [--json] [--socket "
    "PATH]\n"
    "       assayctl preflight --config FILE [--nodes FILE] [--trust FILE|DIRECTORY]... [options]\n"
    "       assayctl preflight --nodes FILE --trust FILE|DIRECTORY... [options]\n"
    "Connects to each address and port of the nodes, from this machine's own network, and judges the certificates\n"
    "that they show as assayd does for every request: would they pass under enforcement, why not, what to do. Each is\n"
    "asked as assayd connects, with the other key type preferred, in TLS 1.2 alone, and, when it asks for a client\n"
    "certificate, without ours. No request is ever sent.\n"
    "Without --config and --nodes a running assayd is asked to do so, with what it runs with; --last shows what it "
    "found\n"
    "the last time, by order or by its timer (preflight.interval).\n"
    "  --config FILE     origins, trust, client certificates and ciphers of this configuration\n"
    "  --nodes FILE      ask these instead: ADDRESS [cucm|imp|unity|tftp] [PORT,PORT...] on each line\n"
    "  --trust FILE      trusted certificates (PEM, DER, PKCS#7) or a directory of them, instead of the "
    "configuration's\n"
    "                    (may be given again)\n"
    "  --state-directory DIR  of the assayd of this configuration, for the CRLs that it fetched (default "
    "/var/lib/assay)\n"
    "  --ports LIST      ask each node on these ports: 8443,6972 (default: those of its rules or its type)\n"
    "  --jobs N          connections at once (default 32, at most 256)\n"
    "  --timeout TIME    for one connection: 500ms, 5s (default 5s, at most 60s)\n"
    "  --strict          what passes with a warning, or would be met with other ciphers only, counts as failing\n"
    "  --json            the report as JSON\n"
    "What a running assayd judged: assayctl verdicts. Certificates in files: assayctl verify.\n"
    "exit status: 0 all would pass, 1 at least one would fail, 2 wrong usage or a file that is wrong,\n"
    "             3 none would fail, but some were not reached; or no assayd\n";

struct options {
    struct preflight_settings settings;
    const char *socket, *ports;
    bool json, strict, last;
    bool offline; /* by assayctl itself */
};

static bool number_parse(const char *word, unsigned long max, unsigned long *out, const char **end)
{
    char *stop;

    if (word[0] < '0' || word[0] > '9')
        return false;
    *out = strtoul(word, &stop, 10);
    *end = stop;
    return *out > 0 && *out <= max;
}

static bool timeout_parse(const char *word, uint64_t *out_ms)
{
    unsigned long value;
    const char *unit;

    if (!number_parse(word, TIMEOUT_MAX_S * 1000UL, &value, &unit))
        return false;
    if (strcmp(unit, "ms") == 0)
        *out_ms = value;
    else if (strcmp(unit, "s") == 0 || *unit == '\0')
        *out_ms = value * 1000;
    else
        return false;
    return *out_ms <= TIMEOUT_MAX_S * 1000ULL;
}

static bool wrong(FILE *err, const char *option, const char *word, const char *what)
{
    fprintf(err, "assayctl preflight: %s %s: %s\n", option, word, what);
    return false;
}

static bool option_take(void *into, int option, FILE *err)
{
    struct options *options = into;
    struct preflight_settings *settings = &options->settings;
    unsigned long number;
    const char *end;

    switch (option) {
    case 'c': settings->config_file = optarg; return true;
    case 'n': settings->nodes_file = optarg; return true;
    case 't':
        if (settings->trust_count == PREFLIGHT_TRUST_MAX)
            return wrong(err, "--trust", optarg, "there are too many of them");
        settings->trust[settings->trust_count++] = optarg;
        return true;
    case 'p':
        if (probe_ports_parse(slice_text(optarg), &settings->ports) != ASSAY_OK)
            return wrong(err, "--ports", optarg, "not a list of at most 32 ports: 8443,6972");
        options->ports = optarg;
        return true;
    case 'j':
        if (!number_parse(optarg, PROBE_JOBS_MAX, &number, &end) || *end != '\0')
            return wrong(err, "--jobs", optarg, "not a number from 1 to 256");
        settings->jobs = (unsigned)number;
        return true;
    case 'w':
        if (!timeout_parse(optarg, &settings->timeout_ms))
            return wrong(err, "--timeout", optarg, "not a time up to 60s: 500ms, 5s");
        return true;
    case 'd': settings->state_directory = optarg; return true;
    case 'S': options->socket = optarg; return true;
    case 'l': options->last = true; return true;
    case 's': options->strict = true; return true;
    case 'J': options->json = true; return true;
    }
    return false;
}

/* Which of the three it is: by a daemon, of a configuration, of a list of nodes. */
static bool options_judge(struct options *options, FILE *err)
{
    struct preflight_settings *settings = &options->settings;

    options->offline = settings->config_file != NULL || settings->nodes_file != NULL || settings->trust_count > 0;
    if (options->offline && settings->config_file == NULL &&
        (settings->nodes_file == NULL || settings->trust_count == 0)) {
        fprintf(err, "assayctl preflight: --nodes and --trust go together, or with --config (see --help)\n");
        return false;
    }
    if (settings->state_directory != NULL && settings->config_file == NULL) {
        fprintf(err, "assayctl preflight: --state-directory goes with --config (see --help)\n");
        return false;
    }
    if (options->last &&
        (options->offline || options->ports != NULL || settings->jobs > 0 || settings->timeout_ms > 0)) {
        fprintf(err, "assayctl preflight: --last asks nobody: it goes with --strict, --json and --socket\n");
        return false;
    }
    if (options->offline && settings->jobs == 0)
        settings->jobs = PREFLIGHT_JOBS_DEFAULT;
    if (options->offline && settings->timeout_ms == 0)
        settings->timeout_ms = PREFLIGHT_TIMEOUT_MS_DEFAULT;
    return true;
}

static const struct option option_table[] = {
    {"config", required_argument, NULL, 'c'},
    {"nodes", required_argument, NULL, 'n'},
    {"trust", required_argument, NULL, 't'},
    {"ports", required_argument, NULL, 'p'},
    {"jobs", required_argument, NULL, 'j'},
    {"timeout", required_argument, NULL, 'w'},
    {"state-directory", required_argument, NULL, 'd'},
    {"socket", required_argument, NULL, 'S'},
    {"last", no_argument, NULL, 'l'},
    {"strict", no_argument, NULL, 's'},
    {"json", no_argument, NULL, 'J'},
    CTL_OPTIONS_END,
};

static const struct ctl_options command = {
    .command = "preflight", .usage = usage, .table = option_table, .take = option_take, .words_max = 0};

/* --- running ------------------------------------------------------------------------------------------------------------ */

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

json_t *ctl_preflight_run(const struct preflight_settings *settings, bool probe, FILE *err)
{
    struct problems problems = {0};
    struct preflight *preflight = preflight_open(settings, (uint64_t)time(NULL), &problems);
    struct progress progress;
    json_t *report = NULL;

    ctl_print_problems(&problems, err);
    problems_free(&problems);
    if (preflight == NULL)
        return NULL;
    progress_begin(&progress, err);
    while (probe && preflight_turn(preflight, now_ms(), TURN_MS)) {
        size_t done, total;

        preflight_progress(preflight, &done, &total);
        progress_show(&progress, total > 0 ? "asking" : "resolving names", done, total);
    }
    progress_end(&progress);
    report = preflight_report(preflight);
    preflight_free(preflight);
    return report;
}

/* --- by a daemon -------------------------------------------------------------------------------------------------------- */

static int start_in_daemon(const struct options *options, const struct ctl_admin *admin)
{
    json_t *request = json_object(), *answer = NULL;
    char *body;
    int code;

    if (options->ports != NULL)
        json_object_set_new(request, "ports", json_string(options->ports));
    if (options->settings.jobs > 0)
        json_object_set_new(request, "jobs", json_integer(options->settings.jobs));
    if (options->settings.timeout_ms > 0)
        json_object_set_new(request, "timeout_ms", json_integer((json_int_t)options->settings.timeout_ms));
    body = json_dumps(request, JSON_COMPACT);
    code = body != NULL ? ctl_admin_call(admin, "POST", "/v1/preflight", slice_text(body), &answer) : CTL_USAGE;
    json_decref(answer);
    json_decref(request);
    free(body);
    return code;
}

/* Until it is over; *answer is then the last word. */
static int wait_for_daemon(const struct ctl_admin *admin, json_t **answer)
{
    struct progress progress;
    int code;

    progress_begin(&progress, admin->err);
    for (;;) {
        code = ctl_admin_call(admin, "GET", "/v1/preflight?brief=1", slice_of(NULL, 0), answer);
        if (code != CTL_OK || !json_is_true(json_object_get(*answer, "running")))
            break;
        progress_show(&progress, "asking", (size_t)json_integer_value(json_object_get(*answer, "done")),
                      (size_t)json_integer_value(json_object_get(*answer, "total")));
        json_decref(*answer);
        poll(NULL, 0, TURN_MS);
    }
    progress_end(&progress);
    return code;
}

static int report_of_daemon(const struct options *options, json_t **report, FILE *out, FILE *err)
{
    const struct ctl_admin admin = {.socket = options->socket, .out = out, .err = err};
    int code = options->last ? CTL_OK : start_in_daemon(options, &admin);
    json_t *answer = NULL;

    if (code == CTL_OK)
        code = options->last ? ctl_admin_call(&admin, "GET", "/v1/preflight", slice_of(NULL, 0), &answer)
                             : wait_for_daemon(&admin, &answer);
    if (code != CTL_OK)
        return code;
    *report = json_incref(json_object_get(answer, "report"));
    if (json_is_object(*report) && options->last && !options->json)
        fprintf(out, "%s, %s\n", ctl_text(answer, "finished"),
                json_is_true(json_object_get(answer, "idle_only")) ? "of origins without traffic" : "of all origins");
    json_decref(answer);
    if (json_is_object(*report))
        return CTL_OK;
    fprintf(err, "assayctl preflight: assayd has not run one yet\n");
    json_decref(*report);
    return CTL_REFUSED;
}

int ctl_preflight(int argc, char **argv, FILE *out, FILE *err)
{
    struct options options = {.socket = CTL_SOCKET_DEFAULT};
    struct ctl_words words;
    json_t *report = NULL;
    int status = CTL_OK;

    if (!ctl_options_parse(&command, argc, argv, &options, &words, out, err, &status))
        return status;
    if (!options_judge(&options, err))
        return CTL_USAGE;
    if (!options.offline)
        status = report_of_daemon(&options, &report, out, err);
    else if ((report = ctl_preflight_run(&options.settings, true, err)) == NULL)
        status = CTL_USAGE;
    if (status != CTL_OK)
        return status;
    if (options.json)
        ctl_print_json(report, out);
    else
        ctl_preflight_print(report, out);
    status = ctl_preflight_status(report, options.strict);
    json_decref(report);
    return status;
}
