//! The value of a Python expression of literals: texts joined, replaced, put into a path.
//!
//! Must not know setup.py. Everything else than texts is `None`, never a guess.

use crate::python::syntax::Expr;

/// Looks a name up; `None` where it is not one thing.
pub type Names<'a> = &'a dyn Fn(&str) -> Option<&'a Expr>;

/// How many names and calls are followed.
const FARTHEST: usize = 8;

/// The path that an expression evaluates to, relative to the folder of its file. A first part that
/// cannot be evaluated (`os.path.dirname(__file__)`, `here`) is taken for that folder.
pub fn path(expr: &Expr, names: Names<'_>) -> Option<String> {
    let parts = path_parts(expr, names, 0)?;
    let joined = parts.join("/");
    (!joined.is_empty()).then_some(joined)
}

fn path_parts(expr: &Expr, names: Names<'_>, depth: usize) -> Option<Vec<String>> {
    if depth > FARTHEST {
        return None;
    }
    let join = |parts: &[Expr]| {
        let mut joined = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            match path_parts(part, names, depth + 1) {
                Some(mut more) => joined.append(&mut more),
                None if index == 0 => {}
                None => return None,
            }
        }
        Some(joined)
    };
    match expr {
        Expr::Path(parts) => join(parts),
        Expr::Name(name) => match names(name) {
            Some(value) => path_parts(value, names, depth + 1),
            None => None,
        },
        Expr::Call { function, arguments, .. } => match &**function {
            Expr::Name(name) if name.ends_with("path.join") || name == "join" => join(arguments),
            Expr::Name(name) if is_wrapper(name) && arguments.len() == 1 => {
                path_parts(&arguments[0], names, depth + 1)
            }
            Expr::Name(name) if name == "Path" || name.ends_with(".Path") => join(arguments),
            Expr::Attribute { of, name } if name == "joinpath" => {
                let mut parts = vec![(**of).clone()];
                parts.extend(arguments.iter().cloned());
                join(&parts)
            }
            _ => evaluate(expr, names, depth).map(|text| vec![text]),
        },
        _ => evaluate(expr, names, depth).map(|text| vec![text]),
    }
}

/// Functions that return the path of their argument.
fn is_wrapper(name: &str) -> bool {
    ["str", "os.fspath", "os.path.abspath", "os.path.realpath", "os.path.normpath", "abspath"]
        .contains(&name)
}

/// The text that an expression evaluates to.
pub fn text(expr: &Expr, names: Names<'_>) -> Option<String> {
    evaluate(expr, names, 0)
}

fn evaluate(expr: &Expr, names: Names<'_>, depth: usize) -> Option<String> {
    if depth > FARTHEST {
        return None;
    }
    match expr {
        Expr::Text(text) if text.formatted => formatted(&text.raw, names, depth),
        Expr::Text(text) => Some(text.raw.clone()),
        Expr::Name(name) => evaluate(names(name)?, names, depth + 1),
        Expr::Index { of, index } => {
            let Expr::Name(of) = &**of else { return None };
            let key = evaluate(index, names, depth + 1)?;
            let entries = match names(of)? {
                Expr::Dict(entries) => entries,
                Expr::Call { function, keywords, .. }
                    if **function == Expr::Name("dict".into()) =>
                {
                    let found = keywords.iter().find(|(known, _)| *known == key);
                    return evaluate(&found?.1, names, depth + 1);
                }
                _ => return None,
            };
            let found = entries
                .iter()
                .find(|(known, _)| evaluate(known, names, depth + 1).as_ref() == Some(&key));
            evaluate(&found?.1, names, depth + 1)
        }
        Expr::Sum(parts) => parts.iter().map(|part| evaluate(part, names, depth + 1)).collect(),
        Expr::Call { function, arguments, .. } => {
            let (of, method) = match &**function {
                Expr::Name(name) => {
                    let (of, method) = name.rsplit_once('.')?;
                    (evaluate(names(of)?, names, depth + 1)?, method)
                }
                Expr::Attribute { of, name } => (evaluate(of, names, depth + 1)?, name.as_str()),
                _ => return None,
            };
            method_of(&of, method, arguments, names, depth)
        }
        _ => None,
    }
}

fn method_of(
    of: &str,
    method: &str,
    arguments: &[Expr],
    names: Names<'_>,
    depth: usize,
) -> Option<String> {
    let argument = |index: usize| evaluate(arguments.get(index)?, names, depth + 1);
    match method {
        "replace" => Some(of.replace(argument(0)?.as_str(), &argument(1)?)),
        "format" => {
            let mut filled = of.to_owned();
            for index in 0..arguments.len() {
                filled = filled.replacen("{}", &argument(index)?, 1);
            }
            (!filled.contains(['{', '}'])).then_some(filled)
        }
        "join" => {
            let Expr::List(parts) = arguments.first()? else { return None };
            let parts = parts.iter().map(|part| evaluate(part, names, depth + 1));
            Some(parts.collect::<Option<Vec<_>>>()?.join(of))
        }
        "lower" => Some(of.to_lowercase()),
        "strip" if arguments.is_empty() => Some(of.trim().to_owned()),
        _ => None,
    }
}

/// `"{NAME}/version.py"` where every field is a name that is known.
fn formatted(raw: &str, names: Names<'_>, depth: usize) -> Option<String> {
    let mut result = String::new();
    let mut rest = raw;
    while let Some(open) = rest.find('{') {
        let close = open + rest[open..].find('}')?;
        result.push_str(&rest[..open]);
        result.push_str(&evaluate(names(rest[open + 1..close].trim())?, names, depth + 1)?);
        rest = &rest[close + 1..];
    }
    result.push_str(rest);
    Some(result)
}
