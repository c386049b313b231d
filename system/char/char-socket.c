/* SPDX-License-Identifier: MIT
 *
 * A stream socket, Unix or TCP, as client (which may reconnect) or as server
 * (one client at a time; the next one waits in the kernel's queue).
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "system/char/char-internal.h"

#define TYPE_CHARDEV_SOCKET CHARDEV_TYPE_NAME("socket")
OBJECT_DECLARE_SIMPLE(SocketChardev, SOCKET_CHARDEV, TYPE_CHARDEV_SOCKET)

struct SocketChardev {
    FDChardev parent_obj;
    char *path, *host, *port, *fd_text;
    bool server, wait, nodelay;
    uint32_t reconnect;

    int listen_fd;
    bool bound_path; /* the file at `path` is ours to remove */
    GSource *accept_source, *connect_source;
    Timer *retry;
};

typedef struct SocketAddress {
    struct sockaddr_storage addr;
    socklen_t len;
} SocketAddress;

static char *socket_name(SocketChardev *s)
{
    if (s->fd_text) {
        return g_strconcat("fd:", s->fd_text, NULL);
    }
    return s->path ? g_strconcat("unix:", s->path, NULL)
                   : g_strdup_printf("tcp:%s:%s", s->host ? s->host : "", s->port);
}

static bool socket_fail(SocketChardev *s, int code, const char *what, GError **error)
{
    g_autofree char *name = socket_name(s);

    g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN, "cannot %s %s: %s", what, name,
                g_strerror(code));
    return false;
}

/* ---- addresses --------------------------------------------------------------------------- */

static bool unix_address(SocketChardev *s, SocketAddress *ret, GError **error)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&ret->addr;

    if (strlen(s->path) >= sizeof(un->sun_path)) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN,
                    "path of %zu bytes is too long for a Unix socket; at most %zu", strlen(s->path),
                    sizeof(un->sun_path) - 1);
        return false;
    }
    memset(un, 0, sizeof(*un));
    un->sun_family = AF_UNIX;
    g_strlcpy(un->sun_path, s->path, sizeof(un->sun_path));
    ret->len = sizeof(*un);
    return true;
}

static bool tcp_address(SocketChardev *s, SocketAddress *ret, GError **error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = s->server ? AI_PASSIVE : 0};
    struct addrinfo *list;
    const char *host = s->host && *s->host ? s->host : NULL;
    int code;

    if (g_ascii_isdigit(s->port[0]) && g_ascii_strtoull(s->port, NULL, 10) > UINT16_MAX) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN, "port=%s: expected 0 to 65535",
                    s->port);
        return false; /* getaddrinfo would take its low 16 bits */
    }
    code = getaddrinfo(host, s->port, &hints, &list);
    if (code) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN, "no address for %s:%s: %s",
                    host ? host : "", s->port, gai_strerror(code));
        return false;
    }
    memcpy(&ret->addr, list->ai_addr, list->ai_addrlen);
    ret->len = list->ai_addrlen;
    freeaddrinfo(list);
    return true;
}

static bool socket_address(SocketChardev *s, SocketAddress *ret, GError **error)
{
    return s->path ? unix_address(s, ret, error) : tcp_address(s, ret, error);
}

static int new_socket(const SocketAddress *address)
{
    return socket(address->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* ---- connected ------------------------------------------------------------------------------ */

static void socket_connected(SocketChardev *s, int fd)
{
    int one = 1;

    if (!s->path && s->nodelay) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
    event_loop_remove_source(g_steal_pointer(&s->accept_source));
    CHARDEV(s)->be_open = true;
    fd_chardev_set(FD_CHARDEV(s), fd, fd);
    chardev_be_event(CHARDEV(s), CHAR_EVENT_OPENED);
}

/* ---- server --------------------------------------------------------------------------------- */

static void accept_ready(int fd, GIOCondition condition, void *opaque)
{
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (client >= 0) {
        socket_connected(opaque, client);
    }
}

static void watch_clients(SocketChardev *s)
{
    s->accept_source = event_loop_add_fd(CHARDEV(s)->loop, s->listen_fd, G_IO_IN, accept_ready, s);
}

/* A socket file that nobody listens on is left over from a process that died. */
static bool remove_stale(SocketChardev *s, const SocketAddress *address, GError **error)
{
    struct stat st;
    int fd = new_socket(address);
    int code = connect(fd, (const struct sockaddr *)&address->addr, address->len) ? errno : 0;

    close(fd);
    if (code == 0 || code == EAGAIN) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_BUSY,
                    "socket '%s' is in use by another process", s->path);
        return false;
    }
    if (code == ECONNREFUSED && lstat(s->path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        unlink(s->path); /* of a process that is no more; any other file is none of ours */
    }
    return true;
}

/* Port 0 asks the kernel for one: tell which. */
static void note_port(SocketChardev *s)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    char port[NI_MAXSERV];

    if (!s->path && getsockname(s->listen_fd, (struct sockaddr *)&addr, &len) == 0 &&
        getnameinfo((struct sockaddr *)&addr, len, NULL, 0, port, sizeof(port),
                    NI_NUMERICSERV) == 0) {
        g_free(s->port);
        s->port = g_strdup(port);
    }
}

static bool socket_bind(SocketChardev *s, GError **error)
{
    SocketAddress address;
    int one = 1;

    if (!socket_address(s, &address, error) || (s->path && !remove_stale(s, &address, error))) {
        return false;
    }
    s->listen_fd = new_socket(&address);
    if (s->listen_fd < 0) {
        return socket_fail(s, errno, "make a socket for", error);
    }
    if (!s->path) {
        setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    }
    if (bind(s->listen_fd, (struct sockaddr *)&address.addr, address.len) < 0) {
        return socket_fail(s, errno, "bind to", error);
    }
    s->bound_path = s->path;
    note_port(s);
    return listen(s->listen_fd, 1) == 0 || socket_fail(s, errno, "listen on", error);
}

static bool socket_serve(SocketChardev *s, GError **error)
{
    struct pollfd pfd = {.events = POLLIN};

    if (s->listen_fd < 0 && !socket_bind(s, error)) {
        return false;
    }
    if (s->wait) {
        g_autofree char *name = socket_name(s);

        chardev_report(CHARDEV(s), "waiting for a connection on %s", name);
        pfd.fd = s->listen_fd;
        while (!CHARDEV(s)->be_open) {
            poll(&pfd, 1, -1);
            accept_ready(s->listen_fd, G_IO_IN, s);
        }
    } else {
        watch_clients(s);
    }
    return true;
}

/* ---- client --------------------------------------------------------------------------------- */

static void retry_later(SocketChardev *s)
{
    VMClock *clock = event_loop_clock(CHARDEV(s)->loop);

    timer_mod(s->retry,
              vm_clock_get_ns(clock, CLOCK_REALTIME_NS) + s->reconnect * NANOSECONDS_PER_SECOND);
}

static int socket_error(int fd)
{
    int code = 0;
    socklen_t len = sizeof(code);

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len);
    return code;
}

static void connect_ready(int fd, GIOCondition condition, void *opaque)
{
    SocketChardev *s = opaque;

    event_loop_remove_source(g_steal_pointer(&s->connect_source));
    if (socket_error(fd) == 0) {
        socket_connected(s, fd);
    } else {
        close(fd);
        retry_later(s);
    }
}

/* The fd of a connection made or under way (*ret_pending), or -1 with errno. */
static int start_connect(SocketChardev *s, bool *ret_pending, GError **error)
{
    SocketAddress address;
    int fd;

    if (!socket_address(s, &address, error)) {
        return -1;
    }
    fd = new_socket(&address);
    *ret_pending = false;
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address.addr, address.len) < 0) {
        *ret_pending = errno == EINPROGRESS;
        if (!*ret_pending) {
            socket_fail(s, errno, "connect to", error);
            close(fd);
            return -1;
        }
    }
    return fd;
}

static void retry_connect(void *opaque)
{
    SocketChardev *s = opaque;
    bool pending;
    int fd = start_connect(s, &pending, NULL);

    if (fd < 0) {
        retry_later(s);
    } else if (pending) {
        s->connect_source = event_loop_add_fd(CHARDEV(s)->loop, fd, G_IO_OUT, connect_ready, s);
    } else {
        socket_connected(s, fd);
    }
}

#define CONNECT_PATIENCE_MS 10000

static bool connect_now(SocketChardev *s, GError **error)
{
    struct pollfd pfd = {.events = POLLOUT};
    bool pending;
    int code = 0;

    pfd.fd = start_connect(s, &pending, error);
    if (pfd.fd < 0) {
        return false;
    }
    if (pending) {
        code = poll(&pfd, 1, CONNECT_PATIENCE_MS) > 0 ? socket_error(pfd.fd) : ETIMEDOUT;
    }
    if (code) {
        close(pfd.fd);
        return socket_fail(s, code, "connect to", error);
    }
    socket_connected(s, pfd.fd);
    return true;
}

/* ---- the chardev ---------------------------------------------------------------------------- */

static void socket_hangup(FDChardev *fdc)
{
    SocketChardev *s = SOCKET_CHARDEV(fdc);

    fd_chardev_clear(fdc);
    chardev_be_event(CHARDEV(fdc), CHAR_EVENT_CLOSED);
    if (s->listen_fd >= 0) {
        watch_clients(s);
    } else if (s->reconnect) {
        retry_later(s);
    }
}

/* An inherited descriptor: listening if server, else connected. */
static bool take_fd(SocketChardev *s, GError **error)
{
    int fd = atoi(s->fd_text), type;
    socklen_t len = sizeof(type);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN, "fd=%s: no open socket", s->fd_text);
        return false;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (s->server) {
        s->listen_fd = fd;
    } else {
        socket_connected(s, fd);
    }
    return true;
}

static bool check_options(SocketChardev *s, GError **error)
{
    int ways = (s->path != NULL) + (s->port != NULL) + (s->fd_text != NULL);

    if (ways != 1) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN,
                    "socket: give one of path=FILE, host=HOST,port=PORT or fd=NUMBER");
        return false;
    }
    if (s->server && s->reconnect) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN,
                    "socket: reconnect=SECONDS is for a client, not with server=on");
        return false;
    }
    return true;
}

static bool socket_open(Chardev *chr, GError **error)
{
    SocketChardev *s = SOCKET_CHARDEV(chr);

    if (!check_options(s, error)) {
        return false;
    }
    s->retry = timer_new(chr->loop, CLOCK_REALTIME_NS, retry_connect, s);
    if (s->fd_text && !take_fd(s, error)) {
        return false;
    }
    if (s->server) {
        return socket_serve(s, error);
    }
    if (s->reconnect) {
        retry_connect(s);
        return true;
    }
    return s->fd_text || connect_now(s, error);
}

static void socket_close(Chardev *chr)
{
    SocketChardev *s = SOCKET_CHARDEV(chr);

    fd_chardev_clear(FD_CHARDEV(chr));
    event_loop_remove_source(g_steal_pointer(&s->accept_source));
    event_loop_remove_source(g_steal_pointer(&s->connect_source));
}

static char *socket_describe(Chardev *chr)
{
    g_autofree char *name = socket_name(SOCKET_CHARDEV(chr));

    return g_strconcat(chr->be_open ? "" : "disconnected:", name,
                       SOCKET_CHARDEV(chr)->server ? ",server=on" : "", NULL);
}

static void socket_instance_init(Object *obj)
{
    ((SocketChardev *)obj)->listen_fd = -1;
}

/* Also after an open that failed half-way. */
static void socket_finalize(Object *obj)
{
    SocketChardev *s = (SocketChardev *)obj;

    timer_free(s->retry);
    if (s->listen_fd >= 0) {
        close(s->listen_fd);
    }
    if (s->bound_path) {
        unlink(s->path);
    }
}

static void socket_class_init(ObjectClass *klass, const void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->kind = "socket";
    cc->open = socket_open;
    cc->close = socket_close;
    cc->describe = socket_describe;
    FD_CHARDEV_CLASS(klass)->hangup = socket_hangup;
}

static const Property socket_properties[] = {
    DEFINE_PROP_STRING("path", SocketChardev, path, NULL, "of a Unix socket"),
    DEFINE_PROP_STRING("host", SocketChardev, host, NULL, "name or address, for TCP"),
    DEFINE_PROP_STRING("port", SocketChardev, port, NULL, "TCP port"),
    DEFINE_PROP_STRING("fd", SocketChardev, fd_text, NULL, "number of an inherited socket"),
    DEFINE_PROP_BOOL("server", SocketChardev, server, false, "listen, in place of connecting"),
    DEFINE_PROP_BOOL("wait", SocketChardev, wait, true, "server: start when a client is there"),
    DEFINE_PROP_BOOL("nodelay", SocketChardev, nodelay, false, "TCP: send small packets at once"),
    DEFINE_PROP_UINT32("reconnect", SocketChardev, reconnect, 0,
                       "client: seconds between attempts, 0: none", .max = 86400),
    DEFINE_PROP_END,
};

static const TypeInfo socket_types[] = {
    {
     .name = TYPE_CHARDEV_SOCKET,
     .parent = TYPE_FD_CHARDEV,
     .instance_size = sizeof(SocketChardev),
     .instance_init = socket_instance_init,
     .instance_finalize = socket_finalize,
     .class_init = socket_class_init,
     .properties = socket_properties,
     .doc = "a Unix or TCP socket",
     }
};
DEFINE_TYPES(socket_types)
