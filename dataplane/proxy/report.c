/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What control asks to see of a running core: rows of verdicts, origins, connections (assay/command.h). */
#include <stdio.h>

#include "base/address.h"
#include "proxy/internal.h"
#include "tcp/walk.h"

/* A slot costs a few nanoseconds, with a connection in it about a hundred: together some 50 us at the most. */
#define REPORT_SLOTS_PER_TURN 512

/* The next free row of the command's array, cleared; NULL: full. */
static void *report_row(struct core_command *command, size_t size)
{
    void *row;

    if (command->row_count == command->rows_max) {
        command->more = true;
        return NULL;
    }
    row = (uint8_t *)command->rows + size * command->row_count++;
    memset(row, 0, size);
    return row;
}

static void report_verdict(void *arg, const uint8_t leaf_sha256[32], const struct x509_identity *identity,
                           uint32_t policy_id, uint64_t trust_epoch, const struct x509_verdict *verdict)
{
    struct verdict_row *row = report_row(arg, sizeof(*row));
    enum x509_reason reason;

    if (row == NULL)
        return;
    reason = verdict->chain_reason != X509_REASON_OK ? verdict->chain_reason : verdict->name_reason;
    memcpy(row->leaf_sha256, leaf_sha256, sizeof(row->leaf_sha256));
    x509_identity_format(identity, row->identity);
    row->policy_id = policy_id;
    row->trust_epoch = trust_epoch;
    snprintf(row->reason, sizeof(row->reason), "%s", x509_reason_text(reason));
    row->depth = verdict->depth;
    row->warnings = verdict->warnings;
    row->valid_until_s = verdict->valid_until_s;
}

static void report_origins(struct proxy *p, struct core_command *command)
{
    for (struct proxy_link *at = p->recent_origins.next; at != &p->recent_origins; at = at->next) {
        const struct origin *o = list_entry(at, struct origin, recent);
        struct origin_row *row = report_row(command, sizeof(*row));

        if (row == NULL)
            return;
        snprintf(row->host, sizeof(row->host), "%s", o->host);
        row->port = o->port;
        row->https = o->https;
        snprintf(row->scope, sizeof(row->scope), "%s", o->scope_name);
        row->address = o->address;
        row->connections = o->connections;
        row->idle = o->idle_count;
        row->waiting = o->queue_count;
        row->requests = o->requests;
        row->failures = o->failures;
        snprintf(row->last_error, sizeof(row->last_error), "%s", o->last_error);
    }
}

static const char *report_client_phase(enum client_phase phase)
{
    switch (phase) {
    case CLIENT_HELLO: return "hello";
    case CLIENT_HANDSHAKE: return "handshake";
    case CLIENT_HEAD: return "head";
    case CLIENT_QUEUED: return "queued";
    case CLIENT_CONNECT: return "connecting";
    case CLIENT_EXCHANGE: return "exchange";
    case CLIENT_LINGER: return "linger";
    case CLIENT_FREE: break;
    }
    return "free";
}

static const char *report_upstream_phase(enum upstream_phase phase)
{
    switch (phase) {
    case UPSTREAM_CONNECT: return "connecting";
    case UPSTREAM_HANDSHAKE: return "handshake";
    case UPSTREAM_BUSY: return "busy";
    case UPSTREAM_IDLE: return "idle";
    case UPSTREAM_FREE: break;
    }
    return "free";
}

static bool report_same(struct tcp_handle a, struct tcp_handle b)
{
    return a.index == b.index && a.generation == b.generation;
}

/* What the exchange does with the connection; "" where it has nothing (any more) to do with it. */
static const char *report_phase(struct proxy *p, const struct tcp_row *from)
{
    uint32_t index = (uint32_t)from->user;
    const struct upstream *u;
    const struct client *c;

    if (from->orphan)
        return "";
    switch ((enum proxy_object)(from->user >> 56)) {
    case PROXY_CLIENT:
        c = pool_at(p->clients, index);
        if (c != NULL && c->phase != CLIENT_FREE && report_same(c->tcp, from->handle))
            return report_client_phase((enum client_phase)c->phase);
        break;
    case PROXY_UPSTREAM:
        u = pool_at(p->upstreams, index);
        if (u != NULL && u->phase != UPSTREAM_FREE && report_same(u->tcp, from->handle))
            return report_upstream_phase((enum upstream_phase)u->phase);
        break;
    case PROXY_LISTENER: break;
    }
    return "";
}

static bool report_wanted(const struct connection_filter *filter, const struct tcp_row *row)
{
    if (filter->side != CONNECTION_SIDE_ANY && row->passive != (filter->side == CONNECTION_SIDE_CLIENT))
        return false;
    if (filter->state[0] != '\0' && strcmp(filter->state, row->state) != 0)
        return false;
    if (filter->port != 0 && filter->port != row->local_port && filter->port != row->remote_port)
        return false;
    return !filter->by_prefix || prefix_contains(&filter->prefix, &row->remote) ||
           prefix_contains(&filter->prefix, &row->local);
}

static void report_connection(struct proxy *p, const struct tcp_row *from, struct connection_row *row)
{
    row->local = from->local;
    row->local_port = from->local_port;
    row->peer = from->remote;
    row->peer_port = from->remote_port;
    row->core = p->config.core;
    row->origin_side = !from->passive;
    row->orphan = from->orphan;
    row->ecn = from->ecn;
    snprintf(row->state, sizeof(row->state), "%s", from->state);
    snprintf(row->phase, sizeof(row->phase), "%s", report_phase(p, from));
    row->srtt_us = from->srtt_us;
    row->rto_us = from->rto_us;
    row->cwnd_bytes = from->cwnd_bytes;
    row->ssthresh_bytes = from->ssthresh_bytes;
    row->mss = from->mss;
    row->send_queue_bytes = from->send_bytes;
    row->unsent_bytes = from->unsent_bytes;
    row->receive_queue_bytes = from->receive_bytes;
    row->retransmits = from->retransmits;
    row->bytes_in = from->bytes_in;
    row->bytes_out = from->bytes_out;
    row->age_us = from->age_us;
    row->idle_us = from->idle_us;
}

/* A slice of the table; true when that was the last, or the rows are full. */
static bool report_connections(struct proxy *p, struct core_command *command, uint64_t now_us)
{
    uint32_t slots = tcp_walk_slots(p->tcp), end = command->next + REPORT_SLOTS_PER_TURN;
    struct connection_row *row;
    struct tcp_row from;

    while (tcp_walk(p->tcp, &command->next, end, now_us, &from)) {
        if (!report_wanted(&command->connections, &from))
            continue;
        row = report_row(command, sizeof(*row));
        if (row == NULL)
            return true;
        report_connection(p, &from, row);
    }
    return command->next >= slots;
}

bool proxy_command(struct proxy *p, struct core_command *command, uint64_t now_us)
{
    switch (command->kind) {
    case COMMAND_VERDICTS: x509_verdict_cache_each(p->verdicts, report_verdict, command); break;
    case COMMAND_ORIGINS: report_origins(p, command); break;
    case COMMAND_CONNECTIONS: return report_connections(p, command, now_us);
    case COMMAND_CAPTURE:
    case COMMAND_ANNOUNCE:
    case COMMAND_DRAIN:
    case COMMAND_STOP: break;
    }
    return true;
}
