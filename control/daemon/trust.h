/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_TRUST_H
#define ASSAY_DAEMON_TRUST_H
/* The trust directory: which certificates origins are verified with (MRA §2). Files are PEM or PKCS#7 (any number of certificates) or
 * DER; their folder gives the role, files outside the three folders get the role that x509_role_propose() says:
 *     DIR/anchors/…  DIR/helpers/…  DIR/leaves/…  DIR/…
 * Names that begin with '.' are skipped (what a crash of a writer leaves behind). Many certificates of one subject live side
 * by side (S10). Every change is one file written or rewritten atomically; what is read is all or nothing.
 * Owner: a struct trust is a picture of the directory, with references of what its files hold. Thread: one. Errors: into problems, naming the file and
 * the number of the certificate in it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"
#include "daemon/arena.h"
#include "daemon/config.h"
#include "daemon/problems.h"
#include "daemon/text.h"
#include "daemon/trust_file.h"
#include "x509/certificate.h"
#include "x509/store.h"

#define TRUST_CERTIFICATES_MAX 100000

struct trust_entry {
    enum x509_role role;
    bool role_proposed; /* by the certificate, not by the folder or the operator */
    const char *file;   /* path */
    uint32_t number;    /* of the certificate in its file, from 1 */
    struct x509_certificate certificate;
};

struct trust {
    const char *directory;
    const char *deployment; /* whose store it is; NULL: that of all */
    struct trust *next;     /* of a list; trust_free() frees it whole */
    size_t count;
    struct trust_entry *entries;
    size_t index_size; /* by fingerprint: open addressing, a power of 2 */
    uint32_t *index;   /* an entry's number and 1; 0: none */
    size_t file_count;
    struct trust_file **files; /* whose certificates they are */
    struct arena arena;
};

/* NULL with problems. A directory that does not exist is an empty one, with a warning. */
struct trust *trust_load(const char *directory, struct problems *problems);
/* The same, with what the list known has of it: files that are as they were are not read again, and what a certificate proposes,
 * which costs the check of a signature, is taken from there. */
struct trust *trust_load_again(const char *directory, const struct trust *known, struct problems *problems);
/* Those of a configuration: first the one of all, behind it those of the deployments that have one. NULL with problems. */
struct trust *trust_load_all(const struct config *config, struct problems *problems);
struct trust *trust_load_all_again(const struct config *config, const struct trust *known, struct problems *problems);
/* The picture of a deployment in such a list (NULL: of all), or NULL: it has none. */
struct trust *trust_of(struct trust *trust, const char *deployment);
void trust_free(struct trust *trust);

/* Certificates of a PEM or PKCS#7 bundle or a single DER that are not there yet, as entries of a new picture (file NULL). role < 0:
 * proposed one by one. NULL with problems: nothing readable, or a malformed certificate. */
struct trust *trust_read(struct slice data, const char *name, int role, struct problems *problems);

/* Writes each entry of added that trust does not hold with that role to its folder, and sets its file; present ones keep file
 * NULL. A failure takes back what was written. */
enum assay_error trust_add(const struct trust *trust, struct trust *added, struct problems *problems) ASSAY_MUST_USE;

/* The entries whose fingerprint begins with the hex digits (at least 8; colons allowed) of text. NOT_FOUND, MALFORMED;
 * DUPLICATE: different certificates begin so. */
enum assay_error trust_find(const struct trust *trust, const char *text, const struct trust_entry **out) ASSAY_MUST_USE;

/* Takes the certificate with that fingerprint out of every file of the picture that holds it. */
enum assay_error trust_remove(const struct trust *trust, const uint8_t sha256[X509_FINGERPRINT_SIZE],
                              struct problems *problems) ASSAY_MUST_USE;

/* In the picture alone, not on disk: for a change that is only thought of. */
void trust_merge(struct trust *trust, const struct trust *added); /* takes what is not there with that role */
void trust_forget(struct trust *trust, const uint8_t sha256[X509_FINGERPRINT_SIZE]);

/* A store of all entries. NULL with problems. */
struct x509_store *trust_store(const struct trust *trust, struct problems *problems);

/* What two pictures have in common is their content: role and fingerprint of each certificate, in an order
 * that does not depend on files. */
void trust_content(const struct trust *trust, struct text *out);

/* "anchors", "helpers", "leaves". */
const char *trust_folder(enum x509_role role);
/* A word of an operator: anchor, helper, leaf or leaf-only. */
enum assay_error trust_role_parse(const char *word, enum x509_role *out) ASSAY_MUST_USE;
void trust_fingerprint(const uint8_t sha256[X509_FINGERPRINT_SIZE], char out[2 * X509_FINGERPRINT_SIZE + 1]);

#endif
