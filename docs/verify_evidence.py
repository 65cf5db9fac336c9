"""Check an evidence package: python verify_evidence.py PACKAGE.zip [RECORDING]. Nothing to install."""

import json
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

if len(sys.argv) < 2 or not all(Path(name).is_file() for name in sys.argv[1:]) or not zipfile.is_zipfile(sys.argv[1]):
    sys.exit("usage: python verify_evidence.py PACKAGE.zip [RECORDING]; is every file there, and the first one a zip?")
package = zipfile.ZipFile(sys.argv[1])
read = {name: package.read(name) for name in package.namelist()}
parts = {name: json.loads(content) for name, content in read.items() if name.endswith(".json")}
files, problems = parts["manifest.json"]["files"], []
problems += [f"{name}: hash differs" for name, known in files.items() if sha256(read[name]).hexdigest() != known]
problems += [f"{name}: not in the manifest" for name in set(read) - {"manifest.json", *files}]
turns = {turn["index"]: turn["text"] for turn in parts["transcript.json"]["turns"]}
for found in parts["findings.json"]:
    if turns[found["turn"]][found["start"] : found["end"]] != found["quote"]:
        problems.append(f"finding {found['key']}: its words are not in the transcript")
sounds = [read[name] for name in files if name.startswith("recording")]
for sound in [*sounds, *(Path(name).read_bytes() for name in sys.argv[2:])]:
    if sha256(sound).hexdigest() != parts["manifest.json"]["recording_sha256"]:
        problems.append("recording: not the one that was audited")
logged, last = set(), None
for entry in parts["ledger.json"]["entries"]:
    content = {name: value for name, value in entry.items() if name != "hash"}
    content = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if sha256(content.encode()).hexdigest() != entry["hash"]:
        problems.append(f"ledger entry {entry['seq']}: changed")
    if parts["ledger.json"]["unbroken"] and last and entry["previous"] != last["hash"]:
        problems.append(f"ledger entry {entry['seq']}: does not follow the one before")
    logged.add(entry["data"].get("entry"))
    last = entry
said = [one for one in parts["verdicts.json"] if one["kind"] in ("confirm", "partial", "dismiss", "add", "undo")]
problems += [f"verdict {one['id']}: not in the ledger" for one in said if one["id"] not in logged]
print("\n".join(problems) or f"OK; ledger head {last['seq']}:{last['hash']}")
sys.exit(bool(problems))
