//! Services in, tools out, policy in between.
