//! The event log, in the two ways that clients read it.

mod changes;
mod search;

use crate::routes::Routes;

pub(super) fn routes(routes: Routes) -> Routes {
    changes::routes(search::routes(routes))
}
