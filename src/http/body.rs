//! Bodies that come in: bounded, JSON, and of exactly the shape that the API document gives.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};
use serde_json::Value;
use tokio::time::timeout;

use crate::service::definition::whole_number;

use super::Site;
use super::problem::{CONTENT_TOO_LARGE, Problem, REQUEST_TIMEOUT, UNSUPPORTED_MEDIA_TYPE};

/// A document that may come in.
pub(super) trait Incoming: DeserializeOwned + 'static {
    /// The most bytes it may have.
    const LIMIT: usize;
    /// The media types it may come as.
    const TYPES: &'static [&'static str] = &["application/json"];
}

/// A body, read.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: Incoming> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let typed = is_of_type(request, T::TYPES);
        let payload = web::Payload::from_request(request, payload).into_inner();
        let announced =
            request.headers().get(header::CONTENT_LENGTH).and_then(|field| field.to_str().ok()?.parse().ok());
        let site = request.app_data::<web::Data<Site>>().expect("the site is part of the app");
        let patience = site.edge.patience.body;
        Box::pin(async move {
            if !typed {
                let types = T::TYPES.join(", ");
                return Err(Problem::new(
                    &UNSUPPORTED_MEDIA_TYPE,
                    &format!("Innehållet ska vara {types}."),
                    &format!("The content is to be {types}."),
                ));
            }
            let too_large = || {
                let limit = T::LIMIT;
                let sv = format!("Högst {limit} byte.");
                Problem::new(&CONTENT_TOO_LARGE, &sv, &format!("At most {limit} bytes."))
            };
            if announced.is_some_and(|announced: usize| announced > T::LIMIT) {
                return Err(too_large());
            }
            let payload = payload.map_err(|_| Problem::bad_body("no payload"))?;
            let bytes = timeout(patience, payload.to_bytes_limited(T::LIMIT))
                .await
                .map_err(|_| too_slow(patience))?;
            let bytes = bytes.map_err(|_| too_large())?;
            let bytes = bytes.map_err(|_| Problem::bad_body("the request ended early"))?;
            serde_json::from_slice(&bytes).map(Self).map_err(|error| Problem::bad_body(&error.to_string()))
        })
    }
}

fn too_slow(patience: Duration) -> Problem {
    let seconds = patience.as_secs_f64();
    Problem::new(
        &REQUEST_TIMEOUT,
        &format!("Innehållet kom inte fram inom {seconds} s. Inget har sparats."),
        &format!("The content did not arrive within {seconds} s. Nothing was stored."),
    )
}

/// Reads a whole number within the bounds of its type, also one that is written `5.0`.
pub(super) fn whole<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<T, D::Error> {
    let number = whole_number(&Value::deserialize(deserializer)?);
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| D::Error::custom("a whole number is needed"))
}

/// As [`whole`], where nothing may stand instead.
pub(super) fn whole_or_nothing<'de, D: Deserializer<'de>, T: TryFrom<u64>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        value => whole(value).map(Some).map_err(D::Error::custom),
    }
}

fn is_of_type(request: &HttpRequest, types: &[&str]) -> bool {
    let mut fields = request.headers().get_all(header::CONTENT_TYPE);
    let (Some(field), None) = (fields.next(), fields.next()) else { return false };
    let Ok(media) = field.to_str().unwrap_or_default().parse::<mime::Mime>() else { return false };
    let utf8 = media.get_param(mime::CHARSET).is_none_or(|charset| charset == mime::UTF_8);
    utf8 && types.iter().any(|known| media.essence_str().eq_ignore_ascii_case(known))
}
