/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/action.h"

static const struct {
    const char *leaf, *above;
} actions[] = {
#define X509_ACTION(name, leaf, above) [X509_REASON_##name] = {leaf, above},
#include "x509/action.def"
#undef X509_ACTION
};

const char *x509_reason_action(enum x509_reason reason, int depth)
{
    return depth > 0 ? actions[reason].above : actions[reason].leaf;
}
