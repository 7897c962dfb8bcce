/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/connections.h"

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

static const char *const states[] = {
#define TCP_STATE(name, spelling) spelling,
#include "tcp/states.def"
#undef TCP_STATE
};

/* Members an operator may sort by, named as in the answer. */
static const struct sort_key {
    const char *name;
    size_t offset;
    bool wide; /* 64 bits */
} keys[] = {
    {"srtt_us", offsetof(struct connection_row, srtt_us), false},
    {"rto_us", offsetof(struct connection_row, rto_us), false},
    {"cwnd", offsetof(struct connection_row, cwnd_bytes), false},
    {"send_queue", offsetof(struct connection_row, send_queue_bytes), false},
    {"receive_queue", offsetof(struct connection_row, receive_queue_bytes), false},
    {"retransmits", offsetof(struct connection_row, retransmits), true},
    {"bytes_in", offsetof(struct connection_row, bytes_in), true},
    {"bytes_out", offsetof(struct connection_row, bytes_out), true},
    {"age", offsetof(struct connection_row, age_us), true},
    {"idle", offsetof(struct connection_row, idle_us), true},
};

static const struct sort_key *find_key(const char *name)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

/* "established" and "TIME_WAIT" are meant well. */
static bool same_state(const char *text, const char *state)
{
    for (; *state != '\0'; text++, state++)
        if (toupper((unsigned char)*text) != *state && !(*text == '_' && *state == '-'))
            return false;
    return *text == '\0';
}

static bool parse_state(const char *text, struct connection_filter *out)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (!same_state(text, states[i]))
            continue;
        snprintf(out->state, sizeof(out->state), "%s", states[i]);
        return true;
    }
    return false;
}

static bool parse_port(const char *text, struct connection_filter *out)
{
    size_t len = strlen(text);
    unsigned long port = strtoul(text, NULL, 10);

    out->port = (uint16_t)port;
    return len > 0 && len <= 5 && strspn(text, "0123456789") == len && port > 0 && port <= UINT16_MAX;
}

const char *connections_filter(const struct connections_query *query, struct connection_filter *out)
{
    *out = (struct connection_filter){0};
    if (query->state != NULL && !parse_state(query->state, out))
        return "state is none of TCP's: SYN-SENT, SYN-RECEIVED, ESTABLISHED, FIN-WAIT-1, FIN-WAIT-2, CLOSE-WAIT, "
               "CLOSING, "
               "LAST-ACK, TIME-WAIT, CLOSED";
    if (query->side != NULL && strcmp(query->side, "client") != 0 && strcmp(query->side, "origin") != 0)
        return "side is neither client nor origin";
    if (query->side != NULL)
        out->side = query->side[0] == 'c' ? CONNECTION_SIDE_CLIENT : CONNECTION_SIDE_ORIGIN;
    if (query->address != NULL && prefix_parse(slice_text(query->address), &out->prefix) != ASSAY_OK)
        return "address is no address or prefix (198.18.2.11, 198.18.2.0/24)";
    out->by_prefix = query->address != NULL;
    if (query->port != NULL && !parse_port(query->port, out))
        return "port is not within 1 to 65535";
    if (query->sort != NULL && find_key(query->sort) == NULL)
        return "sort is none of srtt_us, rto_us, cwnd, send_queue, receive_queue, retransmits, bytes_in, bytes_out, "
               "age, "
               "idle";
    return NULL;
}

static uint64_t value_of(const struct sort_key *key, const struct connection_row *row)
{
    const char *at = (const char *)row + key->offset;
    uint64_t wide;
    uint32_t narrow;

    if (key->wide) {
        memcpy(&wide, at, sizeof(wide));
        return wide;
    }
    memcpy(&narrow, at, sizeof(narrow));
    return narrow;
}

static int compare(const void *a, const void *b, void *arg)
{
    uint64_t left = value_of(arg, a), right = value_of(arg, b);

    if (left != right)
        return left > right ? -1 : 1;
    return 0;
}

void connections_sort(const char *sort, struct connection_row *rows, size_t count)
{
    const struct sort_key *key = sort != NULL ? find_key(sort) : NULL;

    if (key != NULL && count > 1)
        qsort_r(rows, count, sizeof(*rows), compare, (void *)(uintptr_t)key);
}
