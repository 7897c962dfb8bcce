/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "running.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"

void running_start(struct running *running, uint64_t now_s)
{
    /* what the test before saw is not this one's */
    (void)unlink(scratch_path("state/good.yaml.registry"));
    running_again(running, now_s);
}

void running_again(struct running *running, uint64_t now_s)
{
    struct problems problems = {0};
    struct change change;

    memset(running, 0, sizeof(*running));
    fake_fleet(&running->fleet, running->cores, 2, &running->shared);
    assert_int_equal(rcu_create(2, &running->shared.rcu), ASSAY_OK);
    assert_true(control_load(&running->control, strdup(scratch_path("good.yaml")), strdup(scratch_path("state")), true,
                             now_s, &problems));
    assert_true(control_start(&running->control, &running->shared, &running->fleet, now_s, &change));
    assert_true(change.published);
    change_free(&change);
    problems_free(&problems);
}

void running_stop(struct running *running)
{
    char *file = (char *)(uintptr_t)running->control.config_file;
    char *directory = (char *)(uintptr_t)running->control.state_directory;

    control_free(&running->control);
    rcu_destroy(running->shared.rcu);
    free(file);
    free(directory);
}
