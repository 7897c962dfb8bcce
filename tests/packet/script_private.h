/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_PACKET_SCRIPT_PRIVATE_H
#define ASSAY_TESTS_PACKET_SCRIPT_PRIVATE_H
/* What script.c (segments, clock, the file) and script_commands.c (what the application does) share. */
#include <stdbool.h>
#include <stdint.h>

#include "rig.h"
#include "script.h"

#define FLOWS     8
#define QUEUE_MAX 4096
#define WORDS_MAX 64
#define PEER_ISN  0x7fffff00u /* the peer's numbers pass 2^31 early on, unless "isn" says otherwise */
#define START_US  1000000
#define NAMES_MAX 64
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
    uint8_t ecn;
};

/* A name and what it stands for: "$rcv", or "$1" inside a macro. */
struct script_name {
    char *name, *value;
};

struct script_block;
struct script_file;

struct script {
    const char *path;
    int line;
    bool failed, holding;
    struct tcp_config config;
    struct tcp *tcp;
    struct rig_pools *pools;
    uint64_t now_us, mark_us, start_us;
    uint32_t peer_isn;
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
    struct script_name names[NAMES_MAX];
    uint32_t names_count;
    struct script_block *macros; /* those that have been defined; their bodies are lines of ... */
    struct script_file *files;   /* ... all that have been read */
};

bool script_accept(struct script *s, const char *word);
void script_command(struct script *s);
/* A new stack, new connections, and the clock at its start; what was before must be whole, and nothing of it unexpected. */
void script_fresh(struct script *s);
void command_out(struct script *s, uint64_t min_us, uint64_t max_us, bool timed);
void script_deliver(struct script *s);
void script_fail(struct script *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *script_next(struct script *s);
uint32_t script_number(struct script *s);
void script_output(struct script *s);
uint8_t script_pattern(uint32_t seq);
void script_print_segment(const struct script *s, const struct rig_segment *segment, const struct tcp_options *options);
void script_start(struct script *s);
/* The next segment that has gone out; false where there is none. */
bool script_take(struct script *s, struct rig_segment *got);
void script_take_events(struct script *s, const struct tcp_event *events, uint32_t n);
void script_wait_us(struct script *s, uint64_t us);

void command_after(struct script *s);
void command_burst(struct script *s);
void command_connect(struct script *s);
void command_counter(struct script *s);
void command_events(struct script *s);
void command_icmp(struct script *s);
void command_isn(struct script *s);
void command_info(struct script *s);
void command_read(struct script *s);
void command_result(struct script *s);
void command_set(struct script *s);
void command_simple(struct script *s, const char *word);
void command_state(struct script *s);
void command_write(struct script *s);

#endif
