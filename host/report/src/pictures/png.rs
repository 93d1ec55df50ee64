//! SVG text into PNG bytes, with the embedded font only: the same picture on every machine. Knows nothing of what is
//! drawn.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::canvas::Svg;
use super::letters::{REGULAR, SEMI_BOLD};
use crate::ReportError;

/// Draws `svg` as a PNG at `scale` pixels a px; 2 is sharp on most screens. Above 0 and up to 8.
pub fn render_png(svg: &Svg, scale: f32) -> Result<Vec<u8>, ReportError> {
    static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(REGULAR.to_vec());
        fonts.load_font_data(SEMI_BOLD.to_vec());
        fonts.set_sans_serif_family("Inter");
        Arc::new(fonts)
    });
    let options =
        Options { fontdb: Arc::clone(&FONTS), font_family: "Inter".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg.as_str(), &options).map_err(|e| ReportError::Svg(e.to_string()))?;
    let mut pixels =
        pixmap(svg, scale).ok_or(ReportError::Size { width: svg.width(), height: svg.height(), scale })?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| ReportError::Png(e.to_string()))
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the scale is checked, and figures are under 10,000 px"
)]
fn pixmap(svg: &Svg, scale: f32) -> Option<Pixmap> {
    if !(scale > 0.0 && scale <= 8.0) {
        return None;
    }
    let side = |length: u32| (f64::from(length) * f64::from(scale)).round() as u32;
    Pixmap::new(side(svg.width()), side(svg.height()))
}
