/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions to resume with, as objects of their own. The library would share its session between connections and write
 * into it on each new ticket; so what is taken is a copy, and what a connection resumes with is another. */
#include "tls/wolf.h"

#include <string.h>

#include "base/thread_slot.h"

static bool can_be_resumed(const WOLFSSL_SESSION *session)
{
    /* In TLS 1.2 a session may be known by its id alone; it is the server's choice whether it keeps such. */
    return session->isSetup &&
           (session->ticketLen > 0 || (!IsAtLeastTLSv1_3(session->version) && session->sessionIDSz > 0));
}

struct tls_session *tls_take_session(struct tls_connection *tls)
{
    struct tls_session *taken;

    if (tls->context->is_server || tls->state == TLS_STATE_HANDSHAKE || tls->state == TLS_STATE_FAILED ||
        !can_be_resumed(tls->library->session))
        return NULL;
    taken = slot_alloc(sizeof(*taken));
    if (taken == NULL)
        return NULL;
    taken->library = wolfSSL_SESSION_dup(tls->library->session);
    if (taken->library == NULL) {
        slot_free(taken);
        return NULL;
    }
    return taken;
}

void tls_session_free(struct tls_session *session)
{
    if (session == NULL)
        return;
    wolfSSL_SESSION_free(session->library);
    slot_free(session);
}
