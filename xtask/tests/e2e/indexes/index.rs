//! Package indexes on loopback, and the `.pypirc` that names them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::support::{Repo, files_below, machine};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/indexes/index.py");

/// Which program an index is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Pypiserver,
    Devpi,
}

impl Kind {
    fn python(self, home: &Path) -> &'static Path {
        match self {
            Kind::Pypiserver => machine::tools_python(home),
            Kind::Devpi => machine::devpi_python(home),
        }
    }

    /// Where, below the server's address, files are uploaded to.
    fn upload_path(self) -> &'static str {
        match self {
            Kind::Pypiserver => "",
            Kind::Devpi => "somebody/index/",
        }
    }
}

/// An index that was started by hand. It ends when its standard input closes, and that this value
/// holds.
pub(crate) struct Index {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Index {
    /// Lets anybody in, or only who knows the password.
    fn start(kind: Kind, folder: &Path, home: &Path, password: Option<&str>) -> Index {
        let mut command = machine::command(kind.python(home), home);
        command.args(["-I", "-W", "ignore", SCRIPT, &format!("{kind:?}").to_lowercase()]);
        command.arg(folder).args(password);
        fs::create_dir_all(folder).unwrap();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
        Index { child, folder: folder.to_owned(), port: port.trim().parse().unwrap() }
    }

    /// The names of the files that it has.
    pub(crate) fn files(&self) -> Vec<String> {
        self.stored().into_keys().collect()
    }

    pub(crate) fn bytes(&self, file: &str) -> Vec<u8> {
        self.stored().remove(file).unwrap()
    }

    /// The distributions among what it keeps, however it sorts them into folders.
    fn stored(&self) -> BTreeMap<String, Vec<u8>> {
        let files = files_below(&self.folder.join("files"), &[]).into_iter();
        let files = files.filter(|(path, _)| path.ends_with(".whl") || path.ends_with(".tar.gz"));
        files.map(|(path, bytes)| (path.rsplit('/').next().unwrap().to_owned(), bytes)).collect()
    }

    /// The files that were sent to it, in order, accepted or not.
    pub(crate) fn uploads(&self) -> Vec<String> {
        let uploads = self.requests().into_iter();
        uploads.filter_map(|line| line.strip_prefix("POST ").map(str::to_owned)).collect()
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("requests.log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// Refuses uploads of files whose names start like this.
    pub(crate) fn refuse(&self, start: &str) {
        fs::write(self.folder.join("refuse"), start).unwrap();
    }

    pub(crate) fn refuse_nothing(&self) {
        fs::remove_file(self.folder.join("refuse")).unwrap();
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The two indexes of a release.
pub(crate) struct Indexes {
    pub staging: Index,
    pub index: Index,
}

impl Indexes {
    /// Two that let anybody in, with a user and a password for each in `.pypirc`.
    pub(crate) fn open(repo: &Repo) -> Indexes {
        let indexes = Indexes::start(Kind::Pypiserver, repo, [None, None]);
        let login = |password| format!("username = somebody\npassword = {password}\n");
        write_pypirc(repo, indexes.ports(), [login("first-secret"), login("second-secret")]);
        indexes
    }

    /// Two with a password each, which is not in `.pypirc`.
    pub(crate) fn with_passwords(repo: &Repo, staging: &str, index: &str) -> Indexes {
        let indexes = Indexes::start(Kind::Pypiserver, repo, [Some(staging), Some(index)]);
        write_pypirc(repo, indexes.ports(), Default::default());
        indexes
    }

    /// Two devpi with a password each, which is in `.pypirc`. Their simple API lies elsewhere than
    /// its address tells, so another commit configures that.
    pub(crate) fn devpi(repo: &Repo, staging: &str, index: &str) -> Indexes {
        let indexes = Indexes::start(Kind::Devpi, repo, [Some(staging), Some(index)]);
        let login = |password| format!("username = somebody\npassword = {password}\n");
        let path = Kind::Devpi.upload_path();
        write_pypirc_for(repo, indexes.ports(), path, [login(staging), login(index)]);
        let simple = indexes.ports().map(|port| format!("http://127.0.0.1:{port}/{path}+simple/"));
        let keys = format!("staging-simple = {:?}\nindex-simple = {:?}\n", simple[0], simple[1]);
        repo.write("Cargo.toml", &format!("[workspace.metadata.xtask]\n{keys}"));
        repo.record("two indexes");
        indexes
    }

    fn start(kind: Kind, repo: &Repo, passwords: [Option<&str>; 2]) -> Indexes {
        let start =
            |name: &str, password| Index::start(kind, &repo.beside(name), &repo.home(), password);
        Indexes { staging: start("staging", passwords[0]), index: start("index", passwords[1]) }
    }

    fn ports(&self) -> [u16; 2] {
        [self.staging.port, self.index.port]
    }

    /// Both go away.
    pub(crate) fn stop(&mut self) {
        self.staging.stop();
        self.index.stop();
    }

    /// Neither of them was sent anything.
    #[track_caller]
    pub(crate) fn have_nothing(&self) {
        for index in [&self.staging, &self.index] {
            assert_eq!((index.files(), index.uploads()), (vec![], vec![]));
        }
    }
}

/// Names two indexes on loopback; each login is the rest of its section.
pub(crate) fn write_pypirc(repo: &Repo, ports: [u16; 2], logins: [String; 2]) {
    write_pypirc_for(repo, ports, "", logins);
}

fn write_pypirc_for(repo: &Repo, ports: [u16; 2], path: &str, logins: [String; 2]) {
    let mut text = "[distutils]\nindex-servers =\n    testpypi\n    pypi\n".to_owned();
    for ((name, port), login) in ["testpypi", "pypi"].iter().zip(ports).zip(logins) {
        text += &format!("\n[{name}]\nrepository = http://127.0.0.1:{port}/{path}\n{login}");
    }
    fs::write(repo.home().join(".pypirc"), text).unwrap();
}

/// Stands where both indexes should be and takes note of every connection.
pub(crate) struct Silence(TcpListener);

impl Silence {
    pub(crate) fn listen() -> Silence {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // What connects waits in the queue, also after it has hung up.
        listener.set_nonblocking(true).unwrap();
        Silence(listener)
    }

    /// The same, and `.pypirc` names it for both indexes, without credentials.
    pub(crate) fn as_indexes(repo: &Repo) -> Silence {
        let silence = Silence::listen();
        write_pypirc(repo, [silence.port(); 2], Default::default());
        silence
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port())
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Nobody has connected.
    #[track_caller]
    pub(crate) fn unbroken(&self) {
        let knock = self.0.accept();
        assert!(knock.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    }
}
