//! Programs that nobody here wrote, pinned and installed on demand.
//!
//! Each lives in a folder of its own under one root, `$MICRO_TEST_CACHE` or `target/test-tools`, and is
//! installed by whoever needs it first; others wait at a lock file.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// A tool that tests talk to or run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Node.js 22: what the tools from npm need and few systems have.
    Node,
    /// The official Python SDK, session era (revisions up to 2025-11-25).
    Mcp1,
    /// The official Python SDK, both eras.
    Mcp2,
    /// fastmcp, which builds on the official Python SDK 2.x.
    FastMcp,
    /// The official TypeScript SDK 1.x, session era, as a module for scripts that Node runs.
    Sdk1,
    /// The official TypeScript SDK 2.x, both eras, as a module for scripts that Node runs.
    Sdk2,
    /// The MCP Inspector, used as a command.
    Inspector,
    /// The official conformance suite.
    Conformance,
    /// A certified OAuth and OpenID provider, as a module for scripts that Node runs.
    OidcProvider,
}

/// How a tool comes here.
struct Spec {
    /// Its folder under the root. Names the version, so that versions stand side by side.
    folder: &'static str,
    from: Source,
    /// What must be installed, with exact versions.
    packages: Vec<String>,
    /// The program or script inside the folder.
    entry: String,
}

enum Source {
    /// PyPI, into a virtual environment.
    PyPi,
    /// npm, into `node_modules`.
    Npm,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Node,
        Self::Mcp1,
        Self::Mcp2,
        Self::FastMcp,
        Self::Sdk1,
        Self::Sdk2,
        Self::Inspector,
        Self::Conformance,
        Self::OidcProvider,
    ];

    /// The table of pinned versions.
    fn spec(self) -> Spec {
        let (folder, from, packages, entry): (_, _, &[&str], _) = match self {
            Self::Node => {
                let package = format!("node-{PLATFORM}");
                return Spec {
                    folder: "node-22.23.3",
                    from: Source::Npm,
                    packages: vec![format!("{package}@22.23.3")],
                    entry: format!("node_modules/{package}/bin/node"),
                };
            }
            Self::Mcp1 => ("python-mcp-1.30.0", Source::PyPi, &["mcp==1.30.0"], "bin/python"),
            Self::Mcp2 => ("python-mcp-2.3.0", Source::PyPi, &["mcp==2.3.0"], "bin/python"),
            // 4.1.3 and later want a certifi of the day after, which not every mirror has.
            Self::FastMcp => ("fastmcp-4.1.2", Source::PyPi, &["fastmcp==4.1.2", "mcp==2.3.0"], "bin/python"),
            Self::Sdk1 => (
                "typescript-sdk-1.32.2",
                Source::Npm,
                &["@modelcontextprotocol/sdk@1.32.2"],
                "node_modules/@modelcontextprotocol/sdk/package.json",
            ),
            Self::Sdk2 => (
                "typescript-sdk-2.4.0",
                Source::Npm,
                &[
                    "@modelcontextprotocol/client@2.4.0",
                    "@modelcontextprotocol/node@2.1.2",
                    "@modelcontextprotocol/server@2.4.0",
                ],
                "node_modules/@modelcontextprotocol/server/package.json",
            ),
            Self::Inspector => (
                "inspector-2.12.0",
                Source::Npm,
                &["@modelcontextprotocol/inspector@2.12.0"],
                "node_modules/.bin/mcp-inspector",
            ),
            // The suite drives stateful revisions with the SDK beside it.
            Self::Conformance => (
                "conformance-0.2.0-alpha.12",
                Source::Npm,
                &["@modelcontextprotocol/conformance@0.2.0-alpha.12", "@modelcontextprotocol/sdk@1.32.2"],
                "node_modules/@modelcontextprotocol/conformance/dist/index.js",
            ),
            Self::OidcProvider => (
                "oidc-provider-9.13.3",
                Source::Npm,
                &["oidc-provider@9.13.3"],
                "node_modules/oidc-provider/lib/index.js",
            ),
        };
        let packages = packages.iter().map(ToString::to_string).collect();
        Spec { folder, from, packages, entry: entry.to_owned() }
    }

    /// A name for people.
    pub fn name(self) -> &'static str {
        self.spec().folder
    }

    /// Installs it when it is not there yet.
    ///
    /// # Errors
    /// When the package manager fails or is missing; its last words are in the error.
    pub fn install(self) -> Result<PathBuf> {
        let spec = self.spec();
        let root = cache_root()?;
        let folder = root.join(spec.folder);
        let done = folder.join(".installed");
        let wanted = spec.packages.join("\n");
        let ready = || fs::read_to_string(&done).is_ok_and(|text| text == wanted);
        if !ready() {
            fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
            let lock = File::create(root.join(format!("{}.lock", spec.folder))).context("cannot make a lock file")?;
            lock.lock().context("cannot lock the tools")?;
            if !ready() {
                spec.install_into(&folder).with_context(|| format!("cannot install {}", spec.folder))?;
                fs::write(&done, &wanted).context("cannot note what was installed")?;
            }
        }
        let entry = folder.join(&spec.entry);
        if !entry.exists() {
            bail!("{} has no {}; delete {} to install it again", spec.folder, spec.entry, folder.display());
        }
        Ok(entry)
    }

    /// A command that runs it, installed first: the Python of its environment, or Node with its script.
    ///
    /// # Errors
    /// As [`Tool::install`].
    pub fn command(self) -> Result<Command> {
        let entry = self.install()?;
        if !matches!(self, Self::Inspector | Self::Conformance) {
            let mut command = Command::new(entry);
            // The drivers live in the source tree, which stays as it is.
            command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
            return Ok(command);
        }
        let mut command = Command::new(Self::Node.install()?);
        command.arg(entry);
        Ok(command)
    }
}

/// The platform, as npm's packages of Node name it.
const PLATFORM: &str = match (cfg!(target_os = "macos"), cfg!(target_arch = "aarch64")) {
    (false, false) => "linux-x64",
    (false, true) => "linux-arm64",
    (true, false) => "darwin-x64",
    (true, true) => "darwin-arm64",
};

impl Spec {
    fn install_into(&self, folder: &Path) -> Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder).context("cannot remove what an earlier attempt left")?;
        }
        match self.from {
            Source::PyPi => {
                run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
                run(Command::new(folder.join("bin/python"))
                    .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                    .args(&self.packages))
            }
            Source::Npm => {
                fs::create_dir_all(folder)?;
                run(Command::new("npm")
                    .args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"])
                    .args(["--loglevel=error", "--prefix"])
                    .arg(folder)
                    .args(&self.packages))
            }
        }
    }
}

/// Where tools are kept.
fn cache_root() -> Result<PathBuf> {
    match env::var_os("MICRO_TEST_CACHE") {
        Some(dir) if !dir.is_empty() => Ok(dir.into()),
        _ => Ok(workspace::root()?.join("target/test-tools")),
    }
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let out = command.output().with_context(|| format!("cannot start {program}"))?;
    if !out.status.success() {
        let said = [out.stdout, out.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let last: Vec<_> = said.lines().rev().take(8).collect();
        bail!("{program}: {}\n{}", out.status, last.into_iter().rev().collect::<Vec<_>>().join("\n"));
    }
    Ok(())
}
