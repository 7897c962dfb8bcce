/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/mld.h"

#include <string.h>

#include "net/ether.h"
#include "net/ip6.h"

#define DELAY_FLOAT 0x8000 /* from here on the code is a floating point number (RFC 3810 §5.1.3) */

bool mld_read_query(struct slice message, struct mld_query *out)
{
    const uint8_t *p = message.data;
    uint32_t code;

    if (message.len < MLD_QUERY_BYTES || p[0] != MLD_QUERY || p[1] != 0)
        return false;
    code = read_be16(p + 4);
    if (code >= DELAY_FLOAT)
        code = ((code & 0x0fff) | 0x1000) << (((code >> 12) & 7) + 3);
    out->delay_max_ms = code;
    memcpy(out->group.bytes, p + 8, sizeof(out->group.bytes));
    return true;
}

size_t mld_write_report(uint8_t *out, const struct assay_address *groups, uint32_t count, enum mld_record kind)
{
    static const uint8_t router_alert[MLD_ROUTER_ALERT_BYTES] = {IP6_PROTO_ICMP, 0, 5, 2, 0, 0, 1, 0};
    uint8_t *report = out + MLD_ROUTER_ALERT_BYTES;

    memcpy(out, router_alert, sizeof(router_alert));
    memset(report, 0, MLD_REPORT_BYTES + (size_t)count * MLD_RECORD_BYTES);
    report[0] = MLD_REPORT;
    write_be16(report + 6, (uint16_t)count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *record = report + MLD_REPORT_BYTES + (size_t)i * MLD_RECORD_BYTES;

        record[0] = (uint8_t)kind;
        memcpy(record + 4, groups[i].bytes, sizeof(groups[i].bytes));
    }
    return MLD_ROUTER_ALERT_BYTES + MLD_REPORT_BYTES + (size_t)count * MLD_RECORD_BYTES;
}
