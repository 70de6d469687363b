"""No name of the API clashes with another, or with a language's own, in the code that is generated from it.

tests/interop/test_languages.py compiles Go, Java, TypeScript and Rust; these rules stand in for the compilers that are
not at hand, and find a clash where the generator renames it silently. What each generator makes of a name stands in
protobuf's guides to generated code, and in those of prost and swift-protobuf.
"""

import collections
import pathlib
import re
import subprocess

import pytest
from google.protobuf import descriptor_pb2
from test_accessors import built, camel

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
FIELD = descriptor_pb2.FieldDescriptorProto


def lower_camel(name):
    whole = camel(name)
    return whole[:1].lower() + whole[1:]


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def oneofs(message):
    """Those that the API writes: of an `optional` field, the compiler makes one too."""
    made = {field.oneof_index for field in message.field if field.proto3_optional}
    return [oneof for index, oneof in enumerate(message.oneof_decl) if index not in made]


def has_presence(field):
    return field.label != FIELD.LABEL_REPEATED and (field.type == FIELD.TYPE_MESSAGE or field.HasField("oneof_index"))


def csharp(message):
    """Members of the class, and what every message has: a member may not have the class's name either."""
    yield message.name
    yield from ("Descriptor", "Parser", "Types", "Clone", "Equals", "CalculateSize", "MergeFrom", "WriteTo", "ToString")
    for field in message.field:
        yield camel(field.name)
        if field.proto3_optional or (field.HasField("oneof_index") and field.type != FIELD.TYPE_MESSAGE):
            yield from (f"Has{camel(field.name)}", f"Clear{camel(field.name)}")
    for oneof in oneofs(message):
        yield from (f"{camel(oneof.name)}Case", f"{camel(oneof.name)}OneofCase", f"Clear{camel(oneof.name)}")


def go(message):
    """Fields and methods of the struct share one space of names."""
    yield from ("Reset", "String", "ProtoMessage", "ProtoReflect", "Descriptor")
    for name in [field.name for field in message.field] + [oneof.name for oneof in oneofs(message)]:
        yield from (camel(name), f"Get{camel(name)}")


def swift(message):
    yield from ("unknownFields", "protoMessageName", "isInitialized", "hashValue", "description", "debugDescription")
    for field in message.field:
        yield lower_camel(field.name)
        if has_presence(field):
            yield from (f"has{camel(field.name)}", f"clear{camel(field.name)}")
    yield from (lower_camel(oneof.name) for oneof in oneofs(message))


def kotlin(message):
    """Properties of the builder that the DSL gives, and the functions beside them."""
    for field in message.field:
        yield lower_camel(field.name)
        if has_presence(field):
            yield f"has{camel(field.name)}"
        yield f"clear{camel(field.name)}"
    for oneof in oneofs(message):
        yield from (f"{lower_camel(oneof.name)}Case", f"clear{camel(oneof.name)}")


def rust(message):
    yield from (snake(field.name) for field in message.field)
    yield from (snake(oneof.name) for oneof in oneofs(message))


def ruby_and_php(message):
    yield from (field.name.lower() for field in message.field)
    yield from (oneof.name.lower() for oneof in oneofs(message))


def typescript(message):
    yield from ("$typeName", "$unknown")
    made = {index for index, oneof in enumerate(message.oneof_decl) if oneof in oneofs(message)}
    for field in message.field:
        if not (field.HasField("oneof_index") and field.oneof_index in made):
            yield lower_camel(field.name)
    yield from (lower_camel(oneof.name) for oneof in oneofs(message))


MEMBERS = {
    "C#": csharp,
    "Go": go,
    "Swift": swift,
    "Kotlin": kotlin,
    "Rust": rust,
    "Ruby, PHP": ruby_and_php,
    "TypeScript": typescript,
}


def package_names(files):
    """What a package's types are called where they share one space of names, by language."""
    names = {"Go": [], "Rust": []}
    for file in files:
        names["Go"] += [each.name for each in [*file.message_type, *file.enum_type]]
        names["Rust"] += [each.name for each in [*file.message_type, *file.enum_type]]
        names["Rust"] += [snake(each.name) for each in file.message_type if oneofs(each) or each.nested_type]
        for enum in file.enum_type:
            names["Go"] += [f"{enum.name}_{value.name}" for value in enum.value]
        for message in file.message_type:
            names["Go"] += [f"{message.name}_{each.name}" for each in [*message.nested_type, *message.enum_type]]
            of_oneofs = [
                field for field in message.field if field.HasField("oneof_index") and not field.proto3_optional
            ]
            names["Go"] += [f"{message.name}_{camel(field.name)}" for field in of_oneofs]
    return names


def enum_values(enum):
    """Values without the enum's name in front, as C#, Swift and Rust have them. protoc itself refuses two alike."""
    prefix = snake(enum.name).upper() + "_"
    return [camel(value.name.removeprefix(prefix).lower()) for value in enum.value]


# Words that at least one of the languages keeps to itself, and that its generator renames, escapes, or fails at.
RESERVED = set(
    """
    abstract as async await base become break case catch class const continue crate default defer do
    dyn else enum export extends extension extern fallthrough false final finally fn for func
    function go goto guard if impl implements import in init inout instanceof interface internal is
    let loop macro match mod move mut namespace new nil null object operator package private
    protected protocol public pub ref return select self sizeof static struct super switch
    synchronized template this throw throws trait true try type typealias typeof union unsafe use
    using var virtual void volatile when where while with yield
    """.split()
)


def clashes(files):
    ours = [file for file in files.file if not file.package.startswith(("google.", "grpc."))]
    for language, names in package_names(ours).items():
        yield from (f"{language}: {name}" for name, count in collections.Counter(names).items() if count > 1)
    for file in ours:
        for message in file.message_type:
            for language, members in MEMBERS.items():
                counted = collections.Counter(members(message))
                yield from (f"{language}: {message.name}.{name}" for name, count in counted.items() if count > 1)
            words = [field.name for field in message.field] + [oneof.name for oneof in oneofs(message)]
            yield from (f"reserved: {message.name}.{word}" for word in words if word in RESERVED)
        for enum in file.enum_type:
            values = enum_values(enum)
            yield from (f"enum: {enum.name}.{value}" for value in values if not value[:1].isalpha())


# swift-protobuf calls it description_p, as its guide says.
RENAMED = ["Swift: HookPoint.description"]


def test_no_name_clashes_in_any_language(tmp_path):
    assert list(clashes(built(tmp_path, "proto"))) == RENAMED


@pytest.mark.parametrize(
    "text, found",
    [
        ("message Value { string value = 1; }", "C#: Value.Value"),
        ("message M { string clear_a = 1; optional string a = 2; }", "C#: M.ClearA"),
        ("message M { string a = 1; string get_a = 2; }", "Go: M.GetA"),
        ("message M { string reset = 1; }", "Go: M.Reset"),
        ("message M { oneof kind { string a = 1; } message A {} }", "Go: M_A"),
        ("message M { M a = 1; bool has_a = 2; }", "Swift: M.hasA"),
        ("message M { string description = 1; }", "Swift: M.description"),
        ("message M { string a = 1; string clear_a = 2; }", "Kotlin: M.clearA"),
        ("message M { string type = 1; }", "reserved: M.type"),
        ("message M { oneof match { string a = 1; } }", "reserved: M.match"),
        ("enum Size { SIZE_UNSPECIFIED = 0; SIZE_2 = 1; }", "enum: Size.2"),
    ],
)
def test_a_clash_is_noticed(text, found, tmp_path):
    (tmp_path / "buf.yaml").write_text("version: v2\n")
    (tmp_path / "clash.proto").write_text(f'syntax = "proto3";\npackage clash;\n{text}\n')
    assert found in list(clashes(built(tmp_path, tmp_path)))


@pytest.mark.parametrize("language", ["cpp", "csharp", "java", "kotlin", "objc", "php", "python", "ruby"])
def test_protoc_generates_code(language, tmp_path):
    names = [str(path.relative_to(PROTO)) for path in sorted((PROTO / "hydrophone/v1").glob("*.proto"))]
    subprocess.run(["protoc", f"-I{PROTO}", f"--{language}_out={tmp_path}", *names], check=True)
    assert any(path.is_file() for path in tmp_path.rglob("*"))
