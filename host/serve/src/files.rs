//! Which files of a run are served, as what, and how they are opened: below the directory of results even after every
//! link has been followed. Knows nothing of requests.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Larger files are not served: they are held in memory whole.
const LARGEST: u64 = 64 << 20;

/// What the browser may do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A page with its own script, in a sandbox.
    Report,
    /// A drawing, in a sandbox without script.
    Svg,
    /// A picture.
    Png,
    /// Text to look at.
    Text,
    /// A table.
    Csv,
    /// Data.
    Json,
}

impl Kind {
    /// Of the file named by `names` below a run; `None`: not served.
    pub(crate) fn of(names: &[String]) -> Option<Self> {
        match names {
            [name] => match name.as_str() {
                "report.html" => Some(Self::Report),
                "summary.csv" => Some(Self::Csv),
                "summary.json" | "manifest.json" | "harness.json" => Some(Self::Json),
                "plan.toml" => Some(Self::Text),
                _ => None,
            },
            [folder, name] if folder == "plots" => match Path::new(name).extension()?.to_str()? {
                "svg" => Some(Self::Svg),
                "png" => Some(Self::Png),
                _ => None,
            },
            _ => None,
        }
    }

    /// `Content-Type`.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Report => "text/html; charset=utf-8",
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
            Self::Text | Self::Csv => "text/plain; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    /// `Content-Security-Policy`. A report comes from a file that anybody may have written: it runs its script without
    /// an origin, and reaches no network.
    pub(crate) const fn policy(self) -> &'static str {
        match self {
            Self::Report => {
                "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-downloads allow-modals"
            }
            Self::Svg => {
                "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:; frame-ancestors 'none'; sandbox"
            }
            Self::Png | Self::Text | Self::Csv | Self::Json => {
                "default-src 'none'; frame-ancestors 'none'; sandbox"
            }
        }
    }
}

/// The bytes of `path`, if it is a regular file below `root` (which is canonical) and not too large.
pub(crate) fn read_below(root: &Path, path: &Path) -> Option<Vec<u8>> {
    read_at_most(root, path, LARGEST)
}

/// The same with a limit of one's own, in bytes.
pub(crate) fn read_at_most(root: &Path, path: &Path, limit: u64) -> Option<Vec<u8>> {
    let real = path.canonicalize().ok()?;
    // A pipe or a device would be opened for ever.
    if !real.starts_with(root) || !real.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(&real).ok()?.take(limit + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= limit).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_files_are_served() {
        let kind = |path: &str| Kind::of(&path.split('/').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(kind("report.html"), Some(Kind::Report));
        assert_eq!(kind("plots/sweep.svg"), Some(Kind::Svg));
        for other in [
            "outputs.jsonl",
            "requests.csv",
            "plots",
            "plots/x.html",
            "plots/a/x.png",
            "x.png",
            "plots/png",
            "COMPLETE",
        ] {
            assert_eq!(kind(other), None, "{other}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_is_not_followed_and_one_within_is() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = inside.path().canonicalize().unwrap();
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        std::fs::write(root.join("own"), "o").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), root.join("out")).unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("dir")).unwrap();
        std::os::unix::fs::symlink(root.join("own"), root.join("in")).unwrap();
        assert_eq!(read_below(&root, &root.join("in")), Some(b"o".to_vec()));
        for out in ["out", "dir/secret", "missing", ".", "../secret"] {
            assert_eq!(read_below(&root, &root.join(out)), None, "{out}");
        }
    }

    #[test]
    fn a_file_beyond_the_limit_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::write(root.join("f"), "12345").unwrap();
        assert_eq!(read_at_most(&root, &root.join("f"), 5), Some(b"12345".to_vec()));
        assert_eq!(read_at_most(&root, &root.join("f"), 4), None);
    }
}
