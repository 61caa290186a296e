//! A release as a plan: which packages, which actions, in which order; and which of the built files
//! an index still lacks.

use std::fmt;

use formats::name::normalize;
use formats::pep440::Version;

use crate::ids::{DistributionId, IdVec, PackageId};
use crate::release::stage::Until;

/// One file that was built. Artifacts are ordered by name, as ledgers and reports list them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Artifact {
    pub name: String,
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// One file as an index lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedFile {
    pub name: String,
    pub url: String,
    /// `None` where the index does not give it.
    pub sha256: Option<String>,
    /// Whether it is yanked (PEP 592): listed, and passed over by installers.
    pub yanked: bool,
    /// Days since it was uploaded; `None` where the index does not say (PEP 700).
    pub age: Option<u64>,
}

/// An answer about the outside world. "Unknown" is never treated as "no".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    Known(T),
    /// Why there is no answer.
    Unknown(String),
}

impl<T> Lookup<T> {
    /// The answer, where there is one.
    pub fn known(self) -> Option<T> {
        match self {
            Lookup::Known(answer) => Some(answer),
            Lookup::Unknown(_) => None,
        }
    }
}

/// One distribution of a release.
#[derive(Clone, Debug)]
pub struct Package {
    pub distribution: DistributionId,
    pub version: Version,
    pub tag: String,
    /// The commit that its tag is already on, where the index lacks one of its files: the missing
    /// file is built from that commit.
    pub tagged: Option<String>,
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Build sdist and wheel, or take over the ones that were built from the same commit.
    Build(PackageId),
    /// Take over the built files that a receipt vouches for.
    Take(PackageId),
    /// Check the contents of all built files, together.
    Check,
    /// Find out what users will get, from what is published; see `evidence`.
    Evidence,
    /// Test the built files in a fresh environment, before any index has seen them.
    Try(PackageId),
    /// Upload to the staging index, and fetch back what it serves.
    Stage(PackageId),
    /// Test the files that staging served in a fresh environment.
    Smoke(PackageId),
    /// Upload the same bytes to the index, and wait until it lists them. This cannot be undone.
    Publish(PackageId),
    /// Tag the commit that was built, and push the tag.
    Tag(PackageId),
}

/// Everything that a release will do, in order.
#[derive(Clone, Debug)]
pub struct ReleasePlan {
    pub packages: IdVec<PackageId, Package>,
    pub actions: Vec<Action>,
}

impl ReleasePlan {
    /// Takes the packages to be released, in release order. Everything is staged and tested
    /// before the first package is published, because only publishing cannot be undone.
    ///
    /// `staging_is_real` says that the staging index never accepts a file name twice. The built
    /// files are then tested before staging gets them.
    pub fn new(
        packages: IdVec<PackageId, Package>,
        until: Until,
        staging_is_real: bool,
    ) -> ReleasePlan {
        let all = packages.ids();
        let mut actions: Vec<Action> = all.clone().map(Action::Build).collect();
        if !packages.is_empty() {
            actions.push(Action::Check);
        }
        // A job that builds for one platform alone does not know the whole release.
        if until >= Until::Staged && !packages.is_empty() {
            actions.push(Action::Evidence);
        }
        if until >= Until::Staged && staging_is_real {
            actions.extend(all.clone().map(Action::Try));
        }
        if until >= Until::Staged {
            actions.extend(all.clone().map(Action::Stage).chain(all.clone().map(Action::Smoke)));
        }
        if until >= Until::Published {
            actions.extend(publishing(&packages));
        }
        ReleasePlan { packages, actions }
    }

    /// Publishes and tags what a receipt vouches for; nothing is built or tested.
    pub fn of_tested(packages: IdVec<PackageId, Package>) -> ReleasePlan {
        let mut actions: Vec<Action> = packages.ids().map(Action::Take).collect();
        actions.extend(publishing(&packages));
        ReleasePlan { packages, actions }
    }

    /// The package of a distribution; `None` when it is not part of this release.
    pub fn package_of(&self, distribution: DistributionId) -> Option<PackageId> {
        let mut packages = self.packages.enumerate();
        packages.find(|(_, package)| package.distribution == distribution).map(|(id, _)| id)
    }
}

/// Publishes every package, and tags each as soon as all that share its tag are published.
fn publishing(packages: &IdVec<PackageId, Package>) -> Vec<Action> {
    let all = packages.ids();
    let mut actions = Vec::new();
    for id in all.clone() {
        actions.push(Action::Publish(id));
        let tag = &packages[id].tag;
        let mut sharing: Vec<PackageId> =
            all.clone().filter(|&other| packages[other].tag == *tag).collect();
        if sharing.last() == Some(&id) {
            sharing.retain(|&other| packages[other].tagged.is_none());
            actions.extend(sharing.into_iter().map(Action::Tag));
        }
    }
    actions
}

/// The difference between the built files and those that an index lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upload {
    /// The index has every file, with the same bytes.
    Nothing,
    /// These are missing.
    Send(Vec<Artifact>),
    /// The index has these names with other bytes, or without a digest to compare.
    Conflict(Vec<String>),
}

/// The message about files that an index has with other contents.
pub fn names_taken(index: &str, files: &[String]) -> String {
    format!(
        "`{index}` already has `{}` with different contents; file names cannot be reused",
        files.join("` and `")
    )
}

/// Compares what was built with what an index lists.
pub fn to_upload(built: &[Artifact], served: &[ServedFile]) -> Upload {
    let mut missing = Vec::new();
    let mut conflicts = Vec::new();
    for artifact in built {
        match served.iter().find(|file| file.name == artifact.name) {
            None => missing.push(artifact.clone()),
            Some(file) if file.sha256.as_deref() == Some(&artifact.sha256) => {}
            Some(_) => conflicts.push(artifact.name.clone()),
        }
    }
    if !conflicts.is_empty() {
        Upload::Conflict(conflicts)
    } else if !missing.is_empty() {
        Upload::Send(missing)
    } else {
        Upload::Nothing
    }
}

/// The version in the file name of a wheel or an sdist of this distribution; `None` for a file of
/// another distribution or another kind. `in_file_name` is the name as PEP 625 spells it.
///
/// Older tools spelled names differently, so names are compared after normalization, and the name
/// in an sdist may contain hyphens.
pub fn version_in_file_name(file: &str, in_file_name: &str) -> Option<Version> {
    let same = |name: &str| normalize(name) == normalize(in_file_name);
    if let Some(stem) = file.strip_suffix(".whl") {
        let mut fields = stem.split('-');
        let name = fields.next()?;
        return fields.next().filter(|_| same(name))?.parse().ok();
    }
    let stem = file.strip_suffix(".tar.gz").or_else(|| file.strip_suffix(".zip"))?;
    let cuts = stem.match_indices('-').map(|(at, _)| at);
    cuts.filter(|&at| same(&stem[..at])).find_map(|at| stem[at + 1..].parse().ok())
}

/// The files of one version among all that an index lists for a distribution.
pub fn files_of(served: &[ServedFile], in_file_name: &str, version: &Version) -> Vec<ServedFile> {
    let mut files = served.to_vec();
    files.retain(|file| version_in_file_name(&file.name, in_file_name).as_ref() == Some(version));
    files
}

/// A kind of file that every release has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    Sdist,
    Wheel,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileKind::Sdist => "sdist",
            FileKind::Wheel => "wheel",
        })
    }
}

/// The kind of file that a published version lacks.
///
/// A project that always ships one kind alone lacks nothing: its previous version has the same gap.
pub fn lacks(served: &[ServedFile], in_file_name: &str, version: &Version) -> Option<FileKind> {
    let of = |version: &Version| files_of(served, in_file_name, version);
    let others = served.iter().filter_map(|file| version_in_file_name(&file.name, in_file_name));
    let before = others.filter(|other| other < version).max();
    let missing = missing_kind(&of(version))?;
    let on_purpose = before.is_some_and(|before| missing_kind(&of(&before)) == Some(missing));
    (!on_purpose).then_some(missing)
}

fn missing_kind(files: &[ServedFile]) -> Option<FileKind> {
    if !files.iter().any(is_wheel) {
        Some(FileKind::Wheel)
    } else if files.iter().all(is_wheel) {
        Some(FileKind::Sdist)
    } else {
        None
    }
}

fn is_wheel(file: &ServedFile) -> bool {
    file.name.ends_with(".whl")
}

/// Whether a release is so old that an index may accept no more files into it.
pub fn is_closed(files: &[ServedFile]) -> bool {
    const DAYS: u64 = 14;
    files.iter().any(|file| file.age.is_some_and(|age| age >= DAYS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;

    fn package(index: usize) -> Package {
        let (distribution, version) = (DistributionId::from_index(index), "1.0".parse().unwrap());
        Package { distribution, version, tag: format!("t{index}"), tagged: None }
    }

    fn plan<const N: usize>(
        packages: [Package; N],
        until: Until,
        staging_is_real: bool,
    ) -> Vec<Action> {
        ReleasePlan::new(packages.into_iter().collect(), until, staging_is_real).actions
    }

    fn id(index: usize) -> PackageId {
        PackageId::from_index(index)
    }

    #[test]
    fn everything_is_tested_before_anything_is_published() {
        let actions = plan([package(0), package(1)], Until::Published, true);
        let first_publish = actions.iter().position(|a| matches!(a, Action::Publish(_))).unwrap();
        let last_smoke = actions.iter().rposition(|a| matches!(a, Action::Smoke(_))).unwrap();
        assert!(last_smoke < first_publish);
        let first_stage = actions.iter().position(|a| matches!(a, Action::Stage(_))).unwrap();
        let last_try = actions.iter().rposition(|a| matches!(a, Action::Try(_))).unwrap();
        assert!(last_try < first_stage);
        assert_eq!(
            actions[first_publish..],
            [
                Action::Publish(id(0)),
                Action::Tag(id(0)),
                Action::Publish(id(1)),
                Action::Tag(id(1))
            ]
        );
    }

    #[test]
    fn an_early_end_leaves_out_what_comes_later() {
        let built = plan([package(0)], Until::Built, true);
        assert_eq!(built, [Action::Build(id(0)), Action::Check]);
        let staged = plan([package(0)], Until::Staged, false);
        assert_eq!(staged.last(), Some(&Action::Smoke(id(0))));
        assert!(plan([], Until::Published, true).is_empty());
    }

    fn artifact(name: &str) -> Artifact {
        Artifact { name: name.into(), sha256: "aa".into(), size: 1 }
    }

    fn served(name: &str, sha256: Option<&str>) -> ServedFile {
        let (name, sha256) = (name.into(), sha256.map(str::to_owned));
        ServedFile { name, url: String::new(), sha256, yanked: false, age: None }
    }

    #[track_caller]
    fn incomplete(files: &[&str], missing: Option<FileKind>) {
        let files: Vec<ServedFile> = files.iter().map(|name| served(name, None)).collect();
        assert_eq!(lacks(&files, "core", &"2.0".parse().unwrap()), missing, "{files:?}");
    }

    #[test]
    fn an_incomplete_release_differs_from_one_kind_on_purpose() {
        incomplete(&["core-2.0.tar.gz", "core-2.0-py3-none-any.whl"], None);
        incomplete(&["core-2.0-py3-none-any.whl"], Some(FileKind::Sdist));
        incomplete(
            &["core-2.0-cp312-cp312-win_amd64.whl", "core-2.0-cp313-cp313-win_amd64.whl"],
            Some(FileKind::Sdist),
        );
        incomplete(&["core-2.0.tar.gz"], Some(FileKind::Wheel));
        let wheel = "core-2.0-py3-none-any.whl";
        incomplete(&[wheel, "core-1.0-py3-none-any.whl"], None);
        incomplete(&[wheel, "core-1.0-py3-none-any.whl", "core-1.0.tar.gz"], Some(FileKind::Sdist));
        incomplete(&[wheel, "core-1.0.tar.gz"], Some(FileKind::Sdist));
        // Only the version before counts, and later ones say nothing.
        incomplete(&[wheel, "core-1.0-py3-none-any.whl", "core-0.9.tar.gz"], None);
        incomplete(&[wheel, "core-3.0-py3-none-any.whl"], Some(FileKind::Sdist));
    }

    #[test]
    fn a_release_takes_files_for_two_weeks() {
        let aged = |age| ServedFile { age, ..served("a.whl", None) };
        assert!(!is_closed(&[aged(None), aged(Some(13))]));
        assert!(is_closed(&[aged(Some(3)), aged(Some(14))]));
    }

    #[test]
    fn a_shared_tag_comes_after_all_that_share_it() {
        let sharing = |index| Package { tag: "v1".to_owned(), ..package(index) };
        let actions = plan([sharing(0), package(1), sharing(2)], Until::Published, true);
        let last: Vec<Action> = actions[actions.len() - 6..].to_vec();
        let [a, b, c] = [id(0), id(1), id(2)];
        let published = [Action::Publish(a), Action::Publish(b), Action::Tag(b)];
        assert_eq!(last[..3], published);
        assert_eq!(last[3..], [Action::Publish(c), Action::Tag(a), Action::Tag(c)]);
    }

    #[test]
    fn what_is_tagged_is_not_tagged_again() {
        let tagged = Package { tagged: Some("commit".into()), ..package(0) };
        let actions = plan([tagged, package(1)], Until::Published, true);
        assert!(actions.contains(&Action::Publish(id(0))) && actions.contains(&Action::Tag(id(1))));
        assert!(!actions.contains(&Action::Tag(id(0))));
    }

    #[test]
    fn same_bytes_are_skipped_missing_are_sent_others_stop() {
        let built = [artifact("a.whl"), artifact("a.tar.gz")];
        let both = [served("a.whl", Some("aa")), served("a.tar.gz", Some("aa"))];
        assert_eq!(to_upload(&built, &both), Upload::Nothing);
        assert_eq!(to_upload(&built, &both[..1]), Upload::Send(vec![artifact("a.tar.gz")]));
        assert_eq!(
            to_upload(&built, &[served("a.whl", Some("bb"))]),
            Upload::Conflict(vec!["a.whl".into()])
        );
        assert_eq!(
            to_upload(&built, &[served("a.whl", None)]),
            Upload::Conflict(vec!["a.whl".into()])
        );
    }

    #[track_caller]
    fn version(file: &str, name: &str, expected: Option<&str>) {
        let expected = expected.map(|version| version.parse::<Version>().unwrap());
        assert_eq!(version_in_file_name(file, name), expected, "{file}");
    }

    #[test]
    fn versions_in_file_names() {
        version("acme_core-2.3.0-py3-none-any.whl", "acme_core", Some("2.3.0"));
        version("acme_core-2.3.0.tar.gz", "acme_core", Some("2.3.0"));
        version("acme-core-2.3.0.tar.gz", "acme_core", Some("2.3.0"));
        version("acme_core-2.3.0.tar.gz", "acme", None);
        version("acme-2.3.0.tar.gz", "acme_core", None);
        version("acme_core-2.3.0.egg", "acme_core", None);
    }
}
