/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TEST_SCRATCH_H
#define ASSAY_TEST_SCRATCH_H
/* A directory of a test's own, and what control reads put into it: configurations, certificates, keys. For tests only. */
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "daemon/config.h"
#include "daemon/problems.h"

/* cmocka set-up and tear-down of a group. */
int scratch_begin(void **state);
int scratch_end(void **state);
/* With scratch_good() in it. */
int scratch_begin_good(void **state);

/* Path of a file in it; valid until 64 more were asked for. */
const char *scratch_path(const char *name);
void scratch_make(const char *name); /* a directory */
void scratch_write(const char *name, const char *text);
void scratch_write_slice(const char *name, struct slice data);
/* Certificates as PEM, one behind the other. */
void scratch_pem(const char *name, const struct slice *ders, size_t count);
#define SCRATCH_PEM(name, ...) \
    scratch_pem(name, FORGE_PARTS(__VA_ARGS__), sizeof(FORGE_PARTS(__VA_ARGS__)) / sizeof(struct slice))
void scratch_key(const char *name, void *key); /* PKCS#8 */
bool scratch_exists(const char *name);
/* How many visible files a directory holds. */
size_t scratch_count(const char *name);

/* server.pem, server.key (a certificate for vcs.steven.lab), trust/, and good.yaml, which names them and is right. */
void scratch_good(void);
extern const char scratch_good_yaml[];
/* good.yaml with this line (or none) instead of its trust: line. */
void scratch_good_trust(const char *line);
/* The good configuration with one more line. */
struct config *scratch_config(const char *more);

/* Fails the test unless the problems are these, in order (NULL ends them). */
void scratch_expect(const struct problems *problems, const char *const *expected);
/* A certificate that proposes to be an anchor, with that CN and the index-th key. */
struct slice scratch_ca(const char *name, unsigned index);

#endif
