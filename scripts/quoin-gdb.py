# SPDX-License-Identifier: MIT
"""gdb helpers: `source scripts/quoin-gdb.py`, then `qom-tree EXPR`, `mtree EXPR`.

Also prints Object pointers with their type and path.
"""
import gdb


def cstring(value):
    return value.string() if int(value) else ""


def type_name(obj):
    klass = obj["klass"]
    return cstring(klass["type"]["info"]["name"]) if int(klass) else "?"


def path(obj):
    parts = []
    while int(obj["parent"]):
        parts.append(cstring(obj["name"]))
        obj = obj["parent"].dereference()
    return "/" + "/".join(reversed(parts))


class ObjectPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f"{type_name(self.value)} at {path(self.value)} (ref {int(self.value['ref'])})"


def lookup(value):
    return ObjectPrinter(value) if value.type.strip_typedefs().tag == "Object" else None


def hash_table(table):
    """Keys and values of a GHashTable, by calling GLib in the process."""
    keys = gdb.parse_and_eval(f"(void *)g_hash_table_get_keys((void *){int(table)})")
    while int(keys):
        node = keys.cast(gdb.lookup_type("GList").pointer()).dereference()
        key = node["data"]
        value = gdb.parse_and_eval(
            f"(void *)g_hash_table_lookup((void *){int(table)}, (void *){int(key)})")
        yield cstring(key.cast(gdb.lookup_type("char").pointer())), value
        keys = node["next"]


class QomTree(gdb.Command):
    """qom-tree EXPR: the composition tree below an Object."""

    def __init__(self):
        super().__init__("qom-tree", gdb.COMMAND_DATA)

    def show(self, obj, depth):
        print("  " * depth + f"{cstring(obj['name']) or '/'} ({type_name(obj)})")
        if not int(obj["properties"]):
            return
        for _, value in sorted(hash_table(obj["properties"]), key=lambda item: item[0]):
            prop = value.cast(gdb.lookup_type("ObjectProperty").pointer()).dereference()
            if int(prop["child"]):
                self.show(prop["child"].dereference(), depth + 1)

    def invoke(self, argument, from_tty):
        obj = gdb.parse_and_eval(argument)
        self.show(obj.cast(gdb.lookup_type("Object").pointer()).dereference(), 0)


class MemoryTree(gdb.Command):
    """mtree EXPR: the tree of regions below a MemoryRegion."""

    def __init__(self):
        super().__init__("mtree", gdb.COMMAND_DATA)

    def show(self, region, base, depth):
        start = base + int(region["addr"])
        last = start + int(region["size"]) - 1
        print("  " * depth + f"{start:016x}-{last:016x} {cstring(region['name'])}")
        node = region["subregions"]
        while int(node):
            data = node["data"].cast(gdb.lookup_type("MemoryRegion").pointer())
            self.show(data.dereference(), start, depth + 1)
            node = node["next"]

    def invoke(self, argument, from_tty):
        region = gdb.parse_and_eval(argument)
        self.show(region.cast(gdb.lookup_type("MemoryRegion").pointer()).dereference(), 0, 0)


gdb.pretty_printers.append(lookup)
QomTree()
MemoryTree()
