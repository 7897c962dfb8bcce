/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl set verify …, and its alias in the words operators know (MRA S6). */
#include <stdlib.h>
#include <string.h>

#include "ctl/admin.h"

static const char set_usage[] =
    "usage: assayctl set verify on|off|enforced|permissive|disabled|inherit [--deployment NAME | --origin "
    "HOST[:PORT]]\n"
    "                           [--for 4h] [--json] [--socket PATH]\n"
    "Changes how the verdict on an origin's certificate is used, until it is changed back or the time of --for (s, m, "
    "h, d)\n"
    "is over; survives a restart. off is permissive: nothing is refused, everything is still checked, logged and "
    "counted.\n"
    "Without --deployment and --origin: of all origins of which nothing more specific is said, by the configuration or "
    "by "
    "this\n"
    "command. inherit takes the change back: what the configuration says counts again.\n"
    "exit status: 0 done, 1 refused, 2 wrong usage, 3 no assayd\n";
static const char xconfiguration_usage[] =
    "usage: assayctl xconfiguration EdgeConfigServer VerifyOriginServer: Off|On [--deployment NAME | --origin "
    "HOST[:PORT]]\n"
    "                           [--for 4h] [--json] [--socket PATH]\n"
    "The same as assayctl set verify off|on.\n"
    "exit status: 0 done, 1 refused, 2 wrong usage, 3 no assayd\n";

static int set_verify(const struct ctl_admin *admin, const char *mode)
{
    long for_s = admin->duration != NULL ? ctl_duration_parse(admin->duration) : 0;
    json_t *answer, *input;
    char *body;
    int code;

    if (admin->duration != NULL && for_s == 0) {
        fprintf(admin->err, "assayctl: --for %s: a duration like 30m or 4h, at most a year\n", admin->duration);
        return CTL_USAGE;
    }
    input = json_pack("{s:s, s:I, s:s*, s:s*}", "mode", mode, "for_s", (json_int_t)for_s, "deployment",
                      admin->deployment, "origin", admin->origin);
    body = json_dumps(input, JSON_COMPACT);
    json_decref(input);
    if (body == NULL) {
        fputs("assayctl: a name that is no UTF-8\n", admin->err);
        return CTL_USAGE;
    }
    code = ctl_admin_call(admin, "POST", "/v1/verify", slice_text(body), &answer);
    free(body);
    if (code != CTL_OK)
        return code;
    if (admin->json) {
        ctl_admin_print_json(admin, answer);
    } else {
        fprintf(admin->out, "verification %s", ctl_text(answer, "mode"));
        if (admin->deployment != NULL)
            fprintf(admin->out, " in deployment %s", admin->deployment);
        if (admin->origin != NULL)
            fprintf(admin->out, " for %s", admin->origin);
        if (for_s > 0)
            fprintf(admin->out, " for %ld s", for_s);
        fputs(": ", admin->out);
        ctl_admin_print_change(admin, answer);
    }
    json_decref(answer);
    return CTL_OK;
}

int ctl_set(int argc, char **argv, FILE *out, FILE *err)
{
    static const char *const modes[] = {"on", "off", "enforced", "permissive", "disabled", "inherit"};
    struct ctl_admin admin;
    int code;

    if (!ctl_admin_parse(argc, argv, set_usage, CTL_ADMIN_FOR | CTL_ADMIN_DEPLOYMENT | CTL_ADMIN_ORIGIN, &admin, out,
                         err, &code))
        return code;
    if (admin.word_count == 2 && strcmp(admin.words[0], "verify") == 0)
        for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
            if (strcmp(admin.words[1], modes[i]) == 0)
                return set_verify(&admin, modes[i]);
    fputs(set_usage, err);
    return CTL_USAGE;
}

int ctl_xconfiguration(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl_admin admin;
    int code;

    if (!ctl_admin_parse(argc, argv, xconfiguration_usage, CTL_ADMIN_FOR | CTL_ADMIN_DEPLOYMENT | CTL_ADMIN_ORIGIN,
                         &admin, out, err, &code))
        return code;
    if (admin.word_count == 3 && slice_is_nocase(slice_text(admin.words[0]), "EdgeConfigServer") &&
        slice_is_nocase(slice_text(admin.words[1]), "VerifyOriginServer:")) {
        if (slice_is_nocase(slice_text(admin.words[2]), "On"))
            return set_verify(&admin, "on");
        if (slice_is_nocase(slice_text(admin.words[2]), "Off"))
            return set_verify(&admin, "off");
    }
    fputs(xconfiguration_usage, err);
    return CTL_USAGE;
}
