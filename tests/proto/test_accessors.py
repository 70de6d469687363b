"""No two fields of a message generate one name in a language that we have users in.

Java is the strictest: of a field `text` it makes getText and getTextBytes, so a field `text_bytes` beside it does not
compile. What Java's generator makes of each kind of field stands in protobuf's guide to generated Java code.
"""

import collections
import pathlib
import subprocess

import pytest
from google.protobuf import descriptor_pb2

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIELD = descriptor_pb2.FieldDescriptorProto


def built(tmp_path, proto):
    out = tmp_path / "built.binpb"
    subprocess.run(["buf", "build", proto, "-o", out], cwd=ROOT, check=True)
    return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def java_names(field):
    """What stands between "get" and the parentheses, of each method that reads the field."""
    name = camel(field.name)
    repeated = field.label == FIELD.LABEL_REPEATED
    yield name
    if repeated:
        yield from (f"{name}List", f"{name}Count")
    if field.type == FIELD.TYPE_STRING:
        yield f"{name}Bytes"
    if field.type == FIELD.TYPE_ENUM:
        yield from (f"{name}ValueList", f"{name}Value") if repeated else (f"{name}Value",)
    if field.type == FIELD.TYPE_MESSAGE:
        yield from (f"{name}OrBuilder", f"{name}Builder")
        if repeated:
            yield from (f"{name}OrBuilderList", f"{name}BuilderList")


def clashes(files):
    for file in files.file:
        for message in file.message_type:
            names = collections.Counter(name for field in message.field for name in java_names(field))
            names.update(f"{camel(oneof.name)}Case" for oneof in message.oneof_decl)
            yield from (f"{message.name}: get{name}" for name, count in names.items() if count > 1)


def test_no_two_fields_of_a_message_generate_one_accessor(tmp_path):
    assert list(clashes(built(tmp_path, "proto"))) == []


@pytest.mark.parametrize(
    "fields", ["string text = 1; bytes text_bytes = 2;", "repeated string rows = 1; uint32 rows_count = 2;"]
)
def test_a_clash_is_noticed(fields, tmp_path):
    changed = tmp_path / "proto"
    changed.mkdir()
    (changed / "buf.yaml").write_text("version: v2\n")
    (changed / "clash.proto").write_text(f'syntax = "proto3";\npackage clash;\nmessage Clash {{ {fields} }}\n')
    assert len(list(clashes(built(tmp_path, changed)))) == 1


def test_every_file_names_its_package_in_each_language(tmp_path):
    for file in built(tmp_path, "proto").file:
        if file.package != "hydrophone.v1":
            continue
        options = file.options
        assert options.java_multiple_files, file.name
        named = (options.go_package, options.java_package, options.csharp_namespace, options.php_namespace)
        assert all(named) and options.ruby_package, file.name
