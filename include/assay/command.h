/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_COMMAND_H
#define ASSAY_COMMAND_H
/* What control asks of a core while it runs. Control allocates the command and its rows, hands the pointer to the core
 * (core_command), and waits for state to become COMMAND_DONE (release by the core, acquire by control).
 * Owner: control, before and after; the core in between. A command does a bounded piece of work a turn. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/address.h"

struct capture;

enum command_kind {
    COMMAND_DRAIN,       /* accept nothing new, finish what runs, close idle connections */
    COMMAND_STOP,        /* leave the loop */
    COMMAND_VERDICTS,    /* rows: struct verdict_row */
    COMMAND_ORIGINS,     /* rows: struct origin_row */
    COMMAND_CONNECTIONS, /* rows: struct connection_row of the connections that pass the filter; takes several turns */
    COMMAND_CAPTURE,     /* begins or ends the capture of the core's frames */
    COMMAND_ANNOUNCE,    /* the port's link has come back: whoever is there now must hear of our addresses */
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
    char scope[96];               /* what judges it: "global", "deployment 2", …; "" before that was asked */
    struct assay_address address; /* of the last connection */
    uint32_t connections, idle, waiting;
    uint64_t requests, failures;
    char last_error[128]; /* "" when the last attempt went well */
};

/* A connection of the TCP table: half-open ones, TIME-WAIT and those that the proxy is done with are there as well. */
struct connection_row {
    struct assay_address local, peer;
    uint16_t local_port, peer_port;
    uint32_t core;
    bool origin_side; /* opened by us */
    bool orphan;      /* the proxy has closed it */
    bool ecn;         /* both ends agreed on it (RFC 3168) */
    char state[16];   /* TCP's */
    char phase[24];   /* the exchange's; "" where the proxy has no part in it */
    uint32_t srtt_us, rto_us;
    uint32_t cwnd_bytes, ssthresh_bytes; /* ssthresh 1 << 30 or more: no loss has set it yet */
    uint32_t mss;
    uint32_t send_queue_bytes, unsent_bytes; /* not acknowledged; of it, never sent */
    uint32_t receive_queue_bytes;            /* in order, not yet read */
    uint64_t retransmits, bytes_in, bytes_out;
    uint64_t age_us, idle_us;
};

/* Which connections are wanted; zero in a field: all. */
struct connection_filter {
    char state[16]; /* TCP's spelling */
    enum { CONNECTION_SIDE_ANY, CONNECTION_SIDE_CLIENT, CONNECTION_SIDE_ORIGIN } side;
    bool by_prefix;
    struct assay_prefix prefix; /* of either end */
    uint16_t port;              /* of either end */
};

struct core_command {
    enum command_kind kind;
    void *rows; /* array of the kind's row type */
    size_t rows_max;
    size_t row_count;                     /* filled by the core */
    bool more;                            /* there was more than rows_max */
    struct connection_filter connections; /* COMMAND_CONNECTIONS */
    struct capture
        *capture;  /* COMMAND_CAPTURE: where to (net/capture.h), the core's until the next one; NULL: it ends */
    uint32_t next; /* the core's: where it goes on in the next turn; 0 at first */
    _Atomic uint32_t state; /* enum command_state */
};

#endif
