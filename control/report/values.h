/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_REPORT_VALUES_H
#define ASSAY_REPORT_VALUES_H
/* Small values as JSON. Owner: the caller gets a new reference. Pure. */
#include <stdint.h>

#include <jansson.h>

json_t *report_number(uint64_t value);
json_t *report_time(uint64_t seconds);           /* "2026-01-02T03:04:05Z" */
json_t *report_sha256(const uint8_t sha256[32]); /* hex */

#endif
