/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A name match against a second, naive reading of MRA §4: flags, length + host, length + CN, GeneralNames. */
#include "fuzz.h"
#include "x509/extensions.h"
#include "x509/name.h"

static struct slice take(struct slice *rest)
{
    size_t length = rest->len > 0 ? rest->data[0] : 0;
    struct slice part = slice_head(slice_tail(*rest, 1), length);

    *rest = slice_tail(*rest, 1 + part.len);
    return part;
}

static size_t put_header(uint8_t *out, uint8_t tag, size_t length)
{
    out[0] = tag;
    if (length < 0x80) {
        out[1] = (uint8_t)length;
        return 2;
    }
    out[1] = 0x82;
    out[2] = (uint8_t)(length >> 8);
    out[3] = (uint8_t)length;
    if (length >= 0x100)
        return 4;
    out[1] = 0x81;
    out[2] = (uint8_t)length;
    return 3;
}

/* tag(contents) in front of which there is room. */
static struct slice wrap(uint8_t *buffer, uint8_t tag, struct slice lead, struct slice contents)
{
    size_t used = put_header(buffer, tag, lead.len + contents.len);

    if (lead.len > 0)
        memcpy(buffer + used, lead.data, lead.len);
    used += lead.len;
    if (contents.len > 0)
        memcpy(buffer + used, contents.data, contents.len);
    return slice_of(buffer, used + contents.len);
}

static bool naive_dns(struct slice presented, struct slice host)
{
    size_t dot = 0, dots = 0;

    if (slice_equal_nocase(presented, host))
        return true;
    if (presented.len < 3 || memcmp(presented.data, "*.", 2) != 0)
        return false;
    while (dot < host.len && host.data[dot] != '.')
        dot++;
    for (size_t i = dot; i < host.len; i++)
        dots += host.data[i] == '.';
    return dots >= 2 && slice_equal_nocase(slice_tail(presented, 1), slice_tail(host, dot));
}

/* What could at most make a match, whatever the details. */
static bool naive(const struct x509_certificate *leaf, const struct x509_identity *identity, struct slice cn)
{
    struct slice names = leaf->san, value, reference = slice_of(identity->bytes, identity->length);
    enum x509_general_name kind;
    struct x509_identity spelled;

    if (identity->kind == X509_IDENTITY_DNS
            ? naive_dns(cn, reference)
            : x509_identity_from_host(cn, &spelled) == ASSAY_OK && x509_identity_equal(&spelled, identity))
        return true;
    while (x509_general_name_next(&names, &kind, &value)) {
        if (kind == X509_NAME_IP && identity->kind != X509_IDENTITY_DNS && slice_equal(value, reference))
            return true;
        if (kind != X509_NAME_DNS)
            continue;
        if (identity->kind == X509_IDENTITY_DNS
                ? naive_dns(value, reference)
                : x509_identity_from_host(value, &spelled) == ASSAY_OK && x509_identity_equal(&spelled, identity))
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t cn_oid[] = {0x06, 0x03, 0x55, 0x04, 0x03}, san_oid[] = {0x06, 0x03, 0x55, 0x1d, 0x11};
    static const uint8_t utf8[] = {0x0c};
    uint8_t a[8192], b[8192], c[8192], value[300], attribute[400], set[400];
    struct slice rest = slice_of(data, size), host, cn, extension;
    struct x509_certificate leaf = {.path_length = -1};
    struct x509_identity identity;
    struct x509_policy policy;
    uint32_t warnings = 0;
    const char *fault;
    uint8_t flags;

    if (size < 3 || size > 4096)
        return 0;
    flags = data[0];
    rest = slice_tail(rest, 1);
    host = take(&rest);
    cn = take(&rest);
    if (x509_identity_from_host(host, &identity) != ASSAY_OK)
        return 0;
    x509_policy_default(&policy);
    policy.cn_match = (enum x509_cn_match)(flags % 3);
    policy.compat_ip_as_dns = flags & 4;
    if (cn.len > 0) {
        struct slice text = wrap(value, utf8[0], slice_of(NULL, 0), cn);

        leaf.subject =
            wrap(set, 0x31, slice_of(NULL, 0), wrap(attribute, 0x30, slice_of(cn_oid, sizeof(cn_oid)), text));
    }
    if (rest.len > 0) {
        extension = wrap(b, 0x04, slice_of(NULL, 0), wrap(a, 0x30, slice_of(NULL, 0), rest));
        extension = wrap(c, 0x30, slice_of(san_oid, sizeof(san_oid)), extension);
        if (x509_extensions_parse(extension, &leaf, &fault) != ASSAY_OK)
            return 0;
    }
    if (!x509_name_match(&leaf, &identity, &policy, &warnings))
        return 0;
    FUZZ_CHECK(naive(&leaf, &identity, cn));
    if (warnings & X509_WARN_CN_USED)
        FUZZ_CHECK(policy.cn_match != X509_CN_NEVER);
    if (warnings & X509_WARN_IP_AS_DNS)
        FUZZ_CHECK(policy.compat_ip_as_dns && identity.kind != X509_IDENTITY_DNS);
    return 0;
}
