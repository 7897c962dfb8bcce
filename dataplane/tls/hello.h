/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TLS_HELLO_H
#define ASSAY_TLS_HELLO_H
/* What connections need of a reassembled ClientHello beyond tls.h. The library gets one canonical record that holds the
 * whole message, however the client cut it. Owner, Thread: as tls_hello in tls.h. */
#include "tls/tls.h"

/* The record to hand to the library; only after tls_hello_feed() said OK. */
struct slice tls_hello_record(const struct tls_hello *hello);

/* Makes it ready for the ClientHello that answers a HelloRetryRequest, with or without the change_cipher_spec of
 * middlebox compatibility before it (RFC 8446 §D.4). It must name the same server as the first. */
void tls_hello_expect_second(struct tls_hello *hello);

/* The description in the fatal alert that came instead of a hello; 0: none did. */
uint8_t tls_hello_alert_received(const struct tls_hello *hello);

#endif
