/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_HTTP_BASE64_H
#define ASSAY_HTTP_BASE64_H
/* Base64 as MRA paths carry it: standard or URL-safe alphabet, with or without padding, and one spelling for each value: no
 * other byte, padding only where it fills up to 4, unused bits zero. Pure. Source: RFC 4648 §3.5, §4, §5; MRA S13. */
#include "assay/error.h"
#include "base/slice.h"

/* MALFORMED; NO_SPACE. */
enum assay_error base64_decode(struct slice text, uint8_t *out, size_t capacity, size_t *length) ASSAY_MUST_USE;

#endif
