/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl origins, verdicts, connections, names, stats: what is there at this moment. */
#include <stdlib.h>
#include <string.h>

#include "ctl/admin.h"
#include "ctl/explain.h"

struct view {
    const char *usage, *path, *member;
    const struct ctl_column *columns;
    size_t column_count;
};

static const struct ctl_column origin_columns[] = {
    {"host", "host", 0},
    {"port", "port", 0},
    {"https", "TLS", 0},
    {"address", "address", 0},
    {"connections", "open", 0},
    {"idle", "idle", 0},
    {"waiting", "waiting", 0},
    {"requests", "requests", 0},
    {"failures", "failures", 0},
    {"scope", "scope", 48},
    {"last_error", "last error", 60},
};
static const struct ctl_column verdict_columns[] = {
    {"leaf_sha256", "certificate", 17}, {"identity", "for", 40},     {"reason", "verdict", 0}, {"depth", "depth", 0},
    {"trust_epoch", "epoch", 0},        {"valid_until", "until", 0},
};
static const struct ctl_column connection_columns[] = {
    {"core", "core", 0},
    {"side", "side", 0},
    {"local", "local", 0},
    {"local_port", "port", 0},
    {"peer", "peer", 0},
    {"port", "port", 0},
    {"state", "state", 0},
    {"phase", "phase", 0},
    {"srtt_us", "rtt us", 0},
    {"rto_us", "rto us", 0},
    {"cwnd", "cwnd", 0},
    {"ssthresh", "ssthresh", 0},
    {"mss", "mss", 0},
    {"ecn", "ecn", 0},
    {"retransmits", "retransmits", 0},
    {"send_queue", "send queue", 0},
    {"receive_queue", "receive queue", 0},
    {"bytes_in", "bytes in", 0},
    {"bytes_out", "bytes out", 0},
    {"age", "age s", 0},
    {"idle", "idle s", 0},
};
static const struct ctl_column name_columns[] = {
    {"name", "name", 0}, {"addresses", "addresses", 60}, {"fixed", "fixed", 0}, {"error", "error", 60}};

/* What numbers, addresses, prefixes and words consist of. */
#define QUERY_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:/_-"
#define COUNT_OF(array)  (sizeof(array) / sizeof((array)[0]))
#define VIEW_USAGE(name, what)                                                \
    "usage: assayctl " name " [--max N] [--json] [--socket PATH]\n" what "\n" \
    "exit status: 0 done, 1 refused, 2 wrong usage, 3 no assayd\n"

static const struct view origins_view = {VIEW_USAGE("origins", "Origins that the cores know, with their connections."),
                                         "/v1/origins", "origins", origin_columns, COUNT_OF(origin_columns)};
static const char verdicts_usage[] =
    "usage: assayctl verdicts [--max N] [--json] [--socket PATH]\n"
    "       assayctl verdicts show HOST[:PORT] [--json] [--socket PATH]\n"
    "Verdicts that the cores remember; show: why an origin passes or does not, from the chains it showed: their "
    "certificates,\n"
    "each path tried and why it ended, the decision, and what to do. Of files: assayctl verify. Of nodes that nobody "
    "asked yet:\n"
    "assayctl preflight.\n"
    "exit status: 0 done, 1 refused, 2 wrong usage, 3 no assayd\n";
static const struct view verdicts_view = {verdicts_usage, "/v1/verdicts", "verdicts", verdict_columns,
                                          COUNT_OF(verdict_columns)};
static const char connections_usage[] =
    "usage: assayctl connections [--side client|origin] [--state STATE] [--address ADDRESS|PREFIX] [--port N]\n"
    "                            [--sort FIELD] [--max N] [--json] [--socket PATH]\n"
    "Every connection of the TCP tables: half-open ones, TIME-WAIT and those the proxy has closed as well.\n"
    "STATE as in RFC 9293 (ESTABLISHED, TIME-WAIT); ADDRESS and N of either end. FIELD, the largest first: srtt_us,\n"
    "rto_us, cwnd, send_queue, receive_queue, retransmits, bytes_in, bytes_out, age, idle.\n"
    "--max N: rows; without --sort of each core (default 1000)\n"
    "exit status: 0 done, 1 refused, 2 wrong usage, 3 no assayd\n";
static const struct view connections_view = {connections_usage, "/v1/connections", "connections", connection_columns,
                                             COUNT_OF(connection_columns)};
static const struct view names_view = {VIEW_USAGE("names", "Names of origins and their addresses."), "/v1/names",
                                       "names", name_columns, COUNT_OF(name_columns)};

/* Nothing in a value may be a part of the query's own syntax; the daemon judges the rest. */
static bool add_query(char *path, size_t size, const char *name, const char *value)
{
    size_t len = strlen(path);

    if (value == NULL)
        return true;
    if (value[0] == '\0' || strlen(value) != strspn(value, QUERY_CHARACTERS))
        return false;
    return (size_t)snprintf(path + len, size - len, "%c%s=%s", strchr(path, '?') != NULL ? '&' : '?', name, value) <
           size - len;
}

static int run_view(const struct view *view, unsigned options, int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl_admin admin;
    char path[512];
    json_t *answer;
    int code;

    if (!ctl_admin_parse(argc, argv, view->usage, CTL_ADMIN_MAX | options, &admin, out, err, &code))
        return code;
    snprintf(path, sizeof(path), "%s", view->path);
    if (view == &verdicts_view && admin.word_count == 2 && strcmp(admin.words[0], "show") == 0)
        return ctl_explain(&admin, admin.words[1]);
    if (admin.word_count > 0 || (admin.max != NULL && strspn(admin.max, "0123456789") != strlen(admin.max)) ||
        !add_query(path, sizeof(path), "max", admin.max) || !add_query(path, sizeof(path), "state", admin.state) ||
        !add_query(path, sizeof(path), "side", admin.side) || !add_query(path, sizeof(path), "port", admin.port) ||
        !add_query(path, sizeof(path), "address", admin.address) ||
        !add_query(path, sizeof(path), "sort", admin.sort)) {
        fputs(view->usage, err);
        return CTL_USAGE;
    }
    code = ctl_admin_call(&admin, "GET", path, slice_of(NULL, 0), &answer);
    if (code != CTL_OK)
        return code;
    if (admin.json)
        ctl_admin_print_json(&admin, answer);
    else
        ctl_table_print(out, json_object_get(answer, view->member), view->columns, view->column_count);
    if (!admin.json && json_is_true(json_object_get(answer, "more")))
        fprintf(out, "(there are more: --max)\n");
    json_decref(answer);
    return CTL_OK;
}

int ctl_origins(int argc, char **argv, FILE *out, FILE *err)
{
    return run_view(&origins_view, 0, argc, argv, out, err);
}

int ctl_verdicts(int argc, char **argv, FILE *out, FILE *err)
{
    return run_view(&verdicts_view, 0, argc, argv, out, err);
}

int ctl_connections(int argc, char **argv, FILE *out, FILE *err)
{
    return run_view(&connections_view, CTL_ADMIN_FILTER, argc, argv, out, err);
}

int ctl_names(int argc, char **argv, FILE *out, FILE *err)
{
    return run_view(&names_view, 0, argc, argv, out, err);
}

/* --- counters ------------------------------------------------------------------------------------------------------------ */

static const char stats_usage[] = "usage: assayctl stats [--json] [--socket PATH]\n"
                                  "Counters of all cores together, then of each where there are several; those of what "
                                  "was dropped come last. Those that\n"
                                  "are zero are left out: --json has them.\n"
                                  "exit status: 0 done, 1 refused, 2 wrong usage, 3 no assayd\n";

/* Does the counter say that something was thrown away? */
static bool is_drop(const char *name)
{
    static const char *const ends[] = {"_dropped", "_limited", "_flatten_failed"};
    size_t len = strlen(name);

    if (strncmp(name, "drop_", 5) == 0)
        return true;
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (len > strlen(ends[i]) && strcmp(name + len - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* A column for each of several cores, where the counter is of a core at all. */
static void print_cores(FILE *out, const char *group, const char *name, const json_t *answer)
{
    const json_t *cores = json_object_get(answer, "cores");

    for (size_t i = 0; i < json_array_size(cores) && json_array_size(cores) > 1; i++) {
        const json_t *one = json_object_get(json_object_get(json_array_get(cores, i), group), name);

        if (one != NULL)
            fprintf(out, " %14lld", (long long)json_integer_value(one));
    }
}

/* Those that are zero say nothing to an operator: --json has them all. */
static void print_group(FILE *out, const char *group, json_t *counters, const json_t *answer, bool drops)
{
    const json_t *help = json_object_get(answer, "help");
    const char *name;
    json_t *value;

    json_object_foreach(counters, name, value)
    {
        const char *text = json_string_value(json_object_get(json_object_get(help, group), name));

        if (json_integer_value(value) == 0 || is_drop(name) != drops)
            continue;
        if (drops)
            fprintf(out, "  %-9s ", group);
        fprintf(out, drops ? "%-24s %12lld" : "  %-32s %14lld", name, (long long)json_integer_value(value));
        print_cores(out, group, name, answer);
        fprintf(out, "  %s\n", text != NULL ? text : "");
    }
}

static void print_stats(FILE *out, const json_t *answer)
{
    json_t *total = json_object_get(answer, "total"), *counters;
    const char *group;

    json_object_foreach(total, group, counters)
    {
        fprintf(out, "%s\n", group);
        print_group(out, group, counters, answer, false);
    }
    fprintf(out, "drops\n");
    json_object_foreach(total, group, counters) print_group(out, group, counters, answer, true);
}

int ctl_stats(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl_admin admin;
    json_t *answer;
    int code;

    if (!ctl_admin_parse(argc, argv, stats_usage, 0, &admin, out, err, &code) || !ctl_admin_no_words(&admin, &code))
        return code;
    code = ctl_admin_call(&admin, "GET", admin.json ? "/v1/stats" : "/v1/stats?help=1", slice_of(NULL, 0), &answer);
    if (code != CTL_OK)
        return code;
    if (admin.json)
        ctl_admin_print_json(&admin, answer);
    else
        print_stats(out, answer);
    json_decref(answer);
    return CTL_OK;
}
