/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sightings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"

struct slice sighting_bytes(const struct sighting *sighting)
{
    static uint8_t buffer[65536];
    struct chain_record head = {.wall_ns = sighting->at_s * 1000000000,
                                .trust_epoch = sighting->epoch,
                                .peer_port = sighting->port,
                                .flags = sighting->in_use ? 0 : CHAIN_RECORD_HANDSHAKE,
                                .chain_reason = sighting->chain_reason,
                                .name_reason = sighting->name_reason,
                                .host_length = (uint8_t)strlen(sighting->host),
                                .certificate_count = sighting->brief ? 0 : (uint8_t)sighting->count};
    const char *address = sighting->address != NULL ? sighting->address : "198.18.2.11";
    struct x509_chain_digest digest;
    size_t length = sizeof(head);

    assert_int_equal(address_parse(slice_text(address), &head.peer), ASSAY_OK);
    x509_chain_digest(sighting->certificates, sighting->count, &digest);
    x509_chain_digest_staple(sighting->staple, &digest);
    memcpy(head.leaf_sha256, digest.leaf, 32);
    memcpy(head.chain_sha256, digest.chain, 32);
    memcpy(head.staple_sha256, digest.staple, 32);
    head.staple_length = sighting->brief ? 0 : (uint32_t)sighting->staple.len;
    memcpy(buffer + length, sighting->host, head.host_length);
    length += head.host_length;
    for (size_t i = 0; i < head.certificate_count; i++) {
        assert_true(length + sighting->certificates[i].len <= sizeof(buffer));
        head.certificate_length[i] = (uint32_t)sighting->certificates[i].len;
        memcpy(buffer + length, sighting->certificates[i].data, sighting->certificates[i].len);
        length += sighting->certificates[i].len;
    }
    if (head.staple_length > 0)
        memcpy(buffer + length, sighting->staple.data, head.staple_length);
    length += head.staple_length;
    memcpy(buffer, &head, sizeof(head));
    return slice_of(buffer, length);
}

struct registry_entry *sighting_take(struct registry *registry, const struct sighting *sighting)
{
    return registry_take(registry, sighting_bytes(sighting));
}
