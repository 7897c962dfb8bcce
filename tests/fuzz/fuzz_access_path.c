/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A path that passes access_normalise() stays where it is, even for a server that decodes it and takes parameters off. */
#include <string.h>

#include "access/access.h"
#include "fuzz.h"

static uint8_t hex(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* As a careless server reads it: parameters off, then decoded once. */
static size_t read_carelessly(struct slice path, uint8_t *out)
{
    size_t len = 0;
    bool parameters = false;

    for (size_t i = 0; i < path.len && path.data[i] != '?'; i++) {
        uint8_t c = path.data[i];

        if (c == '%') {
            c = (uint8_t)(hex(path.data[i + 1]) << 4 | hex(path.data[i + 2]));
            i += 2;
        }
        if (path.data[i] == '/')
            parameters = false;
        if (c == ';')
            parameters = true;
        if (!parameters)
            out[len++] = c;
    }
    return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice path = slice_of(data, size);
    const char *why = NULL;
    size_t segment = 0;

    if (access_normalise(path, &why) != ASSAY_OK) {
        FUZZ_CHECK(why != NULL && why[0] != 0);
        return 0;
    }
    uint8_t *read = malloc(size + 1);
    size_t len = read_carelessly(path, read);

    FUZZ_CHECK(len > 0 && read[0] == '/');
    for (size_t i = 1; i <= len; i++) {
        if (i < len && read[i] != '/') {
            FUZZ_CHECK(read[i] >= 0x20 && read[i] != 0x7f && read[i] != '\\');
            continue;
        }
        struct slice name = slice_of(read + segment + 1, i - segment - 1);

        FUZZ_CHECK(!slice_is(name, ".") && !slice_is(name, ".."));
        FUZZ_CHECK(name.len > 0 || i == len);
        segment = i;
    }
    free(read);
    return 0;
}
