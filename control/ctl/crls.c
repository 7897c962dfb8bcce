/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl crls: the revocation lists that verdicts are made with. */
#include <string.h>

#include "ctl/admin.h"

static const char usage[] = "usage: assayctl crls [fetch] [--json] [--socket PATH]\n"
                            "The revocation lists at hand, of files and fetched ones, and what went wrong with the "
                            "last fetch; and the certificates of\n"
                            "origins that a stapled OCSP response called revoked.\n"
                            "crls fetch asks every server again, now; what comes is in the list a moment later.\n"
                            "exit status: 0 done, 1 refused, 2 wrong usage, 3 no assayd\n";

static const struct ctl_column columns[] = {
    {"source", "source", 60},           {"issuer_name", "issuer", 30},      {"number", "number", 20},
    {"this_update", "this update", 20}, {"next_update", "next update", 20}, {"entries", "entries", 0},
    {"error", "last error", 80},
};

static const struct ctl_column revoked_columns[] = {
    {"sha256", "revoked by OCSP: certificate", 64},
    {"host", "shown by", 60},
    {"port", "port", 0},
    {"reason", "reason", 30},
    {"this_update", "this update", 20},
};

static void print_list(const struct ctl_admin *admin, const json_t *answer)
{
    const json_t *revoked = json_object_get(answer, "revoked_by_ocsp");

    ctl_table_print(admin->out, json_object_get(answer, "crls"), columns, sizeof(columns) / sizeof(columns[0]));
    if (json_array_size(revoked) == 0)
        return;
    fputc('\n', admin->out);
    ctl_table_print(admin->out, revoked, revoked_columns, sizeof(revoked_columns) / sizeof(revoked_columns[0]));
}

static int fetch(const struct ctl_admin *admin)
{
    json_t *answer;
    int code = ctl_admin_call(admin, "POST", "/v1/crls", slice_of(NULL, 0), &answer);

    if (code != CTL_OK)
        return code;
    if (admin->json)
        ctl_admin_print_json(admin, answer);
    else
        fprintf(admin->out, "%lld are asked for\n", (long long)json_integer_value(json_object_get(answer, "asked")));
    json_decref(answer);
    return CTL_OK;
}

int ctl_crls(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl_admin admin;
    int code;

    if (!ctl_admin_parse(argc, argv, usage, 0, &admin, out, err, &code))
        return code;
    if (admin.word_count == 0)
        return ctl_admin_show(&admin, "/v1/crls", print_list);
    if (admin.word_count == 1 && strcmp(admin.words[0], "fetch") == 0)
        return fetch(&admin);
    fputs(usage, err);
    return CTL_USAGE;
}
