"""Mutations of the tar and of its compression."""

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import zlib
from collections.abc import Callable

from tests.contract.archives import Records

Members = list[tuple[tarfile.TarInfo, bytes]]
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def _members(files: dict[str, bytes], prefix: str = "") -> Members:
    return [(_member(prefix + name, len(content)), content) for name, content in files.items()]


def _member(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    for key, value in more.items():
        setattr(member, key, value)
    return member


def _tar(members: Members, form: int = tarfile.PAX_FORMAT, pax: dict[str, str] | None = None) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form, pax_headers=pax, errors="surrogateescape") as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _gz(content: bytes) -> bytes:
    return gzip.compress(content, 6, mtime=0)


def _raw_header(
    name: bytes, size: bytes, kind: bytes = b"0", magic: bytes = b"ustar\x0000", mtime: bytes = b"0" * 11 + b"\0"
) -> bytes:
    """A header whose fields are just these bytes, with a right checksum."""
    block = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size.ljust(12, b"\0") + mtime + b" " * 8 + kind
    block = (block + bytes(100) + magic).ljust(512, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def compression(base: Records, chance: random.Random) -> tuple[str, bytes]:
    content = _tar(_members(base.files()))
    ways: dict[str, bytes] = {
        "none": content,
        "gzip": _gz(content),
        "bzip2": bz2.compress(content),
        "xz": lzma.compress(content),
        "lzma": lzma.compress(content, lzma.FORMAT_ALONE),
        "xz without checksum": lzma.compress(content, check=lzma.CHECK_NONE),
        "zstd": _zstd(content),
        "gzip in gzip": _gz(_gz(content)),
        "gzip of bzip2": _gz(bz2.compress(content)),
        "two gzip members": _gz(content[:1000]) + _gz(content[1000:]),
        "two bzip2 streams": bz2.compress(content[:1000]) + bz2.compress(content[1000:]),
        "two xz streams": lzma.compress(content[:1000]) + lzma.compress(content[1000:]),
        "zlib": zlib.compress(content),
        "gzip with a name, a comment and more": _gzip_with_everything(content),
        "an empty gzip member before": _gz(b"") + _gz(content),
        "raw deflate": zlib.compress(content)[2:-4],
        "nothing in gzip": _gz(b""),
        "nothing": b"",
        "garbage": bytes(range(256)) * 4,
        "gzip of text": _gz(b"no tar at all" * 100),
        "zip": b"PK\x03\x04" + content,
    }
    name = chance.choice(sorted(ways))
    return f"compressed: {name}", ways[name]


def _zstd(content: bytes) -> bytes:
    """One frame of one stored block, as the format's specification has it."""
    block = struct.pack("<I", len(content) << 3 | 1)[:3] + content
    return ZSTD_MAGIC + b"\xa0" + struct.pack("<I", len(content)) + block


def _gzip_with_everything(content: bytes) -> bytes:
    deflated = zlib.compressobj(wbits=-15)
    body = deflated.compress(content) + deflated.flush()
    header = b"\x1f\x8b\x08\x1c" + bytes(4) + b"\0\x03" + struct.pack("<H", 4) + b"ab\0\0" + b"name\0" + b"comment\0"
    return header + body + struct.pack("<II", zlib.crc32(content), len(content))


def damaged_compression(base: Records, chance: random.Random) -> tuple[str, bytes]:
    content = _tar(_members(base.files()))
    packed = {"gzip": _gz(content), "bzip2": bz2.compress(content), "xz": lzma.compress(content)}
    name = chance.choice(sorted(packed))
    ways: dict[str, Callable[[bytes], bytes]] = {
        "cut in the middle": lambda data: data[: len(data) // 2],
        "cut by four bytes": lambda data: data[:-4],
        "cut to ten bytes": lambda data: data[:10],
        "a wrong checksum at its end": lambda data: data[:-8] + bytes(byte ^ 255 for byte in data[-8:-4]) + data[-4:],
        "a wrong size at its end": lambda data: data[:-4] + bytes(byte ^ 255 for byte in data[-4:]),
        "garbage behind it": lambda data: data + b"garbage" * 5,
        "zeros behind it": lambda data: data + bytes(700),
        "a wrong byte near its beginning": lambda data: data[:40] + bytes([data[40] ^ 255]) + data[41:],
        "a wrong magic": lambda data: b"\0" + data[1:],
    }
    way = chance.choice(sorted(ways))
    return f"{name} with {way}", ways[way](packed[name])


def end_of_tar(base: Records, chance: random.Random) -> tuple[str, bytes]:
    content = _tar(_members(base.files()))
    body = content.rstrip(b"\0")
    body += bytes(-len(body) % 512)
    ways = {
        "no end mark": body,
        "half an end mark": body + bytes(512),
        "an end mark cut short": body + bytes(100),
        "cut within padding": body[:-1],
        "cut within the last file": body[: -512 - 20],
        "cut by a block": body[:-512],
        "a header cut short": body + _raw_header(b"x", b"00000000000\0")[:300],
        "a header with a wrong checksum": body + b"x" * 512,
        "garbage behind the end": content + b"garbage" * 500,
        "one zero block, then another tar": body + bytes(512) + content,
        "another tar behind the end": content + content,
        "zeros without end": content + bytes(20_000),
        "a zero block first": bytes(512) + content,
        "nothing but zeros": bytes(10_240),
        "cut to nothing": b"",
        "a broken first header": b"x" * 512 + content[512:],
    }
    name, zipped = chance.choice(sorted(ways)), chance.random() < 0.5
    return f"tar with {name}{', in gzip' if zipped else ''}", _gz(ways[name]) if zipped else ways[name]


def directories(base: Records, chance: random.Random) -> tuple[str, bytes]:
    files = base.files()
    manifest = {"manifest.json": files["manifest.json"]}
    rest = {name: content for name, content in files.items() if name != "manifest.json"}
    folder = [(_member("other", kind=tarfile.DIRTYPE, mode=0o755), b"")]
    deep = [(_member("x/y", kind=tarfile.DIRTYPE, mode=0o755), b"")]
    ways: dict[str, Members] = {
        "all in a directory": _members(files, "graph/"),
        "all in ./": _members(files, "./"),
        "all in a directory within one": _members(files, "a/b/"),
        "an empty directory beside the manifest's": [*_members(files, "graph/"), *folder],
        "a directory beside a manifest at the top": [*_members(files), *folder],
        "a file beside the manifest's directory": [*_members(files, "graph/"), *_members({"README": b"x"})],
        "a second directory with files": [*_members(files, "graph/"), *_members({"a/b": b"x"})],
        "records at the top, manifest in a directory": [*_members(rest), *_members(manifest, "graph/")],
        "manifest at the top, records in a directory": [*_members(manifest), *_members(rest, "graph/")],
        "two archives, top and directory": [*_members(files), *_members(files, "graph/")],
        "two directories with an archive each": [*_members(files, "a/"), *_members(files, "b/")],
        "a directory called manifest.json": [*_members(rest), (_member("manifest.json", kind=tarfile.DIRTYPE), b"")],
        "a directory called facts.jsonl": [
            *_members({n: c for n, c in files.items() if n != "facts.jsonl"}),
            (_member("facts.jsonl", kind=tarfile.DIRTYPE), b""),
        ],
        "a directory without rights": [
            (_member("graph", kind=tarfile.DIRTYPE, mode=0), b""),
            *_members(files, "graph/"),
        ],
        "a directory within the manifest's": [*deep, *_members(files, "x/")],
        "the same file by two names": [*_members(files), *_members({"./manifest.json": files["manifest.json"]})],
        "a macOS directory": [*_members(files, "graph/"), *_members({"__MACOSX/x": b"x"})],
        "a directory's name with a slash at its end": [
            (_member("graph/", kind=tarfile.DIRTYPE), b""),
            *_members(files, "graph/"),
        ],
        "the top as a directory": [(_member("./", kind=tarfile.DIRTYPE, mode=0o755), b""), *_members(files, "./")],
    }
    name = chance.choice(sorted(ways))
    return name, _gz(_tar(ways[name]))


def names(base: Records, chance: random.Random) -> tuple[str, bytes]:
    name = chance.choice(
        [
            "../x",
            "/x",
            "a/../x",
            "..",
            "..\\x",
            "C:\\x",
            "C:x",
            "a\\b",
            "x" * 300,
            "x/" * 150 + "x",
            "\udcff",
            "",
            ".",
            "a//b",
            "x ",
            "con",
            "a\nb",
            "\u00e9",
            "...",
            "./.",
            "manifest.json/",
            "Manifest.json",
            "facts.jsonl.bak",
            "permissions.json.txt",
            "x\0y",
        ]
    )
    member = (_member(name, 1), b"x")
    members = _members(base.files())
    members.insert(chance.choice([0, len(members)]), member)
    return f"a file called {name!r:.60}", _gz(_tar(members, chance.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])))


def same_file_twice(base: Records, chance: random.Random) -> tuple[str, bytes]:
    files = base.files()
    name = chance.choice(sorted(files))
    second = chance.choice([files[name], b"", b"no JSON\n", b'{"cogx_version": "9.0"}'])
    members = _members(files)
    members.insert(chance.choice([0, len(members)]), (_member(name, len(second)), second))
    return f"{name} twice, one of them {second!r:.30}", _gz(_tar(members))


def file_and_directory(base: Records, chance: random.Random) -> tuple[str, bytes]:
    members = _members(base.files())
    ways: dict[str, Members] = {
        "a file below a file": [(_member("a", 1), b"x"), (_member("a/b", 1), b"x")],
        "a file in the place of a directory": [(_member("a", kind=tarfile.DIRTYPE), b""), (_member("a", 1), b"x")],
        "a file below a record file": [(_member("entities.jsonl/x", 1), b"x")],
        "the same directory twice": [(_member("a", kind=tarfile.DIRTYPE), b"")] * 2,
    }
    name = chance.choice(sorted(ways))
    return name, _gz(_tar([*members, *ways[name]]))


def kinds(base: Records, chance: random.Random) -> tuple[str, bytes]:
    kind, name = chance.choice(
        [
            (tarfile.SYMTYPE, "symbolic link"),
            (tarfile.LNKTYPE, "hard link"),
            (tarfile.CHRTYPE, "device"),
            (tarfile.FIFOTYPE, "pipe"),
            (tarfile.CONTTYPE, "contiguous file"),
            (tarfile.AREGTYPE, "old file"),
            (b"Z", "unknown type"),
            (b"M", "multi-volume"),
            (b"V", "volume name"),
        ]
    )
    files = base.files()
    place = chance.choice(["facts.jsonl", "link", "manifest.json"])
    content = files.pop(place, b"{}") if kind in (tarfile.CONTTYPE, tarfile.AREGTYPE, b"Z") else b""
    files.pop(place, None)
    target = chance.choice(["/etc/hostname", "entities.jsonl", "nowhere"])
    return f"{place} is a {name}", _gz(
        _tar([*_members(files), (_member(place, len(content), kind, linkname=target), content)])
    )


def extended_headers(base: Records, chance: random.Random) -> tuple[str, bytes]:
    files = base.files()
    members = _members(files)
    odd: dict[str, dict[str, str]] = {
        "a comment": {"comment": "hello"},
        "a fractional time": {"mtime": "1.5"},
        "a huge time": {"mtime": "1e300"},
        "a time that is no number": {"mtime": "nan"},
        "a time in words": {"mtime": "soon"},
        "a size": {"size": str(len(files["manifest.json"]))},
        "a wrong size": {"size": "3"},
        "a size in words": {"size": "many"},
        "a negative owner": {"uid": "-1"},
        "a huge owner": {"uid": "9" * 30},
        "a path": {"path": "manifest.json"},
        "a path that leads out": {"path": "../manifest.json"},
        "another path": {"path": "other"},
        "a link's path": {"linkpath": "/etc/passwd"},
        "an unknown key": {"SCHILY.xattr.user.x": "y"},
        "a character set": {"hdrcharset": "BINARY"},
        "sparse of version 1.0": {
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.name": "manifest.json",
            "GNU.sparse.realsize": "30",
        },
        "a sparse map": {"GNU.sparse.map": "0,3", "GNU.sparse.size": "10"},
        "a sparse map in words": {"GNU.sparse.map": "a,b", "GNU.sparse.size": "10"},
        "an empty path": {"path": ""},
    }
    name = chance.choice(sorted(odd))
    members[0][0].pax_headers = odd[name]
    return f"the manifest's extended header has {name}", _gz(_tar(members))


def global_headers(base: Records, chance: random.Random) -> tuple[str, bytes]:
    odd = {
        "a comment": {"comment": "x"},
        "a path": {"path": "facts.jsonl"},
        "a size": {"size": "2"},
        "a time": {"mtime": "1.5"},
        "an owner": {"uname": "x"},
    }
    name = chance.choice(sorted(odd))
    return f"a global header with {name}", _gz(_tar(_members(base.files()), pax=odd[name]))


def raw_headers(base: Records, chance: random.Random) -> tuple[str, bytes]:
    content = _tar(_members(base.files()))
    ways = {
        "no size": _raw_header(b"x", bytes(12)),
        "a size in words": _raw_header(b"x", b"many\0"),
        "blanks around the size": _raw_header(b"x", b"         0 \0"),
        "an old header": _raw_header(b"x", b"00000000000\0", kind=b"\0", magic=bytes(8)),
        "an old directory": _raw_header(b"x/", b"00000000000\0", kind=b"\0", magic=bytes(8)),
        "a size of 2 GiB in binary": _raw_header(b"x", b"\x80" + (1 << 31).to_bytes(11, "big")),
        "a size of 1 GiB": _raw_header(b"x", b"10000000000\0"),
        "an extended header of nothing": _raw_header(b"x", b"00000000000\0", kind=b"x"),
        "an extended header and no file": _raw_header(b"x", b"00000000000\0", kind=b"x") + bytes(1024),
        "a long name of nothing": _raw_header(b"x", b"00000000000\0", kind=b"L"),
        "a long link name": _raw_header(b"x", b"00000000004\0", kind=b"K") + b"abc\0".ljust(512, b"\0"),
        "a long name": _raw_header(b"x", b"00000000004\0", kind=b"L") + b"abc\0".ljust(512, b"\0"),
        "a size that is not there": _raw_header(b"x", b"00000100000\0"),
        "a huge time": _raw_header(b"x", b"00000000000\0", mtime=b"\x80" + b"\x7f" * 11),
        "a time in words": _raw_header(b"x", b"00000000000\0", mtime=b"soon".ljust(12, b"\0")),
    }
    name = chance.choice(sorted(ways))
    behind = chance.random() < 0.5
    body = content.rstrip(b"\0")
    body += bytes(-len(body) % 512)
    return f"a header with {name} {'behind' if behind else 'before'} the rest", _gz(
        body + ways[name] + bytes(1024) if behind else ways[name] + content
    )


def order(base: Records, chance: random.Random) -> tuple[str, bytes]:
    members = _members({**base.files(), "README.md": b"read me", "empty": b""})
    chance.shuffle(members)
    form = chance.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
    return "files in another order, and others among them", _gz(_tar(members, form))


MUTATIONS: list[Callable[[Records, random.Random], tuple[str, bytes]]] = [
    compression,
    damaged_compression,
    end_of_tar,
    directories,
    names,
    same_file_twice,
    file_and_directory,
    kinds,
    extended_headers,
    global_headers,
    raw_headers,
    order,
    compression,
    directories,
    end_of_tar,
]
