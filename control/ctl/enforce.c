/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl enforce: monitor first. */
#include <stdlib.h>

#include "ctl/admin.h"

static const char usage[] =
    "usage: assayctl enforce [--deployment NAME | --origin HOST[:PORT]] [--force | --dry-run] [--json] [--socket "
    "PATH]\n"
    "Enforces the verification of origins that was permissive or disabled so far: of all, of a deployment's, or of "
    "one.\n"
    "Lists which origins would be refused then, from the chains seen in the last 24 hours and from preflights that "
    "assayd "
    "made,\n"
    "and changes nothing when there is one, unless --force says so. --dry-run only lists.\n"
    "Back again: assayctl set verify.\n"
    "exit status: 0 enforced (--dry-run: nothing would be refused), 1 something would be refused, 2 wrong usage, 3 no "
    "assayd\n";

static const struct ctl_column failing_columns[] = {
    {"host", "host", 0},           {"port", "port", 0},
    {"address", "address", 0},     {"error", "would be refused: ", 0},
    {"depth", "depth", 0},         {"common_name", "certificate", 32},
    {"last_seen", "last seen", 0}, {"action", "what to do", 0},
};
static const struct ctl_column repaired_columns[] = {
    {"host", "host", 0}, {"port", "port", 0}, {"error", "failed, and would pass now", 0}, {"last_failed", "last", 0}};
static const struct ctl_column preflight_columns[] = {
    {"host", "host", 0}, {"port", "port", 0}, {"error", "a preflight found", 0}, {"action", "what to do", 0}};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void print_rows(const struct ctl_admin *admin, const json_t *rows, const struct ctl_column *columns,
                       size_t count)
{
    if (json_array_size(rows) == 0)
        return;
    ctl_table_print(admin->out, rows, columns, count);
    fputc('\n', admin->out);
}

static void print_answer(const struct ctl_admin *admin, const json_t *answer)
{
    const json_t *failing = json_object_get(answer, "failing"), *preflight = json_object_get(answer, "preflight");
    size_t bad = json_array_size(failing) + json_array_size(preflight);

    print_rows(admin, failing, failing_columns, COUNT_OF(failing_columns));
    print_rows(admin, preflight, preflight_columns, COUNT_OF(preflight_columns));
    print_rows(admin, json_object_get(answer, "repaired"), repaired_columns, COUNT_OF(repaired_columns));
    fprintf(admin->out, "%lld chains of the last 24 hours, %zu would be refused\n",
            (long long)json_integer_value(json_object_get(answer, "considered")), bad);
    if (json_is_true(json_object_get(answer, "enforced"))) {
        fputs("verification is enforced: ", admin->out);
        ctl_admin_print_change(admin, answer);
    } else if (!admin->dry_run) {
        fputs("nothing was changed (--force enforces all the same)\n", admin->out);
    }
}

static bool would_refuse(const json_t *answer)
{
    return json_array_size(json_object_get(answer, "failing")) + json_array_size(json_object_get(answer, "preflight")) >
           0;
}

static int enforce(const struct ctl_admin *admin)
{
    json_t *input = json_pack("{s:b, s:b, s:s*, s:s*}", "force", admin->force, "dry_run", admin->dry_run, "deployment",
                              admin->deployment, "origin", admin->origin);
    char *body = json_dumps(input, JSON_COMPACT);
    json_t *answer;
    int code;

    json_decref(input);
    if (body == NULL) {
        fputs("assayctl: a name that is no UTF-8\n", admin->err);
        return CTL_USAGE;
    }
    code = ctl_admin_call(admin, "POST", "/v1/enforce", slice_text(body), &answer);
    free(body);
    if (code != CTL_OK)
        return code;
    if (admin->json)
        ctl_admin_print_json(admin, answer);
    else
        print_answer(admin, answer);
    if (admin->dry_run)
        code = would_refuse(answer) ? CTL_REFUSED : CTL_OK;
    else
        code = json_is_true(json_object_get(answer, "enforced")) ? CTL_OK : CTL_REFUSED;
    json_decref(answer);
    return code;
}

int ctl_enforce(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl_admin admin;
    int code;

    if (!ctl_admin_parse(argc, argv, usage,
                         CTL_ADMIN_DEPLOYMENT | CTL_ADMIN_ORIGIN | CTL_ADMIN_FORCE | CTL_ADMIN_DRY_RUN, &admin, out,
                         err, &code))
        return code;
    if (admin.word_count > 0 || (admin.force && admin.dry_run)) {
        fputs(usage, err);
        return CTL_USAGE;
    }
    return enforce(&admin);
}
