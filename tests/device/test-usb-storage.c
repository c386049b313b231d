/* SPDX-License-Identifier: MIT
 *
 * A USB stick, driven without a host controller: wrappers, sectors, errors, resets.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "hw/usb/usb.h"
#include "pci-test.h"
#include "system/block/block.h"

#define SECTORS 600
#define PASSED  0
#define FAILED  1
#define PHASE   2

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
    USBDevice *dev;
    char *image;
    uint32_t tag;
} Fixture;

static uint8_t image_byte(size_t i)
{
    return (uint8_t)(i / 512 * 7 + i * 3);
}

static void make_image(Fixture *f)
{
    g_autofree uint8_t *data = g_malloc(SECTORS * 512);
    int fd = g_file_open_tmp("usb-XXXXXX", &f->image, NULL);

    for (size_t i = 0; i < SECTORS * 512; i++) {
        data[i] = image_byte(i);
    }
    g_assert_cmpint(write(fd, data, SECTORS * 512), ==, SECTORS * 512);
    close(fd);
}

static int control(Fixture *f, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
                   uint16_t length, uint8_t *data)
{
    USBSetup setup = {type, request, value, index, length};

    return usb_device_control(f->dev, &setup, data);
}

static void start(Fixture *f, const char *more)
{
    GError *error = NULL;
    g_autofree char *drive = NULL;
    PCIDevice *xhci;

    *f = (Fixture){.p = pci_test_new()};
    f->t = f->p->t;
    make_image(f);
    drive = g_strdup_printf("if=none,id=stick,format=raw,file=%s%s", f->image, more);
    pci_test_drive(f->p, drive);
    xhci = pci_create(f->p->bus, -1, "qemu-xhci", &error);
    g_assert_no_error(error);
    f->dev = USB_DEVICE(qdev_new("usb-storage", NULL));
    object_property_parse(OBJECT(f->dev), "drive", "stick", &error);
    g_assert_no_error(error);
    object_add_child(f->t->machine->peripheral, "usb", OBJECT(f->dev), &error);
    qdev_realize(DEVICE(f->dev), qdev_get_child_bus(DEVICE(xhci), "usb-bus.0"), &error);
    g_assert_no_error(error);
    object_unref(f->dev);
    test_reset(f->t);
    g_assert_cmpint(control(f, 0, USB_SET_CONFIGURATION, 1, 0, 0, NULL), ==, 0);
}

static void stop(Fixture *f)
{
    pci_test_free(f->p);
    g_unlink(f->image);
    g_free(f->image);
}

/* A transfer, as often as the device wants it asked. */
static int transfer(Fixture *f, bool in, void *buf, size_t len)
{
    int ret = USB_RET_NAK;

    for (int i = 0; i < 5000 && ret == USB_RET_NAK; i++) {
        ret = usb_device_data(f->dev, in ? 1 : 2, in, buf, len);
        if (ret == USB_RET_NAK) {
            g_usleep(1000);
            test_poll(f->t);
        }
    }
    return ret;
}

static void send_command(Fixture *f, const uint8_t *cdb, unsigned n, bool in, uint32_t length)
{
    uint8_t cbw[31] = {'U', 'S', 'B', 'C'};

    f->tag += 0x01020304;
    memcpy(cbw + 4, &f->tag, 4);
    memcpy(cbw + 8, &length, 4);
    cbw[12] = in ? 0x80 : 0;
    cbw[14] = (uint8_t)n;
    memcpy(cbw + 15, cdb, n);
    g_assert_cmpint(transfer(f, false, cbw, sizeof(cbw)), ==, sizeof(cbw));
}

static void expect_status(Fixture *f, uint8_t status, uint32_t residue)
{
    uint8_t csw[64];
    uint32_t words[3];

    g_assert_cmpint(transfer(f, true, csw, sizeof(csw)), ==, 13);
    memcpy(words, csw, sizeof(words));
    g_assert_cmphex(words[0], ==, 0x53425355);
    g_assert_cmphex(words[1], ==, f->tag);
    g_assert_cmpuint(words[2], ==, residue);
    g_assert_cmpuint(csw[12], ==, status);
}

/* A command that brings `want` bytes of the `length` that the host would take. */
static void ask(Fixture *f, const uint8_t *cdb, unsigned n, void *buf, uint32_t length, int want,
                uint8_t status)
{
    send_command(f, cdb, n, true, length);
    if (length) {
        g_assert_cmpint(transfer(f, true, buf, length), ==, want);
    }
    expect_status(f, status, length - (uint32_t)want);
}
#define ASK(f, buf, length, want, status, ...)                                                     \
    ask(f, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), buf, length,    \
        want, status)

static void expect_sense(Fixture *f, uint8_t sense, uint8_t asc)
{
    uint8_t reply[18];

    ASK(f, reply, 18, 18, PASSED, 3, 0, 0, 0, 18, 0);
    g_assert_cmphex(reply[2], ==, sense);
    g_assert_cmphex(reply[12], ==, asc);
}

static void expect_image(const uint8_t *bytes, size_t from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        g_assert_cmphex(bytes[i], ==, image_byte(from + i));
    }
}

static void test_identity(void)
{
    Fixture f;
    uint8_t reply[255];

    start(&f, ",serial=ABC123");
    g_assert_cmpint(control(&f, 0xa1, 0xfe, 0, 0, 1, reply), ==, 1);
    g_assert_cmpuint(reply[0], ==, 0);
    g_assert_cmpint(control(&f, 0x80, USB_GET_DESCRIPTOR, USB_DT_CONFIG << 8, 0, 255, reply), ==,
                    32);
    g_assert_true(reply[14] == 8 && reply[15] == 6 && reply[16] == 0x50);
    ASK(&f, reply, 36, 36, PASSED, 0x12, 0, 0, 0, 36, 0);
    g_assert_cmpuint(reply[0], ==, 0);
    g_assert_true(!memcmp(reply + 8, "QUOIN   USB HARDDRIVE   ", 24));
    ASK(&f, reply, 96, 36, PASSED, 0x12, 0, 0, 0, 96, 0); /* a short packet, and a residue */
    ASK(&f, reply, 255, 10, PASSED, 0x12, 1, 0x80, 0, 255, 0);
    g_assert_true(!memcmp(reply,
                          "\0\x80\0\x06"
                          "ABC123",
                          10));
    ASK(&f, reply, 255, 0, FAILED, 0x12, 1, 0x42, 0, 255, 0);
    expect_sense(&f, 5, 0x24);
    expect_sense(&f, 0, 0); /* it is told once */
    ASK(&f, NULL, 0, 0, PASSED, 0, 0, 0, 0, 0, 0);
    ASK(&f, reply, 8, 8, PASSED, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    g_assert_true(!memcmp(reply, "\0\0\x02\x57\0\0\x02\0", 8));
    ASK(&f, reply, 32, 32, PASSED, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
    g_assert_true(!memcmp(reply, "\0\0\0\0\0\0\x02\x57\0\0\x02\0", 12));
    ASK(&f, reply, 192, 24, PASSED, 0x1a, 0, 0x3f, 0, 192, 0);
    g_assert_true(reply[0] == 23 && reply[2] == 0 && reply[4] == 8 && reply[6] == 4);
    ASK(&f, NULL, 0, 0, FAILED, 0xe7, 0, 0, 0, 0, 0);
    expect_sense(&f, 5, 0x20);
    stop(&f);
}

static void test_sectors(void)
{
    Fixture f;
    g_autofree uint8_t *buf = g_malloc(SECTORS * 512);
    g_autofree char *kept = NULL;

    start(&f, "");
    ASK(&f, buf, 1024, 1024, PASSED, 0x28, 0, 0, 0, 0, 5, 0, 0, 2, 0);
    expect_image(buf, 5 * 512, 1024);
    /* in three transfers, none of them of whole sectors */
    send_command(&f, (const uint8_t[]){0x28, 0, 0, 0, 0, 0, 0, 0x01, 0x00, 0}, 10, true, 131072);
    g_assert_cmpint(transfer(&f, true, buf, 50000), ==, 50000);
    g_assert_cmpint(transfer(&f, true, buf + 50000, 1), ==, 1);
    g_assert_cmpint(transfer(&f, true, buf + 50001, 81071), ==, 81071);
    expect_status(&f, PASSED, 0);
    expect_image(buf, 0, 131072);

    memset(buf, 0x5a, 1024);
    send_command(&f, (const uint8_t[]){0x2a, 0, 0, 0, 2, 0x56, 0, 0, 2, 0}, 10, false, 1024);
    g_assert_cmpint(transfer(&f, false, buf, 512), ==, 512);
    g_assert_cmpint(transfer(&f, false, buf, 512), ==, 512);
    expect_status(&f, PASSED, 0);
    ASK(&f, NULL, 0, 0, PASSED, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    g_assert_true(g_file_get_contents(f.image, &kept, NULL, NULL));
    g_assert_true((uint8_t)kept[598 * 512] == 0x5a && (uint8_t)kept[600 * 512 - 1] == 0x5a);
    g_assert_cmphex((uint8_t)kept[598 * 512 - 1], ==, image_byte(598 * 512 - 1));

    ASK(&f, buf, 1024, 0, FAILED, 0x28, 0, 0, 0, 2, 0x57, 0, 0, 2, 0); /* beyond the end */
    expect_sense(&f, 5, 0x21);
    send_command(&f, (const uint8_t[]){0x2a, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0}, 10, false,
                 512);
    g_assert_cmpint(transfer(&f, false, buf, 512), ==, 512); /* taken, and dropped */
    expect_status(&f, FAILED, 0);
    stop(&f);
}

static void test_read_only(void)
{
    Fixture f;
    uint8_t buf[512] = {0};

    start(&f, ",readonly=on");
    ASK(&f, buf, 192, 4, PASSED, 0x1a, 0, 0, 0, 192, 0);
    g_assert_cmphex(buf[2], ==, 0x80);
    send_command(&f, (const uint8_t[]){0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0}, 10, false, 512);
    g_assert_cmpint(transfer(&f, false, buf, 512), ==, 512);
    expect_status(&f, FAILED, 0);
    expect_sense(&f, 7, 0x27);
    stop(&f);
}

/* A host that talks otherwise than a command does, or nonsense. */
static void test_wrong_words(void)
{
    Fixture f;
    uint8_t buf[512], cbw[31] = "USBX";

    start(&f, "");
    send_command(&f, (const uint8_t[]){0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0}, 10, true, 512);
    g_assert_cmpint(transfer(&f, true, buf, 512), ==, 0);
    expect_status(&f, PHASE, 512);
    send_command(&f, (const uint8_t[]){0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0}, 10, true, 512);
    g_assert_cmpint(transfer(&f, true, buf, 512), ==, 0);
    expect_status(&f, PHASE, 512);
    g_assert_cmpint(transfer(&f, false, cbw, sizeof(cbw)), ==, USB_RET_STALL);
    for (unsigned i = 0; i < 2; i++) { /* clearing the halts is not enough */
        g_assert_cmpint(transfer(&f, false, cbw, sizeof(cbw)), ==, USB_RET_STALL);
        g_assert_cmpint(transfer(&f, true, buf, 13), ==, USB_RET_STALL);
        g_assert_cmpint(control(&f, 2, USB_CLEAR_FEATURE, 0, 0x81, 0, NULL), ==, 0);
        g_assert_cmpint(control(&f, 2, USB_CLEAR_FEATURE, 0, 0x02, 0, NULL), ==, 0);
    }
    g_assert_cmpint(control(&f, 0x21, 0xff, 0, 0, 0, NULL), ==, 0);
    ASK(&f, buf, 512, 512, PASSED, 0x28, 0, 0, 0, 0, 9, 0, 0, 1, 0);
    expect_image(buf, 9 * 512, 512);
    stop(&f);
}

/* What the host gives up while the image is read is forgotten, even by a stick that is gone. */
static void test_given_up(void)
{
    Fixture f;
    uint8_t buf[1024];

    start(&f, "");
    for (int i = 0; i < 50; i++) {
        send_command(&f, (const uint8_t[]){0x28, 0, 0, 0, 0, 1, 0, 0, 2, 0}, 10, true, 1024);
        g_assert_cmpint(usb_device_data(f.dev, 1, true, buf, 1024), ==, USB_RET_NAK);
        g_assert_cmpint(control(&f, 0x21, 0xff, 0, 0, 0, NULL), ==, 0);
        ASK(&f, buf, 512, 512, PASSED, 0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0);
        expect_image(buf, 3 * 512, 512);
    }
    send_command(&f, (const uint8_t[]){0x28, 0, 0, 0, 0, 1, 0, 0, 2, 0}, 10, true, 1024);
    g_assert_cmpint(usb_device_data(f.dev, 1, true, buf, 1024), ==, USB_RET_NAK);
    object_unparent(OBJECT(f.dev));
    test_poll(f.t);
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/usb-storage/identity", test_identity);
    g_test_add_func("/usb-storage/sectors", test_sectors);
    g_test_add_func("/usb-storage/read-only", test_read_only);
    g_test_add_func("/usb-storage/wrong-words", test_wrong_words);
    g_test_add_func("/usb-storage/given-up", test_given_up);
    return g_test_run();
}
