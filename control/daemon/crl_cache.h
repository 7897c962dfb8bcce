/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CRL_CACHE_H
#define ASSAY_DAEMON_CRL_CACHE_H
/* Fetched CRLs on disk, so that a restart does not begin without them: a file each in a directory of its own, DER, named by the
 * SHA-256 of the URL. Written atomically. Bounded: what would go beyond pushes out the files written longest ago.
 * What is read back is judged like what comes from the network: the directory is no authority.
 * Thread: any, one at a time for each directory. Errors: see each. */
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"
#include "daemon/text.h"

/* DIR/<64 hex digits>.crl */
void crl_cache_path(const char *directory, const char *url, struct text *out);
/* The octets last written for that URL. NOT_FOUND, RANGE, PERMISSION, IO. */
enum assay_error crl_cache_read(const char *directory, const char *url, struct text *out) ASSAY_MUST_USE;
/* Makes the directory if it is not there, but no directory above it. RANGE: larger than max_bytes all by itself. */
enum assay_error crl_cache_write(const char *directory, const char *url, struct slice der, uint64_t max_bytes)
    ASSAY_MUST_USE;

#endif
