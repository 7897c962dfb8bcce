/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Built together with dataplane/base/slot_heap.c, whichever of the two this build's library holds. */
#include "slot_heap_cases.h"

int main(void)
{
    return run_slot_heap_tests();
}
