//! A monorepo made up for measuring: distribution N needs 0 and three of those before it, which
//! is four internal ranges for each.

/// The files of `count` distributions, by path.
pub(crate) fn files(count: usize) -> Vec<(String, String)> {
    let manifest = |number| (format!("packages/p{number}/pyproject.toml"), manifest(number));
    let module = |number| {
        let path = format!("packages/p{number}/src/p{number}/__init__.py");
        (path, "\"\"\"Nothing.\"\"\"\n".to_owned())
    };
    (0..count).flat_map(|number| [manifest(number), module(number)]).collect()
}

fn manifest(number: usize) -> String {
    let mut needs: Vec<String> = [0, number / 2, number / 3, number.saturating_sub(1)]
        .iter()
        .filter(|n| **n < number)
        .map(|n| format!("  \"p{n}>=1.0.0,<2.0.0\",\n"))
        .collect();
    needs.dedup();
    format!(
        "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n\n\
         [project]\nname = \"p{number}\"\nversion = \"1.0.0\"\ndependencies = [\n{}  \"click>=8\",\n]\n",
        needs.concat()
    )
}
