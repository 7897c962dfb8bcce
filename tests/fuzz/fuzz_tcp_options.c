/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first byte says whether it is a SYN's (bit 0), the rest are the options. What is read stays inside its bounds, and what is
 * written from it reads back the same. */
#include "fuzz.h"
#include "tcp/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct tcp_options *options, bool syn)
{
    uint8_t bytes[TCP_OPTIONS_MAX];
    uint32_t len = syn ? tcp_options_write_syn(options, bytes) : tcp_options_write(options, bytes);
    struct tcp_options again;

    FUZZ_CHECK(len <= sizeof(bytes) && len % 4 == 0);
    FUZZ_CHECK(tcp_options_parse(slice_of(bytes, len), syn, &again) == ASSAY_OK);
    FUZZ_CHECK(again.has_timestamps == options->has_timestamps);
    FUZZ_CHECK(!again.has_timestamps || (again.ts_value == options->ts_value && again.ts_echo == options->ts_echo));
    if (syn) {
        FUZZ_CHECK(again.sack_permitted == options->sack_permitted);
        FUZZ_CHECK(again.has_window_scale == options->has_window_scale);
        FUZZ_CHECK(!again.has_window_scale || again.window_shift == options->window_shift);
        return;
    }
    FUZZ_CHECK(len == tcp_options_length(options->has_timestamps, options->sack_count));
    FUZZ_CHECK(again.sack_count <= options->sack_count);
    for (uint32_t i = 0; i < again.sack_count; i++)
        FUZZ_CHECK(again.sack[i].start == options->sack[i].start && again.sack[i].end == options->sack[i].end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tcp_options options = {0};
    bool syn;

    if (size == 0 || size > 1 + TCP_OPTIONS_MAX)
        return -1;
    syn = data[0] & 1;
    if (tcp_options_parse(slice_of(data + 1, size - 1), syn, &options) != ASSAY_OK)
        return 0;
    FUZZ_CHECK(options.sack_count <= TCP_SACK_BLOCKS_MAX);
    FUZZ_CHECK(syn ? options.sack_count == 0
                   : !options.has_mss && !options.has_window_scale && !options.sack_permitted);
    check_round_trip(&options, syn);
    return 0;
}
