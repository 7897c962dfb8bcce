/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_ERROR_H
#define ASSAY_ERROR_H
/* The one error type of fallible functions. The list is error.def.
 * Text: assay_error_text() for people, assay_error_name() for logs and JSON; both static strings. */

enum assay_error_class {
    ASSAY_CLASS_NONE,
    ASSAY_CLASS_RESOURCE,
    ASSAY_CLASS_INPUT,
    ASSAY_CLASS_STATE,
    ASSAY_CLASS_SYSTEM,
    ASSAY_CLASS_INTERNAL,
};

enum assay_error {
#define ASSAY_ERROR(name, class_, text) ASSAY_ERR_##name,
#include "assay/error.def"
#undef ASSAY_ERROR
};
/* Success reads as success. */
#define ASSAY_OK ASSAY_ERR_OK

#define ASSAY_MUST_USE __attribute__((warn_unused_result))

const char *assay_error_name(enum assay_error error);
const char *assay_error_text(enum assay_error error);
enum assay_error_class assay_error_class(enum assay_error error);

#endif
