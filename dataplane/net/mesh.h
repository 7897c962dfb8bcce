/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_MESH_H
#define ASSAY_NET_MESH_H
/* Packets from core to core: a ring of pointers for each pair, one producer and one consumer each, bounded. The mesh never
 * looks into a packet.
 * Owner: what was put and not yet taken belongs to the mesh; mesh_destroy() wants it empty (mesh_take() it).
 * Thread: mesh_put() and mesh_publish(): core `from` alone; mesh_take(): core `to` alone; create and destroy: control, while
 * no core runs. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"

struct mesh;
struct rte_mbuf;

#define MESH_RING_MAX 65536

/* ring: packets of a pair, a power of two. RANGE, NO_MEMORY. */
enum assay_error mesh_create(uint32_t cores, uint32_t ring, struct mesh **out) ASSAY_MUST_USE;
void mesh_destroy(struct mesh *mesh);

/* Puts a packet into the ring toward another core; false, and the packet still the caller's, when it is full. The other core
 * sees it after mesh_publish(). */
bool mesh_put(struct mesh *mesh, uint32_t from, uint32_t to, struct rte_mbuf *packet) ASSAY_MUST_USE;
/* Shows the others what was put since the last time. */
void mesh_publish(struct mesh *mesh, uint32_t from);

/* Up to max packets for core `to`, in the order of each sender, the senders in turn; returns how many. */
uint32_t mesh_take(struct mesh *mesh, uint32_t to, struct rte_mbuf **packets, uint32_t max);

#endif
