/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/pcapng.h"

#include <string.h>

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
    BLOCK_SECTION = 0x0a0d0d0a,
};
enum {
    OPTION_END = 0,
    OPTION_FLAGS = 2,       /* of a packet */
    OPTION_NAME = 2,        /* of an interface */
    OPTION_APPLICATION = 4, /* of a section */
    OPTION_RECEIVED = 4,    /* of statistics */
    OPTION_DROPPED = 5,
    OPTION_RESOLUTION = 9,
    OPTION_FILTER = 11,
};

#define BYTE_ORDER_MAGIC 0x1a2b3c4dU
#define LINK_ETHERNET    1
#define NANOSECONDS      9 /* 10^-9 */
#define PACKET_HEAD      28
#define PACKET_TAIL      (8 + 4 + 4) /* option flags, end of options, length */

static void add32(struct text *out, uint32_t value)
{
    text_add(out, &value, sizeof(value));
}

static void add16(struct text *out, uint16_t value)
{
    text_add(out, &value, sizeof(value));
}

static void add_time(struct text *out, uint64_t wall_ns)
{
    add32(out, (uint32_t)(wall_ns >> 32));
    add32(out, (uint32_t)wall_ns);
}

static size_t padded(size_t len)
{
    return (len + 3) & ~(size_t)3;
}

static void add_padded(struct text *out, const void *data, size_t len)
{
    static const uint8_t zero[4];

    text_add(out, data, len);
    text_add(out, zero, padded(len) - len);
}

static void add_option(struct text *out, uint16_t code, const void *data, size_t len)
{
    add16(out, code);
    add16(out, (uint16_t)len);
    add_padded(out, data, len);
}

/* Where the block begins: its length is not known yet. */
static size_t begin(struct text *out, uint32_t type)
{
    add32(out, type);
    add32(out, 0);
    return out->len - 8;
}

static void end(struct text *out, size_t start)
{
    uint32_t total;

    add_option(out, OPTION_END, NULL, 0);
    total = (uint32_t)(out->len - start + sizeof(total));
    add32(out, total);
    memcpy(out->data + start + 4, &total, sizeof(total));
}

void pcapng_section(struct text *out, const char *application)
{
    size_t start = begin(out, BLOCK_SECTION);

    add32(out, BYTE_ORDER_MAGIC);
    add16(out, 1); /* version 1.0 */
    add16(out, 0);
    add32(out, UINT32_MAX); /* length of the section: not said */
    add32(out, UINT32_MAX);
    add_option(out, OPTION_APPLICATION, application, strlen(application));
    end(out, start);
}

void pcapng_interface(struct text *out, const char *name, const char *filter, uint32_t snaplen)
{
    static const uint8_t resolution = NANOSECONDS;
    size_t start = begin(out, BLOCK_INTERFACE);
    struct text kind = {0};

    add16(out, LINK_ETHERNET);
    add16(out, 0);
    add32(out, snaplen);
    add_option(out, OPTION_NAME, name, strlen(name));
    add_option(out, OPTION_RESOLUTION, &resolution, sizeof(resolution));
    if (filter[0] != '\0') {
        text_add(&kind, "", 1); /* 0: it is text, in the language of libpcap */
        text_add_text(&kind, filter);
        add_option(out, OPTION_FILTER, kind.data, kind.len);
        text_free(&kind);
    }
    end(out, start);
}

size_t pcapng_packet_size(size_t captured)
{
    return PACKET_HEAD + padded(captured) + PACKET_TAIL;
}

void pcapng_packet(struct text *out, uint64_t wall_ns, uint32_t direction, struct slice bytes, uint32_t length)
{
    size_t start = begin(out, BLOCK_PACKET);

    add32(out, 0); /* interface */
    add_time(out, wall_ns);
    add32(out, (uint32_t)bytes.len);
    add32(out, length);
    add_padded(out, bytes.data, bytes.len);
    add_option(out, OPTION_FLAGS, &direction, sizeof(direction));
    end(out, start);
}

void pcapng_statistics(struct text *out, uint64_t wall_ns, uint64_t seen, uint64_t dropped)
{
    size_t start = begin(out, BLOCK_STATISTICS);

    add32(out, 0); /* interface */
    add_time(out, wall_ns);
    add_option(out, OPTION_RECEIVED, &seen, sizeof(seen));
    add_option(out, OPTION_DROPPED, &dropped, sizeof(dropped));
    end(out, start);
}
