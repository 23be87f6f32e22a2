//! The settings of a container: nothing of the machine but what is mounted, no rights, and bounds.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use lab_sandbox::{ContainerOwner, Entry, Holds};
use serde_json::{Value, json};

use crate::platform::{SHARED_MEMORY, SYSTEM};
use crate::{FIRST, image};

/// The name of the machine that programs see.
const HOST: &str = "lab";
/// Where the one inside finds itself.
const PROGRAM: &str = "/run/lab-inside";
/// Where a volume is that a container is there for.
const ROOM: &str = "/room";
/// Where it finds the one outside.
pub(crate) const DOOR: &str = "/run/lab-door";

/// The settings by which the engine makes the container of `entry`, which belongs to `owner` and finds us at `door`.
pub(crate) fn settings(entry: &Entry, owner: &str, door: &Path) -> io::Result<Value> {
    let own = std::env::current_exe()?;
    let mut mounts = vec![mount(&own, PROGRAM.as_ref(), true), mount(door, DOOR.as_ref(), true)];
    mounts.extend(entry.readable.iter().map(|path| mount(path, path, true)));
    mounts.extend(entry.writable.iter().map(|path| mount(path, path, false)));
    mounts.extend(
        entry.volumes.iter().map(|volume| json!({"Type": "volume", "Source": volume.name, "Target": volume.place})),
    );
    if let Some(Holds::Room { bytes, files }) = entry.holds {
        mounts.push(room(bytes, files, owner));
    }
    let network = entry.network.as_ref().map_or_else(|| "none".to_owned(), |holder| format!("container:{holder}"));
    let temporary = |more: &str| format!("rw,nosuid,nodev,{more},size={},mode=1777", entry.temporary_bytes);
    let tmpfs = BTreeMap::from([
        ("/tmp", temporary("exec")),
        (SHARED_MEMORY, temporary("noexec")),
        // What the system tells of itself there is nobody's business.
        (SYSTEM, "ro,nosuid,nodev,noexec,size=4096".to_owned()),
    ]);
    let mut host = json!({
        "AutoRemove": true,
        "NetworkMode": network,
        "ReadonlyRootfs": true,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "IpcMode": "private",
        "LogConfig": {"Type": "none"},
        "Mounts": mounts,
        "Tmpfs": tmpfs,
        "PidsLimit": entry.processes.map(|most| entry.bounds.map_or(most, |bounds| most.min(bounds.processes))),
    });
    if let Some(bounds) = entry.bounds {
        host["Memory"] = bounds.memory_bytes.into();
        host["MemorySwap"] = bounds.memory_bytes.into();
    }
    let (user, group) = entry.user;
    let mut settings = json!({
        "Image": image::name(&entry.links),
        "Cmd": [PROGRAM, FIRST],
        "User": format!("{user}:{group}"),
        "WorkingDir": "/",
        "Labels": {ContainerOwner::LABEL: owner},
        "HostConfig": host,
    });
    // It has the name of the one whose network it has.
    if entry.network.is_none() {
        settings["Hostname"] = HOST.into();
    }
    Ok(settings)
}

/// A volume of the container's own, in memory, which goes with it.
fn room(bytes: u64, files: u64, owner: &str) -> Value {
    let options = json!({
        "type": "tmpfs",
        "device": "tmpfs",
        "o": format!("nosuid,nodev,size={bytes},nr_inodes={files},mode=0755"),
    });
    json!({
        "Type": "volume",
        "Target": ROOM,
        "VolumeOptions": {
            "Labels": {ContainerOwner::LABEL: owner},
            "DriverConfig": {"Name": "local", "Options": options},
        },
    })
}

fn mount(from: &Path, to: &Path, read_only: bool) -> Value {
    json!({
        "Type": "bind",
        "Source": from,
        "Target": to,
        "ReadOnly": read_only,
        "BindOptions": {"Propagation": "rprivate"},
    })
}

#[cfg(test)]
mod tests {
    use lab_sandbox::Bounds;

    use super::*;

    fn entry() -> Entry {
        Entry {
            engine: String::new(),
            places: "/places".into(),
            user: (61_200, 61_200),
            folder: "/".into(),
            links: Vec::new(),
            readable: vec!["/usr/lib".into()],
            writable: vec!["/files".into()],
            volumes: Vec::new(),
            temporary_bytes: 1 << 20,
            processes: Some(2_000),
            bounds: None,
            groups: Vec::new(),
            network: None,
            holds: None,
        }
    }

    #[test]
    fn it_has_no_rights_and_no_network_and_writes_nothing_but_what_is_given() {
        let settings = settings(&entry(), "me", Path::new("/door")).unwrap();
        let host = &settings["HostConfig"];
        assert_eq!((&settings["User"], &host["NetworkMode"]), (&"61200:61200".into(), &"none".into()));
        assert_eq!((&host["CapDrop"], &host["ReadonlyRootfs"]), (&json!(["ALL"]), &true.into()));
        let mounts = host["Mounts"].as_array().unwrap();
        let written: Vec<&Value> = mounts.iter().filter(|mount| mount["ReadOnly"] == false).collect();
        assert!(written.len() == 1 && written[0]["Target"] == "/files", "{mounts:?}");
        assert!(host.get("Memory").is_none() && host["PidsLimit"] == 2_000);
    }

    #[test]
    fn it_is_bounded_by_itself_where_no_group_bounds_it() {
        let bounds = Some(Bounds { memory_bytes: 1 << 30, processes: 100 });
        let entry = Entry { bounds, network: Some("abc".into()), ..entry() };
        let settings = settings(&entry, "me", Path::new("/door")).unwrap();
        let host = &settings["HostConfig"];
        assert_eq!((&host["Memory"], &host["MemorySwap"]), (&(1 << 30).into(), &(1 << 30).into()));
        assert_eq!((&host["PidsLimit"], &host["NetworkMode"]), (&100.into(), &"container:abc".into()));
        assert!(settings.get("Hostname").is_none());
    }
}
