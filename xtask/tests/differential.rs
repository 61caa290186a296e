//! Versions and ranges against Python's `packaging`: order, spelling, containment, and containment
//! of what ranges are rewritten to.
//!
//! Takes `packaging` from the Python in `XTASK_PACKAGING_PYTHON`, from the tool's own environment
//! or from `python3`, where pip brings a copy. Before version 26 `packaging` was wrong about `~=v2.0` and `<7.post1`, so an
//! older one proves nothing and is passed over. `XTASK_CASES` sets how many cases are tried.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use domain::bump::range;
use domain::policy::RangePolicy;
use formats::pep440::specifier::{self, Dialect};
use formats::pep440::{Version, compatible_range};
use formats::splice;

const ORACLE: &str = r#"
import sys
try:
    import packaging
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version
except ImportError:
    import pip._vendor.packaging as packaging
    from pip._vendor.packaging.specifiers import InvalidSpecifier, SpecifierSet
    from pip._vendor.packaging.version import InvalidVersion, Version
if int(packaging.__version__.split(".")[0]) < 26:
    sys.exit("packaging " + packaging.__version__)
answers = []
for line in sys.stdin.read().split("\n")[:-1]:
    kind, one, other = line.split("\t")
    try:
        if kind == "order":
            one, other = Version(one), Version(other)
            answers.append("<" if one < other else "=" if one == other else ">")
        elif kind == "spelling":
            answers.append(str(Version(one)))
        else:
            answers.append(str(SpecifierSet(one).contains(Version(other), prereleases=True)))
    except (InvalidVersion, InvalidSpecifier):
        answers.append("invalid")
print("\n".join(answers))
"#;

/// A small generator, so that a seed always names the same case (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize) % limit
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    fn number(&mut self) -> String {
        self.of(&["0", "1", "2", "3", "9", "10", "12", "99", "2024", "007"]).to_owned()
    }

    fn release(&mut self) -> String {
        let mut text = if self.chance(25) { format!("{}!", self.below(3)) } else { String::new() };
        text += &self.number();
        for _ in 0..self.below(4) {
            text += ".";
            text += &self.number();
        }
        text
    }

    fn suffix(&mut self, words: &[&str], rarity: usize) -> String {
        if !self.chance(rarity) {
            return String::new();
        }
        let before = self.of(&["", ".", "-", "_"]);
        let word = self.of(words).to_owned();
        let between = self.of(&["", "", ".", "-", "_"]).to_owned();
        let number = if self.chance(5) { String::new() } else { self.below(4).to_string() };
        format!("{before}{word}{between}{number}")
    }

    /// A version in any spelling, now and then none at all.
    fn version(&mut self) -> String {
        let mut text = if self.chance(20) { "v".to_owned() } else { String::new() };
        text += &self.release();
        text += &self.suffix(&["a", "b", "rc", "alpha", "beta", "c", "pre", "preview", "RC"], 3);
        text += &if self.chance(12) {
            format!("-{}", self.below(3))
        } else {
            self.suffix(&["post", "rev", "r"], 5)
        };
        text += &self.suffix(&["dev", "DEV"], 5);
        if self.chance(15) {
            text += self.of(&["+abc", "+1", "+abc.1-x", "+ABC_2"]);
        }
        if self.chance(60) {
            text += self.of(&["x", ".", "..1", " 1", "!"]);
        }
        text
    }

    fn specifier(&mut self) -> String {
        let clauses: Vec<String> = (0..1 + self.below(3)).map(|_| self.clause()).collect();
        clauses.join(self.of(&[",", ", ", " , "]))
    }

    fn clause(&mut self) -> String {
        let operator =
            self.of(&["==", "!=", "~=", "<", "<=", ">", ">=", ">=", "===", "==*", "!=*"]);
        let blank = self.of(&["", "", " "]);
        match operator.strip_suffix('*') {
            Some(operator) => format!("{operator}{blank}{}.*", self.release()),
            None => format!("{operator}{blank}{}", self.version()),
        }
    }
}

/// The questions and the answers of this tool.
#[derive(Default)]
struct Questions {
    asked: String,
    answers: Vec<String>,
}

impl Questions {
    fn ask(&mut self, kind: &str, one: &str, other: &str, answer: impl ToString) {
        writeln!(self.asked, "{kind}\t{one}\t{other}").unwrap();
        self.answers.push(answer.to_string());
    }

    fn contains(&mut self, text: &str, version: &str) {
        let answer = match (specifier::parse(text, Dialect::Pep440), version.parse::<Version>()) {
            (Ok(clauses), Ok(version)) if specifier::admits(&clauses, &version) => "True",
            (Ok(_), Ok(_)) => "False",
            _ => "invalid",
        };
        self.ask("contains", text, version, answer);
    }
}

fn questions(cases: usize) -> Questions {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut questions = Questions::default();
    while questions.answers.len() < cases {
        let old = random.version();
        let new = random.version();
        let other = random.version();
        let parse = |text: &str| text.parse::<Version>();
        let order = match (parse(&old), parse(&new)) {
            (Ok(old), Ok(new)) => ["<", "=", ">"][(old.cmp(&new) as i8 + 1) as usize].to_owned(),
            _ => "invalid".to_owned(),
        };
        questions.ask("order", &old, &new, order);
        let spelling = parse(&old).map_or("invalid".to_owned(), |old| old.to_string());
        questions.ask("spelling", &old, "", spelling);
        let text = random.specifier();
        questions.contains(&text, &old);
        questions.contains(&text, &new);
        let (Ok(from), Ok(to)) = (parse(&old), parse(&new)) else { continue };
        let to = to.without_local();
        questions.contains(&compatible_range(&to), &to.to_string());
        for ranges in RangePolicy::ALL {
            let outcome = range::follow(&text, Dialect::Pep440, Some(&from), &to, ranges);
            let Ok(outcome) = outcome else { continue };
            let after = splice::apply(&text, &outcome.replacements);
            questions.contains(&after, &to.to_string());
            questions.contains(&after, &old);
            questions.contains(&after, &other);
        }
    }
    questions
}

fn python() -> PathBuf {
    if let Some(named) = std::env::var_os("XTASK_PACKAGING_PYTHON") {
        return named.into();
    }
    let target = Path::new(env!("CARGO_BIN_EXE_xtask")).parent().and_then(Path::parent).unwrap();
    let environments = std::fs::read_dir(target.join("xtask")).into_iter().flatten().flatten();
    environments
        .map(|entry| entry.path().join("bin/python"))
        .find(|python| python.exists())
        .unwrap_or("python3".into())
}

#[test]
fn packaging_agrees() {
    let cases = std::env::var("XTASK_CASES").ok().and_then(|text| text.parse().ok());
    let questions = questions(cases.unwrap_or(40_000));
    let mut child = Command::new(python())
        .args(["-I", "-c", ORACLE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python 3 with pip or packaging is needed");
    // A closed pipe means that the oracle passed; its exit code says why.
    let _ = child.stdin.take().unwrap().write_all(questions.asked.as_bytes());
    let output = child.wait_with_output().unwrap();
    if output.status.code() == Some(1) && output.stdout.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.starts_with("packaging "), "{said}");
        eprintln!("passed over: {} is too old", said.trim());
        return;
    }
    assert!(output.status.success());
    let theirs = String::from_utf8(output.stdout).unwrap();
    let rows = questions.asked.lines().zip(&questions.answers).zip(theirs.lines());
    let different: Vec<String> = rows
        .filter(|((_, ours), theirs)| ours.as_str() != *theirs)
        .map(|((asked, ours), theirs)| format!("{asked}: {ours}, packaging says {theirs}"))
        .collect();
    assert_eq!(theirs.lines().count(), questions.answers.len());
    let shown = different.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(different.is_empty(), "{} of {}:\n{shown}", different.len(), questions.answers.len());
}
