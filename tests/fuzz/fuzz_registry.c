/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The registry of chains: records as cores write them, their certificates from any origin, and the file of an earlier run. */
#include "daemon/registry.h"
#include "daemon/registry_file.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct registry_limits limits = {4, 1 << 16, 1000};
    struct registry *registry = registry_create(&limits), *again = registry_create(&limits);
    struct text text = {0};
    size_t left_out;

    (void)registry_take(registry, slice_of(data, size));
    (void)registry_file_read(registry, slice_of(data, size), &left_out);
    registry_age(registry, 1001);
    /* what was taken can be written, and read again */
    registry_file_write(registry, &text);
    FUZZ_CHECK(registry_file_read(again, text_slice(&text), &left_out) <= registry_count(registry));
    text_free(&text);
    registry_free(again);
    registry_free(registry);
    return 0;
}
