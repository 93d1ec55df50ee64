//! Where this process's control group is, and how much CPU time it may use, under cgroup v2 and v1.
//!
//! It must not know why anyone asks. Sources: the kernel's `cgroup-v2.rst` (`cpu.max`) and `sched-bwc.rst`
//! (`cpu.cfs_quota_us`, `cpu.cfs_period_us`).

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::procfile::{text, word};

/// How much CPU the control group may use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CpuLimit {
    /// No limit is set.
    Unlimited,
    /// This many cores' worth of time, for example 1.5.
    Cores(f64),
}

/// Where distributions mount the v1 `cpu` controller, below `/sys/fs/cgroup`.
const V1_MOUNTS: [&str; 3] = ["cpu", "cpu,cpuacct", "cpuacct,cpu"];

/// Folders of the process's own control group.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnGroups {
    /// Under version 2.
    pub(crate) v2: Option<PathBuf>,
    /// The one that limits CPU time, under either version.
    pub(crate) cpu: Option<PathBuf>,
}

/// Finds them below `root`. In a container without its own namespace the mount itself is the group.
pub(crate) fn own_groups(root: &Path) -> OwnGroups {
    let Some(groups) = text(&root.join("proc/self/cgroup")) else { return OwnGroups::default() };
    let mount = root.join("sys/fs/cgroup");
    let at = |mount: PathBuf, group: PathBuf| {
        let own = mount.join(group);
        if own.exists() { own } else { mount }
    };
    let v2 = own_path(&groups, |controllers, id| id == "0" && controllers.is_empty())
        .map(|path| at(mount.clone(), path));
    let v1 = own_path(&groups, |controllers, _| controllers.split(',').any(|name| name == "cpu"));
    let v1_mount = V1_MOUNTS.iter().map(|name| mount.join(name)).find(|path| path.exists());
    let v1 = v1.zip(v1_mount).map(|(path, mount)| at(mount, path));
    OwnGroups { cpu: v1.or_else(|| v2.clone()), v2 }
}

/// The smallest limit of the process's group and its ancestors; `None` when nothing can be read.
pub(crate) fn cpu_limit(root: &Path) -> Option<CpuLimit> {
    let groups = text(&root.join("proc/self/cgroup"))?;
    let mount = root.join("sys/fs/cgroup");
    let v2 = own_path(&groups, |controllers, id| id == "0" && controllers.is_empty());
    let v1 = own_path(&groups, |controllers, _| controllers.split(',').any(|name| name == "cpu"));
    let mut found = None;
    if let Some(path) = v1 {
        for name in V1_MOUNTS {
            found = tighter(found, tightest(&mount.join(name), &path, v1_limit));
        }
    }
    if let Some(path) = v2 {
        found = tighter(found, tightest(&mount, &path, v2_limit));
    }
    found
}

/// The group's path from the line of `/proc/self/cgroup` (`id:controllers:path`) that `wanted` picks, without `..`
/// (a group outside the namespace's root shows such) and without a leading `/`.
fn own_path(groups: &str, wanted: impl Fn(&str, &str) -> bool) -> Option<PathBuf> {
    groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (id, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let plain = |part: &Component<'_>| matches!(part, Component::Normal(_));
        wanted(controllers, id).then(|| Path::new(path).components().filter(plain).collect())
    })
}

/// The tightest limit from the group up to the mount. In a container without its own namespace the group's path does
/// not exist below the mount, and the mount itself is the group.
fn tightest(mount: &Path, group: &Path, limit: impl Fn(&Path) -> Option<CpuLimit>) -> Option<CpuLimit> {
    group.ancestors().map(|folder| limit(&mount.join(folder))).fold(None, tighter)
}

fn tighter(a: Option<CpuLimit>, b: Option<CpuLimit>) -> Option<CpuLimit> {
    use CpuLimit::Cores;
    match (a, b) {
        (Some(Cores(a)), Some(Cores(b))) => Some(Cores(a.min(b))),
        (limit @ Some(Cores(_)), _) | (_, limit @ Some(Cores(_))) => limit,
        (a, b) => a.or(b),
    }
}

fn v2_limit(folder: &Path) -> Option<CpuLimit> {
    let content = text(&folder.join("cpu.max"))?;
    if word::<String>(&content, 0)? == "max" {
        return Some(CpuLimit::Unlimited);
    }
    share(word(&content, 0)?, word(&content, 1)?)
}

fn v1_limit(folder: &Path) -> Option<CpuLimit> {
    let quota: i64 = word(&text(&folder.join("cpu.cfs_quota_us"))?, 0)?;
    if quota < 0 {
        return Some(CpuLimit::Unlimited);
    }
    let period: u64 = word(&text(&folder.join("cpu.cfs_period_us"))?, 0)?;
    share(quota.unsigned_abs(), period)
}

/// Microseconds of CPU time per microseconds of period.
fn share(quota: u64, period: u64) -> Option<CpuLimit> {
    (quota > 0 && period > 0).then(|| CpuLimit::Cores(quota as f64 / period as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        root
    }

    #[test]
    fn v2_takes_the_tightest_of_the_ancestors() {
        let root = tree(&[
            ("proc/self/cgroup", "0::/pod/box\n"),
            ("sys/fs/cgroup/pod/box/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/pod/cpu.max", "250000 100000\n"),
        ]);
        assert_eq!(cpu_limit(root.path()), Some(CpuLimit::Cores(2.5)));
    }

    #[test]
    fn v1_reads_quota_and_period() {
        let root = tree(&[
            ("proc/self/cgroup", "4:memory:/a\n3:cpu,cpuacct:/a\n0::/\n"),
            ("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "150000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
        ]);
        assert_eq!(cpu_limit(root.path()), Some(CpuLimit::Cores(1.5)));
    }

    #[test]
    fn a_group_path_of_the_host_falls_back_to_the_mount() {
        let root = tree(&[
            ("proc/self/cgroup", "0::/../../docker/0123\n"),
            ("sys/fs/cgroup/cpu.max", "50000 100000\n"),
        ]);
        assert_eq!(cpu_limit(root.path()), Some(CpuLimit::Cores(0.5)));
    }

    #[test]
    fn no_limit_and_nothing_to_read_are_told_apart() {
        let root = tree(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/cpu.max", "max 100000\n")]);
        assert_eq!(cpu_limit(root.path()), Some(CpuLimit::Unlimited));
        assert_eq!(cpu_limit(tree(&[("proc/self/cgroup", "0::/\n")]).path()), None);
        assert_eq!(cpu_limit(tree(&[]).path()), None);
    }

    #[test]
    fn nonsense_is_nothing_to_read() {
        for content in ["", "max", "0 100000", "1 0", "-5 100", "a b", "9e9 1"] {
            let root = tree(&[("proc/self/cgroup", "0::/\nx\n::::\n"), ("sys/fs/cgroup/cpu.max", content)]);
            let expected = if content == "max" { Some(CpuLimit::Unlimited) } else { None };
            assert_eq!(cpu_limit(root.path()), expected, "{content:?}");
        }
    }
}
