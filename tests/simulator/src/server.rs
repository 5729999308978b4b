//! The router: the API below `/current`, the control API beside it.

use axum::{Router, extract::DefaultBodyLimit};
use tokio::net::TcpListener;

use crate::{
    api,
    app::App,
    connection::{Connections, Line},
    control, page, routes,
};

pub(crate) fn router(app: App) -> Router {
    let api = api::routes(app.clone());
    Router::new()
        .merge(page::router())
        .merge(control::router(&api.list))
        .nest("/current", api.router)
        .fallback(routes::unknown)
        .method_not_allowed_fallback(routes::unknown)
        // Bodies are streamed, and each handler has its own limit.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

/// Serves for as long as the runtime lives.
pub(crate) async fn serve(listener: TcpListener, router: Router) -> std::io::Result<()> {
    axum::serve(Connections(listener), router.into_make_service_with_connect_info::<Line>()).await
}
