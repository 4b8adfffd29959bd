use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;

use crate::address;
use crate::error::LabError;
use crate::fetch::Asterisk;
use crate::site::{SECRET, Site, USER};

/// How long a server may take to be up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running Asterisk. It ends with this value.
#[derive(Debug)]
pub struct Server {
    asterisk: Asterisk,
    address: Ipv4Addr,
    run: TempDir,
    child: Option<Child>,
    /// The phones of the older SIP channel.
    older: Vec<String>,
}

impl Server {
    /// Starts a server for this site at an address of its own, and waits until it is up.
    ///
    /// # Errors
    /// It does not start: a failure, not a reason to skip.
    pub async fn start(asterisk: &Asterisk, site: &Site) -> Result<Self, LabError> {
        let address = address::free()?;
        let run = TempDir::with_prefix("ringback-pbx-").map_err(file(Path::new("/tmp")))?;
        let older = site.older_phones().to_vec();
        let mut server = Self { asterisk: asterisk.clone(), address, run, child: None, older };
        server.configure(site)?;
        server.launch().await?;
        Ok(server)
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The address of its manager interface, `host:port`.
    #[must_use]
    pub fn manager(&self) -> String {
        format!("{}:{}", self.address, address::AMI)
    }

    /// Where this phone registers, `host:port`.
    pub(crate) fn registrar(&self, phone: &str) -> String {
        let older = self.older.iter().any(|older| older == phone);
        format!("{}:{}", self.address, if older { address::CHAN_SIP } else { address::SIP })
    }

    /// The address of its manager interface over TLS, if the site has one.
    #[must_use]
    pub fn manager_tls(&self) -> String {
        format!("{}:{}", self.address, address::AMI_TLS)
    }

    /// The manager user of the site, and its secret.
    #[must_use]
    pub fn login(&self) -> (&'static str, &'static str) {
        (USER, SECRET)
    }

    /// The version met.
    #[must_use]
    pub fn version(&self) -> &str {
        self.asterisk.version()
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Ends it as a power failure does (`kill -9`): no phone is told.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again after [`kill`](Self::kill), with what it has on disk.
    ///
    /// # Errors
    /// It does not start.
    pub async fn restart(&mut self) -> Result<(), LabError> {
        self.kill();
        self.launch().await
    }

    /// Gives the server a command of its console, and takes what it says.
    ///
    /// # Errors
    /// It is not running, or does not answer.
    pub async fn console(&self, command: &str) -> Result<String, LabError> {
        let mut remote = tokio::process::Command::new(self.asterisk.program());
        remote.arg("-C").arg(self.path("etc/asterisk.conf")).arg("-rx").arg(command).kill_on_drop(true);
        let failed = |source| LabError::Command { what: format!("asterisk -rx {command:?}"), source };
        let output = timeout(PATIENCE, remote.output())
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            .map_err(failed)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        ["var/log/full", "output"]
            .map(|name| fs::read(self.path(name)).unwrap_or_default())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat()
    }

    /// Writes a configuration file anew. `console("module reload ...")` puts it in force.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, content: &str) -> Result<(), LabError> {
        let path = self.path("etc").join(name);
        fs::write(&path, content).map_err(file(&path))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.run.path().join(name)
    }

    fn configure(&self, site: &Site) -> Result<(), LabError> {
        for folder in ["etc", "var/lib", "var/db", "var/keys/keys", "var/spool", "var/run", "var/log"] {
            let path = self.path(folder);
            fs::create_dir_all(&path).map_err(file(&path))?;
        }
        let main = include_str!("../conf/asterisk.conf")
            .replace("@RUN@", &self.run.path().display().to_string())
            .replace("@TREE@", &self.asterisk.tree().display().to_string())
            .replace("@MODULES@", &self.asterisk.modules().display().to_string())
            .replace("@ENTITY@", &format!("{:02x}", self.address.octets()[3]));
        self.write("asterisk.conf", &main)?;
        let etc = self.path("etc").display().to_string();
        let files = site.files(self.address);
        files.iter().try_for_each(|(name, content)| self.write(name, &content.replace("@ETC@", &etc)))
    }

    async fn launch(&mut self) -> Result<(), LabError> {
        let output = self.path("output");
        let log = File::create(&output).map_err(file(&output))?;
        let errors = log.try_clone().map_err(file(&output))?;
        let program = self.asterisk.program();
        let child = Command::new(&program)
            .arg("-C")
            .arg(self.path("etc/asterisk.conf"))
            .arg("-f")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|source| LabError::Command { what: program.display().to_string(), source })?;
        self.child = Some(child);
        let up = async {
            loop {
                if let Some(Ok(Some(status))) = self.child.as_mut().map(Child::try_wait) {
                    return Err(format!("it ended with {status}"));
                }
                let socket = self.path("var/run/asterisk.ctl").exists();
                if socket
                    && self.console("core waitfullybooted").await.is_ok_and(|said| said.contains("booted"))
                {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let result =
            timeout(PATIENCE, up).await.unwrap_or_else(|_| Err(format!("not up within {PATIENCE:?}")));
        result.map_err(|reason| {
            let log = self.log();
            self.kill();
            let end = log.len().saturating_sub(4000);
            LabError::Start { reason, log: log.chars().skip(end).collect() }
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn file(path: &Path) -> impl Fn(std::io::Error) -> LabError {
    let path = path.to_owned();
    move |source| LabError::File { path: path.clone(), source }
}
