//! The image of all containers: a few links at the root, as this machine has them, and an empty folder. What there is to see is
//! mounted, so nothing has to be pulled.

use std::path::{Path, PathBuf};

/// Links at the root, and where they lead.
pub(crate) type Links = [(PathBuf, PathBuf)];

/// The longest tag that engines take.
const LONGEST_TAG: usize = 128;
/// The unit of archives, in bytes (tar(5)).
const BLOCK: usize = 512;

/// The image's name, which tells what is in it.
pub(crate) fn name(links: &Links) -> String {
    let word =
        |path: &Path| path.to_string_lossy().trim_start_matches('/').replace(|c: char| !c.is_ascii_alphanumeric(), ".");
    let words: Vec<String> = links.iter().map(|(link, target)| format!("{}-{}", word(link), word(target))).collect();
    let mut tag = format!("root_{}", words.join("_"));
    tag.truncate(LONGEST_TAG);
    format!("backend-labs/sandbox:{tag}")
}

/// The image's files, as an archive in the format ustar.
pub(crate) fn archive(links: &Links) -> Vec<u8> {
    let mut archive = header(Path::new("run/"), Path::new(""), b'5');
    for (link, target) in links {
        archive.extend(header(link.strip_prefix("/").unwrap_or(link), target, b'2'));
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

/// What stands for one file without content.
fn header(path: &Path, target: &Path, kind: u8) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    let mut header = vec![0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, path.as_os_str().as_bytes());
    put(100, b"0000755\0");
    for number in [108, 116] {
        put(number, b"0000000\0");
    }
    for size_or_time in [124, 136] {
        put(size_or_time, b"00000000000\0");
    }
    put(148, b"        ");
    put(156, &[kind]);
    put(157, target.as_os_str().as_bytes());
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> [(PathBuf, PathBuf); 2] {
        [("/lib".into(), "usr/lib".into()), ("/bin".into(), "/usr/bin".into())]
    }

    #[test]
    fn the_name_tells_what_is_in_it() {
        assert_eq!(name(&links()), "backend-labs/sandbox:root_lib-usr.lib_bin-usr.bin");
    }

    /// By the machine's own tar, where there is one.
    #[test]
    fn the_archive_holds_the_links() {
        use std::io::Write as _;
        use std::process::{Command, Stdio};
        let mut tar = Command::new("tar");
        tar.args(["--list", "--verbose", "--file", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut tar = tar.spawn().unwrap();
        tar.stdin.take().unwrap().write_all(&archive(&links())).unwrap();
        let output = tar.wait_with_output().unwrap();
        let listed = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && listed.lines().count() == 3, "{listed}");
        assert!(listed.contains("lib -> usr/lib\n") && listed.contains("bin -> /usr/bin\n"), "{listed}");
    }
}
