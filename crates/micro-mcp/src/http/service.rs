//! The endpoint as a tower service.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use futures_core::future::BoxFuture;
use http::{Request, Response};
use http_body::Body as HttpBody;
use micro_runtime::http::{Body, BodyError};
use tower_service::Service;

use super::StreamableHttp;

impl<B> Service<Request<B>> for StreamableHttp
where
    B: HttpBody + Unpin + Send + 'static,
    B::Data: Send,
    B::Error: Into<BodyError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    /// Always ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let endpoint = self.clone();
        Box::pin(async move { Ok(endpoint.handle(request).await) })
    }
}
