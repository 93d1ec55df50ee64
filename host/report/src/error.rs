//! What can go wrong when a picture becomes a bitmap. Tables cannot fail.

use thiserror::Error;

/// A picture that could not be drawn.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The SVG text is not what resvg reads.
    #[error("cannot read a picture's SVG: {0}; this is a fault of benchhost, keep the `.svg` and report it")]
    Svg(String),
    /// A bitmap needs at least one pixel a side and must fit in memory.
    #[error("cannot draw a bitmap of {width} x {height} at scale {scale}; use a scale above 0 and up to 8")]
    Size {
        /// Width of the picture in px.
        width: u32,
        /// Height of the picture in px.
        height: u32,
        /// Factor asked for.
        scale: f32,
    },
    /// The PNG encoder refused.
    #[error("cannot encode a picture as PNG: {0}")]
    Png(String),
}
