/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TEST_FORGE_OCSP_H
#define ASSAY_TEST_FORGE_OCSP_H
/* OCSP responses made to order, as forge.h's certificates. For tests only. */
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* Zero fields take the default: good, of an hour ago and for an hour, about a certificate of CN "CA" and of forge's serial number,
 * signed by the issuer, by name. Slices are whole TLVs put in as they are. */
struct forge_ocsp {
    const char *issuer; /* CN */
    void *issuer_key;   /* forge_key(FORGE_P256, 0) */
    struct slice status;
    int64_t produced, this_update, next_update;
    bool no_next_update, sha256_id, by_key;
    struct slice serial, name_hash, key_hash, responder, single_extensions, extensions, certificates;
    struct slice second; /* a SingleResponse before it */
    void *signer;
    int digest;
    bool break_signature;
};
struct slice forge_ocsp(const struct forge_ocsp *what);
struct slice forge_ocsp_single(const struct forge_ocsp *what);
struct slice forge_ocsp_wrapped(struct slice basic);       /* as a successful OCSPResponse */
struct slice forge_ocsp_revoked(int64_t when, int reason); /* a status; reason -1: none */
struct slice forge_generalized(int64_t seconds);           /* GeneralizedTime */

#endif
