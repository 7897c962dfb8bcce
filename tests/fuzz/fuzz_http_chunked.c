/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chunked body, whole and in pieces, must decode alike; framed anew it must decode to the same. */
#include <string.h>

#include "fuzz.h"
#include "http/http.h"

#define PAYLOAD_MAX 65536

struct decoded {
    enum http_body_status status;
    size_t used;
    size_t len;
    uint8_t payload[PAYLOAD_MAX];
};

static void decode(struct slice in, size_t step, struct decoded *out)
{
    struct http_body body;

    http_body_init(&body, HTTP_BODY_CHUNKED, 0);
    out->status = HTTP_BODY_MORE;
    out->used = 0;
    out->len = 0;
    while (out->status == HTTP_BODY_DATA || (out->status == HTTP_BODY_MORE && out->used < in.len)) {
        struct slice piece = slice_head(slice_tail(in, out->used), step);
        struct slice data;
        size_t used;

        out->status = http_body_next(&body, piece, &used, &data);
        FUZZ_CHECK(used <= piece.len);
        FUZZ_CHECK(used > 0 || out->status != HTTP_BODY_DATA);
        FUZZ_CHECK(out->status != HTTP_BODY_MORE || used == piece.len);
        fuzz_within(data, piece);
        if (data.len > 0)
            memcpy(out->payload + out->len, data.data, data.len);
        out->len += data.len;
        out->used += used;
    }
    FUZZ_CHECK(body.payload_bytes == out->len);
    FUZZ_CHECK(http_body_closed(&body) == (out->status == HTTP_BODY_END));
}

static void check_framed_anew(const struct decoded *first, size_t step, struct decoded *again)
{
    static char out[PAYLOAD_MAX * 8];
    size_t len = 0;

    for (size_t at = 0; at < first->len; at += step) {
        size_t n = first->len - at < step ? first->len - at : step;

        len += http_chunk_head(n, out + len);
        memcpy(out + len, first->payload + at, n);
        len += n;
        memcpy(out + len, HTTP_CHUNK_END, 2);
        len += 2;
    }
    memcpy(out + len, HTTP_CHUNK_LAST, 5);
    len += 5;
    decode(slice_of(out, len), len, again);
    FUZZ_CHECK(again->status == HTTP_BODY_END && again->used == len && again->len == first->len);
    FUZZ_CHECK(memcmp(again->payload, first->payload, first->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decoded whole;
    static struct decoded parts;

    if (size < 2 || size > PAYLOAD_MAX)
        return 0;
    size_t step = 1 + data[0] % 32;
    struct slice in = slice_of(data + 1, size - 1);

    decode(in, in.len, &whole);
    decode(in, step, &parts);
    FUZZ_CHECK(whole.status == parts.status && whole.len == parts.len && whole.used == parts.used);
    FUZZ_CHECK(memcmp(whole.payload, parts.payload, whole.len) == 0);
    if (whole.status == HTTP_BODY_END)
        check_framed_anew(&whole, step, &parts);
    return 0;
}
