/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client's first bytes: whatever they are, and however they are cut, the same is read from them, and nothing beyond them. */
#include <string.h>

#include "fuzz.h"
#include "tls/client_hello.h"
#include "tls/hello.h"

struct result {
    enum tls_status status;
    uint8_t alert;
    size_t used;
    uint8_t name[256];
    size_t name_length;
};

/* In pieces of the given size, each copied to memory of its own, so that the sanitizer sees a read beyond it. */
static struct result feed(struct slice in, size_t piece)
{
    struct tls_hello *hello = tls_hello_create();
    struct result result = {.status = TLS_STATUS_WANT_INPUT};
    struct slice name;

    FUZZ_CHECK(hello != NULL);
    while (result.status == TLS_STATUS_WANT_INPUT && result.used < in.len) {
        size_t n = in.len - result.used < piece ? in.len - result.used : piece, used;
        uint8_t *copy = malloc(n);

        memcpy(copy, in.data + result.used, n);
        result.status = tls_hello_feed(hello, slice_of(copy, n), &used, &result.alert);
        free(copy);
        FUZZ_CHECK(used <= n);
        FUZZ_CHECK(used == n || result.status != TLS_STATUS_WANT_INPUT);
        result.used += used;
    }
    name = tls_hello_sni(hello);
    FUZZ_CHECK(name.len <= sizeof(result.name));
    if (name.len > 0)
        memcpy(result.name, name.data, name.len);
    result.name_length = name.len;
    FUZZ_CHECK((result.status == TLS_STATUS_FAILED) == (result.alert != 0));
    FUZZ_CHECK(result.status == TLS_STATUS_OK || name.len == 0);
    FUZZ_CHECK((tls_hello_record(hello).len > 0) == (result.status == TLS_STATUS_OK));
    tls_hello_free(hello);
    return result;
}

static void read_as_message(struct slice in)
{
    struct client_hello parsed;
    uint8_t alert;

    if (client_hello_parse(in, &parsed, &alert) != ASSAY_OK)
        return;
    fuzz_within(parsed.random, in);
    fuzz_within(parsed.session_id, in);
    fuzz_within(parsed.sni, in);
    fuzz_within(parsed.alpn, in);
    fuzz_within(parsed.groups, in);
    fuzz_within(parsed.key_shares, in);
    FUZZ_CHECK(parsed.sni.len == 0 || client_hello_is_host_name(parsed.sni));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size);
    struct result whole = feed(in, size > 0 ? size : 1);
    static const size_t pieces[] = {1, 3, 100};

    for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
        struct result cut = feed(in, pieces[i]);

        FUZZ_CHECK(cut.status == whole.status && cut.alert == whole.alert);
        FUZZ_CHECK(cut.status != TLS_STATUS_OK || cut.used == whole.used);
        FUZZ_CHECK(cut.name_length == whole.name_length && memcmp(cut.name, whole.name, cut.name_length) == 0);
    }
    read_as_message(in);
    if (size > 5) /* the corpus holds records: their payload is a message */
        read_as_message(slice_tail(in, 5));
    return 0;
}
