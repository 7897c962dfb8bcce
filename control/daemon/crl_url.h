/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CRL_URL_H
#define ASSAY_DAEMON_CRL_URL_H
/* A place that a CRL is fetched from, out of a certificate or the configuration: http or https, a host with one reading
 * (base/host.h), no user information, no fragment, visible ASCII. Whoever fetches is handed the canonical spelling, so that what
 * was checked is what is asked. Pure. Errors: MALFORMED; UNSUPPORTED: another scheme. Source: RFC 3986 §3, §6.2.2;
 * RFC 5280 §4.2.1.13. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/host.h"
#include "base/slice.h"

#define CRL_URL_MAX 1024

struct crl_url {
    char text[CRL_URL_MAX + 1];   /* canonical */
    char host[HOST_NAME_MAX + 1]; /* canonical, without brackets */
    uint16_t port;
    bool https;
};

enum assay_error crl_url_parse(struct slice text, struct crl_url *out) ASSAY_MUST_USE;

#endif
