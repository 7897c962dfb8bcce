/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl certs: the certificates of the nodes, as an operator knows them from the nodes' own view (MRA S12). */
#include <string.h>

#include "ctl/admin.h"
#include "ctl/certs_view.h"
#include "ctl/client.h"
#include "ctl/options.h"

#define FILTERS_MAX 16

static const char usage[] =
    "usage: assayctl certs [NODE] [--filter [COLUMN=]TEXT]... [--config FILE] [--json] [--socket PATH]\n"
    "The certificates that the nodes show, a line each, RSA and ECDSA next to each other: those that a running assayd\n"
    "saw in traffic and in its last preflight; with --config those that the origins of that configuration show now.\n"
    "Which certificate of the node it is (tomcat, CallManager) follows from its ports.\n"
    "  NODE                    of this node alone: its name or address, as announced\n"
    "  --filter TEXT           rows with that text in one of the columns (may be given again: all of them)\n"
    "  --filter COLUMN=TEXT    in that column: node, certificate, common_name, type, key_type, distribution, "
    "issued_by,\n"
    "                          expiration, description\n"
    "  --config FILE           ask the nodes now (assayctl preflight), without a daemon\n"
    "exit status: 0 done, 1 refused, 2 wrong usage, 3 no assayd\n";

struct options {
    struct seen_source source;
    const char *node, *filters[FILTERS_MAX];
    size_t filter_count;
    bool json;
};

static bool option_take(void *into, int option, FILE *err)
{
    struct options *options = into;

    switch (option) {
    case 'c': options->source.config_file = optarg; return true;
    case 'S': options->source.socket = optarg; return true;
    case 'f':
        if (options->filter_count == FILTERS_MAX || !certs_filter_is_sound(optarg)) {
            fprintf(err, "assayctl certs: --filter %s: %s\n", optarg,
                    options->filter_count == FILTERS_MAX ? "there are too many" : "no such column, or no text");
            return false;
        }
        options->filters[options->filter_count++] = optarg;
        return true;
    case 'J': options->json = true; return true;
    }
    return false;
}

static const struct option option_table[] = {
    {"config", required_argument, NULL, 'c'},
    {"socket", required_argument, NULL, 'S'},
    {"filter", required_argument, NULL, 'f'},
    {"json", no_argument, NULL, 'J'},
    CTL_OPTIONS_END,
};

static const struct ctl_options command = {
    .command = "certs", .usage = usage, .table = option_table, .take = option_take, .words_max = 1};

static bool is_wanted(const struct options *options, const json_t *row)
{
    if (options->node != NULL && strcasecmp(ctl_text(row, "node"), options->node) != 0)
        return false;
    for (size_t i = 0; i < options->filter_count; i++)
        if (!certs_matches(row, options->filters[i]))
            return false;
    return true;
}

static void print(const struct options *options, json_t *rows, FILE *out)
{
    static const struct ctl_column columns[] = {
        {"node", "node", 0},
        {"certificate", "certificate", 0},
        {"common_name", "common name", 40},
        {"type", "type", 0},
        {"key_type", "key type", 0},
        {"distribution", "distribution", 40},
        {"issued_by", "issued by", 40},
        {"expiration", "expiration", 0},
        {"description", "description", 0},
    };

    if (options->json) {
        json_t *whole = json_pack("{s:O}", "certificates", rows);

        ctl_print_json(whole, out);
        json_decref(whole);
        return;
    }
    ctl_table_print(out, rows, columns, sizeof(columns) / sizeof(columns[0]));
    fprintf(out, "%zu certificates\n", json_array_size(rows));
}

int ctl_certs(int argc, char **argv, FILE *out, FILE *err)
{
    json_t *rows, *wanted, *row;
    struct options options = {.source = {.socket = CTL_SOCKET_DEFAULT, .probe = true}};
    struct ctl_words words;
    struct seen seen;
    size_t i;
    int code;

    if (!ctl_options_parse(&command, argc, argv, &options, &words, out, err, &code))
        return code;
    options.node = words.count > 0 ? words.items[0] : NULL;
    code = seen_gather(&options.source, &seen, err);
    if (code != CTL_OK)
        return code;
    rows = certs_view(&seen);
    wanted = json_array();
    json_array_foreach(rows, i, row) if (is_wanted(&options, row)) json_array_append(wanted, row);
    print(&options, wanted, out);
    json_decref(wanted);
    json_decref(rows);
    seen_free(&seen);
    return CTL_OK;
}
