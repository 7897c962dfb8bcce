/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/arena.h"

/* A file system's clock may stand still for some milliseconds; FAT's for two seconds. */
#define SETTLED_S 3

void text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

void text_free_secret(struct text *text)
{
    if (text->data != NULL)
        explicit_bzero(text->data, text->capacity);
    text_free(text);
}

void text_clear(struct text *text)
{
    text->len = 0;
    if (text->data != NULL)
        text->data[0] = '\0';
}

/* Room for len more bytes and the terminator. A new block instead of realloc: the old one may hold a key. */
static void reserve(struct text *text, size_t len)
{
    size_t capacity = text->capacity > 0 ? text->capacity : 256;
    char *data;

    if (text->capacity - text->len > len)
        return;
    while (capacity - text->len <= len)
        capacity *= 2;
    data = memory_alloc(capacity);
    if (text->data != NULL) {
        memcpy(data, text->data, text->len);
        explicit_bzero(text->data, text->capacity);
        free(text->data);
    }
    text->data = data;
    text->capacity = capacity;
}

void text_add(struct text *text, const void *data, size_t len)
{
    reserve(text, len);
    if (len > 0)
        memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void text_add_text(struct text *text, const char *more)
{
    text_add(text, more, strlen(more));
}

void text_printf(struct text *text, const char *format, ...)
{
    char *more = NULL;
    va_list args;
    int len;

    va_start(args, format);
    len = vasprintf(&more, format, args);
    va_end(args);
    if (len < 0)
        abort(); /* out of memory, as in arena.h */
    text_add(text, more, (size_t)len);
    free(more);
}

const char *text_get(const struct text *text)
{
    return text->data != NULL ? text->data : "";
}

struct slice text_slice(const struct text *text)
{
    return slice_of(text->data, text->len);
}

static enum assay_error error_of_errno(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR: return ASSAY_ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS: return ASSAY_ERR_PERMISSION;
    default: return ASSAY_ERR_IO;
    }
}

enum assay_error text_read_file(struct text *text, const char *path, size_t max_bytes)
{
    enum assay_error error = ASSAY_OK;
    char buffer[16384];
    size_t total = 0;
    ssize_t n;
    int fd;

    /* O_NONBLOCK: a FIFO with that name must not stop the daemon. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_of_errno(errno);
    while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error = ASSAY_ERR_IO;
            break;
        }
        total += (size_t)n;
        if (total > max_bytes) {
            error = ASSAY_ERR_RANGE;
            break;
        }
        text_add(text, buffer, (size_t)n);
    }
    explicit_bzero(buffer, sizeof(buffer));
    close(fd);
    return error;
}

static enum assay_error sync_directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory = slash == NULL ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    enum assay_error error = ASSAY_OK;
    int fd;

    if (directory == NULL)
        return ASSAY_ERR_NO_MEMORY;
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    if (fd < 0)
        return error_of_errno(errno);
    if (fsync(fd) != 0)
        error = ASSAY_ERR_IO;
    close(fd);
    return error;
}

static enum assay_error write_all(int fd, struct slice data)
{
    while (data.len > 0) {
        ssize_t n = write(fd, data.data, data.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ASSAY_ERR_IO;
        data = slice_tail(data, (size_t)n);
    }
    return fsync(fd) == 0 ? ASSAY_OK : ASSAY_ERR_IO;
}

enum assay_error file_write_atomic(const char *path, struct slice data, unsigned mode)
{
    const char *slash = strrchr(path, '/');
    int prefix = slash == NULL ? 0 : (int)(slash - path) + 1;
    enum assay_error error;
    struct text temporary = {0};
    int fd;

    text_printf(&temporary, "%.*s.%s.XXXXXX", prefix, path, path + prefix);
    fd = mkostemp(temporary.data, O_CLOEXEC);
    if (fd < 0) {
        error = error_of_errno(errno);
        text_free(&temporary);
        return error;
    }
    error = write_all(fd, data);
    if (error == ASSAY_OK && fchmod(fd, (mode_t)mode) != 0)
        error = error_of_errno(errno);
    close(fd);
    if (error == ASSAY_OK && rename(temporary.data, path) != 0)
        error = error_of_errno(errno);
    if (error != ASSAY_OK)
        unlink(temporary.data);
    else
        error = sync_directory_of(path);
    text_free(&temporary);
    return error;
}

enum assay_error file_remove(const char *path)
{
    if (unlink(path) != 0)
        return error_of_errno(errno);
    return sync_directory_of(path);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool file_is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

bool file_is_settled(const struct stat *status)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return status->st_mtim.tv_sec + SETTLED_S <= now.tv_sec && status->st_ctim.tv_sec + SETTLED_S <= now.tv_sec;
}
