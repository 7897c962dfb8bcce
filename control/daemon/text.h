/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_TEXT_H
#define ASSAY_DAEMON_TEXT_H
/* A growing buffer of text, and whole files read into one. Zero it to start; data is terminated once anything was added.
 * Owner: whoever holds the struct; text_free() gives the memory back. Thread: one. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "assay/error.h"
#include "base/slice.h"

struct text {
    char *data;
    size_t len, capacity;
};

void text_free(struct text *text);
void text_clear(struct text *text);
void text_add(struct text *text, const void *data, size_t len);
void text_add_text(struct text *text, const char *more);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text so far; "" when nothing was added. */
const char *text_get(const struct text *text);
struct slice text_slice(const struct text *text);

/* Appends the whole file; RANGE beyond max_bytes, NOT_FOUND, PERMISSION, IO. */
enum assay_error text_read_file(struct text *text, const char *path, size_t max_bytes) ASSAY_MUST_USE;
/* Overwrites and frees: for keys. */
void text_free_secret(struct text *text);

/* Replaces path by data so that after a crash it holds either the old or the new content, whole: temporary file (its name
 * begins with '.') in the same directory, fsync, rename, fsync of the directory. */
enum assay_error file_write_atomic(const char *path, struct slice data, unsigned mode) ASSAY_MUST_USE;
/* A file that was read is not read again while it is the same: device, inode, size and times. Of a file that was written to just
 * before it was looked at, that says nothing: it is not settled. */
bool file_is_same(const struct stat *a, const struct stat *b);
bool file_is_settled(const struct stat *status);
/* Removes a file and syncs its directory. */
enum assay_error file_remove(const char *path) ASSAY_MUST_USE;

#endif
