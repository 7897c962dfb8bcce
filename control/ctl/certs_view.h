/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_CERTS_VIEW_H
#define ASSAY_CTL_CERTS_VIEW_H
/* The certificate view that operators of such edges know (MRA S12): a row a certificate and node, RSA and ECDSA next to each
 * other, of what was seen in traffic and by preflight. Owner: the caller gets a new reference. Pure. */
#include <jansson.h>

#include "ctl/seen.h"

/* An array of {"node", "certificate", "common_name", "type", "key_type", "distribution", "issued_by", "expiration",
 * "description", "ports", "sources", "sha256"}, sorted by node and certificate. */
json_t *certs_view(const struct seen *seen);
/* Does a row show it? "text": in one of its columns; "column=text": in that one; without regard to case. A column that does not
 * exist shows nothing. */
bool certs_matches(const json_t *row, const char *filter);
bool certs_filter_is_sound(const char *filter);

#endif
