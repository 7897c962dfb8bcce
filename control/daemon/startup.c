/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/startup.h"

#include <cap-ng.h>
#include <dirent.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/port.h"
#include "daemon/text.h"

#define FILES_NEEDED 128

/* --- what the machine has ---------------------------------------------------------------------------------------------------- */

static uint64_t number_in_file(const char *path)
{
    struct text text = {0};
    uint64_t out = 0;

    if (text_read_file(&text, path, 4096) == ASSAY_OK)
        out = strtoull(text_get(&text), NULL, 10);
    text_free(&text);
    return out;
}

static uint64_t kilobytes_of(const char *meminfo, const char *key)
{
    const char *line = strstr(meminfo, key);

    return line != NULL ? strtoull(line + strlen(key), NULL, 10) * 1024 : 0;
}

static void probe_memory(struct startup_machine *out)
{
    struct text meminfo = {0}, path = {0};

    if (text_read_file(&meminfo, "/proc/meminfo", 65536) == ASSAY_OK) {
        out->memory_available_bytes = kilobytes_of(text_get(&meminfo), "MemAvailable:");
        out->hugepage_bytes = kilobytes_of(text_get(&meminfo), "Hugepagesize:");
    }
    text_printf(&path, "/sys/kernel/mm/hugepages/hugepages-%llukB/free_hugepages",
                (unsigned long long)(out->hugepage_bytes / 1024));
    out->hugepages_free = number_in_file(path.data);
    text_free(&meminfo);
    text_free(&path);
}

static uint32_t count_queues(const char *interface)
{
    struct text path = {0};
    struct dirent *entry;
    uint32_t count = 0;
    DIR *folder;

    text_printf(&path, "/sys/class/net/%s/queues", interface);
    folder = opendir(path.data);
    text_free(&path);
    if (folder == NULL)
        return 0;
    while ((entry = readdir(folder)) != NULL)
        count += strncmp(entry->d_name, "rx-", 3) == 0;
    closedir(folder);
    return count;
}

static void probe_interface(const struct config *config, struct startup_machine *out)
{
    const char *iface = strstr(config->root.port.device, "iface=");
    struct text path = {0}, flags = {0};

    out->tun_known = access("/dev/net/tun", F_OK) == 0;
    out->interface_known = true;
    out->interface_up = true;
    /* a tap makes its own */
    if (iface == NULL || strncmp(config->root.port.device, "net_tap", 7) == 0)
        return;
    iface += strlen("iface=");
    snprintf(out->interface, sizeof(out->interface), "%.*s", (int)strcspn(iface, ","), iface);
    text_printf(&path, "/sys/class/net/%s/flags", out->interface);
    out->interface_known = strchr(out->interface, '/') == NULL && text_read_file(&flags, path.data, 64) == ASSAY_OK;
    out->interface_up = out->interface_known && (strtoul(text_get(&flags), NULL, 16) & 1) != 0; /* IFF_UP */
    if (out->interface_known)
        out->interface_queues = count_queues(out->interface);
    text_free(&path);
    text_free(&flags);
}

static void probe_cpus(struct startup_machine *out)
{
    cpu_set_t allowed;

    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
        return;
    for (unsigned cpu = 0; cpu < 1024 && cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed))
            out->cpus[cpu / 64] |= 1ULL << (cpu % 64);
}

void startup_probe(const struct config *config, struct startup_machine *out)
{
    struct rlimit limit;

    *out = (struct startup_machine){.avx2 = __builtin_cpu_supports("avx2") > 0,
                                    .aes = __builtin_cpu_supports("aes") > 0,
                                    .pclmul = __builtin_cpu_supports("pclmul") > 0,
                                    .bmi2 = __builtin_cpu_supports("bmi2") > 0};
    probe_memory(out);
    probe_interface(config, out);
    probe_cpus(out);
    capng_get_caps_process();
    for (unsigned cap = 0; cap < 64; cap++)
        if (capng_have_capability(CAPNG_EFFECTIVE, cap))
            out->capabilities |= 1ULL << cap;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        out->files_max = limit.rlim_cur;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
        out->locked_max_bytes = limit.rlim_cur;
}

/* --- what the configuration needs --------------------------------------------------------------------------------------------- */

static void judge_processor(const struct startup_machine *machine, struct problems *problems)
{
    const struct {
        bool there;
        const char *name;
    } features[] = {
        {machine->avx2, "AVX2"}, {machine->aes, "AES-NI"}, {machine->pclmul, "PCLMULQDQ"}, {machine->bmi2, "BMI2"}};

    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        if (!features[i].there)
            problems_add(
                problems, "machine", 0,
                "the processor has no %s, which assay is built for; in a virtual machine choose the CPU model 'host'",
                features[i].name);
}

static void judge_cpus(const struct config *config, const struct startup_machine *machine, struct problems *problems)
{
    const struct config_numbers *cores = &config->root.cores;

    for (uint32_t i = 0; i < cores->count; i++) {
        uint64_t cpu = cores->items[i];

        if (cpu >= 1024 || (machine->cpus[cpu / 64] >> (cpu % 64) & 1) == 0)
            problems_add(problems, config->file, config_line(config, cores),
                         "cores: CPU %llu is not there, or this process may not use it (taskset -p $$ shows which)",
                         (unsigned long long)cpu);
    }
}

static void judge_memory(const struct config *config, const struct startup_machine *machine, struct problems *problems)
{
    uint64_t size = config->root.memory.size;
    uint64_t page = machine->hugepage_bytes > 0 ? machine->hugepage_bytes : 2 << 20;

    if (!config->root.memory.hugepages) {
        if (machine->memory_available_bytes > 0 && size > machine->memory_available_bytes)
            problems_add(problems, config->file, config_line(config, &config->root.memory.size),
                         "memory.size: %llu MiB are wanted, %llu MiB are available", (unsigned long long)(size >> 20),
                         (unsigned long long)(machine->memory_available_bytes >> 20));
        return;
    }
    if (machine->hugepages_free * page < size)
        problems_add(problems, "machine", 0,
                     "%llu hugepages of %llu KiB are free, %llu are needed: sysctl -w vm.nr_hugepages=%llu",
                     (unsigned long long)machine->hugepages_free, (unsigned long long)(page >> 10),
                     (unsigned long long)((size + page - 1) / page), (unsigned long long)((size + page - 1) / page));
}

struct needed_capability {
    const char *driver; /* prefix of the device; "" for a real NIC; "xdp" for port.exception.xdp */
    unsigned number;
    const char *name, *why;
};

static const struct needed_capability needed[] = {
    {"net_af_packet", CAP_NET_RAW, "CAP_NET_RAW", "to open a packet socket"},
    {"net_af_xdp", CAP_NET_RAW, "CAP_NET_RAW", "to open an XDP socket"},
    {"net_af_xdp", CAP_NET_ADMIN, "CAP_NET_ADMIN", "to attach its XDP program"},
    {"net_af_xdp", CAP_BPF, "CAP_BPF", "to load its XDP program"},
    {"net_tap", CAP_NET_ADMIN, "CAP_NET_ADMIN", "to make a tap device"},
    {"xdp", CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "to tell its XDP program which addresses are ours"},
    {"net_pcap", CAP_NET_RAW, "CAP_NET_RAW", "to open a packet socket"},
    {"", CAP_SYS_RAWIO, "CAP_SYS_RAWIO", "to reach the NIC's registers"},
    {"", CAP_IPC_LOCK, "CAP_IPC_LOCK", "to lock packet memory"},
};

static bool needs(const struct config *config, const struct needed_capability *capability)
{
    const char *device = config->root.port.device;

    if (strcmp(capability->driver, "xdp") == 0)
        return config->root.port.exception.xdp;
    /* the exception port is a TAP */
    if (config->root.port.exception.device != NULL && strcmp(capability->driver, "net_tap") == 0)
        return true;
    if (capability->driver[0] == '\0')
        return strncmp(device, "net_", 4) != 0 && strncmp(device, "eth_", 4) != 0;
    return strncmp(device, capability->driver, strlen(capability->driver)) == 0;
}

static void judge_capabilities(const struct config *config, const struct startup_machine *machine,
                               struct problems *problems)
{
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (needs(config, &needed[i]) && (machine->capabilities >> needed[i].number & 1) == 0)
            problems_add(problems, "machine", 0,
                         "%s is missing, needed %s: run assayd as root, or under systemd with AmbientCapabilities=%s",
                         needed[i].name, needed[i].why, needed[i].name);
    if (config->root.user != NULL && (machine->capabilities >> CAP_SETUID & 1) == 0)
        problems_add(problems, config->file, config_line(config, &config->root.user),
                     "user: CAP_SETUID is missing, needed to become %s: run assayd as root, or leave user out",
                     config->root.user);
}

/* With AF_XDP, what the kernel puts into a queue without a socket is lost. */
static void judge_queues(const struct config *config, const struct startup_machine *machine, struct problems *problems)
{
    uint32_t first = 0, cores = config->root.cores.count;
    const char *device = config->root.port.device;

    if (strncmp(device, "net_af_xdp", 10) != 0 || machine->interface_queues == 0)
        return;
    (void)port_argument(device, "start_queue", &first);
    if (machine->interface_queues != first + cores)
        problems_add(
            problems, config->file, config_line(config, &config->root.port.device),
            "port.device: interface %s has %u receive queues, the cores take %u to %u, and every queue needs one: "
            "ethtool -L %s combined %u (a veth: rx %u tx %u)",
            machine->interface, machine->interface_queues, first, first + cores - 1, machine->interface, first + cores,
            first + cores, first + cores);
}

static void judge_interface(const struct config *config, const struct startup_machine *machine,
                            struct problems *problems)
{
    uint32_t line = config_line(config, &config->root.port.device);

    if (config->root.port.exception.device != NULL && !machine->tun_known)
        problems_add(problems, config->file, config_line(config, &config->root.port.exception.device),
                     "port.exception: there is no /dev/net/tun to make a TAP interface with: modprobe tun");
    if (!machine->interface_known)
        problems_add(problems, config->file, line, "port.device: there is no interface %s (ip link shows which)",
                     machine->interface);
    else if (!machine->interface_up)
        problems_add(problems, config->file, line, "port.device: interface %s is down: ip link set %s up",
                     machine->interface, machine->interface);
}

void startup_judge(const struct config *config, const struct startup_machine *machine, struct problems *problems)
{
    judge_processor(machine, problems);
    judge_cpus(config, machine, problems);
    judge_memory(config, machine, problems);
    judge_capabilities(config, machine, problems);
    judge_interface(config, machine, problems);
    judge_queues(config, machine, problems);
    if (machine->files_max < FILES_NEEDED)
        problems_add(problems, "machine", 0, "%llu open files are allowed, %d are needed: ulimit -n %d",
                     (unsigned long long)machine->files_max, FILES_NEEDED, FILES_NEEDED);
}
