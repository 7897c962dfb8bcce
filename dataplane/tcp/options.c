/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/options.h"

#include <rte_byteorder.h>

#define KIND_END            0
#define KIND_NOP            1
#define KIND_MSS            2
#define KIND_WINDOW_SCALE   3
#define KIND_SACK_PERMITTED 4
#define KIND_SACK           5
#define KIND_TIMESTAMPS     8

#define LENGTH_MSS            4
#define LENGTH_WINDOW_SCALE   3
#define LENGTH_SACK_PERMITTED 2
#define LENGTH_TIMESTAMPS     10
#define LENGTH_SACK_BLOCK     8

static uint32_t load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store_be32(uint8_t *p, uint32_t value)
{
    value = rte_cpu_to_be_32(value);
    memcpy(p, &value, sizeof(value));
}

static enum assay_error parse_sack(struct slice value, struct tcp_options *out)
{
    uint32_t count = value.len / LENGTH_SACK_BLOCK;

    if (value.len % LENGTH_SACK_BLOCK != 0 || count == 0 || count > TCP_SACK_BLOCKS_MAX)
        return ASSAY_ERR_MALFORMED;
    out->sack_count = count;
    for (uint32_t i = 0; i < count; i++) {
        out->sack[i].start = load_be32(value.data + i * LENGTH_SACK_BLOCK);
        out->sack[i].end = load_be32(value.data + i * LENGTH_SACK_BLOCK + 4);
    }
    return ASSAY_OK;
}

/* One option of a known or unknown kind; value is what follows kind and length. */
static enum assay_error parse_one(uint8_t kind, struct slice value, bool syn, struct tcp_options *out)
{
    switch (kind) {
    case KIND_MSS:
        if (value.len != LENGTH_MSS - 2)
            return ASSAY_ERR_MALFORMED;
        if (syn) {
            out->has_mss = true;
            out->mss = (uint16_t)(value.data[0] << 8 | value.data[1]);
        }
        return ASSAY_OK;
    case KIND_WINDOW_SCALE:
        if (value.len != LENGTH_WINDOW_SCALE - 2)
            return ASSAY_ERR_MALFORMED;
        if (syn) {
            out->has_window_scale = true;
            out->window_shift = value.data[0];
        }
        return ASSAY_OK;
    case KIND_SACK_PERMITTED:
        if (value.len != LENGTH_SACK_PERMITTED - 2)
            return ASSAY_ERR_MALFORMED;
        if (syn)
            out->sack_permitted = true;
        return ASSAY_OK;
    case KIND_SACK:
        /* A SYN acknowledges nothing selectively. */
        return syn ? ASSAY_OK : parse_sack(value, out);
    case KIND_TIMESTAMPS:
        if (value.len != LENGTH_TIMESTAMPS - 2)
            return ASSAY_ERR_MALFORMED;
        out->has_timestamps = true;
        out->ts_value = load_be32(value.data);
        out->ts_echo = load_be32(value.data + 4);
        return ASSAY_OK;
    default: return ASSAY_OK;
    }
}

/* What nearly every segment of a connection with timestamps carries: NOP, NOP, timestamps, and nothing else (RFC 7323
 * appendix A). */
static bool parse_usual(struct slice options, struct tcp_options *out)
{
    static const uint8_t head[4] = {KIND_NOP, KIND_NOP, KIND_TIMESTAMPS, LENGTH_TIMESTAMPS};

    if (options.len != 12 || memcmp(options.data, head, sizeof(head)) != 0)
        return false;
    out->has_timestamps = true;
    out->ts_value = load_be32(options.data + 4);
    out->ts_echo = load_be32(options.data + 8);
    return true;
}

enum assay_error tcp_options_parse(struct slice options, bool syn, struct tcp_options *out)
{
    size_t at = 0;

    out->has_mss = out->has_window_scale = out->has_timestamps = out->sack_permitted = false;
    out->sack_count = 0;
    if (parse_usual(options, out))
        return ASSAY_OK;
    while (at < options.len) {
        uint8_t kind = options.data[at];
        enum assay_error error;
        uint8_t length;

        if (kind == KIND_END)
            break;
        if (kind == KIND_NOP) {
            at++;
            continue;
        }
        if (at + 1 >= options.len)
            return ASSAY_ERR_MALFORMED;
        length = options.data[at + 1];
        /* Length counts kind and length themselves: less than 2 would never move on. */
        if (length < 2 || length > options.len - at)
            return ASSAY_ERR_MALFORMED;
        error = parse_one(kind, slice_of(options.data + at + 2, length - 2), syn, out);
        if (error)
            return error;
        at += length;
    }
    return ASSAY_OK;
}

static uint32_t write_timestamps(uint8_t *out, uint8_t first, uint8_t second, const struct tcp_options *options)
{
    out[0] = first;
    out[1] = second;
    out[2] = KIND_TIMESTAMPS;
    out[3] = LENGTH_TIMESTAMPS;
    store_be32(out + 4, options->ts_value);
    store_be32(out + 8, options->ts_echo);
    return 12;
}

uint32_t tcp_options_write_syn(const struct tcp_options *options, uint8_t out[TCP_OPTIONS_MAX])
{
    uint32_t at = 0;

    out[at] = KIND_MSS;
    out[at + 1] = LENGTH_MSS;
    out[at + 2] = options->mss >> 8;
    out[at + 3] = options->mss & 0xff;
    at += 4;
    if (options->has_timestamps) {
        /* SACK-permitted takes the place of the two NOPs. */
        at += options->sack_permitted ? write_timestamps(out + at, KIND_SACK_PERMITTED, LENGTH_SACK_PERMITTED, options)
                                      : write_timestamps(out + at, KIND_NOP, KIND_NOP, options);
    } else if (options->sack_permitted) {
        const uint8_t bytes[4] = {KIND_NOP, KIND_NOP, KIND_SACK_PERMITTED, LENGTH_SACK_PERMITTED};

        memcpy(out + at, bytes, sizeof(bytes));
        at += sizeof(bytes);
    }
    if (options->has_window_scale) {
        const uint8_t bytes[4] = {KIND_NOP, KIND_WINDOW_SCALE, LENGTH_WINDOW_SCALE, options->window_shift};

        memcpy(out + at, bytes, sizeof(bytes));
        at += sizeof(bytes);
    }
    return at;
}

static uint32_t sack_count_fitting(bool timestamps, uint32_t count)
{
    uint32_t room = TCP_OPTIONS_MAX - (timestamps ? 12 : 0) - 4;

    return count < room / LENGTH_SACK_BLOCK ? count : room / LENGTH_SACK_BLOCK;
}

uint32_t tcp_options_length(bool timestamps, uint32_t sack_count)
{
    sack_count = sack_count_fitting(timestamps, sack_count);
    return (timestamps ? 12 : 0) + (sack_count ? 4 + sack_count * LENGTH_SACK_BLOCK : 0);
}

uint32_t tcp_options_write(const struct tcp_options *options, uint8_t out[TCP_OPTIONS_MAX])
{
    uint32_t count = sack_count_fitting(options->has_timestamps, options->sack_count);
    uint32_t at = 0;

    if (options->has_timestamps)
        at += write_timestamps(out, KIND_NOP, KIND_NOP, options);
    if (count == 0)
        return at;
    out[at] = KIND_NOP;
    out[at + 1] = KIND_NOP;
    out[at + 2] = KIND_SACK;
    out[at + 3] = (uint8_t)(2 + count * LENGTH_SACK_BLOCK);
    at += 4;
    for (uint32_t i = 0; i < count; i++) {
        store_be32(out + at, options->sack[i].start);
        store_be32(out + at + 4, options->sack[i].end);
        at += LENGTH_SACK_BLOCK;
    }
    return at;
}
