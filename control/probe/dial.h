/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_PROBE_DIAL_H
#define ASSAY_PROBE_DIAL_H
/* One connection of a probe: a kernel socket, a TLS handshake whose chain is kept and not judged here, close_notify. It never
 * sends a byte of application data. Where the peer asked for our certificate in TLS 1.3, its opinion comes after the handshake
 * (RFC 8446 §4.4.2.4): it gets DIAL_SETTLE_MS to say so.
 * Owner: the caller of the struct; dial_end() gives back what it holds. Thread: one. Units: milliseconds of a monotonic clock.
 * Errors: the report's outcome. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/address.h"
#include "tls/tls.h"
#include "x509/chain.h"

#define DIAL_BUFFER    (18 * 1024)
#define DIAL_SETTLE_MS 700
#define DIAL_CIPHER    40

enum probe_outcome {
#define PROBE_OUTCOME(name, class, text, action) PROBE_##name,
#include "probe/outcome.def"
#undef PROBE_OUTCOME
    PROBE_OUTCOMES
};
enum probe_outcome_class { PROBE_CLASS_GOOD, PROBE_CLASS_UNREACHABLE, PROBE_CLASS_REFUSES };

const char *probe_outcome_name(enum probe_outcome outcome); /* "PORT_CLOSED" */
const char *probe_outcome_text(enum probe_outcome outcome);
const char *probe_outcome_action(enum probe_outcome outcome);
enum probe_outcome_class probe_outcome_class(enum probe_outcome outcome);

struct dial_request {
    struct assay_address address;
    uint16_t port;
    const char *server_name; /* NULL: no SNI (an address was asked for) */
    struct tls_context *context;
    bool ask_status;     /* for a stapled OCSP response */
    uint64_t timeout_ms; /* for all of it */
};

struct dial_report {
    enum probe_outcome outcome;
    uint8_t alert;    /* the peer's fatal alert; 0: none */
    bool requested;   /* it asked for our certificate */
    bool complete;    /* the handshake came to its end, on our side */
    uint16_t version; /* enum tls_version; 0: not agreed */
    char cipher[DIAL_CIPHER];
};

enum dial_phase { DIAL_CONNECTING, DIAL_HANDSHAKE, DIAL_SETTLING, DIAL_OVER };

struct dial {
    int fd;
    enum dial_phase phase;
    uint64_t deadline_ms;
    struct tls_connection *tls;
    struct x509_chain *chain; /* what it presented; NULL: nothing */
    struct dial_report report;
    struct dial_request request;
    bool heard; /* a byte came in */
    size_t in_length, out_length, out_sent;
    uint8_t in[DIAL_BUFFER], out[DIAL_BUFFER];
};

/* From then on over (dial->phase), or to be polled: dial_events() of dial->fd until deadline_ms. */
void dial_begin(struct dial *dial, const struct dial_request *request, uint64_t now_ms);
short dial_events(const struct dial *dial);
/* After poll(): works on what there is, or ends what took too long. True: over. */
bool dial_step(struct dial *dial, bool ready, uint64_t now_ms);
/* Closes; the chain is the caller's to take before (and to leave NULL). */
void dial_end(struct dial *dial);

#endif
