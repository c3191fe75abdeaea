//! Whom to tell of a fault of security, for `/.well-known/security.txt`.

use super::ConfigError;

/// Whom to tell of a fault of security.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reporting {
    /// Where reports go: `mailto:`, `https://` or `tel:`.
    pub contact: String,
    /// What is done with them, and what is asked of whoever reports: `https://`.
    pub policy: Option<String>,
}

impl Reporting {
    /// Of what the settings say; none without a contact.
    pub(super) fn settle(
        contact: Option<String>,
        policy: Option<String>,
    ) -> Result<Option<Self>, ConfigError> {
        let refused = |why: String| Err(ConfigError::Setting(why));
        match (contact, policy) {
            (Some(contact), _) if !is_contact(&contact) => refused(format!(
                "security-contact: {contact:?} is not mailto:…, https://… or tel:…, without spaces"
            )),
            (_, Some(policy)) if !is_address(&policy, "https://") => {
                refused(format!("security-policy: {policy:?} is not https://…, without spaces"))
            }
            (None, Some(_)) => refused("security-policy: only together with security-contact".to_owned()),
            (None, None) => Ok(None),
            (Some(contact), policy) => Ok(Some(Self { contact, policy })),
        }
    }

    /// The settings of these values, by name.
    pub(super) fn values(&self) -> impl Iterator<Item = (&'static str, String)> {
        let values = [("securityContact", Some(&self.contact)), ("securityPolicy", self.policy.as_ref())];
        values.into_iter().filter_map(|(name, value)| Some((name, value?.clone())))
    }
}

fn is_contact(address: &str) -> bool {
    let mail = is_address(address, "mailto:") && address.contains('@');
    mail || is_address(address, "https://") || is_address(address, "tel:")
}

/// An address of this scheme; nothing in it can end the line that it will stand on.
fn is_address(address: &str, scheme: &str) -> bool {
    address
        .strip_prefix(scheme)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
}
