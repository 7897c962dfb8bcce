/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl expiry: certificates by their end. */
#include <string.h>

#include "ctl/admin.h"

static const char usage[] =
    "usage: assayctl expiry [--days N] [--json] [--socket PATH]\n"
    "Certificates that end within N days (default 30) or are over, the first to end first: trusted ones, those that "
    "origins\n"
    "show, and our own. assayd also writes a warning line for each at 30, 14, 7 and 1 days, and when it is over.\n"
    "exit status: 0 none, 1 there are some, 2 wrong usage, 3 no assayd\n";

static const struct ctl_column columns[] = {
    {"days_left", "days", 0}, {"not_after", "valid until", 0},    {"kind", "whose", 0},
    {"ca", "CA", 0},          {"common_name", "common name", 40}, {"key", "key", 0},
    {"where", "where", 60},   {"sha256", "fingerprint", 17},
};

int ctl_expiry(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl_admin admin;
    char path[64];
    json_t *answer;
    size_t count;
    int code;

    if (!ctl_admin_parse(argc, argv, usage, CTL_ADMIN_DAYS, &admin, out, err, &code))
        return code;
    if (admin.word_count > 0 || (admin.days != NULL && (admin.days[0] == '\0' || strlen(admin.days) > 5 ||
                                                        strspn(admin.days, "0123456789") != strlen(admin.days)))) {
        fputs(usage, err);
        return CTL_USAGE;
    }
    snprintf(path, sizeof(path), "/v1/expiry?days=%s", admin.days != NULL ? admin.days : "30");
    code = ctl_admin_call(&admin, "GET", path, slice_of(NULL, 0), &answer);
    if (code != CTL_OK)
        return code;
    count = json_array_size(json_object_get(answer, "certificates"));
    if (admin.json)
        ctl_admin_print_json(&admin, answer);
    else if (count > 0)
        ctl_table_print(out, json_object_get(answer, "certificates"), columns, sizeof(columns) / sizeof(columns[0]));
    else
        fputs("no certificate ends so soon\n", out);
    json_decref(answer);
    return count > 0 ? CTL_REFUSED : CTL_OK;
}
