/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl status, reload. */
#include <stdlib.h>
#include <string.h>

#include "ctl/admin.h"
#include "ctl/file.h"
#include "ctl/what_if.h"

static const char status_usage[] =
    "usage: assayctl status [--json] [--socket PATH]\n"
    "What runs: generation, verification, trusted certificates, cores, alarms.\n"
    "exit status: 0 ready, 1 not ready (draining, maintenance), 2 wrong usage, 3 no assayd\n";
static const char reload_usage[] =
    "usage: assayctl reload [--dry-run [FILE]] [--json] [--socket PATH]\n"
    "Reads the configuration and every file it names again. Where anything is wrong, nothing is changed.\n"
    "--dry-run changes nothing: it lists the origins, of those seen in the last 24 hours, whose verdicts would flip, "
    "by "
    "the\n"
    "configuration on disk, or by FILE in its place (relative paths in it start where the running one's do).\n"
    "exit status: 0 done (--dry-run: nothing would flip), 1 refused (something would), 2 wrong usage, 3 no assayd\n";

static void print_line(FILE *out, const json_t *object, const char *member, const char *title)
{
    char text[1024];

    fprintf(out, "%-22s %s\n", title, ctl_member_text(object, member, text, sizeof(text)));
}

static void print_verify(FILE *out, const json_t *verify)
{
    const char *until = json_string_value(json_object_get(verify, "until"));

    fprintf(out, "%-22s %s, properties %s%s%s%s\n", "verification", ctl_text(verify, "mode"),
            ctl_text(verify, "properties"),
            json_is_true(json_object_get(verify, "switched")) ? ", switched by hand" : "",
            until != NULL ? " until " : "", until != NULL ? until : "");
}

static void print_status(FILE *out, const json_t *answer)
{
    static const struct ctl_column cores[] = {{"core", "core", 0},
                                              {"generation", "generation", 0},
                                              {"heap_bytes", "TLS heap", 0},
                                              {"heap_bytes_peak", "peak", 0},
                                              {"turn_longest_us", "longest turn, us", 0}};
    static const struct ctl_column listeners[] = {{"address", "listener", 0}, {"port", "port", 0}, {"tls", "TLS", 0}};
    static const struct ctl_column scopes[] = {{"scope", "scope", 0},
                                               {"mode", "mode", 0},
                                               {"properties", "properties", 0},
                                               {"profile", "profile", 0},
                                               {"revocation", "revocation", 0},
                                               {"pins", "pins", 0},
                                               {"store", "store", 0},
                                               {"switched", "switched", 0},
                                               {"until", "until", 0}};
    const json_t *alarms = json_object_get(answer, "alarms");
    const json_t *verify = json_object_get(json_object_get(answer, "verify"), "scopes");

    print_line(out, answer, "version", "version");
    print_line(out, answer, "pid", "pid");
    print_line(out, answer, "uptime_s", "up, seconds");
    print_line(out, answer, "config", "configuration");
    print_line(out, answer, "generation", "generation");
    print_line(out, answer, "ready", "ready");
    print_verify(out, json_object_get(answer, "verify"));
    print_line(out, answer, "trusted_certificates", "trusted certificates");
    print_line(out, answer, "rules", "allow rules");
    print_line(out, answer, "reloads", "reloads");
    print_line(out, answer, "reloads_refused", "reloads refused");
    print_line(out, json_object_get(answer, "memory"), "buffers_in_use", "packet buffers in use");
    if (json_array_size(verify) > 1) {
        fputc('\n', out);
        ctl_table_print(out, verify, scopes, sizeof(scopes) / sizeof(scopes[0]));
    }
    fputc('\n', out);
    ctl_table_print(out, json_object_get(answer, "listeners"), listeners, sizeof(listeners) / sizeof(listeners[0]));
    fputc('\n', out);
    ctl_table_print(out, json_object_get(answer, "cores"), cores, sizeof(cores) / sizeof(cores[0]));
    if (json_array_size(alarms) > 0)
        fputc('\n', out);
    ctl_print_lines(alarms, "ALARM: ", out);
}

int ctl_status(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl_admin admin;
    json_t *answer;
    int code;

    if (!ctl_admin_parse(argc, argv, status_usage, 0, &admin, out, err, &code) || !ctl_admin_no_words(&admin, &code))
        return code;
    code = ctl_admin_call(&admin, "GET", "/v1/status", slice_of(NULL, 0), &answer);
    if (code != CTL_OK)
        return code;
    if (admin.json)
        ctl_admin_print_json(&admin, answer);
    else
        print_status(out, answer);
    code = json_is_true(json_object_get(answer, "ready")) ? CTL_OK : CTL_REFUSED;
    json_decref(answer);
    return code;
}

static int try_reload(const struct ctl_admin *admin)
{
    enum assay_error error = ASSAY_OK;
    uint8_t *data = NULL;
    size_t size = 0;
    int code;

    if (admin->word_count > 0)
        error = ctl_file_read(admin->words[0], &data, &size);
    if (error != ASSAY_OK) {
        fprintf(admin->err, "assayctl: %s: %s\n", admin->words[0], ctl_file_fault(error));
        return CTL_USAGE;
    }
    if (admin->word_count > 0 && size == 0) {
        fprintf(admin->err, "assayctl: %s: is empty\n", admin->words[0]);
        free(data);
        return CTL_USAGE;
    }
    code = ctl_what_if(admin, "POST", "/v1/reload?dry_run=1", slice_of(data, size));
    free(data);
    return code;
}

int ctl_reload(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl_admin admin;
    json_t *answer;
    int code;

    if (!ctl_admin_parse(argc, argv, reload_usage, CTL_ADMIN_DRY_RUN, &admin, out, err, &code))
        return code;
    if (admin.word_count > (admin.dry_run ? 1 : 0)) {
        fputs(reload_usage, err);
        return CTL_USAGE;
    }
    if (admin.dry_run)
        return try_reload(&admin);
    code = ctl_admin_call(&admin, "POST", "/v1/reload", slice_of(NULL, 0), &answer);
    if (code != CTL_OK)
        return code;
    if (admin.json)
        ctl_admin_print_json(&admin, answer);
    else
        ctl_admin_print_change(&admin, answer);
    json_decref(answer);
    return CTL_OK;
}
