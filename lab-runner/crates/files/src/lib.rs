//! Files and folders of ours: lock files, and copies of whole folders.

mod copy;
mod lock;

pub use copy::copy_folder;
pub use lock::FileLock;
