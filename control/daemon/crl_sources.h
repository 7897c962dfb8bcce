/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CRL_SOURCES_H
#define ASSAY_DAEMON_CRL_SOURCES_H
/* The places that CRLs are fetched from: which ones are wanted, when each is asked next, and whether what came is believed.
 * Believed is a CRL that a certificate we know has signed, which is not older than the one at hand, and not over while that one
 * is not: whoever answers in the server's place (it is HTTP) can take nothing away. Whatever goes wrong, the last good one stays.
 * As long as no certificate of its issuer is known (origins send their intermediates along), signatures cannot be checked here: the
 * first list stays, and the newest one stands beside it; verdicts, which check signatures in any case, use whichever is signed.
 * Asked again well before nextUpdate, at a random moment, so that not all proxies of a site ask at once; after a failure later
 * and later. No network, no clock, no randomness of its own.
 * Owner: the struct. Thread: control. Units: seconds of wall clock, milliseconds of a monotonic one. Source: RFC 5280 §6.3. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/crl_fetcher.h"
#include "daemon/crl_url.h"
#include "daemon/names.h"
#include "x509/crl_set.h"
#include "x509/store.h"

#define CRL_SOURCES_MAX   256
#define CRL_MIRRORS_MAX   3 /* URLs of one list: a distribution point may name several */
#define CRL_REDIRECTS_MAX 3
#define CRL_ISSUERS_MAX   8 /* certificates of a list's issuer that are not in the store */

struct crl_clock {
    int64_t wall_s;
    uint64_t now_ms;
    uint32_t random; /* a new one each time */
};

struct crl_source {
    uint64_t id;
    struct crl_url urls[CRL_MIRRORS_MAX];
    unsigned url_count, which;
    char named_by[128]; /* the certificate, or "configuration" */
    bool wanted;
    struct slice issuers[CRL_ISSUERS_MAX]; /* DER, copies */
    bool issuer_wanted[CRL_ISSUERS_MAX];   /* like wanted: which of them are known from a path of this set */
    unsigned issuer_count;

    struct x509_crl_record *record; /* the last good one; NULL: none yet */
    struct x509_crl_record *newest; /* of an issuer that is not known: a later one beside it; else NULL */
    bool proven;                    /* record's signature was checked */
    struct crl_url at;              /* what is asked: urls[which], or where it was redirected to */
    unsigned redirects;
    bool asked;       /* an answer is to come */
    bool cache_asked; /* what the disk has was looked at */
    uint64_t due_ms;
    unsigned failures; /* in a row */
    int64_t tried_s, taken_s;
    char error[CRL_FETCH_TEXT_MAX]; /* of the last try; "" when it went well */
};

struct crl_sources {
    size_t count;
    struct crl_source **items; /* in the order in which they were first wanted */
    uint64_t last_id;
    uint64_t fetched, unchanged, failed; /* answers */
    bool full;                           /* more were wanted than may be */
};

void crl_sources_free(struct crl_sources *sources);

/* A new set in three steps, like names.h; until it is swept, what was wanted before stays whole, however long that takes. uris:
 * alternatives, http and https (others are left out); a source is known by the first of them. False: none of them is usable, or the
 * table is full. */
void crl_sources_begin(struct crl_sources *sources);
bool crl_sources_want(struct crl_sources *sources, const struct slice *uris, size_t count, const char *named_by,
                      struct crl_source **out);
/* Returns how many sources went. */
size_t crl_sources_sweep(struct crl_sources *sources);
/* A certificate that may have signed the source's list, beside those of the store. */
void crl_source_add_issuer(struct crl_source *source, struct slice der);

struct crl_source *crl_sources_find(struct crl_sources *sources, uint64_t id);
/* The latest list of it; NULL: none. */
static inline const struct x509_crl_record *crl_source_latest(const struct crl_source *source)
{
    return source->newest != NULL ? source->newest : source->record;
}

/* Is it time, and is the host's address known? Then *out is what to ask. A host that cannot be asked is a failure. */
bool crl_source_request(struct crl_sources *sources, struct crl_source *source, const struct names *names,
                        const struct config_revocation *config, const struct crl_clock *clock, struct crl_request *out);
/* It could not be asked after all: later. */
void crl_source_not_asked(struct crl_source *source);

enum crl_outcome { CRL_NEW, CRL_UNCHANGED, CRL_REDIRECTED, CRL_FAILED };
/* Takes the answer over. */
enum crl_outcome crl_source_take(struct crl_sources *sources, struct crl_source *source, struct crl_answer *answer,
                                 const struct x509_store *store, const struct config_revocation *config,
                                 const struct crl_clock *clock);
/* The same for what the cache held, before anything was fetched; false: not believed. */
bool crl_source_take_cached(struct crl_source *source, struct x509_crl_record *record, const struct x509_store *store);

#endif
