/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request and its response: heads read and rewritten, bodies streamed with backpressure both ways (never a whole body in
 * memory), in order on the client's connection. Level-triggered: exchange_pump() does all that can be done now. */
#include "assay/log_record.h"
#include "proxy/internal.h"

#define EXCHANGE_ANSWER_MAX 2048 /* an answer of our own, head and text */

static struct stream exchange_origin(const struct client *c)
{
    return upstream_stream(c->upstream);
}

/* --- its ends ----------------------------------------------------------------------------------------------------------------- */

void exchange_reset(struct proxy *p, struct client *c)
{
    origin_leave_queue(c);
    if (c->upstream != NULL) {
        struct upstream *u = c->upstream;

        c->upstream = NULL;
        u->client = NULL;
        upstream_close(p, u, true);
    }
    if (c->transaction != 0)
        p->counters.requests_now--;
    c->transaction = 0;
    c->origin = NULL;
    c->scan = (struct http_scan){0};
    c->head_length = 0;
    c->parsed = 0;
    c->attempts = 0;
    c->interims = 0;
    c->request_sent = c->request_done = c->response_started = c->response_head = c->response_chunked = false;
    c->ntlm = c->head_only = c->idempotent = c->request_blocked = c->response_blocked = false;
}

void exchange_log_answer(struct proxy *p, struct client *c, struct slice status_line)
{
    struct log_line line = {.kind = LOG_SENDING_RESPONSE,
                            .status = c->status,
                            .peer = &c->peer,
                            .peer_port = c->peer_port,
                            .transaction = c->transaction};

    if (!p->snapshot->settings->log_requests || c->transaction == 0)
        return;
    line.strings[2] = status_line;
    proxy_log(p, &line);
}

static void exchange_count_answer(struct proxy *p, uint16_t status)
{
    p->counters.requests_bad += status == 400;
    p->counters.requests_denied += status == 403;
    p->counters.requests_not_found += status == 404;
    p->counters.requests_timeout += status == 408;
    p->counters.requests_too_large += status == 413 || status == 414 || status == 431;
    p->counters.answers_502 += status == 502;
    p->counters.requests_overload += status == 503;
    p->counters.answers_504 += status == 504;
}

/* After these the connection's framing is in doubt, or the client is still sending. */
static bool exchange_must_close(const struct client *c, uint16_t status)
{
    return !c->keep_alive || !c->request_done || c->transaction == 0 || status == 400 || status == 408 ||
           status == 413 || status == 414 || status == 431 || status == 501 || status == 505;
}

static void exchange_next(struct proxy *p, struct client *c)
{
    exchange_reset(p, c);
    client_set_phase(p, c, CLIENT_HEAD);
    proxy_deadline(p, &c->timer, p->now_us + p->snapshot->settings->client_idle_us);
    /* What came meanwhile, its end too, has had its event. */
    if (c->in.end > c->in.start || (c->tls != NULL && tls_pending(c->tls)) || tcp_readable(p->tcp, c->tcp) > 0 ||
        tcp_at_end(p->tcp, c->tcp))
        client_again(p, c);
    else
        buffer_give(p, &c->in);
}

void exchange_answer(struct proxy *p, struct client *c, uint16_t status, const char *what)
{
    char answer[EXCHANGE_ANSWER_MAX];
    const char *reason = http_reason(status);
    bool close = exchange_must_close(c, status) || p->draining;
    size_t length;

    if (c->response_head) { /* too late for another answer: the client must see that this one is broken */
        p->counters.responses_aborted++;
        client_close(p, c, true);
        return;
    }
    exchange_count_answer(p, status);
    if (http_write_answer(answer, sizeof(answer), status, reason, what, !close, c->head_only, &length) != ASSAY_OK ||
        stream_room(p, client_stream(c), length) < length ||
        stream_write(p, client_stream(c), answer, length) != STREAM_OK) {
        client_close(p, c, true);
        return;
    }
    p->counters.client_bytes_out += length;
    c->status = status;
    exchange_log_answer(p, c, slice_of(answer, strcspn(answer, "\r")));
    if (close)
        client_linger(p, c);
    else
        exchange_next(p, c);
}

void exchange_finish(struct proxy *p, struct client *c)
{
    p->counters.responses++;
    if (!c->keep_alive || !c->request_done || p->draining)
        client_linger(p, c);
    else
        exchange_next(p, c);
}

/* --- a head from the client ------------------------------------------------------------------------------------------------- */

static void exchange_begin(struct proxy *p, struct client *c)
{
    const struct settings_section *settings = p->snapshot->settings;
    const struct http_request *request = &p->request;
    uint32_t limit = settings->requests_per_connection_max;

    p->counters.requests++;
    p->counters.requests_now++;
    c->requests++;
    c->transaction = ++p->transactions * p->config.cores - (p->config.cores - 1) + p->config.core;
    c->minor = request->minor;
    c->head_only = request->head_only;
    c->idempotent = request->idempotent;
    c->ntlm = request->ntlm;
    c->keep_alive = request->keep_alive && !p->draining && (limit == 0 || c->requests < limit);
    c->request_done =
        request->body == HTTP_BODY_NONE || (request->body == HTTP_BODY_LENGTH && request->content_length == 0);
    http_body_init(&c->request_body, request->body, request->content_length);
    if (!request_resolve(p, c, &p->target, true)) {
        exchange_answer(p, c, p->target.status, p->target.what);
        return;
    }
    if (settings->maintenance || p->draining) {
        p->counters.requests_maintenance++;
        exchange_answer(p, c, 503, "in maintenance");
        return;
    }
    if (settings->request_body_max_bytes != 0 && request->content_length > settings->request_body_max_bytes &&
        request->body == HTTP_BODY_LENGTH) {
        exchange_answer(p, c, 413, "the request's body is too large");
        return;
    }
    c->origin = origin_find(p, &p->target);
    if (c->origin == NULL) {
        exchange_answer(p, c, 503, "too many origins in use");
        return;
    }
    if (origin_acquire(p, c->origin, c))
        exchange_upstream_ready(p, c);
}

/* Reads what there is behind what was read; false when there is nothing (the connection may be closed then). */
static bool exchange_fill(struct proxy *p, struct client *c)
{
    size_t length = 0;
    enum stream_status status;

    if (!buffer_take(p, &c->in)) {
        client_again(p, c);
        return false;
    }
    status = stream_read(p, client_stream(c), c->in.bytes + c->in.end, PROXY_BUFFER_BYTES - c->in.end, &length);
    c->in.end += (uint32_t)length;
    p->counters.client_bytes_in += length;
    p->pump_bytes = p->pump_bytes > length ? p->pump_bytes - length : 0;
    switch (status) {
    case STREAM_OK: return true;
    case STREAM_WAIT: return false;
    case STREAM_END:
    case STREAM_CUT:
        if (c->phase == CLIENT_EXCHANGE && c->request_done)
            return false; /* half closed: it still wants its response */
        if (c->phase == CLIENT_HEAD)
            stream_finish(p, client_stream(c)); /* our close_notify in return (RFC 8446 §6.1) */
        client_close(p, c, c->phase == CLIENT_EXCHANGE);
        return false;
    case STREAM_FAILED: break;
    }
    if (tcp_live(p->tcp, c->tcp))
        client_linger(p, c); /* so that the alert arrives: a close with input unread would be a reset */
    else
        client_close(p, c, false);
    return false;
}

/* Bytes that were not looked at yet: left from what came behind the former request, or read now. */
static bool exchange_more_head(struct proxy *p, struct client *c)
{
    if (c->in.start > 0) {
        memmove(c->in.bytes, c->in.bytes + c->in.start, c->in.end - c->in.start);
        c->in.end -= c->in.start;
        c->in.start = 0;
    }
    if (c->in.end > c->parsed)
        return true;
    if (c->in.bytes != NULL && c->in.end == PROXY_BUFFER_BYTES) {
        exchange_answer(p, c, 431, "the head is too large");
        return false;
    }
    if (exchange_fill(p, c))
        return true;
    if (c->phase == CLIENT_HEAD && c->in.end == 0)
        buffer_give(p, &c->in);
    return false;
}

static bool exchange_read_head(struct proxy *p, struct client *c)
{
    struct http_limits limits = request_limits(p);
    struct http_parse_error error = {0};
    size_t length = 0;

    /* A client that asks and asks without taking the answers waits: whatever the answer, there is room for it. */
    if (stream_room(p, client_stream(c), EXCHANGE_ANSWER_MAX) < EXCHANGE_ANSWER_MAX || !exchange_more_head(p, c))
        return false;
    /* Counted from the head's first byte, however slowly the rest drips in. */
    if (c->parsed == 0)
        proxy_deadline(p, &c->timer, p->now_us + p->snapshot->settings->client_head_us);
    c->parsed = c->in.end;
    switch (http_parse_request(&c->scan, buffer_slice(&c->in), &limits, &p->request, &length, &error)) {
    case HTTP_PARSE_DONE:
        c->head_length = (uint32_t)length;
        c->in.start = (uint32_t)length;
        exchange_begin(p, c);
        return true;
    case HTTP_PARSE_BAD: exchange_answer(p, c, error.status, error.what); return false;
    case HTTP_PARSE_MORE: break;
    }
    return true;
}

/* --- the request toward the origin -------------------------------------------------------------------------------------------- */

void exchange_log_sending(struct proxy *p, struct client *c, const struct assay_address *address)
{
    char message[2300];
    size_t at = 0;
    struct slice parts[] = {p->request.method, slice_text(" "), p->target.path, slice_text(" HTTP/1.1")};
    struct log_line line = {
        .kind = LOG_SENDING_REQUEST, .peer = address, .peer_port = c->origin->port, .transaction = c->transaction};

    if (!p->snapshot->settings->log_requests)
        return;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct slice part = slice_head(parts[i], sizeof(message) - at);

        memcpy(message + at, part.data, part.len);
        at += part.len;
    }
    line.strings[0] = p->target.tracking_id;
    line.strings[2] = slice_of(message, at);
    proxy_log(p, &line);
}

/* Writes the head, and with it what has come of a body of known length, as one record. */
static bool exchange_send_head(struct proxy *p, struct client *c)
{
    struct http_forward forward = {.host = slice_text(p->target.host_header),
                                   .path = p->target.path,
                                   .via_name = slice_text(p->snapshot->settings->via_name),
                                   .tracking_id = p->target.tracking_id,
                                   .client = &c->peer,
                                   .client_trusted = c->trusted};
    struct stream s = exchange_origin(c);
    size_t length, room;

    if (http_write_request((char *)p->plain, PROXY_PLAIN_BYTES, &p->request, &forward, &length) != ASSAY_OK)
        return false;
    room = stream_room(p, s, PROXY_PLAIN_BYTES);
    if (room < length)
        return false;
    if (!c->request_done && c->request_body.kind == HTTP_BODY_LENGTH && c->in.end > c->in.start) {
        size_t used = 0;
        struct slice data = {0};

        if (http_body_next(&c->request_body, slice_head(buffer_slice(&c->in), room - length), &used, &data) ==
            HTTP_BODY_DATA) {
            memcpy(p->plain + length, data.data, data.len);
            length += data.len;
        }
        c->in.start += (uint32_t)used;
        if (c->request_body.remaining == 0)
            c->request_done = true;
    }
    return stream_write(p, s, p->plain, length) == STREAM_OK;
}

void exchange_upstream_ready(struct proxy *p, struct client *c)
{
    struct upstream *u = c->upstream;

    /* Every request, before its first byte goes out (S1): is the verdict good now? */
    if (u->origin->https) {
        if (!verdict_current(p, u) || verdict_refuses(p, u->origin, &u->verdict)) {
            verdict_log(p, u, &u->verdict, true);
            c->upstream = NULL;
            u->client = NULL;
            upstream_close(p, u, false);
            exchange_upstream_lost(p, c, LOSS_VERDICT);
            return;
        }
        verdict_log(p, u, &u->verdict, false);
    }
    client_set_phase(p, c, CLIENT_EXCHANGE);
    c->request_sent = true;
    c->status = 0;
    u->requests++;
    u->scan = (struct http_scan){0};
    u->origin->requests++;
    verdict_count_request(p, u);
    if (!exchange_send_head(p, c)) {
        c->upstream = NULL;
        u->client = NULL;
        upstream_close(p, u, true);
        exchange_upstream_lost(p, c, LOSS_CLOSED);
        return;
    }
    proxy_deadline(
        p, &c->timer,
        p->now_us + (c->request_done ? p->snapshot->settings->origin_head_us : p->snapshot->settings->client_body_us));
    if (!c->request_done)
        client_again(p, c);
}

/* Payload of a chunked body as one chunk; of any other as it is. */
bool exchange_write_payload(struct proxy *p, struct stream s, bool chunked, struct slice data)
{
    size_t head;

    if (!chunked)
        return stream_write(p, s, data.data, data.len) == STREAM_OK;
    head = http_chunk_head(data.len, (char *)p->plain);
    memcpy(p->plain + head, data.data, data.len);
    memcpy(p->plain + head + data.len, HTTP_CHUNK_END, 2);
    return stream_write(p, s, p->plain, head + data.len + 2) == STREAM_OK;
}

static void exchange_body_bad(struct proxy *p, struct client *c, uint16_t status, const char *what)
{
    /* The origin has half a request: its connection is of no more use. */
    if (c->upstream != NULL) {
        struct upstream *u = c->upstream;

        c->upstream = NULL;
        u->client = NULL;
        upstream_close(p, u, true);
    }
    exchange_answer(p, c, status, what);
}

static bool exchange_request_complete(struct proxy *p, struct client *c)
{
    c->request_done = true;
    if (c->request_body.kind == HTTP_BODY_CHUNKED &&
        stream_write(p, exchange_origin(c), HTTP_CHUNK_LAST, strlen(HTTP_CHUNK_LAST)) != STREAM_OK) {
        exchange_body_bad(p, c, 502, "the connection to the origin was lost");
        return false;
    }
    if (!c->response_head)
        proxy_deadline(p, &c->timer, p->now_us + p->snapshot->settings->origin_head_us);
    return true;
}

/* How much of the request's body the origin takes. While it takes nothing, the client is not the one who is late. */
static size_t exchange_request_room(struct proxy *p, struct client *c, size_t margin)
{
    const struct settings_section *settings = p->snapshot->settings;
    size_t room = stream_room(p, exchange_origin(c), PROXY_BUFFER_BYTES / 2 + margin);
    bool blocked = room <= margin;

    if (blocked != c->request_blocked && !c->response_head)
        proxy_deadline(p, &c->timer, p->now_us + (blocked ? settings->origin_body_us : settings->client_body_us));
    c->request_blocked = blocked;
    return blocked ? 0 : room - margin;
}

/* Moves some of the request's body. True: something happened. */
static bool exchange_forward_request(struct proxy *p, struct client *c)
{
    const struct settings_section *settings = p->snapshot->settings;
    bool chunked = c->request_body.kind == HTTP_BODY_CHUNKED;
    size_t margin = HTTP_CHUNK_HEAD_MAX + 2 + strlen(HTTP_CHUNK_LAST);
    struct slice data = {0};
    size_t room, used = 0;

    if (c->request_done)
        return false;
    room = exchange_request_room(p, c, margin);
    if (room == 0)
        return false;
    if (c->in.end == c->in.start) {
        c->in.start = c->in.end = c->head_length;
        if (!exchange_fill(p, c))
            return false;
        if (!c->response_head)
            proxy_deadline(p, &c->timer, p->now_us + settings->client_body_us);
    }
    switch (http_body_next(&c->request_body, slice_head(buffer_slice(&c->in), room), &used, &data)) {
    case HTTP_BODY_DATA:
        c->in.start += (uint32_t)used;
        if (settings->request_body_max_bytes != 0 && c->request_body.payload_bytes > settings->request_body_max_bytes) {
            exchange_body_bad(p, c, 413, "the request's body is too large");
            return false;
        }
        if (!exchange_write_payload(p, exchange_origin(c), chunked, data)) {
            exchange_body_bad(p, c, 502, "the connection to the origin was lost");
            return false;
        }
        if (c->request_body.kind == HTTP_BODY_LENGTH && c->request_body.remaining == 0)
            return exchange_request_complete(p, c);
        return true;
    case HTTP_BODY_MORE: c->in.start += (uint32_t)used; return used > 0;
    case HTTP_BODY_END: c->in.start += (uint32_t)used; return exchange_request_complete(p, c);
    case HTTP_BODY_BAD: break;
    }
    exchange_body_bad(p, c, 400, "the request's chunked body is malformed");
    return false;
}

void exchange_pump(struct proxy *p, struct client *c)
{
    bool progress = true;

    p->pump_bytes = PROXY_PUMP_BYTES;
    while (progress) {
        switch ((enum client_phase)c->phase) {
        case CLIENT_HEAD: progress = exchange_read_head(p, c); break;
        case CLIENT_EXCHANGE:
            progress = exchange_forward_request(p, c);
            if (c->phase == CLIENT_EXCHANGE)
                progress |= response_step(p, c);
            break;
        default: return;
        }
        /* Its share of this turn is used up: others first. */
        if (progress && p->pump_bytes == 0 && (c->phase == CLIENT_HEAD || c->phase == CLIENT_EXCHANGE)) {
            client_again(p, c);
            return;
        }
    }
}

/* --- when it goes wrong --------------------------------------------------------------------------------------------------------- */

static bool exchange_may_retry(const struct client *c, enum upstream_loss loss)
{
    if (loss == LOSS_VERDICT || loss == LOSS_TIMEOUT || loss == LOSS_REVOKED || loss == LOSS_NO_PORT ||
        c->attempts >= EXCHANGE_ATTEMPTS || c->response_started)
        return false;
    /* Bytes went out: only where doing it twice is the same as once, and nothing of the request is gone. */
    return !c->request_sent || (c->idempotent && c->request_body.kind == HTTP_BODY_NONE);
}

void exchange_upstream_lost(struct proxy *p, struct client *c, enum upstream_loss loss)
{
    if (c->phase == CLIENT_FREE)
        return;
    if (exchange_may_retry(c, loss)) {
        p->counters.origin_retries++;
        if (!request_load(p, c)) {
            exchange_answer(p, c, p->target.status, p->target.what);
            return;
        }
        c->request_sent = false;
        if (origin_acquire(p, c->origin, c))
            exchange_upstream_ready(p, c);
        return;
    }
    switch (loss) {
    case LOSS_CONNECT: exchange_answer(p, c, 502, "the origin cannot be reached"); break;
    case LOSS_CONNECT_TIMEOUT: exchange_answer(p, c, 504, "the origin did not answer in time"); break;
    case LOSS_TIMEOUT: exchange_answer(p, c, 504, "the origin did not respond in time"); break;
    case LOSS_VERDICT: exchange_answer(p, c, 502, "the origin's certificate was not accepted"); break;
    case LOSS_REVOKED: exchange_answer(p, c, 502, "the origin's certificate is no longer accepted"); break;
    case LOSS_TLS: exchange_answer(p, c, 502, "the TLS handshake with the origin failed"); break;
    case LOSS_CLOSED: exchange_answer(p, c, 502, "the origin closed the connection"); break;
    case LOSS_NO_PORT: exchange_answer(p, c, 503, "no source port is left"); break;
    }
}

static void exchange_give_up(struct proxy *p, struct client *c, enum upstream_loss loss)
{
    struct upstream *u = c->upstream;

    c->upstream = NULL;
    if (u != NULL) {
        u->client = NULL;
        upstream_close(p, u, true);
    }
    exchange_upstream_lost(p, c, loss);
}

/* Whom was it that this waited for? */
static void exchange_timeout_transfer(struct proxy *p, struct client *c)
{
    if (c->response_blocked && client_takes_on(p, c))
        return;
    if (c->response_head) {
        if (!c->response_blocked)
            origin_note_error(c->upstream->origin, "the response's body took too long");
        p->counters.responses_aborted++;
        client_close(p, c, true);
    } else if (!c->request_done && !c->request_blocked) {
        exchange_body_bad(p, c, 408, "the request's body took too long");
    } else {
        origin_note_error(c->upstream->origin, "no response in time");
        exchange_give_up(p, c, LOSS_TIMEOUT);
    }
}

void exchange_timeout(struct proxy *p, struct client *c)
{
    switch ((enum client_phase)c->phase) {
    case CLIENT_HEAD:
        if (c->in.end > c->in.start && c->in.bytes != NULL)
            exchange_answer(p, c, 408, "the request's head took too long");
        else
            client_linger(p, c);
        break;
    case CLIENT_QUEUED: exchange_answer(p, c, 503, "too many requests wait for that origin"); break;
    case CLIENT_CONNECT:
        upstream_connect_timeout(p, c->upstream);
        exchange_give_up(p, c, LOSS_CONNECT_TIMEOUT);
        break;
    case CLIENT_EXCHANGE: exchange_timeout_transfer(p, c); break;
    default: break;
    }
}
