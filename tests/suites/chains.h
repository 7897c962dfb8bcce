/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TEST_CHAINS_H
#define ASSAY_TEST_CHAINS_H
/* Certificate chains made to order, each with the verdict that an RFC's section asks for: judged by our own code, and written
 * out so that other verifiers can judge them as well. Groups add their cases, those to be refused first. For tests only. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "forge.h"
#include "x509/certificate.h"
#include "x509/verify.h"

#define CHAINS_HOST "cucm.steven.lab"
#define NONE        ((struct slice){NULL, 0})

struct chain_case {
    char id[112];       /* "group/what" */
    const char *source; /* where the expectation is argued: RFC and section */
    struct slice trust[4], chain[10], crls[4];
    const char *name; /* NULL: CHAINS_HOST */
    int64_t now;      /* 0: FORGE_NOW */
    enum x509_profile profile;
    enum x509_purpose purpose;
    enum x509_reason expected;
};

struct chain_list {
    struct chain_case *cases;
    size_t count, room;
};

/* A copy of the case with that id, for printf. */
void chains_add(struct chain_list *list, const struct chain_case *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void chains_paths(struct chain_list *list);      /* what certificates are, and how they hang together */
void chains_signatures(struct chain_list *list); /* who signed, and how */
void chains_names(struct chain_list *list);      /* names and name constraints */
void chains_status(struct chain_list *list);     /* revocation, policies, profiles */
void chains_odd(struct chain_list *list);        /* rare forms of all of that */

/* The everyday PKI: root R, intermediate I, leaf for CHAINS_HOST. */
struct forge chains_root(void);
struct forge chains_int(void);
struct forge chains_leaf(void);
void *chains_root_key(void);
void *chains_int_key(void);
void *chains_leaf_key(void);

/* One of them with something changed: FORGED(chains_leaf, what.not_after = 1). */
#define FORGED(base, ...)           \
    ({                              \
        struct forge what = base(); \
        __VA_ARGS__;                \
        forge_certificate(&what);   \
    })
#define ROOT FORGED(chains_root, (void)what)
#define INT  FORGED(chains_int, (void)what)
#define LEAF FORGED(chains_leaf, (void)what)

#endif
