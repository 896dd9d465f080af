//! Methods that cannot be endpoints.

struct Users;

#[micro::service]
impl Users {
    /// Of any type.
    #[endpoint]
    fn generic<T: Default>(&self) -> u8 {
        let _ = T::default();
        7
    }

    /// Not safe.
    #[endpoint]
    unsafe fn risky(&self) {}

    /// Foreign.
    #[endpoint]
    extern "C" fn foreign(&self) {}

    /// Constant.
    #[endpoint]
    const fn constant(&self) {}

    /// Now and then.
    #[cfg(unix)]
    #[endpoint]
    fn conditional(&self) {}

    /// Not a method.
    #[endpoint]
    const LIMIT: u8 = 7;
}

fn main() {}
