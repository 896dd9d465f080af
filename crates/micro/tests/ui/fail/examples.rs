//! Examples that are no JSON, no object, or do not fit the parameters.

struct Users;

#[micro::service]
impl Users {
    /// Broken JSON.
    ///
    /// @example {"id": 7,}
    #[endpoint]
    fn broken(&self, id: u64) -> u64 {
        id
    }

    /// Broken on its second line.
    ///
    /// @example {"id": 7,
    ///   "name" "Ada"}
    #[endpoint]
    fn second_line(&self, id: u64, name: String) -> (u64, String) {
        (id, name)
    }

    /// Never ends.
    ///
    /// @example {"id": 7
    #[endpoint]
    fn endless(&self, id: u64) -> u64 {
        id
    }

    /// No object.
    ///
    /// @example 7
    #[endpoint]
    fn number(&self, id: u64) -> u64 {
        id
    }

    /// Does not fit.
    ///
    /// # Example
    ///
    /// ```json
    /// {"idd": 7}
    /// ```
    #[endpoint]
    fn misfit(&self, id: u64) -> u64 {
        id
    }

    /// Takes nothing.
    ///
    /// @example {"id": 7}
    #[endpoint]
    fn nothing(&self) {}
}

fn main() {}
