/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/daemon.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/thread_slot.h"
#include "daemon/admin.h"
#include "daemon/change_log.h"
#include "daemon/control.h"
#include "daemon/control_ticks.h"
#include "daemon/crl_fetch.h"
#include "daemon/dataplane.h"
#include "daemon/dns.h"
#include "daemon/log.h"
#include "daemon/privileges.h"
#include "daemon/startup.h"
#include "daemon/telemetry.h"

#define TURN_MS 200

struct daemon {
    const struct daemon_options *options;
    struct control control;
    struct dataplane dataplane;
    struct dns *dns;
    struct log *log;
    struct admin *admin;
    int signals;
    bool draining, stop, failed;
    uint64_t drain_end_ms;
    uint64_t duplicates; /* of our addresses, as last said */
    bool link_down;      /* of the port, as last said */
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t wall_s(void)
{
    return (uint64_t)time(NULL);
}

/* --- saying what happened --------------------------------------------------------------------------------------------------------- */

static void print_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems->kept; i++)
        fprintf(stderr, "%s\n", problems->items[i]);
    if (problems->count > problems->kept)
        fprintf(stderr, "(and %zu more)\n", problems->count - problems->kept);
    for (size_t i = 0; i < problems->warnings_kept; i++)
        fprintf(stderr, "warning: %s\n", problems->warnings[i]);
}

/* --- start ------------------------------------------------------------------------------------------------------------------------ */

/* Blocked before any thread is made, so that all of them have it. */
static bool catch_signals(struct daemon *daemon)
{
    const int numbers[] = {SIGHUP, SIGUSR1, SIGTERM, SIGINT};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaddset(&set, numbers[i]);
    signal(SIGPIPE, SIG_IGN);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return false;
    daemon->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return daemon->signals >= 0;
}

static bool prepare(struct daemon *daemon, struct problems *problems)
{
    const struct daemon_options *options = daemon->options;
    struct startup_machine machine;
    size_t before;

    if (thread_slot_install() != ASSAY_OK || !catch_signals(daemon)) {
        problems_add(problems, "machine", 0, "set-up failed: %s", strerror(errno));
        return false;
    }
    if (!control_load(&daemon->control, options->config_file, options->state_directory, true, wall_s(), problems))
        return false;
    startup_probe(daemon->control.config, &machine);
    before = problems->count;
    startup_judge(daemon->control.config, &machine, problems);
    return problems->count == before && privileges_limit(problems) == ASSAY_OK;
}

/* The first answers are worth a short wait: requests that come before them would get 502. */
static void resolve_first(struct daemon *daemon)
{
    struct names *names = &daemon->control.names;
    uint64_t end = now_ms() + daemon->control.config->root.dns.timeout / 1000;
    bool changed = false;
    struct change change;

    while (!dns_settled(names) && now_ms() < end) {
        struct pollfd sockets[DNS_SOCKETS_MAX];
        size_t count;

        dns_ask(daemon->dns, names, now_ms());
        count = dns_sockets(daemon->dns, sockets);
        poll(sockets, count, dns_timeout_ms(daemon->dns, names, now_ms(), 50));
        changed |= dns_process(daemon->dns, names, sockets, count, now_ms());
    }
    if (!changed)
        return;
    control_route_changed(&daemon->control, &change);
    change_log_problems(daemon->log, &change.problems);
    change_free(&change);
}

static bool start_log_thread(struct daemon *daemon, struct problems *problems)
{
    struct byte_ring *rings[2 * ASSAY_CORES_MAX];
    uint32_t count = 0;

    for (uint32_t i = 0; i < daemon->dataplane.fleet.count; i++)
        for (unsigned which = 0; which < 2; which++)
            rings[count++] = core_log_ring(daemon->dataplane.fleet.cores[i], which);
    if (log_start(daemon->log, rings, count) == ASSAY_OK)
        return true;
    problems_add(problems, "log", 0, "its thread cannot be started");
    return false;
}

/* Everything that needs privileges, then without them. */
static bool start(struct daemon *daemon, struct problems *problems)
{
    struct control *control = &daemon->control;
    struct fleet *fleet = &daemon->dataplane.fleet;
    struct change change = {0};
    bool good;

    daemon->log = log_create(control->config->root.log.file);
    control->log = daemon->log;
    control->pools = &daemon->dataplane.pools;
    if (!dataplane_up(&daemon->dataplane, control->config, problems))
        return false;
    daemon->dns = dns_create(control->config, problems);
    if (daemon->dns == NULL)
        return false;
    good = control_start(control, &daemon->dataplane.shared, fleet, wall_s(), &change);
    change_log_problems(daemon->log, &change.problems);
    change_free(&change);
    if (!good)
        return false;
    resolve_first(daemon);
    daemon->admin = admin_create(control, problems);
    return daemon->admin != NULL &&
           privileges_drop_user(control->config, daemon->options->state_directory, problems) == ASSAY_OK &&
           privileges_drop_thread(control->config) == ASSAY_OK && start_log_thread(daemon, problems) &&
           crl_fetch_start(control) && telemetry_start(control, problems) &&
           dataplane_launch(&daemon->dataplane, control->config, problems);
}

static void log_started(struct daemon *daemon, const struct problems *problems)
{
    struct control *control = &daemon->control;
    const struct config_root *root = &control->config->root;
    struct text capabilities = {0};

    privileges_describe(&capabilities);
    log_event(daemon->log, "INFO", "started: %s, %u cores, %u listeners, port %s, user %s, capabilities %s",
              control->config_file, root->cores.count, root->listeners.count, root->port.device,
              root->user != NULL ? root->user : "unchanged", text_get(&capabilities));
    log_event(daemon->log, "INFO", "generation %llu: %zu trusted certificates, verification %s",
              (unsigned long long)control->publisher.generation, control->trust->count,
              verify_mode_name(publisher_snapshot(&control->publisher)->trust->scopes[0].mode));
    change_log_problems(daemon->log, problems);
    if (control->fallback != NULL)
        log_event(daemon->log, "ERROR", "ALARM: %s", control->fallback);
    text_free(&capabilities);
}

/* --- the loop --------------------------------------------------------------------------------------------------------------------- */

static void reload(struct daemon *daemon)
{
    struct change change;
    bool good = control_reload(&daemon->control, wall_s(), &change);

    change_log(daemon->log, "reload", good, &change);
    change_free(&change);
}

static void begin_drain(struct daemon *daemon, const char *why)
{
    uint64_t drain_ms = daemon->control.config->root.timeouts.drain / 1000;
    struct fleet_rows none;

    if (daemon->draining) { /* said twice: now */
        daemon->stop = true;
        return;
    }
    log_event(daemon->log, "INFO", "%s: draining, at most %llu ms", why, (unsigned long long)drain_ms);
    daemon->draining = true;
    daemon->drain_end_ms = now_ms() + drain_ms;
    admin_set_draining(daemon->admin);
    if (fleet_command(&daemon->dataplane.fleet, COMMAND_DRAIN, 0, 1000000, &none) != ASSAY_OK)
        log_event(daemon->log, "WARNING", "a core did not answer");
    fleet_rows_free(&none);
}

static void take_signals(struct daemon *daemon)
{
    struct signalfd_siginfo info;

    while (read(daemon->signals, &info, sizeof(info)) == sizeof(info)) {
        switch (info.ssi_signo) {
        case SIGHUP: reload(daemon); break;
        case SIGUSR1:
            log_reopen(daemon->log, daemon->control.config->root.log.file);
            log_event(daemon->log, "INFO", "log reopened");
            break;
        default: begin_drain(daemon, info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT"); break;
        }
    }
}

/* What a reload changed outside the snapshot. */
static void follow_config(struct daemon *daemon)
{
    struct control *control = &daemon->control;
    struct problems problems = {0};

    if (!control->names_changed)
        return;
    control->names_changed = false;
    dns_configure(daemon->dns, control->config, &control->names, &problems);
    log_reopen(daemon->log, control->config->root.log.file);
    change_log_problems(daemon->log, &problems);
    problems_free(&problems);
}

/* Addresses that duplicate address detection found at another host, and those that it does not any more. */
static void log_duplicates(struct daemon *daemon)
{
    uint64_t now = fleet_duplicates(&daemon->dataplane.fleet), changed = now ^ daemon->duplicates;
    const struct assay_address *address;
    char text[ASSAY_ADDRESS_TEXT_MAX];

    for (unsigned i = 0; i < 64; i++) {
        address = config_ip6_address(daemon->control.config, i);
        if (address == NULL || (changed >> i & 1) == 0)
            continue;
        if (now >> i & 1)
            log_event(daemon->log, "ERROR", "ALARM: another host has our address %s: it is not used (RFC 4862)",
                      address_format(address, text));
        else
            log_event(daemon->log, "INFO", "our address %s is used again", address_format(address, text));
    }
    daemon->duplicates = now;
}

/* A port that had no link may be on another wire now, and switches have forgotten where we were. */
static void follow_link(struct daemon *daemon)
{
    bool down = !dataplane_link(&daemon->dataplane);
    struct fleet_rows none;

    if (down == daemon->link_down)
        return;
    daemon->link_down = down;
    if (down) {
        log_event(daemon->log, "WARNING", "the port's link is down");
        return;
    }
    log_event(daemon->log, "INFO", "the port's link is up again: our addresses are announced");
    if (fleet_command(&daemon->dataplane.fleet, COMMAND_ANNOUNCE, 0, 1000000, &none) != ASSAY_OK)
        log_event(daemon->log, "WARNING", "a core did not answer");
    fleet_rows_free(&none);
}

static void tick(struct daemon *daemon)
{
    const char *what;
    struct change change;

    if (control_tick(&daemon->control, wall_s(), &change, &what))
        change_log(daemon->log, what, !problems_any(&change.problems), &change);
    change_free(&change);
    if (!daemon->failed && !dataplane_alive(&daemon->dataplane)) {
        log_event(daemon->log, "ERROR", "a core has ended by itself: stopping");
        daemon->failed = daemon->stop = true;
    }
    log_duplicates(daemon);
    follow_link(daemon);
    if (daemon->draining && (fleet_drained(&daemon->dataplane.fleet) || now_ms() >= daemon->drain_end_ms))
        daemon->stop = true;
}

static void names_turn(struct daemon *daemon, const struct pollfd *sockets, size_t count)
{
    struct change change;
    bool good;

    if (!dns_process(daemon->dns, &daemon->control.names, sockets, count, now_ms()))
        return;
    good = control_route_changed(&daemon->control, &change);
    change_log(daemon->log, "names", good, &change);
    change_free(&change);
}

static void turn(struct daemon *daemon)
{
    struct pollfd fds[DNS_SOCKETS_MAX + 1 + ADMIN_FDS_MAX];
    size_t dns_count, admin_count;

    follow_config(daemon);
    dns_ask(daemon->dns, &daemon->control.names, now_ms());
    dns_count = dns_sockets(daemon->dns, fds);
    fds[dns_count] = (struct pollfd){.fd = daemon->signals, .events = POLLIN};
    admin_count = admin_fds(daemon->admin, fds + dns_count + 1);
    poll(fds, dns_count + 1 + admin_count,
         admin_is_working(daemon->admin)
             ? 0
             : dns_timeout_ms(daemon->dns, &daemon->control.names, now_ms(), daemon->draining ? 10 : TURN_MS));
    names_turn(daemon, fds, dns_count);
    take_signals(daemon);
    admin_run(daemon->admin);
    tick(daemon);
}

/* --- stop ------------------------------------------------------------------------------------------------------------------------- */

static void stop(struct daemon *daemon)
{
    dataplane_stop(&daemon->dataplane);
    telemetry_stop();
    admin_free(daemon->admin);
    if (daemon->log != NULL)
        log_stop(daemon->log);
    dns_free(daemon->dns);
    /* connections of the cores use contexts of control's credentials: cores go first, RCU last */
    dataplane_free_cores(&daemon->dataplane);
    control_free(&daemon->control);
    dataplane_down(&daemon->dataplane);
    log_free(daemon->log);
    if (daemon->signals >= 0)
        close(daemon->signals);
}

enum daemon_exit daemon_run(const struct daemon_options *options)
{
    struct daemon daemon = {.options = options, .signals = -1};
    enum daemon_exit result = DAEMON_EXIT_REFUSED;
    struct problems problems = {0};

    if (prepare(&daemon, &problems) && start(&daemon, &problems)) {
        print_problems(&problems);
        log_started(&daemon, &problems);
        while (!daemon.stop)
            turn(&daemon);
        log_event(daemon.log, "INFO", "stopping");
        result = daemon.failed ? DAEMON_EXIT_FAILED : DAEMON_EXIT_OK;
    } else {
        print_problems(&problems);
    }
    problems_free(&problems);
    stop(&daemon);
    return result;
}
