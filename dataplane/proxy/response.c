/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The second half of an exchange: the origin's response on its way to the client. */
#include "assay/log_record.h"
#include "proxy/internal.h"

#define RESPONSE_INTERIMS_MAX 16

/* Chunk framing around a piece, and the last chunk behind it. */
#define RESPONSE_MARGIN (HTTP_CHUNK_HEAD_MAX + 2 + sizeof(HTTP_CHUNK_LAST))

/* The exchange loses its upstream in the middle: whether there is another answer depends on how far it is. */
static void response_lost(struct proxy *p, struct client *c, enum upstream_loss loss)
{
    struct upstream *u = c->upstream;

    c->upstream = NULL;
    u->client = NULL;
    if (upstream_tls_spoke(u))
        upstream_close_told(p, u);
    else
        upstream_close(p, u, true);
    exchange_upstream_lost(p, c, loss);
}

static void response_complete(struct proxy *p, struct client *c)
{
    struct upstream *u = c->upstream;
    bool reusable =
        u->keep_alive && c->request_done && u->in.start == u->in.end && c->response_body.kind != HTTP_BODY_UNTIL_CLOSE;

    upstream_keep_session(p, u);
    c->upstream = NULL;
    u->client = NULL;
    u->ntlm |= c->ntlm;
    exchange_finish(p, c);
    /* An authenticated connection is the client's own (DESIGN 7). */
    if (u->ntlm && reusable && c->phase == CLIENT_HEAD && c->sticky == NULL) {
        c->sticky = u;
        u->sticky_for = c;
    } else if (u->ntlm) {
        reusable = u->sticky_for != NULL && reusable;
    }
    origin_release(p, u, reusable);
}

/* The origin's bytes ended: a proper end only for a body that lasts until then. */
static void response_ended(struct proxy *p, struct client *c, enum stream_status status)
{
    struct upstream *u = c->upstream;

    /* What TLS says of its end counts, though a reset came behind it. */
    if (status == STREAM_FAILED && u->tls != NULL && (tcp_live(p->tcp, u->tcp) || upstream_tls_spoke(u))) {
        response_lost(p, c, upstream_tls_failed(p, u));
        return;
    }
    if (!c->response_head || status != STREAM_END || !http_body_closed(&c->response_body)) {
        origin_note_error(u->origin, "closed before the response was complete");
        response_lost(p, c, LOSS_CLOSED);
        return;
    }
    if (c->response_chunked &&
        stream_write(p, client_stream(c), HTTP_CHUNK_LAST, strlen(HTTP_CHUNK_LAST)) != STREAM_OK) {
        client_close(p, c, true);
        return;
    }
    response_complete(p, c);
}

static bool response_fill(struct proxy *p, struct client *c)
{
    struct upstream *u = c->upstream;
    enum stream_status status;
    size_t length = 0;

    if (!buffer_take(p, &u->in)) {
        client_again(p, c);
        return false;
    }
    status = stream_read(p, upstream_stream(u), u->in.bytes + u->in.end, PROXY_BUFFER_BYTES - u->in.end, &length);
    u->in.end += (uint32_t)length;
    p->pump_bytes = p->pump_bytes > length ? p->pump_bytes - length : 0;
    if (status == STREAM_OK)
        return true;
    if (status == STREAM_WAIT) {
        if (u->in.end == u->in.start)
            buffer_give(p, &u->in);
        return false;
    }
    response_ended(p, c, status);
    return false;
}

/* 1xx: passed on where the client can understand it, and never the final answer (RFC 9110 §15.2). */
static bool response_interim(struct proxy *p, struct client *c, size_t head_length)
{
    struct upstream *u = c->upstream;
    size_t length;

    /* 101: nobody asked, Upgrade is not forwarded. */
    if (p->response.status == 101 || ++c->interims > RESPONSE_INTERIMS_MAX) {
        origin_note_error(u->origin, "interim responses without end, or of a protocol that was not asked for");
        response_lost(p, c, LOSS_CLOSED);
        return false;
    }
    if (c->minor >= 1) {
        if (http_write_response((char *)p->plain, PROXY_PLAIN_BYTES, &p->response,
                                slice_text(p->snapshot->settings->via_name), false, true, c->minor,
                                &length) == ASSAY_OK &&
            stream_write(p, client_stream(c), p->plain, length) != STREAM_OK) {
            client_close(p, c, true);
            return false;
        }
    }
    u->in.start += (uint32_t)head_length;
    memmove(u->in.bytes, u->in.bytes + u->in.start, u->in.end - u->in.start);
    u->in.end -= u->in.start;
    u->in.start = 0;
    u->scan = (struct http_scan){0};
    u->parsed = 0;
    return true;
}

static void response_log_received(struct proxy *p, struct client *c)
{
    struct log_line line = {.kind = LOG_RECEIVE_RESPONSE,
                            .status = p->response.status,
                            .peer = &c->upstream->address,
                            .peer_port = c->upstream->origin->port,
                            .transaction = c->transaction};

    if (!p->snapshot->settings->log_requests)
        return;
    line.strings[2] = p->response.line;
    proxy_log(p, &line);
}

/* How the response's body is framed for this client, and whether its connection lives on. */
static void response_decide_framing(struct client *c, const struct http_response *response)
{
    bool unknown_length = response->body == HTTP_BODY_CHUNKED || response->body == HTTP_BODY_UNTIL_CLOSE;

    c->response_chunked = unknown_length && c->minor >= 1;
    if ((unknown_length && c->minor == 0) || !c->request_done)
        c->keep_alive = false;
}

/* The head, and with it what has come of a body of known length, as one record. */
static bool response_send_head(struct proxy *p, struct client *c)
{
    struct upstream *u = c->upstream;
    size_t room = stream_room(p, client_stream(c), PROXY_PLAIN_BYTES), length;

    if (http_write_response((char *)p->plain, room, &p->response, slice_text(p->snapshot->settings->via_name),
                            c->response_chunked, c->keep_alive && !p->draining, c->minor, &length) != ASSAY_OK)
        return false;
    if (c->response_body.kind == HTTP_BODY_LENGTH && u->in.end > u->in.start && c->response_body.remaining > 0) {
        struct slice data = {0};
        size_t used = 0;

        if (http_body_next(&c->response_body, slice_head(buffer_slice(&u->in), room - length), &used, &data) ==
            HTTP_BODY_DATA) {
            memcpy(p->plain + length, data.data, data.len);
            length += data.len;
        }
        u->in.start += (uint32_t)used;
    }
    p->counters.client_bytes_out += length;
    return stream_write(p, client_stream(c), p->plain, length) == STREAM_OK;
}

static bool response_begin(struct proxy *p, struct client *c, size_t head_length)
{
    struct upstream *u = c->upstream;
    const struct http_response *response = &p->response;

    u->in.start += (uint32_t)head_length;
    u->keep_alive = response->keep_alive;
    u->ntlm |= response->ntlm;
    c->status = response->status;
    response_log_received(p, c);
    response_decide_framing(c, response);
    http_body_init(&c->response_body, response->body, response->content_length);
    exchange_log_answer(p, c, response->line);
    if (!response_send_head(p, c)) {
        client_close(p, c, true);
        return false;
    }
    c->response_head = true;
    proxy_deadline(p, &c->timer, p->now_us + p->snapshot->settings->origin_body_us);
    if (response->body == HTTP_BODY_NONE || (response->body == HTTP_BODY_LENGTH && c->response_body.remaining == 0))
        response_complete(p, c);
    return true;
}

static bool response_read_head(struct proxy *p, struct client *c)
{
    struct http_limits limits = request_limits(p);
    struct http_parse_error error = {0};
    struct upstream *u = c->upstream;
    size_t length = 0, room = limits.head_max + PROXY_HEAD_GROWTH;

    /* Before anything is read: whatever head comes, the client can take it. */
    if (stream_room(p, client_stream(c), room) < room)
        return false;
    if (u->in.end <= u->parsed) {
        if (u->in.bytes != NULL && u->in.end == PROXY_BUFFER_BYTES) {
            origin_note_error(u->origin, "response head too large");
            response_lost(p, c, LOSS_CLOSED);
            return false;
        }
        if (!response_fill(p, c))
            return false;
    }
    c->response_started = true;
    u->parsed = u->in.end;
    switch (http_parse_response(&u->scan, buffer_slice(&u->in), &limits, c->head_only, &p->response, &length, &error)) {
    case HTTP_PARSE_DONE:
        u->parsed = 0;
        if (p->response.status < 200)
            return response_interim(p, c, length);
        return response_begin(p, c, length);
    case HTTP_PARSE_BAD:
        origin_note_error(u->origin, error.what);
        response_lost(p, c, LOSS_CLOSED);
        return false;
    case HTTP_PARSE_MORE: break;
    }
    return true;
}

/* True when the client has room for more than framing; else it is waited for, not forever. */
static bool response_room(struct proxy *p, struct client *c, size_t *room)
{
    size_t wanted = PROXY_BUFFER_BYTES / 2 + RESPONSE_MARGIN;

    *room = stream_room(p, client_stream(c), wanted);
    if (*room > RESPONSE_MARGIN) {
        /* From here on it is the origin's turn again. */
        if (c->response_blocked)
            proxy_deadline(p, &c->timer, p->now_us + p->snapshot->settings->origin_body_us);
        c->response_blocked = false;
        return true;
    }
    if (!c->response_blocked) {
        c->unacked = tcp_unacked(p->tcp, c->tcp);
        proxy_deadline(p, &c->timer, p->now_us + p->snapshot->settings->client_send_us);
    }
    c->response_blocked = true;
    return false;
}

static bool response_end_body(struct proxy *p, struct client *c)
{
    if (c->response_chunked &&
        stream_write(p, client_stream(c), HTTP_CHUNK_LAST, strlen(HTTP_CHUNK_LAST)) != STREAM_OK) {
        client_close(p, c, true);
        return false;
    }
    response_complete(p, c);
    return true;
}

static bool response_forward(struct proxy *p, struct client *c)
{
    struct upstream *u = c->upstream;
    struct slice data = {0};
    size_t room, used = 0;

    if (!response_room(p, c, &room))
        return false;
    if (u->in.end == u->in.start) {
        u->in.start = u->in.end = 0;
        if (!response_fill(p, c))
            return false;
        proxy_deadline(p, &c->timer, p->now_us + p->snapshot->settings->origin_body_us);
    }
    switch (http_body_next(&c->response_body, slice_head(buffer_slice(&u->in), room - RESPONSE_MARGIN), &used, &data)) {
    case HTTP_BODY_DATA:
        u->in.start += (uint32_t)used;
        p->counters.client_bytes_out += data.len;
        if (!exchange_write_payload(p, client_stream(c), c->response_chunked, data)) {
            client_close(p, c, true);
            return false;
        }
        if (c->response_body.kind == HTTP_BODY_LENGTH && c->response_body.remaining == 0)
            return response_end_body(p, c);
        return true;
    case HTTP_BODY_MORE: u->in.start += (uint32_t)used; return used > 0;
    case HTTP_BODY_END: u->in.start += (uint32_t)used; return response_end_body(p, c);
    case HTTP_BODY_BAD: break;
    }
    origin_note_error(u->origin, "malformed chunked body");
    response_lost(p, c, LOSS_CLOSED);
    return false;
}

bool response_step(struct proxy *p, struct client *c)
{
    return c->response_head ? response_forward(p, c) : response_read_head(p, c);
}
