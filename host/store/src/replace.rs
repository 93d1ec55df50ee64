//! Files that are written as a whole: under another name first, then renamed, so that readers see all of it or none.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// Ending of a file that is being written.
pub(crate) const PART: &str = ".part";

/// Writes a whole file; creates its folder. After a kill or a power cut the path holds the old bytes or the new ones.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let written = || -> io::Result<()> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let part = part_of(path);
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        settle(&file, &part, path)
    };
    written().map_err(StoreError::write(path))
}

/// Where `path` is put together.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(PART);
    name.into()
}

/// Brings `part` to the device and gives it its name.
pub(crate) fn settle(file: &File, part: &Path, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    std::fs::rename(part, path)?;
    sync_folder(path.parent());
    Ok(())
}

/// Makes new and renamed entries of a folder durable. Not every system can open a folder; then the rename is still atomic.
pub(crate) fn sync_folder(folder: Option<&Path>) {
    if let Some(folder) = folder
        && let Ok(folder) = File::open(folder)
    {
        let _not_on_this_system = folder.sync_all();
    }
}
