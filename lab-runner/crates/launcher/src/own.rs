//! Whether this launcher is the one of the workspace that it is to work for: cargo, which starts it, may have taken
//! another's for it (see the library).

use std::fs;
use std::path::Path;

/// The launcher's own sources, as they were compiled.
const SOURCES: [(&str, &str); 16] = [
    ("Cargo.toml", include_str!("../Cargo.toml")),
    ("src/content.rs", include_str!("content.rs")),
    ("src/contents.rs", include_str!("contents.rs")),
    ("src/environment.rs", include_str!("environment.rs")),
    ("src/incremental.rs", include_str!("incremental.rs")),
    ("src/inputs.rs", include_str!("inputs.rs")),
    ("src/lib.rs", include_str!("lib.rs")),
    ("src/main.rs", include_str!("main.rs")),
    ("src/own.rs", include_str!("own.rs")),
    ("src/platform.rs", include_str!("platform.rs")),
    ("src/record.rs", include_str!("record.rs")),
    ("src/refusal.rs", include_str!("refusal.rs")),
    ("src/sources.rs", include_str!("sources.rs")),
    ("src/suite.rs", include_str!("suite.rs")),
    ("src/waiting.rs", include_str!("waiting.rs")),
    ("start/Cargo.toml", include_str!("../start/Cargo.toml")),
];

/// Whether the launcher's sources in `package` are those that this program was compiled of.
pub(crate) fn is_compiled_from(package: &Path) -> bool {
    SOURCES.iter().all(|(path, compiled)| fs::read(package.join(path)).is_ok_and(|now| now == compiled.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_of_the_launcher_is_compared() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(is_compiled_from(package));
        let mut files: Vec<_> = fs::read_dir(package.join("src"))
            .unwrap()
            .map(|entry| format!("src/{}", entry.unwrap().file_name().to_str().unwrap()))
            .collect();
        files.sort();
        let sources = SOURCES.iter().map(|(path, _)| *path).filter(|path| path.starts_with("src/"));
        assert_eq!(files, sources.collect::<Vec<_>>());
    }
}
