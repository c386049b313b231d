/* SPDX-License-Identifier: MIT
 *
 * VNC servers: their options, their clients, passwords, and events for monitors.
 */
#include "system/vnc/vnc.h"

#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "system/options.h"
#include "system/runstate.h"
#include "system/secret.h"
#include "system/vnc/vnc-internal.h"

G_DEFINE_QUARK(quoin - vnc - error - quark, vnc_error)

/* All servers of a machine, as a child of it. */
#define TYPE_VNC_SERVERS "vnc-servers"
OBJECT_DECLARE_SIMPLE(VNCServers, VNC_SERVERS, TYPE_VNC_SERVERS)

struct VNCServers {
    Object parent_obj;
    GSList *list; /* of VNCServer */
};

static VNCServers *find_servers(MachineState *machine)
{
    Object *obj = object_resolve_path_component(OBJECT(machine), "vnc");

    return obj ? VNC_SERVERS(obj) : NULL;
}

/* ---- events for monitors -------------------------------------------------------------------- */

static const char *auth_name(const VNCServer *server)
{
    return server->want_password ? "vnc" : "none";
}

static void append_address(GString *out, const char *name, const VNCAddress *a, const char *auth)
{
    g_autofree char *host = g_strescape(a->host, NULL), *service = g_strescape(a->service, NULL);

    g_string_append_printf(out,
                           "\"%s\": {\"host\": \"%s\", \"service\": \"%s\", "
                           "\"family\": \"%s\", \"websocket\": false",
                           name, host, service, a->family);
    if (auth) {
        g_string_append_printf(out, ", \"auth\": \"%s\"", auth);
    }
    g_string_append(out, "}");
}

static void emit(VNCClient *client, const char *event)
{
    g_autoptr(GString) data = g_string_new("{");

    append_address(data, "server", &client->server->address, auth_name(client->server));
    g_string_append(data, ", ");
    append_address(data, "client", &client->address, NULL);
    g_string_append(data, "}");
    machine_emit_event(client->server->machine, event, data->str);
}

/* ---- clients -------------------------------------------------------------------------------- */

static void disconnect(VNCClient *client)
{
    VNCServer *server = client->server;

    server->clients = g_slist_remove(server->clients, client);
    emit(client, "VNC_DISCONNECTED");
    vnc_client_free(client);
    if (!server->clients) {
        console_detach(&server->listener);
    }
}

static void disconnect_others(VNCServer *server, VNCClient *stays)
{
    for (GSList *l = server->clients, *next; l; l = next) {
        next = l->next;
        if (l->data != stays) {
            disconnect(l->data);
        }
    }
}

/* A new client begins with the picture as it is now. */
static void watch_console(VNCServer *server)
{
    if (!server->console) {
        return;
    }
    if (!server->listener.console) {
        console_attach(server->console, &server->listener);
    }
    console_refresh(server->console);
}

void vnc_client_connected(VNCServer *server, int fd, VNCAddress address)
{
    VNCClient *client;

    if (fd >= FD_SETSIZE || g_slist_length(server->clients) >= server->max_clients) {
        close(fd);
        vnc_address_clear(&address);
        return;
    }
    watch_console(server);
    client = vnc_client_new(server, fd, address);
    server->clients = g_slist_append(server->clients, client);
    emit(client, "VNC_CONNECTED");
}

static void run_event(VNCServer *server, VNCEvent *event)
{
    switch (event->type) {
    case VNC_EVENT_INITIALIZED:
        event->client->initialized = true;
        emit(event->client, "VNC_INITIALIZED");
        break;
    case VNC_EVENT_GONE:
        disconnect(event->client);
        break;
    case VNC_EVENT_ALONE:
        disconnect_others(server, event->client);
        break;
    default:
        vnc_input(event->client, event);
        break;
    }
}

static void publish_input_state(VNCServer *server)
{
    bool absolute = input_is_absolute(server->machine);
    unsigned leds = input_leds(server->machine);
    bool changed;

    g_mutex_lock(&server->lock);
    changed = server->absolute != absolute || server->leds != leds;
    server->absolute = absolute;
    server->leds = leds;
    g_mutex_unlock(&server->lock);
    for (GSList *l = changed ? server->clients : NULL; l; l = l->next) {
        vnc_client_wake(l->data);
    }
}

static void run_events(void *opaque)
{
    VNCServer *server = opaque;
    VNCEvent *event;

    for (;;) {
        g_mutex_lock(&server->lock);
        event = g_queue_pop_head(&server->events);
        if (event) {
            event->client->queued--;
            g_cond_broadcast(&server->room);
        }
        g_mutex_unlock(&server->lock);
        if (!event) {
            break;
        }
        run_event(server, event);
        g_free(event);
    }
    publish_input_state(server);
}

/* ---- the console ---------------------------------------------------------------------------- */

static VNCServer *listener_server(ConsoleListener *listener)
{
    return (VNCServer *)((char *)listener - offsetof(VNCServer, listener));
}

static void add_damage(VNCServer *server, int x, int y, int width, int height, bool resized)
{
    sraRegionPtr region = sraRgnCreateRect(x, y, x + width, y + height);

    g_mutex_lock(&server->lock);
    for (GSList *l = server->clients; l; l = l->next) {
        VNCClient *client = l->data;

        client->resized |= resized;
        sraRgnOr(client->damage, region);
    }
    g_mutex_unlock(&server->lock);
    sraRgnDestroy(region);
    for (GSList *l = server->clients; l; l = l->next) {
        vnc_client_wake(l->data);
    }
}

static void console_resized(ConsoleListener *listener, int width, int height)
{
    VNCServer *server = listener_server(listener);

    g_mutex_lock(&server->lock);
    server->width = width;
    server->height = height;
    g_mutex_unlock(&server->lock);
    add_damage(server, 0, 0, width, height, true);
}

static void console_damaged(ConsoleListener *listener, int x, int y, int width, int height)
{
    add_damage(listener_server(listener), x, y, width, height, false);
    publish_input_state(listener_server(listener));
}

static void console_gone(ConsoleListener *listener)
{
    VNCServer *server = listener_server(listener);
    Console *console = server->console;

    g_mutex_lock(&server->lock);
    server->console = NULL;
    g_mutex_unlock(&server->lock);
    object_unref(console);
}

#define BLANK_WIDTH  640
#define BLANK_HEIGHT 480

static bool find_console(VNCServer *server, GError **error)
{
    MachineState *machine = server->machine;
    Object *obj = NULL;
    Console *console;

    if (server->display) {
        obj = object_resolve_path_component(machine->peripheral, server->display);
        obj = obj ? obj : object_resolve_path(OBJECT(machine), server->display, NULL);
        console = obj && object_dynamic_cast(obj, TYPE_DEVICE)
                      ? console_by_device(machine, DEVICE(obj), server->head)
                      : NULL;
        if (!console) {
            g_set_error(error, VNC_ERROR, VNC_ERROR_OPTION,
                        "display=%s: no such device, or it has no head %u", server->display,
                        server->head);
            return false;
        }
    } else {
        console = console_by_index(machine, 0);
    }
    server->width = BLANK_WIDTH;
    server->height = BLANK_HEIGHT;
    if (console) {
        server->console = (Console *)object_ref(console);
        console_lock(console);
        server->width = console_surface(console)->width;
        server->height = console_surface(console)->height;
        console_unlock(console);
    }
    return true;
}

/* ---- options -------------------------------------------------------------------------------- */

static bool parse_share(const char *text, VNCShare *ret, GError **error)
{
    static const char *const names[] = {"allow-exclusive", "force-shared", "ignore"};

    for (gsize i = 0; text && i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(text, names[i])) {
            *ret = (VNCShare)i;
            return true;
        }
    }
    if (text) {
        g_set_error(error, VNC_ERROR, VNC_ERROR_OPTION,
                    "share=%s: expected allow-exclusive, force-shared or ignore", text);
    }
    return !text;
}

static void store_password(VNCServer *server, const char *password)
{
    g_mutex_lock(&server->lock);
    memset(server->password, 0, sizeof(server->password));
    strncpy(server->password, password, VNC_PASSWORD);
    server->has_password = true;
    g_mutex_unlock(&server->lock);
}

static bool use_secret(VNCServer *server, const char *id, GError **error)
{
    gsize len;
    char *password = id ? secret_lookup(server->machine, id, &len, error) : NULL;

    if (password) {
        server->want_password = true;
        store_password(server, password);
        explicit_bzero(password, len);
        g_free(password);
    }
    return !id || password;
}

/* What others accept and has no meaning here. */
static void ignore_options(Options *options)
{
    static const char *const names[] = {
        "lossy",         "non-adaptive", "lock-key-sync", "key-delay-ms",
        "power-control", "ipv4",         "ipv6",          "acl"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        options_get(options, names[i]);
    }
}

static bool refuse_options(Options *options, GError **error)
{
    static const char *const names[] = {"websocket", "tls-creds",  "sasl",
                                        "tls-authz", "sasl-authz", "audiodev"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = options_get(options, names[i]);

        if (value && !g_str_equal(value, "off")) {
            g_set_error(error, VNC_ERROR, VNC_ERROR_OPTION, "%s: this server has no such thing",
                        names[i]);
            return false;
        }
    }
    return true;
}

static bool configure(VNCServer *server, Options *options, GError **error)
{
    static const char *const known[] = {"to",          "password", "password-secret", "share",
                                        "connections", "head",     "display",         "id",
                                        "reverse",     NULL};
    uint64_t to = 0, connections = VNC_CLIENTS_MAX, head = 0;
    const char *where = options_get(options, "vnc");
    bool reverse = false;

    ignore_options(options);
    if (!refuse_options(options, error) ||
        !options_get_bool(options, "password", &server->want_password, error) ||
        !options_get_bool(options, "reverse", &reverse, error) ||
        !options_get_uint(options, "to", 0, 59635, &to, error) ||
        !options_get_uint(options, "connections", 1, VNC_CLIENTS_MAX, &connections, error) ||
        !options_get_uint(options, "head", 0, 255, &head, error) ||
        !parse_share(options_get(options, "share"), &server->share, error) ||
        !use_secret(server, options_get(options, "password-secret"), error)) {
        return false;
    }
    server->display = g_strdup(options_get(options, "display"));
    server->head = (unsigned)head;
    server->max_clients = (unsigned)connections;
    return options_check_unused(options, "-vnc", known, error) && find_console(server, error) &&
           vnc_listen(server, where ? where : "", (unsigned)to, reverse, error);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void server_free(VNCServer *server)
{
    vnc_unlisten(server);
    while (server->clients) {
        disconnect(server->clients->data);
    }
    console_detach(&server->listener);
    bh_free(server->events_bh);
    g_queue_clear_full(&server->events, g_free);
    if (server->console) {
        object_unref(server->console);
    }
    vnc_address_clear(&server->address);
    explicit_bzero(server->password, sizeof(server->password));
    g_ptr_array_unref(server->sources);
    g_array_unref(server->fds);
    g_cond_clear(&server->room);
    g_mutex_clear(&server->lock);
    g_free(server->id);
    g_free(server->socket_path);
    g_free(server->display);
    g_free(server->title);
    g_free(server);
}

static char *default_id(VNCServers *servers)
{
    unsigned n = g_slist_length(servers->list);

    return n ? g_strdup_printf("vnc%u", n + 1) : g_strdup("default");
}

static void silent_log(const char *format, ...)
{
}

bool vnc_server_new(MachineState *machine, const char *text, GError **error)
{
    g_autoptr(Options) options = options_parse(text, "vnc", error);
    VNCServers *servers = find_servers(machine);
    VNCServer *server;

    if (!options || g_str_equal(text, "none")) {
        return options;
    }
    if (!servers) {
        servers = VNC_SERVERS(object_new_child(OBJECT(machine), "vnc", TYPE_VNC_SERVERS, NULL));
    }
    rfbLog = rfbErr = silent_log;
    vnc_extension_register();
    server = g_new0(VNCServer, 1);
    server->machine = machine;
    server->id =
        options_get(options, "id") ? g_strdup(options_get(options, "id")) : default_id(servers);
    server->title =
        machine->name ? g_strdup_printf("Quoin (%s)", machine->name) : g_strdup("Quoin");
    server->sources = g_ptr_array_new();
    server->fds = g_array_new(FALSE, FALSE, sizeof(int));
    server->listener = (ConsoleListener){console_resized, console_damaged, console_gone, NULL};
    server->events_bh = bh_new(machine->loop, run_events, server);
    g_mutex_init(&server->lock);
    g_cond_init(&server->room);
    g_queue_init(&server->events);
    if (!configure(server, options, error)) {
        server_free(server);
        return false;
    }
    servers->list = g_slist_append(servers->list, server);
    return true;
}

void vnc_servers_free(MachineState *machine)
{
    VNCServers *servers = find_servers(machine);

    while (servers && servers->list) {
        VNCServer *server = servers->list->data;

        servers->list = g_slist_remove(servers->list, server);
        server_free(server);
    }
}

/* ---- monitors ------------------------------------------------------------------------------- */

static VNCServer *find_server(MachineState *machine, const char *id, GError **error)
{
    VNCServers *servers = find_servers(machine);

    for (GSList *l = servers ? servers->list : NULL; l; l = l->next) {
        VNCServer *server = l->data;

        if (!id || g_str_equal(server->id, id)) {
            return server;
        }
    }
    g_set_error(error, VNC_ERROR, VNC_ERROR_STATE, "%s%s",
                id ? "no VNC server with id " : "VNC is not active (-vnc)", id ? id : "");
    return NULL;
}

bool vnc_set_password(MachineState *machine, const char *id, const char *password, GError **error)
{
    VNCServer *server = find_server(machine, id, error);

    if (server && !server->want_password) {
        g_set_error(error, VNC_ERROR, VNC_ERROR_STATE,
                    "Could not set password: this server asks for none (-vnc ...,password=on)");
        return false;
    }
    if (server) {
        store_password(server, password);
    }
    return server;
}

bool vnc_expire_password(MachineState *machine, const char *id, int64_t when, GError **error)
{
    VNCServer *server = find_server(machine, id, error);

    if (server) {
        g_mutex_lock(&server->lock);
        server->expires = when;
        g_mutex_unlock(&server->lock);
    }
    return server;
}

bool vnc_set_addresses(MachineState *machine, const char *const *where, unsigned n, GError **error)
{
    VNCServer *server = find_server(machine, NULL, error);

    if (!server) {
        return false;
    }
    vnc_unlisten(server);
    vnc_address_clear(&server->address);
    for (unsigned i = 0; i < n; i++) {
        if (!vnc_listen_at(server, where[i], error)) {
            vnc_unlisten(server);
            break;
        }
    }
    if (!server->fds->len) {
        vnc_address_clear(&server->address);
        server->address = (VNCAddress){g_strdup(""), g_strdup(""), "unknown"};
    }
    return server->fds->len || !n;
}

void vnc_server_foreach(MachineState *machine, VNCServerVisitor fn, void *opaque)
{
    VNCServers *servers = find_servers(machine);

    for (GSList *l = servers ? servers->list : NULL; l; l = l->next) {
        VNCServer *server = l->data;
        VNCServerInfo info = {server->id, auth_name(server), &server->address};

        fn(&info, opaque);
    }
}

void vnc_client_foreach(MachineState *machine, const char *id, VNCClientVisitor fn, void *opaque)
{
    VNCServer *server = find_server(machine, id, NULL);

    for (GSList *l = server ? server->clients : NULL; l; l = l->next) {
        VNCClient *client = l->data;

        if (client->initialized) {
            fn(&client->address, opaque);
        }
    }
}

static const TypeInfo vnc_types[] = {
    {.name = TYPE_VNC_SERVERS,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(VNCServers),
     .doc = "the VNC servers of a machine"},
};
DEFINE_TYPES(vnc_types)
