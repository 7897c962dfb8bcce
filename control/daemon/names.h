/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_NAMES_H
#define ASSAY_DAEMON_NAMES_H
/* The names that rules, nodes, domains and listeners use, and the addresses known for each. Who asks DNS is dns.h; here is
 * only the table: the last good addresses stay when a later answer fails (DESIGN 9).
 * Owner: the struct. Thread: control. Units: milliseconds of a monotonic clock. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/address.h"
#include "assay/error.h"
#include "assay/snapshot.h"
#include "base/slice.h"

#define NAMES_ERROR_MAX 128

struct name {
    char *host; /* canonical */
    uint32_t count;
    struct assay_address addresses[ROUTE_ADDRESSES_MAX]; /* IPv6 first; each sorted */
    char error[NAMES_ERROR_MAX];                         /* of the last try; "" when it went well */
    bool fixed;                                          /* from the configuration: not asked */
    bool wanted;                                         /* mark and sweep */
    bool asked;                                          /* a query is under way */
    bool answered;                                       /* at least one try is over */
    uint64_t due_ms;
};

struct names {
    size_t count;
    struct name *items; /* sorted by host */
};

void names_free(struct names *names);
const struct name *names_find(const struct names *names, struct slice host);

/* A new set of names in three steps: clear the marks, want each name (IP literals are no names: ignored), sweep the rest. */
void names_begin(struct names *names);
void names_want(struct names *names, struct slice host);
void names_sweep(struct names *names);

/* Takes an answer. Addresses that can never be an origin (loopback, multicast, own) are refused; when nothing is left, that is
 * the error and the last good addresses stay. True when the addresses or the error changed. */
bool names_answer(struct names *names, struct slice host, const struct assay_address *addresses, uint32_t count,
                  const struct assay_address *own, uint32_t own_count);
bool names_fail(struct names *names, struct slice host, const char *error);
struct name *names_at(struct names *names, struct slice host);

#endif
