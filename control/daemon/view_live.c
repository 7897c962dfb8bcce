/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Views of what the cores do at this moment: rows of commands, counters. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "daemon/arena.h"
#include "daemon/view.h"
#include "net/dispatch.h"
#include "net/net.h"
#include "net/nic.h"
#include "tcp/counters.h"
#include "x509/describe.h"
#include "x509/verdict_cache.h"

#define SSTHRESH_UNSET (1U << 30) /* command.h */

/* Rows are filled by a core from fixed arrays: never trusted to be terminated or to be UTF-8. */
static json_t *array_text(const char *text, size_t size)
{
    char copy[512];
    size_t len = strnlen(text, size < sizeof(copy) ? size : sizeof(copy) - 1);

    for (size_t i = 0; i < len; i++)
        copy[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
    copy[len] = '\0';
    return json_string(copy);
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* To the millisecond. */
static json_t *seconds(uint64_t us)
{
    uint64_t ms = us / 1000;

    return json_real((double)ms / 1000);
}

static json_t *address_text(const struct assay_address *address)
{
    char text[ASSAY_ADDRESS_TEXT_MAX];

    return json_string(address_format(address, text));
}

static json_t *verdict(const struct verdict_row *row)
{
    char fingerprint[X509_DESCRIBE_HEX_SIZE], until[X509_DESCRIBE_TIME_SIZE];
    json_t *out = json_object();

    x509_describe_hex(slice_of(row->leaf_sha256, sizeof(row->leaf_sha256)), fingerprint, sizeof(fingerprint));
    x509_describe_time((int64_t)row->valid_until_s, until, sizeof(until));
    json_object_set_new(out, "leaf_sha256", json_string(fingerprint));
    json_object_set_new(out, "identity", array_text(row->identity, sizeof(row->identity)));
    json_object_set_new(out, "reason", array_text(row->reason, sizeof(row->reason)));
    json_object_set_new(out, "depth", json_integer(row->depth));
    json_object_set_new(out, "warnings", number(row->warnings));
    json_object_set_new(out, "trust_epoch", number(row->trust_epoch));
    json_object_set_new(out, "policy", number(row->policy_id));
    json_object_set_new(out, "valid_until", json_string(until));
    return out;
}

static json_t *origin(const struct origin_row *row)
{
    json_t *out = json_object();

    json_object_set_new(out, "host", array_text(row->host, sizeof(row->host)));
    json_object_set_new(out, "port", number(row->port));
    json_object_set_new(out, "https", json_boolean(row->https));
    json_object_set_new(out, "scope", array_text(row->scope, sizeof(row->scope)));
    json_object_set_new(out, "address", address_text(&row->address));
    json_object_set_new(out, "connections", number(row->connections));
    json_object_set_new(out, "idle", number(row->idle));
    json_object_set_new(out, "waiting", number(row->waiting));
    json_object_set_new(out, "requests", number(row->requests));
    json_object_set_new(out, "failures", number(row->failures));
    json_object_set_new(out, "last_error", array_text(row->last_error, sizeof(row->last_error)));
    return out;
}

static json_t *connection(const struct connection_row *row)
{
    json_t *out = json_object();

    json_object_set_new(out, "core", number(row->core));
    json_object_set_new(out, "side", json_string(row->origin_side ? "origin" : "client"));
    json_object_set_new(out, "local", address_text(&row->local));
    json_object_set_new(out, "local_port", number(row->local_port));
    json_object_set_new(out, "peer", address_text(&row->peer));
    json_object_set_new(out, "port", number(row->peer_port));
    json_object_set_new(out, "state", array_text(row->state, sizeof(row->state)));
    json_object_set_new(out, "phase", array_text(row->phase, sizeof(row->phase)));
    json_object_set_new(out, "orphan", json_boolean(row->orphan));
    json_object_set_new(out, "srtt_us", number(row->srtt_us));
    json_object_set_new(out, "rto_us", number(row->rto_us));
    json_object_set_new(out, "cwnd", number(row->cwnd_bytes));
    json_object_set_new(out, "ssthresh",
                        row->ssthresh_bytes < SSTHRESH_UNSET ? number(row->ssthresh_bytes) : json_null());
    json_object_set_new(out, "mss", number(row->mss));
    json_object_set_new(out, "ecn", json_boolean(row->ecn));
    json_object_set_new(out, "send_queue", number(row->send_queue_bytes));
    json_object_set_new(out, "unsent", number(row->unsent_bytes));
    json_object_set_new(out, "receive_queue", number(row->receive_queue_bytes));
    json_object_set_new(out, "retransmits", number(row->retransmits));
    json_object_set_new(out, "bytes_in", number(row->bytes_in));
    json_object_set_new(out, "bytes_out", number(row->bytes_out));
    json_object_set_new(out, "age", seconds(row->age_us));
    json_object_set_new(out, "idle", seconds(row->idle_us));
    return out;
}

static json_t *row_json(enum command_kind kind, const void *row)
{
    switch (kind) {
    case COMMAND_VERDICTS: return verdict(row);
    case COMMAND_ORIGINS: return origin(row);
    case COMMAND_CONNECTIONS: return connection(row);
    case COMMAND_CAPTURE:
    case COMMAND_ANNOUNCE:
    case COMMAND_DRAIN:
    case COMMAND_STOP: break;
    }
    return json_null();
}

static const char *rows_name(enum command_kind kind)
{
    switch (kind) {
    case COMMAND_VERDICTS: return "verdicts";
    case COMMAND_ORIGINS: return "origins";
    case COMMAND_CONNECTIONS: return "connections";
    case COMMAND_CAPTURE:
    case COMMAND_ANNOUNCE:
    case COMMAND_DRAIN:
    case COMMAND_STOP: break;
    }
    return "rows";
}

/* --- the same thing on several cores is one row --------------------------------------------------------------------------------- */

struct row_ref {
    const void *row;
    uint32_t core;
};

static int compare_verdicts(const void *a, const void *b)
{
    const struct verdict_row *x = ((const struct row_ref *)a)->row, *y = ((const struct row_ref *)b)->row;
    int order = memcmp(x->leaf_sha256, y->leaf_sha256, sizeof(x->leaf_sha256));

    order = order != 0 ? order : strncmp(x->identity, y->identity, sizeof(x->identity));
    order = order != 0 ? order : strncmp(x->reason, y->reason, sizeof(x->reason));
    order = order != 0 ? order : (x->policy_id > y->policy_id) - (x->policy_id < y->policy_id);
    order = order != 0 ? order : (x->depth > y->depth) - (x->depth < y->depth);
    return order != 0 ? order : (x->trust_epoch > y->trust_epoch) - (x->trust_epoch < y->trust_epoch);
}

static int compare_origins(const void *a, const void *b)
{
    const struct origin_row *x = ((const struct row_ref *)a)->row, *y = ((const struct row_ref *)b)->row;
    int order = strncmp(x->host, y->host, sizeof(x->host));

    order = order != 0 ? order : (int)x->port - (int)y->port;
    order = order != 0 ? order : (int)x->https - (int)y->https;
    return order != 0 ? order : strncmp(x->scope, y->scope, sizeof(x->scope));
}

/* What a core has of an origin, added to what others have. */
static void add_origin(struct origin_row *sum, const struct origin_row *row)
{
    sum->connections += row->connections;
    sum->idle += row->idle;
    sum->waiting += row->waiting;
    sum->requests += row->requests;
    sum->failures += row->failures;
    if (sum->last_error[0] == '\0')
        memcpy(sum->last_error, row->last_error, sizeof(sum->last_error));
}

/* refs[0..n): one thing, as n cores have it. */
static json_t *merged(enum command_kind kind, const struct row_ref *refs, size_t n)
{
    json_t *cores = json_array(), *out;

    if (kind == COMMAND_ORIGINS) {
        struct origin_row sum;

        memcpy(&sum, refs[0].row, sizeof(sum));
        for (size_t i = 1; i < n; i++)
            add_origin(&sum, refs[i].row);
        out = row_json(kind, &sum);
    } else {
        out = row_json(kind, refs[0].row);
    }
    for (size_t i = 0; i < n; i++)
        json_array_append_new(cores, number(refs[i].core));
    json_object_set_new(out, "cores", cores);
    return out;
}

static void add_merged_rows(enum command_kind kind, const struct fleet_rows *rows, json_t *array)
{
    int (*compare)(const void *, const void *) = kind == COMMAND_ORIGINS ? compare_origins : compare_verdicts;
    struct row_ref *refs = memory_alloc(rows->count * sizeof(*refs));
    size_t begin = 0;

    for (size_t i = 0; i < rows->count; i++)
        refs[i] = (struct row_ref){(const char *)rows->rows + i * fleet_row_size(kind), rows->cores[i]};
    qsort(refs, rows->count, sizeof(*refs), compare);
    for (size_t end = 1; end <= rows->count; end++)
        if (end == rows->count || compare(&refs[begin], &refs[end]) != 0) {
            json_array_append_new(array, merged(kind, refs + begin, end - begin));
            begin = end;
        }
    free(refs);
}

json_t *view_rows(enum command_kind kind, const struct fleet_rows *rows)
{
    json_t *array = json_array(), *out = json_object();

    if (kind == COMMAND_ORIGINS || kind == COMMAND_VERDICTS)
        add_merged_rows(kind, rows, array);
    else
        for (size_t i = 0; i < rows->count; i++)
            json_array_append_new(array, row_json(kind, (const char *)rows->rows + i * fleet_row_size(kind)));
    json_object_set_new(out, rows_name(kind), array);
    json_object_set_new(out, "more", json_boolean(rows->more));
    return out;
}

/* --- counters ----------------------------------------------------------------------------------------------------------------------- */

struct counter_name {
    const char *name, *help;
};

static const struct counter_name proxy_names[] = {
#define COUNTER(name, help) {#name, help},
#include "assay/counters.def"
#undef COUNTER
};
static const struct counter_name tcp_names[] = {
#define TCP_COUNTER(name, help) {#name, help},
#include "tcp/counters.def"
#undef TCP_COUNTER
};
static const struct counter_name net_names[] = {
#define NET_COUNTER(name, help) {#name, help},
#include "net/counters.def"
#undef NET_COUNTER
};
static const struct counter_name nic_names[] = {
#define NIC_COUNTER(name, help) {#name, help},
#include "net/nic_counters.def"
#undef NIC_COUNTER
};
/* What the driver or the NIC counts, all queues together: struct nic_stats. */
static const struct counter_name device_names[] = {
    {"rx_packets", "frames received"},
    {"rx_bytes", "bytes received"},
    {"drop_rx_missed", "frames dropped by the device: the receive ring was full"},
    {"drop_rx_errors", "frames dropped by the device: damaged"},
    {"drop_rx_no_mbuf", "frames dropped by the driver: the packet pool was empty"},
    {"tx_packets", "frames sent"},
    {"tx_bytes", "bytes sent"},
    {"drop_tx_errors", "frames not sent: the device refused them"},
};
static const struct counter_name dispatch_names[] = {
#define DISPATCH_COUNTER(name, help) {#name, help},
#include "net/dispatch_counters.def"
#undef DISPATCH_COUNTER
};
static const struct counter_name verdict_names[] = {
    {"hits", "verdicts found"},
    {"misses", "verdicts not found"},
    {"inserts", "verdicts remembered"},
    {"evictions", "verdicts forgotten for room"},
    {"negative_hits", "failed verdicts found"},
    {"epoch_flushes", "times the trust epoch moved"},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static_assert(COUNT_OF(proxy_names) * 8 == sizeof(struct assay_counters), "counters are words");
static_assert(COUNT_OF(tcp_names) * 8 == sizeof(struct tcp_counters), "counters are words");
static_assert(COUNT_OF(net_names) * 8 == sizeof(struct net_counters), "counters are words");
static_assert(COUNT_OF(nic_names) * 8 == sizeof(struct nic_counters), "counters are words");
static_assert(COUNT_OF(device_names) * 8 == sizeof(struct nic_stats), "counters are words");
static_assert(COUNT_OF(dispatch_names) * 8 == sizeof(struct dispatch_counters), "counters are words");
static_assert(COUNT_OF(verdict_names) * 8 == sizeof(struct x509_verdict_stats), "counters are words");

/* Adds the words of a core to the numbers of an object; makes them where they are not there yet. */
static void add_words(json_t *object, const struct counter_name *names, size_t count, const void *words)
{
    for (size_t i = 0; i < count && words != NULL; i++) {
        uint64_t value = __atomic_load_n((const uint64_t *)words + i, __ATOMIC_RELAXED);
        json_t *old = json_object_get(object, names[i].name);

        json_object_set_new(object, names[i].name, number(value + (uint64_t)json_integer_value(old)));
    }
}

static json_t *group(json_t *object, const char *name)
{
    json_t *out = json_object_get(object, name);

    if (out == NULL) {
        out = json_object();
        json_object_set_new(object, name, out);
    }
    return out;
}

static void add_core(json_t *object, const struct core *core)
{
    struct core_stats stats;

    core_get_stats(core, &stats);
    add_words(group(object, "proxy"), proxy_names, COUNT_OF(proxy_names), stats.proxy);
    add_words(group(object, "tcp"), tcp_names, COUNT_OF(tcp_names), stats.tcp);
    add_words(group(object, "net"), net_names, COUNT_OF(net_names), stats.net);
    if (stats.dispatch != NULL)
        add_words(group(object, "dispatch"), dispatch_names, COUNT_OF(dispatch_names), stats.dispatch);
    add_words(group(object, "verdicts"), verdict_names, COUNT_OF(verdict_names), stats.verdicts);
    if (stats.port != NULL)
        add_words(group(object, "port"), nic_names, COUNT_OF(nic_names), &stats.port->counters);
    if (stats.exception != NULL)
        add_words(group(object, "exception"), nic_names, COUNT_OF(nic_names), &stats.exception->counters);
}

/* Not of a core: a device has one count for all its queues. The port may be several devices (daemon/port.h). */
static void add_device(json_t *object, const struct fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->count; i++) {
        struct core_stats stats;
        struct nic_stats device;

        core_get_stats(fleet->cores[i], &stats);
        if (stats.port != NULL && stats.port->queue == 0 && nic_get_stats(stats.port, &device) == ASSAY_OK)
            add_words(group(object, "device"), device_names, COUNT_OF(device_names), &device);
    }
}

static json_t *help_of(const struct counter_name *names, size_t count)
{
    json_t *out = json_object();

    for (size_t i = 0; i < count; i++)
        json_object_set_new(out, names[i].name, json_string(names[i].help));
    return out;
}

json_t *view_stats(const struct fleet *fleet, bool help)
{
    json_t *out = json_object(), *total = json_object(), *cores = json_array();

    for (uint32_t i = 0; i < fleet->count; i++) {
        json_t *one = json_object();

        add_core(one, fleet->cores[i]);
        add_core(total, fleet->cores[i]);
        json_array_append_new(cores, one);
    }
    add_device(total, fleet);
    json_object_set_new(out, "total", total);
    json_object_set_new(out, "cores", cores);
    if (help) {
        json_t *texts = json_object();

        json_object_set_new(texts, "proxy", help_of(proxy_names, COUNT_OF(proxy_names)));
        json_object_set_new(texts, "tcp", help_of(tcp_names, COUNT_OF(tcp_names)));
        json_object_set_new(texts, "net", help_of(net_names, COUNT_OF(net_names)));
        json_object_set_new(texts, "port", help_of(nic_names, COUNT_OF(nic_names)));
        json_object_set_new(texts, "exception", help_of(nic_names, COUNT_OF(nic_names)));
        json_object_set_new(texts, "device", help_of(device_names, COUNT_OF(device_names)));
        json_object_set_new(texts, "dispatch", help_of(dispatch_names, COUNT_OF(dispatch_names)));
        json_object_set_new(texts, "verdicts", help_of(verdict_names, COUNT_OF(verdict_names)));
        json_object_set_new(out, "help", texts);
    }
    return out;
}
