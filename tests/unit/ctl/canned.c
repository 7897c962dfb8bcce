/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "canned.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct canned {
    char directory[64], path[96];
    int fd;
    pthread_t thread;
    pthread_mutex_t lock;
    char *answer, *then;
    char request[65536];
    char out[1 << 17], err[65536];
} canned = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Until head and body are there, as Content-Length says. */
static void read_request(int fd)
{
    size_t used = 0;
    ssize_t n;

    canned.request[0] = '\0';
    while (used < sizeof(canned.request) - 1 &&
           (n = recv(fd, canned.request + used, sizeof(canned.request) - 1 - used, 0)) > 0) {
        const char *end, *length;

        used += (size_t)n;
        canned.request[used] = '\0';
        end = strstr(canned.request, "\r\n\r\n");
        length = strstr(canned.request, "Content-Length: ");
        if (end != NULL && length != NULL && strlen(end + 4) >= strtoul(length + 16, NULL, 10))
            return;
    }
}

static void *serve(void *arg)
{
    int fd;

    while ((fd = accept(canned.fd, NULL, NULL)) >= 0) {
        char *answer;

        pthread_mutex_lock(&canned.lock);
        read_request(fd);
        answer = canned.answer;
        canned.answer = canned.then;
        canned.then = NULL;
        pthread_mutex_unlock(&canned.lock);
        if (answer != NULL)
            (void)!send(fd, answer, strlen(answer), MSG_NOSIGNAL);
        free(answer);
        close(fd);
    }
    return NULL;
}

int canned_begin(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(canned.directory, sizeof(canned.directory), "%s/assay-ctl-XXXXXX", P_tmpdir);
    if (mkdtemp(canned.directory) == NULL)
        return -1;
    snprintf(canned.path, sizeof(canned.path), "%s/admin.sock", canned.directory);
    strcpy(address.sun_path, canned.path);
    canned.fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (canned.fd < 0 || bind(canned.fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(canned.fd, 8) != 0)
        return -1;
    return pthread_create(&canned.thread, NULL, serve, NULL);
}

int canned_end(void **state)
{
    shutdown(canned.fd, SHUT_RDWR); /* accept() returns */
    pthread_join(canned.thread, NULL);
    close(canned.fd);
    free(canned.answer);
    free(canned.then);
    return unlink(canned.path) == 0 ? rmdir(canned.directory) : -1;
}

void canned_raw(const char *bytes)
{
    pthread_mutex_lock(&canned.lock);
    free(canned.answer);
    free(canned.then);
    canned.answer = bytes != NULL ? strdup(bytes) : NULL;
    canned.then = NULL;
    pthread_mutex_unlock(&canned.lock);
}

static char *answer_of(unsigned status, const char *json)
{
    char *bytes = NULL;

    if (asprintf(&bytes, "HTTP/1.1 %u X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
                 strlen(json), json) < 0)
        abort();
    return bytes;
}

void canned_json(unsigned status, const char *json)
{
    char *bytes = answer_of(status, json);

    canned_raw(bytes);
    free(bytes);
}

void canned_then_json(unsigned status, const char *json)
{
    pthread_mutex_lock(&canned.lock);
    free(canned.then);
    canned.then = answer_of(status, json);
    pthread_mutex_unlock(&canned.lock);
}

const char *canned_request(void)
{
    return canned.request;
}

const char *canned_socket(void)
{
    return canned.path;
}

static int run(canned_command command, int argc, char **argv, const char *const *words)
{
    FILE *out = fmemopen(canned.out, sizeof(canned.out), "w"), *err = fmemopen(canned.err, sizeof(canned.err), "w");
    int code;

    memset(canned.out, 0, sizeof(canned.out));
    memset(canned.err, 0, sizeof(canned.err));
    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    code = command(argc, argv, out, err);
    fclose(out);
    fclose(err);
    return code;
}

int canned_run(canned_command command, const char *const *words)
{
    static char name[] = "command", option[] = "--socket";
    char *argv[24] = {name, option, canned.path};

    return run(command, 3, argv, words);
}

int canned_run_alone(canned_command command, const char *const *words)
{
    static char name[] = "command";
    char *argv[24] = {name};

    return run(command, 1, argv, words);
}

const char *canned_out(void)
{
    return canned.out;
}

const char *canned_err(void)
{
    return canned.err;
}
