/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records for the log rings: copied, never waited for (DESIGN 10). */
#include "assay/log_record.h"
#include "base/byte_ring.h"
#include "proxy/internal.h"

static_assert(sizeof(((struct log_line *)0)->strings) / sizeof(struct slice) == LOG_STRINGS,
              "a line has a record's strings");

/* Denials and failures have a ring of their own: a flood of ordinary lines cannot push them out. */
static bool log_is_alarm(uint8_t kind)
{
    switch (kind) {
    case LOG_ACCESS_DENIED:
    case LOG_VERIFY_FAILED:
    case LOG_NAME_MISMATCH:
    case LOG_SSL_FAILED:
    case LOG_ORIGIN_FAILED:
    case LOG_WEAK_CERTIFICATE: return true;
    default: return false;
    }
}

void proxy_log(struct proxy *p, const struct log_line *line)
{
    struct byte_ring *ring = log_is_alarm(line->kind) ? p->config.alarm_log : p->config.log;
    struct log_record *record;
    struct slice cut[LOG_STRINGS];
    size_t total = sizeof(*record);
    bool truncated = false;
    uint8_t *at;

    if (ring == NULL)
        return;
    for (size_t i = 0; i < LOG_STRINGS; i++) {
        cut[i] = slice_head(line->strings[i], LOG_STRING_MAX);
        truncated |= cut[i].len < line->strings[i].len;
        total += cut[i].len;
    }
    /* A nanosecond apart within one turn: control merges the two rings by it, and lines keep their order. */
    p->log_ns = p->wall_ns > p->log_ns ? p->wall_ns : p->log_ns + 1;
    record = byte_ring_reserve(ring, total);
    if (record == NULL) {
        p->counters.log_dropped++;
        return;
    }
    *record = (struct log_record){.kind = line->kind,
                                  .action = line->action,
                                  .flags = truncated ? LOG_FLAG_TRUNCATED : 0,
                                  .core = (uint8_t)p->config.core,
                                  .depth = line->depth,
                                  .wall_ns = p->log_ns,
                                  .transaction = line->transaction,
                                  .peer_port = line->peer_port,
                                  .status = line->status};
    if (line->peer != NULL)
        record->peer = *line->peer;
    at = (uint8_t *)(record + 1);
    for (size_t i = 0; i < LOG_STRINGS; i++) {
        record->string_length[i] = (uint16_t)cut[i].len;
        if (cut[i].len > 0)
            memcpy(at, cut[i].data, cut[i].len);
        at += cut[i].len;
    }
    p->counters.log_truncated += truncated;
    byte_ring_commit(ring, total);
}
