/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CONNECTIONS_H
#define ASSAY_DAEMON_CONNECTIONS_H
/* Which connections an operator wants to see, in what order. Pure. Thread: any. */
#include <stddef.h>

#include "assay/command.h"

/* Values of the query as they came; NULL: not given. */
struct connections_query {
    const char *state, *side, *address, *port, *sort;
};

/* Returns NULL, or what is wrong with the query. */
const char *connections_filter(const struct connections_query *query, struct connection_filter *out);

/* The largest value of the member first. sort: one of connections_filter()'s, or NULL: unsorted. */
void connections_sort(const char *sort, struct connection_row *rows, size_t count);

#endif
