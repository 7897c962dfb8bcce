/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl capture start|stop|status: frames of assayd's port, which tcpdump of the host does not see. */
#include <stdlib.h>
#include <string.h>

#include "ctl/admin.h"

static const char capture_usage[] =
    "usage: assayctl capture start --file NAME [--filter EXPRESSION] [--snaplen BYTES] [--max-bytes SIZE]\n"
    "                              [--max-packets N] [--for 30s] [--json] [--socket PATH]\n"
    "       assayctl capture stop | status [--json] [--socket PATH]\n"
    "Writes frames of assayd's port, both directions, all cores, into a pcapng file in capture.directory (Wireshark "
    "and\n"
    "tcpdump read it). EXPRESSION as in pcap-filter(7), with numbers for names: 'tcp port 8443 and host 198.18.1.7'.\n"
    "It ends by itself at the first limit that is reached; --max-bytes is 100MiB where it is not given.\n"
    "exit status: 0 done, 1 refused, 2 wrong usage, 3 no assayd\n";

/* A number with k, M, G or KiB, MiB, GiB behind it; 0: none. */
static uint64_t parse_size(const char *text)
{
    static const struct {
        const char *unit;
        unsigned shift;
    } units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    unsigned long long value;
    char *end;

    if (text[0] < '0' || text[0] > '9' || strlen(text) > 15)
        return 0;
    value = strtoull(text, &end, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(end, units[i].unit) == 0 && value <= UINT64_MAX >> 24 >> units[i].shift)
            return value << units[i].shift;
    return 0;
}

/* Adds a number that was given; false: it is none. */
static bool add_number(json_t *body, const char *name, const char *option, const char *text, bool size,
                       const struct ctl_admin *admin)
{
    uint64_t value;

    if (text == NULL)
        return true;
    value = size || strspn(text, "0123456789") == strlen(text) ? parse_size(text) : 0;
    if (value == 0) {
        fprintf(admin->err, "assayctl: %s %s: a number%s is needed\n", option, text,
                size ? ", or one with KiB, MiB or GiB," : "");
        return false;
    }
    json_object_set_new(body, name, json_integer((json_int_t)value));
    return true;
}

static bool add_duration(json_t *body, const struct ctl_admin *admin)
{
    long for_s = admin->duration != NULL ? ctl_duration_parse(admin->duration) : 0;

    if (admin->duration == NULL)
        return true;
    if (for_s == 0) {
        fprintf(admin->err, "assayctl: --for %s: a duration like 30s or 5m, at most a year\n", admin->duration);
        return false;
    }
    json_object_set_new(body, "for_s", json_integer(for_s));
    return true;
}

static void print_status(const struct ctl_admin *admin, const json_t *answer)
{
    static const struct {
        const char *member, *title;
    } lines[] = {{"state", "capture"},   {"file", "file"},   {"filter", "filter"},           {"ended", "ended"},
                 {"packets", "packets"}, {"bytes", "bytes"}, {"dropped", "lost, ring full"}, {"seen", "frames seen"}};
    char text[1200];

    if (admin->json) {
        ctl_admin_print_json(admin, answer);
        return;
    }
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (json_object_get(answer, lines[i].member) != NULL)
            fprintf(admin->out, "%-18s %s\n", lines[i].title,
                    ctl_member_text(answer, lines[i].member, text, sizeof(text)));
}

static int call(const struct ctl_admin *admin, const char *method, struct slice body)
{
    json_t *answer;
    int code = ctl_admin_call(admin, method, "/v1/capture", body, &answer);

    if (code != CTL_OK)
        return code;
    print_status(admin, answer);
    json_decref(answer);
    return CTL_OK;
}

static int start(const struct ctl_admin *admin)
{
    json_t *body = json_object();
    char *text = NULL;
    int code = CTL_USAGE;

    json_object_set_new(body, "file", json_string(admin->file));
    if (admin->filter != NULL)
        json_object_set_new(body, "filter", json_string(admin->filter));
    if (add_number(body, "snaplen", "--snaplen", admin->snaplen, false, admin) &&
        add_number(body, "max_packets", "--max-packets", admin->max_packets, false, admin) &&
        add_number(body, "max_bytes", "--max-bytes", admin->max_bytes, true, admin) && add_duration(body, admin) &&
        (text = json_dumps(body, JSON_COMPACT)) != NULL)
        code = call(admin, "POST", slice_text(text));
    free(text);
    json_decref(body);
    return code;
}

int ctl_capture(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl_admin admin;
    bool options;
    int code;

    if (!ctl_admin_parse(argc, argv, capture_usage, CTL_ADMIN_FOR | CTL_ADMIN_CAPTURE, &admin, out, err, &code))
        return code;
    options = admin.file != NULL || admin.filter != NULL || admin.snaplen != NULL || admin.max_bytes != NULL ||
              admin.max_packets != NULL || admin.duration != NULL;
    if (admin.word_count == 1 && strcmp(admin.words[0], "start") == 0 && admin.file != NULL)
        return start(&admin);
    if (admin.word_count == 1 && strcmp(admin.words[0], "stop") == 0 && !options)
        return call(&admin, "DELETE", slice_of(NULL, 0));
    if (admin.word_count == 1 && strcmp(admin.words[0], "status") == 0 && !options)
        return call(&admin, "GET", slice_of(NULL, 0));
    fputs(capture_usage, err);
    return CTL_USAGE;
}
