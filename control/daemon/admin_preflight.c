/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/admin_preflight.h"

#include "daemon/admin_input.h"
#include "daemon/prober.h"
#include "daemon/view.h"
#include "probe/probe.h"

#define TIMEOUT_MS_MAX 60000

static unsigned refuse(json_t **body, unsigned status, const char *error)
{
    *body = json_object();
    json_object_set_new(*body, "error", json_string(error));
    return status;
}

/* A whole number within bounds, or what it is already. */
static bool read_number(const json_t *request, const char *name, uint64_t max, uint64_t *number)
{
    const json_t *value = json_object_get(request, name);

    if (value == NULL)
        return true;
    *number = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) > 0 && *number <= max;
}

static const char *read_request(const json_t *request, struct preflight_settings *settings)
{
    const json_t *ports = json_object_get(request, "ports");
    uint64_t jobs = settings->jobs;

    if (ports != NULL && (!json_is_string(ports) ||
                          probe_ports_parse(slice_text(json_string_value(ports)), &settings->ports) != ASSAY_OK))
        return "ports is not a list of at most 32 ports: \"8443,6972\"";
    if (!read_number(request, "jobs", PROBE_JOBS_MAX, &jobs))
        return "jobs is not within 1 to 256";
    settings->jobs = (unsigned)jobs;
    if (!read_number(request, "timeout_ms", TIMEOUT_MS_MAX, &settings->timeout_ms))
        return "timeout_ms is not within 1 to 60000";
    return NULL;
}

unsigned admin_preflight_start(struct control *control, struct slice request, uint64_t now_s, json_t **body)
{
    const struct config_preflight *config = &control->config->root.preflight;
    struct preflight_settings settings = {.jobs = (unsigned)config->jobs, .timeout_ms = config->timeout / 1000};
    static const struct admin_member members[] = {
        {"ports", ADMIN_TEXT}, {"jobs", ADMIN_NUMBER}, {"timeout_ms", ADMIN_NUMBER}};
    char error[300];
    json_t *input = admin_input_read(request, members, 3, error, sizeof(error));
    const char *wrong = input != NULL ? read_request(input, &settings) : error;
    struct problems problems = {0};
    unsigned status = 200;

    json_decref(input);
    if (wrong != NULL)
        return refuse(body, 400, wrong);
    switch (prober_start(control->prober, control, &settings, now_s, &problems)) {
    case ASSAY_OK: *body = prober_view(control->prober, true); break;
    case ASSAY_ERR_BUSY: status = refuse(body, 409, "a preflight is under way"); break;
    default:
        status = refuse(body, 422, "the preflight cannot begin");
        json_object_set_new(*body, "problems", view_problems(&problems));
    }
    problems_free(&problems);
    return status;
}

unsigned admin_preflight_view(const struct control *control, bool brief, json_t **body)
{
    *body = prober_view(control->prober, brief);
    json_object_set_new(*body, "ciphers", preflight_ciphers(control->config));
    return 200;
}
