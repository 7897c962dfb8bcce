/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "x509/ocsp.h"

#define RECORD_ALERT     21
#define RECORD_HANDSHAKE 22

static const struct {
    const char *name;
    enum probe_outcome_class class;
    const char *text, *action;
} outcomes[] = {
#define PROBE_OUTCOME(name, class, text, action) {#name, PROBE_CLASS_##class, text, action},
#include "probe/outcome.def"
#undef PROBE_OUTCOME
};

const char *probe_outcome_name(enum probe_outcome outcome)
{
    return outcomes[outcome].name;
}

const char *probe_outcome_text(enum probe_outcome outcome)
{
    return outcomes[outcome].text;
}

const char *probe_outcome_action(enum probe_outcome outcome)
{
    return outcomes[outcome].action;
}

enum probe_outcome_class probe_outcome_class(enum probe_outcome outcome)
{
    return outcomes[outcome].class;
}

/* --- ends --------------------------------------------------------------------------------------------------------------- */

static void over(struct dial *dial, enum probe_outcome outcome)
{
    dial->report.outcome = outcome;
    dial->phase = DIAL_OVER;
}

static enum probe_outcome outcome_of_errno(int code)
{
    switch (code) {
    case ECONNREFUSED: return PROBE_PORT_CLOSED;
    case ETIMEDOUT: return PROBE_CONNECT_TIMEOUT;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EACCES: /* a prohibiting route, or a packet filter */
    case EPERM:
    case EADDRNOTAVAIL: return PROBE_NO_ROUTE;
    default: return PROBE_LOCAL;
    }
}

/* The peer's alerts that are an answer to our certificate, or to none (RFC 8446 §6.2; OpenSSL sends handshake_failure for a
 * certificate that is missing in TLS 1.2). */
static bool alert_is_of_certificate(uint8_t alert)
{
    return alert == 40 || (alert >= 42 && alert <= 46) || alert == 48 || alert == 49 || alert == 116;
}

static enum probe_outcome outcome_of_failure(const struct dial *dial, const struct tls_failure *failure)
{
    switch (failure->kind) {
    case TLS_FAILURE_PEER_ALERT:
        return dial->report.requested && alert_is_of_certificate(failure->alert_received) ? PROBE_CLIENT_CERTIFICATE
                                                                                          : PROBE_ALERT;
    case TLS_FAILURE_VERIFIER: /* ours lets all pass: what the library itself could not take */
    case TLS_FAILURE_CERTIFICATE: return PROBE_POSSESSION;
    case TLS_FAILURE_INTERNAL: return PROBE_LOCAL;
    default: return PROBE_PROTOCOL;
    }
}

static void failed(struct dial *dial)
{
    struct tls_failure failure;

    tls_get_failure(dial->tls, &failure);
    dial->report.alert = failure.alert_received;
    dial->report.requested = tls_certificate_requested(dial->tls);
    if (dial->chain != NULL) /* it came behind a ServerHello */
        dial->report.version = (uint16_t)tls_get_version(dial->tls);
    over(dial, outcome_of_failure(dial, &failure));
}

/* It went away without a word. */
static void closed(struct dial *dial)
{
    dial->report.requested = dial->tls != NULL && tls_certificate_requested(dial->tls);
    /* after our handshake was complete it can only have disliked what came last: our certificate */
    over(dial, dial->phase == DIAL_SETTLING ? PROBE_CLIENT_CERTIFICATE : PROBE_CLOSED);
}

/* --- bytes -------------------------------------------------------------------------------------------------------------- */

/* What waits to be sent, as far as it goes; false: the connection is gone. */
static bool flush(struct dial *dial)
{
    while (dial->out_sent < dial->out_length) {
        ssize_t n = send(dial->fd, dial->out + dial->out_sent, dial->out_length - dial->out_sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        dial->out_sent += (size_t)n;
    }
    dial->out_sent = dial->out_length = 0;
    return true;
}

enum arrival { ARRIVED, NOTHING_YET, ENDED };

static enum arrival receive(struct dial *dial)
{
    ssize_t n;

    if (dial->in_length == sizeof(dial->in))
        return ARRIVED;
    do
        n = recv(dial->fd, dial->in + dial->in_length, sizeof(dial->in) - dial->in_length, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? NOTHING_YET : ENDED;
    dial->in_length += (size_t)n;
    return n > 0 ? ARRIVED : ENDED;
}

static struct tls_io io_of(struct dial *dial)
{
    return (struct tls_io){.in = slice_of(dial->in, dial->in_length),
                           .out = dial->out + dial->out_length,
                           .out_capacity = sizeof(dial->out) - dial->out_length};
}

static void io_done(struct dial *dial, const struct tls_io *io)
{
    dial->out_length += io->out_length;
    memmove(dial->in, dial->in + io->in_used, dial->in_length - io->in_used);
    dial->in_length -= io->in_used;
}

/* --- the handshake ------------------------------------------------------------------------------------------------------ */

/* Keeps the chain, with what was stapled to it, and lets it pass: it is judged behind the handshake, so that what the peer
 * thinks of our certificate becomes known whatever we think of its own. Nothing but the handshake is ever said to it. */
static uint8_t keep_chain(void *arg, const struct slice *certificates, size_t count, struct slice staple)
{
    struct dial *dial = arg;

    if (staple.len > X509_OCSP_SIZE_MAX) /* as on the data path: none */
        staple = slice_of(NULL, 0);
    x509_chain_unref(dial->chain);
    dial->chain = x509_chain_create_stapled(certificates, count, staple);
    return 0;
}

static void complete(struct dial *dial)
{
    struct dial_report *report = &dial->report;

    report->complete = true;
    report->version = (uint16_t)tls_get_version(dial->tls);
    report->requested = tls_certificate_requested(dial->tls);
    snprintf(report->cipher, sizeof(report->cipher), "%s", tls_get_cipher(dial->tls));
}

static void say_goodbye(struct dial *dial)
{
    struct tls_io io = io_of(dial);

    (void)tls_close_notify(dial->tls, &io);
    io_done(dial, &io);
    (void)flush(dial);
}

/* True: the handshake is complete. */
static bool shake(struct dial *dial)
{
    enum tls_status status;
    struct tls_io io;
    bool alive;

    do {
        io = io_of(dial);
        status = tls_handshake(dial->tls, &io);
        io_done(dial, &io);
        alive = flush(dial);
    } while (alive && status == TLS_STATUS_WANT_ROOM && dial->out_length < sizeof(dial->out));
    /* an alert came before the end, and says more */
    if (status == TLS_STATUS_FAILED)
        failed(dial);
    else if (status == TLS_STATUS_CLOSED || !alive)
        closed(dial);
    return alive && status == TLS_STATUS_OK;
}

static void handshake_turn(struct dial *dial, uint64_t now_ms)
{
    enum arrival arrival = receive(dial);
    /* a plain service speaks first, or answers with its own protocol */
    bool foreign =
        !dial->heard && dial->in_length > 0 && dial->in[0] != RECORD_HANDSHAKE && dial->in[0] != RECORD_ALERT;

    dial->heard = dial->heard || dial->in_length > 0;
    if (foreign) {
        over(dial, PROBE_NO_TLS);
        return;
    }
    if (shake(dial)) {
        complete(dial);
        if (!dial->report.requested || dial->report.version != TLS_VERSION_1_3) {
            say_goodbye(dial);
            over(dial, PROBE_OK);
            return;
        }
        dial->phase = DIAL_SETTLING;
        if (dial->deadline_ms > now_ms + DIAL_SETTLE_MS)
            dial->deadline_ms = now_ms + DIAL_SETTLE_MS;
    } else if (dial->phase == DIAL_HANDSHAKE && arrival == ENDED) {
        closed(dial);
    }
}

/* An alert, the end, or anything else: a ticket says that we were accepted. */
static void settle_turn(struct dial *dial)
{
    enum arrival arrival = receive(dial);
    size_t length, had = dial->in_length;
    struct tls_io io = io_of(dial);
    enum tls_status status;
    uint8_t data[512];

    status = tls_read(dial->tls, &io, data, sizeof(data), &length);
    io_done(dial, &io);
    if (status == TLS_STATUS_FAILED) {
        failed(dial);
    } else if (status == TLS_STATUS_CLOSED || (arrival == ENDED && had == 0)) {
        closed(dial);
    } else if (had > 0 && dial->in_length == 0) {
        say_goodbye(dial);
        over(dial, PROBE_OK);
    }
}

static void connected(struct dial *dial, uint64_t now_ms)
{
    struct tls_verifier verifier = {.fn = keep_chain, .arg = dial, .ask_status = dial->request.ask_status};
    socklen_t len = sizeof(int);
    int code = 0;

    if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &code, &len) != 0)
        code = errno;
    if (code != 0) {
        over(dial, outcome_of_errno(code));
        return;
    }
    if (tls_client_create(dial->request.context, dial->request.server_name, verifier, NULL, &dial->tls) != ASSAY_OK) {
        dial->tls = NULL;
        over(dial, PROBE_LOCAL);
        return;
    }
    dial->phase = DIAL_HANDSHAKE;
    handshake_turn(dial, now_ms);
}

/* --- life --------------------------------------------------------------------------------------------------------------- */

static int start_connect(int fd, const struct assay_address *address, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    if (address_is_ip4(address)) {
        in.sin_addr.s_addr = address_ip4_be(address);
        return connect(fd, (const struct sockaddr *)&in, sizeof(in));
    }
    memcpy(&in6.sin6_addr, address->bytes, sizeof(in6.sin6_addr));
    return connect(fd, (const struct sockaddr *)&in6, sizeof(in6));
}

void dial_begin(struct dial *dial, const struct dial_request *request, uint64_t now_ms)
{
    int family = address_is_ip4(&request->address) ? AF_INET : AF_INET6;

    dial->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    dial->phase = DIAL_CONNECTING;
    dial->deadline_ms = now_ms + request->timeout_ms;
    dial->tls = NULL;
    dial->chain = NULL;
    dial->report = (struct dial_report){0};
    dial->request = *request;
    dial->heard = false;
    dial->in_length = dial->out_length = dial->out_sent = 0;
    if (dial->fd < 0)
        over(dial, PROBE_LOCAL);
    else if (start_connect(dial->fd, &request->address, request->port) != 0 && errno != EINPROGRESS)
        over(dial, outcome_of_errno(errno));
}

short dial_events(const struct dial *dial)
{
    if (dial->phase == DIAL_CONNECTING)
        return POLLOUT;
    return (short)(POLLIN | (dial->out_sent < dial->out_length ? POLLOUT : 0));
}

static void too_late(struct dial *dial)
{
    switch (dial->phase) {
    case DIAL_CONNECTING: over(dial, PROBE_CONNECT_TIMEOUT); break;
    case DIAL_HANDSHAKE:
        dial->report.requested = tls_certificate_requested(dial->tls);
        over(dial, PROBE_TLS_TIMEOUT);
        break;
    case DIAL_SETTLING: /* it has nothing against our certificate */
        say_goodbye(dial);
        over(dial, PROBE_OK);
        break;
    case DIAL_OVER: break;
    }
}

bool dial_step(struct dial *dial, bool ready, uint64_t now_ms)
{
    if (ready && dial->phase == DIAL_CONNECTING)
        connected(dial, now_ms);
    else if (ready && dial->phase == DIAL_HANDSHAKE)
        handshake_turn(dial, now_ms);
    else if (ready && dial->phase == DIAL_SETTLING)
        settle_turn(dial);
    if (dial->phase != DIAL_OVER && now_ms >= dial->deadline_ms)
        too_late(dial);
    return dial->phase == DIAL_OVER;
}

void dial_end(struct dial *dial)
{
    if (dial->tls != NULL)
        tls_free(dial->tls);
    if (dial->fd >= 0)
        close(dial->fd);
    x509_chain_unref(dial->chain);
    dial->tls = NULL;
    dial->chain = NULL;
    dial->fd = -1;
}
