/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/port.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *port_queues_key(const char *device)
{
    static const struct {
        const char *driver, *key;
    } drivers[] = {{"net_af_packet", "qpairs"}, {"net_af_xdp", "queue_count"}};

    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
        if (strncmp(device, drivers[i].driver, strlen(drivers[i].driver)) == 0)
            return drivers[i].key;
    return NULL;
}

bool port_argument(const char *device, const char *key, uint32_t *out)
{
    size_t len = strlen(key);

    for (const char *at = strchr(device, ','); at != NULL; at = strchr(at, ',')) {
        at++;
        if (strncmp(at, key, len) == 0 && at[len] == '=' && isdigit((unsigned char)at[len + 1])) {
            *out = (uint32_t)strtoul(at + len + 1, NULL, 10);
            return true;
        }
    }
    return false;
}

static bool is_af_xdp(const char *device)
{
    return strncmp(device, "net_af_xdp", strlen("net_af_xdp")) == 0;
}

uint32_t port_devices(const struct config *config)
{
    const char *device = config->root.port.device;
    uint32_t named;

    return is_af_xdp(device) && !port_argument(device, "queue_count", &named) ? config->root.cores.count : 1;
}

/* A further queue of the interface: a name of its own, and the arguments but for start_queue. */
static void further_device(const char *device, uint32_t index, struct text *out)
{
    size_t name = strcspn(device, ",");
    uint32_t first = 0;

    (void)port_argument(device, "start_queue", &first);
    text_printf(out, "%.*s_%u", (int)name, device, index);
    for (const char *at = device + name; *at != '\0';) {
        size_t len = 1 + strcspn(at + 1, ",");

        if (strncmp(at, ",start_queue=", strlen(",start_queue=")) != 0)
            text_add(out, at, len);
        at += len;
    }
    text_printf(out, ",start_queue=%u", first + index);
}

void port_device(const struct config *config, uint32_t index, struct text *out)
{
    const char *device = config->root.port.device, *key = port_queues_key(device);
    uint32_t named;

    if (index > 0) {
        further_device(device, index, out);
        return;
    }
    text_add_text(out, device);
    if (key != NULL && !is_af_xdp(device) && config->root.cores.count > 1 && !port_argument(device, key, &named))
        text_printf(out, ",%s=%u", key, config->root.cores.count);
}
