/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_HTTP_MRA_PATH_H
#define ASSAY_HTTP_MRA_PATH_H
/* The first segment of an MRA request's path names where it goes: base64 of domain/scheme/host/port (MRA S13, S14).
 * Pure. Errors: MALFORMED with *why set to a static text. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"

#define MRA_PATH_DECODED_MAX 600

struct mra_target {
    bool edge_config; /* the one-field form: only domain is set */
    bool https;
    struct slice domain; /* into decoded, lower case */
    struct slice host;   /* into decoded, lower case: a name, or an IP literal (IPv6 without brackets) */
    uint16_t port;       /* host order */
    struct slice rest;   /* what follows the segment, from its '/', with the query; "/" when nothing follows */
    char decoded[MRA_PATH_DECODED_MAX];
};

/* path: path and query of the request, starting with '/'. Standard and URL-safe alphabet, with or without padding. */
enum assay_error mra_path_parse(struct slice path, struct mra_target *out, const char **why) ASSAY_MUST_USE;

#endif
