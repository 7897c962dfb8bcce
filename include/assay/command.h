/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_COMMAND_H
#define ASSAY_COMMAND_H
/* What control asks of a core while it runs. Control allocates the command and its rows, hands the pointer to the core
 * (core_command), and waits for state to become COMMAND_DONE (release by the core, acquire by control).
 * Owner: control, before and after; the core in between. A command does a bounded piece of work (rows_max). */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/address.h"

enum command_kind {
    COMMAND_DRAIN,       /* accept nothing new, finish what runs, close idle connections */
    COMMAND_STOP,        /* leave the loop */
    COMMAND_VERDICTS,    /* rows: struct verdict_row */
    COMMAND_ORIGINS,     /* rows: struct origin_row */
    COMMAND_CONNECTIONS, /* rows: struct connection_row */
};

enum command_state { COMMAND_PENDING, COMMAND_DONE };

struct verdict_row {
    uint8_t leaf_sha256[32];
    char identity[256];
    uint32_t policy_id;
    uint64_t trust_epoch;
    char reason[64]; /* "ok", or MRA's error text */
    int32_t depth;
    uint32_t warnings;
    uint64_t valid_until_s;
};

struct origin_row {
    char host[256];
    uint16_t port;
    bool https;
    struct assay_address address; /* of the last connection */
    uint32_t connections, idle, waiting;
    uint64_t requests, failures;
    char last_error[128]; /* "" when the last attempt went well */
};

struct connection_row {
    struct assay_address peer;
    uint16_t peer_port;
    bool origin_side;
    char state[16]; /* TCP's */
    char phase[24]; /* the exchange's */
    uint32_t srtt_us, cwnd_bytes;
    uint64_t retransmits, bytes_in, bytes_out;
};

struct core_command {
    enum command_kind kind;
    void *rows; /* array of the kind's row type */
    size_t rows_max;
    size_t row_count;       /* filled by the core */
    bool more;              /* there was more than rows_max */
    _Atomic uint32_t state; /* enum command_state */
};

#endif
