/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CHECK_H
#define ASSAY_DAEMON_CHECK_H
/* Is this configuration one that assayd would run? The same code on both sides: the daemon checks before it publishes, and
 * `assayctl check FILE` without a daemon. Thread: one. Errors: all of them, into problems. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/problems.h"

struct access_set;
struct config;

/* What the values mean together: listeners on our addresses, gateways in our subnets, nothing twice. */
void check_values(const struct config *config, struct problems *problems);
/* Everything: the file, its values, and the files it names (certificates, keys, allow list, trust directory). */
bool check_file(const char *file, uint64_t now_s, struct problems *problems);

/* The rules that assayd would have of this file: its allow list and those of its nodes, for one core. NULL where the file has
 * faults: all of them are in problems. Owner: the caller, access_set_free(). */
struct access_set *check_rules(const char *file, struct problems *problems);

/* All keys a configuration may have, as Markdown tables. */
void check_print_keys(FILE *out);

#endif
