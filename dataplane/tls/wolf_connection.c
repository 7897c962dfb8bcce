/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The library's calls for one connection. */
#include "tls/wolf.h"

#include <limits.h>
#include <string.h>

#include "tls/ciphers.h"

#define ALPN_HTTP "http/1.1"

/* --- life ------------------------------------------------------------------------------------------------------------------- */

static enum assay_error prepare_server(struct tls_connection *tls)
{
    /* A client that offers protocols, none of which is ours, gets no_application_protocol (RFC 7301 §3.2). */
    if (wolfSSL_UseALPN(tls->library, (char *)ALPN_HTTP, sizeof(ALPN_HTTP) - 1, WOLFSSL_ALPN_FAILED_ON_MISMATCH) !=
        WOLFSSL_SUCCESS)
        return ASSAY_ERR_NO_MEMORY;
    return ASSAY_OK;
}

/* An old session that the library does not take any more is no fault: the handshake is then a full one. */
static enum assay_error resume_with(struct tls_connection *tls, const struct tls_session *session)
{
    WOLFSSL_SESSION *copy = wolfSSL_SESSION_dup(session->library);

    if (copy == NULL)
        return ASSAY_ERR_NO_MEMORY;
    /* With a ticket the library sends no session id, and learns from the messages that follow whether the server resumes
     * (RFC 5077 §3.4); if it remembered an id, it would take a full handshake of TLS 1.2 for a fault. */
    if (copy->ticketLen > 0)
        copy->sessionIDSz = 0;
    (void)wolfSSL_set_session(tls->library, copy);
    wolfSSL_SESSION_free(copy); /* the connection holds its own reference */
    return ASSAY_OK;
}

static enum assay_error prepare_client(struct tls_connection *tls, const char *server_name,
                                       const struct tls_session *session)
{
    wolfSSL_SetCertCbCtx(tls->library, tls);
    if (wolfSSL_set_SessionTicket_cb(tls->library, wolf_ticket_received, tls) != WOLFSSL_SUCCESS)
        return ASSAY_ERR_INTERNAL;
    if (server_name != NULL && wolfSSL_UseSNI(tls->library, WOLFSSL_SNI_HOST_NAME, server_name,
                                              (unsigned short)strlen(server_name)) != WOLFSSL_SUCCESS)
        return ASSAY_ERR_NO_MEMORY;
    if (tls->verifier.ask_status && wolfSSL_AskStapledStatus(tls->library) != WOLFSSL_SUCCESS)
        return ASSAY_ERR_NO_MEMORY;
    return session != NULL ? resume_with(tls, session) : ASSAY_OK;
}

enum assay_error wolf_create(struct tls_connection *tls, const char *server_name, const struct tls_session *session)
{
    tls->library = wolfSSL_new(tls->context->library);
    if (tls->library == NULL)
        return ASSAY_ERR_NO_MEMORY;
    wolfSSL_SetIOReadCtx(tls->library, tls);
    wolfSSL_SetIOWriteCtx(tls->library, tls);
    return tls->context->is_server ? prepare_server(tls) : prepare_client(tls, server_name, session);
}

void wolf_free(struct tls_connection *tls)
{
    wolfSSL_free(tls->library);
    tls->library = NULL;
}

/* --- driving ------------------------------------------------------------------------------------------------------------------ */

/* What a result that is not success means. The library's output never blocks (connection.c), so there is no WANT_WRITE. */
static enum wolf_step step_of(struct tls_connection *tls, int result, int *code)
{
    *code = wolfSSL_get_error(tls->library, result);
    switch (*code) {
    case WOLFSSL_ERROR_WANT_READ: return WOLF_BLOCKED;
    case WOLFSSL_ERROR_ZERO_RETURN: return WOLF_CLOSED;
    default: return WOLF_FAILED;
    }
}

/* Without keys no ticket can be sealed, and a connection must not fail for that. */
static void decide_tickets(struct tls_connection *tls)
{
    const struct tls_ticket_keys *keys = tls->io->ticket_keys;

    if (tls->context->ticket_lifetime_s > 0 && keys != NULL && keys->count > 0)
        return;
    tls->library->options.noTicketTls12 = 1;
    tls->library->options.noTicketTls13 = 1;
}

/* For many errors the library would send handshake_failure, which says nothing. It leaves that out where it believes to have
 * sent a fatal alert already; what it sends on purpose still goes out, and connection.c sends what is missing. */
static void suppress_vague_alerts(struct tls_connection *tls)
{
    WOLFSSL_ALERT *last = &tls->library->alert_history.last_tx;

    if (last->level == alert_fatal && last->code > 0)
        return;
    last->level = alert_fatal;
    last->code = -1;
}

enum wolf_step wolf_handshake(struct tls_connection *tls, int *code)
{
    int result;

    suppress_vague_alerts(tls);
    if (tls->context->is_server) {
        decide_tickets(tls);
        result = wolfSSL_accept(tls->library);
    } else {
        result = wolfSSL_connect(tls->library);
    }
    return result == WOLFSSL_SUCCESS ? WOLF_DONE : step_of(tls, result, code);
}

enum wolf_step wolf_read(struct tls_connection *tls, void *buffer, size_t capacity, size_t *length, int *code)
{
    int result;

    suppress_vague_alerts(tls);
    result = wolfSSL_read(tls->library, buffer, capacity < INT_MAX ? (int)capacity : INT_MAX);
    if (result <= 0)
        return step_of(tls, result, code);
    *length = (size_t)result;
    return WOLF_DONE;
}

enum wolf_step wolf_write(struct tls_connection *tls, const void *data, size_t len, int *code)
{
    int result = wolfSSL_write(tls->library, data, (int)len);

    if (result == (int)len)
        return WOLF_DONE;
    *code = result < 0 ? wolfSSL_get_error(tls->library, result) : BAD_STATE_E;
    return WOLF_FAILED;
}

enum wolf_step wolf_close_notify(struct tls_connection *tls, int *code)
{
    int result = SendAlert(tls->library, alert_warning, close_notify);

    if (result == 0) {
        tls->library->options.sentNotify = 1;
        return WOLF_DONE;
    }
    *code = result;
    return WOLF_FAILED;
}

void wolf_send_alert(struct tls_connection *tls, uint8_t alert)
{
    (void)SendAlert(tls->library, alert_fatal, alert);
}

void wolf_get_alerts(const struct tls_connection *tls, uint8_t *sent, uint8_t *received)
{
    WOLFSSL_ALERT_HISTORY history;

    *sent = 0;
    *received = 0;
    if (wolfSSL_get_alert_history(tls->library, &history) != WOLFSSL_SUCCESS)
        return;
    if (history.last_tx.level == alert_fatal && history.last_tx.code > 0)
        *sent = (uint8_t)history.last_tx.code;
    /* TLS 1.3 does not use the level; the library fails at an alert only if it ends the connection. */
    if (history.last_rx.code > 0)
        *received = (uint8_t)history.last_rx.code;
}

/* --- state ------------------------------------------------------------------------------------------------------------------------ */

bool wolf_awaits_second_hello(const struct tls_connection *tls)
{
    return tls->library->options.serverState == SERVER_HELLO_RETRY_REQUEST_COMPLETE;
}

bool wolf_pending(const struct tls_connection *tls)
{
    return wolfSSL_pending(tls->library) > 0;
}

bool wolf_resumed(const struct tls_connection *tls)
{
    return wolfSSL_session_reused(tls->library) != 0;
}

enum tls_version wolf_version(const struct tls_connection *tls)
{
    return wolfSSL_GetVersion(tls->library) == WOLFSSL_TLSV1_3 ? TLS_VERSION_1_3 : TLS_VERSION_1_2;
}

const char *wolf_cipher(const struct tls_connection *tls)
{
    const char *name = wolfSSL_get_cipher_name(tls->library);

    return name != NULL ? tls_ciphers_common_name(name) : "";
}

/* A client's answer is chosen when the request is read: its certificate, or an empty one. */
bool wolf_certificate_requested(const struct tls_connection *tls)
{
    return !tls->context->is_server && tls->library->options.sendVerify != 0;
}

struct slice wolf_alpn(const struct tls_connection *tls)
{
    unsigned short length = 0;
    char *name = NULL;

    if (wolfSSL_ALPN_GetProtocol(tls->library, &name, &length) != WOLFSSL_SUCCESS)
        return slice_of(NULL, 0);
    return slice_of(name, length);
}
