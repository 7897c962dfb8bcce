/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_FUZZ_H
#define ASSAY_FUZZ_H
/* What fuzz targets check with: an invariant that fails ends the run with its place, in every build type. */
#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"

#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_failed(#condition, __FILE__, __LINE__))

static inline void fuzz_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

/* A slice that is not empty lies inside the bytes it was read from. */
static inline void fuzz_within(struct slice part, struct slice whole)
{
    FUZZ_CHECK(part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len));
}

#endif
