//! What each system has or tells in its own way: what a program whose bytes were changed needs to run, how much memory
//! processes take, and how busy the machine is.

pub(crate) use system::{load, memory_below, sign};

#[cfg(not(target_os = "linux"))]
use elsewhere as system;

#[cfg(target_os = "linux")]
mod system {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use walkdir::WalkDir;

    /// Where files are memory.
    const SHARED_MEMORY: &str = "/dev/shm";

    /// What signs a program anew whose bytes were changed: nothing, as Linux runs what is not signed.
    pub(crate) fn sign(_: &Path) -> Option<Command> {
        None
    }

    /// How many programs wanted to run in the last minute (proc_loadavg(5)).
    pub(crate) fn load() -> Option<f64> {
        fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
    }

    /// The memory in bytes of `root` and all processes below it, and the part of it that is not below a program called
    /// `sandbox`. What processes share is divided among them (Pss, proc_pid_smaps(5)). The files of ours that are in memory
    /// count too: those of the folders that they work in, as databases do.
    pub(crate) fn memory_below(root: u32, sandbox: &str) -> Option<(u64, u64)> {
        let mut children: BTreeMap<u32, Vec<(u32, String)>> = BTreeMap::new();
        for entry in fs::read_dir("/proc").ok()?.flatten() {
            let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if let Some((parent, name)) = parent_and_name(process) {
                children.entry(parent).or_default().push((process, name));
            }
        }
        let (mut whole, mut ours, mut folders) = (0, 0, BTreeSet::new());
        let mut left = vec![(root, false)];
        while let Some((process, is_inside)) = left.pop() {
            let bytes = memory(process).unwrap_or(0);
            whole += bytes;
            if !is_inside {
                ours += bytes;
                folders.extend(works_in_memory(process));
            }
            let below = children.get(&process).into_iter().flatten();
            left.extend(below.map(|(child, name)| (*child, is_inside || name == sandbox)));
        }
        let is_below = |folder: &Path| folder.ancestors().skip(1).any(|above| folders.contains(above));
        let files: u64 = folders.iter().filter(|folder| !is_below(folder)).map(|folder| size(folder)).sum();
        Some((whole + files, ours + files))
    }

    /// The folder that a process works in, if its files are in memory.
    fn works_in_memory(process: u32) -> Option<PathBuf> {
        let folder = fs::read_link(format!("/proc/{process}/cwd")).ok()?;
        (folder.starts_with(SHARED_MEMORY) && folder != Path::new(SHARED_MEMORY)).then_some(folder)
    }

    /// What the files in `folder` take, in bytes (`st_blocks` of inode(7) counts 512 each).
    fn size(folder: &Path) -> u64 {
        let files = WalkDir::new(folder).into_iter().flatten().filter_map(|entry| entry.metadata().ok());
        files.map(|metadata| metadata.blocks() * 512).sum()
    }

    fn parent_and_name(process: u32) -> Option<(u32, String)> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let (before, after) = stat.rsplit_once(") ")?;
        let (_, name) = before.split_once(" (")?;
        Some((after.split(' ').nth(1)?.parse().ok()?, name.to_owned()))
    }

    fn memory(process: u32) -> Option<u64> {
        let told = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
        let line = told.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? << 10)
    }
}

// Linux's tests compile it too: it is what macOS has, and what we cannot run.
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(target_os = "linux", allow(dead_code))]
mod elsewhere {
    use std::path::Path;
    use std::process::Command;

    /// What signs a program anew whose bytes were changed: macOS starts nothing whose signature does not fit.
    pub(crate) fn sign(program: &Path) -> Option<Command> {
        let mut command = Command::new("codesign");
        command.args(["--force", "--sign", "-"]).arg(program);
        Some(command)
    }

    /// How many programs wanted to run in the last minute: nobody tells.
    pub(crate) fn load() -> Option<f64> {
        None
    }

    /// The memory of processes: nobody tells.
    pub(crate) fn memory_below(_: u32, _: &str) -> Option<(u64, u64)> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::{elsewhere, system};

    type MemoryBelow = fn(u32, &str) -> Option<(u64, u64)>;

    #[test]
    fn what_is_done_without_linux_has_the_same_form() {
        let _: [fn(&Path) -> Option<Command>; 2] = [system::sign, elsewhere::sign];
        let _: [fn() -> Option<f64>; 2] = [system::load, elsewhere::load];
        let _: [MemoryBelow; 2] = [system::memory_below, elsewhere::memory_below];
    }

    #[test]
    fn a_process_and_what_it_has_started_take_memory() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let (whole, ours) = system::memory_below(std::process::id(), "sleep").unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(whole >= ours && ours > 1 << 20, "{whole} {ours}");
    }

    #[test]
    fn so_do_the_files_that_it_keeps_in_memory_and_those_of_others_do_not() {
        let memory = Path::new("/dev/shm");
        let [own, others] = [(); 2].map(|()| tempfile::tempdir_in(memory).unwrap());
        std::fs::write(own.path().join("file"), vec![1; 64 << 20]).unwrap();
        std::fs::write(others.path().join("file"), vec![1; 128 << 20]).unwrap();
        let mut child = Command::new("sleep").arg("60").current_dir(own.path()).spawn().unwrap();
        let (_, ours) = system::memory_below(child.id(), "bwrap").unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!((64 << 20..128 << 20).contains(&ours), "{ours}");
    }
}
