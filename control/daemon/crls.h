/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CRLS_H
#define ASSAY_DAEMON_CRLS_H
/* What verdicts about revocation are made with: what origins stapled (revoked.h), and lists: those of a directory (its .crl, .pem
 * and .der files, names that begin with '.' skipped) or of one file, PEM or DER, and those that were fetched (crl_sources.h). A list of a million entries takes half a
 * second to index: a file that did not change since is not read again.
 * What cannot be read or does not decode is a problem; what is sound but not supported (delta and indirect CRLs, unknown critical
 * extensions) is left out with a warning, since CAs publish such files beside the complete ones.
 * Owner: the struct, with copies. Thread: one. Errors: into problems, naming the file and the number of the CRL in it. */
#include <stdbool.h>
#include <sys/stat.h>

#include "daemon/crl_sources.h"
#include "daemon/problems.h"
#include "daemon/revoked.h"
#include "daemon/text.h"
#include "x509/crl_set.h"

#define CRLS_FILES_MAX 10000

/* A file as it was read. */
struct crls_file {
    char *path;
    struct stat status;
    bool settled; /* nobody wrote to it just before: the same times mean the same content */
    size_t count;
    struct x509_crl_record **records;
    struct problems warnings; /* said again whenever it is used */
};

struct crls {
    size_t count;
    struct crls_file *files;
    struct crl_sources sources;
    struct revoked revoked; /* by OCSP */
    size_t cached_count;    /* crls_read_cache() */
    struct crls_file *cached;
    uint64_t reads; /* of files, so far */
    /* What cannot be read counts as it was read last, with a warning: a change that is not about files must not fail for them. */
    bool lasting;
};

void crls_free(struct crls *crls);

/* For a try: the same files and sources, so that what is loaded with it changes nothing here. All but the files is borrowed. */
struct crls crls_lend(const struct crls *crls);
void crls_give_back(struct crls *lent);

/* For who is no daemon: what one has fetched and keeps on disk (crl_cache.h) counts beside the files from now on, as what they hold does:
 * verdicts check signatures. What cannot be read is left out, with a warning. Returns how many CRLs. */
size_t crls_read_cache(struct crls *crls, const char *directory, struct problems *problems);

/* A set of all of them; path NULL: of the fetched ones alone. content gains a line for each CRL: equal sets, equal lines. NULL
 * with problems, and then crls is as it was. crls NULL: nothing is kept. Owner: the caller. */
struct x509_crl_set *crls_load(struct crls *crls, const char *path, struct text *content, struct problems *problems);

#endif
