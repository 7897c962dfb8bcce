/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_PEM_H
#define ASSAY_DAEMON_PEM_H
/* PEM blocks in a text, one after the other; what stands between them is ignored. Pure. Source: RFC 7468. */
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"
#include "daemon/text.h"

struct pem_block {
    struct slice label;  /* "CERTIFICATE", into the text */
    struct slice base64; /* body with its line ends, into the text */
    uint32_t line;       /* of BEGIN, counted by the cursor */
};

struct pem_cursor {
    struct slice rest;
    uint32_t line;
};

static inline struct pem_cursor pem_begin(struct slice text)
{
    return (struct pem_cursor){text, 1};
}

/* NOT_FOUND: no further block. MALFORMED: BEGIN without its END; *line says where. */
enum assay_error pem_next(struct pem_cursor *cursor, struct pem_block *out, uint32_t *line) ASSAY_MUST_USE;
/* Decodes a block's body, appending to out. MALFORMED (a header such as Proc-Type as well: an encrypted key). */
enum assay_error pem_decode(const struct pem_block *block, struct text *out) ASSAY_MUST_USE;
/* Appends data as a block. */
void pem_encode(struct text *out, const char *label, struct slice data);

#endif
