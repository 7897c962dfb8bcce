/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_REASON_H
#define ASSAY_X509_REASON_H
/* The reasons of reason.def as an enum, their texts and alerts. */
#include <stdint.h>

enum x509_reason {
#define X509_REASON(name, alert, text) X509_REASON_##name,
#include "x509/reason.def"
#undef X509_REASON
};

const char *x509_reason_name(enum x509_reason reason); /* "SELF_SIGNED_LEAF" */
const char *x509_reason_text(enum x509_reason reason); /* MRA S26's Error= */
uint8_t x509_reason_alert(enum x509_reason reason);

#endif
