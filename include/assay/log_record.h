/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_LOG_RECORD_H
#define ASSAY_LOG_RECORD_H
/* What a core writes to its log rings: numbers and copied strings; control turns them into MRA's lines (S20-S28). Data only.
 * Layout of a record: struct log_record, then string[0..LOG_STRINGS) one behind the other without terminators.
 * Units: wall-clock nanoseconds since 1970; ports in host order. A string longer than LOG_STRING_MAX is cut (flag). */
#include <stdint.h>

#include "assay/address.h"

enum log_kind {
    LOG_RECEIVE_REQUEST, /* S20: peer, strings: tracking id, last via, message */
    LOG_ACCESS_ALLOWED,  /* S21: strings: user name, deployment, method, request url, rule url, match, type */
    LOG_ACCESS_DENIED, /* as S21 with Event="Request Denied", status; strings: user name, deployment, method, request url, reason */
    LOG_SENDING_REQUEST,  /* S22: peer = origin; strings: tracking id, -, message */
    LOG_RECEIVE_RESPONSE, /* S23 */
    LOG_SENDING_RESPONSE, /* S24 */
    LOG_VERIFY_FAILED,    /* S26: peer = origin; depth; action; strings: server name, error text */
    LOG_NAME_MISMATCH,    /* S27: strings: server name */
    LOG_SSL_FAILED,       /* S28: strings: server name, error ("error:1416F086:SSL routines:…") */
    LOG_ORIGIN_FAILED,    /* transport: peer = origin; strings: server name, what */
    LOG_WEAK_CERTIFICATE, /* S33: strings: server name, what */
    LOG_KINDS,
};

enum log_action { LOG_ACTION_TERMINATE, LOG_ACTION_CONTINUE };

#define LOG_STRINGS    8
#define LOG_STRING_MAX 2048

enum log_flag { LOG_FLAG_TRUNCATED = 1 << 0 };

struct log_record {
    uint8_t kind;   /* enum log_kind */
    uint8_t action; /* enum log_action */
    uint8_t flags;  /* enum log_flag */
    uint8_t core;
    int32_t depth;
    uint64_t wall_ns;
    uint64_t transaction; /* S20's Txn-id: unique across cores */
    struct assay_address peer;
    uint16_t peer_port;
    uint16_t status;
    uint16_t string_length[LOG_STRINGS];
};

#endif
