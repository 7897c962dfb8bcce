/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CONTROL_REVOKED_H
#define ASSAY_DAEMON_CONTROL_REVOKED_H
/* A staple that says "revoked" is told to one core, in one handshake; from then on it is true for all: for pooled connections, for other
 * ports that show the same certificate, and against what an earlier response said. Control takes such responses out of the registry's
 * chains into the next trust section.
 * Admitted is what is about the leaf and signed by who may, judged with the issuer that the store's path leads by, where the chain's
 * scope asks for revocation. It stays until a newer response says good, or the certificate is over.
 * Thread: control. Units: wall-clock seconds. Source: RFC 6960 §2.2, §4.2.2. */
#include <stdbool.h>
#include <stdint.h>

struct control;

/* Looks at what is stapled to chains whose verdict is of this epoch; true: the trust section is to be published anew. */
bool control_revoked_follow(struct control *control, uint64_t now_s);

#endif
