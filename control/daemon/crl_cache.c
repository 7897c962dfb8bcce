/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/crl_cache.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/arena.h"
#include "x509/crl.h"
#include "x509/describe.h"
#include "x509/signature.h"

#define NAME_LENGTH 68 /* 64 digits and ".crl" */

void crl_cache_path(const char *directory, const char *url, struct text *out)
{
    struct x509_digest_value digest;
    char hex[X509_DESCRIBE_HEX_SIZE];

    if (x509_digest_make(X509_DIGEST_SHA256, slice_text(url), &digest) != ASSAY_OK)
        abort(); /* SHA-256 of a short text in memory cannot fail */
    x509_describe_hex(slice_of(digest.bytes, digest.size), hex, sizeof(hex));
    text_printf(out, "%s/%s.crl", directory, hex);
}

enum assay_error crl_cache_read(const char *directory, const char *url, struct text *out)
{
    struct text path = {0};
    enum assay_error error;

    crl_cache_path(directory, url, &path);
    error = text_read_file(out, text_get(&path), X509_CRL_SIZE_MAX);
    text_free(&path);
    return error;
}

struct cached {
    char name[NAME_LENGTH + 1];
    uint64_t bytes;
    struct timespec written;
};

static int ours(const struct dirent *entry)
{
    const char *name = entry->d_name;

    return strlen(name) == NAME_LENGTH && strspn(name, "0123456789abcdef") == NAME_LENGTH - 4 &&
           strcmp(name + NAME_LENGTH - 4, ".crl") == 0;
}

static int by_age(const void *a, const void *b)
{
    const struct timespec *left = &((const struct cached *)a)->written, *right = &((const struct cached *)b)->written;

    if (left->tv_sec != right->tv_sec)
        return left->tv_sec < right->tv_sec ? -1 : 1;
    return left->tv_nsec < right->tv_nsec ? -1 : left->tv_nsec > right->tv_nsec;
}

/* Oldest first; *total: bytes of all of them. */
static size_t list(const char *directory, struct cached **out, uint64_t *total)
{
    struct dirent **names = NULL;
    int n = scandir(directory, &names, ours, NULL);
    size_t count = 0;

    *out = memory_alloc((size_t)(n > 0 ? n : 1) * sizeof(**out));
    *total = 0;
    for (int i = 0; i < n; i++) {
        struct text path = {0};
        struct stat status;

        text_printf(&path, "%s/%s", directory, names[i]->d_name);
        if (stat(text_get(&path), &status) == 0) {
            struct cached *file = &(*out)[count++];

            memcpy(file->name, names[i]->d_name, NAME_LENGTH + 1);
            file->bytes = (uint64_t)status.st_size;
            file->written = status.st_mtim;
            *total += file->bytes;
        }
        text_free(&path);
        free(names[i]);
    }
    free(names);
    qsort(*out, count, sizeof(**out), by_age);
    return count;
}

/* Until so much more fits. The file that will be replaced takes no room: rename() ends it. */
static void make_room(const char *directory, const char *replaced, uint64_t bytes, uint64_t max_bytes)
{
    struct cached *files;
    uint64_t total;
    size_t count = list(directory, &files, &total);

    for (size_t i = 0; i < count; i++)
        if (strcmp(files[i].name, replaced) == 0)
            total -= files[i].bytes;
    for (size_t i = 0; i < count && total + bytes > max_bytes; i++) {
        struct text path = {0};

        if (strcmp(files[i].name, replaced) == 0)
            continue;
        text_printf(&path, "%s/%s", directory, files[i].name);
        if (unlink(text_get(&path)) == 0)
            total -= files[i].bytes;
        text_free(&path);
    }
    free(files);
}

enum assay_error crl_cache_write(const char *directory, const char *url, struct slice der, uint64_t max_bytes)
{
    struct text path = {0};
    enum assay_error error;

    if (der.len > max_bytes)
        return ASSAY_ERR_RANGE;
    if (mkdir(directory, 0750) != 0 && errno != EEXIST)
        return errno == EACCES || errno == EPERM || errno == EROFS ? ASSAY_ERR_PERMISSION : ASSAY_ERR_IO;
    crl_cache_path(directory, url, &path);
    make_room(directory, strrchr(text_get(&path), '/') + 1, der.len, max_bytes);
    error = file_write_atomic(text_get(&path), der, 0640);
    text_free(&path);
    return error;
}
