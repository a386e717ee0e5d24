//! Why a driver could not be started, or does not answer.

use std::error::Error;
use std::{fmt, io};

/// Why a driver could not be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// Not called within a tokio runtime that has its I/O driver.
    NoRuntime,
    /// No socket can be had on port 5353, of any family that was asked for.
    NoSocket(io::Error),
    /// The system does not tell which interfaces there are, or has no timer for us.
    System(io::Error),
}

/// The driver has ended: it was shut down, or its runtime is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriverEnded;

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRuntime => f.write_str(
                "not within a tokio runtime with its I/O driver on; use `enable_all` on its builder",
            ),
            Self::NoSocket(error) if error.kind() == io::ErrorKind::AddrInUse => f.write_str(
                "UDP port 5353 is held by a program that does not share it; `ss -ulnp` shows which",
            ),
            Self::NoSocket(error) if error.kind() == io::ErrorKind::PermissionDenied => f.write_str(
                "not allowed to open UDP port 5353; look at the sandbox or security policy of this program",
            ),
            Self::NoSocket(_) => f.write_str("cannot open a socket on UDP port 5353"),
            Self::System(_) => f.write_str("cannot learn about the network interfaces"),
        }
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoRuntime => None,
            Self::NoSocket(error) | Self::System(error) => Some(error),
        }
    }
}

impl fmt::Display for DriverEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("multicast DNS has been shut down")
    }
}

impl Error for DriverEnded {}
