//! Client certificates: the name that one carries (RFC 5280, SPIFFE X.509-SVID).
//!
//! Whether a certificate is good is checked before, in the handshake, against the authority that the config names.

use jiff::Timestamp;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::Rejection;

/// Longest name, in bytes.
const MAX_NAME: usize = 2048;

/// What a client certificate says of its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateName {
    /// The SPIFFE id, or the subject's common name.
    pub name: String,
    /// When the certificate ends.
    pub expires: Timestamp,
}

impl CertificateName {
    /// Reads a certificate in DER: its SPIFFE id, if it has one, else its common name. A certificate with two SPIFFE ids,
    /// or with other URIs beside one, is none (X.509-SVID §2), and a common name that looks like a URI is no name: it
    /// must not be taken for what only the other place proves.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] when there is no such name.
    pub fn read(der: &[u8]) -> Result<Self, Rejection> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| Rejection::Malformed)?;
        if !rest.is_empty() {
            return Err(Rejection::Malformed);
        }
        let expires = Timestamp::from_second(certificate.validity().not_after.timestamp());
        let expires = expires.map_err(|_| Rejection::Malformed)?;
        let alternatives = certificate.subject_alternative_name().map_err(|_| Rejection::Malformed)?;
        let names = alternatives.iter().flat_map(|names| &names.value.general_names);
        let uris: Vec<&str> =
            names.filter_map(|name| if let GeneralName::URI(uri) = name { Some(*uri) } else { None }).collect();
        let name = if uris.iter().any(|uri| is_spiffe(uri)) {
            <[&str; 1]>::try_from(uris).ok().map(|[id]| id).filter(|id| well_formed(id))
        } else {
            let mut names = certificate.subject().iter_common_name();
            let name = names.next().and_then(|name| name.as_str().ok());
            name.filter(|name| names.next().is_none() && !name.contains("://"))
        };
        let fits = |name: &&str| !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control);
        let name = name.filter(fits).ok_or(Rejection::Malformed)?.to_owned();
        Ok(Self { name, expires })
    }
}

/// Whether a URI means to be a SPIFFE id; schemes have no case.
fn is_spiffe(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("spiffe"))
}

/// `spiffe://trust.domain/path/of/workload`, in its normal form (SPIFFE-ID §2).
fn well_formed(id: &str) -> bool {
    let Some(rest) = id.strip_prefix("spiffe://") else { return false };
    let (domain, path) = rest.split_once('/').map_or((rest, None), |(domain, path)| (domain, Some(path)));
    let domain_fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    let path_fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let segment = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(path_fits);
    !domain.is_empty() && domain.bytes().all(domain_fits) && path.is_none_or(|path| path.split('/').all(segment))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn read(common_name: Option<&str>, uris: &[&str]) -> Result<String, Rejection> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        params.subject_alt_names = uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())).collect();
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        CertificateName::read(der.der()).map(|certificate| certificate.name)
    }

    #[test]
    fn the_spiffe_id_names_the_holder_and_else_the_common_name() {
        let none = Err(Rejection::Malformed);
        for (name, uris, expected) in [
            (Some("agent"), &[][..], Ok("agent")),
            (Some("agent"), &["spiffe://acme.example/agent/7"], Ok("spiffe://acme.example/agent/7")),
            (None, &["spiffe://acme.example"], Ok("spiffe://acme.example")),
            (Some("agent"), &["https://acme.example"], Ok("agent")),
            (None, &[], none),
            (Some(""), &[], none),
            (Some("a\nb"), &[], none),
            // Only the other place proves that.
            (Some("spiffe://acme.example/admin"), &[], none),
            (Some("agent"), &["spiffe://acme.example/a", "spiffe://acme.example/b"], none),
            (Some("agent"), &["spiffe://acme.example/a", "https://acme.example"], none),
            (Some("agent"), &["SPIFFE://acme.example/a"], none),
            (Some("agent"), &["spiffe:///a"], none),
            (Some("agent"), &["spiffe://acme.example/a/"], none),
            (Some("agent"), &["spiffe://acme.example/a/../admin"], none),
            (Some("agent"), &["spiffe://acme.example/a%2fb"], none),
            (Some("agent"), &["spiffe://user@acme.example/a"], none),
            (Some("agent"), &["spiffe://acme.example:8080/a"], none),
            (Some("agent"), &["spiffe://acme.example/a?b"], none),
        ] {
            assert_eq!(read(name, uris), expected.map(str::to_owned), "{name:?} {uris:?}");
        }
    }

    #[test]
    fn what_is_no_certificate_names_nobody() {
        let der = CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap();
        let longer = [der.der().as_ref(), &[0]].concat();
        for bytes in [&[][..], b"nonsense", &der.der()[..100], &longer] {
            assert_eq!(CertificateName::read(bytes), Err(Rejection::Malformed));
        }
    }
}
