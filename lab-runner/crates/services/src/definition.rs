//! What a service is. A new one is one module that implements [`ServiceDefinition`] and ends with `register!`.

use std::io;

use crate::connection::{Connection, ProbeReply};
use crate::containers::ContainerImage;
use crate::program::ServiceProgram;
use crate::url::UrlFormat;

/// A server that labs can ask for, such as a database: how it is named, recognised and started.
///
/// Every provider uses what it needs of this: `external` the URL's format and the probe, `containers` the image as
/// well, `native` and `embedded` the program.
pub trait ServiceDefinition: Sync {
    /// How it is named and reached.
    fn description(&self) -> &'static Description;

    /// Asks whoever answers on `connection` whether it is this service, in the first bytes of its own protocol, with
    /// the administrator's `password` if that is known.
    ///
    /// # Errors
    /// Nobody answers, or the server is there and not ready yet.
    fn probe(&self, connection: &mut Connection, password: Option<&str>) -> io::Result<ProbeReply>;

    /// The image it can be started from in a container.
    fn container(&self) -> Option<&'static ContainerImage> {
        None
    }

    /// How its program is found and started on this machine.
    fn program(&self) -> Option<&dyn ServiceProgram> {
        None
    }
}

/// How a service is named and reached.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    /// Its name in manifests and reports: lower-case letters, digits and underscores. The user's variables follow from
    /// it: `LAB_<ID>_URL` names a server that already runs, `LAB_<ID>_IMAGE` another image, `LAB_<ID>_BIN` a program.
    pub id: &'static str,
    /// Its name in sentences.
    pub name: &'static str,
    /// The variable in which a lab's server is given the service's URL.
    pub server_variable: &'static str,
    /// The program by which people talk to it by hand, if there is one.
    pub client: Option<&'static str>,
    /// What its URLs look like.
    pub url: UrlFormat,
    /// What it is called by package managers: the manager's program and the package.
    pub packages: &'static [(&'static str, &'static str)],
}
