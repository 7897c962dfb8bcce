/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/telemetry.h"

#include <pthread.h>

#include <rte_telemetry.h>
#include <rte_version.h>

/* Renamed after 22.11, and the old name is gone in 24.11. */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define add_number rte_tel_data_add_dict_uint
#else
#define add_number rte_tel_data_add_dict_u64
#endif

static pthread_mutex_t telemetry_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct fleet *telemetry_fleet; /* NULL: stopped */

static int answer(const char *command, const char *parameters, struct rte_tel_data *data)
{
    static const char *const names[] = {
#define COUNTER(name, help) #name,
#include "assay/counters.def"
#undef COUNTER
    };
    struct assay_counters sum = {0};

    pthread_mutex_lock(&telemetry_lock);
    if (telemetry_fleet != NULL)
        fleet_counters(telemetry_fleet, -1, &sum);
    pthread_mutex_unlock(&telemetry_lock);
    rte_tel_data_start_dict(data);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        add_number(data, names[i], ((const uint64_t *)&sum)[i]);
    return 0;
}

bool telemetry_start(struct control *control, struct problems *problems)
{
    if (!control->config->root.telemetry)
        return true;
    pthread_mutex_lock(&telemetry_lock);
    telemetry_fleet = control->fleet;
    pthread_mutex_unlock(&telemetry_lock);
    if (rte_telemetry_register_cmd("/assay/stats", answer, "Returns the proxy's counters, all cores summed up") == 0)
        return true;
    problems_add(problems, "telemetry", 0, "cannot be registered");
    return false;
}

void telemetry_stop(void)
{
    pthread_mutex_lock(&telemetry_lock);
    telemetry_fleet = NULL;
    pthread_mutex_unlock(&telemetry_lock);
}
