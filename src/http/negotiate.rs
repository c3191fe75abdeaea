//! Which representation: format by `format` or `Accept`, content coding, language.

use actix_web::HttpRequest;
use actix_web::http::header::{self, Accept, AcceptEncoding, Encoding as Coding, Header, HeaderMap};

use super::problem::{NOT_ACCEPTABLE, Problem};
use crate::board::{Encoding, Format};
use crate::export::Language;

/// Something that has a media type.
pub(super) trait Media: Copy {
    /// The media type.
    fn media_type(self) -> &'static str;
}

impl Media for Format {
    fn media_type(self) -> &'static str {
        Self::media_type(self)
    }
}

/// The format that was named, else the best of these for `Accept`; the first stands for "any".
///
/// # Errors
/// 406 when `Accept` leaves none.
pub(super) fn format<F: Media>(
    request: &HttpRequest,
    named: Option<F>,
    offered: &[(&'static str, F)],
) -> Result<F, Problem> {
    if let Some(named) = named {
        return Ok(named);
    }
    let accept = match request.headers().get(header::ACCEPT).map(header::HeaderValue::as_bytes) {
        None | Some(b"*/*") => return Ok(offered[0].1),
        // What is asked for most need not be parsed.
        Some(field) if field == offered[0].1.media_type().as_bytes() => return Ok(offered[0].1),
        Some(_) => Accept::parse(request),
    };
    // A field that cannot be read asks for nothing in particular.
    let Some(accept) = accept.ok().filter(|accept| !accept.0.is_empty()) else { return Ok(offered[0].1) };
    let of = |media: &header::QualityItem<mime::Mime>, format: F| {
        let ours: mime::Mime = format.media_type().parse().expect("our own media types");
        media.item.type_() == mime::STAR
            || media.item.type_() == ours.type_()
                && (media.item.subtype() == mime::STAR || media.item.subtype() == ours.subtype())
    };
    // The most specific range speaks for a format (RFC 9110, section 12.5.1).
    let specificity = |media: &header::QualityItem<mime::Mime>| {
        u8::from(media.item.type_() != mime::STAR) + u8::from(media.item.subtype() != mime::STAR)
    };
    let quality = |format: F| {
        let ranges = accept.0.iter().filter(|media| of(media, format));
        ranges.max_by_key(|media| specificity(media)).map(|media| media.quality)
    };
    let mut best: Option<(header::Quality, F)> = None;
    for &(_, format) in offered {
        let acceptable = quality(format).filter(|quality| *quality > header::q(0.0));
        if let Some(quality) = acceptable.filter(|quality| best.is_none_or(|(best, _)| *quality > best)) {
            best = Some((quality, format));
        }
    }
    best.map(|(_, format)| format).ok_or_else(|| {
        let mut names: Vec<&str> =
            offered.iter().filter_map(|(_, format)| format.media_type().split(';').next()).collect();
        names.dedup();
        let names = names.join(", ");
        Problem::new(&NOT_ACCEPTABLE, &format!("Här finns {names}."), &format!("Here is {names}."))
    })
}

/// The content coding that the caller likes best, of those we have.
pub(super) fn encoding(headers: &HeaderMap, request: &HttpRequest) -> Encoding {
    let mut fields = headers.get_all(header::ACCEPT_ENCODING);
    let Some(field) = fields.next() else { return Encoding::Identity };
    // Browsers say what they take, and not what they like best: that need not be parsed.
    if let Some(plain) = field.to_str().ok().filter(|field| !field.contains([';', '*']))
        && fields.next().is_none()
    {
        let takes = |name: &str| plain.split(',').any(|token| token.trim().eq_ignore_ascii_case(name));
        return if takes("br") {
            Encoding::Brotli
        } else if takes("gzip") {
            Encoding::Gzip
        } else {
            Encoding::Identity
        };
    }
    let Ok(accepted) = AcceptEncoding::parse(request) else { return Encoding::Identity };
    match accepted.negotiate([Coding::brotli(), Coding::gzip(), Coding::identity()].iter()) {
        Some(coding) if coding == Coding::brotli() => Encoding::Brotli,
        Some(coding) if coding == Coding::gzip() => Encoding::Gzip,
        Some(_) | None => Encoding::Identity,
    }
}

/// Swedish, unless English is asked for and Swedish is not asked for more.
pub(super) fn language(headers: &HeaderMap) -> Language {
    let Some(field) = headers.get(header::ACCEPT_LANGUAGE).and_then(|field| field.to_str().ok()) else {
        return Language::Sv;
    };
    let weight = |tag: &str| {
        let items = field.split(',').filter_map(|item| {
            let (name, parameters) = item.trim().split_once(';').unwrap_or((item.trim(), ""));
            let primary = name.split('-').next()?;
            let q = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse::<f32>().ok())?;
            primary.eq_ignore_ascii_case(tag).then_some(q)
        });
        items.fold(0.0_f32, f32::max)
    };
    if weight("en") > weight("sv") { Language::En } else { Language::Sv }
}
