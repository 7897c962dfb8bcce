/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_REVOKED_H
#define ASSAY_DAEMON_REVOKED_H
/* Certificates of origins that their CA calls revoked by OCSP, with the responses that say so (control_revoked.h puts them here). They
 * become part of the trust section (x509/crl_set.h): whoever judges such a certificate checks the response himself.
 * Owner: the struct, with copies. Thread: control. Units: seconds of wall clock. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define REVOKED_MAX 1024

struct x509_crl_set;

struct revoked_item {
    uint8_t sha256[32]; /* of the certificate */
    struct slice response;
    int64_t this_update_s, not_after_s; /* of the response; of the certificate */
    const char *reason;                 /* static: CRLReason in words */
    char host[256];                     /* who stapled it first */
    uint16_t port;
};

struct revoked {
    size_t count;
    struct revoked_item *items; /* in no order */
};

void revoked_free(struct revoked *revoked);

/* NULL: nothing is known of that certificate. */
const struct revoked_item *revoked_find(const struct revoked *revoked, const uint8_t sha256[32]);
/* In place of what is there of that certificate. The response is copied. Without room, the one whose certificate ends first goes. */
void revoked_put(struct revoked *revoked, const struct revoked_item *item);
void revoked_remove(struct revoked *revoked, const uint8_t sha256[32]);
/* Forgets certificates that are over, as they are refused for that. */
void revoked_age(struct revoked *revoked, uint64_t now_s);
/* False: out of memory. */
bool revoked_fill(const struct revoked *revoked, struct x509_crl_set *set);

#endif
