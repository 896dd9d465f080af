//! The #[service] attribute of Micro.
