/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peer.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/address.h"

#define TURN_MS 20

static int accept_all(int ok, X509_STORE_CTX *store)
{
    return 1;
}

static int refuse_all(int ok, X509_STORE_CTX *store)
{
    X509_STORE_CTX_set_error(store, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY); /* alert: unknown_ca */
    return 0;
}

static X509 *decode(struct slice der)
{
    const unsigned char *at = der.data;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.len);

    assert(certificate != NULL);
    return certificate;
}

static void use_identity(SSL_CTX *context, const struct peer_identity *identity)
{
    X509 *leaf = decode(identity->leaf);
    int good = SSL_CTX_use_certificate(context, leaf);

    assert(good == 1);
    X509_free(leaf);
    good = SSL_CTX_use_PrivateKey(context, identity->key);
    assert(good == 1);
    if (identity->above.len > 0) {
        good = (int)SSL_CTX_add0_chain_cert(context, decode(identity->above));
        assert(good == 1);
    }
}

static SSL_CTX *make_context(const struct peer_settings *settings)
{
    static const int demand = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    int good = SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0");

    assert(good == 1);
    SSL_CTX_set_min_proto_version(context, settings->tls_min);
    SSL_CTX_set_max_proto_version(context, settings->tls_max);
    for (size_t i = 0; i < settings->identity_count; i++)
        use_identity(context, &settings->identities[i]);
    if (settings->client == PEER_ASKS)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_all);
    else if (settings->client != PEER_ASKS_NOT)
        SSL_CTX_set_verify(context, demand, settings->client == PEER_DEMANDS ? accept_all : refuse_all);
    return context;
}

static void serve_tls(struct peer *peer, int fd)
{
    SSL *ssl = SSL_new(peer->context);
    char data[512];
    int n;

    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
        while ((n = SSL_read(ssl, data, sizeof(data))) > 0)
            atomic_fetch_add(&peer->bytes, n);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
}

static void serve(struct peer *peer, int fd)
{
    const struct timeval limit = {2, 0};
    char data[512];

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    switch (peer->settings.manner) {
    case PEER_TLS: serve_tls(peer, fd); break;
    case PEER_PLAIN: (void)!write(fd, "220 ready\r\n", 11); break;
    case PEER_CLOSES: (void)!read(fd, data, sizeof(data)); break;
    case PEER_SILENT:
        while (!atomic_load(&peer->stop) && poll(&(struct pollfd){.fd = fd, .events = POLLRDHUP}, 1, TURN_MS) == 0)
            ;
        break;
    }
    close(fd);
}

static void *run(void *arg)
{
    struct peer *peer = arg;

    while (!atomic_load(&peer->stop)) {
        int fd;

        if (poll(&(struct pollfd){.fd = peer->fd, .events = POLLIN}, 1, TURN_MS) != 1)
            continue;
        fd = accept(peer->fd, NULL, NULL);
        if (fd < 0)
            continue;
        atomic_fetch_add(&peer->connections, 1);
        serve(peer, fd);
    }
    return NULL;
}

void peer_begin(struct peer *peer, const struct peer_settings *settings)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    bool good;

    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to whoever is gone */
    memset(peer, 0, sizeof(*peer));
    peer->settings = *settings;
    peer->context = settings->manner == PEER_TLS ? make_context(settings) : NULL;
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    good = peer->fd >= 0 && bind(peer->fd, (const struct sockaddr *)&at, sizeof(at)) == 0 &&
           listen(peer->fd, 16) == 0 && getsockname(peer->fd, (struct sockaddr *)&at, &len) == 0 &&
           pthread_create(&peer->thread, NULL, run, peer) == 0;
    assert(good);
    peer->port = ntohs(at.sin_port);
}

void peer_end(struct peer *peer)
{
    atomic_store(&peer->stop, true);
    pthread_join(peer->thread, NULL);
    close(peer->fd);
    SSL_CTX_free(peer->context);
}

struct assay_address peer_address(void)
{
    return address_from_ip4_be(htonl(INADDR_LOOPBACK));
}
