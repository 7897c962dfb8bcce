/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a configuration: a reading or faults, and what passes the table passes the checks of values without harm. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "daemon/check.h"
#include "daemon/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problems problems = {0};
    struct config *config = config_parse(slice_of(data, size), "/fuzz/a.yaml", &problems);

    if ((config == NULL) != (problems.count > 0))
        abort();
    if (config != NULL) {
        struct text keys = {0};

        check_values(config, &problems);
        if (config_restart_keys(config, config, &keys) != 0)
            abort();
        text_free(&keys);
    }
    config_free(config);
    problems_free(&problems);
    return 0;
}
