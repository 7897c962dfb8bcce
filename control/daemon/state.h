/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_STATE_H
#define ASSAY_DAEMON_STATE_H
/* What survives a restart, in the state directory: the last good configuration (NAME.good for a configuration file NAME), the
 * state of `set verify` (NAME.verify), and the chains that origins showed (NAME.registry). All say in their first line which
 * configuration file they belong to, so that two daemons do not mistake each other's. Every write is atomic; a state that cannot
 * be written, or is there and cannot be used, is a warning, never a reason to refuse a change or not to start.
 * A directory of NULL: nothing is kept. Thread: control. */
#include <stdbool.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/problems.h"
#include "daemon/sections.h"
#include "daemon/text.h"

void state_save_config(const char *directory, const char *config_file, const struct config *config,
                       struct problems *problems);
/* The text of the last good configuration of that file; false: there is none. */
bool state_read_good(const char *directory, const char *config_file, struct text *out, struct problems *problems);

void state_save_verify(const char *directory, const char *config_file, const struct verify_switches *switches,
                       struct problems *problems);
/* Switches whose time is over are left out. switches: freed by switches_free(). */
void state_load_verify(const char *directory, const char *config_file, uint64_t now_s, struct verify_switches *switches,
                       struct problems *problems);

/* registry_file.h's text. */
void state_save_registry(const char *directory, const char *config_file, struct slice text, struct problems *problems);
bool state_read_registry(const char *directory, const char *config_file, struct text *out, struct problems *problems);

#endif
