//! `benchhost plugin new`: a folder with a small complete plugin that builds, is tested, and depends on nothing but the
//! registry. The SDK, the contract and the framing are copied into it, so it works wherever it is.

mod name;
mod vendor;

use std::fs;
use std::path::{Path, PathBuf};

use benchhost_plugin::PluginKind;
pub use name::{Name, NameError};

mod embedded {
    //! What the build script collected.
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// A plugin to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRequest {
    /// Engine adapter or workload.
    pub kind: PluginKind,
    /// kebab-case; the folder, the package and the plugin's own name.
    pub name: String,
    /// The folder in which the new folder is made.
    pub parent: PathBuf,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPlugin {
    /// The new folder.
    pub dir: PathBuf,
    /// The files that are the author's, below `dir`. The copies in `vendor/` are not listed.
    pub files: Vec<String>,
    /// What to do next: commands, each with a word on what it is for.
    pub next: Vec<(String, &'static str)>,
}

/// Why no folder was made.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// The name cannot be used.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Something has that name.
    #[error("`{}` exists already; choose another name or remove it", path.display())]
    Exists {
        /// What exists.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error("cannot write `{}`: {cause}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The copy of the SDK could not be made to stand alone.
    #[error("the SDK inside this program cannot be unpacked: {0}; this is a bug in benchhost")]
    Sdk(String),
}

/// Makes the folder. Nothing is left behind when it fails.
pub fn new(request: &NewRequest) -> Result<NewPlugin, NewError> {
    let name = Name::parse(&request.name)?;
    let dir = request.parent.join(name.as_str());
    let vendored = vendor::files(embedded::VENDORED).map_err(NewError::Sdk)?;
    let own = template(request.kind, &name);
    match fs::create_dir(&dir) {
        Ok(()) => {}
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(NewError::Exists { path: dir });
        }
        Err(cause) => return Err(NewError::Write { path: dir, cause }),
    }
    let copies = vendored.iter().map(|(path, text)| (format!("vendor/{path}"), text));
    let all = own.iter().map(|(path, text)| (path.clone(), text)).chain(copies);
    for (path, text) in all {
        if let Err(error) = write(&dir.join(path), text) {
            // The first error is the one to show; the folder is ours alone.
            let _ = fs::remove_dir_all(&dir);
            return Err(error);
        }
    }
    let files = own.into_iter().map(|(path, _)| path).collect();
    let next = vec![
        (format!("cd {}", dir.display()), "go there"),
        ("cargo test".to_owned(), "replay the fixtures natively"),
        ("benchhost plugin build".to_owned(), "compile it to a component"),
        (format!("benchhost plugin check {name}.wasm"), "hold it to the contract"),
    ];
    Ok(NewPlugin { dir, files, next })
}

/// The template of `kind` with its placeholder names replaced.
fn template(kind: PluginKind, name: &Name) -> Vec<(String, String)> {
    let (files, word) = match kind {
        PluginKind::Engine => (embedded::ENGINE_TEMPLATE, "engine"),
        PluginKind::Workload => (embedded::WORKLOAD_TEMPLATE, "workload"),
    };
    let markers = Name::marker(word);
    files
        .iter()
        .map(|(path, text)| {
            let text = text
                .replace(markers.as_str(), name.as_str())
                .replace(&markers.snake(), &name.snake())
                .replace(&markers.pascal(), &name.pascal());
            ((*path).to_owned(), text)
        })
        .collect()
}

fn write(path: &Path, text: &str) -> Result<(), NewError> {
    let failed = |cause| NewError::Write { path: path.to_owned(), cause };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
