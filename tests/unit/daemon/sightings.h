/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TEST_SIGHTINGS_H
#define ASSAY_TEST_SIGHTINGS_H
/* Records of chains as a core would write them (assay/chain_record.h). For tests only. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/chain_record.h"
#include "base/slice.h"
#include "daemon/registry.h"

struct sighting {
    const char *host;
    uint16_t port;
    const struct slice *certificates;
    size_t count;
    bool brief, in_use; /* without the certificates; no handshake */
    uint64_t at_s;
    uint64_t epoch; /* 0: not judged */
    uint8_t chain_reason, name_reason;
    const char *address; /* NULL: 198.18.2.11 */
    struct slice staple;
};

/* The bytes of a record, in a buffer that the next call overwrites. */
struct slice sighting_bytes(const struct sighting *sighting);
struct registry_entry *sighting_take(struct registry *registry, const struct sighting *sighting);

#endif
