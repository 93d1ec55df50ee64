//! How wide a text is in the embedded font, so that labels are placed and cut instead of overlapping. Reads the two
//! embedded OpenType files' `head`, `hhea`, `hmtx` and `cmap` tables (format 4); kerning is left out, which errs by
//! about a percent. Knows nothing of pictures.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::lines::elide;

/// Inter 4.0 Regular, subset; see `fonts/README.md`.
pub(super) const REGULAR: &[u8] = include_bytes!("../../fonts/Inter-Regular.sub.otf");
/// Inter 4.0 `SemiBold`, subset.
pub(super) const SEMI_BOLD: &[u8] = include_bytes!("../../fonts/Inter-SemiBold.sub.otf");

/// Height of a capital or a digit over the size.
pub(super) const CAP_HEIGHT: f64 = 0.727;

/// One of the two weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// Weight 400.
    Regular,
    /// Weight 600.
    Bold,
}

/// Width of `text` at `size` px, in px. A character the font lacks counts as one em.
pub(super) fn width(text: &str, size: f64, face: Face) -> f64 {
    static FACES: LazyLock<[BTreeMap<u32, f64>; 2]> =
        LazyLock::new(|| [REGULAR, SEMI_BOLD].map(|font| advances(font).unwrap_or_default()));
    let advances = &FACES[usize::from(face == Face::Bold)];
    text.chars().map(|c| advances.get(&u32::from(c)).copied().unwrap_or(1.0)).sum::<f64>() * size
}

/// `text`, cut in the middle if it is wider than `room` px.
pub(super) fn fit(text: &str, size: f64, face: Face, room: f64) -> String {
    if width(text, size, face) <= room {
        return text.to_owned();
    }
    elide(text, |t| width(t, size, face) <= room)
}

/// Advance of each character over the size. `None` if the file is not the form described above.
fn advances(font: &[u8]) -> Option<BTreeMap<u32, f64>> {
    let units = f64::from(u16_at(table(font, *b"head")?, 18)?);
    let metrics = usize::from(u16_at(table(font, *b"hhea")?, 34)?);
    let widths = table(font, *b"hmtx")?;
    let advance = |glyph: u16| u16_at(widths, 4 * usize::from(glyph).min(metrics.checked_sub(1)?));
    let mut found = BTreeMap::new();
    for (character, glyph) in glyphs(table(font, *b"cmap")?)? {
        found.insert(character, f64::from(advance(glyph)?) / units);
    }
    Some(found)
}

/// The character map of platform 3, encoding 1, format 4 (OpenType 1.9, `cmap`).
fn glyphs(cmap: &[u8]) -> Option<Vec<(u32, u16)>> {
    let records = (0..usize::from(u16_at(cmap, 2)?)).map(|i| 4 + 8 * i);
    let record =
        records.into_iter().find(|&at| u16_at(cmap, at) == Some(3) && u16_at(cmap, at + 2) == Some(1))?;
    let map = cmap.get(usize::try_from(u32_at(cmap, record + 4)?).ok()?..)?;
    if u16_at(map, 0)? != 4 {
        return None;
    }
    let doubled = usize::from(u16_at(map, 6)?);
    let mut pairs = Vec::new();
    for segment in (0..doubled).step_by(2) {
        let end = u16_at(map, 14 + segment)?;
        let start = u16_at(map, 16 + doubled + segment)?;
        let delta = u16_at(map, 16 + 2 * doubled + segment)?;
        let offset_at = 16 + 3 * doubled + segment;
        let offset = usize::from(u16_at(map, offset_at)?);
        for character in (start..=end).filter(|c| *c != u16::MAX) {
            let glyph = match offset {
                0 => character.wrapping_add(delta),
                _ => match u16_at(map, offset_at + offset + 2 * usize::from(character - start))? {
                    0 => 0,
                    glyph => glyph.wrapping_add(delta),
                },
            };
            if glyph != 0 {
                pairs.push((u32::from(character), glyph));
            }
        }
    }
    Some(pairs)
}

/// The table of an OpenType file by its tag.
fn table(font: &[u8], tag: [u8; 4]) -> Option<&[u8]> {
    (0..usize::from(u16_at(font, 4)?))
        .map(|i| 12 + 16 * i)
        .find(|&at| font.get(at..at + 4) == Some(&tag))
        .and_then(|at| {
            let start = usize::try_from(u32_at(font, at + 8)?).ok()?;
            font.get(start..start + usize::try_from(u32_at(font, at + 12)?).ok()?)
        })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fonts_have_every_character_the_pictures_write_themselves() {
        for font in [REGULAR, SEMI_BOLD] {
            let known = advances(font).unwrap();
            for c in ('!'..='~').chain(" ·–—…←↑→↓−×±µ≤≥°".chars()) {
                assert!(known.contains_key(&u32::from(c)), "{c}");
            }
        }
    }

    #[test]
    fn widths_are_those_of_a_proportional_font() {
        let wide = width("MMMM", 10.0, Face::Regular);
        let narrow = width("llll", 10.0, Face::Regular);
        assert!(wide > 3.0 * narrow, "{wide} {narrow}");
        assert!(width("word", 10.0, Face::Bold) > width("word", 10.0, Face::Regular));
        assert!((width("word", 20.0, Face::Regular) - 2.0 * width("word", 10.0, Face::Regular)).abs() < 1e-9);
    }

    #[test]
    fn what_does_not_fit_is_cut_to_fit() {
        let label = "meta-llama/Meta-Llama-3.1-8B-Instruct-fp8-dynamic";
        let cut = fit(label, 12.0, Face::Regular, 120.0);
        assert!(width(&cut, 12.0, Face::Regular) <= 120.0 && cut.contains('…') && cut.len() > 8, "{cut}");
    }

    #[test]
    fn a_file_that_is_no_font_gives_nothing() {
        assert!(advances(b"").is_none());
        for end in 0..600 {
            let _must_not_panic = advances(&REGULAR[..end]);
        }
    }
}
