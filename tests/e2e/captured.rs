//! The capture: readable while it grows, private, the same events live and afterwards.

use std::fs;
use std::time::Duration;

use bytes::Bytes;
use framescope_core::capture::{CaptureItem, CaptureReader};
use framescope_core::{Opcode, Record};
use framescope_tests::wire::{frame, noise};
use framescope_tests::{Proxy, Upstream};

#[test]
fn a_growing_capture_is_whole_up_to_what_was_written() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let (mut client, mut server) = upstream.open(proxy.connect(), "");
    let mut written = proxy.engine().written();
    for round in 0..10u8 {
        let words = frame(true, Opcode::Binary, None, &noise(u64::from(round), 3000));
        server.send(&words);
        client.expect(&words);
        let octets = loop {
            written = proxy.engine().wait_beyond(written, Duration::from_secs(10));
            let octets = fs::read(proxy.capture_path()).unwrap();
            assert!(octets.len() as u64 >= written, "what is told as written is in the file");
            let mut reader = CaptureReader::new();
            reader.receive(Bytes::from(octets));
            let mut seen = Vec::new();
            while let Some(item) = reader.poll() {
                match item {
                    CaptureItem::Record { record, .. } => seen.push(record),
                    CaptureItem::Fault(fault) => panic!("{fault}"),
                }
            }
            let lane: Vec<u8> = seen
                .iter()
                .filter_map(|record| match record {
                    Record::Octets { octets, .. } => Some(octets.to_vec()),
                    _ => None,
                })
                .flatten()
                .collect();
            if lane.ends_with(&words) {
                break lane;
            }
        };
        assert!(!octets.is_empty());
    }
}

#[cfg(unix)]
#[test]
fn a_capture_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let mode = fs::metadata(proxy.capture_path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn compressed_messages_are_relayed_as_they_are_and_inflated_on_a_copy() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let (mut client, mut server) = upstream.open(proxy.connect(), extension);
    let mut compress = flate2::Compress::new(flate2::Compression::default(), false);
    let mut sent = Vec::new();
    for round in 0..50 {
        let text = format!("quote {round}: ACME 12.{round} ACME 12.{round} ACME");
        let mut deflated = Vec::with_capacity(1024);
        compress.compress_vec(text.as_bytes(), &mut deflated, flate2::FlushCompress::Sync).unwrap();
        deflated.truncate(deflated.len() - 4);
        let mut words = frame(true, Opcode::Text, None, &deflated);
        words[0] |= 0x40;
        server.send(&words);
        client.expect(&words);
        sent.push(text);
    }
    drop((client, server));
    let recorded = proxy.stop();
    let messages = recorded.messages();
    assert!(messages.iter().all(|message| message.compressed && message.fault.is_none()));
    let seen: Vec<_> =
        messages.iter().map(|message| String::from_utf8(message.data.to_vec()).unwrap()).collect();
    assert_eq!(seen, sent);
}

#[test]
fn times_never_go_back_and_lie_between_first_and_last_octet() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let (mut client, mut server) = upstream.open(proxy.connect(), "");
    let words = frame(true, Opcode::Binary, None, &[1; 100]);
    for part in words.chunks(10) {
        server.send(part);
        client.expect(part);
    }
    drop((client, server));
    let recorded = proxy.stop();
    let times: Vec<_> = recorded.records.iter().map(Record::at).collect();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
    let frame = &recorded.frames()[0];
    assert!(frame.first_octet_at < frame.last_octet_at);
}
