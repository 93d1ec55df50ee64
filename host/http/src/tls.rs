//! Whom to trust, and the TLS settings that follow. Opens no connection.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Whom to trust beside the machine's own list (which `SSL_CERT_FILE` and `SSL_CERT_DIR` replace).
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// A PEM file of further authorities.
    pub extra_ca: Option<PathBuf>,
}

/// Why the TLS settings could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    /// The file of authorities could not be read.
    #[error("cannot read the authorities in `{path}`: {cause}; expected a PEM file")]
    ExtraCa {
        /// The file.
        path: PathBuf,
        /// What was wrong with it.
        cause: String,
    },
    /// The TLS library refused its own settings.
    #[error("cannot set up TLS: {0}")]
    Config(String),
}

/// TLS settings, and whether anyone is trusted at all.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) connector: TlsConnector,
    /// How many authorities are trusted.
    pub(crate) roots: usize,
}

impl Tls {
    pub(crate) fn new(options: &TlsOptions) -> Result<Self, TlsSetupError> {
        let mut roots = RootCertStore::empty();
        // A machine without a list can still measure plain HTTP; a handshake then says that nobody is trusted.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = &options.extra_ca {
            add_file(&mut roots, path)?;
        }
        let count = roots.len();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsSetupError::Config(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), roots: count })
    }
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), TlsSetupError> {
    let fail = |cause: String| TlsSetupError::ExtraCa { path: path.to_owned(), cause };
    let found = CertificateDer::pem_file_iter(path).map_err(|error| fail(error.to_string()))?;
    let mut added = 0_usize;
    for certificate in found {
        let certificate = certificate.map_err(|error| fail(error.to_string()))?;
        roots.add(certificate).map_err(|error| fail(error.to_string()))?;
        added += 1;
    }
    if added == 0 { Err(fail("it holds no certificate".to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_empty_file_of_authorities_is_named() {
        let empty = tempfile::NamedTempFile::new().unwrap();
        for path in [PathBuf::from("no/such/file.pem"), empty.path().to_owned()] {
            let options = TlsOptions { extra_ca: Some(path.clone()) };
            let Err(error) = Tls::new(&options) else { panic!("accepted {}", path.display()) };
            assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        }
    }
}
