/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_PROBE_CLIENT_H
#define ASSAY_PROBE_CLIENT_H
/* The client side of probes: what assayd would offer an origin, and the same with the other kind of certificate preferred
 * (S8), each with all versions and with TLS 1.2 alone.
 * Owner: the caller; only after its last probe may it be freed. Thread: made and freed by one, used by the one that probes.
 * Errors: as tls_client_context_create(). */
#include "assay/error.h"
#include "tls/tls.h"

enum probe_versions { PROBE_ALL_VERSIONS, PROBE_TLS12_ALONE, PROBE_VERSIONS };
#define PROBE_PREFERENCES 2

struct probe_client {
    enum tls_preference own; /* what the cipher string prefers: contexts of it offer what assayd offers */
    bool certificate;        /* it has one of ours */
    /* By enum tls_preference. NULL: assayd would never offer that (a kind of certificate that the string excludes, a version
     * below the lowest). */
    struct tls_context *contexts[PROBE_PREFERENCES][PROBE_VERSIONS];
};

/* settings: chain and key (or none), ciphers (NULL: the default), the lowest version; the highest is TLS 1.3. */
enum assay_error probe_client_create(const struct tls_context_settings *settings, struct probe_client *out,
                                     const char **fault) ASSAY_MUST_USE;
void probe_client_free(struct probe_client *client);

#endif
