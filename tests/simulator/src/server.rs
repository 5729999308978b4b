//! The router: the API below `/current`, the control API beside it.

use axum::{Router, extract::DefaultBodyLimit};

use crate::{api, app::App, control, page, routes};

pub(crate) fn router(app: App) -> Router {
    let api = api::routes(app.clone());
    Router::new()
        .merge(page::router())
        .merge(control::router(&api.operations))
        .nest("/current", api.router)
        .fallback(routes::unknown)
        .method_not_allowed_fallback(routes::unknown)
        // Bodies are streamed, and each handler has its own limit.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}
