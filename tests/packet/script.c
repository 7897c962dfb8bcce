/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_mbuf.h>

#include "base/address.h"
#include "script_private.h"

void script_fail(struct script *s, const char *format, ...)
{
    va_list args;

    if (s->failed)
        return;
    s->failed = true;
    printf("%s:%d: ", s->path, s->line);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf(" (clock %lu us)\n", s->now_us - s->start_us);
}

/* --- words ------------------------------------------------------------------------------------------------------------ */

static const char *peek(const struct script *s)
{
    return s->at < s->word_count ? s->words[s->at] : "";
}

const char *script_next(struct script *s)
{
    return s->at < s->word_count ? s->words[s->at++] : "";
}

bool script_accept(struct script *s, const char *word)
{
    if (strcmp(peek(s), word) != 0)
        return false;
    s->at++;
    return true;
}

uint32_t script_number(struct script *s)
{
    const char *word = script_next(s);
    char *end;
    long value = strtol(word, &end, 0);

    if (end == word || *end)
        script_fail(s, "a number is expected, not \"%s\"", word);
    return (uint32_t)value;
}

/* --- the stack under test --------------------------------------------------------------------------------------------- */

uint8_t script_pattern(uint32_t seq)
{
    return (uint8_t)(seq * 7 + (seq >> 8) * 3 + 13);
}

void script_start(struct script *s)
{
    if (s->tcp)
        return;
    if (tcp_create(&s->config, s->pools->packet, s->pools->payload, s->pools->indirect, s->now_us, &s->tcp)) {
        script_fail(s, "tcp_create() refuses the configuration");
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

void script_take_events(struct script *s, const struct tcp_event *events, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct flow *flow = s->flow;
        struct tcp_info info;

        if (events[i].flags & TCP_EVENT_ACCEPTED) {
            if (tcp_get_info(s->tcp, events[i].handle, &info) == ASSAY_OK)
                flow = flow_of(s, info.remote_port, info.local_port);
            flow->handle = events[i].handle;
            if (tcp_set_user(s->tcp, flow->handle, (uint64_t)(flow - s->flows)))
                script_fail(s, "an accepted connection has no handle");
        } else {
            flow = &s->flows[events[i].user];
        }
        flow->events |= events[i].flags;
        if (events[i].flags & TCP_EVENT_CLOSED)
            flow->reason = events[i].reason;
    }
}

/* Lets everything out that may go now. */
void script_output(struct script *s)
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
            captured->ecn = tx.datagrams[i].ecn;
            if (rte_pktmbuf_headroom(tx.datagrams[i].mbuf) < 128 || !address_equal(&tx.datagrams[i].src, &s->us) ||
                !address_equal(&tx.datagrams[i].dst, &s->peer))
                script_fail(s, "a segment without headroom or with wrong addresses");
            rte_pktmbuf_free(tx.datagrams[i].mbuf);
            if (!rig_parse(captured->bytes, captured->len, &segment, &options)) {
                script_fail(s, "a malformed segment goes out");
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

void script_deliver(struct script *s)
{
    struct tcp_event events[64];

    script_take_events(s, events, tcp_input(s->tcp, s->held, s->held_count, s->now_us, events, 64));
    s->held_count = 0;
    script_output(s);
}

static void step(struct script *s, uint64_t until_us)
{
    struct tcp_event events[64];

    s->now_us = until_us;
    script_take_events(s, events, tcp_timers(s->tcp, s->now_us, events, 64));
    script_output(s);
}

void script_wait_us(struct script *s, uint64_t us)
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

static const char flag_letters[] = "FSRPAUEC";

static uint8_t parse_flags(struct script *s)
{
    const char *word = script_next(s);
    uint8_t flags = 0;

    for (; *word && *word != '.'; word++) {
        const char *letter = strchr(flag_letters, *word);

        if (!letter)
            script_fail(s, "no flags: \"%s\"", word);
        else
            flags |= (uint8_t)(1u << (letter - flag_letters));
    }
    return flags;
}

struct line {
    uint8_t flags;
    uint32_t seq, len, ack, window, pieces, urgent;
    uint8_t ecn;
    bool has_ack, has_window, has_options, has_hex;
    struct tcp_options options;
    bool echo_last, echo_mark, any_value, any_echo;
    uint8_t hex[TCP_OPTIONS_MAX];
    uint32_t hex_len;
};

static void parse_option(struct script *s, struct line *line)
{
    struct tcp_options *o = &line->options;

    if (script_accept(s, "mss")) {
        o->has_mss = true;
        o->mss = (uint16_t)script_number(s);
    } else if (script_accept(s, "wscale")) {
        o->has_window_scale = true;
        o->window_shift = (uint8_t)script_number(s);
    } else if (script_accept(s, "sackOK")) {
        o->sack_permitted = true;
    } else if (script_accept(s, "sack")) {
        struct tcp_sack_block *block = &o->sack[o->sack_count++];

        block->start = script_number(s);
        block->end = script_number(s);
    } else if (script_accept(s, "ts")) {
        o->has_timestamps = true;
        line->any_value = script_accept(s, "*");
        if (!line->any_value)
            o->ts_value = script_number(s);
        line->echo_last = script_accept(s, ".");
        line->echo_mark = script_accept(s, "^");
        line->any_echo = script_accept(s, "*");
        if (!line->echo_last && !line->echo_mark && !line->any_echo)
            o->ts_echo = script_number(s);
    } else if (script_accept(s, "hex")) {
        line->has_hex = true;
        while (s->at < s->word_count && strcmp(peek(s), ">") != 0 && line->hex_len < sizeof(line->hex))
            line->hex[line->hex_len++] = (uint8_t)strtoul(script_next(s), NULL, 16);
    } else {
        script_fail(s, "no option: \"%s\"", script_next(s));
    }
}

static struct line parse_line(struct script *s)
{
    struct line line = {.window = 65535, .pieces = 1};

    line.flags = parse_flags(s);
    line.seq = script_number(s);
    line.len = script_number(s);
    while (s->at < s->word_count && !s->failed) {
        if (script_accept(s, "ack")) {
            line.has_ack = true;
            line.ack = script_number(s);
        } else if (script_accept(s, "win")) {
            line.has_window = true;
            line.window = script_number(s);
        } else if (script_accept(s, "pieces")) {
            line.pieces = script_number(s);
        } else if (script_accept(s, "urg")) {
            line.urgent = script_number(s);
        } else if (script_accept(s, "ect")) {
            line.ecn = NET_ECN_ECT0;
        } else if (script_accept(s, "ce")) {
            line.ecn = NET_ECN_CE;
        } else if (script_accept(s, "<")) {
            line.has_options = true;
            while (s->at < s->word_count && !script_accept(s, ">") && !s->failed)
                parse_option(s, &line);
        } else {
            script_fail(s, "what is \"%s\"?", script_next(s));
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
                                  .seq = s->peer_isn + line.seq,
                                  .ack = line.has_ack ? s->flow->iss + line.ack : 0,
                                  .flags = line.flags,
                                  .window = (uint16_t)line.window,
                                  .urgent = (uint16_t)line.urgent,
                                  .payload_len = line.len};
    uint8_t payload[4096];

    script_start(s);
    if (line.len > sizeof(payload)) {
        script_fail(s, "at most %zu bytes in a segment", sizeof(payload));
        return;
    }
    /* A SYN takes a number of its own in front of the text. */
    for (uint32_t i = 0; i < line.len; i++)
        payload[i] = script_pattern(line.seq + i + (line.flags & TCP_FLAG_SYN ? 1 : 0));
    segment.payload = payload;
    segment.options_len = (uint8_t)write_options(s, &line, segment.options);
    s->held[s->held_count] = rig_receive(s->pools, &s->peer, &s->us, &segment, line.pieces);
    s->held[s->held_count++].ecn = line.ecn;
    if (!s->holding || s->held_count == 256)
        script_deliver(s);
}

void script_print_segment(const struct script *s, const struct rig_segment *segment, const struct tcp_options *options)
{
    const struct flow *flow = s->flow;

    printf("  came: ");
    for (uint32_t i = 0; i < 8; i++)
        if (segment->flags & 1u << i)
            printf("%c", flag_letters[i]);
    printf(" %d+%u", (int)(segment->seq - flow->iss), segment->payload_len);
    if (segment->flags & TCP_FLAG_ACK)
        printf(" ack %d", (int)(segment->ack - s->peer_isn));
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
        printf(" sack %d-%d", (int)(options->sack[i].start - s->peer_isn), (int)(options->sack[i].end - s->peer_isn));
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
        if (want->sack[i].start + s->peer_isn != got->sack[i].start ||
            want->sack[i].end + s->peer_isn != got->sack[i].end)
            return false;
    return true;
}

bool script_take(struct script *s, struct rig_segment *got)
{
    struct tcp_options options;

    *got = (struct rig_segment){0};
    script_start(s);
    if (s->taken == s->queued) {
        script_fail(s, "nothing goes out");
        return false;
    }
    s->taken++;
    return rig_parse(s->queue[s->taken - 1].bytes, s->queue[s->taken - 1].len, got, &options);
}

void command_out(struct script *s, uint64_t min_us, uint64_t max_us, bool timed)
{
    struct line line = parse_line(s);
    uint16_t peer_port = s->flow->active ? 443 : s->flow->peer_port;
    const struct captured *captured;
    struct tcp_options options;
    struct rig_segment got;

    script_start(s);
    while (timed && s->taken == s->queued && s->now_us < s->mark_us + max_us)
        step(s, s->now_us + STEP_US);
    if (s->taken == s->queued) {
        script_fail(s, "nothing goes out");
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
        got.payload_len != line.len || captured->ecn != line.ecn ||
        (line.has_ack && got.ack - s->peer_isn != line.ack) || (line.has_window && got.window != line.window) ||
        (line.has_options && !same_options(s, &line, &options))) {
        script_fail(s, "another segment than expected, with ECN bits %u", captured->ecn);
        script_print_segment(s, &got, &options);
    }
    for (uint32_t i = 0; i < got.payload_len; i++)
        if (got.payload[i] != script_pattern(line.seq + i))
            script_fail(s, "byte %u of the payload is not what was written there", i);
    if (timed && (captured->at_us < s->mark_us + min_us || captured->at_us > s->mark_us + max_us))
        script_fail(s, "it came after %lu us", captured->at_us - s->mark_us);
}

void script_command(struct script *s)
{
    static const struct {
        const char *name;
        void (*run)(struct script *);
    } commands[] = {
        {"set", command_set},         {"in", command_in},     {"after", command_after},
        {"write", command_write},     {"read", command_read}, {"events", command_events},
        {"counter", command_counter}, {"info", command_info}, {"state", command_state},
        {"connect", command_connect}, {"icmp", command_icmp}, {"result", command_result},
        {"burst", command_burst},     {"isn", command_isn},
    };
    const char *word = script_next(s);

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
        s->flow = &s->flows[script_number(s) % FLOWS];
        return;
    }
    script_start(s);
    if (strcmp(word, "listen") == 0) {
        s->result = tcp_listen(s->tcp, &s->us, 443, 0);
        return;
    }
    if (strcmp(word, "unlisten") == 0) {
        s->result = tcp_unlisten(s->tcp, &s->us, 443);
        script_output(s);
        return;
    }
    command_simple(s, word);
}
