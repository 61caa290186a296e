//! The repository, remote and indexes that a release acts on: the real ones, or local stand-ins for
//! a rehearsal. Apart from its messages, the code of a release does not know which.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use domain::config::{IndexConfig, RepositoryConfig};
use domain::ids::DistributionId;
use domain::release::index_address::token_variable;
use domain::workspace::Workspace;

use crate::effects::index::local::LocalIndexes;
use crate::effects::index::twine::{self, Repository};
use crate::effects::paths::{remove, scratch};
use crate::effects::python::tools::Tools;
use crate::effects::release::build_one::BuildSource;
use crate::effects::repository::git::Git;

/// The git part of a release target. Finding it needs no Python.
pub(crate) struct GitTarget {
    /// The repository that is tagged.
    pub(crate) git: Git,
    pub(crate) remote: String,
    /// Glob patterns of the branches to release from; none allows any.
    pub(crate) branches: Vec<String>,
    /// Where the built files are kept, one folder for each version.
    pub(crate) dist: PathBuf,
    /// A folder for what may be deleted at any time.
    pub(crate) scratch: PathBuf,
    /// Whether this is a real release, where a file name can never be used again.
    pub(crate) is_real: bool,
}

/// The variables that hold the tokens of the configured indexes; no git sees them.
pub(crate) fn tokens(config: &RepositoryConfig) -> Vec<String> {
    [&config.staging, &config.index].map(|index| token_variable(&index.repository)).to_vec()
}

impl GitTarget {
    /// The repository at `root`, with the remote that it configures.
    ///
    /// # Errors
    /// There is no git repository.
    pub(crate) fn real(root: &Path, config: &RepositoryConfig) -> Result<GitTarget> {
        Ok(GitTarget {
            git: Git::required(root)?.without(tokens(config)),
            remote: config.remote.clone(),
            branches: config.branches.clone(),
            dist: root.join("dist"),
            scratch: scratch(root)?,
            is_real: true,
        })
    }

    /// A new clone of HEAD with a bare remote, all under `target/`. In it, no target has been
    /// released yet.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn rehearsal(
        root: &Path,
        workspace: &Workspace,
        targets: &[DistributionId],
    ) -> Result<GitTarget> {
        let remote = workspace.config.remote.clone();
        let stage = scratch(root)?.join("rehearsal");
        remove(&stage)?;
        fs::create_dir_all(&stage)?;
        let tags = targets.iter().filter_map(|&id| workspace.distributions[id].current_tag());
        let own_tags: Vec<String> = tags.collect();
        Ok(GitTarget {
            git: Git::required(root)?.stand_in(&stage, &remote, &own_tags)?,
            remote,
            branches: Vec::new(),
            dist: stage.join("dist"),
            scratch: stage.join("scratch"),
            is_real: false,
        })
    }
}

/// Everything outside the workspace that a release touches.
pub(crate) struct ReleaseTarget {
    pub(crate) git_target: GitTarget,
    pub(crate) staging: Repository,
    pub(crate) index: Repository,
    /// The file that twine reads instead of the user's `.pypirc`.
    pub(crate) twine_config: Option<PathBuf>,
    /// The local indexes of a rehearsal, which run until this is dropped.
    _local: Option<LocalIndexes>,
}

impl ReleaseTarget {
    /// The git target with the indexes that the repository configures.
    ///
    /// # Errors
    /// twine cannot be run.
    pub(crate) fn real(
        git_target: GitTarget,
        config: &RepositoryConfig,
        tools: &Tools,
    ) -> Result<ReleaseTarget> {
        let indexes = [&config.staging, &config.index];
        let [staging, index] = twine::repositories(tools, None, indexes)?;
        Ok(ReleaseTarget { git_target, staging, index, twine_config: None, _local: None })
    }

    /// The git target of a rehearsal with two indexes of its own. Released siblings that the targets
    /// need are on the index from the start, built from `source`, the export of HEAD.
    ///
    /// # Errors
    /// An index does not start, or a released dependency does not build.
    pub(crate) fn rehearsal(
        git_target: GitTarget,
        source: &Path,
        workspace: &Workspace,
        targets: &[DistributionId],
        tools: &Tools,
    ) -> Result<ReleaseTarget> {
        let config = &workspace.config;
        let stage = git_target.dist.parent().context("the rehearsal has no folder")?;
        let names = [&config.staging.repository, &config.index.repository];
        let folders = names.map(|name| stage.join(name));
        let source = BuildSource { tools, git: &git_target.git, commit: "HEAD", export: source };
        for id in released_beside(&git_target.git, workspace, targets)? {
            let distribution = &workspace.distributions[id];
            let Some(version) = distribution.version() else { continue };
            source.build(distribution, version, &[], &folders[1]).with_context(|| {
                format!("cannot build `{}`, which is needed", distribution.name())
            })?;
        }

        let local = LocalIndexes::start(tools, &folders)?;
        let twine_config = stage.join("pypirc");
        fs::write(&twine_config, pypirc(names, &local))?;
        let own = names.map(|name| IndexConfig { repository: name.clone(), simple: None });
        let [staging, index] = twine::repositories(tools, Some(&twine_config), [&own[0], &own[1]])?;
        let twine_config = Some(twine_config);
        Ok(ReleaseTarget { git_target, staging, index, twine_config, _local: Some(local) })
    }

    /// The name of an index or remote, as messages about what was done to it show it.
    pub(crate) fn shown(&self, name: &str) -> String {
        if self.git_target.is_real { name.to_owned() } else { format!("{name} (stand-in)") }
    }
}

/// The distributions that the targets need, that are not among them, and that are tagged.
fn released_beside(
    git: &Git,
    workspace: &Workspace,
    targets: &[DistributionId],
) -> Result<Vec<DistributionId>> {
    let tags = git.tags()?;
    let mut beside: Vec<DistributionId> =
        targets.iter().flat_map(|&id| workspace.transitive_needs(id)).collect();
    beside.sort_unstable();
    beside.dedup();
    beside.retain(|&id| {
        let tag = workspace.distributions[id].current_tag();
        !targets.contains(&id) && tags.iter().any(|known| Some(&known.name) == tag.as_ref())
    });
    Ok(beside)
}

/// A `.pypirc` for indexes without a login; twine requires a name and a password all the same.
fn pypirc(names: [&String; 2], local: &LocalIndexes) -> String {
    let mut text = format!("[distutils]\nindex-servers =\n    {}\n    {}\n", names[0], names[1]);
    for (name, address) in names.iter().zip(local.upload_addresses()) {
        text += &format!(
            "\n[{name}]\nrepository = {address}\nusername = rehearsal\npassword = rehearsal-{name}\n"
        );
    }
    text
}
