/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl trust list|show|add|remove. */
#include <stdlib.h>
#include <string.h>

#include "ctl/admin.h"
#include "ctl/file.h"
#include "ctl/what_if.h"

static const char usage[] =
    "usage: assayctl trust list [--deployment NAME] [--json]\n"
    "       assayctl trust show FINGERPRINT [--deployment NAME] [--json]\n"
    "       assayctl trust add FILE… [--deployment NAME] [--role anchor|helper|leaf-only] [--dry-run] [--json]\n"
    "       assayctl trust remove FINGERPRINT… [--deployment NAME] [--dry-run] [--json]\n"
    "The certificates that origins are verified with, of the running assayd (--socket PATH). --deployment: those that "
    "are\n"
    "trusted for origins of that deployment alone; without it list shows all, the others mean those trusted for all.\n"
    "FILE is PEM (one or more certificates), DER or PKCS#7. Without --role each certificate proposes its own: a "
    "self-signed\n"
    "CA is an anchor, another CA a helper, a server's own certificate leaf-only (never an issuer).\n"
    "FINGERPRINT is the SHA-256 of the certificate, or its first 8 hex digits or more.\n"
    "--dry-run changes nothing: it lists the origins, of those seen in the last 24 hours, whose verdicts would flip, "
    "by "
    "each\n"
    "FILE or FINGERPRINT alone.\n"
    "exit status: 0 done (--dry-run: nothing would flip), 1 refused (something would), 2 wrong usage, 3 no assayd\n";

#define PATH_SIZE 512

static bool with_deployment(const struct ctl_admin *admin, char path[PATH_SIZE])
{
    if (ctl_path_add(path, PATH_SIZE, "deployment", admin->deployment))
        return true;
    fprintf(admin->err, "assayctl: --deployment %s: too long\n", admin->deployment);
    return false;
}

/* Member "sha256" cut to what tells certificates apart. */
static void shorten_fingerprints(json_t *rows)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        const char *full = json_string_value(json_object_get(row, "sha256"));

        if (full != NULL)
            json_object_set_new(row, "short", json_stringn(full, strlen(full) < 16 ? strlen(full) : 16));
    }
}

static void print_list(const struct ctl_admin *admin, const json_t *answer)
{
    static const struct ctl_column columns[] = {
        {"short", "fingerprint", 0}, {"role", "role", 0},         {"common_name", "common name", 32},
        {"type", "type", 0},         {"key", "key", 0},           {"not_after", "expires", 0},
        {"expired", "expired", 0},   {"issuer", "issued by", 40}, {"deployment", "deployment", 0},
    };
    json_t *rows = json_object_get(answer, "certificates");

    shorten_fingerprints(rows);
    ctl_table_print(admin->out, rows, columns, sizeof(columns) / sizeof(columns[0]));
    fprintf(admin->out, "%zu certificates\n", json_array_size(rows));
}

static int list(const struct ctl_admin *admin)
{
    char path[PATH_SIZE] = "/v1/trust";

    return with_deployment(admin, path) ? ctl_admin_show(admin, path, print_list) : CTL_USAGE;
}

/* Hex digits and colons alone may go into the path. */
static bool is_fingerprint(const struct ctl_admin *admin, const char *text)
{
    if (text[0] != '\0' && strlen(text) <= 95 && strspn(text, "0123456789abcdefABCDEF:") == strlen(text))
        return true;
    fprintf(admin->err, "assayctl: %s is no SHA-256 fingerprint\n", text);
    return false;
}

static int show(const struct ctl_admin *admin)
{
    char path[PATH_SIZE], text[4096];
    json_t *answer;
    int code;

    if (!is_fingerprint(admin, admin->words[1]))
        return CTL_USAGE;
    snprintf(path, sizeof(path), "/v1/trust/%s", admin->words[1]);
    if (!with_deployment(admin, path))
        return CTL_USAGE;
    code = ctl_admin_call(admin, "GET", path, slice_of(NULL, 0), &answer);
    if (code != CTL_OK)
        return code;
    if (admin->json) {
        ctl_admin_print_json(admin, answer);
    } else {
        fprintf(admin->out, "role: %s\n", ctl_member_text(answer, "role", text, sizeof(text)));
        fprintf(admin->out, "file: %s\n", ctl_member_text(answer, "file", text, sizeof(text)));
        fprintf(admin->out, "%s\n%s", ctl_text(answer, "text"), ctl_text(answer, "pem"));
    }
    json_decref(answer);
    return CTL_OK;
}

static void print_added(const struct ctl_admin *admin, const json_t *answer)
{
    const json_t *rows = json_object_get(answer, "certificates"), *row;
    char name[512], role[32], fingerprint[80], key[64];
    size_t i;

    json_array_foreach(rows, i, row)
    {
        bool present = strcmp(ctl_text(row, "result"), "present") == 0;

        ctl_member_text(row, "role", role, sizeof(role));
        ctl_member_text(row, "sha256", fingerprint, sizeof(fingerprint));
        ctl_member_text(row, "common_name", name, sizeof(name));
        ctl_member_text(row, "key", key, sizeof(key));
        fprintf(admin->out, "%s %.16s %s, %s, as %s%s%s\n", present ? "skipped, already there:" : "added", fingerprint,
                name, key, role,
                json_is_true(json_object_get(row, "role_proposed"))
                    ? " (proposed by the certificate; --role chooses another)"
                    : "",
                json_is_true(json_object_get(row, "expired")) ? ", EXPIRED" : "");
    }
}

static int add_file(const struct ctl_admin *admin, const char *file)
{
    uint8_t *data = NULL;
    char path[PATH_SIZE] = "/v1/trust";
    enum assay_error error;
    json_t *answer;
    size_t size;
    int code;

    if (!with_deployment(admin, path) || !ctl_path_add(path, sizeof(path), "role", admin->role))
        return CTL_USAGE;
    error = ctl_file_read(file, &data, &size);
    if (error != ASSAY_OK) {
        fprintf(admin->err, "assayctl: %s: %s\n", file, ctl_file_fault(error));
        return CTL_USAGE;
    }
    if (admin->dry_run) {
        code = ctl_path_add(path, sizeof(path), "dry_run", "1") ? ctl_what_if(admin, "POST", path, slice_of(data, size))
                                                                : CTL_USAGE;
        free(data);
        return code;
    }
    code = ctl_admin_call(admin, "POST", path, slice_of(data, size), &answer);
    free(data);
    if (code != CTL_OK) {
        fprintf(admin->err, "assayctl: %s was not added\n", file);
        return code;
    }
    if (admin->json) {
        ctl_admin_print_json(admin, answer);
    } else {
        print_added(admin, answer);
        ctl_admin_print_change(admin, answer);
    }
    json_decref(answer);
    return CTL_OK;
}

/* A dry run says what each one would do, by itself; a change ends at the first that is refused. */
static bool goes_on(const struct ctl_admin *admin, int code)
{
    return code == CTL_OK || (admin->dry_run && code == CTL_REFUSED);
}

static int worse(int a, int b)
{
    return a > b ? a : b;
}

static bool known_role(const struct ctl_admin *admin)
{
    static const char *const roles[] = {"anchor", "helper", "leaf-only", "leaf"};

    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        if (admin->role == NULL || strcmp(admin->role, roles[i]) == 0)
            return true;
    fprintf(admin->err, "assayctl: --role %s: not one of anchor, helper, leaf-only\n", admin->role);
    return false;
}

static int add(const struct ctl_admin *admin)
{
    int code = known_role(admin) ? CTL_OK : CTL_USAGE;

    for (int i = 1; i < admin->word_count && goes_on(admin, code); i++)
        code = worse(code, add_file(admin, admin->words[i]));
    return code;
}

static int remove_one(const struct ctl_admin *admin, const char *fingerprint)
{
    char path[PATH_SIZE], removed[80];
    json_t *answer;
    int code;

    if (!is_fingerprint(admin, fingerprint))
        return CTL_USAGE;
    snprintf(path, sizeof(path), "/v1/trust/%s", fingerprint);
    if (!with_deployment(admin, path))
        return CTL_USAGE;
    if (admin->dry_run)
        return ctl_path_add(path, sizeof(path), "dry_run", "1") ? ctl_what_if(admin, "DELETE", path, slice_of(NULL, 0))
                                                                : CTL_USAGE;
    code = ctl_admin_call(admin, "DELETE", path, slice_of(NULL, 0), &answer);
    if (code != CTL_OK)
        return code;
    if (admin->json) {
        ctl_admin_print_json(admin, answer);
    } else {
        fprintf(admin->out, "removed %.16s\n", ctl_member_text(answer, "removed", removed, sizeof(removed)));
        ctl_admin_print_change(admin, answer);
    }
    json_decref(answer);
    return CTL_OK;
}

static int remove_all(const struct ctl_admin *admin)
{
    int code = CTL_OK;

    for (int i = 1; i < admin->word_count && goes_on(admin, code); i++)
        code = worse(code, remove_one(admin, admin->words[i]));
    return code;
}

int ctl_trust(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl_admin admin;
    const char *verb;
    int code;

    if (!ctl_admin_parse(argc, argv, usage, CTL_ADMIN_ROLE | CTL_ADMIN_DEPLOYMENT | CTL_ADMIN_DRY_RUN, &admin, out, err,
                         &code))
        return code;
    verb = admin.word_count > 0 ? admin.words[0] : "";
    if (strcmp(verb, "list") == 0 && admin.word_count == 1)
        return list(&admin);
    if (strcmp(verb, "show") == 0 && admin.word_count == 2)
        return show(&admin);
    if (strcmp(verb, "add") == 0 && admin.word_count > 1)
        return add(&admin);
    if (strcmp(verb, "remove") == 0 && admin.word_count > 1)
        return remove_all(&admin);
    fputs(usage, err);
    return CTL_USAGE;
}
