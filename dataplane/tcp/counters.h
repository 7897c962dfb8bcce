/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_COUNTERS_H
#define ASSAY_TCP_COUNTERS_H
/* The counters of counters.def as a struct. One writer (the instance's core); readers may see a value that is slightly old. */
#include <stdint.h>

struct tcp_counters {
#define TCP_COUNTER(name, help) uint64_t name;
#include "tcp/counters.def"
#undef TCP_COUNTER
};

#endif
