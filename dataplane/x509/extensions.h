/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_EXTENSIONS_H
#define ASSAY_X509_EXTENSIONS_H
/* The extensions part of the certificate parser; certificate.c is its only caller. Pure. Errors: MALFORMED with a static text
 * in *fault. Source: RFC 5280 §4.2. */
#include "assay/error.h"
#include "base/slice.h"
#include "x509/certificate.h"

/* list: the contents of the Extensions SEQUENCE. Fills the extension fields of out. */
enum assay_error x509_extensions_parse(struct slice list, struct x509_certificate *out, const char **fault)
    ASSAY_MUST_USE;

#endif
