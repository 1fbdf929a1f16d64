//! Schemas: a `FileDescriptorSet`, as `protoc --descriptor_set_out` and `buf build` write it.

use prost_reflect::{DescriptorPool, MessageDescriptor};

use super::reader;
use crate::payload::{Limits, Tree};

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

impl SchemaError {
    /// What is wrong with it, without how to make a right one.
    pub fn reason(&self) -> &str {
        &self.0
    }
}

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

    /// The type of this full name, such as `package.Message`.
    pub fn message_type(&self, name: &str) -> Option<MessageType> {
        self.pool.get_message_by_name(name).map(MessageType)
    }
}

/// One message type of a [`Schema`], to read any number of payloads as it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageType(MessageDescriptor);

impl MessageType {
    /// Its full name: `package.Message`.
    pub fn name(&self) -> &str {
        self.0.full_name()
    }

    /// Reads one message of this type.
    pub fn read(&self, payload: &[u8], limits: &Limits) -> Tree {
        reader::read(payload, Some(self.0.clone()), limits)
    }
}
