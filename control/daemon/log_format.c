/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/log_format.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/address.h"

#define NS_PER_S 1000000000ULL

bool log_record_parse(struct slice bytes, struct log_record *record, struct slice strings[LOG_STRINGS])
{
    if (bytes.len < sizeof(*record))
        return false;
    memcpy(record, bytes.data, sizeof(*record));
    bytes = slice_tail(bytes, sizeof(*record));
    for (size_t i = 0; i < LOG_STRINGS; i++) {
        if (record->string_length[i] > LOG_STRING_MAX || record->string_length[i] > bytes.len)
            return false;
        strings[i] = slice_head(bytes, record->string_length[i]);
        bytes = slice_tail(bytes, record->string_length[i]);
    }
    return record->kind < LOG_KINDS;
}

/* --- a line under way: LOG_LINE_MAX bounds it, `room` is checked all the same ------------------------------------------------ */

struct line {
    char *at;
    size_t room;
};

static void put(struct line *line, const char *text, size_t len)
{
    if (len > line->room)
        len = line->room;
    memcpy(line->at, text, len);
    line->at += len;
    line->room -= len;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static void put_format(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_format(struct line *line, const char *format, ...)
{
    char text[256];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    put(line, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

/* also: the bytes that end a field beside the control bytes and those beyond ASCII. */
static void put_encoded(struct line *line, struct slice text, const char *also)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t start = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        char triple[3] = {'%', digits[c >> 4], digits[c & 15]};

        if (c >= 0x20 && c < 0x7f && strchr(also, c) == NULL)
            continue;
        put(line, (const char *)text.data + start, i - start);
        put(line, triple, sizeof(triple));
        start = i + 1;
    }
    if (text.len > start)
        put(line, (const char *)text.data + start, text.len - start);
}

/* ` Name="value"`, the value from outside. */
static void put_field(struct line *line, const char *name, struct slice value)
{
    put_format(line, " %s=\"", name);
    put_encoded(line, value, "\"");
    put_text(line, "\"");
}

static void put_peer(struct line *line, const char *which, const struct log_record *record)
{
    char text[ASSAY_ADDRESS_TEXT_MAX];

    put_format(line, " %s-ip=\"%s\" %s-port=\"%u\"", which, address_format(&record->peer, text), which,
               record->peer_port);
}

/* --- times ---------------------------------------------------------------------------------------------------------------------- */

/* `2022-07-11T18:55:25.910+02:00 vcsc traffic_server[18242]: ` */
static void put_prefix(struct line *line, uint64_t wall_ns, const char *process, const struct log_context *context)
{
    time_t local = (time_t)(wall_ns / NS_PER_S) + context->utc_offset_s;
    int32_t minutes = context->utc_offset_s / 60;
    char sign = minutes < 0 ? '-' : '+';
    struct tm tm;

    gmtime_r(&local, &tm);
    if (minutes < 0)
        minutes = -minutes;
    put_format(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03u%c%02d:%02d %s %s[%u]: ", tm.tm_year + 1900, tm.tm_mon + 1,
               tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(wall_ns % NS_PER_S / 1000000), sign,
               minutes / 60, minutes % 60, context->host, process, context->pid);
}

/* `UTCTime="2022-07-11 16:55:25,910"` */
static void put_utc(struct line *line, uint64_t wall_ns)
{
    time_t utc = (time_t)(wall_ns / NS_PER_S);
    struct tm tm;

    gmtime_r(&utc, &tm);
    put_format(line, "UTCTime=\"%04d-%02d-%02d %02d:%02d:%02d,%03u\"", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
               tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(wall_ns % NS_PER_S / 1000000));
}

/* MRA's M. */
static void put_module(struct line *line, uint64_t wall_ns)
{
    put_utc(line, wall_ns);
    put_text(line, " Module=\"network.http.trafficserver\" Level=\"INFO\": ");
}

/* --- S20 to S24 ------------------------------------------------------------------------------------------------------------------ */

static void put_transaction(struct line *line, const char *detail, const struct log_record *record,
                            struct slice tracking)
{
    put_module(line, record->wall_ns);
    put_format(line, "Detail=\"%s\" Txn-id=\"%llu\"", detail, (unsigned long long)record->transaction);
    put_field(line, "TrackingID", tracking);
}

static void receive_request(struct line *line, const struct log_record *record, const struct slice *strings)
{
    put_transaction(line, "Receive Request", record, strings[0]);
    put_peer(line, "Src", record);
    put_field(line, "Last-via-addr", strings[1]);
    put_field(line, "Msg", strings[2]);
}

static void message(struct line *line, const char *detail, const char *which, const struct log_record *record,
                    const struct slice *strings)
{
    put_transaction(line, detail, record, strings[0]);
    put_peer(line, which, record);
    put_field(line, "Msg", strings[2]);
}

/* S21; a denial in its likeness. */
static void access(struct line *line, const struct log_record *record, const struct slice *strings)
{
    bool allowed = record->kind == LOG_ACCESS_ALLOWED;

    put_format(line, "Event=\"Request %s\" Detail=\"Access %s\"", allowed ? "Allowed" : "Denied",
               allowed ? "allowed" : "denied");
    put_field(line, "Reason", allowed ? slice_text("In allow list") : strings[4]);
    put_field(line, "Username", strings[0]);
    put_field(line, "Deployment", strings[1]);
    put_field(line, "Method", strings[2]);
    put_field(line, "Request", strings[3]);
    if (allowed) {
        put_field(line, "Rule", strings[4]);
        put_field(line, "Match", strings[5]);
        put_field(line, "Type", strings[6]);
    } else {
        put_format(line, " Status=\"%u\"", record->status);
    }
    put_text(line, " ");
    put_utc(line, record->wall_ns);
}

/* --- S26 to S28: no quotes around names, so nothing that could end one passes ---------------------------------------------------- */

#define NAME_ENDS " ()'\""

static void put_name(struct line *line, struct slice name)
{
    put_encoded(line, name, NAME_ENDS);
}

static void put_thread(struct line *line, const struct log_record *record, const char *level)
{
    put_format(line, "[ET_NET %u] %s: ", record->core, level);
}

static void put_action(struct line *line, const struct log_record *record)
{
    put_format(line, " Action=%s", record->action == LOG_ACTION_TERMINATE ? "Terminate" : "Continue");
}

/* ` server=cucm.steven.lab(10.48.36.215)` */
static void put_server(struct line *line, const struct log_record *record, struct slice name)
{
    char text[ASSAY_ADDRESS_TEXT_MAX];

    put_text(line, " server=");
    put_name(line, name);
    put_format(line, "(%s)", address_format(&record->peer, text));
}

static void verify_failed(struct line *line, const struct log_record *record, const struct slice *strings)
{
    put_thread(line, record, "WARNING");
    put_text(line, "Core server certificate verification failed for (");
    put_name(line, strings[0]);
    put_text(line, ").");
    put_action(line, record);
    put_text(line, " Error=");
    put_encoded(line, strings[1], "\"");
    put_server(line, record, strings[0]);
    put_format(line, " depth=%d", record->depth);
}

static void name_mismatch(struct line *line, const struct log_record *record, const struct slice *strings)
{
    put_thread(line, record, "WARNING");
    put_text(line, "SNI (");
    put_name(line, strings[0]);
    put_text(line, ") not in certificate.");
    put_action(line, record);
    put_server(line, record, strings[0]);
}

static void ssl_failed(struct line *line, const struct log_record *record, const struct slice *strings)
{
    put_thread(line, record, "ERROR");
    put_text(line, "SSL connection failed for '");
    put_name(line, strings[0]);
    put_text(line, "': ");
    put_encoded(line, strings[1], "\"");
}

static void origin_failed(struct line *line, const struct log_record *record, const struct slice *strings)
{
    put_thread(line, record, "WARNING");
    put_text(line, "Origin connection failed for (");
    put_name(line, strings[0]);
    put_text(line, "). Error=");
    put_encoded(line, strings[1], "\"");
    put_server(line, record, strings[0]);
    put_format(line, " port=%u", record->peer_port);
}

static void weak_certificate(struct line *line, const struct log_record *record, const struct slice *strings)
{
    put_thread(line, record, "WARNING");
    put_text(line, "Weak core server certificate accepted for (");
    put_name(line, strings[0]);
    put_text(line, "). Reason=");
    put_encoded(line, strings[1], "\"");
    put_server(line, record, strings[0]);
}

static void put_body(struct line *line, const struct log_record *record, const struct slice *strings)
{
    switch ((enum log_kind)record->kind) {
    case LOG_RECEIVE_REQUEST: receive_request(line, record, strings); break;
    case LOG_ACCESS_ALLOWED:
    case LOG_ACCESS_DENIED: access(line, record, strings); break;
    case LOG_SENDING_REQUEST: message(line, "Sending Request", "Dst", record, strings); break;
    case LOG_RECEIVE_RESPONSE: message(line, "Receive Response", "Src", record, strings); break;
    case LOG_SENDING_RESPONSE: message(line, "Sending Response", "Dst", record, strings); break;
    case LOG_VERIFY_FAILED: verify_failed(line, record, strings); break;
    case LOG_NAME_MISMATCH: name_mismatch(line, record, strings); break;
    case LOG_SSL_FAILED: ssl_failed(line, record, strings); break;
    case LOG_ORIGIN_FAILED: origin_failed(line, record, strings); break;
    case LOG_WEAK_CERTIFICATE: weak_certificate(line, record, strings); break;
    case LOG_KINDS: break;
    }
}

/* The line end always has its place. */
static size_t finish(struct line *line, const char *out)
{
    *line->at++ = '\n';
    return (size_t)(line->at - out);
}

size_t log_format(const struct log_record *record, const struct slice strings[LOG_STRINGS],
                  const struct log_context *context, char *out, size_t capacity)
{
    struct line line = {out, capacity - 1};

    if (record->kind >= LOG_KINDS || capacity == 0)
        return 0;
    put_prefix(&line, record->wall_ns, "traffic_server", context);
    put_body(&line, record, strings);
    return finish(&line, out);
}

size_t log_format_event(uint64_t wall_ns, const char *level, struct slice text, const struct log_context *context,
                        char *out, size_t capacity)
{
    struct line line = {out, capacity - 1};

    if (capacity == 0)
        return 0;
    put_prefix(&line, wall_ns, "assayd", context);
    put_utc(&line, wall_ns);
    put_format(&line, " Module=\"assay.control\" Level=\"%s\": Detail=\"", level);
    put_encoded(&line, text, "\"");
    put_text(&line, "\"");
    return finish(&line, out);
}
