/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A frame into steer_frame(). What it says must be the same for the frame with more behind it and, unless it stays, for every
 * shorter one that does not stay; addresses and ports must be bytes of the frame. */
#include <stdlib.h>
#include <string.h>

#include "net/ether.h"
#include "net/steer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool holds(const uint8_t *data, size_t size, const uint8_t *piece, size_t len)
{
    for (size_t i = 0; i + len <= size; i++)
        if (memcmp(data + i, piece, len) == 0)
            return true;
    return false;
}

static void check_flow(const uint8_t *data, size_t size, enum steer_way way, const struct steer_flow *flow)
{
    static const uint8_t none[4];
    size_t bytes = flow->address_bytes;

    require(bytes == 4 || bytes == 16);
    require(holds(data, size, flow->addresses, bytes) && holds(data, size, flow->addresses + bytes, bytes));
    if (way == STEER_FRAGMENT)
        require(memcmp(flow->ports, none, 4) == 0);
    else
        require(holds(data, size, flow->ports, 2) && holds(data, size, flow->ports + 2, 2));
    require(!flow->plain || way == STEER_FLOW);
}

static bool is_about_a_flow(enum steer_way way)
{
    return way == STEER_FLOW || way == STEER_QUOTED || way == STEER_FRAGMENT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steer_flow flow, other;
    enum steer_way way;

    if (size > STEER_BYTES)
        size = STEER_BYTES;
    way = steer_frame(slice_of(data, size), &flow);
    if (is_about_a_flow(way))
        check_flow(data, size, way, &flow);
    for (size_t len = 0; len < size; len++) {
        uint8_t *copy = malloc(len > 0 ? len : 1);
        enum steer_way shorter;

        require(copy != NULL);
        memcpy(copy, data, len);
        shorter = steer_frame(slice_of(copy, len), &other);
        free(copy);
        require(shorter == way || shorter == STEER_HERE);
        if (is_about_a_flow(shorter))
            require(memcmp(other.ports, flow.ports, 4) == 0 && other.address_bytes == flow.address_bytes &&
                    memcmp(other.addresses, flow.addresses, flow.address_bytes * 2U) == 0);
    }
    return 0;
}
