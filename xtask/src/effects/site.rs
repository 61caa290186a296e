//! Where a release happens: the real repository with its remote and indexes, or a stage set with
//! local ones. The code of a release does not know which.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::cmd;

use super::build;
use super::git::Git;
use super::local_index::LocalIndex;
use super::shell;
use super::tools::Tools;
use super::twine::{self, Repository};
use domain::config::{IndexConfig, RepositoryConfig};
use domain::finding::{Finding, Refusal};
use domain::index_address::token_variable;
use domain::workspace::Workspace;

/// Everything outside the workspace that a release touches.
pub struct Site {
    /// The repository that is tagged.
    pub git: Git,
    pub remote: String,
    /// Glob patterns of the branches to release from; none allows any.
    pub branches: Vec<String>,
    /// Where the built files are kept, one folder for each version.
    pub dist: PathBuf,
    /// For what may be deleted at any time.
    pub scratch: PathBuf,
    pub staging: Repository,
    pub index: Repository,
    /// What twine reads instead of the user's `.pypirc`.
    pub twine_config: Option<PathBuf>,
    /// They run as long as the site is there.
    _local: Vec<LocalIndex>,
}

impl Site {
    /// The repository at `root`, with the remote and the indexes that it configures.
    ///
    /// # Errors
    /// There is no git repository, or twine cannot be asked.
    pub fn real(root: &Path, config: &RepositoryConfig, tools: &Tools) -> Result<Site> {
        let indexes = [&config.staging, &config.index];
        let [staging, index] = twine::repositories(tools, None, indexes)?;
        let tokens = indexes.map(|index| token_variable(&index.repository));
        Ok(Site {
            git: repository(root)?.without(tokens.into()),
            remote: config.remote.clone(),
            branches: config.branches.clone(),
            dist: root.join("dist"),
            scratch: scratch(root)?,
            staging,
            index,
            twine_config: None,
            _local: Vec::new(),
        })
    }

    /// A clone of HEAD with a bare remote and two indexes of its own, all under `target/`, made
    /// anew every time. There nothing of the targets has been released yet; what they need beside
    /// them and is released in the repository is on the index from the start, built from `source`,
    /// the export of HEAD.
    ///
    /// # Errors
    /// git fails, an index does not start, or a released dependency does not build.
    pub fn rehearsal(
        root: &Path,
        source: &Path,
        workspace: &Workspace,
        targets: &[usize],
        tools: &Tools,
    ) -> Result<Site> {
        let config = &workspace.config;
        let stage = scratch(root)?.join("rehearsal");
        remove(&stage)?;
        fs::create_dir_all(&stage)?;
        let tag = |at: usize| workspace.distributions[at].current_tag();
        let forget: Vec<String> = targets.iter().filter_map(|&at| tag(at)).collect();
        let clone = clone_with_remote(&repository(root)?, &stage, &config.remote, &forget)?;
        let names = [&config.staging.repository, &config.index.repository];
        let folders = names.map(|name| stage.join(name));

        let tags = clone.tags()?;
        let mut beside: Vec<usize> =
            targets.iter().flat_map(|&at| workspace.transitive_needs(at)).collect();
        beside.sort_unstable();
        beside.dedup();
        beside.retain(|&at| {
            !targets.contains(&at) && tags.iter().any(|t| Some(&t.name) == tag(at).as_ref())
        });
        for at in beside {
            let distribution = &workspace.distributions[at];
            let requires = distribution.manifest.build_requires();
            let epoch = clone.commit_time("HEAD")?;
            build::build(tools, &source.join(&distribution.dir), &requires, &folders[1], &epoch)
                .with_context(|| format!("{}, which is needed", distribution.name()))?;
        }

        let mut local = Vec::new();
        for folder in &folders {
            local.push(LocalIndex::start(tools, folder)?);
        }
        let twine_config = stage.join("pypirc");
        fs::write(&twine_config, pypirc(names, &local))?;
        let own = names.map(|name| IndexConfig { repository: name.clone(), simple: None });
        let [staging, index] = twine::repositories(tools, Some(&twine_config), [&own[0], &own[1]])?;
        Ok(Site {
            git: clone,
            remote: config.remote.clone(),
            branches: Vec::new(),
            dist: stage.join("dist"),
            scratch: stage.join("scratch"),
            staging,
            index,
            twine_config: Some(twine_config),
            _local: local,
        })
    }

    /// Whether this is the real thing, where a file name is taken for ever.
    pub fn is_real(&self) -> bool {
        self.twine_config.is_none()
    }
}

/// The git work tree at `root`.
///
/// # Errors
/// There is none: a release is made of commits.
pub fn repository(root: &Path) -> Result<Git> {
    let missing = || {
        Finding::error("git", format!("{} is no git repository", root.display()))
            .hint("a release is made of commits: git init, git add, git commit")
    };
    Ok(Git::at(root).ok_or_else(|| Refusal::from(missing()))?)
}

/// `target/xtask/` of the repository, hidden from its git whatever its `.gitignore` says.
///
/// # Errors
/// It cannot be written to.
pub fn scratch(root: &Path) -> Result<PathBuf> {
    let scratch = root.join("target/xtask");
    fs::create_dir_all(&scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
    fs::write(scratch.join(".gitignore"), "*\n")?;
    Ok(scratch)
}

/// Removes a folder, if it is there.
///
/// # Errors
/// It cannot be removed.
pub fn remove(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))
    } else {
        Ok(())
    }
}

/// A clone of HEAD and a bare remote that has the same commit and tags, less the forgotten ones.
fn clone_with_remote(original: &Git, stage: &Path, remote: &str, forget: &[String]) -> Result<Git> {
    let (clone, bare) = (stage.join("repository"), stage.join("remote.git"));
    let head = original.head()?;
    original.export(&head, &clone)?;
    let shell = shell::at(&clone)?;
    shell::read(cmd!(shell, "git init --quiet --bare {bare}"))?;
    // The original may be a shallow clone, as CI makes them.
    shell::read(cmd!(shell, "git -C {bare} config receive.shallowUpdate true"))?;
    shell::read(cmd!(shell, "git checkout --quiet -B rehearsal"))?;
    if !forget.is_empty() {
        // Not every one of them exists.
        shell::output(cmd!(shell, "git tag --delete {forget...}"))?;
    }
    shell::read(cmd!(shell, "git remote remove origin"))?;
    shell::read(cmd!(shell, "git remote add {remote} {bare}"))?;
    shell::read(cmd!(shell, "git push --quiet --no-verify --tags {remote} rehearsal"))?;
    repository(&clone)
}

/// A `.pypirc` for indexes that let anybody in; twine wants a name and a password all the same.
fn pypirc(names: [&String; 2], local: &[LocalIndex]) -> String {
    let mut text = format!("[distutils]\nindex-servers =\n    {}\n    {}\n", names[0], names[1]);
    for (name, index) in names.iter().zip(local) {
        let address = index.upload_address();
        text += &format!(
            "\n[{name}]\nrepository = {address}\nusername = rehearsal\npassword = rehearsal-{name}\n"
        );
    }
    text
}
