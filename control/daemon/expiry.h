/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_EXPIRY_H
#define ASSAY_DAEMON_EXPIRY_H
/* When certificates end: the trusted ones, those that origins show (the registry's, without what an origin does not show any more),
 * and our own. A list, numbers, and a warning line for each certificate when it has 30, 14, 7 and 1 days left and when it is
 * over: once each, also when it is first seen with less; again after a restart.
 * Owner: the structs own what they point to. Thread: control. Units: wall-clock seconds. Source: MRA S12. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/control.h"
#include "daemon/text.h"

enum expiry_kind { EXPIRY_TRUSTED, EXPIRY_ORIGIN, EXPIRY_OWN };

#define EXPIRY_WHERE_MAX 256

struct expiry_item {
    enum expiry_kind kind;
    bool ca;
    int64_t not_after_s;
    uint8_t sha256[32];
    char common_name[128], key[32];
    char where
        [EXPIRY_WHERE_MAX]; /* "cucm.steven.lab:8443 and 2 more"; the name of our own; the trust's deployment, or "" */
};

struct expiry_list {
    size_t count;
    struct expiry_item *items; /* the first to end first; one a certificate and kind */
};

void expiry_collect(const struct control *control, struct expiry_list *out);
void expiry_free(struct expiry_list *list);

/* How many end within so many days; those that are over are counted apart. */
#define EXPIRY_THRESHOLDS 5
struct expiry_counts {
    uint64_t over;
    uint64_t within[EXPIRY_THRESHOLDS - 1]; /* 1, 7, 14, 30 days: each includes the ones before it */
    int64_t next_s;                         /* the first that is not over; 0: none */
};
void expiry_count(const struct expiry_list *list, uint64_t now_s, struct expiry_counts *out);

/* What was said already. Zero it to start. */
struct expiry_said {
    size_t count;
    struct expiry_said_item *items;
};
/* The lines that are due, one behind the other; what is not in the list any more is forgotten. */
void expiry_warn(struct expiry_said *said, const struct expiry_list *list, uint64_t now_s, struct text *out);
void expiry_said_free(struct expiry_said *said);

/* {"certificates": [...]}: those that end within so many days, or are over; days < 0: all. */
json_t *expiry_view(const struct expiry_list *list, uint64_t now_s, int days);
/* Numbers for statistics. */
json_t *expiry_counts_view(const struct expiry_counts *counts, uint64_t now_s);
json_t *expiry_counts_help(void); /* what they mean */

#endif
