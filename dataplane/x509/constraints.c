/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/constraints.h"

#include "base/address.h"
#include "x509/dn.h"
#include "x509/name.h"

/* How a name stands to one constraint. */
enum fit { FIT_NO, FIT_YES, FIT_PARTLY };

struct judge {
    const struct x509_certificate *issuer;
    uint32_t *budget;
};

static bool ends_with(struct slice text, struct slice end)
{
    return text.len >= end.len && slice_equal_nocase(slice_tail(text, text.len - end.len), end);
}

static enum fit dns_fit(struct slice name, struct slice base)
{
    struct slice parent;
    const uint8_t *dot;

    if (base.len == 0)
        return FIT_YES;
    if (base.data[0] == '.')
        return name.len > base.len && ends_with(name, base) ? FIT_YES : FIT_NO;
    if (slice_equal_nocase(name, base) ||
        (name.len > base.len && ends_with(name, base) && name.data[name.len - base.len - 1] == '.'))
        return FIT_YES;
    /* Does "*.example.com" cover the base "bar.example.com"? */
    if (name.len > 2 && name.data[0] == '*') {
        parent = slice_tail(name, 2);
        dot = memchr(base.data, '.', base.len);
        if (dot != NULL && slice_equal_nocase(parent, slice_tail(base, (size_t)(dot - base.data) + 1)))
            return FIT_PARTLY;
    }
    return FIT_NO;
}

static enum fit host_fit(struct slice host, struct slice base)
{
    if (base.len > 0 && base.data[0] == '.')
        return host.len > base.len && ends_with(host, base) ? FIT_YES : FIT_NO;
    return slice_equal_nocase(host, base) ? FIT_YES : FIT_NO;
}

static enum fit email_fit(struct slice name, struct slice base)
{
    const uint8_t *at = name.len ? memrchr(name.data, '@', name.len) : NULL;
    const uint8_t *base_at = base.len ? memrchr(base.data, '@', base.len) : NULL;
    struct slice host;

    if (at == NULL)
        return FIT_NO;
    host = slice_tail(name, (size_t)(at - name.data) + 1);
    if (base_at == NULL)
        return host_fit(host, base);
    /* A whole mailbox: the local part as it stands, the host folded. */
    if (!slice_equal(slice_head(name, (size_t)(at - name.data)), slice_head(base, (size_t)(base_at - base.data))))
        return FIT_NO;
    return slice_equal_nocase(host, slice_tail(base, (size_t)(base_at - base.data) + 1)) ? FIT_YES : FIT_NO;
}

/* The host of scheme://[user@]host[:port][/...]; empty when there is none. */
static struct slice uri_host(struct slice uri)
{
    const uint8_t *mark = uri.len ? memmem(uri.data, uri.len, "://", 3) : NULL;
    struct slice rest;
    const uint8_t *at;
    size_t end = 0;

    if (mark == NULL)
        return slice_of(NULL, 0);
    rest = slice_tail(uri, (size_t)(mark - uri.data) + 3);
    while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?' && rest.data[end] != '#')
        end++;
    rest = slice_head(rest, end);
    at = rest.len ? memrchr(rest.data, '@', rest.len) : NULL;
    if (at != NULL)
        rest = slice_tail(rest, (size_t)(at - rest.data) + 1);
    for (end = 0; end < rest.len && rest.data[end] != ':'; end++)
        ;
    return slice_head(rest, end);
}

static enum fit ip_fit(struct slice name, struct slice base)
{
    if (base.len != 2 * name.len)
        return FIT_NO;
    for (size_t i = 0; i < name.len; i++)
        if ((name.data[i] ^ base.data[i]) & base.data[name.len + i])
            return FIT_NO;
    return FIT_YES;
}

static enum fit name_fit(enum x509_general_name kind, struct slice name, struct slice base)
{
    switch (kind) {
    case X509_NAME_DNS: return dns_fit(name, base);
    case X509_NAME_EMAIL: return email_fit(name, base);
    case X509_NAME_URI: return host_fit(uri_host(name), base);
    case X509_NAME_IP: return ip_fit(name, base);
    case X509_NAME_DIRECTORY: return dn_is_within(name, base) ? FIT_YES : FIT_NO;
    default: return FIT_NO;
    }
}

static bool kind_is_judged(enum x509_general_name kind)
{
    return kind == X509_NAME_DNS || kind == X509_NAME_EMAIL || kind == X509_NAME_URI || kind == X509_NAME_IP ||
           kind == X509_NAME_DIRECTORY;
}

/* A name whose form leaves open what it names cannot be shown to lie in a permitted tree, or outside an excluded one. */
static bool name_is_clear(enum x509_general_name kind, struct slice name)
{
    struct assay_address address;
    struct slice host;

    if (kind == X509_NAME_DNS)
        return x509_name_is_host(name);
    if (kind == X509_NAME_URI) {
        host = uri_host(name);
        return x509_name_is_host(host) && host.data[0] != '*' && address_parse(host, &address) != ASSAY_OK;
    }
    if (kind == X509_NAME_EMAIL)
        return name.len > 1 && name.data[name.len - 1] != '@' && memchr(name.data, '@', name.len) != NULL;
    return true;
}

/* A comparison's price grows with what is compared; names in parts cost most. */
static bool budget_take(uint32_t *budget, enum x509_general_name kind, struct slice base)
{
    uint32_t price = 1;

    if (kind == X509_NAME_DIRECTORY)
        price += (uint32_t)base.len / 2;
    else if (kind == X509_NAME_DNS || kind == X509_NAME_EMAIL || kind == X509_NAME_URI)
        price += (uint32_t)base.len / 32;
    if (*budget < price) {
        *budget = 0;
        return false;
    }
    *budget -= price;
    return true;
}

static enum x509_reason subtrees_judge(const struct judge *judge, bool permitted, enum x509_general_name kind,
                                       struct slice name)
{
    struct slice list = permitted ? judge->issuer->nc_permitted : judge->issuer->nc_excluded, base;
    enum x509_general_name base_kind;
    bool any = false;

    while (x509_subtree_next(&list, &base_kind, &base)) {
        enum fit fit;

        if (!budget_take(judge->budget, base_kind == kind ? kind : X509_NAME_OTHER, base))
            return X509_REASON_WORK_LIMIT;
        if (base_kind != kind)
            continue;
        if (!kind_is_judged(kind))
            return X509_REASON_NAME_CONSTRAINT_UNSUPPORTED;
        any = true;
        fit = name_fit(kind, name, base);
        if (permitted && fit == FIT_YES && name_is_clear(kind, name))
            return X509_REASON_OK;
        /* An unclear dNSName names no host that anybody would connect to. */
        if (!permitted && (fit != FIT_NO || (kind != X509_NAME_DNS && !name_is_clear(kind, name))))
            return X509_REASON_NAME_CONSTRAINT_EXCLUDED;
    }
    return permitted && any ? X509_REASON_NAME_CONSTRAINT_PERMITTED : X509_REASON_OK;
}

static enum x509_reason name_judge(const struct judge *judge, enum x509_general_name kind, struct slice name)
{
    enum x509_reason reason = subtrees_judge(judge, false, kind, name);

    return reason != X509_REASON_OK ? reason : subtrees_judge(judge, true, kind, name);
}

/* The leaf's CN, where it may be used as a host name or as an address. */
static enum x509_reason common_name_judge(const struct judge *judge, const struct x509_certificate *leaf,
                                          const struct x509_policy *policy)
{
    struct dn_attribute attribute;
    struct x509_identity address;
    struct slice name;
    char text[256];
    int length;

    if (!dn_common_name(leaf->subject, &attribute) || (length = dn_text(&attribute, text, sizeof(text))) <= 0)
        return X509_REASON_OK;
    name = slice_of(text, (size_t)length);
    if (x509_name_address(name, &address)) {
        if (!x509_name_cn_applies(leaf, policy, false))
            return X509_REASON_OK;
        return name_judge(judge, X509_NAME_IP, slice_of(address.bytes, address.length));
    }
    /* A CN with blanks is a title, not a host: it can match nothing, so it needs no permission. */
    if (!x509_name_is_host(name) || !x509_name_cn_applies(leaf, policy, true))
        return X509_REASON_OK;
    return name_judge(judge, X509_NAME_DNS, name);
}

/* A dNSName spelled as an address stands for that address where policy lets it match one. */
static enum x509_reason address_in_dns_judge(const struct judge *judge, struct slice name,
                                             const struct x509_policy *policy)
{
    struct x509_identity address;

    if (!policy->compat_ip_as_dns || !x509_name_address(name, &address))
        return X509_REASON_OK;
    return name_judge(judge, X509_NAME_IP, slice_of(address.bytes, address.length));
}

static enum x509_reason emails_judge(const struct judge *judge, struct slice subject)
{
    struct dn_cursor cursor = dn_begin(subject);
    struct dn_attribute attribute;
    char text[320];

    while (dn_next(&cursor, &attribute)) {
        enum x509_reason reason;
        int length;

        if (!dn_is_email(&attribute))
            continue;
        length = dn_text(&attribute, text, sizeof(text));
        reason = name_judge(judge, X509_NAME_EMAIL, slice_of(text, length > 0 ? (size_t)length : 0));
        if (reason != X509_REASON_OK)
            return reason;
    }
    return X509_REASON_OK;
}

static enum x509_reason certificate_judge(const struct judge *judge, const struct x509_certificate *subject,
                                          bool is_leaf, const struct x509_policy *policy)
{
    struct slice names = subject->san, value;
    enum x509_general_name kind;
    enum x509_reason reason = X509_REASON_OK;

    if (subject->subject.len > 0)
        reason = name_judge(judge, X509_NAME_DIRECTORY, subject->subject);
    if (reason == X509_REASON_OK)
        reason = emails_judge(judge, subject->subject);
    while (reason == X509_REASON_OK && x509_general_name_next(&names, &kind, &value)) {
        reason = name_judge(judge, kind, value);
        if (reason == X509_REASON_OK && is_leaf && kind == X509_NAME_DNS)
            reason = address_in_dns_judge(judge, value, policy);
    }
    if (reason == X509_REASON_OK && is_leaf)
        reason = common_name_judge(judge, subject, policy);
    return reason;
}

enum x509_reason x509_constraints_check(const struct x509_certificate *const *path, size_t count,
                                        const struct x509_policy *policy, uint32_t *budget, int *depth)
{
    for (size_t j = count - 1; count > 0 && j-- > 0;) {
        if (j > 0 && path[j]->self_issued)
            continue;
        for (size_t i = count - 1; i > j; i--) {
            struct judge judge = {path[i], budget};
            enum x509_reason reason;

            if (!x509_certificate_has(path[i], X509_EXT_NAME_CONSTRAINTS))
                continue;
            reason = certificate_judge(&judge, path[j], j == 0, policy);
            if (reason != X509_REASON_OK) {
                *depth = (int)j;
                return reason;
            }
        }
    }
    return X509_REASON_OK;
}
