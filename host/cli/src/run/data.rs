//! The `data` import: files the user named, by slot. Gzip is undone, records are parsed by the declared format once,
//! and nothing but these files can be reached.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

use benchhost_model::{Slot, SlotFormat};
use benchhost_plugin::{Data, SlotFile};
use flate2::read::MultiGzDecoder;

use crate::error::{CliError, CliResult};
use crate::store::digest_hex;

/// Largest file after decompression. A benchmark's prompts are far smaller; a gzip bomb is not.
const MAX_BYTES: u64 = 1 << 30;

/// The files of one workload.
#[derive(Debug, Default)]
pub(crate) struct DataFiles {
    slots: HashMap<String, DataFile>,
}

#[derive(Debug)]
struct DataFile {
    facts: SlotFile,
    bytes: Vec<u8>,
    format: SlotFormat,
    /// Parsed at first use.
    records: OnceLock<Result<Vec<String>, String>>,
}

impl DataFiles {
    /// Reads the files of `chosen` into the slots that `declared` has.
    pub(crate) fn open(declared: &[Slot], chosen: &[(String, std::path::PathBuf)]) -> CliResult<Self> {
        let mut slots = HashMap::new();
        for (name, path) in chosen {
            let Some(slot) = declared.iter().find(|s| &s.name == name) else { continue };
            slots.insert(name.clone(), DataFile::read(path, slot.format.clone())?);
        }
        Ok(Self { slots })
    }

    /// File name and digest of each slot, for the manifest.
    pub(crate) fn facts(&self) -> impl Iterator<Item = (&String, &SlotFile)> {
        self.slots.iter().map(|(name, file)| (name, &file.facts))
    }

    fn file(&self, slot: &str) -> Result<&DataFile, String> {
        self.slots.get(slot).ok_or_else(|| format!("no file was given for slot `{slot}`"))
    }
}

impl DataFile {
    fn read(path: &Path, format: SlotFormat) -> CliResult<Self> {
        let error = |e: std::io::Error| {
            CliError::usage(format!("cannot read the data file `{}`", path.display())).because(e)
        };
        let disk = std::fs::read(path).map_err(error)?;
        let digest = digest_hex(&disk);
        let bytes = if disk.starts_with(&[0x1f, 0x8b]) { inflate(&disk).map_err(error)? } else { disk };
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let facts = SlotFile { name, bytes: bytes.len() as u64, digest };
        Ok(Self { facts, bytes, format, records: OnceLock::new() })
    }

    fn records(&self) -> Result<&Vec<String>, String> {
        self.records.get_or_init(|| parse(&self.bytes, &self.format)).as_ref().map_err(Clone::clone)
    }
}

fn inflate(disk: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    MultiGzDecoder::new(disk).take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(std::io::Error::other("the file is larger than 1 GiB after decompression"));
    }
    Ok(bytes)
}

fn parse(bytes: &[u8], format: &SlotFormat) -> Result<Vec<String>, String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| format!("the file is not UTF-8 (byte {})", e.valid_up_to()))?
        .trim_start_matches('\u{feff}');
    match format {
        SlotFormat::Lines => Ok(text.lines().map(|l| serde_json::Value::from(l).to_string()).collect()),
        SlotFormat::Jsonl => text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(i, line)| {
                serde_json::from_str::<serde::de::IgnoredAny>(line)
                    .map(|_| line.to_owned())
                    .map_err(|e| format!("line {} is not JSON: {e}", i + 1))
            })
            .collect(),
        SlotFormat::Json(pointer) => {
            let whole: serde_json::Value =
                serde_json::from_str(text).map_err(|e| format!("the file is not JSON: {e}"))?;
            let array = whole.pointer(pointer).and_then(serde_json::Value::as_array);
            let array = array.ok_or_else(|| format!("there is no array at `{pointer}` in the file"))?;
            Ok(array.iter().map(ToString::to_string).collect())
        }
        SlotFormat::Csv => {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let headers = reader.headers().map_err(|e| e.to_string())?.clone();
            reader
                .records()
                .map(|row| {
                    let row = row.map_err(|e| e.to_string())?;
                    let fields: serde_json::Map<String, serde_json::Value> = headers
                        .iter()
                        .map(str::to_owned)
                        .zip(row.iter().map(serde_json::Value::from))
                        .collect();
                    Ok(serde_json::Value::Object(fields).to_string())
                })
                .collect()
        }
    }
}

impl Data for DataFiles {
    fn info(&self, slot: &str) -> Option<SlotFile> {
        self.slots.get(slot).map(|f| f.facts.clone())
    }

    fn read(&self, slot: &str, offset: u64, len: u32) -> Result<Vec<u8>, String> {
        let bytes = &self.file(slot)?.bytes;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let to = from.saturating_add(len as usize).min(bytes.len());
        Ok(bytes.get(from..to).unwrap_or_default().to_vec())
    }

    fn count(&self, slot: &str) -> Result<u32, String> {
        u32::try_from(self.file(slot)?.records()?.len()).map_err(|_| "more records than 4 billion".into())
    }

    fn record(&self, slot: &str, index: u32) -> Result<String, String> {
        let records = self.file(slot)?.records()?;
        records.get(index as usize).cloned().ok_or_else(|| format!("slot `{slot}` has no record {index}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_gives_json_records() {
        let csv = parse(b"a,b\n1,\"x,y\"\n", &SlotFormat::Csv).unwrap();
        assert_eq!(csv, [r#"{"a":"1","b":"x,y"}"#]);
        let json = parse(br#"{"data":[{"t":1},2]}"#, &SlotFormat::Json("/data".into())).unwrap();
        assert_eq!(json, [r#"{"t":1}"#, "2"]);
        let lines = parse("say \"hi\"\nü".as_bytes(), &SlotFormat::Lines).unwrap();
        assert_eq!(lines, [r#""say \"hi\"""#, r#""ü""#]);
        assert!(parse(b"{}\nnope\n", &SlotFormat::Jsonl).unwrap_err().contains("line 2"));
        assert!(parse(&[0xff], &SlotFormat::Lines).is_err());
    }
}
