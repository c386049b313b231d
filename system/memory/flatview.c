/* SPDX-License-Identifier: MIT
 *
 * From the tree of regions to a sorted list of ranges.
 */
#include <string.h>

#include "system/memory/memory-internal.h"

typedef __int128 Wide; /* addresses and ends up to 2^64, and below 0 for alias bases */

typedef struct Span {
    Wide start, end; /* end is exclusive */
} Span;

static Span span_intersect(Span a, Span b)
{
    return (Span){MAX(a.start, b.start), MIN(a.end, b.end)};
}

static FlatRange flat_range(const MemoryRegion *mr, Span span, Wide base, bool readonly)
{
    return (FlatRange){
        .start = (hwaddr)span.start,
        .last = (hwaddr)(span.end - 1),
        .mr = (MemoryRegion *)mr,
        .offset_in_region = (hwaddr)(span.start - base),
        .readonly = readonly,
        .romd = mr->rom_device && mr->romd_mode,
    };
}

/* Put what is not yet covered of `span` into the sorted array. */
static void fill_gaps(GArray *ranges, const MemoryRegion *mr, Span span, Wide base, bool readonly)
{
    Wide at = span.start;

    for (guint i = 0; i < ranges->len && at < span.end; i++) {
        FlatRange r = g_array_index(ranges, FlatRange, i);
        if ((Wide)r.last < at) {
            continue;
        }
        if ((Wide)r.start > at) {
            FlatRange gap =
                flat_range(mr, (Span){at, MIN(span.end, (Wide)r.start)}, base, readonly);
            g_array_insert_val(ranges, i, gap);
            i++;
        }
        at = (Wide)r.last + 1;
    }
    if (at < span.end) {
        FlatRange tail = flat_range(mr, (Span){at, span.end}, base, readonly);
        guint i = ranges->len;
        while (i && g_array_index(ranges, FlatRange, i - 1).start > tail.start) {
            i--;
        }
        g_array_insert_val(ranges, i, tail);
    }
}

static void render(GArray *ranges, const MemoryRegion *mr, Wide base, Span clip, bool readonly)
{
    if (!mr->enabled) {
        return;
    }
    base += mr->addr;
    readonly |= mr->readonly;
    clip = span_intersect(clip, (Span){base, base + (Wide)region_size128(mr)});
    if (clip.start >= clip.end) {
        return;
    }
    if (mr->alias) {
        render(ranges, mr->alias, base - mr->alias->addr - (Wide)mr->alias_offset, clip, readonly);
        return;
    }
    for (GList *l = mr->subregions; l; l = l->next) {
        render(ranges, l->data, base, clip, readonly);
    }
    if (mr->terminates) {
        fill_gaps(ranges, mr, clip, base, readonly);
    }
}

static bool can_merge(const FlatRange *a, const FlatRange *b)
{
    return a->mr == b->mr && a->last + 1 == b->start && a->readonly == b->readonly &&
           a->romd == b->romd &&
           a->offset_in_region + (b->start - a->start) == b->offset_in_region;
}

static void simplify(GArray *ranges)
{
    for (guint i = 1; i < ranges->len;) {
        FlatRange *a = &g_array_index(ranges, FlatRange, i - 1);
        FlatRange *b = &g_array_index(ranges, FlatRange, i);
        if (can_merge(a, b)) {
            a->last = b->last;
            g_array_remove_index(ranges, i);
        } else {
            i++;
        }
    }
}

FlatView *flatview_render(MemoryRegion *root)
{
    GArray *ranges = g_array_new(FALSE, FALSE, sizeof(FlatRange));
    FlatView *view = g_new0(FlatView, 1);

    if (root) {
        render(ranges, root, 0, (Span){0, (Wide)1 << 64}, false);
    }
    simplify(ranges);
    view->nr = ranges->len;
    view->ranges = (FlatRange *)g_array_free(ranges, FALSE);
    return view;
}

void flatview_free(void *opaque)
{
    FlatView *view = opaque;

    g_free(view->ranges);
    g_free(view);
}

const FlatRange *flatview_lookup(const FlatView *view, hwaddr addr)
{
    unsigned low = 0, high = view->nr;

    while (low < high) {
        unsigned mid = (low + high) / 2;
        const FlatRange *r = &view->ranges[mid];
        if (addr < r->start) {
            high = mid;
        } else if (addr > r->last) {
            low = mid + 1;
        } else {
            return r;
        }
    }
    return NULL;
}

bool flat_range_equal(const FlatRange *a, const FlatRange *b)
{
    return a->mr == b->mr && a->start == b->start && a->last == b->last &&
           a->offset_in_region == b->offset_in_region && a->readonly == b->readonly &&
           a->romd == b->romd;
}

void *flat_range_host(const FlatRange *range, hwaddr addr)
{
    if (!range->mr->ram && !range->romd) {
        return NULL;
    }
    return range->mr->ram_block->host + range->offset_in_region + (addr - range->start);
}
