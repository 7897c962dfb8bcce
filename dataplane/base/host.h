/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_HOST_H
#define ASSAY_BASE_HOST_H
/* Hosts as requests, MRA paths and rules spell them: a DNS name or an IP literal, with one reading each. Pure.
 * A name is made of letters, digits, '-' and '_' (nodes called vcs_control exist), no trailing dot, no percent-encoding; one
 * whose last label could be taken for a number must be an IPv4 literal of four decimal parts.
 * Errors: MALFORMED. Source: RFC 1123 §2.1, RFC 3986 §3.2.2, RFC 6943 §3.1.1, MRA S13. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"

#define HOST_NAME_MAX 253

enum host_kind { HOST_NAME, HOST_IP4, HOST_IP6 };

/* text without brackets. */
enum assay_error host_check(struct slice text, enum host_kind *kind) ASSAY_MUST_USE;

/* The one spelling that is compared: lower case, IP literals as address_format() writes them (an IPv4-mapped IPv6 literal is
 * the IPv4 address). *canonical is in out. */
enum assay_error host_canonical(struct slice text, char out[HOST_NAME_MAX + 1], struct slice *canonical) ASSAY_MUST_USE;

/* "host", "host:port", "[2001:db8::1]:port": no user information; port 0 when there is none. *host is without brackets. */
enum assay_error authority_parse(struct slice text, struct slice *host, uint16_t *port) ASSAY_MUST_USE;

/* 1..65535, digits only, no leading zero. */
enum assay_error port_parse(struct slice text, uint16_t *port) ASSAY_MUST_USE;

#endif
