/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the report of a probe is shown to people. */
#include <string.h>

#include "ctl/admin.h"
#include "ctl/preflight.h"
#include "ctl/print.h"

static const struct ctl_column columns[] = {
    {"node", "node", 0},
    {"address", "address", 0},
    {"port", "port", 0},
    {"key", "key", 0},
    {"preferring", "when preferring", 0},
    {"tls", "TLS", 0},
    {"verdict", "verdict", 0},
    {"reason", "reason", 0},
    {"days_left", "days", 0},
    {"action", "what to do", 0},
};

static long long count(const json_t *summary, const char *member)
{
    return (long long)json_integer_value(json_object_get(summary, member));
}

/* "passes only by CN, SHA-1": what it needs; a status that nobody knows is no crutch, and said apart. */
static json_t *warning_text(const json_t *row)
{
    static const char status[] = "unknown revocation status";
    const json_t *warnings = json_object_get(row, "warnings"), *item;
    char crutches[256] = "";
    bool unknown = false;
    size_t i, used = 0;

    json_array_foreach(warnings, i, item)
    {
        const char *word = json_is_string(item) ? json_string_value(item) : "";
        bool is_status = strcmp(word, status) == 0;

        unknown |= is_status;
        if (!is_status && used < sizeof(crutches))
            used += (size_t)snprintf(crutches + used, sizeof(crutches) - used, "%s%s", used > 0 ? ", " : "", word);
    }
    if (used == 0)
        return json_sprintf("passes with %s", status);
    return json_sprintf("passes only by %s%s%s", crutches, unknown ? ", " : "", unknown ? status : "");
}

static json_t *verdict_text(const json_t *row)
{
    const char *verdict = ctl_text(row, "verdict");

    if (strcmp(verdict, "warning") == 0)
        return warning_text(row);
    return json_string(strcmp(verdict, "pass") == 0   ? "would pass"
                       : strcmp(verdict, "fail") == 0 ? "would fail"
                                                      : "not reached");
}

static json_t *reason_text(const json_t *row)
{
    json_int_t depth = json_integer_value(json_object_get(row, "depth"));
    const char *detail = ctl_text(row, "detail");

    if (depth == 0)
        return json_sprintf("%s%s%s", ctl_text(row, "reason"), detail[0] != '\0' ? ": " : "", detail);
    return json_sprintf("%s at depth %lld%s%s", ctl_text(row, "reason"), (long long)depth,
                        detail[0] != '\0' ? ": " : "", detail);
}

/* "RSA,ECDSA*": both show this; the star: so does assayd connect. */
static json_t *preferring_text(const json_t *row)
{
    char list[64];

    ctl_member_text(row, "preferring", list, sizeof(list));
    return json_sprintf("%s%s", list, json_is_true(json_object_get(row, "now")) ? "*" : "");
}

static json_t *shown_row(const json_t *row)
{
    json_t *out = json_deep_copy(row);

    json_object_set_new(out, "verdict", verdict_text(row));
    json_object_set_new(out, "reason", reason_text(row));
    json_object_set_new(out, "preferring", preferring_text(row));
    if (json_array_size(json_object_get(row, "tls")) == 0)
        json_object_set_new(out, "tls", json_null());
    if (ctl_text(row, "action")[0] == '\0')
        json_object_set_new(out, "action", json_null());
    return out;
}

void ctl_preflight_print(const json_t *report, FILE *out)
{
    const json_t *summary = json_object_get(report, "summary"), *row;
    json_t *rows = json_array();
    size_t i;

    json_array_foreach(json_object_get(report, "rows"), i, row) json_array_append_new(rows, shown_row(row));
    ctl_table_print(out, rows, columns, sizeof(columns) / sizeof(columns[0]));
    json_decref(rows);
    fprintf(
        out,
        "* as assayd connects now: of %lld origins %lld would pass (%lld with a warning), %lld would fail, %lld not "
        "reached\n",
        count(summary, "origins"), count(summary, "pass") + count(summary, "warning"), count(summary, "warning"),
        count(summary, "fail"), count(summary, "unknown"));
}

int ctl_preflight_status(const json_t *report, bool strict)
{
    const json_t *summary = json_object_get(report, "summary");

    if (count(summary, "fail") > 0 || (strict && count(summary, "rows_fail") + count(summary, "rows_warning") > 0))
        return CTL_REFUSED;
    return count(summary, "unknown") > 0 ? CTL_UNREACHABLE : CTL_OK;
}
