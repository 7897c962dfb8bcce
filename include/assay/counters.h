/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_COUNTERS_H
#define ASSAY_COUNTERS_H
/* The proxy's counters of one core. Thread: one writer, its core (plain adds on aligned words); control reads (relaxed). */
#include <stdint.h>

struct assay_counters {
#define COUNTER(name, help) uint64_t name;
#include "assay/counters.def"
#undef COUNTER
};

#endif
