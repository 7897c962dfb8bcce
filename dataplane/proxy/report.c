/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What control asks to see of a running core: rows of verdicts, origins, connections (assay/command.h). */
#include <stdio.h>

#include "proxy/internal.h"

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

static bool report_connection(struct proxy *p, struct core_command *command, struct tcp_handle handle, bool origin_side,
                              const char *phase)
{
    struct connection_row *row;
    struct tcp_info info;

    if (tcp_get_info(p->tcp, handle, &info) != ASSAY_OK)
        return true;
    row = report_row(command, sizeof(*row));
    if (row == NULL)
        return false;
    row->peer = info.remote;
    row->peer_port = info.remote_port;
    row->origin_side = origin_side;
    snprintf(row->state, sizeof(row->state), "%s", info.state);
    snprintf(row->phase, sizeof(row->phase), "%s", phase);
    row->srtt_us = info.srtt_us;
    row->cwnd_bytes = info.cwnd_bytes;
    row->retransmits = info.retransmits;
    row->bytes_in = info.bytes_in;
    row->bytes_out = info.bytes_out;
    return true;
}

static void report_connections(struct proxy *p, struct core_command *command)
{
    for (uint32_t i = 0; i < pool_count(p->clients); i++) {
        const struct client *c = pool_at(p->clients, i);

        if (c == NULL)
            break;
        if (c->phase != CLIENT_FREE &&
            !report_connection(p, command, c->tcp, false, report_client_phase((enum client_phase)c->phase)))
            return;
    }
    for (uint32_t i = 0; i < pool_count(p->upstreams); i++) {
        const struct upstream *u = pool_at(p->upstreams, i);

        if (u == NULL)
            break;
        if (u->phase != UPSTREAM_FREE &&
            !report_connection(p, command, u->tcp, true, report_upstream_phase((enum upstream_phase)u->phase)))
            return;
    }
}

void proxy_command(struct proxy *p, struct core_command *command)
{
    switch (command->kind) {
    case COMMAND_VERDICTS: x509_verdict_cache_each(p->verdicts, report_verdict, command); break;
    case COMMAND_ORIGINS: report_origins(p, command); break;
    case COMMAND_CONNECTIONS: report_connections(p, command); break;
    case COMMAND_DRAIN:
    case COMMAND_STOP: break;
    }
}
