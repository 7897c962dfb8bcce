/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/ip4.h"

#include "net/ether.h"
#include "net/mbuf.h"

#define TTL              64
#define DONT_FRAGMENT    0x4000
#define FRAGMENT_OFFSET  0x1fff
#define OPTION_END       0
#define OPTION_NOP       1
#define OPTION_LSRR      131
#define OPTION_SSRR      137
#define OPTION_BYTES_MIN 2

static enum ip4_fault read_options(struct slice options)
{
    while (options.len != 0) {
        uint8_t kind = options.data[0], length;

        if (kind == OPTION_END)
            return IP4_OK;
        if (kind == OPTION_NOP) {
            options = slice_tail(options, 1);
            continue;
        }
        length = options.len >= OPTION_BYTES_MIN ? options.data[1] : 0;
        if (length < OPTION_BYTES_MIN || length > options.len)
            return IP4_BAD_OPTIONS;
        /* RFC 1122 lets a host refuse them; they serve only to reach us around a filter. */
        if (kind == OPTION_LSRR || kind == OPTION_SSRR)
            return IP4_SOURCE_ROUTE;
        options = slice_tail(options, length);
    }
    return IP4_OK;
}

enum ip4_fault ip4_read(struct slice head, uint32_t available, bool checksum_known_good, struct ip4_header *out)
{
    const uint8_t *p = head.data;
    enum ip4_fault fault;

    if (head.len < IP4_BYTES || p[0] >> 4 != 4)
        return IP4_BAD_HEADER;
    out->header_length = (uint8_t)((p[0] & 15) * 4);
    out->total_length = read_be16(p + 2);
    if (out->header_length < IP4_BYTES || out->header_length > head.len || out->total_length < out->header_length ||
        out->total_length > available)
        return IP4_BAD_HEADER;
    out->ecn = p[IP4_OFFSET_TOS] & IP4_ECN;
    out->protocol = p[IP4_OFFSET_PROTO];
    out->src_be = read_raw32(p + IP4_OFFSET_SRC);
    out->dst_be = read_raw32(p + IP4_OFFSET_DST);
    out->id = (uint16_t)(p[4] | p[5] << 8);
    out->more = (read_be16(p + IP4_OFFSET_FRAG) & IP4_MORE) != 0;
    out->fragment_offset = (uint16_t)((read_be16(p + IP4_OFFSET_FRAG) & FRAGMENT_OFFSET) * 8);
    if (!checksum_known_good && checksum_add(0, p, out->header_length) != 0xffff)
        return IP4_BAD_CHECKSUM;
    fault = read_options(slice_of(p + IP4_BYTES, (size_t)out->header_length - IP4_BYTES));
    if (fault != IP4_OK)
        return fault;
    return out->more || out->fragment_offset != 0 ? IP4_FRAGMENT : IP4_OK;
}

bool ip4_is_multicast(uint32_t ip_be)
{
    return (__builtin_bswap32(ip_be) >> 28) == 14;
}

bool ip4_is_martian_source(uint32_t ip_be)
{
    uint32_t first = __builtin_bswap32(ip_be) >> 24;

    return first == 0 || first == 127 || first >= 224;
}

void ip4_set_fragment(uint8_t *header, uint16_t field)
{
    uint16_t checksum;

    write_be16(header + IP4_OFFSET_FRAG, field);
    write_be16(header + IP4_OFFSET_SUM, 0);
    checksum = (uint16_t)~checksum_add(0, header, (header[0] & 15) * 4U);
    memcpy(header + IP4_OFFSET_SUM, &checksum, sizeof(checksum));
}

void ip4_write(uint8_t header[IP4_BYTES], uint32_t src_be, uint32_t dst_be, uint8_t protocol, uint8_t ecn,
               uint16_t total_length, uint16_t id, bool with_checksum)
{
    header[0] = 0x45;
    header[1] = ecn;
    write_be16(header + 2, total_length);
    write_be16(header + 4, id);
    write_be16(header + 6, DONT_FRAGMENT);
    header[8] = TTL;
    header[IP4_OFFSET_PROTO] = protocol;
    header[10] = 0;
    header[11] = 0;
    memcpy(header + IP4_OFFSET_SRC, &src_be, 4);
    memcpy(header + IP4_OFFSET_DST, &dst_be, 4);
    if (with_checksum) {
        uint16_t checksum = (uint16_t)~checksum_add(0, header, IP4_BYTES);

        memcpy(header + 10, &checksum, sizeof(checksum));
    }
}
