/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_CONSTRAINTS_H
#define ASSAY_X509_CONSTRAINTS_H
/* Name constraints of every issuer of a path, the anchor's among them, against the names of all certificates below it
 * (self-issued ones but the leaf excepted). dNSName, iPAddress, rfc822Name, URI and directoryName are judged; another type is
 * refused when both the constraint and a name of that type are there. The subject counts as a directoryName, its
 * emailAddress attributes as rfc822Names, and the leaf's commonName as a dNSName (or an address) wherever name.h would use it.
 * A dNSName of the leaf spelled as an address is judged as that address too, where compat_ip_as_dns lets it match one.
 * A wildcard dNSName is excluded when any name it covers is.
 * A leading dot in a dNSName constraint, against the letter of the RFC yet common, means "at least one label more".
 * Pure. Work: at most *budget short comparisons (long names and names in parts count more), then WORK_LIMIT. Source: RFC 5280 §4.2.1.10, §6.1.3 (b)-(c). */
#include <stddef.h>
#include <stdint.h>

#include "x509/certificate.h"
#include "x509/reason.h"
#include "x509/verify.h"

/* path[0] is the leaf. On failure *depth is the certificate whose name is at fault. */
enum x509_reason x509_constraints_check(const struct x509_certificate *const *path, size_t count,
                                        const struct x509_policy *policy, uint32_t *budget, int *depth);

#endif
