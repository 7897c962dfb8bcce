/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CRL_FETCHER_H
#define ASSAY_DAEMON_CRL_FETCHER_H
/* A thread that gets CRLs over HTTP (libcurl), reads and indexes them, and writes those that control keeps to disk: all that
 * may take long, so that control's loop never waits. It decides nothing: which URL, which address, when again, and whether
 * what came is believed, is control's affair (crl_sources.h). It follows no redirection either, it reports it.
 * Connects to the address it is given and asks no resolver; no proxy; https is verified against the host's own CAs.
 * Owner: the struct owns the thread. Thread: control calls. Units: bytes, milliseconds. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/address.h"
#include "daemon/crl_url.h"
#include "x509/crl_set.h"

#define CRL_FETCHES_MAX    4 /* at once */
#define CRL_FETCH_TEXT_MAX 160

struct crl_fetcher;

struct crl_request {
    uint64_t id; /* comes back with the answer */
    struct crl_url url;
    struct assay_address address;
    uint64_t bytes_max;
    uint32_t timeout_ms;
};

struct crl_answer {
    uint64_t id;
    struct x509_crl_record *record; /* the receiver's; NULL: none */
    bool redirected;                /* to redirect */
    bool stored;                    /* not a fetch: what came of crl_fetcher_store(), error "" when it went well */
    char redirect[CRL_URL_MAX + 1];
    char error[CRL_FETCH_TEXT_MAX]; /* why there is neither */
};

struct crl_fetcher *crl_fetcher_create(void); /* NULL: no thread, or libcurl is not usable */
/* Gives up what is under way. */
void crl_fetcher_free(struct crl_fetcher *fetcher);

/* False: as many as may be are under way. */
bool crl_fetcher_ask(struct crl_fetcher *fetcher, const struct crl_request *request) ASSAY_MUST_USE;
/* The record is written to the cache; the directory's and the URL's text are copied. */
void crl_fetcher_store(struct crl_fetcher *fetcher, uint64_t id, struct x509_crl_record *record, const char *directory,
                       const char *url, uint64_t cache_bytes_max);
/* The next answer; false: none yet. */
bool crl_fetcher_next(struct crl_fetcher *fetcher, struct crl_answer *out);

/* What a server sent, as one CRL: DER or PEM. NULL with *error (of CRL_FETCH_TEXT_MAX). For the cache as well. */
struct x509_crl_record *crl_fetcher_read(struct slice body, char *error);

#endif
