/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/crl_scope.h"

#include "x509/der.h"
#include "x509/dn.h"

/* DistributionPointName, a CHOICE: fullName [0] or nameRelativeToCRLIssuer [1]. */
struct point_name {
    struct slice full, relative;
};

static bool point_name_take(struct slice *rest, struct point_name *out)
{
    struct slice choice;

    *out = (struct point_name){{NULL, 0}, {NULL, 0}};
    if (der_read(rest, DER_CONTEXT_CONSTRUCTED(0), &choice) != ASSAY_OK)
        return false;
    if (der_is_next(choice, DER_CONTEXT_CONSTRUCTED(0)))
        return der_read(&choice, DER_CONTEXT_CONSTRUCTED(0), &out->full) == ASSAY_OK && choice.len == 0 &&
               x509_general_names_check(out->full);
    return der_read(&choice, DER_CONTEXT_CONSTRUCTED(1), &out->relative) == ASSAY_OK && choice.len == 0 &&
           out->relative.len > 0;
}

static bool reasons_take(struct slice *rest, uint8_t tag, uint16_t *out)
{
    struct slice body;

    if (der_read(rest, tag, &body) != ASSAY_OK || body.len == 0 || body.len > 3 || body.data[0] > 7)
        return false;
    *out = 0;
    for (size_t i = 0; i < (body.len - 1) * 8; i++)
        if (body.data[1 + i / 8] >> (7 - i % 8) & 1)
            *out |= (uint16_t)(1 << i);
    *out &= X509_REASONS_ALL;
    return true;
}

struct point {
    struct point_name name;
    bool named, elsewhere; /* elsewhere: cRLIssuer names another issuer */
    uint16_t reasons;
};

static bool point_take(struct slice *points, struct point *out)
{
    struct slice point, issuer;

    *out = (struct point){.reasons = X509_REASONS_ALL};
    if (der_read(points, DER_SEQUENCE, &point) != ASSAY_OK)
        return false;
    out->named = der_is_next(point, DER_CONTEXT_CONSTRUCTED(0));
    if (out->named && !point_name_take(&point, &out->name))
        return false;
    if (der_is_next(point, DER_CONTEXT(1)) && !reasons_take(&point, DER_CONTEXT(1), &out->reasons))
        return false;
    out->elsewhere = der_is_next(point, DER_CONTEXT_CONSTRUCTED(2));
    if (out->elsewhere &&
        (der_read(&point, DER_CONTEXT_CONSTRUCTED(2), &issuer) != ASSAY_OK || !x509_general_names_check(issuer)))
        return false;
    return point.len == 0;
}

bool x509_crl_points_check(struct slice points)
{
    struct point point;

    if (points.len == 0)
        return false;
    while (points.len > 0)
        if (!point_take(&points, &point))
            return false;
    return true;
}

bool x509_crl_point_next(struct slice *points, struct slice *uris, size_t max, size_t *count)
{
    enum x509_general_name kind;
    struct slice value;
    struct point point;

    while (points->len > 0 && point_take(points, &point)) {
        *count = 0;
        while (!point.elsewhere && *count < max && x509_general_name_next(&point.name.full, &kind, &value))
            if (kind == X509_NAME_URI)
                uris[(*count)++] = value;
        if (*count > 0)
            return true;
    }
    return false;
}

void x509_crl_scope_all(struct x509_crl_scope *out)
{
    *out = (struct x509_crl_scope){.reasons = X509_REASONS_ALL};
}

/* A BOOLEAN DEFAULT FALSE in context tag n; DER has it only as TRUE. */
static bool flag_take(struct slice *rest, uint8_t n, bool *out)
{
    struct slice body;

    if (!der_is_next(*rest, DER_CONTEXT(n)))
        return true;
    if (der_read(rest, DER_CONTEXT(n), &body) != ASSAY_OK || body.len != 1 ||
        (body.data[0] != 0 && body.data[0] != 0xff))
        return false;
    *out = body.data[0] != 0;
    return true;
}

enum assay_error x509_crl_scope_parse(struct slice value, struct x509_crl_scope *out)
{
    struct point_name name = {{NULL, 0}, {NULL, 0}};
    struct slice list;

    x509_crl_scope_all(out);
    if (der_read(&value, DER_SEQUENCE, &list) != ASSAY_OK || value.len != 0)
        return ASSAY_ERR_MALFORMED;
    out->named = der_is_next(list, DER_CONTEXT_CONSTRUCTED(0));
    if (out->named && !point_name_take(&list, &name))
        return ASSAY_ERR_MALFORMED;
    out->full_name = name.full;
    out->relative = name.relative;
    if (!flag_take(&list, 1, &out->user_only) || !flag_take(&list, 2, &out->ca_only) ||
        (der_is_next(list, DER_CONTEXT(3)) && !reasons_take(&list, DER_CONTEXT(3), &out->reasons)) ||
        !flag_take(&list, 4, &out->indirect) || !flag_take(&list, 5, &out->attribute_only) || list.len != 0)
        return ASSAY_ERR_MALFORMED;
    /* §5.2.5: at most one of the three. */
    if (out->user_only + out->ca_only + out->attribute_only > 1)
        return ASSAY_ERR_MALFORMED;
    return ASSAY_OK;
}

static bool names_meet(struct slice a, struct slice b)
{
    enum x509_general_name kind, other_kind;
    struct slice value, other, rest;

    while (x509_general_name_next(&a, &kind, &value))
        for (rest = b; x509_general_name_next(&rest, &other_kind, &other);)
            if (kind == other_kind &&
                (kind == X509_NAME_DIRECTORY ? dn_equal(value, other) : slice_equal(value, other)))
                return true;
    return false;
}

static bool names_hold_dn(struct slice names, struct slice dn)
{
    enum x509_general_name kind;
    struct slice value;

    while (x509_general_name_next(&names, &kind, &value))
        if (kind == X509_NAME_DIRECTORY && dn_equal(value, dn))
            return true;
    return false;
}

uint16_t x509_crl_scope_reasons(const struct x509_crl_scope *scope, const struct x509_certificate *certificate)
{
    struct slice points = certificate->crl_points;
    struct point point;
    uint16_t reasons = 0;

    if (scope->indirect || scope->attribute_only || (scope->user_only && certificate->is_ca) ||
        (scope->ca_only && !certificate->is_ca))
        return 0;
    if (!scope->named)
        return scope->reasons;
    /* §6.3.3, at its end: for CRLs of no distribution point the issuer's own name stands in. */
    if (names_hold_dn(scope->full_name, certificate->issuer))
        return scope->reasons;
    while (points.len > 0 && point_take(&points, &point)) {
        if (point.elsewhere || !point.named)
            continue;
        if (names_meet(scope->full_name, point.name.full) ||
            (scope->relative.len > 0 && slice_equal(scope->relative, point.name.relative)))
            reasons |= point.reasons & scope->reasons;
    }
    return reasons;
}
