//! Payloads below the lines and in the JSON Lines, and the options that say how they are read.

use serde_json::{Value, json};

use super::{CLIENT, SERVER, assert_fails, capture, capture_of, data, show_stdin, text};

/// One field of the Protobuf wire format with octets in it, all of them short.
fn field(number: u8, octets: &[u8]) -> Vec<u8> {
    let len = u8::try_from(octets.len()).expect("a short field");
    [&[number << 3 | 2, len], octets].concat()
}

/// The descriptor set of `package chat; message Said { optional string words = 1; }`.
fn descriptor_set() -> Vec<u8> {
    // FieldDescriptorProto: name 1, number 3, label 4 (1: optional), type 5 (9: string).
    let words = [field(1, b"words"), vec![0x18, 1, 0x20, 1, 0x28, 9]].concat();
    // DescriptorProto: name 1, field 2.
    let said = [field(1, b"Said"), field(2, &words)].concat();
    // FileDescriptorProto: name 1, package 2, message_type 4.
    let file = [field(1, b"chat.proto"), field(2, b"chat"), field(4, &said)].concat();
    field(1, &file)
}

#[test]
fn show_tells_what_payloads_are_and_why() {
    let json = capture_of(&[(SERVER, b"\x81\x08{\"a\":12}")]);
    let shown = show_stdin(&["show", "-", "--payload", "auto"], &json);
    let told = text(&shown.stdout);
    assert!(told.contains("│ JSON, because it begins with { and is JSON to its end\n"), "{told}");
    assert!(told.contains("│   \"a\": 12\n"), "{told}");
    assert!(!text(&show_stdin(&["show", "-"], &json).stdout).contains('│'));

    let as_hex = show_stdin(&["show", "-", "--payload", "hex"], &capture());
    let row = "│ 00000000  48 65 6c 6c 6f                                    Hello\n";
    assert!(text(&as_hex.stdout).contains(row), "{}", text(&as_hex.stdout));
    let broken = show_stdin(&["show", "-", "--payload", "json"], &capture());
    assert!(text(&broken.stdout).contains("│ ▲ octet 0: "), "{}", text(&broken.stdout));
    assert!(broken.status.success());
}

#[test]
fn detail_shows_the_fields_of_the_sub_protocol_too() {
    let rpc = capture_of(&[(CLIENT, b"\x81\x21{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}")]);
    let told = text(&show_stdin(&["show", "-", "--detail"], &rpc).stdout);
    assert!(
        told.contains("│   \"method\": \"ping\"\n") && told.contains("│   method: ping\n"),
        "{told}"
    );
    let none = ["show", "-", "--detail", "--subprotocol", "none"];
    assert!(!text(&show_stdin(&none, &rpc).stdout).contains("│   method: ping\n"));
}

#[test]
fn long_payloads_take_as_many_lines_as_were_asked_for() {
    let array = capture_of(&[(SERVER, b"\x81\x0b[1,2,3,4,5]")]);
    let lines = |count: &str| {
        let told =
            show_stdin(&["show", "-", "--payload", "json", "--payload-lines", count], &array);
        let told = text(&told.stdout);
        (told.matches("│   ").count(), told.contains("--payload-lines 0 shows all"))
    };
    assert_eq!(lines("3"), (2, true));
    assert_eq!(lines("0"), (5, false));
}

#[test]
fn json_lines_have_the_payload_on_demand() {
    let map = capture_of(&[(SERVER, b"\x82\x05\x81\xa2id\x07")]);
    let payload = |arguments: &[&str]| {
        let shown = text(&show_stdin(arguments, &map).stdout);
        let lines = shown.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines.filter(|line| line["type"] == "frame").map(|line| line["payload"].clone()).next()
    };
    assert_eq!(payload(&["show", "-", "--json"]), Some(Value::Null));
    let seen = payload(&["show", "-", "--json", "--payload", "auto"]).expect("a frame");
    assert_eq!((&seen["format"], &seen["confidence"]), (&json!("msgpack"), &json!("likely")));
    assert_eq!(seen["nodes"][1]["path"], "$.id");
}

#[test]
fn a_descriptor_set_names_the_fields() {
    let folder = data();
    let file = folder.path().join("chat.binpb");
    std::fs::write(&file, descriptor_set()).expect("a file");
    let file = file.display().to_string();
    let said = capture_of(&[(SERVER, b"\x82\x07\x0a\x05Hello")]);
    let schema = ["--descriptor-set", file.as_str(), "--message-type", "chat.Said"];
    let shown = show_stdin(&[&["show", "-"][..], &schema].concat(), &said);
    let told = text(&shown.stdout);
    assert!(told.contains("│ Protobuf, as asked for\n"), "{told}{}", text(&shown.stderr));
    assert!(told.contains("│   words: \"Hello\"\n"), "{told}");
    let auto = [&["show", "-", "--payload", "auto"][..], &schema].concat();
    let told = text(&show_stdin(&auto, &said).stdout);
    assert!(told.contains("and protobuf chat.Said names it") && told.contains("words: "), "{told}");

    let other = [&["show", "-"][..], &["--descriptor-set", &file, "--message-type", "chat.Heard"]];
    let stderr = assert_fails(&show_stdin(&other.concat(), &said), 2, "no message type chat.Heard");
    assert!(stderr.contains("help: it has chat.Said"), "{stderr}");
    let json = [&["show", "-", "--payload", "json"][..], &schema].concat();
    let stderr = assert_fails(&show_stdin(&json, &said), 2, "--descriptor-set is of no use");
    assert!(stderr.contains("help: give --payload protobuf"), "{stderr}");
}

#[test]
fn a_descriptor_set_that_is_none_is_told_with_how_to_make_one() {
    let folder = data();
    let proto = folder.path().join("chat.proto");
    std::fs::write(&proto, "syntax = \"proto3\";").expect("a file");
    let proto = proto.display().to_string();
    let with = |file: &str| {
        let arguments = ["show", "-", "--descriptor-set", file, "--message-type", "chat.Said"];
        show_stdin(&arguments, &capture())
    };
    let stderr = assert_fails(&with(&proto), 5, "chat.proto is no descriptor set");
    assert!(stderr.contains("help: make one with protoc"), "{stderr}");
    assert_fails(&with("/nowhere/chat.binpb"), 5, "no such file");
    let alone = show_stdin(&["show", "-", "--descriptor-set", &proto], &capture());
    assert_eq!(alone.status.code(), Some(2));
    assert!(text(&alone.stderr).contains("--message-type"));
}
