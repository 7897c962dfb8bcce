/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A path that names an origin names one: what came out, encoded again, comes out the same. */
#include <stdio.h>

#include "base/host.h"
#include "fuzz.h"
#include "http/mra_path.h"

static size_t encode(struct slice in, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    uint32_t count = 0;
    size_t len = 0;

    for (size_t i = 0; i < in.len; i++) {
        bits = bits << 8 | in.data[i];
        for (count += 8; count >= 6; count -= 6)
            out[len++] = digits[bits >> (count - 6) & 63];
    }
    if (count > 0)
        out[len++] = digits[bits << (6 - count) & 63];
    return len;
}

static void check_again(const struct mra_target *first)
{
    char decoded[MRA_PATH_DECODED_MAX + 64];
    char path[2 * MRA_PATH_DECODED_MAX];
    struct mra_target again;
    const char *why;
    int len = snprintf(decoded, sizeof(decoded), first->edge_config ? "%.*s" : "%.*s/%s/%.*s/%u",
                       (int)first->domain.len, (const char *)first->domain.data, first->https ? "https" : "http",
                       (int)first->host.len, (const char *)first->host.data, (unsigned)first->port);
    size_t path_len;

    path[0] = '/';
    path_len = 1 + encode(slice_of(decoded, (size_t)len), path + 1);
    FUZZ_CHECK(mra_path_parse(slice_of(path, path_len), &again, &why) == ASSAY_OK);
    FUZZ_CHECK(slice_equal(again.domain, first->domain) && slice_equal(again.host, first->host));
    FUZZ_CHECK(again.https == first->https && again.port == first->port && again.edge_config == first->edge_config);
    FUZZ_CHECK(slice_is(again.rest, "/"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mra_target target;
    const char *why = NULL;
    enum host_kind kind;

    if (mra_path_parse(slice_of(data, size), &target, &why) != ASSAY_OK) {
        FUZZ_CHECK(why != NULL);
        return 0;
    }
    FUZZ_CHECK(host_check(target.domain, &kind) == ASSAY_OK && kind == HOST_NAME);
    FUZZ_CHECK(target.rest.len > 0 && target.rest.data[0] == '/');
    if (!target.edge_config)
        FUZZ_CHECK(host_check(target.host, &kind) == ASSAY_OK && target.port != 0);
    check_again(&target);
    return 0;
}
