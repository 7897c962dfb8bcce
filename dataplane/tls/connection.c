/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection's bytes and states. The library always finds room for its output: what the caller's buffer cannot take is
 * kept here, and no more input is handed out until it is gone. So the library never has to stop in the middle of a message,
 * and what is kept is one flight at the most. */
#include "tls/connection.h"

#include <string.h>

#include "base/thread_slot.h"
#include "tls/alerts.h"
#include "tls/hello.h"

#define RECORD_PLAINTEXT_MAX 16384
/* Header, explicit nonce or IV, longest MAC, padding of a whole block, with a margin. */
#define RECORD_OVERHEAD 96
/* A record that would be shorter than this waits for a bigger buffer, unless it is the end of the data. */
#define RECORD_WORTHWHILE 1024
#define SPILL_FIRST       2048

/* --- output ------------------------------------------------------------------------------------------------------------------ */

static size_t room(const struct tls_connection *tls)
{
    return tls->io != NULL ? tls->io->out_capacity - tls->io->out_length : 0;
}

static bool spilled(const struct tls_connection *tls)
{
    return tls->spill_length > 0;
}

static void put(struct tls_connection *tls, const uint8_t *data, size_t len)
{
    if (len == 0)
        return;
    memcpy(tls->io->out + tls->io->out_length, data, len);
    tls->io->out_length += len;
}

static void spill_free(struct tls_connection *tls)
{
    slot_free(tls->spill);
    tls->spill = NULL;
    tls->spill_capacity = 0;
    tls->spill_length = 0;
    tls->spill_sent = 0;
}

static enum assay_error spill_add(struct tls_connection *tls, const uint8_t *data, size_t len)
{
    size_t need = tls->spill_length + len;

    if (need > tls->spill_capacity) {
        uint32_t capacity = tls->spill_capacity > 0 ? tls->spill_capacity : SPILL_FIRST;
        uint8_t *grown;

        while (capacity < need)
            capacity *= 2;
        grown = slot_alloc(capacity);
        if (grown == NULL)
            return ASSAY_ERR_NO_MEMORY;
        if (tls->spill_length > 0)
            memcpy(grown, tls->spill, tls->spill_length);
        slot_free(tls->spill);
        tls->spill = grown;
        tls->spill_capacity = capacity;
    }
    memcpy(tls->spill + tls->spill_length, data, len);
    tls->spill_length += (uint32_t)len;
    return ASSAY_OK;
}

enum assay_error connection_push(struct tls_connection *tls, const uint8_t *data, size_t len)
{
    size_t now = spilled(tls) ? 0 : room(tls);

    if (now > len)
        now = len;
    put(tls, data, now);
    return now < len ? spill_add(tls, data + now, len - now) : ASSAY_OK;
}

/* true: nothing is kept any more. */
static bool drain(struct tls_connection *tls)
{
    size_t left = tls->spill_length - tls->spill_sent;
    size_t now = room(tls) < left ? room(tls) : left;

    if (left == 0)
        return true;
    put(tls, tls->spill + tls->spill_sent, now);
    tls->spill_sent += (uint32_t)now;
    if (tls->spill_sent < tls->spill_length)
        return false;
    spill_free(tls);
    return true;
}

/* --- input -------------------------------------------------------------------------------------------------------------------- */

static struct slice lent(const struct tls_connection *tls)
{
    return tls->io != NULL ? slice_tail(tls->io->in, tls->io->in_used) : slice_of(NULL, 0);
}

static size_t take(struct slice from, uint8_t *out, size_t capacity)
{
    size_t n = from.len < capacity ? from.len : capacity;

    memcpy(out, from.data, n);
    return n;
}

static void hello_done(struct tls_connection *tls)
{
    tls_hello_free(tls->hello);
    tls->hello = NULL;
}

/* The ClientHello that answers a HelloRetryRequest gets the same strict reading as the first. */
static enum pull_result gather_second_hello(struct tls_connection *tls)
{
    size_t used;
    enum tls_status status = tls_hello_feed(tls->hello, lent(tls), &used, &tls->gate_alert);

    if (tls->io != NULL)
        tls->io->in_used += used;
    if (status == TLS_STATUS_FAILED)
        return PULL_REFUSED;
    if (status != TLS_STATUS_OK)
        return PULL_EMPTY;
    tls->hello_left = tls_hello_record(tls->hello);
    return PULL_BYTES;
}

static enum pull_result pull_hello(struct tls_connection *tls)
{
    if (tls->hello_left.len > 0)
        return PULL_BYTES;
    if (!wolf_awaits_second_hello(tls)) {
        hello_done(tls);
        return PULL_EMPTY;
    }
    if (tls_hello_record(tls->hello).len > 0)
        tls_hello_expect_second(tls->hello);
    return gather_second_hello(tls);
}

/* The first byte tells an origin that does not speak TLS on this port. */
static bool is_record_type(uint8_t byte)
{
    return byte >= 20 && byte <= 23;
}

enum pull_result connection_pull(struct tls_connection *tls, uint8_t *out, size_t capacity, size_t *length)
{
    *length = 0;
    if (spilled(tls))
        return PULL_EMPTY;
    if (tls->hello != NULL) {
        enum pull_result result = pull_hello(tls);

        if (result == PULL_BYTES) {
            *length = take(tls->hello_left, out, capacity);
            tls->hello_left = slice_tail(tls->hello_left, *length);
        }
        if (tls->hello != NULL)
            return result;
    }
    if (lent(tls).len == 0)
        return PULL_EMPTY;
    if (!tls->context->is_server && !tls->peer_heard && !is_record_type(lent(tls).data[0])) {
        tls->gate_alert = TLS_ALERT_UNEXPECTED_MESSAGE;
        return PULL_REFUSED;
    }
    tls->peer_heard = true;
    *length = take(lent(tls), out, capacity);
    tls->io->in_used += *length;
    return PULL_BYTES;
}

uint8_t connection_judge(struct tls_connection *tls, const struct slice *certificates, size_t count,
                         struct slice staple)
{
    tls->verdict = tls->verifier.fn(tls->verifier.arg, certificates, count, staple);
    tls->judged = true;
    return tls->verdict;
}

struct tls_held {
    size_t count;
    struct slice certificates[]; /* then their bytes */
};

bool connection_hold(struct tls_connection *tls, const struct slice *certificates, size_t count)
{
    size_t bytes = sizeof(struct tls_held) + count * sizeof(struct slice);
    struct tls_held *held;
    uint8_t *at;

    for (size_t i = 0; i < count; i++)
        bytes += certificates[i].len;
    held = slot_alloc(bytes);
    if (held == NULL)
        return false;
    held->count = count;
    at = (uint8_t *)(held->certificates + count);
    for (size_t i = 0; i < count; i++) {
        if (certificates[i].len > 0)
            memcpy(at, certificates[i].data, certificates[i].len);
        held->certificates[i] = slice_of(at, certificates[i].len);
        at += certificates[i].len;
    }
    slot_free(tls->held);
    tls->held = held;
    return true;
}

uint8_t connection_judge_held(struct tls_connection *tls, struct slice staple)
{
    uint8_t alert = connection_judge(tls, tls->held->certificates, tls->held->count, staple);

    slot_free(tls->held);
    tls->held = NULL;
    return alert;
}

/* --- failures ------------------------------------------------------------------------------------------------------------------ */

static void set_state(struct tls_connection *tls, enum tls_state state)
{
    tls->state = (uint8_t)state;
}

/* Whatever went wrong, the peer is told once, unless it told us. */
static void fail(struct tls_connection *tls, int code)
{
    struct wolf_fault fault = wolf_classify(code);
    uint8_t sent, received;

    wolf_get_alerts(tls, &sent, &received);
    if (received == 0 && tls->hello != NULL)
        received = tls_hello_alert_received(tls->hello);
    if (tls->gate_alert != 0)
        fault = (struct wolf_fault){TLS_FAILURE_PROTOCOL, tls->gate_alert};
    if (tls->verdict != 0)
        fault = (struct wolf_fault){TLS_FAILURE_VERIFIER, tls->verdict};
    else if (received != 0)
        fault = (struct wolf_fault){TLS_FAILURE_PEER_ALERT, 0};
    else if (fault.kind == TLS_FAILURE_VERIFIER) /* it would let pass what the library cannot use */
        fault.kind = TLS_FAILURE_CERTIFICATE;
    if (sent == 0 && fault.alert != 0) {
        wolf_send_alert(tls, fault.alert);
        sent = fault.alert;
    }
    tls->failure = (struct tls_failure){fault.kind, sent, received, code};
    set_state(tls, TLS_STATE_FAILED);
}

/* --- driving -------------------------------------------------------------------------------------------------------------------- */

static enum tls_status blocked(const struct tls_connection *tls)
{
    return spilled(tls) ? TLS_STATUS_WANT_ROOM : TLS_STATUS_WANT_INPUT;
}

/* The end of each call that ran the library: the caller's buffers are forgotten. */
static enum tls_status conclude(struct tls_connection *tls, enum wolf_step step, int code)
{
    enum tls_status status = TLS_STATUS_OK;

    if (step == WOLF_FAILED)
        fail(tls, code);
    else if (step == WOLF_CLOSED)
        set_state(tls, TLS_STATE_CLOSED);
    if (tls->state == TLS_STATE_FAILED)
        status = spilled(tls) ? TLS_STATUS_WANT_ROOM : TLS_STATUS_FAILED;
    else if (tls->state == TLS_STATE_CLOSED)
        status = TLS_STATUS_CLOSED;
    else if (step == WOLF_BLOCKED)
        status = blocked(tls);
    tls->io = NULL;
    return status;
}

/* Output that was kept goes first. True: the call is over, with *status. */
static bool begin(struct tls_connection *tls, struct tls_io *io, enum tls_status *status)
{
    tls->io = io;
    if (!drain(tls))
        *status = TLS_STATUS_WANT_ROOM;
    else if (tls->state == TLS_STATE_FAILED)
        *status = TLS_STATUS_FAILED;
    else
        return false;
    tls->io = NULL;
    return true;
}

static void established(struct tls_connection *tls)
{
    set_state(tls, TLS_STATE_ESTABLISHED);
    hello_done(tls);
    slot_free(tls->name);
    tls->name = NULL;
    tls->idle_records = 0;
}

enum tls_status tls_handshake(struct tls_connection *tls, struct tls_io *io)
{
    enum tls_status status;
    enum wolf_step step;
    int code = 0;

    if (begin(tls, io, &status))
        return status;
    if (tls->state != TLS_STATE_HANDSHAKE)
        return conclude(tls, WOLF_DONE, 0);
    step = wolf_handshake(tls, &code);
    /* The library ends no handshake before a chain was judged, nor while one is held. Should it ever: no. */
    if (step == WOLF_DONE && !tls->context->is_server && (tls->held != NULL || (!tls->judged && !wolf_resumed(tls))))
        step = WOLF_FAILED;
    if (step == WOLF_DONE)
        established(tls);
    return conclude(tls, step, code);
}

enum tls_status tls_read(struct tls_connection *tls, struct tls_io *io, void *buffer, size_t capacity, size_t *length)
{
    enum tls_status status;
    enum wolf_step step;
    int code = 0;

    *length = 0;
    if (begin(tls, io, &status))
        return status;
    if (tls->state != TLS_STATE_ESTABLISHED)
        return conclude(tls, WOLF_BLOCKED, 0);
    step = wolf_read(tls, buffer, capacity, length, &code);
    if (step == WOLF_DONE)
        tls->idle_records = 0;
    return conclude(tls, step, code);
}

/* How much of left goes into the next record; 0: the buffer is too full to be worth one. */
static size_t next_record(const struct tls_connection *tls, size_t left)
{
    size_t want = left < RECORD_PLAINTEXT_MAX ? left : RECORD_PLAINTEXT_MAX;
    size_t fits = room(tls) > RECORD_OVERHEAD ? room(tls) - RECORD_OVERHEAD : 0;

    if (want <= fits)
        return want;
    return fits >= RECORD_WORTHWHILE || tls->io->out_length == 0 ? fits : 0;
}

enum tls_status tls_write(struct tls_connection *tls, struct tls_io *io, const void *data, size_t len, size_t *taken)
{
    const uint8_t *from = data;
    enum wolf_step step = WOLF_DONE;
    enum tls_status status;
    int code = 0;

    *taken = 0;
    if (begin(tls, io, &status))
        return status;
    if (tls->state == TLS_STATE_HANDSHAKE || tls->close_sent)
        return conclude(tls, WOLF_BLOCKED, 0);
    while (step == WOLF_DONE && *taken < len) {
        size_t n = next_record(tls, len - *taken);

        if (n == 0) {
            tls->io = NULL;
            return TLS_STATUS_WANT_ROOM;
        }
        step = wolf_write(tls, from + *taken, n, &code);
        if (step == WOLF_DONE)
            *taken += n;
    }
    if (step == WOLF_DONE) { /* the peer may have closed its side: ours is still open */
        tls->io = NULL;
        return TLS_STATUS_OK;
    }
    return conclude(tls, step, code);
}

enum tls_status tls_close_notify(struct tls_connection *tls, struct tls_io *io)
{
    enum wolf_step step = WOLF_DONE;
    enum tls_status status;
    int code = 0;

    if (begin(tls, io, &status))
        return status;
    if (!tls->close_sent) {
        tls->close_sent = true;
        step = wolf_close_notify(tls, &code);
    }
    if (step == WOLF_FAILED)
        return conclude(tls, step, code);
    status = blocked(tls) == TLS_STATUS_WANT_ROOM ? TLS_STATUS_WANT_ROOM : TLS_STATUS_OK;
    tls->io = NULL;
    return status;
}

size_t tls_sealed_size(size_t len)
{
    size_t records = (len + RECORD_PLAINTEXT_MAX - 1) / RECORD_PLAINTEXT_MAX;

    return len + records * RECORD_OVERHEAD;
}

/* --- life ----------------------------------------------------------------------------------------------------------------------- */

static struct tls_connection *connection_new(struct tls_context *context)
{
    struct tls_connection *tls = slot_alloc(sizeof(*tls));

    if (tls == NULL)
        return NULL;
    memset(tls, 0, sizeof(*tls));
    tls->context = context;
    return tls;
}

static enum assay_error keep_name(struct tls_connection *tls, struct slice name)
{
    if (name.len == 0)
        return ASSAY_OK;
    tls->name = slot_alloc(name.len);
    if (tls->name == NULL)
        return ASSAY_ERR_NO_MEMORY;
    memcpy(tls->name, name.data, name.len);
    tls->name_length = (uint8_t)name.len;
    return ASSAY_OK;
}

enum assay_error tls_server_create(struct tls_context *context, struct tls_hello *hello, struct tls_connection **out)
{
    struct tls_connection *tls = connection_new(context);
    enum assay_error error;

    *out = NULL;
    if (tls == NULL) {
        tls_hello_free(hello);
        return ASSAY_ERR_NO_MEMORY;
    }
    tls->hello = hello;
    tls->hello_left = tls_hello_record(hello);
    error = tls->hello_left.len > 0 ? keep_name(tls, tls_hello_sni(hello)) : ASSAY_ERR_MALFORMED;
    if (error == ASSAY_OK)
        error = wolf_create(tls, NULL, NULL);
    if (error != ASSAY_OK) {
        tls_free(tls);
        return error;
    }
    *out = tls;
    return ASSAY_OK;
}

enum assay_error tls_client_create(struct tls_context *context, const char *server_name, struct tls_verifier verifier,
                                   const struct tls_session *session, struct tls_connection **out)
{
    struct tls_connection *tls;
    enum assay_error error;

    *out = NULL;
    if (verifier.fn == NULL)
        return ASSAY_ERR_RANGE;
    tls = connection_new(context);
    if (tls == NULL)
        return ASSAY_ERR_NO_MEMORY;
    tls->verifier = verifier;
    error = wolf_create(tls, server_name, session);
    if (error != ASSAY_OK) {
        tls_free(tls);
        return error;
    }
    *out = tls;
    return ASSAY_OK;
}

void tls_free(struct tls_connection *tls)
{
    if (tls == NULL)
        return;
    wolf_free(tls);
    hello_done(tls);
    spill_free(tls);
    slot_free(tls->name);
    slot_free(tls->held);
    slot_free(tls);
}

/* --- what is asked of it ------------------------------------------------------------------------------------------------------- */

bool tls_pending(const struct tls_connection *tls)
{
    return tls->state == TLS_STATE_ESTABLISHED && wolf_pending(tls);
}

bool tls_established(const struct tls_connection *tls)
{
    return tls->state == TLS_STATE_ESTABLISHED || tls->state == TLS_STATE_CLOSED;
}

bool tls_resumed(const struct tls_connection *tls)
{
    return wolf_resumed(tls);
}

enum tls_version tls_get_version(const struct tls_connection *tls)
{
    return wolf_version(tls);
}

const char *tls_get_cipher(const struct tls_connection *tls)
{
    return wolf_cipher(tls);
}

bool tls_certificate_requested(const struct tls_connection *tls)
{
    return wolf_certificate_requested(tls);
}

struct slice tls_get_alpn(const struct tls_connection *tls)
{
    return wolf_alpn(tls);
}

void tls_get_failure(const struct tls_connection *tls, struct tls_failure *out)
{
    *out = tls->failure;
}
