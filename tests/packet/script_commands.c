/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a script has the application do, and what it says of it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_mbuf.h>

#include "base/address.h"
#include "tcp/counters.h"
#include "script_private.h"

void command_write(struct script *s)
{
    uint32_t len = script_number(s), taken;
    uint8_t *bytes = malloc(len + 1);

    for (uint32_t i = 0; i < len; i++)
        bytes[i] = script_pattern(1 + s->flow->written + i);
    taken = (uint32_t)tcp_write(s->tcp, s->flow->handle, bytes, len);
    s->flow->written += taken;
    free(bytes);
    if (script_accept(s, "takes"))
        len = script_number(s);
    if (taken != len)
        script_fail(s, "tcp_write() takes %u", taken);
    script_output(s);
}

void command_read(struct script *s)
{
    uint32_t left = script_number(s);

    while (left > 0 && !s->failed) {
        struct slice piece = tcp_peek(s->tcp, s->flow->handle);

        if (piece.len == 0) {
            script_fail(s, "%u bytes less are readable", left);
            return;
        }
        if (piece.len > left)
            piece.len = left;
        for (size_t i = 0; i < piece.len; i++)
            if (piece.data[i] != script_pattern(1 + s->flow->read + (uint32_t)i))
                script_fail(s, "byte %u is not what was sent", s->flow->read + (uint32_t)i);
        s->flow->read += (uint32_t)piece.len;
        left -= (uint32_t)piece.len;
        tcp_consume(s->tcp, s->flow->handle, piece.len);
    }
    script_output(s);
}

void command_events(struct script *s)
{
    static const char *const names[] = {"ACCEPTED", "CONNECTED", "READABLE", "PEER_FIN", "WRITABLE", "SENT", "CLOSED"};
    static const char *const reasons[] = {"NONE",      "RESET",       "REFUSED",  "TIMEOUT",
                                          "KEEPALIVE", "UNREACHABLE", "NO_MEMORY"};
    uint32_t want = 0;

    while (s->at < s->word_count) {
        const char *word = script_next(s);
        bool known = strcmp(word, "-") == 0;

        for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (strcmp(word, names[i]) == 0) {
                want |= 1u << i;
                known = true;
            }
        if (strncmp(word, "reason=", 7) == 0) {
            known = true;
            if (strcmp(word + 7, reasons[s->flow->reason]) != 0)
                script_fail(s, "the reason is %s", reasons[s->flow->reason]);
        }
        if (!known)
            script_fail(s, "no event: \"%s\"", word);
    }
    if (want != s->flow->events) {
        script_fail(s, "other events than expected");
        for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (s->flow->events & 1u << i)
                printf("  came: %s\n", names[i]);
    }
    s->flow->events = 0;
}

void command_counter(struct script *s)
{
    static const struct {
        const char *name;
        size_t offset;
    } counters[] = {
#define TCP_COUNTER(name, help) {#name, offsetof(struct tcp_counters, name)},
#include "tcp/counters.def"
#undef TCP_COUNTER
    };
    const char *name = script_next(s);
    uint64_t want = script_number(s), got;

    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        if (strcmp(name, counters[i].name) != 0)
            continue;
        memcpy(&got, (const char *)tcp_get_counters(s->tcp) + counters[i].offset, sizeof(got));
        if (got != want)
            script_fail(s, "%s is %lu", name, got);
        return;
    }
    script_fail(s, "no counter: \"%s\"", name);
}

void command_info(struct script *s)
{
    static const struct {
        const char *name;
        size_t offset;
    } fields[] = {
        {"srtt_us", offsetof(struct tcp_info, srtt_us)},
        {"rttvar_us", offsetof(struct tcp_info, rttvar_us)},
        {"rto_us", offsetof(struct tcp_info, rto_us)},
        {"cwnd_bytes", offsetof(struct tcp_info, cwnd_bytes)},
        {"ssthresh_bytes", offsetof(struct tcp_info, ssthresh_bytes)},
        {"snd_wnd_bytes", offsetof(struct tcp_info, snd_wnd_bytes)},
        {"rcv_wnd_bytes", offsetof(struct tcp_info, rcv_wnd_bytes)},
        {"mss", offsetof(struct tcp_info, mss)},
        {"mtu", offsetof(struct tcp_info, mtu)},
    };
    const char *name = script_next(s);
    uint32_t want = script_number(s), most = s->at < s->word_count ? script_number(s) : want, got;
    struct tcp_info info;

    if (tcp_get_info(s->tcp, s->flow->handle, &info)) {
        script_fail(s, "the handle is stale");
        return;
    }
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(name, fields[i].name) != 0)
            continue;
        memcpy(&got, (const char *)&info + fields[i].offset, sizeof(got));
        if (got < want || got > most)
            script_fail(s, "%s is %u", name, got);
        return;
    }
    script_fail(s, "no field: \"%s\"", name);
}

void command_state(struct script *s)
{
    const char *want = script_next(s);
    struct tcp_info info;
    const char *got = tcp_get_info(s->tcp, s->flow->handle, &info) ? "GONE" : info.state;

    if (strcmp(got, want) != 0)
        script_fail(s, "the state is %s", got);
}

void command_connect(struct script *s)
{
    uint16_t port = s->at < s->word_count ? (uint16_t)script_number(s) : 0;
    struct tcp_info info;

    script_start(s);
    memset(s->flow, 0, sizeof(*s->flow));
    s->flow->active = true;
    s->result =
        tcp_connect(s->tcp, &s->us, port, &s->peer, 443, (uint64_t)(s->flow - s->flows), s->now_us, &s->flow->handle);
    if (s->result == ASSAY_OK && tcp_get_info(s->tcp, s->flow->handle, &info) == ASSAY_OK) {
        /* A port used again is that of the newest connection. */
        for (uint32_t i = 0; i < FLOWS; i++)
            if (s->flows[i].active && s->flows[i].local_port == info.local_port)
                s->flows[i].active = false;
        s->flow->active = true;
        s->flow->local_port = info.local_port;
    }
    script_output(s);
}

void command_icmp(struct script *s)
{
    struct tcp_event events[8];
    struct net_icmp_error error = {.local = s->us,
                                   .remote = s->peer,
                                   .local_port = s->flow->active ? s->flow->local_port : 443,
                                   .remote_port = s->flow->active ? 443 : s->flow->peer_port};

    error.type = (uint8_t)script_number(s);
    error.code = (uint8_t)script_number(s);
    error.sequence = s->flow->iss + script_number(s);
    error.kind = error.type == 3 && error.code == 4 ? NET_ERROR_TOO_BIG
                 : error.type == 3                  ? NET_ERROR_HARD
                                                    : NET_ERROR_SOFT;
    if (script_accept(s, "mtu"))
        error.mtu = (uint16_t)script_number(s);
    script_take_events(s, events, tcp_icmp_error(s->tcp, &error, s->now_us, events, 8));
    script_output(s);
}

void command_set(struct script *s)
{
    const struct {
        const char *name;
        void *field;
        uint32_t size, scale;
    } keys[] = {
#define KEY(field, scale) {#field, &s->config.field, sizeof(s->config.field), scale}
        KEY(connections_max, 1),
        KEY(time_wait_max, 1),
        KEY(receive_buffer_bytes, 1),
        KEY(send_buffer_bytes, 1),
        KEY(mbufs_max_per_connection, 1),
        KEY(mtu, 1),
        KEY(path_mtu_min, 1),
        KEY(tso_bytes_max, 1),
        KEY(port_min, 1),
        KEY(port_max, 1),
        KEY(syn_backlog_max, 1),
        KEY(accept_backlog_max, 1),
        KEY(rto_min_us, 1000),
        KEY(rto_max_us, 1000),
        KEY(rto_initial_us, 1000),
        KEY(syn_retries, 1),
        KEY(retries, 1),
        KEY(delayed_ack_us, 1000),
        KEY(keepalive_idle_us, 1000),
        KEY(keepalive_interval_us, 1000),
        KEY(keepalive_probes, 1),
        KEY(time_wait_us, 1000),
        KEY(fin_wait_us, 1000),
        KEY(timestamps, 1),
        KEY(sack, 1),
        KEY(window_scaling, 1),
        KEY(congestion, 1),
        KEY(ecn, 1),
        KEY(syn_cookies, 1),
        KEY(half_open_us, 1000),
        KEY(source_half_open_max, 1),
        KEY(source_connections_max, 1),
        KEY(challenge_acks_max, 1),
#undef KEY
    };
    const char *name = script_next(s);
    uint32_t value = script_number(s);

    if (s->tcp)
        script_fail(s, "set comes first");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(name, keys[i].name) != 0)
            continue;
        value *= keys[i].scale;
        /* The machine is little-endian: the low bytes come first. */
        memcpy(keys[i].field, &value, keys[i].size);
        return;
    }
    script_fail(s, "no key: \"%s\"", name);
}

static void expect(struct script *s, const char *what, uint32_t got)
{
    uint32_t want = script_number(s);

    if (got != want)
        script_fail(s, "%s is %u", what, got);
}

void command_result(struct script *s)
{
    const char *want = script_next(s);

    if (strcmp(want, assay_error_name(s->result)) != 0)
        script_fail(s, "the result is %s", assay_error_name(s->result));
}

void command_after(struct script *s)
{
    uint32_t min_ms = script_number(s), max_ms = script_number(s);

    if (!script_accept(s, "out"))
        script_fail(s, "after MIN-MAX out ... is expected");
    command_out(s, min_ms * UINT64_C(1000), max_ms * UINT64_C(1000) + STEP_US, true);
}

void command_burst(struct script *s)
{
    uint32_t seq = script_number(s), len = script_number(s), mss = script_number(s);
    bool push = script_accept(s, "push"), ect = script_accept(s, "ect");

    while (len > 0 && !s->failed) {
        uint32_t piece = len < mss ? len : mss;
        struct rig_segment got;

        len -= piece;
        if (script_take(s, &got) && (got.flags != (TCP_FLAG_ACK | (push && len == 0 ? TCP_FLAG_PSH : 0)) ||
                                     got.seq - s->flow->iss != seq || got.payload_len != piece))
            script_fail(s, "byte %u of the burst comes as %d+%u", seq, (int)(got.seq - s->flow->iss), got.payload_len);
        if (!s->failed && s->queue[s->taken - 1].ecn != (ect ? NET_ECN_ECT0 : NET_ECN_NONE))
            script_fail(s, "byte %u of the burst comes with ECN bits %u", seq, s->queue[s->taken - 1].ecn);
        for (uint32_t i = 0; i < got.payload_len && !s->failed; i++)
            if (got.payload[i] != script_pattern(seq + i))
                script_fail(s, "byte %u of the payload is not what was written there", seq + i);
        seq += piece;
    }
}

/* The number of the SYN or SYN-ACK that an instance of this configuration sends now. */
static uint32_t probe_iss(struct script *s, bool active)
{
    struct rig_segment syn = {
        .source_port = s->flow->peer_port, .destination_port = 443, .seq = s->peer_isn, .flags = TCP_FLAG_SYN};
    struct net_segment packet;
    struct tcp_handle handle;
    struct tcp_event event;
    struct net_tx tx = {0};
    uint8_t bytes[128];
    uint32_t iss = 0;

    script_start(s);
    if (active) {
        if (tcp_connect(s->tcp, &s->us, 0, &s->peer, 443, 0, s->now_us, &handle))
            script_fail(s, "tcp_connect() refuses");
    } else {
        if (tcp_listen(s->tcp, &s->us, 443, 0))
            script_fail(s, "tcp_listen() refuses");
        packet = rig_receive(s->pools, &s->peer, &s->us, &syn, 1);
        tcp_input(s->tcp, &packet, 1, s->now_us, &event, 1);
    }
    tcp_output(s->tcp, s->now_us, &tx);
    if (tx.count == 1 && rig_linearize(tx.datagrams[0].mbuf, bytes, sizeof(bytes)) >= TCP_HEADER_MIN)
        iss = (uint32_t)bytes[4] << 24 | (uint32_t)bytes[5] << 16 | (uint32_t)bytes[6] << 8 | bytes[7];
    else
        script_fail(s, "no SYN goes out");
    for (uint32_t i = 0; i < tx.count; i++)
        rte_pktmbuf_free(tx.datagrams[i].mbuf);
    tcp_destroy(s->tcp);
    s->tcp = NULL;
    return iss;
}

/* RFC 6528 §3: the number grows by one every 4 microseconds. */
void command_isn(struct script *s)
{
    const char *side = script_next(s);
    uint32_t want = script_number(s);

    if (s->tcp) {
        script_fail(s, "isn comes first");
    } else if (strcmp(side, "peer") == 0) {
        s->peer_isn = want;
    } else {
        uint32_t later = want - probe_iss(s, script_accept(s, "active"));

        s->now_us = s->mark_us = s->start_us = s->now_us + UINT64_C(4) * later;
    }
}

void command_simple(struct script *s, const char *word)
{
    struct tcp_handle handle = s->flow->handle;

    if (strcmp(word, "none") == 0) {
        if (s->taken < s->queued) {
            struct tcp_options options;
            struct rig_segment got;

            script_fail(s, "%u segments have gone out", s->queued - s->taken);
            if (rig_parse(s->queue[s->taken].bytes, s->queue[s->taken].len, &got, &options))
                script_print_segment(s, &got, &options);
        }
    } else if (strcmp(word, "wait") == 0) {
        script_wait_us(s, script_number(s) * UINT64_C(1000));
    } else if (strcmp(word, "hold") == 0) {
        s->holding = true;
    } else if (strcmp(word, "release") == 0) {
        s->holding = false;
        script_deliver(s);
    } else if (strcmp(word, "shutdown") == 0) {
        tcp_shutdown(s->tcp, handle);
    } else if (strcmp(word, "close") == 0) {
        tcp_close(s->tcp, handle);
    } else if (strcmp(word, "abort") == 0) {
        tcp_abort(s->tcp, handle);
    } else if (strcmp(word, "accepted") == 0) {
        tcp_accepted(s->tcp, handle);
    } else if (strcmp(word, "mark_ts") == 0) {
        s->flow->ts_mark = s->flow->ts_last;
    } else if (strcmp(word, "iss") == 0) {
        expect(s, word, s->flow->iss);
    } else if (strcmp(word, "readable") == 0) {
        expect(s, word, (uint32_t)tcp_readable(s->tcp, handle));
    } else if (strcmp(word, "at_end") == 0) {
        expect(s, word, tcp_at_end(s->tcp, handle));
    } else if (strcmp(word, "unacked") == 0) {
        expect(s, word, (uint32_t)tcp_unacked(s->tcp, handle));
    } else if (strcmp(word, "room") == 0) {
        uint32_t wanted = script_number(s);

        expect(s, word, (uint32_t)tcp_room(s->tcp, handle, wanted));
    } else {
        script_fail(s, "no command: \"%s\"", word);
    }
    script_output(s);
}
