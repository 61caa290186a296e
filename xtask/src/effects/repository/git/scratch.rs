//! Repositories of our own, made from the user's and thrown away: the clean export of a commit, the
//! clone with its bare remote that a rehearsal releases from, and one to try a tag in. Nothing of
//! the user's configuration changes what is in them, and no hook runs there.

use std::fs;
use std::path::Path;

use anyhow::Result;
use domain::release::preflight::TagRefusal;

use super::{Git, Kind, reason, settings};
use crate::effects::fs::temporary::Temporary;
use crate::effects::paths::remove;

impl Git {
    /// Makes a clone in `dir` with exactly the tree of `commit`: nothing untracked, nothing
    /// ignored. Objects are shared, so it costs no more than the files. Submodules are checked out
    /// from where they are checked out here; others stay empty, since nothing is fetched.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn export(&self, commit: &str, dir: &Path) -> Result<Git> {
        let clone = self.cloned(dir)?;
        clone.read(&["checkout", "--quiet", "--detach", commit])?;
        if dir.join(".gitmodules").is_file() {
            for entry in self.submodules(commit)? {
                let inner = dir.join(&entry.path);
                let exported = self.submodule(&entry).map(|git| git.export(&entry.id, &inner));
                // Its commit may not be here; what is missing is told once it is needed.
                if exported.is_some_and(|exported| exported.is_err()) {
                    remove(&inner)?;
                    fs::create_dir(&inner)?;
                }
            }
        }
        Ok(clone)
    }

    /// The same with one tag on `commit`, and of all other tags only those that are `older` ones of
    /// its kind: a tool that makes a version from tags sees no one else's.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn export_tagged(
        &self,
        commit: &str,
        dir: &Path,
        tag: &str,
        is_older: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let clone = self.export(commit, dir)?;
        let commit = clone.head()?;
        let mut foreign = clone.tags()?;
        foreign.retain(|known| known.commit == commit || !is_older(&known.name));
        let delete = foreign.iter().map(|known| format!("delete refs/tags/{}\n", known.name));
        clone.read_fed(&["update-ref", "--stdin"], Some(&delete.collect::<String>()))?;
        // Files that the build writes make no version dirty.
        let info = dir.join(".git/info");
        fs::create_dir_all(&info)?;
        fs::write(info.join("exclude"), "*\n")?;
        // Annotated, since `git describe` sees no other without `--tags`; by nobody, and unsigned.
        let nobody = ["-c", "user.name=release", "-c", "user.email=release@localhost"];
        let make = ["-c", "tag.gpgSign=false", "tag", "--annotate", "--message", tag];
        clone.read(&[&nobody[..], &make, &["--", tag, &commit]].concat()).map(drop)
    }

    fn cloned(&self, dir: &Path) -> Result<Git> {
        let configured = self.settings_of_a_scratch()?;
        let [root, target] = [&self.root, dir].map(Path::to_string_lossy);
        // A template may hold hooks and attributes.
        let mut clone = vec!["clone", "--quiet", "--shared", "--no-checkout", "--template="];
        clone.extend(configured.iter().flat_map(|setting| ["--config", setting]));
        clone.extend(["--", &root, &target]);
        self.of_ours(&self.root, Kind::Scratch).read(&clone)?;
        Ok(self.of_ours(dir, Kind::Scratch))
    }

    /// A clone of HEAD in `stage`, on a branch of its own, with a bare `remote` that has the same
    /// commit and tags, without the `dropped` ones.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn stand_in(&self, stage: &Path, remote: &str, dropped: &[String]) -> Result<Git> {
        let clone = self.export(&self.head()?, &stage.join("repository"))?;
        let bare = self.bare(&stage.join("remote.git"))?;
        // The original may be a shallow clone, as CI makes them.
        bare.read(&["config", "receive.shallowUpdate", "true"])?;
        clone.read(&["checkout", "--quiet", "-B", "rehearsal"])?;
        if !dropped.is_empty() {
            // Some of them may not exist.
            let delete = ["tag", "--delete", "--"].into_iter();
            let delete: Vec<&str> = delete.chain(dropped.iter().map(String::as_str)).collect();
            clone.output(&delete)?;
        }
        clone.read(&["remote", "remove", "origin"])?;
        clone.read(&["remote", "add", "--", remote, &bare.root.to_string_lossy()])?;
        clone.read(&["push", "--quiet", "--no-verify", "--tags", "--", remote, "rehearsal"])?;
        Ok(clone)
    }

    /// A bare repository in `dir` with the objects of this one, and no refs.
    fn bare(&self, dir: &Path) -> Result<Git> {
        let format = format!("--object-format={}", self.object_format()?);
        let path = dir.to_string_lossy();
        let init = ["init", "--quiet", "--bare", "--template=", &format, "--", &path];
        self.of_ours(&self.root, Kind::Scratch).read(&init)?;
        let bare = self.of_ours(dir, Kind::Bare);
        for setting in self.settings_of_a_scratch()? {
            let (key, value) = setting.split_once('=').unwrap_or((&setting, "true"));
            bare.read(&["config", "--add", key, value])?;
        }
        fs::create_dir_all(dir.join("objects/info"))?;
        fs::write(dir.join("objects/info/alternates"), format!("{}\n", self.objects()?))?;
        Ok(bare)
    }

    /// The hash function of its objects.
    fn object_format(&self) -> Result<String> {
        self.read(&["rev-parse", "--show-object-format"])
    }

    /// The folder of its objects, as an absolute path; a linked work tree has it elsewhere.
    fn objects(&self) -> Result<String> {
        let path = self.read(&["rev-parse", "--git-path", "objects"])?;
        Ok(self.root.join(path).to_string_lossy().into_owned())
    }

    /// The settings of a repository of ours: what is forced, and what is taken over from this
    /// one. The files of Git LFS are in this one too, unless it has them elsewhere.
    fn settings_of_a_scratch(&self) -> Result<Vec<String>> {
        let list = self.read(&["config", "--list", "-z"])?;
        let lfs = self.read(&["rev-parse", "--git-common-dir"])? + "/lfs";
        let lfs = format!("lfs.storage={}", self.root.join(lfs).display());
        let written = settings::written().into_iter().chain([lfs]);
        Ok(written.chain(settings::taken_over(&list)).collect())
    }

    fn of_ours(&self, root: &Path, kind: Kind) -> Git {
        Git { root: root.to_owned(), withheld: self.withheld.clone(), kind }
    }

    /// Why git would not make these tags on `commit`, found out without making them: the tagger is
    /// looked up, one tag is made and signed in a repository that is thrown away, and the change of
    /// the refs is prepared, which its hook may refuse, and given up.
    ///
    /// # Errors
    /// The repository to try it in cannot be made.
    pub(crate) fn refusal_to_tag(
        &self,
        tags: &[String],
        commit: &str,
    ) -> Result<Option<TagRefusal>> {
        let Some(first) = tags.first() else { return Ok(None) };
        if let Err(error) = self.read(&["var", "GIT_COMMITTER_IDENT"]) {
            return Ok(Some(TagRefusal::Tagger(reason(&error))));
        }
        let temporary = Temporary::new()?;
        let trial = self.bare(&temporary.path().join("trial.git"))?;
        if let Err(error) = trial.tag(first, commit, first) {
            return Ok(Some(TagRefusal::Object(reason(&error))));
        }
        let create = tags.iter().map(|tag| format!("create refs/tags/{tag} {commit}\n"));
        let transaction = format!("start\n{}prepare\nabort\n", create.collect::<String>());
        let prepared = self.output_fed(&["update-ref", "--stdin"], Some(&transaction))?;
        let said: Vec<&str> = prepared.stderr.lines().filter(|line| !line.is_empty()).collect();
        Ok((!prepared.success()).then(|| TagRefusal::Reference(said.join("; "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::repository::git::testing::Repository;

    /// Settings and templates that put other bytes or hooks into a new repository.
    #[test]
    fn an_export_has_the_bytes_of_the_commit() {
        let repository = Repository::new();
        repository.write("f.py", "a\nb\n");
        repository.write(".gitattributes", "*.sh text eol=crlf\n* text=auto\n");
        repository.write("f.sh", "a\n");
        repository.commit("feat: x");
        let template = repository.dir.path().join("template");
        fs::create_dir_all(template.join("info")).unwrap();
        fs::write(template.join("info/attributes"), "* text eol=crlf\n").unwrap();
        let attributes = repository.dir.path().join("attributes");
        fs::write(&attributes, "* text eol=crlf\n").unwrap();
        let (template, attributes) = (template.to_string_lossy(), attributes.to_string_lossy());
        for (key, value) in [
            ("core.autocrlf", "true"),
            ("core.eol", "crlf"),
            ("core.attributesFile", &attributes),
            ("init.templateDir", &template),
            ("clone.defaultRemoteName", "up"),
            ("core.hooksPath", "/nowhere"),
        ] {
            repository.configure(key, value);
        }
        let git = repository.git();
        let export = git.export("HEAD", &repository.dir.path().join("export")).unwrap();
        assert_eq!(fs::read_to_string(export.root.join("f.py")).unwrap(), "a\nb\n");
        assert_eq!(fs::read_to_string(export.root.join("f.sh")).unwrap(), "a\r\n");
        assert_eq!(export.remotes().unwrap(), ["origin"]);
        assert!(!export.root.join(".git/info/attributes").exists());
    }

    #[test]
    fn an_export_has_the_submodules_that_are_checked_out() {
        let repository = Repository::new();
        let run = |arguments: &str| {
            let identity = ["-c", "user.name=x", "-c", "user.email=x@example.invalid"];
            let arguments: Vec<&str> = arguments.split(' ').collect();
            repository
                .run(&[&identity[..], &["-c", "protocol.file.allow=always"], &arguments].concat());
        };
        let other = repository.dir.path().join("other");
        run(&format!("init --quiet {}", other.display()));
        fs::write(other.join("a.py"), "x = 1\n").unwrap();
        run(&format!("-C {} add --all", other.display()));
        run(&format!("-C {} commit --quiet --message x", other.display()));
        run(&format!("submodule --quiet add {} sub", other.display()));
        run(&format!("submodule --quiet add {} gone", other.display()));
        repository.commit("feat: x");
        run("submodule --quiet deinit --force gone");
        let git = repository.git();
        // A rehearsal exports from an export.
        let export = git.export("HEAD", &repository.dir.path().join("export")).unwrap();
        let export = export.export("HEAD", &repository.dir.path().join("again")).unwrap();
        assert_eq!(fs::read_to_string(export.root.join("sub/a.py")).unwrap(), "x = 1\n");
        assert_eq!(export.dirty().unwrap(), Vec::<String>::new());
        let tracked = export.tracked("HEAD").unwrap();
        let paths: Vec<&str> = tracked.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, [".gitmodules", "gone", "sub/a.py"]);
    }

    /// The storage of Git LFS is that of the repository, and so is the program that reads it.
    #[test]
    fn an_export_has_the_files_of_git_lfs() {
        let repository = Repository::new();
        repository.write(".gitattributes", "*.bin filter=lfs\n");
        repository.write("a.bin", "pointer\n");
        repository.commit("feat: x");
        repository.configure("filter.lfs.smudge", "cat \"$(git config lfs.storage)/a\"");
        repository.configure("filter.lfs.required", "true");
        repository.write(".git/lfs/a", "contents\n");
        let git = repository.git();
        let export = git.export("HEAD", &repository.dir.path().join("export")).unwrap();
        let export = export.export("HEAD", &repository.dir.path().join("again")).unwrap();
        assert_eq!(fs::read_to_string(export.root.join("a.bin")).unwrap(), "contents\n");
    }

    #[test]
    fn a_tool_that_reads_tags_sees_its_own() {
        let repository = Repository::new();
        repository.commit("feat: x");
        repository.run(&["tag", "a-v1"]);
        repository.commit("feat: y");
        ["a-v2rc1", "b-v3", "v9"].iter().for_each(|tag| _ = repository.run(&["tag", tag]));
        repository.configure("tag.gpgSign", "true");
        repository.configure("user.useConfigOnly", "true");
        let dir = repository.dir.path().join("export");
        let is_older = |tag: &str| tag.starts_with("a-");
        repository.git().export_tagged("HEAD", &dir, "a-v2", is_older).unwrap();
        fs::write(dir.join("_version.py"), "").unwrap();
        let seen = |arguments: &[&str]| {
            repository.run(&[&["-C", dir.to_str().unwrap()], arguments].concat())
        };
        assert_eq!(seen(&["tag"]), "a-v1\na-v2");
        assert_eq!(seen(&["describe", "--dirty"]), "a-v2");
        assert_eq!(seen(&["status", "--porcelain"]), "");
    }

    #[test]
    fn a_rehearsal_takes_over_who_tags_and_nothing_that_stops_it() {
        let repository = Repository::new();
        repository.commit("feat: x");
        for (key, value) in [
            ("user.name", "Only Here"),
            ("protocol.file.allow", "never"),
            ("push.gpgSign", "true"),
            ("safe.bareRepository", "explicit"),
            ("clone.rejectShallow", "true"),
            ("core.hooksPath", "/nowhere"),
        ] {
            repository.configure(key, value);
        }
        let stage = repository.dir.path().join("stage");
        fs::create_dir(&stage).unwrap();
        let stand_in = repository.git().stand_in(&stage, "origin", &[]).unwrap();
        stand_in.tag("v1", "HEAD", "x").unwrap();
        stand_in.push_tag("origin", "v1").unwrap();
        let tagger = stand_in.read(&["for-each-ref", "--format=%(taggername)", "refs/tags"]);
        assert_eq!(tagger.unwrap(), "Only Here");
    }

    #[test]
    fn what_stands_in_the_way_of_a_tag_is_known_before_it_is_made() {
        let repository = Repository::new();
        repository.commit("feat: x");
        let git = repository.git();
        let head = git.head().unwrap();
        let refusal = |tag: &str| git.refusal_to_tag(&[tag.to_owned()], &head).unwrap();
        assert_eq!(refusal("v1"), None);
        assert!(git.tags().unwrap().is_empty(), "nothing was made");

        git.tag("v1", &head, "x").unwrap();
        assert!(matches!(refusal("v1/a"), Some(TagRefusal::Reference(why)) if why.contains("v1")));

        repository.hook(
            "reference-transaction",
            "grep -q refs/tags && echo 'not you' >&2 && exit 1\nexit 0",
        );
        assert!(
            matches!(refusal("v2"), Some(TagRefusal::Reference(why)) if why.starts_with("not you"))
        );
        repository.hook("reference-transaction", "exit 0");

        repository.configure("tag.gpgSign", "true");
        repository.configure("gpg.program", "/nowhere/gpg");
        assert!(matches!(refusal("v2"), Some(TagRefusal::Object(_))));

        repository.configure("user.name", "");
        assert!(matches!(refusal("v2"), Some(TagRefusal::Tagger(_))));
    }
}
