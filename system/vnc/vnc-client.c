/* SPDX-License-Identifier: MIT
 *
 * One client: a thread that alone uses one screen of libvncserver, with one connection.
 *
 * libvncserver keeps the list of security types for all screens together.  So handshakes run
 * one at a time, only when the message that is due has arrived whole, and who gets past the
 * authentication without a password checked is disconnected.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "system/vnc/vnc-internal.h"

#define HANDSHAKE_US   (30 * G_USEC_PER_SEC)
#define CLIENT_WAIT    20000 /* ms for the rest of a message, or for room to send in */
#define POLL_MS        1000
#define INPUTS_AT_ONCE 64

static GMutex handshake_lock;

/* ---- to the main thread --------------------------------------------------------------------- */

void vnc_client_post(VNCClient *client, VNCEventType type, uint32_t a, bool b, int x, int y)
{
    VNCServer *server = client->server;
    VNCEvent *event = g_new(VNCEvent, 1);

    *event = (VNCEvent){type, client, a, b, x, y};
    g_mutex_lock(&server->lock);
    while (client->queued >= VNC_QUEUE_MAX && !client->stop) {
        g_cond_wait(&server->room, &server->lock);
    }
    client->queued++;
    g_queue_push_tail(&server->events, event);
    g_mutex_unlock(&server->lock);
    bh_schedule(server->events_bh);
}

void vnc_client_wake(VNCClient *client)
{
    uint64_t one = 1;

    while (write(client->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

/* ---- hooks of libvncserver ------------------------------------------------------------------ */

static void key_hook(rfbBool down, rfbKeySym keysym, rfbClientPtr cl)
{
    vnc_client_post(cl->screen->screenData, VNC_EVENT_KEYSYM, keysym, down, 0, 0);
}

static void pointer_hook(int buttons, int x, int y, rfbClientPtr cl)
{
    VNCClient *client = cl->screen->screenData;
    bool relative = client->wants_motion_change && !client->motion_sent_absolute;

    vnc_client_post(client, VNC_EVENT_POINTER, (uint32_t)buttons, relative, x, y);
}

static void cut_text_hook(char *text, int len, rfbClientPtr cl)
{
}

/* RFC 6143, 7.2.2: the challenge, encrypted with the password. */
static rfbBool password_hook(rfbClientPtr cl, const char *response, int len)
{
    VNCClient *client = cl->screen->screenData;
    VNCServer *server = client->server;
    uint8_t want[CHALLENGESIZE];
    char password[VNC_PASSWORD + 1];
    bool usable;
    unsigned differ = 0;

    g_mutex_lock(&server->lock);
    memcpy(password, server->password, sizeof(password));
    usable = server->has_password &&
             (!server->expires || server->expires > g_get_real_time() / G_USEC_PER_SEC);
    g_mutex_unlock(&server->lock);
    if (!usable || len != CHALLENGESIZE) {
        return FALSE;
    }
    memcpy(want, cl->authChallenge, sizeof(want));
    rfbEncryptBytes(want, password);
    explicit_bzero(password, sizeof(password));
    for (int i = 0; i < CHALLENGESIZE; i++) {
        differ |= (unsigned)(want[i] ^ (uint8_t)response[i]);
    }
    client->authenticated = differ == 0;
    return client->authenticated;
}

/* ---- the picture ---------------------------------------------------------------------------- */

static void new_frame_buffer(VNCClient *client, int width, int height)
{
    g_autofree uint32_t *old = client->pixels;
    rfbPixelFormat *format;

    client->pixels = g_new0(uint32_t, (gsize)width * (gsize)height);
    if (!client->screen) {
        return;
    }
    rfbNewFramebuffer(client->screen, (char *)client->pixels, width, height, 8, 3, 4);
    format = &client->screen->serverFormat;
    format->redShift = 16;
    format->greenShift = 8;
    format->blueShift = 0;
    client->screen->setTranslateFunction(client->cl);
}

/* Where both have pixels. */
static void copy_rectangle(VNCClient *client, const DisplaySurface *s, const sraRect *r)
{
    int x2 = MIN(r->x2, s->width), y2 = MIN(r->y2, s->height);

    for (int y = r->y1; y < y2 && r->x1 < x2; y++) {
        memcpy(client->pixels + (gsize)y * (gsize)client->screen->width + r->x1,
               s->pixels + (gsize)y * (gsize)s->width + r->x1,
               (gsize)(x2 - r->x1) * sizeof(uint32_t));
    }
}

static void copy_damage(VNCClient *client, Console *console, sraRegionPtr damage)
{
    sraRectangleIterator *i = sraRgnGetIterator(damage);
    sraRect r;

    console_lock(console);
    while (sraRgnIteratorNext(i, &r)) {
        copy_rectangle(client, console_surface(console), &r);
    }
    console_unlock(console);
    sraRgnReleaseIterator(i);
}

/* A viewer that cannot follow keeps its size, and sees what fits, on black. */
static void follow_size(VNCClient *client)
{
    rfbScreenInfoPtr s = client->screen;

    if (client->cl->useNewFBSize || client->cl->useExtDesktopSize) {
        new_frame_buffer(client, client->server->width, client->server->height);
    } else {
        memset(client->pixels, 0, (gsize)s->width * (gsize)s->height * sizeof(uint32_t));
        rfbMarkRectAsModified(s, 0, 0, s->width, s->height);
    }
}

/* What was drawn since the last time. */
static void take_damage(VNCClient *client)
{
    VNCServer *server = client->server;
    sraRegionPtr damage, all;

    g_mutex_lock(&server->lock);
    damage = client->damage;
    client->damage = sraRgnCreate();
    if (client->resized) {
        client->resized = false;
        follow_size(client);
    }
    all = sraRgnCreateRect(0, 0, client->screen->width, client->screen->height);
    sraRgnAnd(damage, all);
    if (server->console) {
        copy_damage(client, server->console, damage);
    }
    g_mutex_unlock(&server->lock);
    if (!sraRgnEmpty(damage)) {
        rfbMarkRegionAsModified(client->screen, damage);
    }
    sraRgnDestroy(all);
    sraRgnDestroy(damage);
}

/* ---- the connection ------------------------------------------------------------------------- */

static bool connected(const VNCClient *client)
{
    return client->cl->sock != RFB_INVALID_SOCKET;
}

/* Bytes of the message that is due in the handshake; 0: it is over. */
static size_t handshake_bytes(const VNCClient *client)
{
    switch (client->cl->state) {
    case RFB_PROTOCOL_VERSION:
        return sz_rfbProtocolVersionMsg;
    case RFB_AUTHENTICATION:
        return CHALLENGESIZE;
    case RFB_SECURITY_TYPE:
    case RFB_INITIALISATION:
    case RFB_INITIALISATION_SHARED:
        return 1;
    default:
        return 0;
    }
}

/* ClientInit, RFC 6143, 7.3.1: whether the client wants to be alone.  False: it may not. */
static bool allow_init(VNCClient *client, uint8_t shared)
{
    if (client->server->want_password && !client->authenticated) {
        return false;
    }
    if (!shared && client->server->share == VNC_SHARE_FORCE_SHARED) {
        return false;
    }
    if (!shared && client->server->share == VNC_SHARE_ALLOW_EXCLUSIVE) {
        vnc_client_post(client, VNC_EVENT_ALONE, 0, false, 0, 0);
    }
    return true;
}

static void process_handshake(VNCClient *client, size_t need)
{
    uint8_t bytes[CHALLENGESIZE];
    ssize_t got = recv(client->cl->sock, bytes, need, MSG_PEEK | MSG_DONTWAIT);
    bool init =
        client->cl->state == RFB_INITIALISATION || client->cl->state == RFB_INITIALISATION_SHARED;

    if (got > 0 && (size_t)got < need) {
        g_usleep(5000); /* poll() would return at once for what is there */
        return;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got == (ssize_t)need && init && !allow_init(client, bytes[0])) {
        rfbCloseClient(client->cl);
        return;
    }
    g_mutex_lock(&handshake_lock);
    rfbProcessClientMessage(client->cl);
    g_mutex_unlock(&handshake_lock);
}

static void process_input(VNCClient *client)
{
    size_t need = handshake_bytes(client);

    if (need) {
        process_handshake(client, need);
    } else {
        rfbProcessClientMessage(client->cl);
    }
    if (connected(client) && !client->announced && client->cl->state == RFB_NORMAL) {
        client->announced = true;
        vnc_client_post(client, VNC_EVENT_INITIALIZED, 0, false, 0, 0);
    }
}

static bool should_stop(VNCClient *client, bool *ret_absolute, unsigned *ret_leds)
{
    bool stop;

    g_mutex_lock(&client->server->lock);
    stop = client->stop;
    *ret_absolute = client->server->absolute;
    *ret_leds = client->server->leds;
    g_mutex_unlock(&client->server->lock);
    return stop;
}

/* What has come, up to some amount: then it is the picture's turn. */
static void process_inputs(VNCClient *client)
{
    struct pollfd fd = {client->cl->sock, POLLIN, 0};

    for (unsigned i = 0; i < INPUTS_AT_ONCE && connected(client) && poll(&fd, 1, 0) > 0; i++) {
        process_input(client);
    }
}

static void wait_for_something(VNCClient *client)
{
    struct pollfd fds[] = {
        {client->cl->sock, POLLIN, 0},
        {client->wake_fd,  POLLIN, 0}
    };
    uint64_t count;

    if (poll(fds, 2, POLL_MS) > 0 && fds[1].revents &&
        read(client->wake_fd, &count, sizeof(count)) < 0) {
        return;
    }
}

static void serve(VNCClient *client)
{
    int64_t deadline = g_get_monotonic_time() + HANDSHAKE_US;
    bool absolute;
    unsigned leds;

    while (connected(client) && !should_stop(client, &absolute, &leds)) {
        if (client->cl->state == RFB_NORMAL) {
            take_damage(client);
            if (!vnc_extension_send(client, absolute, leds)) {
                return;
            }
            rfbUpdateClient(client->cl);
        } else if (g_get_monotonic_time() > deadline) {
            return;
        }
        if (!connected(client)) {
            return;
        }
        wait_for_something(client);
        process_inputs(client);
    }
}

/*
 * rfbNewClient() waits for bytes of the client, to see whether it wants a websocket, and for ever
 * if it sends too few.  So it gets a socket of ours, with bytes that are none, and then the
 * connection in its place.
 */
static bool begin_connection(VNCClient *client)
{
    rfbProtocolVersionMsg version;
    int pair[2], one = 1;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        close(client->fd);
        return false;
    }
    if (pair[0] < FD_SETSIZE && write(pair[1], "RFB ", 4) == 4) {
        client->cl = rfbNewClient(client->screen, pair[0]);
    } else {
        close(pair[0]);
    }
    if (client->cl &&
        (read(pair[1], version, sz_rfbProtocolVersionMsg) != sz_rfbProtocolVersionMsg ||
         fcntl(client->fd, F_SETFL, O_NONBLOCK) < 0 || dup2(client->fd, client->cl->sock) < 0)) {
        rfbCloseClient(client->cl);
    }
    close(pair[1]);
    close(client->fd);
    if (!client->cl || !connected(client)) {
        return false;
    }
    setsockopt(client->cl->sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* if it is TCP */
    return rfbWriteExact(client->cl, version, sz_rfbProtocolVersionMsg) >= 0;
}

static bool open_screen(VNCClient *client)
{
    VNCServer *server = client->server;
    rfbScreenInfoPtr s;

    g_mutex_lock(&server->lock);
    new_frame_buffer(client, server->width, server->height);
    s = rfbGetScreen(NULL, NULL, server->width, server->height, 8, 3, 4);
    g_mutex_unlock(&server->lock);
    if (!s) {
        close(client->fd);
        return false;
    }
    s->frameBuffer = (char *)client->pixels;
    s->serverFormat.redShift = 16;
    s->serverFormat.greenShift = 8;
    s->serverFormat.blueShift = 0;
    s->desktopName = server->title;
    s->screenData = client;
    s->cursor = NULL;
    s->deferUpdateTime = 0;
    s->maxClientWait = CLIENT_WAIT;
    s->alwaysShared = TRUE;
    s->port = s->ipv6port = 0;
    s->kbdAddEvent = key_hook;
    s->ptrAddEvent = pointer_hook;
    s->setXCutText = cut_text_hook;
    s->setXCutTextUTF8 = cut_text_hook;
    s->passwordCheck = password_hook;
    s->authPasswdData = server->want_password ? client : NULL;
    client->screen = s;
    return begin_connection(client);
}

/* The library forgets these. */
static void free_extensions(rfbClientPtr cl)
{
    while (cl->extensions) {
        rfbExtensionData *first = cl->extensions;

        cl->extensions = first->next;
        free(first);
    }
}

static void close_screen(VNCClient *client)
{
    if (client->cl) {
        if (connected(client)) {
            rfbCloseClient(client->cl);
        }
        free_extensions(client->cl);
        rfbClientConnectionGone(client->cl);
    }
    if (client->screen) {
        rfbScreenCleanup(client->screen);
    }
    g_free(client->pixels);
}

static gpointer client_thread(gpointer opaque)
{
    VNCClient *client = opaque;

    if (open_screen(client)) {
        serve(client);
    }
    close_screen(client);
    vnc_client_post(client, VNC_EVENT_GONE, 0, false, 0, 0);
    return NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

VNCClient *vnc_client_new(VNCServer *server, int fd, VNCAddress address)
{
    VNCClient *client = g_new0(VNCClient, 1);

    client->server = server;
    client->fd = fd;
    client->control_fd = dup(fd);
    client->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    client->address = address;
    client->keys = g_hash_table_new(NULL, NULL);
    client->leds_sent = -1;
    client->damage = sraRgnCreateRect(0, 0, server->width, server->height);
    client->thread = g_thread_new("vnc-client", client_thread, client);
    return client;
}

static gboolean event_is_of(gconstpointer event, gconstpointer client)
{
    return ((const VNCEvent *)event)->client != client;
}

static void drop_events(VNCServer *server, VNCClient *client)
{
    GList *found;

    while ((found = g_queue_find_custom(&server->events, client, (GCompareFunc)event_is_of))) {
        g_free(found->data);
        g_queue_delete_link(&server->events, found);
    }
}

/* Shutting the socket down ends whatever the thread waits for. */
void vnc_client_free(VNCClient *client)
{
    VNCServer *server = client->server;

    g_mutex_lock(&server->lock);
    client->stop = true;
    g_cond_broadcast(&server->room);
    g_mutex_unlock(&server->lock);
    shutdown(client->control_fd, SHUT_RDWR);
    vnc_client_wake(client);
    g_thread_join(client->thread);
    g_mutex_lock(&server->lock);
    drop_events(server, client);
    g_mutex_unlock(&server->lock);
    vnc_input_release(client);
    g_hash_table_unref(client->keys);
    sraRgnDestroy(client->damage);
    vnc_address_clear(&client->address);
    close(client->wake_fd);
    close(client->control_fd);
    g_free(client);
}
