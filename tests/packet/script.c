/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_mbuf.h>

#include "base/address.h"
#include "tcp/counters.h"

#define FLOWS     8
#define QUEUE_MAX 4096
#define WORDS_MAX 64
#define PEER_ISN  0x7fffff00u /* the peer's numbers pass 2^31 early on */
#define STEP_US   500

struct flow {
    struct tcp_handle handle;
    uint16_t local_port, peer_port;
    uint32_t iss; /* ours */
    bool iss_known, active;
    uint32_t ts_last; /* the last timestamp we sent */
    uint32_t ts_mark; /* the one at "mark_ts" */
    uint32_t written, read;
    uint32_t events;
    enum tcp_reason reason;
};

struct captured {
    uint64_t at_us;
    uint32_t len;
    uint8_t bytes[1600];
};

struct script {
    const char *path;
    int line;
    bool failed, holding;
    struct tcp_config config;
    struct tcp *tcp;
    struct rig_pools *pools;
    uint64_t now_us, mark_us;
    struct assay_address us, peer;
    struct flow flows[FLOWS];
    struct flow *flow;
    struct captured *queue;
    uint32_t queued, taken;
    struct net_segment held[256];
    uint32_t held_count;
    enum assay_error result;
    char *words[WORDS_MAX];
    uint32_t word_count, at;
};

static void fail(struct script *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct script *s, const char *format, ...)
{
    va_list args;

    if (s->failed)
        return;
    s->failed = true;
    printf("%s:%d: ", s->path, s->line);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf(" (clock %lu us)\n", s->now_us - 1000000);
}

/* --- words ------------------------------------------------------------------------------------------------------------ */

static const char *peek(const struct script *s)
{
    return s->at < s->word_count ? s->words[s->at] : "";
}

static const char *next(struct script *s)
{
    return s->at < s->word_count ? s->words[s->at++] : "";
}

static bool accept(struct script *s, const char *word)
{
    if (strcmp(peek(s), word) != 0)
        return false;
    s->at++;
    return true;
}

static uint32_t number(struct script *s)
{
    const char *word = next(s);
    char *end;
    long value = strtol(word, &end, 0);

    if (end == word || *end)
        fail(s, "a number is expected, not \"%s\"", word);
    return (uint32_t)value;
}

/* --- the stack under test --------------------------------------------------------------------------------------------- */

static uint8_t pattern(uint32_t seq)
{
    return (uint8_t)(seq * 7 + (seq >> 8) * 3 + 13);
}

static void start(struct script *s)
{
    if (s->tcp)
        return;
    if (tcp_create(&s->config, s->pools->packet, s->pools->payload, s->pools->indirect, s->now_us, &s->tcp)) {
        fail(s, "tcp_create() refuses the configuration");
        exit(1);
    }
}

static struct flow *flow_of(struct script *s, uint16_t peer_port, uint16_t local_port)
{
    for (uint32_t i = 0; i < FLOWS; i++) {
        struct flow *flow = &s->flows[i];

        if (flow->active ? peer_port == 443 && (flow->local_port == 0 || flow->local_port == local_port)
                         : flow->peer_port == peer_port)
            return flow;
    }
    return s->flow;
}

static void take_events(struct script *s, const struct tcp_event *events, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct flow *flow = s->flow;
        struct tcp_info info;

        if (events[i].flags & TCP_EVENT_ACCEPTED) {
            if (tcp_get_info(s->tcp, events[i].handle, &info) == ASSAY_OK)
                flow = flow_of(s, info.remote_port, info.local_port);
            flow->handle = events[i].handle;
            if (tcp_set_user(s->tcp, flow->handle, (uint64_t)(flow - s->flows)))
                fail(s, "an accepted connection has no handle");
        } else {
            flow = &s->flows[events[i].user];
        }
        flow->events |= events[i].flags;
        if (events[i].flags & TCP_EVENT_CLOSED)
            flow->reason = events[i].reason;
    }
}

/* Lets everything out that may go now. */
static void output(struct script *s)
{
    bool more = true;

    while (more && !s->failed) {
        struct net_tx tx = {0};

        more = tcp_output(s->tcp, s->now_us, &tx);
        for (uint32_t i = 0; i < tx.count; i++) {
            struct captured *captured = &s->queue[s->queued];
            struct tcp_options options;
            struct rig_segment segment;

            captured->len = rig_linearize(tx.datagrams[i].mbuf, captured->bytes, sizeof(captured->bytes));
            captured->at_us = s->now_us;
            if (rte_pktmbuf_headroom(tx.datagrams[i].mbuf) < 128 || !address_equal(&tx.datagrams[i].src, &s->us) ||
                !address_equal(&tx.datagrams[i].dst, &s->peer))
                fail(s, "a segment without headroom or with wrong addresses");
            rte_pktmbuf_free(tx.datagrams[i].mbuf);
            if (!rig_parse(captured->bytes, captured->len, &segment, &options)) {
                fail(s, "a malformed segment goes out");
            } else if (segment.flags & TCP_FLAG_SYN) {
                struct flow *flow = flow_of(s, segment.destination_port, segment.source_port);

                flow->iss = segment.seq;
                flow->iss_known = true;
                flow->local_port = segment.source_port;
            }
            if (s->queued + 1 < QUEUE_MAX)
                s->queued++;
        }
    }
}

static void deliver(struct script *s)
{
    struct tcp_event events[64];

    take_events(s, events, tcp_input(s->tcp, s->held, s->held_count, s->now_us, events, 64));
    s->held_count = 0;
    output(s);
}

static void step(struct script *s, uint64_t until_us)
{
    struct tcp_event events[64];

    s->now_us = until_us;
    take_events(s, events, tcp_timers(s->tcp, s->now_us, events, 64));
    output(s);
}

static void wait_us(struct script *s, uint64_t us)
{
    uint64_t until_us = s->now_us + us;

    while (s->now_us < until_us && !s->failed) {
        uint64_t next_us = tcp_next_timer_us(s->tcp);

        if (next_us <= s->now_us)
            next_us = s->now_us + 1;
        step(s, next_us < until_us ? next_us : until_us);
    }
}

/* --- segments as text ------------------------------------------------------------------------------------------------- */

static const char flag_letters[] = "FSRPAU";

static uint8_t parse_flags(struct script *s)
{
    const char *word = next(s);
    uint8_t flags = 0;

    for (; *word && *word != '.'; word++) {
        const char *letter = strchr(flag_letters, *word);

        if (!letter)
            fail(s, "no flags: \"%s\"", word);
        else
            flags |= (uint8_t)(1u << (letter - flag_letters));
    }
    return flags;
}

struct line {
    uint8_t flags;
    uint32_t seq, len, ack, window, pieces;
    bool has_ack, has_window, has_options, has_hex;
    struct tcp_options options;
    bool echo_last, echo_mark, any_value, any_echo;
    uint8_t hex[TCP_OPTIONS_MAX];
    uint32_t hex_len;
};

static void parse_option(struct script *s, struct line *line)
{
    struct tcp_options *o = &line->options;

    if (accept(s, "mss")) {
        o->has_mss = true;
        o->mss = (uint16_t)number(s);
    } else if (accept(s, "wscale")) {
        o->has_window_scale = true;
        o->window_shift = (uint8_t)number(s);
    } else if (accept(s, "sackOK")) {
        o->sack_permitted = true;
    } else if (accept(s, "sack")) {
        struct tcp_sack_block *block = &o->sack[o->sack_count++];

        block->start = number(s);
        block->end = number(s);
    } else if (accept(s, "ts")) {
        o->has_timestamps = true;
        line->any_value = accept(s, "*");
        if (!line->any_value)
            o->ts_value = number(s);
        line->echo_last = accept(s, ".");
        line->echo_mark = accept(s, "^");
        line->any_echo = accept(s, "*");
        if (!line->echo_last && !line->echo_mark && !line->any_echo)
            o->ts_echo = number(s);
    } else if (accept(s, "hex")) {
        line->has_hex = true;
        while (s->at < s->word_count && strcmp(peek(s), ">") != 0 && line->hex_len < sizeof(line->hex))
            line->hex[line->hex_len++] = (uint8_t)strtoul(next(s), NULL, 16);
    } else {
        fail(s, "no option: \"%s\"", next(s));
    }
}

static struct line parse_line(struct script *s)
{
    struct line line = {.window = 65535, .pieces = 1};

    line.flags = parse_flags(s);
    line.seq = number(s);
    line.len = number(s);
    while (s->at < s->word_count && !s->failed) {
        if (accept(s, "ack")) {
            line.has_ack = true;
            line.ack = number(s);
        } else if (accept(s, "win")) {
            line.has_window = true;
            line.window = number(s);
        } else if (accept(s, "pieces")) {
            line.pieces = number(s);
        } else if (accept(s, "<")) {
            line.has_options = true;
            while (s->at < s->word_count && !accept(s, ">") && !s->failed)
                parse_option(s, &line);
        } else {
            fail(s, "what is \"%s\"?", next(s));
        }
    }
    return line;
}

static uint32_t write_options(const struct script *s, const struct line *line, uint8_t out[TCP_OPTIONS_MAX])
{
    struct tcp_options options = line->options;

    if (line->has_hex) {
        memcpy(out, line->hex, line->hex_len);
        return line->hex_len;
    }
    if (!line->has_options)
        return 0;
    if (line->echo_last)
        options.ts_echo = s->flow->ts_last;
    if (line->echo_mark)
        options.ts_echo = s->flow->ts_mark;
    for (uint32_t i = 0; i < options.sack_count; i++) {
        options.sack[i].start += s->flow->iss;
        options.sack[i].end += s->flow->iss;
    }
    if (!(line->flags & TCP_FLAG_SYN))
        return tcp_options_write(&options, out);
    if (!options.has_mss) {
        /* tcp_options_write_syn() always begins with the MSS: four bytes. */
        uint8_t whole[TCP_OPTIONS_MAX];
        uint32_t len = tcp_options_write_syn(&options, whole);

        memcpy(out, whole + 4, len - 4);
        return len - 4;
    }
    return tcp_options_write_syn(&options, out);
}

static void command_in(struct script *s)
{
    struct line line = parse_line(s);
    struct rig_segment segment = {.source_port = s->flow->active ? 443 : s->flow->peer_port,
                                  .destination_port = s->flow->active ? s->flow->local_port : 443,
                                  .seq = PEER_ISN + line.seq,
                                  .ack = line.has_ack ? s->flow->iss + line.ack : 0,
                                  .flags = line.flags,
                                  .window = (uint16_t)line.window,
                                  .payload_len = line.len};
    uint8_t payload[4096];

    start(s);
    if (line.len > sizeof(payload)) {
        fail(s, "at most %zu bytes in a segment", sizeof(payload));
        return;
    }
    for (uint32_t i = 0; i < line.len; i++)
        payload[i] = pattern(line.seq + i);
    segment.payload = payload;
    segment.options_len = (uint8_t)write_options(s, &line, segment.options);
    s->held[s->held_count++] = rig_receive(s->pools, &s->peer, &s->us, &segment, line.pieces);
    if (!s->holding || s->held_count == 256)
        deliver(s);
}

static void print_segment(const struct script *s, const struct rig_segment *segment, const struct tcp_options *options)
{
    const struct flow *flow = s->flow;

    printf("  came: ");
    for (uint32_t i = 0; i < 6; i++)
        if (segment->flags & 1u << i)
            printf("%c", flag_letters[i]);
    printf(" %d+%u", (int)(segment->seq - flow->iss), segment->payload_len);
    if (segment->flags & TCP_FLAG_ACK)
        printf(" ack %d", (int)(segment->ack - PEER_ISN));
    printf(" win %u <", segment->window);
    if (options->has_mss)
        printf(" mss %u", options->mss);
    if (options->sack_permitted)
        printf(" sackOK");
    if (options->has_timestamps)
        printf(" ts %u %u", options->ts_value, options->ts_echo);
    if (options->has_window_scale)
        printf(" wscale %u", options->window_shift);
    for (uint32_t i = 0; i < options->sack_count; i++)
        printf(" sack %d-%d", (int)(options->sack[i].start - PEER_ISN), (int)(options->sack[i].end - PEER_ISN));
    printf(" > to port %u\n", segment->destination_port);
}

static bool same_options(const struct script *s, const struct line *line, const struct tcp_options *got)
{
    const struct tcp_options *want = &line->options;

    if (want->has_mss != got->has_mss || (want->has_mss && want->mss != got->mss) ||
        want->sack_permitted != got->sack_permitted || want->has_window_scale != got->has_window_scale ||
        (want->has_window_scale && want->window_shift != got->window_shift) ||
        want->has_timestamps != got->has_timestamps || want->sack_count != got->sack_count)
        return false;
    if (want->has_timestamps && !line->any_echo && want->ts_echo != got->ts_echo)
        return false;
    for (uint32_t i = 0; i < want->sack_count; i++)
        if (want->sack[i].start + PEER_ISN != got->sack[i].start || want->sack[i].end + PEER_ISN != got->sack[i].end)
            return false;
    return true;
}

static void command_out(struct script *s, uint64_t min_us, uint64_t max_us, bool timed)
{
    struct line line = parse_line(s);
    uint16_t peer_port = s->flow->active ? 443 : s->flow->peer_port;
    const struct captured *captured;
    struct tcp_options options;
    struct rig_segment got;

    start(s);
    while (timed && s->taken == s->queued && s->now_us < s->mark_us + max_us)
        step(s, s->now_us + STEP_US);
    if (s->taken == s->queued) {
        fail(s, "nothing goes out");
        return;
    }
    captured = &s->queue[s->taken++];
    if (!rig_parse(captured->bytes, captured->len, &got, &options))
        return;
    /* The flow's numbers start with its own SYN, also where a RST is all it ever sends. */
    if (!s->flow->iss_known)
        s->flow->iss = 0;
    if (options.has_timestamps)
        s->flow->ts_last = options.ts_value;
    if (got.destination_port != peer_port || got.flags != line.flags || got.seq - s->flow->iss != line.seq ||
        got.payload_len != line.len || (line.has_ack && got.ack - PEER_ISN != line.ack) ||
        (line.has_window && got.window != line.window) || (line.has_options && !same_options(s, &line, &options))) {
        fail(s, "another segment than expected");
        print_segment(s, &got, &options);
    }
    for (uint32_t i = 0; i < got.payload_len; i++)
        if (got.payload[i] != pattern(line.seq + i))
            fail(s, "byte %u of the payload is not what was written there", i);
    if (timed && (captured->at_us < s->mark_us + min_us || captured->at_us > s->mark_us + max_us))
        fail(s, "it came after %lu us", captured->at_us - s->mark_us);
}

/* --- the application's commands --------------------------------------------------------------------------------------- */

static void command_write(struct script *s)
{
    uint32_t len = number(s), taken;
    uint8_t *bytes = malloc(len + 1);

    for (uint32_t i = 0; i < len; i++)
        bytes[i] = pattern(1 + s->flow->written + i);
    taken = (uint32_t)tcp_write(s->tcp, s->flow->handle, bytes, len);
    s->flow->written += taken;
    free(bytes);
    if (accept(s, "takes"))
        len = number(s);
    if (taken != len)
        fail(s, "tcp_write() takes %u", taken);
    output(s);
}

static void command_read(struct script *s)
{
    uint32_t left = number(s);

    while (left > 0 && !s->failed) {
        struct slice piece = tcp_peek(s->tcp, s->flow->handle);

        if (piece.len == 0) {
            fail(s, "%u bytes less are readable", left);
            return;
        }
        if (piece.len > left)
            piece.len = left;
        for (size_t i = 0; i < piece.len; i++)
            if (piece.data[i] != pattern(1 + s->flow->read + (uint32_t)i))
                fail(s, "byte %u is not what was sent", s->flow->read + (uint32_t)i);
        s->flow->read += (uint32_t)piece.len;
        left -= (uint32_t)piece.len;
        tcp_consume(s->tcp, s->flow->handle, piece.len);
    }
    output(s);
}

static void command_events(struct script *s)
{
    static const char *const names[] = {"ACCEPTED", "CONNECTED", "READABLE", "PEER_FIN", "WRITABLE", "SENT", "CLOSED"};
    static const char *const reasons[] = {"NONE",      "RESET",       "REFUSED",  "TIMEOUT",
                                          "KEEPALIVE", "UNREACHABLE", "NO_MEMORY"};
    uint32_t want = 0;

    while (s->at < s->word_count) {
        const char *word = next(s);
        bool known = strcmp(word, "-") == 0;

        for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (strcmp(word, names[i]) == 0) {
                want |= 1u << i;
                known = true;
            }
        if (strncmp(word, "reason=", 7) == 0) {
            known = true;
            if (strcmp(word + 7, reasons[s->flow->reason]) != 0)
                fail(s, "the reason is %s", reasons[s->flow->reason]);
        }
        if (!known)
            fail(s, "no event: \"%s\"", word);
    }
    if (want != s->flow->events) {
        fail(s, "other events than expected");
        for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (s->flow->events & 1u << i)
                printf("  came: %s\n", names[i]);
    }
    s->flow->events = 0;
}

static void command_counter(struct script *s)
{
    static const struct {
        const char *name;
        size_t offset;
    } counters[] = {
#define TCP_COUNTER(name, help) {#name, offsetof(struct tcp_counters, name)},
#include "tcp/counters.def"
#undef TCP_COUNTER
    };
    const char *name = next(s);
    uint64_t want = number(s), got;

    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        if (strcmp(name, counters[i].name) != 0)
            continue;
        memcpy(&got, (const char *)tcp_get_counters(s->tcp) + counters[i].offset, sizeof(got));
        if (got != want)
            fail(s, "%s is %lu", name, got);
        return;
    }
    fail(s, "no counter: \"%s\"", name);
}

static void command_info(struct script *s)
{
    static const struct {
        const char *name;
        size_t offset;
    } fields[] = {
        {"srtt_us", offsetof(struct tcp_info, srtt_us)},
        {"rto_us", offsetof(struct tcp_info, rto_us)},
        {"cwnd_bytes", offsetof(struct tcp_info, cwnd_bytes)},
        {"ssthresh_bytes", offsetof(struct tcp_info, ssthresh_bytes)},
        {"snd_wnd_bytes", offsetof(struct tcp_info, snd_wnd_bytes)},
        {"rcv_wnd_bytes", offsetof(struct tcp_info, rcv_wnd_bytes)},
        {"mss", offsetof(struct tcp_info, mss)},
    };
    const char *name = next(s);
    uint32_t want = number(s), got;
    struct tcp_info info;

    if (tcp_get_info(s->tcp, s->flow->handle, &info)) {
        fail(s, "the handle is stale");
        return;
    }
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(name, fields[i].name) != 0)
            continue;
        memcpy(&got, (const char *)&info + fields[i].offset, sizeof(got));
        if (got != want)
            fail(s, "%s is %u", name, got);
        return;
    }
    fail(s, "no field: \"%s\"", name);
}

static void command_state(struct script *s)
{
    const char *want = next(s);
    struct tcp_info info;
    const char *got = tcp_get_info(s->tcp, s->flow->handle, &info) ? "GONE" : info.state;

    if (strcmp(got, want) != 0)
        fail(s, "the state is %s", got);
}

static void command_connect(struct script *s)
{
    uint16_t port = s->at < s->word_count ? (uint16_t)number(s) : 0;
    struct tcp_info info;

    start(s);
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
    output(s);
}

static void command_icmp(struct script *s)
{
    struct tcp_event events[8];
    struct net_icmp_error error = {.local = s->us,
                                   .remote = s->peer,
                                   .local_port = s->flow->active ? s->flow->local_port : 443,
                                   .remote_port = s->flow->active ? 443 : s->flow->peer_port};

    error.type = (uint8_t)number(s);
    error.code = (uint8_t)number(s);
    error.sequence = s->flow->iss + number(s);
    take_events(s, events, tcp_icmp_error(s->tcp, &error, s->now_us, events, 8));
    output(s);
}

static void command_set(struct script *s)
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
        KEY(mss, 1),
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
#undef KEY
    };
    const char *name = next(s);
    uint32_t value = number(s);

    if (s->tcp)
        fail(s, "set comes first");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(name, keys[i].name) != 0)
            continue;
        value *= keys[i].scale;
        /* The machine is little-endian: the low bytes come first. */
        memcpy(keys[i].field, &value, keys[i].size);
        return;
    }
    fail(s, "no key: \"%s\"", name);
}

static void expect(struct script *s, const char *what, uint32_t got)
{
    uint32_t want = number(s);

    if (got != want)
        fail(s, "%s is %u", what, got);
}

static void command_result(struct script *s)
{
    const char *want = next(s);

    if (strcmp(want, assay_error_name(s->result)) != 0)
        fail(s, "the result is %s", assay_error_name(s->result));
}

static void command_after(struct script *s)
{
    uint32_t min_ms = number(s), max_ms = number(s);

    if (!accept(s, "out"))
        fail(s, "after MIN-MAX out ... is expected");
    command_out(s, min_ms * UINT64_C(1000), max_ms * UINT64_C(1000) + STEP_US, true);
}

static void command_simple(struct script *s, const char *word)
{
    struct tcp_handle handle = s->flow->handle;

    if (strcmp(word, "none") == 0) {
        if (s->taken < s->queued) {
            struct tcp_options options;
            struct rig_segment got;

            fail(s, "%u segments have gone out", s->queued - s->taken);
            if (rig_parse(s->queue[s->taken].bytes, s->queue[s->taken].len, &got, &options))
                print_segment(s, &got, &options);
        }
    } else if (strcmp(word, "wait") == 0) {
        wait_us(s, number(s) * UINT64_C(1000));
    } else if (strcmp(word, "hold") == 0) {
        s->holding = true;
    } else if (strcmp(word, "release") == 0) {
        s->holding = false;
        deliver(s);
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
    } else if (strcmp(word, "readable") == 0) {
        expect(s, word, (uint32_t)tcp_readable(s->tcp, handle));
    } else if (strcmp(word, "at_end") == 0) {
        expect(s, word, tcp_at_end(s->tcp, handle));
    } else if (strcmp(word, "unacked") == 0) {
        expect(s, word, (uint32_t)tcp_unacked(s->tcp, handle));
    } else if (strcmp(word, "room") == 0) {
        uint32_t wanted = number(s);

        expect(s, word, (uint32_t)tcp_room(s->tcp, handle, wanted));
    } else {
        fail(s, "no command: \"%s\"", word);
    }
    output(s);
}

static void command(struct script *s)
{
    static const struct {
        const char *name;
        void (*run)(struct script *);
    } commands[] = {
        {"set", command_set},         {"in", command_in},     {"after", command_after},
        {"write", command_write},     {"read", command_read}, {"events", command_events},
        {"counter", command_counter}, {"info", command_info}, {"state", command_state},
        {"connect", command_connect}, {"icmp", command_icmp}, {"result", command_result},
    };
    const char *word = next(s);

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(word, commands[i].name) != 0)
            continue;
        commands[i].run(s);
        return;
    }
    if (strcmp(word, "out") == 0) {
        command_out(s, 0, 0, false);
        return;
    }
    if (strcmp(word, "flow") == 0) {
        s->flow = &s->flows[number(s) % FLOWS];
        return;
    }
    start(s);
    if (strcmp(word, "listen") == 0) {
        s->result = tcp_listen(s->tcp, &s->us, 443, 0);
        return;
    }
    if (strcmp(word, "unlisten") == 0) {
        s->result = tcp_unlisten(s->tcp, &s->us, 443);
        output(s);
        return;
    }
    command_simple(s, word);
}

/* --- the file --------------------------------------------------------------------------------------------------------- */

/* Words are apart by blanks, and by what stands between numbers: "0+100", "100-200", "1 , 2". */
static void split(struct script *s, char *text)
{
    char *comment = strchr(text, '#'), *spread = malloc(strlen(text) * 3 + 1), *to = spread, *word, *rest;

    if (comment)
        *comment = '\0';
    for (const char *from = text; *from; from++) {
        bool between = from > text && from[-1] >= '0' && from[-1] <= '9';

        if (*from == '<' || *from == '>') {
            *to++ = ' ';
            *to++ = *from;
            *to++ = ' ';
        } else if (*from == ',' || (between && (*from == '+' || (*from == '-' && from[1] >= '0' && from[1] <= '9')))) {
            *to++ = ' ';
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    s->word_count = s->at = 0;
    for (word = strtok_r(spread, " \t\r\n", &rest); word && s->word_count < WORDS_MAX;
         word = strtok_r(NULL, " \t\r\n", &rest))
        s->words[s->word_count++] = strdup(word);
    free(spread);
}

static void prepare(struct script *s, const char *path, struct rig_pools *pools)
{
    memset(s, 0, sizeof(*s));
    s->path = path;
    s->pools = pools;
    s->now_us = s->mark_us = 1000000;
    s->us = rig_address("198.18.1.1");
    s->peer = rig_address("198.18.1.2");
    s->queue = malloc(sizeof(*s->queue) * QUEUE_MAX);
    s->flow = &s->flows[0];
    for (uint32_t i = 0; i < FLOWS; i++)
        s->flows[i].peer_port = (uint16_t)(50000 + i);
    tcp_config_default(&s->config);
    s->config.connections_max = 64;
    s->config.keepalive_idle_us = 0;
    memset(s->config.secret, 0x5a, sizeof(s->config.secret));
}

bool script_run(const char *path, struct rig_pools *pools)
{
    static struct script script;
    struct script *s = &script;
    FILE *file = fopen(path, "r");
    char text[512];

    if (!file) {
        printf("%s: cannot be read\n", path);
        return false;
    }
    prepare(s, path, pools);
    while (!s->failed && fgets(text, sizeof(text), file)) {
        uint64_t before_us = s->now_us;

        s->line++;
        split(s, text);
        if (s->word_count > 0) {
            command(s);
            if (s->at < s->word_count)
                fail(s, "what is \"%s\"?", peek(s));
            /* "after" counts from the moment of the line before. */
            s->mark_us = s->now_us > before_us ? s->now_us : before_us;
        }
        for (uint32_t i = 0; i < s->word_count; i++)
            free(s->words[i]);
    }
    fclose(file);
    if (!s->failed && s->taken < s->queued)
        fail(s, "%u segments have gone out that no line expects", s->queued - s->taken);
    tcp_destroy(s->tcp);
    free(s->queue);
    if (!s->failed && rig_pools_missing(pools) > 0)
        fail(s, "%u mbufs are missing", rig_pools_missing(pools));
    return !s->failed;
}
