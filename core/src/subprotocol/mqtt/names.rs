//! What MQTT calls its numbers: packet types, flags, reason codes.

pub(super) const CONNECT: u8 = 1;
pub(super) const CONNACK: u8 = 2;
pub(super) const PUBLISH: u8 = 3;
pub(super) const PUBACK: u8 = 4;
pub(super) const PUBREC: u8 = 5;
pub(super) const PUBREL: u8 = 6;
pub(super) const PUBCOMP: u8 = 7;
pub(super) const SUBSCRIBE: u8 = 8;
pub(super) const SUBACK: u8 = 9;
pub(super) const UNSUBSCRIBE: u8 = 10;
pub(super) const UNSUBACK: u8 = 11;
pub(super) const PINGREQ: u8 = 12;
pub(super) const PINGRESP: u8 = 13;
pub(super) const DISCONNECT: u8 = 14;
pub(super) const AUTH: u8 = 15;

/// MQTT 5 §2.1.2.
pub(super) const fn type_name(kind: u8) -> &'static str {
    match kind {
        CONNECT => "CONNECT",
        CONNACK => "CONNACK",
        PUBLISH => "PUBLISH",
        PUBACK => "PUBACK",
        PUBREC => "PUBREC",
        PUBREL => "PUBREL",
        PUBCOMP => "PUBCOMP",
        SUBSCRIBE => "SUBSCRIBE",
        SUBACK => "SUBACK",
        UNSUBSCRIBE => "UNSUBSCRIBE",
        UNSUBACK => "UNSUBACK",
        PINGREQ => "PINGREQ",
        PINGRESP => "PINGRESP",
        DISCONNECT => "DISCONNECT",
        AUTH => "AUTH",
        _ => "reserved type 0",
    }
}

/// The flags that a packet of this type must have, where they say nothing (MQTT 5 §2.1.3).
pub(super) const fn fixed_flags(kind: u8) -> Option<u8> {
    match kind {
        PUBLISH => None,
        PUBREL | SUBSCRIBE | UNSUBSCRIBE => Some(0b0010),
        _ => Some(0),
    }
}

/// Whether clients send packets of this type, and whether servers do (MQTT 5 §2.1.2).
pub(super) const fn senders(kind: u8) -> (bool, bool) {
    match kind {
        CONNECT | SUBSCRIBE | UNSUBSCRIBE | PINGREQ => (true, false),
        CONNACK | SUBACK | UNSUBACK | PINGRESP => (false, true),
        _ => (true, true),
    }
}

/// The return code of CONNACK (MQTT 3.1.1 §3.2.2.3).
pub(super) const fn return_code(code: u8) -> &'static str {
    match code {
        0 => "Connection Accepted",
        1 => "unacceptable protocol version",
        2 => "identifier rejected",
        3 => "Server unavailable",
        4 => "bad user name or password",
        5 => "not authorized",
        _ => "reserved",
    }
}

/// A reason code (MQTT 5 §2.4); what 0 to 2 say depends on the packet.
pub(super) const fn reason_code(kind: u8, code: u8) -> Option<&'static str> {
    Some(match (code, kind) {
        (0, DISCONNECT) => "Normal disconnection",
        (0..=2, SUBACK) => match code {
            0 => "Granted QoS 0",
            1 => "Granted QoS 1",
            _ => "Granted QoS 2",
        },
        (0, _) => "Success",
        (0x04, DISCONNECT) => "Disconnect with Will Message",
        (0x10, _) => "No matching subscribers",
        (0x11, _) => "No subscription existed",
        (0x18, _) => "Continue authentication",
        (0x19, _) => "Re-authenticate",
        (0x80, _) => "Unspecified error",
        (0x81, _) => "Malformed Packet",
        (0x82, _) => "Protocol Error",
        (0x83, _) => "Implementation specific error",
        (0x84, _) => "Unsupported Protocol Version",
        (0x85, _) => "Client Identifier not valid",
        (0x86, _) => "Bad User Name or Password",
        (0x87, _) => "Not authorized",
        (0x88, _) => "Server unavailable",
        (0x89, _) => "Server busy",
        (0x8A, _) => "Banned",
        (0x8B, _) => "Server shutting down",
        (0x8C, _) => "Bad authentication method",
        (0x8D, _) => "Keep Alive timeout",
        (0x8E, _) => "Session taken over",
        (0x8F, _) => "Topic Filter invalid",
        (0x90, _) => "Topic Name invalid",
        (0x91, _) => "Packet Identifier in use",
        (0x92, _) => "Packet Identifier not found",
        (0x93, _) => "Receive Maximum exceeded",
        (0x94, _) => "Topic Alias invalid",
        (0x95, _) => "Packet too large",
        (0x96, _) => "Message rate too high",
        (0x97, _) => "Quota exceeded",
        (0x98, _) => "Administrative action",
        (0x99, _) => "Payload format invalid",
        (0x9A, _) => "Retain not supported",
        (0x9B, _) => "QoS not supported",
        (0x9C, _) => "Use another server",
        (0x9D, _) => "Server moved",
        (0x9E, _) => "Shared Subscriptions not supported",
        (0x9F, _) => "Connection rate exceeded",
        (0xA0, _) => "Maximum connect time",
        (0xA1, _) => "Subscription Identifiers not supported",
        (0xA2, _) => "Wildcard Subscriptions not supported",
        _ => return None,
    })
}
