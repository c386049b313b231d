/* SPDX-License-Identifier: MIT
 *
 * Intel MultiProcessor Specification 1.4: 4.1 (floating pointer), 4.2 (header), 4.3 (entries).
 */
#include "hw/i386/mptable.h"
#include <string.h>

#define POINTER_SIZE    16u
#define HEADER_LENGTH   4u
#define HEADER_CHECKSUM 7u
#define HEADER_ENTRIES  34u
#define LAPIC_ADDRESS   0xfee00000u
#define LAPIC_VERSION   0x14u
#define IOAPIC_ADDRESS  0xfec00000u
#define IOAPIC_VERSION  0x20u
#define BUS_PCI         0u
#define BUS_ISA         1u
#define PCI_SLOTS       32u
#define MAX_APIC_ID     254u

#define CPU_ENABLED   1u
#define CPU_BOOTSTRAP 2u

enum { INT_VECTORED = 0, INT_NMI = 1, INT_EXTINT = 3 };
#define INT_BY_BUS     0x00u
#define INT_HIGH_LEVEL 0x0du

static void put(GByteArray *t, uint64_t value, unsigned bytes)
{
    value = GUINT64_TO_LE(value);
    g_byte_array_append(t, (uint8_t *)&value, bytes);
}

static void put_text(GByteArray *t, const char *text)
{
    g_byte_array_append(t, (const uint8_t *)text, (guint)strlen(text));
}

static uint8_t checksum(const uint8_t *data, size_t len)
{
    uint8_t sum = 0;

    while (len--) {
        sum += *data++;
    }
    return -sum;
}

static void put_pointer(GByteArray *t, uint32_t address)
{
    put_text(t, "_MP_");
    put(t, address + POINTER_SIZE, 4);
    put(t, 1, 1); /* 16 bytes */
    put(t, 4, 1); /* specification 1.4 */
    put(t, 0, 6); /* checksum; the table says it all, virtual wire */
    t->data[10] = checksum(t->data, POINTER_SIZE);
}

static void put_header(GByteArray *t)
{
    put_text(t, "PCMP");
    put(t, 0, 2); /* length */
    put(t, 4, 1);
    put(t, 0, 1); /* checksum */
    put_text(t, "QUOIN   ");
    put_text(t, "pc          ");
    put(t, 0, 6); /* no OEM table */
    put(t, 0, 2); /* entries */
    put(t, LAPIC_ADDRESS, 4);
    put(t, 0, 4); /* no extended table */
}

static unsigned put_cpus(GByteArray *t, const MPTableConfig *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->nr_cpus; i++) {
        if (c->apic_ids[i] > MAX_APIC_ID) {
            continue;
        }
        put(t, 0, 1);
        put(t, c->apic_ids[i], 1);
        put(t, LAPIC_VERSION, 1);
        put(t, CPU_ENABLED | (i == 0 ? CPU_BOOTSTRAP : 0), 1);
        put(t, c->cpu_signature, 4);
        put(t, c->cpu_features, 4);
        put(t, 0, 8);
        n++;
    }
    return n;
}

static unsigned put_bus(GByteArray *t, uint8_t id, const char *name)
{
    put(t, 1, 1);
    put(t, id, 1);
    put_text(t, name);
    return 1;
}

static unsigned put_ioapic(GByteArray *t)
{
    put(t, 2, 1);
    put(t, 0, 1);
    put(t, IOAPIC_VERSION, 1);
    put(t, 1, 1);
    put(t, IOAPIC_ADDRESS, 4);
    return 1;
}

/* Type 3: to the I/O APIC; 4: to every local APIC. */
static unsigned put_interrupt(GByteArray *t, uint8_t entry, uint8_t type, uint16_t flags,
                              uint8_t bus, uint8_t source, uint8_t apic, uint8_t pin)
{
    put(t, entry, 1);
    put(t, type, 1);
    put(t, flags, 2);
    put(t, bus, 1);
    put(t, source, 1);
    put(t, apic, 1);
    put(t, pin, 1);
    return 1;
}

/* *ret_pins: those that PCI has. */
static unsigned put_pci_interrupts(GByteArray *t, const MPTableConfig *c, uint32_t *ret_pins)
{
    unsigned n = 0;

    *ret_pins = 0;
    for (unsigned slot = 1; slot < PCI_SLOTS; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            uint8_t line = c->pci_pin(slot, pin);

            *ret_pins |= 1u << line;
            n += put_interrupt(t, 3, INT_VECTORED, INT_HIGH_LEVEL, BUS_PCI,
                               (uint8_t)(slot << 2 | pin), 0, line);
        }
    }
    return n;
}

static unsigned put_isa_interrupts(GByteArray *t, uint32_t taken)
{
    unsigned n = 0;

    for (uint8_t irq = 0; irq < 16; irq++) {
        if (irq != 2 && !(taken >> irq & 1)) {
            n += put_interrupt(t, 3, INT_VECTORED, INT_BY_BUS, BUS_ISA, irq, 0, irq ? irq : 2);
        }
    }
    return n;
}

GByteArray *mptable_build(const MPTableConfig *config, uint32_t address)
{
    GByteArray *t = g_byte_array_new();
    uint32_t pci_pins;
    unsigned n = 0;

    put_pointer(t, address);
    put_header(t);
    n += put_cpus(t, config);
    n += put_bus(t, BUS_PCI, "PCI   ");
    n += put_bus(t, BUS_ISA, "ISA   ");
    n += put_ioapic(t);
    n += put_pci_interrupts(t, config, &pci_pins);
    n += put_isa_interrupts(t, pci_pins);
    n += put_interrupt(t, 4, INT_EXTINT, INT_BY_BUS, BUS_ISA, 0, 0, 0);
    n += put_interrupt(t, 4, INT_NMI, INT_BY_BUS, BUS_ISA, 0, 0xff, 1);

    uint8_t *header = t->data + POINTER_SIZE;
    uint16_t length = GUINT16_TO_LE((uint16_t)(t->len - POINTER_SIZE));
    uint16_t entries = GUINT16_TO_LE((uint16_t)n);
    memcpy(header + HEADER_LENGTH, &length, sizeof(length));
    memcpy(header + HEADER_ENTRIES, &entries, sizeof(entries));
    header[HEADER_CHECKSUM] = checksum(header, t->len - POINTER_SIZE);
    return t;
}
