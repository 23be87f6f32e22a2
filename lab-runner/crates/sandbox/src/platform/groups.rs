//! Where this process may make control groups: of version 2, or of version 1 for memory, processes and the processor each
//! (cgroups(7), "/proc files").

use std::path::{Path, PathBuf};

/// What a group has to bound. Where the processor is shared out among groups as well, that is had too.
const NEEDED: [&str; 2] = ["memory", "pids"];
const PROCESSOR: &str = "cpu";
/// Bounds that would be left behind by whoever makes a group beside one that has them.
const BOUNDS: [&str; 2] = ["memory.max", "cpu.max"];

/// The folders in which a group is one folder each, by what is mounted and by the groups that we are in; `read` reads a file.
/// None where there is no place for one.
pub(crate) fn folders(mounts: &str, own: &str, read: impl Fn(&Path) -> Option<String>) -> Vec<PathBuf> {
    let first = |controller| version_1(mounts, own, controller);
    match NEEDED.map(first) {
        [Some(memory), Some(pids)] => {
            let mut folders = vec![memory, pids];
            folders.extend(first(PROCESSOR));
            // Some systems have two of them in one.
            folders.sort();
            folders.dedup();
            folders
        }
        [None, None] => version_2(mounts, own, read).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The group of version 1 that we are in as far as `controller` goes.
fn version_1(mounts: &str, own: &str, controller: &str) -> Option<PathBuf> {
    let lists = |list: &str| list.split(',').any(|item| item == controller);
    let path = own.lines().find_map(|line| match line.splitn(3, ':').collect::<Vec<_>>()[..] {
        [_, controllers, path] if lists(controllers) => Some(path),
        _ => None,
    })?;
    let mount = mounts.lines().filter_map(Mount::of).find(|mount| mount.kind == "cgroup" && lists(mount.options))?;
    mount.folder(path)
}

/// The nearest group of version 2 in which groups with bounds can be made: one whose children are bounded already. Not one
/// beyond a group whose own bounds we would leave behind.
fn version_2(mounts: &str, own: &str, read: impl Fn(&Path) -> Option<String>) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mount = mounts.lines().filter_map(Mount::of).find(|mount| mount.kind == "cgroup2")?;
    let folder = mount.folder(path)?;
    for folder in folder.ancestors().take_while(|folder| folder.starts_with(mount.point)) {
        let given = read(&folder.join("cgroup.subtree_control")).unwrap_or_default();
        if NEEDED.iter().all(|needed| given.split_whitespace().any(|controller| controller == *needed)) {
            return Some(folder.to_owned());
        }
        let is_bounded = |file| read(&folder.join(file)).is_some_and(|text| !text.starts_with("max"));
        if BOUNDS.into_iter().any(is_bounded) {
            return None;
        }
    }
    None
}

/// A line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let (mut mount, mut system) = (mount.split(' ').skip(3), system.split(' '));
        let (root, point) = (mount.next()?, mount.next()?);
        let (kind, options) = (system.next()?, system.nth(1)?);
        Some(Self { root, point, kind, options })
    }

    /// Where the group `path` is, if it is in sight.
    fn folder(&self, path: &str) -> Option<PathBuf> {
        let below = Path::new(path).strip_prefix(self.root).ok()?;
        Some(Path::new(self.point).join(below))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const FIRST: &str = "31 23 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:28 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
33 31 0:29 /job /sys/fs/cgroup/cpu,pids rw,relatime - cgroup cgroup rw,cpu,pids
34 31 0:30 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";
    const SECOND: &str = "34 31 0:30 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";

    fn at(mounts: &str, own: &str, files: &[(&str, &str)]) -> Vec<String> {
        let files: BTreeMap<&Path, &str> = files.iter().map(|(path, text)| (Path::new(*path), *text)).collect();
        let found = folders(mounts, own, |path| files.get(path).map(|text| (*text).to_owned()));
        found.iter().map(|folder| folder.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn of_version_1_they_are_below_our_own() {
        let own = "4:memory:/a/b\n2:cpu,pids:/job/c\n0::/\n";
        assert_eq!(at(FIRST, own, &[]), ["/sys/fs/cgroup/cpu,pids/c", "/sys/fs/cgroup/memory/a/b"]);
        // A container that shows a part of the tree, and not the one that we are in.
        assert_eq!(at(FIRST, "4:memory:/a\n2:cpu,pids:/other\n", &[]), Vec::<String>::new());
    }

    #[test]
    fn of_version_2_they_are_in_the_nearest_group_whose_children_are_bounded() {
        let own = "0::/user.slice/app.slice/run.scope\n";
        let bounded = [
            ("/sys/fs/cgroup/user.slice/app.slice/cgroup.subtree_control", "cpu memory pids\n"),
            ("/sys/fs/cgroup/user.slice/app.slice/run.scope/cgroup.subtree_control", "\n"),
            ("/sys/fs/cgroup/user.slice/app.slice/run.scope/memory.max", "max\n"),
        ];
        assert_eq!(at(SECOND, own, &bounded), ["/sys/fs/cgroup/user.slice/app.slice"]);
        let in_the_root = [("/sys/fs/cgroup/cgroup.subtree_control", "cpuset cpu io memory pids\n")];
        assert_eq!(at(SECOND, own, &in_the_root), ["/sys/fs/cgroup"]);
        assert_eq!(at(SECOND, own, &[("/sys/fs/cgroup/cgroup.subtree_control", "cpu\n")]), Vec::<String>::new());
    }

    #[test]
    fn nobody_leaves_the_bounds_that_it_has() {
        let in_the_root = ("/sys/fs/cgroup/cgroup.subtree_control", "memory pids\n");
        for bound in
            [("/sys/fs/cgroup/job/memory.max", "1073741824\n"), ("/sys/fs/cgroup/job/cpu.max", "50000 100000\n")]
        {
            assert_eq!(at(SECOND, "0::/job\n", &[in_the_root, bound]), Vec::<String>::new());
        }
        assert_eq!(at(SECOND, "0::/job\n", &[in_the_root]), ["/sys/fs/cgroup"]);
    }
}
