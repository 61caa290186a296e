//! Where the versions of real-shaped setup.py files are found.

use super::*;

/// `Ok` is `FILE:LINE VERSION`, `Err` the reason.
#[track_caller]
fn check(files: &[(&str, &str)], expected: Result<&str, &str>) {
    let read = |path: &str| {
        let found = files.iter().find(|(known, _)| *known == path)?;
        Some(SourceFile { path: path.into(), text: found.1.into() })
    };
    let list = |_: &str| files.iter().map(|(path, _)| (*path).to_owned()).collect();
    let setup = read("p/setup.py").unwrap();
    let found = version(&setup, Files { read: &read, list: &list }, "p");
    let shown = match &found {
        DeclaredVersion::Literal { file, line, text, span, .. } => {
            assert_eq!(&read(file).unwrap().text[span.clone()], text);
            Ok(format!("{file}:{line} {text}"))
        }
        DeclaredVersion::FromTag { tool, .. } => Ok(format!("tag {tool}")),
        DeclaredVersion::Unknown { file, line, reason } => Err(format!("{file}:{line}: {reason}")),
    };
    assert_eq!(shown.as_ref().map(String::as_str).map_err(String::as_str), expected);
}

#[test]
fn literals() {
    check(
        &[("p/setup.py", "from setuptools import setup\nsetup(name='x', version='1.2.3')\n")],
        Ok("p/setup.py:2 1.2.3"),
    );
    check(&[("p/setup.py", "V = \"1.2\"\nsetuptools.setup(version=V)")], Ok("p/setup.py:1 1.2"));
    check(
        &[("p/setup.py", "import os\nsetup(version=os.environ.get('X', '1.2.3'))")],
        Ok("p/setup.py:2 1.2.3"),
    );
    check(
        &[("p/setup.py", "v = os.getenv('X', '1.2.3')\nsetup(version=f'{v}')")],
        Ok("p/setup.py:1 1.2.3"),
    );
    check(
        &[("p/setup.py", "setup(version=f\"{os.environ.get('X', '1.2.3')}\")")],
        Ok("p/setup.py:1 1.2.3"),
    );
    check(&[("p/setup.py", "meta = dict(version='1.0')\nsetup(**meta)")], Ok("p/setup.py:1 1.0"));
    check(
        &[(
            "p/setup.py",
            "if __name__ == '__main__':\n    setup(\n        # version='0'\n        version='1.0',\n    )",
        )],
        Ok("p/setup.py:4 1.0"),
    );
}

#[test]
fn defaults_beside_the_environment() {
    for version in [
        "os.environ['X'] if 'X' in os.environ else '1.2.3'",
        "'1.2.3' if 'X' not in os.environ else os.environ['X']",
        "os.environ.get('X') or '1.2.3'",
        "os.getenv('X', None) or '1.2.3'",
        "os.getenv('X', default='1.2.3')",
        "'1.2.3' + os.getenv('SUFFIX', '')",
        "(os.getenv('X') or '1.2.3')",
    ] {
        check(&[("p/setup.py", &format!("setup(version={version})"))], Ok("p/setup.py:1 1.2.3"));
        check(
            &[("p/setup.py", &format!("v = {version}\nsetup(version=v)"))],
            Ok("p/setup.py:1 1.2.3"),
        );
    }
    check(
        &[(
            "p/setup.py",
            "v = '1.2'\nif 'X' in os.environ:\n    v = os.environ['X']\nsetup(version=v)",
        )],
        Ok("p/setup.py:1 1.2"),
    );
    check(
        &[("p/setup.py", "e = os.environ.get('X')\nsetup(version=e if e else '1.2')")],
        Ok("p/setup.py:2 1.2"),
    );
    check(
        &[("p/setup.py", "setup(version='1' if old else '2')")],
        Err("p/setup.py:1: the version is computed in a way that cannot be followed"),
    );
}

#[track_caller]
fn name(files: &[(&str, &str)], expected: Option<&str>) {
    let read = |path: &str| {
        let found = files.iter().find(|(known, _)| *known == path)?;
        Some(SourceFile { path: path.into(), text: found.1.into() })
    };
    let list = |_: &str| files.iter().map(|(path, _)| (*path).to_owned()).collect();
    let setup = SetupPy::read(&read("p/setup.py").unwrap().text).unwrap();
    let found = setup.name(Files { read: &read, list: &list }, "p");
    assert_eq!(found.map(|(name, _)| name).as_deref(), expected);
    assert!(setup.unfollowed_name().is_some());
}

#[test]
fn names() {
    name(&[("p/setup.py", "P = 'air'\nsetup(name=f'acme-{P}')")], Some("acme-air"));
    name(&[("p/setup.py", "P = 'air'\nsetup(name='acme-' + P)")], Some("acme-air"));
    name(&[("p/setup.py", "P = 'air'\nsetup(name='acme-{}'.format(P))")], Some("acme-air"));
    name(&[("p/setup.py", "M = {'name': 'acme'}\nsetup(name=M['name'])")], Some("acme"));
    name(&[("p/setup.py", "M = {'name': 'acme'}\nsetup(**M)")], Some("acme"));
    name(&[("p/setup.py", "M = dict(name='acme')\nsetup(name=M['name'])")], Some("acme"));
    name(&[("p/setup.py", "P = 'air'\nsetup(name='-'.join(['acme', P]))")], Some("acme-air"));
    name(&[("p/setup.py", "setup(name=compute())")], None);
    let about = ("p/x/about.py", "__title__ = 'acme-x'\n__version__ = '1'\n");
    for text in [
        "i = {}\nwith open(os.path.join(here, 'x', 'about.py')) as f:\n    exec(f.read(), i)\nsetup(name=i['__title__'])",
        "i = {}\nexec(open('x/about.py').read(), i)\nT = i['__title__']\nsetup(name=T)",
        "i = runpy.run_path('x/about.py')\nsetup(name=i['__title__'])",
        "from x.about import __title__\nsetup(name=__title__)",
        "from x import about\nsetup(name=about.__title__)",
        "import x.about\nsetup(name=x.about.__title__)",
        "from x.about import __title__ as t\nsetup(name=t)",
    ] {
        name(&[("p/setup.py", text), about], Some("acme-x"));
    }
}

#[test]
fn files_that_it_reads() {
    check(
        &[
            ("p/setup.py", "setup(version=open('VERSION').read().strip())"),
            ("p/VERSION", "1.2.3\n"),
        ],
        Ok("p/VERSION:1 1.2.3"),
    );
    check(
        &[
            (
                "p/setup.py",
                "here = os.path.dirname(__file__)\nwith open(os.path.join(here, 'src', 'x', 'version.py')) as f:\n    exec(f.read(), about)\nsetup(version=about['__version__'])",
            ),
            ("p/src/x/version.py", "__version__ = '1.2'\n"),
        ],
        Ok("p/src/x/version.py:1 1.2"),
    );
    check(
        &[
            (
                "p/setup.py",
                "folder = NAME.replace('-', '/')\nwith open(os.path.join(folder, '_version.py')) as fd:\n    version = re.search(r'^VERSION', fd.read()).group(1)\nsetup(version=version)",
            ),
            ("p/a/b/_version.py", "VERSION = \"12.1.0b2\"\n"),
        ],
        Ok("p/a/b/_version.py:1 12.1.0b2"),
    );
    check(
        &[
            (
                "p/setup.py",
                "version = None\nwith open(os.path.join(root, 'g/c/version.py')) as fp:\n    cands = re.findall('x', fp.read())\n    version = cands[0]\nsetup(version=version)",
            ),
            ("p/g/c/version.py", "__version__ = \"3.1.0\"\n"),
        ],
        Ok("p/g/c/version.py:1 3.1.0"),
    );
    check(
        &[
            ("p/setup.py", "from x.v import VERSION\nsetup(version=VERSION)"),
            ("p/x/v.py", "VERSION = '2'\n"),
        ],
        Ok("p/x/v.py:1 2"),
    );
    check(
        &[
            ("p/setup.py", "import x\nsetup(version=x.__version__)"),
            ("p/x/__init__.py", "from .v import __version__\n"),
            ("p/x/v.py", "__version__ = '2'\n"),
        ],
        Ok("p/x/v.py:1 2"),
    );
}

#[test]
fn modules_that_it_loads() {
    let loader = "D = 'pkg'\nloader = importlib.machinery.SourceFileLoader(\n    fullname='version', path=os.path.join(here, D, 'version.py'))\nversion = types.ModuleType(loader.name)\nloader.exec_module(version)\nsetup(version=version.__version__)";
    let spec = "spec = importlib.util.spec_from_file_location('v', 'pkg/version.py')\nv = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(v)\nsetup(version=v.__version__)";
    for text in [loader, spec] {
        check(
            &[
                ("p/setup.py", text),
                ("p/pkg/version.py", "__version__ = '2.1'\n"),
                ("p/other/version.py", "__version__ = '1'\n"),
            ],
            Ok("p/pkg/version.py:1 2.1"),
        );
    }
}

#[test]
fn paths_that_it_puts_together() {
    let azure = "PACKAGE_NAME = 'azure-storage-blob'\nfolder = PACKAGE_NAME.replace('-', '/')\nwith open(os.path.join(folder, '_version.py'), 'r') as fd:\n    version = re.search(r'^VERSION', fd.read(), re.M).group(1)\nsetup(name=PACKAGE_NAME, version=version)";
    check(
        &[
            ("p/setup.py", azure),
            ("p/azure/storage/blob/_version.py", "VERSION = '12.1'"),
            ("p/azure/storage/blob/gen/_version.py", "VERSION = '1'"),
        ],
        Ok("p/azure/storage/blob/_version.py:1 12.1"),
    );
    let google = "root = os.path.abspath(os.path.dirname(__file__))\nversion = None\nwith open(os.path.join(root, 'google/x/gapic_version.py')) as fp:\n    found = re.findall(r'x', fp.read())\n    assert len(found) == 1\n    version = found[0]\nwith io.open(os.path.join(root, 'README.rst')) as f:\n    readme = f.read()\nsetuptools.setup(version=version)";
    check(
        &[
            ("p/setup.py", google),
            ("p/README.rst", "1.0"),
            ("p/google/x/gapic_version.py", "__version__ = \"1.2.3\"  # {x-release}\n"),
            ("p/google/x_v1/gapic_version.py", "__version__ = \"1.2.3\"\n"),
        ],
        Ok("p/google/x/gapic_version.py:1 1.2.3"),
    );
    let dagster = "def get_version() -> str:\n    version: dict[str, str] = {}\n    with open(Path(__file__).parent / \"d_w/version.py\", encoding=\"utf8\") as fp:\n        exec(fp.read(), version)\n    return version[\"__version__\"]\nver = get_version()\npin = \"\" if ver == \"1!0+dev\" else f\"=={ver}\"\nsetup(name='d', version=ver, install_requires=[f'x{pin}'])";
    check(
        &[("p/setup.py", dagster), ("p/d_w/version.py", "__version__ = \"1!0+dev\"\n")],
        Ok("p/d_w/version.py:1 1!0+dev"),
    );
    let helper = "def read(*parts):\n    with codecs.open(os.path.join(here, *parts)) as f:\n        return f.read()\nsetup(version=find_version('src', 'x', '__init__.py'))";
    check(
        &[
            ("p/setup.py", helper),
            ("p/src/x/__init__.py", "__version__ = '3'"),
            ("p/src/x/y/__init__.py", ""),
        ],
        Ok("p/src/x/__init__.py:1 3"),
    );
    let about = "about = {}\nwith open(Path(here) / 'pkg' / '__about__.py') as f:\n    exec(f.read(), about)\nsetup(version=about['__version__'])";
    check(
        &[("p/setup.py", about), ("p/pkg/__about__.py", "__version__ = '3.1'")],
        Ok("p/pkg/__about__.py:1 3.1"),
    );
}

#[test]
fn what_is_computed_is_refused() {
    check(
        &[("p/setup.py", "setup(version='1.' + minor())")],
        Err("p/setup.py:1: the version is computed in a way that cannot be followed"),
    );
    check(
        &[("p/setup.py", "v = '1'\nv = '2'\nsetup(version=v)")],
        Err("p/setup.py:3: `v` is assigned more than once"),
    );
    check(
        &[("p/setup.py", "v = '1'\nv += '2'\nsetup(version=v)")],
        Err("p/setup.py:3: `v` is assigned more than once"),
    );
    check(
        &[("p/setup.py", "setup(version=f'{a}.{b}')")],
        Err("p/setup.py:1: the version is put together in an f-string"),
    );
    check(&[("p/setup.py", "setup(version=versioneer.get_version())")], Ok("tag versioneer"));
    let miniver = [
        ("p/setup.py", "v = get_version(\"a\", \"_version.py\")\nsetup(version=v)"),
        ("p/a/_version.py", "STATIC_VERSION_FILE = \"_s.py\"\n__version__ = get_version()\n"),
        ("p/a/_s.py", "version = \"__use_git__\"\n"),
    ];
    check(&miniver, Ok("tag miniver"));
    let fixed = ("p/a/_s.py", "version = \"1.0dev\"\n");
    check(&[miniver[0], miniver[1], fixed], Ok("p/a/_s.py:1 1.0dev"));
    check(&[("p/setup.py", "setup(use_scm_version=True)")], Ok("tag setuptools-scm"));
    check(
        &[("p/setup.py", "print(1)")],
        Err("p/setup.py:1: setup.py does not call `setup` where it can be followed"),
    );
}
