/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HTTP folder between two kernel sockets, one connection at a time: what third-party drivers judge, long before there is
 * a daemon, and what an HTTP failure of the daemon is compared with. Not a proxy for anybody: no TLS, no time-outs but one.
 * usage: http1_shim ORIGIN-PORT    listens on a port of 127.0.0.1 that it prints, until its standard input ends */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "access/access.h"
#include "http/http.h"

#define BUFFER_BYTES 65536
#define WAIT_MS      2000

static const struct http_limits limits = {.head_max = 16384, .target_max = 8192, .fields_max = HTTP_FIELDS_MAX};

struct stream {
    int fd;
    size_t len; /* bytes received and not used */
    uint8_t data[BUFFER_BYTES];
};

struct exchange {
    struct stream client;
    struct stream origin;
    struct http_request request;
    struct http_response response;
    struct assay_address peer;
    uint16_t origin_port;
    char out[BUFFER_BYTES];
};

static bool send_all(int fd, struct slice s)
{
    while (s.len > 0) {
        ssize_t n = send(fd, s.data, s.len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        s = slice_tail(s, (size_t)n);
    }
    return true;
}

static bool receive(struct stream *stream)
{
    struct pollfd wait = {.fd = stream->fd, .events = POLLIN};
    ssize_t n;

    if (stream->len == BUFFER_BYTES || poll(&wait, 1, WAIT_MS) <= 0)
        return false;
    n = recv(stream->fd, stream->data + stream->len, BUFFER_BYTES - stream->len, 0);
    if (n <= 0)
        return false;
    stream->len += (size_t)n;
    return true;
}

static void use(struct stream *stream, size_t len)
{
    stream->len -= len;
    memmove(stream->data, stream->data + len, stream->len);
}

static bool answer(struct exchange *x, uint16_t status, const char *text)
{
    size_t len;

    if (http_write_answer(x->out, sizeof(x->out), status, NULL, text, false, false, &len) == ASSAY_OK)
        (void)send_all(x->client.fd, slice_of(x->out, len));
    return false;
}

/* Payload from one side to the other, framed anew. *bad: the sender's framing was wrong. */
static bool relay_body(struct stream *from, int to, enum http_body_kind kind, uint64_t length, bool chunked, bool *bad)
{
    struct http_body body;
    char head[HTTP_CHUNK_HEAD_MAX];
    struct slice data;
    size_t used;

    *bad = false;
    http_body_init(&body, kind, length);
    for (;;) {
        switch (http_body_next(&body, slice_of(from->data, from->len), &used, &data)) {
        case HTTP_BODY_BAD: *bad = true; return false;
        case HTTP_BODY_END: use(from, used); return !chunked || send_all(to, slice_text(HTTP_CHUNK_LAST));
        case HTTP_BODY_MORE:
            use(from, used);
            if (receive(from))
                break;
            if (!http_body_closed(&body))
                return false;
            return !chunked || send_all(to, slice_text(HTTP_CHUNK_LAST));
        case HTTP_BODY_DATA:
            if (chunked && !send_all(to, slice_of(head, http_chunk_head(data.len, head))))
                return false;
            if (!send_all(to, data) || (chunked && !send_all(to, slice_text(HTTP_CHUNK_END))))
                return false;
            use(from, used);
            break;
        }
    }
}

static bool connect_origin(struct exchange *x)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(x->origin_port), .sin_addr = {htonl(INADDR_LOOPBACK)}};

    x->origin.len = 0;
    x->origin.fd = socket(AF_INET, SOCK_STREAM, 0);
    return x->origin.fd >= 0 && connect(x->origin.fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

static bool send_head(struct exchange *x)
{
    struct http_forward forward = {.host = slice_text("origin.example:9001"),
                                   .path = x->request.path,
                                   .via_name = slice_text("shim"),
                                   .client = &x->peer};
    size_t len;

    return http_write_request(x->out, sizeof(x->out), &x->request, &forward, &len) == ASSAY_OK &&
           send_all(x->origin.fd, slice_of(x->out, len));
}

/* One head of the origin's, 1xx too; sent on to the client. */
static bool relay_response_head(struct exchange *x, bool keep_alive)
{
    struct http_scan scan = {0, 0};
    struct http_parse_error error;
    enum http_parse result;
    size_t length = 0;
    size_t len;
    bool chunked;

    for (;;) {
        result = http_parse_response(&scan, slice_of(x->origin.data, x->origin.len), &limits, x->request.head_only,
                                     &x->response, &length, &error);
        if (result != HTTP_PARSE_MORE || !receive(&x->origin))
            break;
    }
    if (result != HTTP_PARSE_DONE)
        return answer(x, 502, "bad response");
    chunked = x->response.body == HTTP_BODY_CHUNKED || x->response.body == HTTP_BODY_UNTIL_CLOSE;
    if (http_write_response(x->out, sizeof(x->out), &x->response, slice_text("shim"), chunked, keep_alive,
                            x->request.minor, &len) != ASSAY_OK ||
        !send_all(x->client.fd, slice_of(x->out, len)))
        return false;
    /* The slices of the response end here; its numbers stay. */
    use(&x->origin, length);
    return true;
}

static bool relay_response(struct exchange *x, bool keep_alive)
{
    bool chunked;
    bool bad;

    do {
        if (!relay_response_head(x, keep_alive))
            return false;
    } while (x->response.status < 200);
    chunked = x->response.body == HTTP_BODY_CHUNKED || x->response.body == HTTP_BODY_UNTIL_CLOSE;
    return relay_body(&x->origin, x->client.fd, x->response.body, x->response.content_length, chunked, &bad) &&
           keep_alive;
}

static bool refused_by_policy(struct exchange *x)
{
    const char *why = "method not supported";

    if (slice_is(x->request.method, "TRACE") || x->request.form == HTTP_TARGET_AUTHORITY)
        return !answer(x, 405, why);
    if (!slice_is(x->request.path, "*") && access_normalise(x->request.path, &why) != ASSAY_OK)
        return !answer(x, 400, why);
    return false;
}

static bool relay(struct exchange *x, size_t head_len)
{
    bool keep_alive = x->request.keep_alive;
    bool bad = false;
    bool good;

    if (!connect_origin(x))
        return answer(x, 502, NULL);
    good = send_head(x);
    use(&x->client, head_len);
    if (good && x->request.expect_continue)
        good = relay_response_head(x, keep_alive) && x->response.status == 100;
    if (good)
        good = relay_body(&x->client, x->origin.fd, x->request.body, x->request.content_length,
                          x->request.body == HTTP_BODY_CHUNKED, &bad);
    if (good)
        good = relay_response(x, keep_alive);
    close(x->origin.fd);
    return bad ? answer(x, 400, "bad chunk") : good;
}

/* One request and its answer; false: the connection is over. */
static bool serve_one(struct exchange *x)
{
    struct http_scan scan = {0, 0};
    struct http_parse_error error;
    enum http_parse result;
    size_t length = 0;

    for (;;) {
        result =
            http_parse_request(&scan, slice_of(x->client.data, x->client.len), &limits, &x->request, &length, &error);
        if (result != HTTP_PARSE_MORE)
            break;
        if (!receive(&x->client))
            return false;
    }
    if (result == HTTP_PARSE_BAD)
        return answer(x, error.status, error.what);
    return !refused_by_policy(x) && relay(x, length);
}

/* What is still coming is read first: a close with bytes unread is a reset, which may overtake the answer. */
static void close_gently(struct stream *stream)
{
    struct pollfd wait = {.fd = stream->fd, .events = POLLIN};

    shutdown(stream->fd, SHUT_WR);
    while (poll(&wait, 1, 500) > 0 && recv(stream->fd, stream->data, BUFFER_BYTES, 0) > 0)
        ;
    close(stream->fd);
}

static int listen_somewhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        perror("http1_shim");
        exit(1);
    }
    printf("%u\n", (unsigned)ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    struct exchange *x = calloc(1, sizeof(*x));
    struct pollfd wait[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.events = POLLIN}};

    if (argc != 2 || x == NULL) {
        fprintf(stderr, "usage: http1_shim ORIGIN-PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    x->origin_port = (uint16_t)atoi(argv[1]);
    wait[1].fd = listen_somewhere();
    while (poll(wait, 2, -1) > 0 && wait[0].revents == 0) {
        x->client.fd = accept(wait[1].fd, NULL, NULL);
        x->client.len = 0;
        if (x->client.fd < 0)
            continue;
        while (serve_one(x))
            ;
        close_gently(&x->client);
    }
    free(x);
    return 0;
}
