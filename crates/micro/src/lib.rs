//! Micro: every microservice is AI-native by default.
