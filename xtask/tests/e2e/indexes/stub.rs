//! A package index that can be told to fail: twine's upload endpoint and the simple API (PEP 503,
//! PEP 691) on loopback, with PyPI's rules, status codes and wording. It remembers every request.
//! Its threads end with the value.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use serde_json::json;

use super::http::{self, Head};
use crate::support::sha256;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// This status with these words, and nothing is stored.
    Status(u16, &'static str),
    /// The same, and with the header `Retry-After`, in seconds.
    Busy(u16, &'static str, &'static str),
    /// The file is stored, and the answer is this status.
    Stored(u16, &'static str),
    /// The connection breaks before the body is read, in the middle of it, or behind it.
    ResetBefore,
    ResetDuring,
    ResetAfter,
    /// It breaks when the file is stored.
    StoredThenReset,
    /// No answer at all, before or after the file is stored.
    Hang,
    StoredThenHang,
    /// The page of a project is as it was when the index was empty.
    Stale,
    /// 403, with the password that was sent in it.
    Echo,
    /// The victim and all it has started are killed, before or after the file is stored.
    Kill {
        stored: bool,
    },
}

/// For ever.
pub(crate) const ALWAYS: usize = usize::MAX;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum On {
    /// Uploads of files whose names start like this.
    Upload(&'static str),
    /// Pages of projects whose names start like this.
    Page(&'static str),
}

struct Rule {
    on: On,
    /// How many requests go by before it holds, and for how many it holds.
    after: usize,
    times: usize,
    fault: Fault,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    /// PEP 503 in place of PEP 691.
    html: bool,
    /// When everything was uploaded, where it says so (PEP 700).
    upload_time: Option<&'static str>,
    rules: Vec<Rule>,
    accepted: Vec<String>,
    /// Files that came with an attestation (PEP 740).
    attested: Vec<String>,
    log: Vec<String>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    over: AtomicBool,
    victim: AtomicU32,
}

pub(crate) struct Stub {
    shared: Arc<Shared>,
    port: u16,
    server: Option<JoinHandle<()>>,
}

impl Stub {
    pub(crate) fn start() -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let server = spawn({
            let shared = Arc::clone(&shared);
            move || serve(&listener, &shared)
        });
        Stub { shared, port, server: Some(server) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The next `times` such requests go wrong.
    pub(crate) fn fail(&self, on: On, times: usize, fault: Fault) {
        self.fail_after(0, on, times, fault);
    }

    /// The same, when `after` such requests have gone by.
    pub(crate) fn fail_after(&self, after: usize, on: On, times: usize, fault: Fault) {
        self.state().rules.push(Rule { on, after, times, fault });
    }

    pub(crate) fn fail_no_more(&self) {
        self.state().rules.clear();
    }

    /// Whom [`Fault::Kill`] is meant for: the leader of a process group.
    pub(crate) fn aims_at(&self, group: u32) {
        self.shared.victim.store(group, Ordering::SeqCst);
    }

    /// Puts a file there that nobody has uploaded.
    pub(crate) fn put(&self, file: &str, bytes: Vec<u8>) {
        self.state().files.insert(file.to_owned(), bytes);
    }

    pub(crate) fn speaks_html(&self) {
        self.state().html = true;
    }

    /// It says that this was when it got its files.
    pub(crate) fn was_uploaded(&self, time: &'static str) {
        self.state().upload_time = Some(time);
    }

    /// The names of the files that it has.
    pub(crate) fn files(&self) -> Vec<String> {
        self.state().files.keys().cloned().collect()
    }

    #[track_caller]
    pub(crate) fn bytes(&self, file: &str) -> Vec<u8> {
        self.state().files.get(file).unwrap_or_else(|| panic!("{file} is not there")).clone()
    }

    /// The files that came with an attestation, in the order of their names.
    pub(crate) fn attested(&self) -> Vec<String> {
        let mut attested = self.state().attested.clone();
        attested.sort();
        attested
    }

    /// The files that it has stored, in order; the same bytes once more are not stored again.
    pub(crate) fn accepted(&self) -> Vec<String> {
        self.state().accepted.clone()
    }

    /// The uploads that it was sent, each with what came of it.
    pub(crate) fn uploads(&self) -> Vec<String> {
        let log = self.state().log.clone();
        log.into_iter().filter(|line| line.starts_with("POST ")).collect()
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // It waits for a connection, and this is one.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.server.take().map(JoinHandle::join);
    }
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut clients = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        if shared.is_over() {
            break;
        }
        let shared = Arc::clone(shared);
        clients.push(spawn(move || shared.client(stream)));
    }
    for client in clients {
        let _ = client.join();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn log(&self, line: String) {
        self.state().log.push(line);
    }

    /// Until the test is over, or the client has had enough.
    fn hang(&self, stream: &TcpStream) {
        let _ = stream.set_nonblocking(true);
        while !self.is_over() && !matches!(stream.peek(&mut [0]), Ok(0)) {
            sleep(Duration::from_millis(10));
        }
    }

    fn client(&self, stream: TcpStream) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
        let Ok(mut out) = stream.try_clone() else { return };
        // What is not asked for stays in the socket: closing it then is a reset.
        let mut stream = BufReader::with_capacity(1, stream);
        let Some(head) = Head::read(&mut stream) else { return };
        match head.method.as_str() {
            "POST" => self.upload(&head, &mut stream, &mut out),
            _ => self.get(&head, &mut out),
        }
    }

    fn upload(&self, head: &Head, stream: &mut BufReader<TcpStream>, out: &mut TcpStream) {
        // The file's name comes in its body; a rule for all files need not wait for it.
        if self.state().fault_among(|on| on == On::Upload(""), &[Fault::ResetBefore]).is_some() {
            // What is unread when it is dropped is answered with a reset.
            return self.log("POST reset before the body".to_owned());
        }
        let mut form = http::body(stream, head.length() / 2).unwrap_or_default();
        if self.state().fault_among(|on| on == On::Upload(""), &[Fault::ResetDuring]).is_some() {
            return self.log("POST reset during the body".to_owned());
        }
        let rest = http::body(stream, head.length() - form.len()).unwrap_or_default();
        form.extend(rest);
        let Some((name, bytes)) = http::uploaded_file(&form) else {
            return self.log("POST cut off".to_owned());
        };
        if form.windows(19).any(|part| part == b"name=\"attestations\"") {
            self.state().attested.push(name.clone());
        }
        let says = |status: u16| self.log(format!("POST {name} {status}"));
        let fault =
            self.state().fault(|on| matches!(on, On::Upload(start) if name.starts_with(start)));
        let (status, words) = match fault {
            None => self.store(&name, bytes),
            Some(Fault::Status(status, words)) => (status, words.to_owned()),
            Some(Fault::Busy(status, words, seconds)) => {
                says(status);
                return refuse(out, status, words, &[("Retry-After", seconds)]);
            }
            Some(Fault::Echo) => (403, format!("Not with {}", head.password())),
            Some(Fault::Stored(status, words)) => {
                self.store(&name, bytes);
                (status, words.to_owned())
            }
            Some(Fault::Kill { stored }) => {
                if stored {
                    self.store(&name, bytes);
                }
                self.kill();
                return self.log(format!("POST {name} killed"));
            }
            Some(broken) => {
                if matches!(broken, Fault::StoredThenReset | Fault::StoredThenHang) {
                    self.store(&name, bytes);
                }
                self.log(format!("POST {name} {broken:?}"));
                if matches!(broken, Fault::Hang | Fault::StoredThenHang) {
                    self.hang(out);
                }
                return;
            }
        };
        says(status);
        refuse(out, status, &words, &[]);
    }

    fn kill(&self) {
        let group = self.victim.load(Ordering::SeqCst);
        assert_ne!(group, 0, "nobody is aimed at");
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).status();
    }

    /// PyPI's rules about a file.
    fn store(&self, name: &str, bytes: Vec<u8>) -> (u16, String) {
        let mut state = self.state();
        match state.files.get(name) {
            Some(there) if *there == bytes => return (200, "OK".to_owned()),
            Some(there) => {
                let digest = &sha256(there)[..16];
                let words =
                    format!("File already exists ('{name}', with blake2_256 hash '{digest}').");
                return (400, words);
            }
            None => {}
        }
        state.files.insert(name.to_owned(), bytes);
        state.accepted.push(name.to_owned());
        (200, "OK".to_owned())
    }

    fn get(&self, head: &Head, out: &mut TcpStream) {
        let path = head.path.trim_end_matches('/');
        let last = path.rsplit('/').next().unwrap_or_default();
        let is_page = path.contains("/simple/");
        let fault = self.state().fault(|on| match on {
            On::Page(start) => is_page && last.starts_with(start),
            On::Upload(_) => false,
        });
        let note = fault.map_or(String::new(), |fault| format!(" {fault:?}"));
        self.log(format!("GET {}{note}", head.path));
        match fault {
            Some(Fault::Status(status, words)) => refuse(out, status, words, &[]),
            Some(Fault::Busy(status, words, seconds)) => {
                refuse(out, status, words, &[("Retry-After", seconds)]);
            }
            Some(Fault::Stale) => refuse(out, 404, "Not Found", &[]),
            Some(Fault::Hang) => self.hang(out),
            Some(_) => {}
            None if is_page => self.page(last, out),
            None => match self.state().files.get(last) {
                Some(bytes) => http::answer(out, "200 OK", &[], bytes),
                None => refuse(out, 404, "Not Found", &[]),
            },
        }
    }

    fn page(&self, project: &str, out: &mut TcpStream) {
        let state = self.state();
        let own = |name: &&String| {
            let start = name.split('-').next().unwrap_or_default();
            start.replace(['_', '.'], "-").eq_ignore_ascii_case(project)
        };
        let files: Vec<(&String, String)> = state
            .files
            .iter()
            .filter(|(name, _)| own(name))
            .map(|(name, bytes)| (name, sha256(bytes)))
            .collect();
        if files.is_empty() {
            return refuse(out, 404, "Not Found", &[]);
        }
        let url = |name: &str| format!("../../files/{name}");
        let (kind, text) = if state.html {
            let link = |(name, digest): &(&String, String)| {
                format!("<a href=\"{}#sha256={digest}\">{name}</a><br/>\n", url(name))
            };
            let links: String = files.iter().map(link).collect();
            ("text/html", format!("<!DOCTYPE html><html><body>\n{links}</body></html>\n"))
        } else {
            let file = |(name, digest): &(&String, String)| {
                json!({
                    "filename": name,
                    "url": url(name),
                    "hashes": { "sha256": digest },
                    "upload-time": state.upload_time,
                })
            };
            let files: Vec<_> = files.iter().map(file).collect();
            let page = json!({ "meta": { "api-version": "1.1" }, "name": project, "files": files });
            ("application/vnd.pypi.simple.v1+json", page.to_string())
        };
        http::answer(out, "200 OK", &[("Content-Type", kind)], text.as_bytes());
    }
}

impl State {
    /// The fault that the rules have for a request, which they count.
    fn fault(&mut self, concerns: impl Fn(On) -> bool) -> Option<Fault> {
        self.fault_among(concerns, &[])
    }

    /// The same, if it is one of these (or any, if none is named).
    fn fault_among(&mut self, concerns: impl Fn(On) -> bool, wanted: &[Fault]) -> Option<Fault> {
        let early = [Fault::ResetBefore, Fault::ResetDuring];
        let fits = |rule: &Rule| match wanted {
            [] => !early.contains(&rule.fault),
            wanted => wanted.contains(&rule.fault),
        };
        let open = |rule: &&mut Rule| fits(rule) && rule.times > 0 && concerns(rule.on);
        for rule in self.rules.iter_mut().filter(open) {
            if rule.after > 0 {
                rule.after -= 1;
                continue;
            }
            rule.times -= usize::from(rule.times != ALWAYS);
            return Some(rule.fault);
        }
        None
    }
}

/// Says something the way PyPI does: in the reason phrase, and in a page of HTML.
fn refuse(out: &mut TcpStream, status: u16, words: &str, headers: &[(&str, &str)]) {
    let line = format!("{status} {words}");
    let page = format!(
        "<html>\n <head>\n  <title>{line}</title>\n </head>\n <body>\n  <h1>{line}</h1>\n  \
         {words}<br/><br/>\n\n\n </body>\n</html>"
    );
    let headers = [headers, &[("Content-Type", "text/html; charset=UTF-8")]].concat();
    http::answer(out, &line, &headers, page.as_bytes());
}
