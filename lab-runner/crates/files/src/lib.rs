//! Files and folders: lock files, copies of whole folders, and what is read of folders that others may write.

mod below;
mod copy;
mod lock;

pub use below::{CopyError, change_below, copy_below, each_below, open_below, read_below, remove_below};
pub use copy::copy_folder;
pub use lock::FileLock;
