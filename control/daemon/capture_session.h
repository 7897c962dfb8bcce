/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CAPTURE_SESSION_H
#define ASSAY_DAEMON_CAPTURE_SESSION_H
/* A capture from its start to its file: the filter is compiled, each core gets a ring (net/capture.h), a thread writes what the
 * rings hold into a pcapng file. One runs at a time; the last one can be asked about until the next begins.
 * Owner: the session owns rings, filter, thread and file; the cores hold their part between start and stop.
 * Thread: control; the writer has a thread of its own. Units: bytes, packets, seconds. */
#include <stdbool.h>
#include <stdint.h>

#include "daemon/fleet.h"

struct capture_session;

#define CAPTURE_BYTES_DEFAULT (100ULL << 20)
#define CAPTURE_BYTES_MAX     (1ULL << 40)
#define CAPTURE_FOR_MAX_S     (366 * 86400)

struct capture_options {
    const char *directory; /* made where it is missing */
    const char *file;      /* a name in it that is not there yet */
    const char *filter;    /* "" every frame */
    const char *port;      /* name of the interface, for the file */
    uint32_t snaplen;
    uint64_t max_bytes;   /* the file does not grow beyond; required */
    uint64_t max_packets; /* 0: no limit */
    uint64_t for_s;       /* 0: until it is stopped */
};

struct capture_status {
    bool running;
    const char *path, *filter;
    const char *ended; /* why; "" while it runs */
    uint64_t started_s;
    uint64_t seen, matched,
        dropped;             /* frames on the wire, of them those that pass the filter, of them those that were lost */
    uint64_t packets, bytes; /* in the file */
};

/* NULL: error says why. */
struct capture_session *capture_start(struct fleet *fleet, const struct capture_options *options, uint64_t now_s,
                                      char *error, size_t error_size);
/* Takes it away from the cores, writes what is left, closes the file. BUSY: a core does not answer, it goes on; try again. */
enum assay_error capture_stop(struct capture_session *session) ASSAY_MUST_USE;
/* Once in a while: stops a capture that has reached one of its limits, or whose file cannot be written. True when that was now. */
bool capture_tick(struct capture_session *session);
bool capture_running(const struct capture_session *session);
void capture_get_status(const struct capture_session *session, struct capture_status *out);
/* Stopped, or after the cores have ended. NULL is fine. */
void capture_free(struct capture_session *session);

#endif
