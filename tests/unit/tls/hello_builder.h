/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_TLS_HELLO_BUILDER_H
#define ASSAY_TESTS_TLS_HELLO_BUILDER_H
/* Builds ClientHello messages field by field, sound or not. Lengths of open vectors are filled in when they are closed. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct builder {
    uint8_t bytes[120000];
    size_t length;
    struct {
        size_t at, width;
    } open[8];
    size_t depth;
};

static inline void put_bytes(struct builder *b, const void *bytes, size_t len)
{
    assert(b->length + len <= sizeof(b->bytes));
    if (len > 0)
        memcpy(b->bytes + b->length, bytes, len);
    b->length += len;
}

static inline void put_number(struct builder *b, size_t width, uint32_t value)
{
    uint8_t bytes[4];

    for (size_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
    put_bytes(b, bytes, width);
}

static inline void put_fill(struct builder *b, uint8_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put_bytes(b, &value, 1);
}

static inline void open_vector(struct builder *b, size_t width)
{
    b->open[b->depth].at = b->length;
    b->open[b->depth++].width = width;
    put_number(b, width, 0);
}

static inline void close_vector(struct builder *b)
{
    size_t at = b->open[--b->depth].at, width = b->open[b->depth].width, len = b->length - at - width;

    for (size_t i = 0; i < width; i++)
        b->bytes[at + i] = (uint8_t)(len >> (8 * (width - 1 - i)));
}

static inline void open_extension(struct builder *b, uint16_t type)
{
    put_number(b, 2, type);
    open_vector(b, 2);
}

static inline void put_extension(struct builder *b, uint16_t type, const void *body, size_t len)
{
    open_extension(b, type);
    put_bytes(b, body, len);
    close_vector(b);
}

/* The message up to the extensions; end_hello() closes both. */
static inline void begin_hello(struct builder *b)
{
    b->length = 0;
    b->depth = 0;
    put_number(b, 1, 1);
    open_vector(b, 3);
    put_number(b, 2, 0x0303);
    put_fill(b, 0x5a, 32);
    open_vector(b, 1);
    put_fill(b, 0x11, 32);
    close_vector(b);
    open_vector(b, 2);
    put_number(b, 2, 0x1301);
    put_number(b, 2, 0xc02b);
    put_number(b, 2, 0xc02f);
    close_vector(b);
    open_vector(b, 1);
    put_number(b, 1, 0);
    close_vector(b);
    open_vector(b, 2);
}

static inline void end_hello(struct builder *b)
{
    while (b->depth > 0)
        close_vector(b);
}

static inline void put_sni(struct builder *b, const char *name)
{
    open_extension(b, 0);
    open_vector(b, 2);
    put_number(b, 1, 0);
    open_vector(b, 2);
    put_bytes(b, name, strlen(name));
    close_vector(b);
    close_vector(b);
    close_vector(b);
}

static inline void put_groups(struct builder *b)
{
    static const uint8_t body[] = {0, 6, 0, 29, 0, 23, 0, 24};

    put_extension(b, 10, body, sizeof(body));
}

static inline void put_versions(struct builder *b)
{
    static const uint8_t body[] = {4, 3, 4, 3, 3};

    put_extension(b, 43, body, sizeof(body));
}

static inline void put_signatures(struct builder *b)
{
    static const uint8_t body[] = {0, 8, 4, 3, 8, 4, 8, 5, 4, 1};

    put_extension(b, 13, body, sizeof(body));
}

/* The base point's double: a valid X25519 share. */
static inline void put_share(struct builder *b, uint16_t group, size_t len)
{
    put_number(b, 2, group);
    open_vector(b, 2);
    put_fill(b, 9, len);
    close_vector(b);
}

/* Wraps the message in one handshake record behind what is in out. */
static inline void put_record(struct builder *out, uint8_t type, const void *payload, size_t len)
{
    put_number(out, 1, type);
    put_number(out, 2, 0x0301);
    put_number(out, 2, (uint32_t)len);
    put_bytes(out, payload, len);
}

#endif
