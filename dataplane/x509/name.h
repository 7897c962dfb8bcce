/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_NAME_H
#define ASSAY_X509_NAME_H
/* Does a leaf certificate carry the address that the request was made for (MRA S2, §4 field rules)?
 * - A name matches a dNSName: ASCII case folded, whole; a wildcard only as the whole leftmost label, for exactly one label,
 *   with at least two labels behind it ("*.com" matches nothing). U-labels never match: names are compared as A-labels.
 * - An IP literal matches an iPAddress of its own family, always; with compat_ip_as_dns also a dNSName spelled as that address.
 * - The commonName (the last one) stands in by policy.cn_match: FALLBACK where the certificate has no SAN of a fitting type
 *   (dNSName for a name; iPAddress or, with compat_ip_as_dns, dNSName for an address), EITHER always, NEVER never. It holds
 *   an address only with compat_ip_as_dns.
 * A presented name that ends in a dot, or has an octet outside LDH and underscore, matches nothing.
 * Pure. Source: RFC 9525 §6, RFC 5280 §4.2.1.6. */
#include <stdbool.h>
#include <stdint.h>

#include "x509/certificate.h"
#include "x509/identity.h"
#include "x509/verify.h"

/* *warnings gains X509_WARN_CN_USED, X509_WARN_IP_AS_DNS by what made the match. */
bool x509_name_match(const struct x509_certificate *leaf, const struct x509_identity *identity,
                     const struct x509_policy *policy, uint32_t *warnings);

/* A presented host name of good form: labels of LDH and underscore, the first may be "*" alone. */
bool x509_name_is_host(struct slice name);
/* Is a dNSName or CN spelled as an address, in any of the spellings that match one? *out: that address. Name constraints ask
 * the same question. */
bool x509_name_address(struct slice text, struct x509_identity *out);
/* May the CN be consulted for names (dns) or addresses of this certificate? Name constraints ask the same question. */
bool x509_name_cn_applies(const struct x509_certificate *leaf, const struct x509_policy *policy, bool dns);

#endif
