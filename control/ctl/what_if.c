/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/what_if.h"

#include <string.h>

/* "from" and "to" in a line each: columns are members of one object. */
static void flatten(json_t *rows)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        const char *sides[] = {"from", "to"};

        for (size_t k = 0; k < 2; k++) {
            const json_t *side = json_object_get(row, sides[k]);
            char name[32];

            snprintf(name, sizeof(name), "%s_error", sides[k]);
            json_object_set(row, name, json_object_get(side, "error"));
            snprintf(name, sizeof(name), "%s_effect", sides[k]);
            json_object_set(row, name, json_object_get(side, "effect"));
        }
    }
}

static void print_flips(const struct ctl_admin *admin, json_t *answer)
{
    static const struct ctl_column columns[] = {
        {"host", "host", 0},          {"port", "port", 0},        {"common_name", "certificate", 32},
        {"from_error", "verdict", 0}, {"from_effect", "now", 0},  {"to_error", "would be", 0},
        {"to_effect", "then", 0},     {"action", "what to do", 0}};
    json_t *rows = json_object_get(answer, "flips");

    ctl_print_lines(json_object_get(answer, "warnings"), "warning: ", admin->out);
    if (json_array_size(rows) > 0) {
        flatten(rows);
        ctl_table_print(admin->out, rows, columns, sizeof(columns) / sizeof(columns[0]));
    }
    fprintf(admin->out, "dry run, nothing was changed: of %lld chains of the last 24 hours, %zu would flip\n",
            (long long)json_integer_value(json_object_get(answer, "considered")), json_array_size(rows));
}

int ctl_what_if(const struct ctl_admin *admin, const char *method, const char *path, struct slice body)
{
    json_t *answer;
    int code = ctl_admin_call(admin, method, path, body, &answer);

    if (code != CTL_OK)
        return code;
    code = json_array_size(json_object_get(answer, "flips")) > 0 ? CTL_REFUSED : CTL_OK;
    if (admin->json)
        ctl_admin_print_json(admin, answer);
    else
        print_flips(admin, answer);
    json_decref(answer);
    return code;
}
