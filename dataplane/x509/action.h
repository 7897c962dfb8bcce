/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_ACTION_H
#define ASSAY_X509_ACTION_H
/* What an operator does about a verdict: action.def's sentences. Pure; all texts are static. Source: MRA S32. */
#include <stdint.h>

#include "x509/reason.h"

/* depth: of the certificate at fault, as struct x509_result counts. "" for OK. */
const char *x509_reason_action(enum x509_reason reason, int depth);

#endif
