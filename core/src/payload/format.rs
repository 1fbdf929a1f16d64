//! What a payload can be read as.

use std::fmt;

/// A way to read a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// Octets, sixteen a row.
    Octets,
    /// UTF-8 (RFC 3629), line by line.
    Text,
    /// UTF-16 (RFC 2781), and what it says.
    Utf16,
    /// RFC 8259.
    Json,
    /// JSON texts in a row: one a line, or each behind or before a record separator (RFC 7464).
    JsonSequence,
    /// Text that is octets in base64 or base64url (RFC 4648), or such a `data:` URL (RFC 2397).
    Base64,
    /// JSON Web Token (RFC 7519) in its compact form.
    Jwt,
    /// PNG, JPEG, GIF, WebP, BMP, SVG.
    Image,
    /// The MessagePack specification.
    MessagePack,
    /// RFC 8949.
    Cbor,
    /// BSON 1.1.
    Bson,
    /// The wire format of Protocol Buffers, without a schema.
    Protobuf,
    /// RFC 1952.
    Gzip,
    /// RFC 1950.
    Zlib,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

impl Format {
    /// All of them, in the order of a menu.
    pub const ALL: [Self; 16] = [
        Self::Text,
        Self::Utf16,
        Self::Json,
        Self::JsonSequence,
        Self::MessagePack,
        Self::Cbor,
        Self::Bson,
        Self::Protobuf,
        Self::Image,
        Self::Base64,
        Self::Jwt,
        Self::Gzip,
        Self::Zlib,
        Self::Brotli,
        Self::Zstd,
        Self::Octets,
    ];

    /// As people write it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Octets => "hex",
            Self::Text => "text",
            Self::Utf16 => "UTF-16",
            Self::Json => "JSON",
            Self::JsonSequence => "JSON lines",
            Self::Base64 => "base64",
            Self::Jwt => "JWT",
            Self::Image => "image",
            Self::MessagePack => "MessagePack",
            Self::Cbor => "CBOR",
            Self::Bson => "BSON",
            Self::Protobuf => "Protobuf",
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Brotli => "Brotli",
            Self::Zstd => "Zstandard",
        }
    }

    /// For command lines and exports: lower case, without spaces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Octets => "hex",
            Self::Text => "text",
            Self::Utf16 => "utf-16",
            Self::Json => "json",
            Self::JsonSequence => "json-lines",
            Self::Base64 => "base64",
            Self::Jwt => "jwt",
            Self::Image => "image",
            Self::MessagePack => "msgpack",
            Self::Cbor => "cbor",
            Self::Bson => "bson",
            Self::Protobuf => "protobuf",
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Brotli => "brotli",
            Self::Zstd => "zstd",
        }
    }

    /// The one with this [`Format::name`] or label, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| {
            format.name().eq_ignore_ascii_case(name) || format.label().eq_ignore_ascii_case(name)
        })
    }

    /// Where it is described.
    pub const fn source(self) -> &'static str {
        match self {
            Self::Octets => "",
            Self::Text => "RFC 3629",
            Self::Utf16 => "RFC 2781",
            Self::Json => "RFC 8259",
            Self::JsonSequence => "RFC 7464",
            Self::Base64 => "RFC 4648",
            Self::Jwt => "RFC 7519",
            Self::Image => "the first octets of each image format",
            Self::MessagePack => "github.com/msgpack/msgpack, spec.md",
            Self::Cbor => "RFC 8949",
            Self::Bson => "bsonspec.org, version 1.1",
            Self::Protobuf => "protobuf.dev, Encoding",
            Self::Gzip => "RFC 1952",
            Self::Zlib => "RFC 1950",
            Self::Brotli => "RFC 7932",
            Self::Zstd => "RFC 8878",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_name_and_its_label() {
        for format in Format::ALL {
            assert_eq!(Format::named(format.name()), Some(format));
            assert_eq!(Format::named(&format.label().to_uppercase()), Some(format));
        }
        assert_eq!(Format::named("xml"), None);
    }
}
