/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/seen.h"

#include "ctl/admin.h"
#include "ctl/preflight.h"

/* A member of an answer, taken out of it; an empty array where it is none. */
static json_t *take_list(const json_t *object, const char *member)
{
    json_t *list = json_object_get(object, member);

    return json_is_array(list) ? json_incref(list) : json_array();
}

static int call(const struct seen_source *source, const char *path, json_t **answer, FILE *err)
{
    const struct ctl_admin admin = {.socket = source->socket, .out = err, .err = err};

    return ctl_admin_call(&admin, "GET", path, slice_of(NULL, 0), answer);
}

static int from_daemon(const struct seen_source *source, struct seen *out, FILE *err)
{
    json_t *preflight = NULL, *registry = NULL;
    int code = call(source, "/v1/preflight", &preflight, err);

    if (code == CTL_OK)
        code = call(source, "/v1/registry?max=100000", &registry, err);
    if (code == CTL_OK) {
        out->rows = take_list(json_object_get(preflight, "report"), "rows");
        out->entries = take_list(registry, "entries");
        out->ciphers = json_deep_copy(json_object_get(preflight, "ciphers"));
    }
    json_decref(preflight);
    json_decref(registry);
    return code;
}

static int from_config(const struct seen_source *source, struct seen *out, FILE *err)
{
    const struct preflight_settings settings = {
        .config_file = source->config_file, .jobs = PREFLIGHT_JOBS_DEFAULT, .timeout_ms = PREFLIGHT_TIMEOUT_MS_DEFAULT};
    json_t *report = ctl_preflight_run(&settings, source->probe, err);

    if (report == NULL)
        return CTL_USAGE;
    out->rows = take_list(report, "rows");
    out->entries = json_array();
    out->ciphers = json_deep_copy(json_object_get(report, "ciphers"));
    json_decref(report);
    return CTL_OK;
}

int seen_gather(const struct seen_source *source, struct seen *out, FILE *err)
{
    *out = (struct seen){0};
    return source->config_file != NULL ? from_config(source, out, err) : from_daemon(source, out, err);
}

void seen_free(struct seen *seen)
{
    json_decref(seen->rows);
    json_decref(seen->entries);
    json_decref(seen->ciphers);
    *seen = (struct seen){0};
}
