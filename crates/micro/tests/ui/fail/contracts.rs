//! Contracts hold methods of known types.

#[micro::service]
trait Generic<T> {
    /// Find something.
    async fn get(&self, id: u64) -> micro::Result<u64>;
}

#[micro::service]
trait Associated {
    type Item;
    const LIMIT: u8;

    /// Find something.
    async fn get(&self, id: u64) -> micro::Result<u64>;
}

fn main() {}
