/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl ciphers explain: what is offered to origins, and which certificate each of them shows because of it. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/admin.h"
#include "ctl/ciphers_view.h"
#include "ctl/client.h"

#define HOSTS_MAX  64
#define LINE_WIDTH 110

static const char usage[] =
    "usage: assayctl ciphers explain [HOST]... [--config FILE [--no-probe]] [--json] [--socket PATH]\n"
    "What tls.ciphers.origins means: which suites are offered to origins in TLS 1.3 and 1.2, in which order, and which "
    "of\n"
    "its certificates (RSA, ECDSA) each origin shows because of it: by the traffic and the last preflight of a "
    "running\n"
    "assayd, or, with --config, by asking the origins of that configuration now.\n"
    "  HOST            of these origins alone\n"
    "  --config FILE   this configuration, without a daemon\n"
    "  --no-probe      the string alone: connect to nobody\n"
    "The preference follows from the string's beginning: with ECDHE-RSA-AES256-GCM-SHA384: RSA is preferred (as on an "
    "edge\n"
    "that came from 14.0 or later: remove the prefix for ECDSA), without it ECDSA (a fresh installation, or one that "
    "came\n"
    "from before 14.0: add the prefix for RSA). !X leaves X out, +ECDSA moves ECDSA to the end.\n"
    "exit status: 0 done, 1 refused, 2 wrong usage, 3 no assayd\n";

struct options {
    struct seen_source source;
    const char *hosts[HOSTS_MAX];
    size_t host_count;
    bool json, help;
};

static bool words_take(struct options *options, int argc, char **argv, FILE *err)
{
    if (optind >= argc || strcmp(argv[optind], "explain") != 0) {
        fputs(usage, err);
        return false;
    }
    for (int i = optind + 1; i < argc; i++) {
        if (options->host_count == HOSTS_MAX) {
            fprintf(err, "assayctl ciphers: more than %d hosts\n", HOSTS_MAX);
            return false;
        }
        options->hosts[options->host_count++] = argv[i];
    }
    if (!options->source.probe && options->source.config_file == NULL) {
        fprintf(err, "assayctl ciphers: --no-probe goes with --config\n");
        return false;
    }
    return true;
}

static bool options_parse(struct options *options, int argc, char **argv, FILE *err)
{
    static const struct option table[] = {
        {"config", required_argument, NULL, 'c'}, {"socket", required_argument, NULL, 'S'},
        {"no-probe", no_argument, NULL, 'n'},     {"json", no_argument, NULL, 'J'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    int option;

    *options = (struct options){.source = {.socket = CTL_SOCKET_DEFAULT, .probe = true}};
    optind = 0; /* glibc: start anew, also its own state */
    opterr = 0;
    while ((option = getopt_long(argc, argv, "h", table, NULL)) != -1)
        switch (option) {
        case 'c': options->source.config_file = optarg; break;
        case 'S': options->source.socket = optarg; break;
        case 'n': options->source.probe = false; break;
        case 'J': options->json = true; break;
        case 'h': options->help = true; break;
        default:
            fprintf(err, "assayctl ciphers: unknown option, or one without its value (see --help)\n");
            return false;
        }
    return options->help || words_take(options, argc, argv, err);
}

/* --- output ------------------------------------------------------------------------------------------------------------- */

/* A list behind its title, over as many lines as it takes. */
static void print_list(const char *title, const json_t *list, FILE *out)
{
    int column = fprintf(out, "%-28s", title);
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *word = json_string_value(item);

        if (column + (int)strlen(word) > LINE_WIDTH)
            column = fprintf(out, "\n%-28s", "") - 1;
        column += fprintf(out, " %s", word);
    }
    fputc('\n', out);
}

static void print_view(const json_t *view, FILE *out)
{
    static const struct ctl_column columns[] = {
        {"host", "host", 0},   {"address", "address", 0},          {"port", "port", 0},
        {"shows", "shows", 0}, {"common_name", "common name", 40}, {"source", "known from", 0},
        {"why", "why", 0},
    };
    const json_t *tls13 = json_object_get(view, "tls13"), *tls12 = json_object_get(view, "tls12");

    fprintf(out, "%-28s %s%s\n", "ciphers toward origins", json_string_value(json_object_get(view, "string")),
            json_is_true(json_object_get(view, "default")) ? " (the default)" : "");
    print_list("certificates, preferred first", json_object_get(view, "offers"), out);
    print_list("TLS 1.3 suites", json_object_get(tls13, "suites"), out);
    print_list("TLS 1.3 signatures", json_object_get(tls13, "signature_algorithms"), out);
    if (json_is_null(tls12))
        fprintf(out, "%-28s not offered\n", "TLS 1.2");
    else
        print_list("TLS 1.2 suites", json_object_get(tls12, "suites"), out);
    fputc('\n', out);
    ctl_table_print(out, json_object_get(view, "origins"), columns, sizeof(columns) / sizeof(columns[0]));
}

static void keep_hosts(const struct options *options, json_t *view)
{
    json_t *kept = json_array(), *origin;
    size_t i;

    json_array_foreach(json_object_get(view, "origins"), i, origin)
    {
        bool wanted = options->host_count == 0;

        for (size_t k = 0; k < options->host_count; k++)
            wanted |= strcasecmp(json_string_value(json_object_get(origin, "host")), options->hosts[k]) == 0;
        if (wanted)
            json_array_append(kept, origin);
    }
    json_object_set_new(view, "origins", kept);
}

int ctl_ciphers(int argc, char **argv, FILE *out, FILE *err)
{
    struct options options;
    struct seen seen;
    json_t *view;
    int code;

    if (!options_parse(&options, argc, argv, err))
        return CTL_USAGE;
    if (options.help) {
        fputs(usage, out);
        return CTL_OK;
    }
    code = seen_gather(&options.source, &seen, err);
    if (code != CTL_OK)
        return code;
    view = ciphers_view(&seen);
    seen_free(&seen);
    if (view == NULL) {
        fprintf(err, "assayctl ciphers: assayd runs with a cipher string that this assayctl does not know\n");
        return CTL_REFUSED;
    }
    keep_hosts(&options, view);
    if (options.json) {
        json_dumpf(view, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        fputc('\n', out);
    } else {
        print_view(view, out);
    }
    json_decref(view);
    return CTL_OK;
}
