/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_REGISTRY_FILE_H
#define ASSAY_DAEMON_REGISTRY_FILE_H
/* The registry on disk: what was seen survives a restart, its failures included. JSON, certificates as PEM; written atomically
 * (state.h); what was stapled to a chain too, so that hard-fail finds it after a restart. Verdicts are not kept: they are made again with the trust of the next start.
 * Thread: control. Errors: an entry that cannot be read is left out, the others are taken. */
#include <stddef.h>

#include "base/slice.h"
#include "daemon/registry.h"
#include "daemon/text.h"

void registry_file_write(const struct registry *registry, struct text *out);
/* Adds what the text holds; how many entries. left_out: those that are none. */
size_t registry_file_read(struct registry *registry, struct slice text, size_t *left_out);

#endif
