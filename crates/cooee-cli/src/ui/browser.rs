//! Opens the page in the browser without showing the token to others: the arguments of a program can be read by every user of the
//! machine, a file of one's own cannot.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::launch;

/// A file that leads to the page, for the owner alone; it goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Door {
    path: PathBuf,
}

impl Door {
    /// Writes the file.
    ///
    /// # Errors
    ///
    /// If there is no place for it.
    pub(crate) fn new(url: &str) -> io::Result<Self> {
        // In the user's own folder where there is one.
        let folder = std::env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|folder| folder.is_dir())
            .unwrap_or_else(std::env::temp_dir);
        Self::within(&folder, url)
    }

    fn within(folder: &Path, url: &str) -> io::Result<Self> {
        let mut octets = [0; 8];
        getrandom::fill(&mut octets).map_err(io::Error::other)?;
        let number = u64::from_be_bytes(octets);
        let path = folder.join(format!("cooee-{number:016x}.html"));
        let mut options = std::fs::OpenOptions::new();
        // Only if it is not there: nobody can have laid out another one, or a link.
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        let door = Self { path };
        write!(
            file,
            "<!doctype html><meta charset=utf-8><meta name=referrer content=no-referrer>\
             <meta http-equiv=refresh content=\"0; url={url}\"><title>cooee</title>"
        )?;
        Ok(door)
    }

    /// Has the user's browser open it.
    ///
    /// # Errors
    ///
    /// One sentence, if no browser can be started.
    pub(crate) fn open(&self) -> Result<(), String> {
        launch::launch(self.path.as_os_str())
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // It may be gone by now; the token is worth nothing after the run.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_door_is_for_its_owner_and_goes_with_the_run() {
        let door = Door::within(&std::env::temp_dir(), "http://127.0.0.1:1/?token=0").unwrap();
        let path = door.path.clone();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("url=http://127.0.0.1:1/?token=0"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        drop(door);
        assert!(!path.exists());
    }
}
