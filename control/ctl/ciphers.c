/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl ciphers explain: what is offered to origins, and which certificate each of them shows because of it. */
#include <stdlib.h>
#include <string.h>

#include "ctl/admin.h"
#include "ctl/ciphers_view.h"
#include "ctl/client.h"
#include "ctl/options.h"

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
    struct ctl_words hosts;
    bool json;
};

static bool option_take(void *into, int option, FILE *err)
{
    struct options *options = into;

    (void)err;
    switch (option) {
    case 'c': options->source.config_file = optarg; return true;
    case 'S': options->source.socket = optarg; return true;
    case 'n': options->source.probe = false; return true;
    case 'J': options->json = true; return true;
    }
    return false;
}

static const struct option option_table[] = {
    {"config", required_argument, NULL, 'c'},
    {"socket", required_argument, NULL, 'S'},
    {"no-probe", no_argument, NULL, 'n'},
    {"json", no_argument, NULL, 'J'},
    CTL_OPTIONS_END,
};

static const struct ctl_options command = {
    .command = "ciphers", .usage = usage, .table = option_table, .take = option_take, .words_max = CTL_WORDS_ANY};

static bool words_take(struct options *options, const struct ctl_words *words, FILE *err)
{
    if (words->count < 1 || strcmp(words->items[0], "explain") != 0) {
        fputs(usage, err);
        return false;
    }
    options->hosts = (struct ctl_words){words->items + 1, words->count - 1};
    if (!options->source.probe && options->source.config_file == NULL) {
        fprintf(err, "assayctl ciphers: --no-probe goes with --config\n");
        return false;
    }
    return true;
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
        const char *word = json_is_string(item) ? json_string_value(item) : "?";

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

    fprintf(out, "%-28s %s%s\n", "ciphers toward origins", ctl_text(view, "string"),
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
        bool wanted = options->hosts.count == 0;

        for (int k = 0; k < options->hosts.count; k++)
            wanted |= strcasecmp(ctl_text(origin, "host"), options->hosts.items[k]) == 0;
        if (wanted)
            json_array_append(kept, origin);
    }
    json_object_set_new(view, "origins", kept);
}

int ctl_ciphers(int argc, char **argv, FILE *out, FILE *err)
{
    struct options options = {.source = {.socket = CTL_SOCKET_DEFAULT, .probe = true}};
    struct ctl_words words;
    struct seen seen;
    json_t *view;
    int code;

    if (!ctl_options_parse(&command, argc, argv, &options, &words, out, err, &code))
        return code;
    if (!words_take(&options, &words, err))
        return CTL_USAGE;
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
    if (options.json)
        ctl_print_json(view, out);
    else
        print_view(view, out);
    json_decref(view);
    return CTL_OK;
}
