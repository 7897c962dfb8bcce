/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_WHAT_IF_H
#define ASSAY_CTL_WHAT_IF_H
/* --dry-run: which origins' verdicts a change would flip, as assayd works it out (GET and POST with ?dry_run=1). */
#include "ctl/admin.h"

/* Calls, prints, and returns the exit status: CTL_OK when nothing would flip, CTL_REFUSED when something would or when the change
 * itself would be refused. path has its query already. */
int ctl_what_if(const struct ctl_admin *admin, const char *method, const char *path, struct slice body);

#endif
