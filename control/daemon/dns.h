/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_DNS_H
#define ASSAY_DAEMON_DNS_H
/* Asks DNS (c-ares) for the names of names.h, ahead and again from time to time. Never waits: the owner polls its sockets.
 * Owner: the struct; the table of names is lent to each call. Thread: control. Units: milliseconds of a monotonic clock. */
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/names.h"
#include "daemon/problems.h"

#define DNS_SOCKETS_MAX 16

struct dns;

/* The servers of config, or those of the host. NULL with problems. */
struct dns *dns_create(const struct config *config, struct problems *problems);
void dns_free(struct dns *dns);
/* After a reload: other servers, other intervals, other addresses of our own. Queries under way are given up. */
bool dns_configure(struct dns *dns, const struct config *config, struct names *names, struct problems *problems);

/* Asks for every name that is due. */
void dns_ask(struct dns *dns, struct names *names, uint64_t now_ms);
/* Sockets to poll, at most DNS_SOCKETS_MAX. */
size_t dns_sockets(struct dns *dns, struct pollfd *out);
/* How long poll() may wait at most: until a query times out or a name is due. */
int dns_timeout_ms(struct dns *dns, const struct names *names, uint64_t now_ms, int max_ms);
/* Reads what has arrived and ends what took too long; true when an address or a reason changed. */
bool dns_process(struct dns *dns, struct names *names, const struct pollfd *sockets, size_t count, uint64_t now_ms);
/* Every name has been answered, well or not, at least once. */
bool dns_settled(const struct names *names);

#endif
