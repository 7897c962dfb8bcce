/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/identity.h"

#include "base/address.h"
#include "base/host.h"

_Static_assert(HOST_NAME_MAX < sizeof(((struct x509_identity *)0)->bytes), "a name and its terminator fit");

static enum assay_error identity_read(struct slice text, bool bracketed, struct x509_identity *out)
{
    char canonical[HOST_NAME_MAX + 1];
    struct assay_address address;
    struct slice name;

    if (host_canonical(text, canonical, &name) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    if (address_parse(name, &address) == ASSAY_OK) {
        bool ip4 = address_is_ip4(&address);

        out->kind = ip4 ? X509_IDENTITY_IP4 : X509_IDENTITY_IP6;
        out->length = ip4 ? 4 : 16;
        memcpy(out->bytes, address.bytes + 16 - out->length, out->length);
        return ASSAY_OK;
    }
    if (bracketed)
        return ASSAY_ERR_MALFORMED;
    out->kind = X509_IDENTITY_DNS;
    out->length = (uint8_t)name.len;
    memcpy(out->bytes, name.data, name.len);
    return ASSAY_OK;
}

enum assay_error x509_identity_from_host(struct slice host, struct x509_identity *out)
{
    bool bracketed = host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';

    memset(out, 0, sizeof(*out));
    if (bracketed) {
        host = slice_of(host.data + 1, host.len - 2);
        if (memchr(host.data, ':', host.len) == NULL) /* brackets are for IPv6 */
            return ASSAY_ERR_MALFORMED;
    } else if (host.len > 1 && host.data[host.len - 1] == '.' && memchr(host.data, ':', host.len) == NULL) {
        host.len--; /* the root's dot: the same name */
    }
    return identity_read(host, bracketed, out);
}

bool x509_identity_equal(const struct x509_identity *a, const struct x509_identity *b)
{
    return a->kind == b->kind && a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

char *x509_identity_format(const struct x509_identity *identity, char out[256])
{
    struct assay_address address;
    uint32_t ip_be;

    switch (identity->kind) {
    case X509_IDENTITY_IP4:
        memcpy(&ip_be, identity->bytes, sizeof(ip_be));
        address = address_from_ip4_be(ip_be);
        return address_format(&address, out);
    case X509_IDENTITY_IP6:
        memcpy(address.bytes, identity->bytes, sizeof(address.bytes));
        return address_format(&address, out);
    default:
        memcpy(out, identity->bytes, identity->length);
        out[identity->length] = 0;
        return out;
    }
}
