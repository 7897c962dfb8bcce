/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/admin_capture.h"

#include <string.h>

#include "daemon/admin_input.h"
#include "daemon/capture_session.h"
#include "daemon/log.h"
#include "net/capture.h"

static unsigned refuse(json_t **body, unsigned status, const char *error)
{
    *body = json_object();
    json_object_set_new(*body, "error", json_string(error));
    return status;
}

/* A whole number within bounds, or the default where it is absent. */
static bool read_number(const json_t *request, const char *name, uint64_t min, uint64_t max, uint64_t absent,
                        uint64_t *out)
{
    const json_t *value = json_object_get(request, name);

    *out = absent;
    if (value == NULL)
        return true;
    *out = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0 && *out >= min && *out <= max;
}

static const char *read_request(const json_t *request, struct capture_options *out)
{
    const json_t *filter = json_object_get(request, "filter");
    uint64_t snaplen;

    out->file = json_string_value(json_object_get(request, "file"));
    out->filter = filter != NULL ? json_string_value(filter) : "";
    if (out->file == NULL || out->filter == NULL)
        return "expected {\"file\": a name, \"filter\": an expression, \"snaplen\", \"max_bytes\", \"max_packets\", "
               "\"for_s\": "
               "numbers}";
    if (!read_number(request, "snaplen", CAPTURE_SNAPLEN_MIN, CAPTURE_SNAPLEN_MAX, CAPTURE_SNAPLEN_MAX, &snaplen))
        return "snaplen is not within 64 to 65535";
    out->snaplen = (uint32_t)snaplen;
    if (!read_number(request, "max_bytes", 1024, CAPTURE_BYTES_MAX, CAPTURE_BYTES_DEFAULT, &out->max_bytes))
        return "max_bytes is not within 1024 to 1099511627776";
    if (!read_number(request, "max_packets", 1, INT64_MAX, 0, &out->max_packets))
        return "max_packets is no number from 1 on";
    if (!read_number(request, "for_s", 1, CAPTURE_FOR_MAX_S, 0, &out->for_s))
        return "for_s is not within 1 and the seconds of a year";
    return NULL;
}

/* capture.directory, or a folder of the state directory. */
static void directory_of(const struct control *control, struct text *out)
{
    if (control->config->root.capture.directory != NULL)
        text_add_text(out, control->config->root.capture.directory);
    else
        text_printf(out, "%s/capture", control->state_directory != NULL ? control->state_directory : ".");
}

unsigned admin_capture_status(const struct control *control, json_t **body)
{
    struct capture_status status;

    *body = json_object();
    if (control->capture == NULL) {
        json_object_set_new(*body, "state", json_string("none"));
        return 200;
    }
    capture_get_status(control->capture, &status);
    json_object_set_new(*body, "state", json_string(status.running ? "running" : "ended"));
    json_object_set_new(*body, "file", json_string(status.path));
    json_object_set_new(*body, "filter", json_string(status.filter));
    if (status.ended[0] != '\0')
        json_object_set_new(*body, "ended", json_string(status.ended));
    json_object_set_new(*body, "started_s", json_integer((json_int_t)status.started_s));
    json_object_set_new(*body, "seen", json_integer((json_int_t)status.seen));
    json_object_set_new(*body, "matched", json_integer((json_int_t)status.matched));
    json_object_set_new(*body, "dropped", json_integer((json_int_t)status.dropped));
    json_object_set_new(*body, "packets", json_integer((json_int_t)status.packets));
    json_object_set_new(*body, "bytes", json_integer((json_int_t)status.bytes));
    return 200;
}

unsigned admin_capture_start(struct control *control, struct slice request, uint64_t now_s, json_t **body)
{
    static const struct admin_member members[] = {{"file", ADMIN_TEXT},          {"filter", ADMIN_TEXT},
                                                  {"snaplen", ADMIN_NUMBER},     {"max_bytes", ADMIN_NUMBER},
                                                  {"max_packets", ADMIN_NUMBER}, {"for_s", ADMIN_NUMBER}};
    char error[512] = "";
    json_t *input = admin_input_read(request, members, 6, error, sizeof(error));
    struct capture_options options = {.port = control->config->root.port.device};
    struct capture_session *session = NULL;
    struct text directory = {0};
    const char *wrong = input != NULL ? read_request(input, &options) : error;
    unsigned status = 400;

    if (wrong != NULL) {
        json_decref(input);
        return refuse(body, status, wrong);
    }
    if (capture_running(control->capture)) {
        json_decref(input);
        return refuse(body, 409, "a capture is running: assayctl capture stop ends it");
    }
    directory_of(control, &directory);
    options.directory = text_get(&directory);
    if (control->fleet->running)
        session = capture_start(control->fleet, &options, now_s, error, sizeof(error));
    else
        wrong = "the cores do not run";
    if (session != NULL) {
        capture_free(control->capture);
        control->capture = session;
        if (control->log != NULL)
            log_event(control->log, "INFO", "capture started: %s/%s, filter \"%s\"", options.directory, options.file,
                      options.filter);
        status = admin_capture_status(control, body);
    } else {
        status = refuse(body, wrong != NULL ? 503 : 422, wrong != NULL ? wrong : error);
    }
    text_free(&directory);
    json_decref(input);
    return status;
}

unsigned admin_capture_stop(struct control *control, json_t **body)
{
    if (!capture_running(control->capture))
        return refuse(body, 409, "no capture is running");
    if (capture_stop(control->capture) != ASSAY_OK)
        return refuse(body, 503, "a core did not answer in time: the capture goes on");
    control_capture_ended(control);
    return admin_capture_status(control, body);
}
