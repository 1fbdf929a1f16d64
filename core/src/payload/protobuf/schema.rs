//! Schemas: a `FileDescriptorSet`, as `protoc --descriptor_set_out` and `buf build` write it.

use prost_reflect::{DescriptorPool, MessageDescriptor};

/// The types of a set of `.proto` files.
#[derive(Debug, Clone)]
pub struct Schema {
    pool: DescriptorPool,
}

/// Why a descriptor set cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no descriptor set: {0} (make one with protoc --include_imports --descriptor_set_out)"
)]
pub struct SchemaError(String);

impl Schema {
    /// Reads a serialised `FileDescriptorSet`, imports counted in.
    pub fn parse(descriptor_set: &[u8]) -> Result<Self, SchemaError> {
        let pool = DescriptorPool::decode(descriptor_set);
        pool.map(|pool| Self { pool }).map_err(|error| SchemaError(error.to_string()))
    }

    /// The full names of all message types: `package.Message`.
    pub fn messages(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .pool
            .all_messages()
            .filter(|message| !message.is_map_entry())
            .map(|message| message.full_name().to_owned())
            .collect();
        names.sort_unstable();
        names
    }

    pub(super) fn message(&self, name: &str) -> Option<MessageDescriptor> {
        self.pool.get_message_by_name(name)
    }
}
