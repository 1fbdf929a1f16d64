//! Whole dissections of a few messages, in bounded memory.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use framescope_core::ConnectionId;
use framescope_core::subprotocol::Dissection;

use super::kept::Place;

/// Packets and fields that are kept.
const MAX_WEIGHT: usize = 50_000;

/// The whole dissections of the messages that were read last.
#[derive(Debug, Default)]
pub(super) struct Recent {
    dissections: HashMap<Place, Arc<Dissection>>,
    order: VecDeque<(Place, usize)>,
    weight: usize,
}

impl Recent {
    pub(super) fn find(&self, place: Place) -> Option<Arc<Dissection>> {
        self.dissections.get(&place).cloned()
    }

    pub(super) fn push(&mut self, place: Place, dissection: Arc<Dissection>) {
        let fields: usize = dissection.packets.iter().map(|packet| 1 + packet.fields.len()).sum();
        let weight = 1 + fields;
        if self.dissections.insert(place, dissection).is_some() {
            return;
        }
        self.order.push_back((place, weight));
        self.weight += weight;
        while self.weight > MAX_WEIGHT
            && let Some((oldest, weight)) = self.order.pop_front()
        {
            self.dissections.remove(&oldest);
            self.weight -= weight;
        }
    }

    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.dissections.retain(|place, _| place.connection != connection);
        let dissections = &self.dissections;
        self.order.retain(|(place, _)| dissections.contains_key(place));
        self.weight = self.order.iter().map(|(_, weight)| weight).sum();
    }
}
