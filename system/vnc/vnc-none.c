/* SPDX-License-Identifier: MIT
 *
 * In place of the VNC server, where the program is built without libvncserver.
 */
#include "system/vnc/vnc.h"

G_DEFINE_QUARK(quoin - vnc - error - quark, vnc_error)

static bool not_built(GError **error)
{
    g_set_error(error, VNC_ERROR, VNC_ERROR_STATE, "this program was built without libvncserver");
    return false;
}

bool vnc_server_new(MachineState *machine, const char *options, GError **error)
{
    return g_str_equal(options, "none") || not_built(error);
}

void vnc_servers_free(MachineState *machine)
{
}

bool vnc_set_password(MachineState *machine, const char *id, const char *password, GError **error)
{
    return not_built(error);
}

bool vnc_expire_password(MachineState *machine, const char *id, int64_t when, GError **error)
{
    return not_built(error);
}

bool vnc_set_addresses(MachineState *machine, const char *const *where, unsigned n, GError **error)
{
    return not_built(error);
}

void vnc_server_foreach(MachineState *machine, VNCServerVisitor fn, void *opaque)
{
}

void vnc_client_foreach(MachineState *machine, const char *id, VNCClientVisitor fn, void *opaque)
{
}
