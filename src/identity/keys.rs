//! The signing key: Ed25519, made on first start, in a file that only its owner can read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use jsonwebtoken::{Algorithm, DecodingKey};
use rand::RngCore;
use serde::Serialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::VerificationKey;

/// What a key is for; each has a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Access tokens.
    Tokens,
    /// Receipts and heads of the log.
    Log,
}

impl Purpose {
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Tokens => "signing.pem",
            Self::Log => "log.pem",
        }
    }
}

/// A key that signs, and the public half that checks. The private half is in `own` alone and overwritten when that goes,
/// and so is the text of the file and what a new key is made of; what moving and signing leave on the stack is not.
pub struct SigningKey {
    kid: String,
    decoding: DecodingKey,
    public: String,
    own: ed25519_dalek::SigningKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read or made.
    #[error("the signing key {path}: {error}")]
    File {
        /// The file.
        path: String,
        /// What went wrong.
        error: io::Error,
    },
    /// Others than the owner may read the file.
    #[error(
        "the signing key {path} can be read by others than its owner (mode {mode:o}): run chmod 600 on it"
    )]
    Mode {
        /// The file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// The file holds no such key.
    #[error("{path} holds no Ed25519 key in PKCS #8 PEM")]
    NotAKey {
        /// The file.
        path: String,
    },
}

impl KeyError {
    pub(super) fn of(path: &Path, error: io::Error) -> Self {
        Self::File { path: path.display().to_string(), error }
    }
}

impl SigningKey {
    /// Reads the key of a data folder, and makes it first if there is none.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load_or_create(data_dir: &Path, purpose: Purpose) -> Result<Self, KeyError> {
        let path = folder(data_dir).join(purpose.file());
        if !path.exists() {
            create(&path).map_err(|error| KeyError::of(&path, error))?;
        }
        Self::read(&path)
    }

    /// Makes a key and keeps it in a file that nobody else may read. Of two processes that make the same file the key
    /// of one survives.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        create(path).map_err(|error| KeyError::of(path, error))?;
        Self::read(path)
    }

    /// Reads a key from its file.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        check_mode(path)?;
        let pem = Zeroizing::new(fs::read_to_string(path).map_err(|error| KeyError::of(path, error))?);
        let key = ed25519_dalek::SigningKey::from_pkcs8_pem(&pem)
            .map_err(|_| KeyError::NotAKey { path: path.display().to_string() })?;
        Ok(Self::new(key))
    }

    /// Reads the key of a data folder; none if it has not been made.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(data_dir: &Path, purpose: Purpose) -> Result<Option<Self>, KeyError> {
        let made = folder(data_dir).join(purpose.file()).exists();
        made.then(|| Self::load_or_create(data_dir, purpose)).transpose()
    }

    fn new(own: ed25519_dalek::SigningKey) -> Self {
        let public = URL_SAFE_NO_PAD.encode(own.verifying_key().as_bytes());
        Self {
            kid: thumbprint(&public),
            decoding: DecodingKey::from_ed_components(&public).expect("just encoded"),
            public,
            own,
        }
    }

    /// The key's id: its JWK thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half: `x` of its JWK (RFC 8037).
    pub fn public(&self) -> &str {
        &self.public
    }

    /// Signs bytes.
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.own.sign(message).to_bytes()
    }

    /// Claims of a type, as a JSON Web Signature in its compact form (RFC 7515, section 7.1).
    pub fn jws(&self, typ: &str, claims: &impl Serialize) -> String {
        let header = format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"{typ}"}}"#, self.kid);
        let payload = serde_json::to_vec(claims).expect("texts and numbers");
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }

    /// What checks its tokens.
    pub fn verification(&self) -> VerificationKey {
        VerificationKey { algorithm: Algorithm::EdDSA, key: self.decoding.clone() }
    }

    /// The half that checks signatures.
    pub fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

/// The folder of the keys in a data folder.
pub(super) fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("keys")
}

/// The thumbprint of a public key (RFC 7638) over the members of RFC 8037, in their order.
pub(super) fn thumbprint(public: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}"#)))
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes beside the path, then links: of two processes that start together one key survives, whole.
fn create(path: &Path) -> io::Result<()> {
    // A name without a folder lies in the folder that one is in.
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    make_folder(folder)?;
    let mut secret = Zeroizing::new([0; 32]);
    rand::rngs::OsRng.fill_bytes(secret.as_mut_slice());
    // Without the public half, which it follows from: OpenSSL 3.0 reads no key with it (RFC 5958, version 1).
    let key = KeypairBytes { secret_key: *secret, public_key: None };
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?;
    let draft = path.with_extension(format!("{}.new", uuid::Uuid::new_v4()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    // The name as well as what is in it: what is signed with a key must not outlive it in a power cut.
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let path_text = path.display().to_string();
    let metadata = fs::metadata(path).map_err(|error| KeyError::File { path: path_text.clone(), error })?;
    match metadata.permissions().mode() & 0o777 {
        0o000 | 0o200 | 0o400 | 0o500 | 0o600 | 0o700 => Ok(()),
        mode => Err(KeyError::Mode { path: path_text, mode }),
    }
}

#[cfg(not(unix))]
fn check_mode(_: &Path) -> Result<(), KeyError> {
    Ok(())
}
