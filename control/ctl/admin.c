/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/admin.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/print.h"

/* --- options ---------------------------------------------------------------------------------------------------------- */

struct value_option {
    const char *name;
    unsigned bit; /* 0: every command has it */
    const char **value;
};

static bool wrong(FILE *err, const char *usage, const char *what, const char *word, int *code)
{
    fprintf(err, "assayctl: %s%s\n%s", what, word, usage);
    *code = CTL_USAGE;
    return false;
}

/* Takes one option with a value; 1 taken, 0 not one of them, -1 its value is missing. */
static int take_value(const struct value_option *options, size_t count, unsigned allowed, int argc, char **argv, int *i)
{
    for (size_t k = 0; k < count; k++) {
        size_t len = strlen(options[k].name);

        if ((options[k].bit != 0 && (options[k].bit & allowed) == 0) || strncmp(argv[*i], options[k].name, len) != 0)
            continue;
        if (argv[*i][len] == '=') {
            *options[k].value = argv[*i] + len + 1;
            return 1;
        }
        if (argv[*i][len] != '\0')
            continue;
        if (*i + 1 >= argc)
            return -1;
        *options[k].value = argv[++*i];
        return 1;
    }
    return 0;
}

bool ctl_admin_parse(int argc, char **argv, const char *usage, unsigned options, struct ctl_admin *admin, FILE *out,
                     FILE *err, int *code)
{
    const struct value_option values[] = {{"--socket", 0, &admin->socket},
                                          {"--role", CTL_ADMIN_ROLE, &admin->role},
                                          {"--for", CTL_ADMIN_FOR, &admin->duration},
                                          {"--deployment", CTL_ADMIN_DEPLOYMENT, &admin->deployment},
                                          {"--origin", CTL_ADMIN_ORIGIN, &admin->origin},
                                          {"--days", CTL_ADMIN_DAYS, &admin->days},
                                          {"--max", CTL_ADMIN_MAX, &admin->max},
                                          {"--state", CTL_ADMIN_FILTER, &admin->state},
                                          {"--side", CTL_ADMIN_FILTER, &admin->side},
                                          {"--address", CTL_ADMIN_FILTER, &admin->address},
                                          {"--port", CTL_ADMIN_FILTER, &admin->port},
                                          {"--sort", CTL_ADMIN_FILTER, &admin->sort},
                                          {"--file", CTL_ADMIN_CAPTURE, &admin->file},
                                          {"--filter", CTL_ADMIN_CAPTURE, &admin->filter},
                                          {"--snaplen", CTL_ADMIN_CAPTURE, &admin->snaplen},
                                          {"--max-bytes", CTL_ADMIN_CAPTURE, &admin->max_bytes},
                                          {"--max-packets", CTL_ADMIN_CAPTURE, &admin->max_packets}};

    *admin = (struct ctl_admin){.socket = CTL_SOCKET_DEFAULT, .out = out, .err = err};
    for (int i = 1; i < argc; i++) {
        int taken = take_value(values, sizeof(values) / sizeof(values[0]), options, argc, argv, &i);

        if (taken < 0)
            return wrong(err, usage, "a value is missing behind ", argv[i], code);
        if (taken > 0)
            continue;
        if (strcmp(argv[i], "--json") == 0) {
            admin->json = true;
        } else if ((options & CTL_ADMIN_DRY_RUN) && strcmp(argv[i], "--dry-run") == 0) {
            admin->dry_run = true;
        } else if ((options & CTL_ADMIN_FORCE) && strcmp(argv[i], "--force") == 0) {
            admin->force = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(usage, out);
            *code = CTL_OK;
            return false;
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            return wrong(err, usage, "unknown option ", argv[i], code);
        } else if (admin->word_count == CTL_WORDS_MAX) {
            return wrong(err, usage, "too many words: ", argv[i], code);
        } else {
            admin->words[admin->word_count++] = argv[i];
        }
    }
    return true;
}

bool ctl_admin_no_words(const struct ctl_admin *admin, int *code)
{
    if (admin->word_count == 0)
        return true;
    fprintf(admin->err, "assayctl: unexpected argument %s\n", admin->words[0]);
    *code = CTL_USAGE;
    return false;
}

bool ctl_path_add(char *path, size_t size, const char *name, const char *value)
{
    size_t used = strlen(path);

    if (value == NULL)
        return true;
    used += (size_t)snprintf(path + used, size - used, "%c%s=", strchr(path, '?') != NULL ? '&' : '?', name);
    for (; *value != '\0' && used < size; value++) {
        bool plain =
            (*value >= '0' && *value <= '9') || (*value >= 'A' && *value <= 'Z') || (*value >= 'a' && *value <= 'z');

        used += (size_t)snprintf(path + used, size - used, plain ? "%c" : "%%%02X", (unsigned char)*value);
    }
    return used < size;
}

long ctl_duration_parse(const char *text)
{
    static const struct {
        char unit;
        long seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'\0', 1}};
    char *end;
    long value;

    if (text[0] < '0' || text[0] > '9')
        return 0;
    value = strtol(text, &end, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (*end == units[i].unit && (*end == '\0' || end[1] == '\0') && value > 0 &&
            value <= 366 * 86400 / units[i].seconds)
            return value * units[i].seconds;
    return 0;
}

/* --- calls -------------------------------------------------------------------------------------------------------------- */

static void complain(const struct ctl_admin *admin, unsigned status, const json_t *answer)
{
    const char *error = json_string_value(json_object_get(answer, "error"));

    ctl_print_lines(json_object_get(answer, "problems"), "", admin->err);
    if (error != NULL)
        fprintf(admin->err, "assayctl: %s\n", error);
    else
        fprintf(admin->err, "assayctl: assayd answered %u\n", status);
    if (status == 404 && error != NULL && strcmp(error, "no such thing") == 0)
        fputs(
            "assayctl: this assayd does not know the request: is it of another version? (assayctl status, --version)\n",
            admin->err);
}

int ctl_admin_call(const struct ctl_admin *admin, const char *method, const char *path, struct slice body,
                   json_t **answer)
{
    unsigned status = ctl_client_call(admin->socket, method, path, body, answer, admin->err);

    if (status == 200)
        return CTL_OK;
    if (status != 0)
        complain(admin, status, *answer);
    json_decref(*answer);
    *answer = NULL;
    return status == 0 ? CTL_UNREACHABLE : CTL_REFUSED;
}

void ctl_admin_print_json(const struct ctl_admin *admin, const json_t *answer)
{
    ctl_print_json(answer, admin->out);
}

int ctl_admin_show(const struct ctl_admin *admin, const char *path,
                   void (*print)(const struct ctl_admin *admin, const json_t *answer))
{
    json_t *answer;
    int code = ctl_admin_call(admin, "GET", path, slice_of(NULL, 0), &answer);

    if (code != CTL_OK)
        return code;
    if (admin->json)
        ctl_admin_print_json(admin, answer);
    else
        print(admin, answer);
    json_decref(answer);
    return CTL_OK;
}

void ctl_admin_print_change(const struct ctl_admin *admin, const json_t *answer)
{
    const char *restart = json_string_value(json_object_get(answer, "needs_restart"));
    long long generation = json_integer_value(json_object_get(answer, "generation"));

    if (!json_is_true(json_object_get(answer, "published")))
        fprintf(admin->out, "nothing changed, generation %lld\n", generation);
    else
        fprintf(admin->out, "generation %lld, %s %.3f ms\n", generation,
                json_is_true(json_object_get(answer, "adopted")) ? "all cores after" : "NOT all cores after",
                json_real_value(json_object_get(answer, "adopted_ms")));
    ctl_print_lines(json_object_get(answer, "warnings"), "warning: ", admin->out);
    if (restart != NULL)
        fprintf(admin->out, "changed, but acts at the next start only: %s\n", restart);
}
