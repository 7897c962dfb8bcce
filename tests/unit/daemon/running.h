/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TEST_RUNNING_H
#define ASSAY_TEST_RUNNING_H
/* A control with played cores that runs the good configuration of scratch.h. For tests only. */
#include "daemon/control.h"
#include "fake_core.h"

struct running {
    struct control control;
    struct core_shared shared;
    struct fleet fleet;
    struct core cores[2];
};

/* good.yaml, state in state/, at that moment of the wall clock. */
void running_start(struct running *running, uint64_t now_s);
/* The same with the registry of the run before. */
void running_again(struct running *running, uint64_t now_s);
void running_stop(struct running *running);

#endif
