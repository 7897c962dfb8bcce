/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_FILE_H
#define ASSAY_CTL_FILE_H
/* Reads a whole file of certificates, or of CRLs. Owner: the caller frees. */
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"

#define CTL_FILE_MAX (16u << 20)

/* IO: cannot be opened or read (errno says why); LIMIT: more than CTL_FILE_MAX bytes; NO_MEMORY. */
enum assay_error ctl_file_read(const char *path, uint8_t **data, size_t *size) ASSAY_MUST_USE;
/* The same with a limit of its own. */
enum assay_error ctl_file_read_max(const char *path, size_t max, uint8_t **data, size_t *size) ASSAY_MUST_USE;

/* Why reading failed, directly behind it: errno's words, or the error's. */
const char *ctl_file_fault(enum assay_error error);

#endif
