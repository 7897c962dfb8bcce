/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CRLS_H
#define ASSAY_DAEMON_CRLS_H
/* Revocation lists from a directory (its .crl, .pem and .der files, names that begin with '.' skipped) or from one file, PEM
 * or DER. What cannot be read or does not decode is a problem; what is sound but not supported (delta and indirect CRLs, unknown critical
 * extensions) is left out with a warning, since CAs publish such files beside the complete ones.
 * Thread: one. Errors: into problems, naming the file and the number of the CRL in it. */
#include "daemon/problems.h"
#include "daemon/text.h"
#include "x509/crl_set.h"

#define CRLS_FILES_MAX 10000

/* content gains a line for each CRL: equal sets, equal lines. NULL with problems. Owner: the caller. */
struct x509_crl_set *crls_load(const char *path, struct text *content, struct problems *problems);

#endif
