/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assayctl verdicts show HOST:PORT: why an origin passes, or does not. */
#include <string.h>

#include "ctl/admin.h"
#include "ctl/explain.h"

static void print_chains(const struct ctl_admin *admin, const json_t *answer)
{
    const json_t *chains = json_object_get(answer, "chains"), *chain;
    size_t i;

    json_array_foreach(chains, i, chain)
    {
        const char *text = json_string_value(json_object_get(chain, "text"));

        fprintf(admin->out, "%s%s", i > 0 ? "\n" : "", text != NULL ? text : "");
    }
}

int ctl_explain(const struct ctl_admin *admin, const char *origin)
{
    char path[512] = "/v1/explain";

    if (!ctl_path_add(path, sizeof(path), "origin", origin)) {
        fprintf(admin->err, "assayctl: %s: too long\n", origin);
        return CTL_USAGE;
    }
    return ctl_admin_show(admin, path, print_chains);
}
