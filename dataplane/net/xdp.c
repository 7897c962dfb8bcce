/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/xdp.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/address.h"

#define PROGRAM  "assay_steer"
#define MAPS_MAX 8

static enum assay_error error_of(int code)
{
    return code == EPERM || code == EACCES ? ASSAY_ERR_PERMISSION : ASSAY_ERR_SYSTEM;
}

/* The program of ours that is attached to the interface, and its maps. UNRESOLVED: none is attached. */
static enum assay_error find_program(unsigned if_index, int *fd, uint32_t maps[MAPS_MAX], uint32_t *map_count)
{
    struct bpf_prog_info info = {0};
    uint32_t id = 0, size = sizeof(info);

    if (bpf_xdp_query_id((int)if_index, 0, &id) != 0)
        return ASSAY_ERR_SYSTEM;
    if (id == 0)
        return ASSAY_ERR_UNRESOLVED;
    *fd = bpf_prog_get_fd_by_id(id);
    if (*fd < 0)
        return error_of(errno);
    info.nr_map_ids = MAPS_MAX;
    info.map_ids = (uintptr_t)maps;
    if (bpf_obj_get_info_by_fd(*fd, &info, &size) == 0 && strcmp(info.name, PROGRAM) == 0) {
        *map_count = info.nr_map_ids < MAPS_MAX ? info.nr_map_ids : MAPS_MAX;
        return ASSAY_OK;
    }
    close(*fd);
    return ASSAY_ERR_NOT_FOUND;
}

enum assay_error xdp_clear(const char *interface)
{
    unsigned if_index = if_nametoindex(interface);
    uint32_t maps[MAPS_MAX], count;
    enum assay_error error;
    int fd, result;

    if (if_index == 0)
        return ASSAY_ERR_NOT_FOUND;
    error = find_program(if_index, &fd, maps, &count);
    if (error != ASSAY_OK)
        return error == ASSAY_ERR_UNRESOLVED ? ASSAY_OK : error;
    result = bpf_xdp_detach((int)if_index, 0, NULL);
    close(fd);
    return result == 0 ? ASSAY_OK : error_of(-result);
}

/* The map of that name among a program's; its fd, or negative. */
static int open_map(const uint32_t *maps, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        struct bpf_map_info info = {0};
        uint32_t size = sizeof(info);
        int fd = bpf_map_get_fd_by_id(maps[i]);

        if (fd < 0)
            continue;
        if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && strcmp(info.name, name) == 0)
            return fd;
        close(fd);
    }
    return -1;
}

static enum assay_error fill(const uint32_t *maps, uint32_t map_count, const struct net_address *addresses,
                             uint32_t count, uint16_t vlan)
{
    int ip4 = open_map(maps, map_count, "our_ip4"), ip6 = open_map(maps, map_count, "our_ip6");
    int tag = open_map(maps, map_count, "our_vlan");
    uint32_t zero = 0, vlan_id = vlan;
    uint8_t yes = 1;
    bool good = ip4 >= 0 && ip6 >= 0 && tag >= 0 && bpf_map_update_elem(tag, &zero, &vlan_id, 0) == 0;

    for (uint32_t i = 0; i < count && good; i++) {
        uint32_t ip_be;

        if (address_is_ip4(&addresses[i].address)) {
            ip_be = address_ip4_be(&addresses[i].address);
            good = bpf_map_update_elem(ip4, &ip_be, &yes, 0) == 0;
        } else {
            good = bpf_map_update_elem(ip6, addresses[i].address.bytes, &yes, 0) == 0;
        }
    }
    for (int i = 0; i < 3; i++) {
        int fd = i == 0 ? ip4 : i == 1 ? ip6 : tag;

        if (fd >= 0)
            close(fd);
    }
    return good ? ASSAY_OK : ASSAY_ERR_SYSTEM;
}

enum assay_error xdp_fill(const char *interface, const struct net_address *addresses, uint32_t count, uint16_t vlan)
{
    unsigned if_index = if_nametoindex(interface);
    uint32_t maps[MAPS_MAX], map_count;
    enum assay_error error;
    int fd;

    if (if_index == 0)
        return ASSAY_ERR_NOT_FOUND;
    error = find_program(if_index, &fd, maps, &map_count);
    if (error != ASSAY_OK)
        return error == ASSAY_ERR_UNRESOLVED ? ASSAY_ERR_NOT_FOUND : error;
    error = fill(maps, map_count, addresses, count, vlan);
    close(fd);
    return error;
}
