/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_EXPLAIN_H
#define ASSAY_CTL_EXPLAIN_H
/* `assayctl verdicts show`. */
#include "ctl/admin.h"

/* origin: HOST[:PORT]. Returns the exit status. */
int ctl_explain(const struct ctl_admin *admin, const char *origin);

#endif
