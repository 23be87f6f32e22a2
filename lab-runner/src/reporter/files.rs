//! The files that `--report DIR` asks for: the result in every format.

use camino::Utf8Path;

use super::{human, to_json, to_junit};
use crate::error::Error;
use crate::report::Report;

/// Writes result.json, junit.xml and report.txt to `folder`, which is made if it does not exist.
pub(super) fn write(folder: &Utf8Path, report: &Report) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|source| Error::io("create the folder", folder, source))?;
    let text = anstream::adapter::strip_str(&human::whole(report, human::WIDTH)).to_string();
    for (name, content) in [("result.json", to_json(report)), ("junit.xml", to_junit(report)), ("report.txt", text)] {
        let path = folder.join(name);
        std::fs::write(&path, content).map_err(|source| Error::io("write", &path, source))?;
    }
    Ok(())
}
