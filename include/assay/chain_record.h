/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CHAIN_RECORD_H
#define ASSAY_CHAIN_RECORD_H
/* What a core tells control's registry about the certificates of an origin (DESIGN 6): which chain it showed, where, and what the
 * core's verdict was. Data only.
 * Layout: struct chain_record, then the host, then certificate_count DERs (none: control has them already, from an earlier
 * record of the same digests), one behind the other, then the stapled OCSP response.
 * Units: wall-clock nanoseconds since 1970; ports in host order. */
#include <stdint.h>

#include "assay/address.h"

/* One more than a verdict looks at (X509_PRESENTED_MAX): so that "too long" stays too long. */
#define CHAIN_RECORD_CERTIFICATES 11
#define CHAIN_RECORD_HOST_MAX     255

enum chain_record_flag {
    CHAIN_RECORD_HANDSHAKE =
        1 << 0, /* shown now, in a full handshake; else a connection of it still carries requests */
};

struct chain_record {
    uint64_t wall_ns;
    uint64_t deployment;  /* its number (x509/scope.h); 0: none known */
    uint64_t trust_epoch; /* in which the verdict was made; 0: verification is disabled, there is none */
    struct assay_address peer;
    uint16_t peer_port;
    uint8_t core;
    uint8_t flags;        /* enum chain_record_flag */
    uint8_t chain_reason; /* enum x509_reason */
    uint8_t name_reason;
    uint8_t host_length;
    uint8_t certificate_count; /* at most CHAIN_RECORD_CERTIFICATES, the first ones */
    int32_t depth;
    uint32_t warnings; /* enum x509_warning */
    /* struct x509_chain_digest: over all certificates shown */
    uint8_t leaf_sha256[32], chain_sha256[32], staple_sha256[32];
    uint32_t staple_length;
    uint32_t certificate_length[CHAIN_RECORD_CERTIFICATES];
};

#endif
