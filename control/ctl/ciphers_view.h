/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_CIPHERS_VIEW_H
#define ASSAY_CTL_CIPHERS_VIEW_H
/* What the cipher string toward origins means: which suites and signature algorithms are offered in which order, and which
 * certificate each origin shows because of it (MRA S7, S8). Owner: the caller gets a new reference. Pure. */
#include <jansson.h>

#include "ctl/seen.h"

/* {"string", "default", "lowest", "prefers": "RSA" | "ECDSA", "offers": ["ECDSA", "RSA"],
 *  "tls13": {"suites", "signature_algorithms"}, "tls12": {"suites"} or null,
 *  "origins": [{"host", "port", "address", "shows", "common_name", "why", "source": "preflight" | "traffic" | null}]}
 * NULL: the string is not sound. */
json_t *ciphers_view(const struct seen *seen);

#endif
