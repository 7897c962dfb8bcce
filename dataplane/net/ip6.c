/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/ip6.h"

#include <string.h>

#include "net/ether.h"

#define OPTION_PAD1         0
#define OPTION_PADN         1
#define OPTION_ROUTER_ALERT 5
#define ROUTER_ALERT_BYTES  4
#define ALERT_MLD           0
#define OPTION_ACTION_SHIFT 6 /* RFC 8200 §4.2: the highest two bits say what to do when it is not known */
#define ACTION_SKIP         0
#define ACTION_DISCARD      1
#define ACTION_TELL         2 /* even one that was sent to a group: which is never done here */

#define CODE_HEADER 0 /* "erroneous header field encountered" */
#define CODE_OPTION 2 /* "unrecognized IPv6 option encountered" */

#define FRAGMENT_OFFSET 0xfff8
#define FRAGMENT_MORE   1

/* The walk along the chain. */
struct walk {
    struct slice head;
    struct ip6_header *out;
    uint32_t at; /* of the header in work */
    uint32_t extensions;
};

static enum ip6_fault tell(struct ip6_header *out, enum ip6_fault fault, uint8_t code, uint32_t pointer)
{
    out->tell = true;
    out->code = code;
    out->pointer = (uint16_t)pointer;
    return fault;
}

/* Options of a hop-by-hop or destination options header: at, of len bytes. */
static enum ip6_fault read_options(const struct walk *w, uint32_t at, uint32_t len)
{
    const uint8_t *p = w->head.data;

    while (len != 0) {
        uint32_t option_len;
        unsigned action;

        if (p[at] == OPTION_PAD1) {
            at++;
            len--;
            continue;
        }
        if (len < 2 || p[at + 1] > len - 2)
            return IP6_BAD_EXTENSION;
        option_len = 2U + p[at + 1];
        if (p[at] == OPTION_ROUTER_ALERT && option_len == ROUTER_ALERT_BYTES && read_be16(p + at + 2) == ALERT_MLD)
            w->out->router_alert = true;
        action = p[at] == OPTION_PADN || p[at] == OPTION_ROUTER_ALERT ? ACTION_SKIP : p[at] >> OPTION_ACTION_SHIFT;
        if (action == ACTION_DISCARD)
            return IP6_BAD_OPTION;
        if (action >= ACTION_TELL)
            return tell(w->out, IP6_BAD_OPTION, CODE_OPTION, at);
        at += option_len;
        len -= option_len;
    }
    return IP6_OK;
}

/* A routing header that is used up is skipped (RFC 8200 §4.4). Type 0 serves only to reach us around a filter. */
static enum ip6_fault read_routing(const struct walk *w)
{
    const uint8_t *p = w->head.data + w->at;
    uint8_t type = p[2], segments_left = p[3];

    if (segments_left != 0)
        return tell(w->out, IP6_ROUTING, CODE_HEADER, w->at + 2);
    return type == 0 ? IP6_ROUTING : IP6_OK;
}

static enum ip6_fault read_fragment(const struct walk *w)
{
    const uint8_t *p = w->head.data + w->at;
    struct ip6_header *out = w->out;
    uint16_t field = read_be16(p + 2);

    if (out->fragment) /* two of them: no fragmenting host does that */
        return IP6_BAD_EXTENSION;
    out->fragment = true;
    out->fragment_at = (uint16_t)w->at;
    out->fragment_next_at = out->next_at;
    out->fragment_offset = field & FRAGMENT_OFFSET;
    out->more = (field & FRAGMENT_MORE) != 0;
    out->id = read_raw32(p + 4);
    return out->more || out->fragment_offset != 0 ? IP6_FRAGMENT : IP6_OK;
}

/* One extension header, of out->protocol, at w->at. */
static enum ip6_fault read_extension(struct walk *w)
{
    const uint8_t *p = w->head.data + w->at;
    uint8_t protocol = w->out->protocol;
    enum ip6_fault fault = IP6_OK;
    uint32_t len;

    if (++w->extensions > IP6_EXTENSIONS_MAX || w->head.len - w->at < 8)
        return IP6_BAD_EXTENSION;
    len = protocol == IP6_PROTO_FRAGMENT ? IP6_FRAGMENT_BYTES : (p[1] + 1U) * 8;
    if (len > w->head.len - w->at || w->at + len > IP6_BYTES + IP6_EXTENSION_BYTES_MAX)
        return IP6_BAD_EXTENSION;
    if (protocol == IP6_PROTO_ROUTING)
        fault = read_routing(w);
    else if (protocol == IP6_PROTO_FRAGMENT)
        fault = read_fragment(w);
    else if (protocol == IP6_PROTO_HOP_BY_HOP && w->at != IP6_BYTES)
        return tell(w->out, IP6_BAD_EXTENSION, 1, w->out->next_at); /* RFC 8200 §4: "unrecognized Next Header" */
    else
        fault = read_options(w, w->at + 2, len - 2);
    w->out->next_at = (uint16_t)w->at;
    w->out->protocol = p[0];
    w->at += len;
    return fault;
}

bool ip6_is_extension(uint8_t protocol)
{
    return protocol == IP6_PROTO_HOP_BY_HOP || protocol == IP6_PROTO_ROUTING || protocol == IP6_PROTO_FRAGMENT ||
           protocol == IP6_PROTO_DESTINATION;
}

enum ip6_fault ip6_read(struct slice head, uint32_t available, struct ip6_header *out)
{
    const uint8_t *p = head.data;
    enum ip6_fault fault = IP6_OK;
    struct walk w = {.out = out, .at = IP6_BYTES};

    memset(out, 0, sizeof(*out));
    if (head.len < IP6_BYTES || p[0] >> 4 != 6)
        return IP6_BAD_HEADER;
    out->total_length = IP6_BYTES + read_be16(p + 4);
    out->next_at = IP6_OFFSET_NEXT;
    out->protocol = p[IP6_OFFSET_NEXT];
    out->hop_limit = p[7];
    out->ecn = (p[IP6_OFFSET_ECN] >> IP6_ECN_SHIFT) & 3;
    memcpy(out->src.bytes, p + IP6_OFFSET_SRC, sizeof(out->src.bytes));
    memcpy(out->dst.bytes, p + IP6_OFFSET_DST, sizeof(out->dst.bytes));
    /* A payload length of 0 in front of hop-by-hop options is how a jumbogram says it is one (RFC 2675). */
    if (out->total_length > available || (out->total_length == IP6_BYTES && out->protocol == IP6_PROTO_HOP_BY_HOP))
        return IP6_BAD_HEADER;
    w.head = slice_head(head, out->total_length);
    while (fault == IP6_OK && ip6_is_extension(out->protocol))
        fault = read_extension(&w);
    out->header_length = (uint16_t)w.at;
    return fault;
}

bool ip6_is_unspecified(const struct assay_address *a)
{
    static const struct assay_address zero;

    return memcmp(a, &zero, sizeof(zero)) == 0;
}

bool ip6_is_martian_source(const struct assay_address *a)
{
    static const uint8_t zero[10];

    if (ip6_is_multicast(a))
        return true;
    return memcmp(a->bytes, zero, sizeof(zero)) == 0 &&
           ((a->bytes[10] == 0 && a->bytes[11] == 0) || (a->bytes[10] == 0xff && a->bytes[11] == 0xff));
}

struct assay_address ip6_solicited_node(const struct assay_address *a)
{
    struct assay_address group = {{0xff, 0x02, [11] = 1, [12] = 0xff}};

    memcpy(group.bytes + 13, a->bytes + 13, 3);
    return group;
}

struct assay_address ip6_link_local(const uint8_t mac[ETHER_MAC_BYTES])
{
    struct assay_address a = {{0xfe, 0x80, [11] = 0xff, [12] = 0xfe}};

    memcpy(a.bytes + 8, mac, 3);
    memcpy(a.bytes + 13, mac + 3, 3);
    a.bytes[8] ^= 2;
    return a;
}

void ip6_multicast_mac(const struct assay_address *group, uint8_t mac[ETHER_MAC_BYTES])
{
    mac[0] = mac[1] = 0x33;
    memcpy(mac + 2, group->bytes + 12, 4);
}

void ip6_write(uint8_t header[IP6_BYTES], const struct assay_address *src, const struct assay_address *dst,
               uint8_t next, uint8_t ecn, uint16_t payload_length, uint8_t hop_limit, uint32_t flow_label)
{
    header[0] = 0x60;
    header[1] = (uint8_t)(ecn << IP6_ECN_SHIFT | ((flow_label >> 16) & 0x0f));
    write_be16(header + 2, (uint16_t)flow_label);
    write_be16(header + 4, payload_length);
    header[IP6_OFFSET_NEXT] = next;
    header[7] = hop_limit;
    memcpy(header + IP6_OFFSET_SRC, src->bytes, sizeof(src->bytes));
    memcpy(header + IP6_OFFSET_DST, dst->bytes, sizeof(dst->bytes));
}
