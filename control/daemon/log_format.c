/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/log_format.h"

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

/* --- a line under way: LOG_LINE_MAX bounds it, `room` is checked all the same --------------------------------------- */

struct line {
    char *at;
    size_t room;
    struct log_context *context;
};

static inline void put(struct line *line, const char *text, size_t len)
{
    if (len > line->room)
        len = line->room;
    memcpy(line->at, text, len);
    line->at += len;
    line->room -= len;
}

static inline void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Hundreds of thousands a second: printf would be most of the cost of a line. */
static void put_number(struct line *line, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    put(line, digits + at, sizeof(digits) - at);
}

static void put_address(struct line *line, const struct assay_address *address)
{
    char text[ASSAY_ADDRESS_TEXT_MAX];

    if (!address_is_ip4(address)) {
        put_text(line, address_format(address, text));
        return;
    }
    for (size_t i = 12; i < sizeof(address->bytes); i++) {
        put_number(line, address->bytes[i]);
        if (i + 1 < sizeof(address->bytes))
            put(line, ".", 1);
    }
}

/* Which bytes are percent-encoded: control bytes and those beyond ASCII always, further ones where they end a field. */
enum encoding { ENCODE_QUOTED = 1, ENCODE_NAME = 2 };

static inline bool encoded(uint8_t c, enum encoding encoding)
{
    if (c < 0x20 || c >= 0x7f || c == '"')
        return true;
    return encoding == ENCODE_NAME && (c == ' ' || c == '(' || c == ')' || c == '\'');
}

static void put_encoded(struct line *line, struct slice text, enum encoding encoding)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t start = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        char triple[3] = {'%', digits[c >> 4], digits[c & 15]};

        if (!encoded(c, encoding))
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
    put(line, " ", 1);
    put_text(line, name);
    put(line, "=\"", 2);
    put_encoded(line, value, ENCODE_QUOTED);
    put(line, "\"", 1);
}

/* ` Src-ip="127.0.0.1" Src-port="35764"` */
static void put_peer(struct line *line, const char *which, const struct log_record *record)
{
    put(line, " ", 1);
    put_text(line, which);
    put_text(line, "-ip=\"");
    put_address(line, &record->peer);
    put_text(line, "\" ");
    put_text(line, which);
    put_text(line, "-port=\"");
    put_number(line, record->peer_port);
    put(line, "\"", 1);
}

/* --- times ------------------------------------------------------------------------------------------------------------ */

static uint16_t bounded(int len)
{
    return (uint16_t)(len < 0 ? 0 : len < LOG_STAMP_MAX ? len : LOG_STAMP_MAX - 1);
}

static void stamp(struct log_context *context, uint64_t second)
{
    time_t utc = (time_t)second, local = utc + context->utc_offset_s;
    int32_t minutes = context->utc_offset_s / 60;
    char sign = minutes < 0 ? '-' : '+';
    struct tm tm;

    if (context->stamped && context->second == second && context->second_offset_s == context->utc_offset_s)
        return;
    if (minutes < 0)
        minutes = -minutes;
    gmtime_r(&local, &tm);
    context->local_length =
        bounded(snprintf(context->local, LOG_STAMP_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.", tm.tm_year + 1900,
                         tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec));
    context->zone_length = bounded(
        snprintf(context->zone, LOG_STAMP_MAX, "%c%02d:%02d %s ", sign, minutes / 60, minutes % 60, context->host));
    gmtime_r(&utc, &tm);
    context->utc_length =
        bounded(snprintf(context->utc, LOG_STAMP_MAX, "UTCTime=\"%04d-%02d-%02d %02d:%02d:%02d,", tm.tm_year + 1900,
                         tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec));
    context->stamped = true;
    context->second = second;
    context->second_offset_s = context->utc_offset_s;
}

static void put_milliseconds(struct line *line, uint64_t wall_ns)
{
    unsigned ms = (unsigned)(wall_ns % NS_PER_S / 1000000);
    char digits[3] = {(char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10)};

    put(line, digits, sizeof(digits));
}

/* `2022-07-11T18:55:25.910+02:00 vcsc traffic_server[18242]: ` */
static void put_prefix(struct line *line, uint64_t wall_ns, const char *process)
{
    struct log_context *context = line->context;

    stamp(context, wall_ns / NS_PER_S);
    put(line, context->local, context->local_length);
    put_milliseconds(line, wall_ns);
    put(line, context->zone, context->zone_length);
    put_text(line, process);
    put(line, "[", 1);
    put_number(line, context->pid);
    put_text(line, "]: ");
}

/* `UTCTime="2022-07-11 16:55:25,910"` */
static void put_utc(struct line *line, uint64_t wall_ns)
{
    put(line, line->context->utc, line->context->utc_length);
    put_milliseconds(line, wall_ns);
    put(line, "\"", 1);
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
    put_text(line, "Detail=\"");
    put_text(line, detail);
    put_text(line, "\" Txn-id=\"");
    put_number(line, record->transaction);
    put(line, "\"", 1);
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

    put_text(line, allowed ? "Event=\"Request Allowed\" Detail=\"Access allowed\""
                           : "Event=\"Request Denied\" Detail=\"Access denied\"");
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
        put_text(line, " Status=\"");
        put_number(line, record->status);
        put(line, "\"", 1);
    }
    put_text(line, " ");
    put_utc(line, record->wall_ns);
}

/* --- S26 to S28: no quotes around names, so nothing that could end one passes ---------------------------------------------------- */

static void put_name(struct line *line, struct slice name)
{
    put_encoded(line, name, ENCODE_NAME);
}

static void put_thread(struct line *line, const struct log_record *record, const char *level)
{
    put_text(line, "[ET_NET ");
    put_number(line, record->core);
    put_text(line, "] ");
    put_text(line, level);
    put_text(line, ": ");
}

static void put_action(struct line *line, const struct log_record *record)
{
    put_text(line, record->action == LOG_ACTION_TERMINATE ? " Action=Terminate" : " Action=Continue");
}

/* ` server=cucm.steven.lab(10.48.36.215)` */
static void put_server(struct line *line, const struct log_record *record, struct slice name)
{
    put_text(line, " server=");
    put_name(line, name);
    put(line, "(", 1);
    put_address(line, &record->peer);
    put(line, ")", 1);
}

static void verify_failed(struct line *line, const struct log_record *record, const struct slice *strings)
{
    put_thread(line, record, "WARNING");
    put_text(line, "Core server certificate verification failed for (");
    put_name(line, strings[0]);
    put_text(line, ").");
    put_action(line, record);
    put_text(line, " Error=");
    put_encoded(line, strings[1], ENCODE_QUOTED);
    put_server(line, record, strings[0]);
    put_text(line, record->depth < 0 ? " depth=-" : " depth=");
    put_number(line, (uint64_t)(record->depth < 0 ? -(int64_t)record->depth : record->depth));
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
    put_encoded(line, strings[1], ENCODE_QUOTED);
}

static void origin_failed(struct line *line, const struct log_record *record, const struct slice *strings)
{
    put_thread(line, record, "WARNING");
    put_text(line, "Origin connection failed for (");
    put_name(line, strings[0]);
    put_text(line, "). Error=");
    put_encoded(line, strings[1], ENCODE_QUOTED);
    put_server(line, record, strings[0]);
    put_text(line, " port=");
    put_number(line, record->peer_port);
}

static void weak_certificate(struct line *line, const struct log_record *record, const struct slice *strings)
{
    put_thread(line, record, "WARNING");
    put_text(line, "Weak core server certificate accepted for (");
    put_name(line, strings[0]);
    put_text(line, "). Reason=");
    put_encoded(line, strings[1], ENCODE_QUOTED);
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

size_t log_format(const struct log_record *record, const struct slice strings[LOG_STRINGS], struct log_context *context,
                  char *out, size_t capacity)
{
    struct line line = {out, capacity - 1, context};

    if (record->kind >= LOG_KINDS || capacity == 0)
        return 0;
    put_prefix(&line, record->wall_ns, "traffic_server");
    put_body(&line, record, strings);
    return finish(&line, out);
}

size_t log_format_event(uint64_t wall_ns, const char *level, struct slice text, struct log_context *context, char *out,
                        size_t capacity)
{
    struct line line = {out, capacity - 1, context};

    if (capacity == 0)
        return 0;
    put_prefix(&line, wall_ns, "assayd");
    put_utc(&line, wall_ns);
    put_text(&line, " Module=\"assay.control\" Level=\"");
    put_text(&line, level);
    put_text(&line, "\": Detail=\"");
    put_encoded(&line, text, ENCODE_QUOTED);
    put_text(&line, "\"");
    return finish(&line, out);
}
