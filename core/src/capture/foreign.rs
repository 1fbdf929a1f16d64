//! Packets of other tools: from the link type to the TCP segment, by way of `etherparse`.

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, LenSource, TransportSlice};

use super::packet::{Flow, Segment, flags};

/// Finds the TCP segment in a packet.
///
/// `None` where there is none: another protocol, a fragment, a packet cut off within its headers.
///
/// # Errors
///
/// [`UnknownLinkType`] where packets of this link type cannot be read.
pub(crate) fn segment(
    link_type: u16,
    packet: &[u8],
    original_len: usize,
) -> Result<Option<Segment>, UnknownLinkType> {
    let sliced = match link_type {
        // Loopback of BSD and macOS: four octets that say IPv4 or IPv6, as its first octet does too.
        0 | 108 => packet.get(4..).and_then(|ip| LaxSlicedPacket::from_ip(ip).ok()),
        1 => LaxSlicedPacket::from_ethernet(packet).ok(),
        // Raw IP, under the numbers that various systems gave it.
        12 | 14 | 101 | 228 | 229 => LaxSlicedPacket::from_ip(packet).ok(),
        // Linux cooked capture: the protocol is the last of 16 octets.
        113 => cooked(packet, 14, 16),
        // Linux cooked capture v2: the protocol is the first of 20 octets.
        276 => cooked(packet, 0, 20),
        _ => return Err(UnknownLinkType),
    };
    Ok(sliced.and_then(|sliced| tcp(&sliced, packet, original_len)))
}

/// Packets of this link type cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnknownLinkType;

fn cooked(packet: &[u8], protocol_at: usize, header_len: usize) -> Option<LaxSlicedPacket<'_>> {
    let protocol = packet.get(protocol_at..)?.first_chunk()?;
    let payload = packet.get(header_len..)?;
    Some(LaxSlicedPacket::from_ether_type(EtherType(u16::from_be_bytes(*protocol)), payload))
}

fn tcp(sliced: &LaxSlicedPacket<'_>, packet: &[u8], original_len: usize) -> Option<Segment> {
    let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else { return None };
    let net = sliced.net.as_ref()?;
    let (from, to, ip_header, ip_len) = match net {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            let len = usize::from(header.total_len());
            (
                header.source_addr().into(),
                header.destination_addr().into(),
                header.slice().as_ptr(),
                len,
            )
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            let len = usize::from(header.payload_length()).checked_add(header.slice().len())?;
            (
                header.source_addr().into(),
                header.destination_addr().into(),
                header.slice().as_ptr(),
                len,
            )
        }
        LaxNetSlice::Arp(_) => return None,
    };
    let place = |pointer: *const u8| pointer.addr().checked_sub(packet.as_ptr().addr());
    let ip_payload = net.ip_payload_ref()?;
    let cut = if ip_payload.incomplete {
        place(ip_header)?.checked_add(ip_len)?.saturating_sub(packet.len())
    } else if ip_payload.len_source == LenSource::Slice {
        // Captured before the network card filled in the length.
        original_len.saturating_sub(packet.len())
    } else {
        0
    };
    let payload = tcp.payload();
    let start = place(payload.as_ptr())?;
    let set = [
        (tcp.fin(), flags::FIN),
        (tcp.syn(), flags::SYN),
        (tcp.rst(), flags::RST),
        (tcp.psh(), flags::PSH),
        (tcp.ack(), flags::ACK),
    ];
    Some(Segment {
        flow: Flow::new(
            std::net::SocketAddr::new(from, tcp.source_port()),
            std::net::SocketAddr::new(to, tcp.destination_port()),
        ),
        tag: 0,
        seq: tcp.sequence_number(),
        ack: tcp.ack().then(|| tcp.acknowledgment_number()),
        flags: set.into_iter().filter(|(is_set, _)| *is_set).fold(0, |all, (_, flag)| all | flag),
        payload: start..start.checked_add(payload.len())?,
        cut,
    })
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    const IPV4: [u8; 43] = hex!(
        "4500002b 00014000 40060000 c0000201 c6336402"
        "1234 0050 00000007 00000009 5018 ffff 0000 0000"
        "616263"
    );
    const IPV6: [u8; 63] = hex!(
        "60000000 0017 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002"
        "1234 0050 00000007 00000009 5018 ffff 0000 0000"
        "616263"
    );

    #[test]
    fn the_segment_is_found_behind_each_link_layer() {
        let mac = hex!("020000000001 020000000002");
        let behind = |head: &[u8], ip: &[u8], tail: &[u8]| [head, ip, tail].concat();
        let ethernet = |types: &[u8]| [&mac[..], types].concat();
        for (name, link_type, packet) in [
            ("Ethernet", 1, behind(&ethernet(&hex!("0800")), &IPV4, &[])),
            ("Ethernet, padded", 1, behind(&ethernet(&hex!("0800")), &IPV4, &[0; 7])),
            ("Ethernet, IPv6", 1, behind(&ethernet(&hex!("86dd")), &IPV6, &[])),
            ("VLAN", 1, behind(&ethernet(&hex!("8100 0007 0800")), &IPV4, &[])),
            ("QinQ", 1, behind(&ethernet(&hex!("88a8 0007 8100 0008 86dd")), &IPV6, &[])),
            ("raw", 101, IPV4.to_vec()),
            ("raw of BSD", 12, IPV6.to_vec()),
            ("IPv4", 228, IPV4.to_vec()),
            ("IPv6", 229, IPV6.to_vec()),
            ("null", 0, behind(&hex!("02000000"), &IPV4, &[])),
            ("null, IPv6 of macOS", 0, behind(&hex!("1e000000"), &IPV6, &[])),
            ("loop", 108, behind(&hex!("00000002"), &IPV4, &[])),
            ("cooked", 113, behind(&hex!("0000 0304 0006 000000000000 0000 0800"), &IPV4, &[])),
            (
                "cooked v2",
                276,
                behind(&hex!("0800 0000 00000001 0304 00 06 0000000000000000"), &IPV4, &[]),
            ),
        ] {
            let segment = segment(link_type, &packet, packet.len()).unwrap().expect(name);
            assert_eq!(packet[segment.payload.clone()], *b"abc", "{name}");
            assert_eq!((segment.seq, segment.ack, segment.cut), (7, Some(9), 0), "{name}");
            assert_eq!(segment.flags, flags::PSH | flags::ACK, "{name}");
            assert_eq!(
                (segment.flow.from().port(), segment.flow.to().port()),
                (4660, 80),
                "{name}"
            );
        }
    }

    #[test]
    fn octets_that_were_cut_off_are_counted() {
        let cut = segment(101, &IPV4[..41], IPV4.len()).unwrap().unwrap();
        assert_eq!((cut.payload, cut.cut), (40..41, 2));
        let cut = segment(101, &IPV6[..60], IPV6.len()).unwrap().unwrap();
        assert_eq!((cut.payload, cut.cut), (60..60, 3));
        let mut unset = IPV4;
        unset[2..4].copy_from_slice(&[0, 0]);
        let whole = segment(101, &unset, IPV4.len()).unwrap().unwrap();
        assert_eq!((whole.payload, whole.cut), (40..43, 0));
        let cut = segment(101, &unset[..42], IPV4.len()).unwrap().unwrap();
        assert_eq!((cut.payload, cut.cut), (40..42, 1));
    }

    #[test]
    fn what_is_no_whole_tcp_header_is_passed_over() {
        for len in 0..40 {
            assert_eq!(segment(101, &IPV4[..len], IPV4.len()), Ok(None), "{len}");
        }
        let mut udp = IPV4;
        udp[9] = 17;
        assert_eq!(segment(101, &udp, udp.len()), Ok(None));
        let mut fragment = IPV4;
        fragment[6] = 0x20;
        assert_eq!(segment(101, &fragment, fragment.len()), Ok(None));
        assert_eq!(segment(105, &IPV4, IPV4.len()), Err(UnknownLinkType));
    }
}
