/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/http.h"

#define HEAD_MAX 8192

struct buffer {
    char *data;
    size_t len, capacity;
};

/* --- the connection ----------------------------------------------------------------------------------------------------- */

static void explain(const char *path, int code, FILE *err)
{
    fprintf(err, "assayctl: %s: %s\n", path, strerror(code));
    if (code == ENOENT || code == ECONNREFUSED)
        fprintf(err,
                "assayctl: no assayd answers there: is it running, and is this its admin.socket? (--socket PATH)\n");
    else if (code == EACCES || code == EPERM)
        fprintf(err, "assayctl: this user may not use the socket (admin.mode, admin.group)\n");
}

static int dial(const char *path, FILE *err)
{
    const struct timeval timeout = {CTL_TIMEOUT_S, 0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(address.sun_path)) {
        fprintf(err, "assayctl: %s: too long for a socket's path\n", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0 &&
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    explain(path, errno, err);
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool send_request(int fd, const char *method, const char *path, struct slice body)
{
    char head[1024];
    int len = snprintf(head, sizeof(head),
                       "%s %s HTTP/1.1\r\nHost: assayd\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", method,
                       path, body.len);

    return len > 0 && (size_t)len < sizeof(head) && send_all(fd, head, (size_t)len) &&
           send_all(fd, (const char *)body.data, body.len);
}

/* Until the daemon closes: it was asked to. NULL, or why there is no answer. */
static const char *receive_all(int fd, struct buffer *in)
{
    ssize_t n;

    do {
        if (in->capacity - in->len < 4096) {
            size_t capacity = in->capacity > 0 ? in->capacity * 2 : 16384;
            char *data = capacity <= CTL_ANSWER_MAX ? realloc(in->data, capacity) : NULL;

            if (data == NULL)
                return "the answer is too large";
            in->data = data;
            in->capacity = capacity;
        }
        n = recv(fd, in->data + in->len, in->capacity - in->len, 0);
        if (n > 0)
            in->len += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR));
    if (n < 0)
        return errno == EAGAIN ? "assayd has not answered in time: does it hang?" : strerror(errno);
    return in->len > 0 ? NULL : "closed without an answer: assayd is ending, or has too many connections of this kind";
}

/* --- the answer ---------------------------------------------------------------------------------------------------------- */

/* The payload of the body, moved together at *data: chunks lose their heads. */
static bool decode_body(const struct http_response *response, char *data, size_t len, size_t *out_len)
{
    struct http_body body;
    struct slice in = slice_of(data, len), piece;
    enum http_body_status status;
    size_t used;

    *out_len = 0;
    http_body_init(&body, response->body, response->content_length);
    do {
        status = http_body_next(&body, in, &used, &piece);
        if (status == HTTP_BODY_DATA) {
            memmove(data + *out_len, piece.data, piece.len);
            *out_len += piece.len;
        }
        in = slice_tail(in, used);
    } while (status == HTTP_BODY_DATA || (status == HTTP_BODY_MORE && in.len > 0 && used > 0));
    return status == HTTP_BODY_END || (status == HTTP_BODY_MORE && http_body_closed(&body));
}

static unsigned parse_answer(struct buffer *in, json_t **out)
{
    const struct http_limits limits = {HEAD_MAX, HEAD_MAX, HTTP_FIELDS_MAX};
    struct http_response *response = calloc(1, sizeof(*response));
    struct http_scan scan = {0};
    struct http_parse_error error;
    size_t head_len = 0, body_len = 0;
    unsigned status = 0;

    if (response != NULL &&
        http_parse_response(&scan, slice_of(in->data, in->len), &limits, false, response, &head_len, &error) ==
            HTTP_PARSE_DONE &&
        decode_body(response, in->data + head_len, in->len - head_len, &body_len)) {
        *out = json_loadb(in->data + head_len, body_len, 0, NULL);
        status = json_is_object(*out) ? response->status : 0;
    }
    if (status == 0) {
        json_decref(*out);
        *out = NULL;
    }
    free(response);
    return status;
}

unsigned ctl_client_call(const char *socket_path, const char *method, const char *path, struct slice body, json_t **out,
                         FILE *err)
{
    struct buffer in = {0};
    unsigned status = 0;
    const char *fault;
    int fd = dial(socket_path, err);

    *out = NULL;
    if (fd < 0)
        return 0;
    if (!send_request(fd, method, path, body))
        fprintf(err, "assayctl: %s: the request could not be sent: %s\n", socket_path, strerror(errno));
    else if ((fault = receive_all(fd, &in)) != NULL)
        fprintf(err, "assayctl: %s: %s\n", socket_path, fault);
    else if ((status = parse_answer(&in, out)) == 0)
        fprintf(err, "assayctl: %s: what answers there is not assayd\n", socket_path);
    free(in.data);
    close(fd);
    return status;
}
