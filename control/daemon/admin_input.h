/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_ADMIN_INPUT_H
#define ASSAY_DAEMON_ADMIN_INPUT_H
/* Bodies of the admin API: JSON objects with members that are known, of the type they should have, each once. A word that is spelled
 * wrong, or a number in quotes, must not mean the default: the default of `deployment` is all of them. Thread: any. */
#include <stddef.h>

#include <jansson.h>

#include "base/slice.h"

enum admin_member_kind { ADMIN_TEXT, ADMIN_NUMBER, ADMIN_SWITCH };

struct admin_member {
    const char *name;
    enum admin_member_kind kind;
};

/* A new reference, or NULL with the reason in error. An empty body is an object without members. */
json_t *admin_input_read(struct slice body, const struct admin_member *members, size_t count, char *error,
                         size_t error_size);

#endif
