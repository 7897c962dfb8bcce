/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_SECTIONS_H
#define ASSAY_DAEMON_SECTIONS_H
/* From a configuration to the sections of a snapshot (assay/snapshot.h). A section is counted and immutable; it is built with
 * its content spelled out as text, so that a new one which says the same as the running one is thrown away and the running
 * one, with its epoch, stays (DESIGN, "Snapshots"). The same builders serve the daemon and `assayctl check`.
 * Owner: whoever holds a reference. Thread: control. Errors: NULL, with every fault in problems. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/snapshot.h"
#include "daemon/arena.h"
#include "daemon/config.h"
#include "daemon/credentials.h"
#include "daemon/crls.h"
#include "daemon/names.h"
#include "daemon/problems.h"
#include "daemon/switches.h"
#include "daemon/text.h"
#include "daemon/trust.h"
#include "x509/verify.h"

enum section_kind {
    SECTION_SETTINGS,
    SECTION_TRUST,
    SECTION_ACCESS,
    SECTION_CREDENTIALS,
    SECTION_ROUTE,
    SECTION_COUNT,
};

struct section {
    enum section_kind kind;
    unsigned references;
    struct text content; /* same content: same section */
    struct text judged;  /* trust: the part that verdicts depend on; the epoch rises with it alone */
    struct arena arena;
    union {
        struct settings_section settings;
        struct trust_section trust;
        struct access_section access;
        struct credential_section credentials;
        struct route_section route;
    } data;
    /* what it owns beside its arena */
    struct x509_store *store;              /* trust: that of all */
    struct x509_store **deployment_stores; /* of deployments; the one of all may be their base */
    size_t deployment_store_count;
    struct x509_verdict_table *verdicts; /* trust: made by registry_precompute() */
    struct access_set *rules;
    struct credential **credential_refs;
    size_t credential_count;
    struct access_clients **client_lists;
    size_t client_list_count;
};

struct section *section_create(enum section_kind kind);
struct section *section_take(struct section *section); /* one reference more */
void section_drop(struct section *section);            /* one less; the last frees. NULL is fine */
uint64_t section_epoch(const struct section *section);

/* The one to use of the running section and its successor: drops the other. Gives a successor its epoch. running may be
 * NULL. */
struct section *section_choose(struct section *running, struct section *next);

struct section *section_build_settings(const struct config *config, struct problems *problems);
/* trust: as trust_load_all() makes it. crls: those that were read and fetched so far, for the next time too; NULL: none. */
struct section *section_build_trust(const struct config *config, const struct trust *trust,
                                    const struct verify_switches *switches, struct crls *crls,
                                    struct problems *problems);
/* previous: the running rules, whose compiled patterns are taken over where nothing changed; NULL at start. */
struct section *section_build_access(const struct config *config, uint32_t cores, const struct access_set *previous,
                                     struct problems *problems);
/* keys is copied; NULL: no tickets. */
struct section *section_build_credentials(const struct config *config, uint32_t cores, struct credential_cache *cache,
                                          const struct tls_ticket_keys *keys, uint64_t now_s,
                                          struct problems *problems);
/* names NULL: nothing is resolved yet. */
struct section *section_build_route(const struct config *config, const struct names *names, struct problems *problems);

/* Every name that must be resolved for this configuration and these rules, and to fetch these CRLs (NULL: none). */
void sections_want_names(const struct config *config, const struct access_set *rules, const struct crls *crls,
                         struct names *names);
/* The policy of all origins of which nothing more specific is said. */
void sections_policy(const struct config *config, struct x509_policy *policy);

#endif
