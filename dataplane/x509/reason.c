/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/reason.h"

static const struct {
    const char *name;
    const char *text;
    uint8_t alert;
} reasons[] = {
#define X509_REASON(name, alert, text) {#name, text, alert},
#include "x509/reason.def"
#undef X509_REASON
};

#define REASON_COUNT (sizeof(reasons) / sizeof(reasons[0]))

const char *x509_reason_name(enum x509_reason reason)
{
    return (unsigned)reason < REASON_COUNT ? reasons[reason].name : "UNKNOWN";
}

const char *x509_reason_text(enum x509_reason reason)
{
    return (unsigned)reason < REASON_COUNT ? reasons[reason].text : "unknown reason";
}

uint8_t x509_reason_alert(enum x509_reason reason)
{
    return (unsigned)reason < REASON_COUNT ? reasons[reason].alert : 46;
}
