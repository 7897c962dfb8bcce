/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "assay/error.h"

#include <stddef.h>

struct error_row {
    const char *name;
    enum assay_error_class class;
    const char *text;
};

static const struct error_row error_rows[] = {
#define ASSAY_ERROR(name, class_, text) {#name, ASSAY_CLASS_##class_, text},
#include "assay/error.def"
#undef ASSAY_ERROR
};

static const struct error_row *error_row(enum assay_error error)
{
    size_t count = sizeof(error_rows) / sizeof(error_rows[0]);

    return &error_rows[(size_t)error < count ? (size_t)error : (size_t)ASSAY_ERR_INTERNAL];
}

const char *assay_error_name(enum assay_error error)
{
    return error_row(error)->name;
}

const char *assay_error_text(enum assay_error error)
{
    return error_row(error)->text;
}

enum assay_error_class assay_error_class(enum assay_error error)
{
    return error_row(error)->class;
}
