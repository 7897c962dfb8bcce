/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs packet scripts (script.h): packet SCRIPT... */
#include <stdio.h>

#include "script.h"

int main(int argc, char **argv)
{
    struct rig_pools pools;
    int failed = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: %s SCRIPT...\n", argv[0]);
        return 2;
    }
    rig_start("assay-packet");
    pools = rig_pools_create("packet", 2048);
    for (int i = 1; i < argc; i++)
        failed += !script_run(argv[i], &pools);
    printf("packet: %d scripts, %d failed\n", argc - 1, failed);
    rig_pools_free(&pools);
    return failed ? 1 : 0;
}
