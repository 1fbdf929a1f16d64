//! The places that keep roots of their own, by name.

use std::fmt;
use std::str::FromStr;

/// A place that decides by itself which roots it trusts: an operating system, a browser, a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Platform {
    /// Debian, Ubuntu and their kin; Fedora, RHEL, Arch and openSUSE: what curl and OpenSSL look at.
    Linux,
    /// The keychain: Safari, Chrome, curl.
    MacOs,
    /// The certificate store: Edge, Chrome, .NET.
    Windows,
    /// Firefox, which has roots of its own on each system.
    Firefox,
    /// Chromium, Chrome and Edge on Linux, which look at an NSS database.
    Chromium,
    /// Node.js.
    Node,
    /// Python's `ssl`, `websockets`, `requests` and `aiohttp`.
    Python,
    /// Java's key store.
    Java,
    /// Android.
    Android,
    /// iPhone and iPad.
    Ios,
}

impl Platform {
    /// All of them, in the order they are shown in.
    pub const ALL: [Self; 10] = [
        Self::Linux,
        Self::MacOs,
        Self::Windows,
        Self::Firefox,
        Self::Chromium,
        Self::Node,
        Self::Python,
        Self::Java,
        Self::Android,
        Self::Ios,
    ];

    /// Its word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::MacOs => "macos",
            Self::Windows => "windows",
            Self::Firefox => "firefox",
            Self::Chromium => "chromium",
            Self::Node => "node",
            Self::Python => "python",
            Self::Java => "java",
            Self::Android => "android",
            Self::Ios => "ios",
        }
    }

    /// Its title in a text.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Linux => "Linux: system store (curl, OpenSSL, Go, Ruby, PHP)",
            Self::MacOs => "macOS: keychain (Safari, Chrome, curl)",
            Self::Windows => "Windows: certificate store (Edge, Chrome, .NET)",
            Self::Firefox => "Firefox",
            Self::Chromium => "Chromium, Chrome and Edge on Linux",
            Self::Node => "Node.js",
            Self::Python => "Python",
            Self::Java => "Java",
            Self::Android => "Android",
            Self::Ios => "iPhone and iPad",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that is no platform's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no platform is called \"{0}\": one of {names} is", names = Platform::ALL.map(Platform::name).join(", "))]
pub struct UnknownPlatform(String);

impl FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|platform| platform.name().eq_ignore_ascii_case(word))
            .ok_or_else(|| UnknownPlatform(word.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_is_found_by_its_word() {
        for platform in Platform::ALL {
            assert_eq!(platform.name().parse(), Ok(platform));
            assert_eq!(platform.to_string().to_uppercase().parse(), Ok(platform));
        }
        let said = "beos".parse::<Platform>().expect_err("unknown").to_string();
        assert!(said.contains("\"beos\"") && said.contains("linux, macos"), "{said}");
    }
}
