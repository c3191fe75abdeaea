//! The ceiling: a server on the same framework that answers a body of 2 KB from memory.
//!
//! It is this program in a process of its own, so that its CPU time is its own.

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};

/// The argument that makes this program that server.
pub(crate) const ARGUMENT: &str = "--serve-fixed-body";
/// Its one entity tag.
const ENTITY_TAG: &str = "\"abc123\"";
/// Its one path.
pub(crate) const PATH: &str = "/results";

/// Serves until the process is ended.
pub(crate) fn serve() -> std::io::Result<()> {
    let body = Data::new(Bytes::from(format!("{{\"note\":\"{}\"}}", "x".repeat(2035))));
    actix_web::rt::System::new().block_on(async {
        let app = move || App::new().app_data(body.clone()).route(PATH, web::get().to(results));
        let workers = std::thread::available_parallelism().map_or(1, Into::into);
        let server = HttpServer::new(app).workers(workers).bind(("127.0.0.1", 0))?;
        println!("listens on http://{}", server.addrs()[0]);
        server.run().await
    })
}

async fn results(request: HttpRequest, body: Data<Bytes>) -> HttpResponse {
    let tag = HeaderValue::from_static(ENTITY_TAG);
    let same = request.headers().get(header::IF_NONE_MATCH).is_some_and(|given| *given == tag);
    let mut reply = if same { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    reply.insert_header((header::ETAG, tag)).insert_header((header::CACHE_CONTROL, "public, max-age=5"));
    if same {
        return reply.finish();
    }
    reply.insert_header((header::CONTENT_TYPE, "application/json")).body(body.as_ref().clone())
}
