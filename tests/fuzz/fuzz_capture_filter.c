/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A capture filter, and behind its first line the frame it is run on. Whatever is typed: it is refused with a reason, or it
 * becomes a program that looks at nothing outside the frame, ends, and says the same twice. */
#include <string.h>
#include <sys/types.h>

#include <pcap/bpf.h>

#include "daemon/capture_filter.h"
#include "fuzz.h"

#define TEXT_MAX 256 /* libpcap's optimizer takes its time with long ones */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    size_t len = end != NULL ? (size_t)(end - data) : size;
    struct bpf_insn *filter;
    char text[TEXT_MAX + 1], error[256] = "";
    const uint8_t *frame;
    uint32_t frame_len;

    if (size == 0 || len > TEXT_MAX)
        return 0;
    memcpy(text, data, len);
    text[len] = '\0';
    if (!capture_filter_compile(text, 65535, &filter, error, sizeof(error))) {
        FUZZ_CHECK(filter == NULL && error[0] != '\0');
        return 0;
    }
    frame = data + len + (end != NULL);
    frame_len = (uint32_t)(size - (size_t)(frame - data));
    if (filter != NULL)
        FUZZ_CHECK(bpf_filter(filter, frame, frame_len, frame_len) == bpf_filter(filter, frame, frame_len, frame_len));
    capture_filter_free(filter);
    return 0;
}
