/* SPDX-License-Identifier: MIT
 *
 * VMware's port 5658h, by which a guest talks to the machine through its registers, and the
 * absolute pointer behind it (open-vm-tools, lib/include/backdoor_def.h; Linux,
 * drivers/input/mouse/vmmouse.c).
 */
#include "lib/guest.h"

#define PORT  0x5658
#define MAGIC 0x564d5868u

#define GET_VERSION    10
#define GET_UUID       19
#define GET_RAM_SIZE   20
#define POINTER_DATA   39
#define POINTER_STATUS 40
#define POINTER_ORDER  41

#define ORDER_ENABLE   0x45414552u
#define ORDER_RELATIVE 0x4c455252u
#define ORDER_ABSOLUTE 0x53424152u
#define ORDER_DISABLE  0x000000f5u

static struct {
    uint32_t ax, bx, cx, dx, si, di;
} r;

static void call(uint32_t magic, uint32_t bx, uint32_t cx)
{
    r.si = 0x51515151;
    r.di = 0xd1d1d1d1;
    __asm__ volatile("inl %%dx, %%eax"
                     : "=a"(r.ax), "=b"(r.bx), "=c"(r.cx), "=d"(r.dx), "+S"(r.si), "+D"(r.di)
                     : "a"(magic), "b"(bx), "c"(cx), "d"(PORT)
                     : "memory");
}

static void show(const char *name, uint32_t magic, uint32_t bx, uint32_t cx)
{
    call(magic, bx, cx);
    print("%s: ax %x bx %x cx %x dx %x si %x di %x\n", name, (Word)r.ax, (Word)r.bx, (Word)r.cx,
          (Word)r.dx, (Word)r.si, (Word)r.di);
}

static void order(const char *name, uint32_t order)
{
    show(name, MAGIC, order, POINTER_ORDER);
}

static void status(void)
{
    show("status", MAGIC, 0, POINTER_STATUS);
}

static void data(const char *name, uint32_t words)
{
    show(name, MAGIC, words, POINTER_DATA);
}

static void narrow(void)
{
    Word ax = MAGIC, bx = 0, cx = GET_VERSION;

    __asm__ volatile("inb %%dx, %%al" : "+a"(ax), "+b"(bx), "+c"(cx) : "d"((Word)PORT));
    print("8 bits: ax %x bx %x\n", ax, bx);
    ax = MAGIC;
    cx = GET_VERSION;
    __asm__ volatile("outl %%eax, %%dx" : "+a"(ax), "+b"(bx), "+c"(cx) : "d"((Word)PORT));
    print("write: ax %x cx %x\n", ax, cx);
}

static void identify(void)
{
    show("not magic", 0x12345678, 0xb1b1b1b1, GET_VERSION);
    show("version", MAGIC, 0xb1b1b1b1, GET_VERSION);
    show("version, high cx", MAGIC, 0xb1b1b1b1, 0xabcd0000 | GET_VERSION);
    show("uuid", MAGIC, 0xb1b1b1b1, GET_UUID);
    show("memory", MAGIC, 0xb1b1b1b1, GET_RAM_SIZE);
    show("no command", MAGIC, 0xb1b1b1b1, 0x1f);
    show("no command, large", MAGIC, 0xb1b1b1b1, 0x1234);
    show("no command, 0", MAGIC, 0xb1b1b1b1, 0);
}

static void pointer(void)
{
    order("disable", ORDER_DISABLE);
    call(MAGIC, 0, POINTER_STATUS);
    for (unsigned words = r.ax & 0xffff; words > 0; words--) {
        call(MAGIC, 1, POINTER_DATA); /* of the round before */
    }
    status();
    data("read nothing", 4);
    order("enable", ORDER_ENABLE);
    status();
    data("read the version", 1);
    status();
    order("absolute", ORDER_ABSOLUTE);
    data("read too much", 4);
    status();
    order("enable", ORDER_ENABLE);
    order("enable again", ORDER_ENABLE);
    status();
    data("read both", 2);
    data("read 0", 0);
    status();
    order("no order", 77);
    order("enable", ORDER_ENABLE);
    order("relative", ORDER_RELATIVE);
    order("disable", ORDER_DISABLE);
    status();
}

void guest_main(void)
{
    identify();
    pointer();
    narrow();
}
