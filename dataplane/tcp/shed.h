/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_SHED_H
#define ASSAY_TCP_SHED_H
/* The last resort when the packet pools are used up by peers that send and are not read, or that do not take what they are
 * sent: the connection that holds the most is ended (reason NO_MEMORY), a few a second, so that the others go on. Before that,
 * windows have been small since half of the pool was in use (receive_window()). */
#include "tcp/connection.h"

/* Called every turn; does something only while data is being refused or writers wait in vain. */
void shed_run(struct tcp *tcp);

#endif
