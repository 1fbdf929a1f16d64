//! Widgets that egui does not bring: octets, bits, trees, and the small parts of the interface.

pub mod bit_grid;
pub mod button;
pub mod chip;
pub mod fold;
pub mod format;
pub mod hex;
pub mod kept_width;
pub mod lit;
pub mod mask_walk;
pub mod row;
pub mod scroll;
pub mod share_bar;
pub mod split;
pub mod tabs;
pub mod text;
pub mod tree;

pub use bit_grid::BitGrid;
pub use button::icon_button;
pub use chip::{badge, chip, chip_button};
pub use fold::fold;
pub use hex::HexView;
pub use kept_width::keeping_width;
pub use mask_walk::MaskWalk;
pub use row::{card, hairline, key_value, section};
pub use scroll::VirtualScroll;
pub use share_bar::{Share, share_bar};
pub use split::Split;
pub use tabs::{segmented, tab_bar};
pub use text::TextView;
pub use tree::TreeView;
