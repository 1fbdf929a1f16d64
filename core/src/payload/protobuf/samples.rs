//! A schema for tests.

use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, FileDescriptorSet,
};

use super::Schema;

fn field(
    name: &str,
    number: i32,
    of_type: Type,
    label: Label,
    type_name: &str,
) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        label: Some(label.into()),
        r#type: Some(of_type.into()),
        type_name: (!type_name.is_empty()).then(|| type_name.to_owned()),
        ..FieldDescriptorProto::default()
    }
}

/// `message Quote { string symbol = 1; double price = 2; Side side = 3; sint32 change = 4;
///  repeated uint32 depth = 5; Quote earlier = 6; bytes raw = 7; }`
pub(in crate::payload) fn schema() -> Schema {
    let one = Label::Optional;
    let quote = DescriptorProto {
        name: Some("Quote".to_owned()),
        field: vec![
            field("symbol", 1, Type::String, one, ""),
            field("price", 2, Type::Double, one, ""),
            field("side", 3, Type::Enum, one, ".market.Side"),
            field("change", 4, Type::Sint32, one, ""),
            field("depth", 5, Type::Uint32, Label::Repeated, ""),
            field("earlier", 6, Type::Message, one, ".market.Quote"),
            field("raw", 7, Type::Bytes, one, ""),
        ],
        ..DescriptorProto::default()
    };
    let value = |name: &str, number| EnumValueDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        ..EnumValueDescriptorProto::default()
    };
    let side = EnumDescriptorProto {
        name: Some("Side".to_owned()),
        value: vec![value("SIDE_UNKNOWN", 0), value("SIDE_BUY", 1)],
        ..EnumDescriptorProto::default()
    };
    let file = FileDescriptorProto {
        name: Some("market.proto".to_owned()),
        package: Some("market".to_owned()),
        message_type: vec![quote],
        enum_type: vec![side],
        syntax: Some("proto3".to_owned()),
        ..FileDescriptorProto::default()
    };
    Schema::parse(&FileDescriptorSet { file: vec![file] }.encode_to_vec()).unwrap()
}
