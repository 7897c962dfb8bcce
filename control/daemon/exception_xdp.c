/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/exception_xdp.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "net/xdp.h"

#define PROGRAM_FILE "assay_xdp.o"

void exception_xdp_interface(const char *device, struct text *out)
{
    const char *iface = strstr(device, ",iface=");

    if (iface != NULL)
        text_add(out, iface + strlen(",iface="), strcspn(iface + strlen(",iface="), ","));
}

void exception_xdp_program(const char *binary, struct text *out)
{
    const char *slash = strrchr(binary, '/');

    if (slash != NULL)
        text_add(out, binary, (size_t)(slash - binary) + 1);
    text_add_text(out, PROGRAM_FILE);
}

static bool complain(const struct config *config, const char *what, enum assay_error error, struct problems *problems)
{
    problems_add(problems, config->file, config_line(config, &config->root.port.exception.xdp),
                 "port.exception.xdp: %s: %s", what, assay_error_text(error));
    return false;
}

bool exception_xdp_prepare(const struct config *config, struct text *device, struct problems *problems)
{
    char binary[PATH_MAX] = "";
    struct text interface = {0}, program = {0};
    enum assay_error error;
    bool good;

    if (!config->root.port.exception.xdp)
        return true;
    if (readlink("/proc/self/exe", binary, sizeof(binary) - 1) < 0)
        return complain(config, "/proc/self/exe", ASSAY_ERR_SYSTEM, problems);
    exception_xdp_program(binary, &program);
    exception_xdp_interface(config->root.port.device, &interface);
    error = xdp_clear(text_get(&interface));
    good = access(text_get(&program), R_OK) == 0 || complain(config, text_get(&program), ASSAY_ERR_NOT_FOUND, problems);
    if (error == ASSAY_ERR_NOT_FOUND)
        good = complain(config, "another XDP program is attached to the interface", error, problems);
    else if (error != ASSAY_OK)
        good = complain(config, "the program that is attached to the interface", error, problems);
    if (good)
        text_printf(device, ",xdp_prog=%s", text_get(&program));
    text_free(&program);
    text_free(&interface);
    return good;
}

bool exception_xdp_fill(const struct config *config, struct problems *problems)
{
    const struct config_interfaces *own = &config->root.port.address;
    struct net_address addresses[NET_ADDRESSES_MAX];
    struct text interface = {0};
    uint32_t count = 0;
    enum assay_error error;

    if (!config->root.port.exception.xdp)
        return true;
    for (; count < own->count && count < NET_ADDRESSES_MAX; count++)
        addresses[count] = (struct net_address){own->items[count].address, own->items[count].prefix_length};
    exception_xdp_interface(config->root.port.device, &interface);
    error = xdp_fill(text_get(&interface), addresses, count, 0);
    text_free(&interface);
    return error == ASSAY_OK || complain(config, "its program cannot be told the addresses", error, problems);
}
