/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_MLD_H
#define ASSAY_NET_MLD_H
/* Multicast listener discovery: reading queries, writing version 2 reports. Pure. A switch that looks at them sends the
 * solicitations for our addresses only where a member of their groups has reported itself.
 * Source: RFC 3810 §5.1, §5.2; RFC 3590 (the source while addresses are tentative); RFC 4861 §7.2.1 (joining). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/address.h"
#include "base/slice.h"

#define MLD_QUERY              130
#define MLD_QUERY_BYTES        24
#define MLD_REPORT             143
#define MLD_REPORT_BYTES       8
#define MLD_RECORD_BYTES       20
#define MLD_RECORDS_MAX        56 /* of a report: with its headers it fits every link */
#define MLD_ROUTER_ALERT_BYTES 8  /* the hop-by-hop options in front of it */

enum mld_record {
    MLD_IS_MEMBER = 2,
    MLD_BECAME_MEMBER = 4
}; /* MODE_IS_EXCLUDE, CHANGE_TO_EXCLUDE_MODE of no sources */

struct mld_query {
    struct assay_address group; /* ::: any */
    uint32_t delay_max_ms;
};

/* message: from the ICMPv6 type on, its checksum right; of a packet from a link-local address with hop limit 1 and a router alert,
 * which the caller checks. False: too short, or a code. */
bool mld_read_query(struct slice message, struct mld_query *out);

/* Writes hop-by-hop options for next header ICMPv6 with a router alert, and behind them a report about groups[0..count) with
 * checksum 0; count is at most MLD_RECORDS_MAX. Returns the length of both. */
size_t mld_write_report(uint8_t *out, const struct assay_address *groups, uint32_t count, enum mld_record kind);

#endif
