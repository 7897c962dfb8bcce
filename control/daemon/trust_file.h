/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_TRUST_FILE_H
#define ASSAY_DAEMON_TRUST_FILE_H
/* The certificates of one file of a trust directory, decoded once: pictures of the directory (trust.h) hold them together, and the next
 * picture takes over what was not written to since. Immutable.
 * Owner: whoever holds a reference. Thread: control. Errors: into problems, naming the file and the number of the certificate in it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/slice.h"
#include "daemon/arena.h"
#include "daemon/problems.h"
#include "x509/certificate.h"

#define TRUST_FILE_MAX (16U << 20)

struct trust_file_item {
    uint32_t number; /* in the file, from 1 */
    struct x509_certificate certificate;
};

struct trust_file {
    unsigned references;
    const char *path;
    struct stat status;
    bool settled; /* nobody wrote to it just before: the same times mean the same content (text.h) */
    size_t count;
    struct trust_file_item *items;
    struct arena arena;
};

/* All certificates of a PEM or PKCS#7 bundle or a single DER. NULL with problems: a file that cannot be read or holds none, or one of
 * them is malformed. status: as it was before. */
struct trust_file *trust_file_read(const char *path, const struct stat *status, struct problems *problems);
/* The same from memory; name is for problems. */
struct trust_file *trust_file_parse(struct slice data, const char *name, struct problems *problems);
struct trust_file *trust_file_take(struct trust_file *file); /* one reference more */
void trust_file_drop(struct trust_file *file);               /* one less. NULL is fine */

/* Would it say the same if it was read again? */
bool trust_file_is_current(const struct trust_file *file, const struct stat *status);
bool trust_file_holds(const struct trust_file *file, const uint8_t sha256[X509_FINGERPRINT_SIZE]);

#endif
