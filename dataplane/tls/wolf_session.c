/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions to resume with, as objects of their own. The library would share its session between connections and write
 * into it on each new ticket; so what is taken is a copy, and what a connection resumes with is another. */
#include "tls/wolf.h"

#include <string.h>

#include "base/thread_slot.h"

/* After a handshake that was offered a session and did not bring a ticket of its own, the library's session still holds the
 * old ticket beside the new secret. The two belong together only where TLS 1.2 resumed: there the secret is the old one. */
static bool ticket_is_current(const struct tls_connection *tls)
{
    return tls->ticket_received || (wolf_resumed(tls) && wolf_version(tls) == TLS_VERSION_1_2);
}

/* Asked after every read: must cost nothing. */
static bool can_be_resumed(const struct tls_connection *tls)
{
    const WOLFSSL_SESSION *session = tls->library->session;

    if (tls->context->is_server || tls->state == TLS_STATE_HANDSHAKE || tls->state == TLS_STATE_FAILED ||
        !session->isSetup)
        return false;
    if (session->ticketLen > 0 && ticket_is_current(tls))
        return true;
    /* In TLS 1.2 a session may be known by its id alone; it is the server's choice whether it keeps such. */
    return !IsAtLeastTLSv1_3(session->version) && session->sessionIDSz > 0;
}

struct tls_session *tls_take_session(struct tls_connection *tls)
{
    struct tls_session *taken;

    if (!can_be_resumed(tls))
        return NULL;
    taken = slot_alloc(sizeof(*taken));
    if (taken == NULL)
        return NULL;
    taken->library = wolfSSL_SESSION_dup(tls->library->session);
    if (taken->library == NULL) {
        slot_free(taken);
        return NULL;
    }
    if (!ticket_is_current(tls))
        taken->library->ticketLen = 0;
    return taken;
}

void tls_session_free(struct tls_session *session)
{
    if (session == NULL)
        return;
    wolfSSL_SESSION_free(session->library);
    slot_free(session);
}
