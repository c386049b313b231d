/* SPDX-License-Identifier: MIT
 *
 * A VNC viewer without a window, on libvncclient.
 *
 * usage: vnc-client HOST PORT PASSWORD|- ACTION...
 *   shot=FILE     wait for the whole screen and write it as PPM
 *   key=KEYSYM    press and release (a number as in 0x61)
 *   point=X,Y,BUTTONS
 * Before it leaves it waits for a whole screen, so that the server has read what was sent.
 * Ends with 0, or 2 if the server refuses the connection.
 */
#include <rfb/rfbclient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE_US (20 * 1000000)

static char *password;
static long updated; /* pixels since the last request */

static char *get_password(rfbClient *client)
{
    return strdup(password); /* libvncclient frees it */
}

static void got_update(rfbClient *client, int x, int y, int w, int h)
{
    updated += (long)w * h;
}

static int write_ppm(rfbClient *client, const char *path)
{
    FILE *file = fopen(path, "wb");
    const uint32_t *pixels = (const uint32_t *)client->frameBuffer;

    if (!file) {
        return -1;
    }
    fprintf(file, "P6\n%d %d\n255\n", client->width, client->height);
    for (long i = 0; i < (long)client->width * client->height; i++) {
        fputc(pixels[i] >> client->format.redShift & 255, file);
        fputc(pixels[i] >> client->format.greenShift & 255, file);
        fputc(pixels[i] >> client->format.blueShift & 255, file);
    }
    return fclose(file);
}

/* Handle messages until a whole screen has come, or a rectangle that says how large it is. */
static int wait_screen(rfbClient *client)
{
    time_t end = time(NULL) + PATIENCE_US / 1000000;

    updated = 0;
    SendFramebufferUpdateRequest(client, 0, 0, client->width, client->height, FALSE);
    while (updated < (long)client->width * client->height) {
        /* WaitForMessage() looks at the socket alone, not at what was read ahead from it. */
        int n = client->buffered ? 1 : WaitForMessage(client, 100000);

        if (n < 0 || (n > 0 && !HandleRFBServerMessage(client)) || time(NULL) > end) {
            return -1;
        }
    }
    return 0;
}

static int act(rfbClient *client, const char *action)
{
    int x, y, buttons;

    if (!strncmp(action, "shot=", 5)) {
        return wait_screen(client) < 0 || wait_screen(client) < 0 ? -1
                                                                  : write_ppm(client, action + 5);
    }
    if (!strncmp(action, "key=", 4)) {
        uint32_t key = (uint32_t)strtoul(action + 4, NULL, 0);

        return SendKeyEvent(client, key, TRUE) && SendKeyEvent(client, key, FALSE) ? 0 : -1;
    }
    if (sscanf(action, "point=%d,%d,%d", &x, &y, &buttons) == 3) {
        return SendPointerEvent(client, x, y, buttons) ? 0 : -1;
    }
    return -1;
}

int main(int argc, char **argv)
{
    rfbClient *client = rfbGetClient(8, 3, 4);
    int status = 0;

    if (argc < 4) {
        return 1;
    }
    password = argv[3];
    client->GetPassword = get_password;
    client->GotFrameBufferUpdate = got_update;
    client->appData.encodingsString = "zrle hextile raw"; /* none that loses anything */
    client->canHandleNewFBSize = FALSE;                   /* its rectangle would count as pixels */
    free(client->serverHost);
    client->serverHost = strdup(argv[1]);
    client->serverPort = atoi(argv[2]);
    if (!rfbInitClient(client, NULL, NULL)) {
        return 2; /* it has freed the client */
    }
    for (int i = 4; i < argc && !status; i++) {
        status = act(client, argv[i]) < 0;
    }
    status = status || wait_screen(client) < 0;
    free(client->frameBuffer);
    rfbClientCleanup(client);
    return status;
}
