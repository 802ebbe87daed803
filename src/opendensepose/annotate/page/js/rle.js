// COCO's run-length code of a mask: runs down the columns, beginning with zeros, packed into text six bits at a time.

/** `mask` (height * width, row by row, 0 or not) -> COCO's compressed counts. */
export function encodeMask(mask, height, width) {
  const runs = [];
  let value = 0;
  let run = 0;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const here = mask[y * width + x] ? 1 : 0;
      if (here !== value) {
        runs.push(run);
        run = 0;
        value = here;
      }
      run++;
    }
  }
  runs.push(run);
  return packRuns(runs);
}

/** COCO's compressed counts -> mask (height * width), row by row. */
export function decodeMask(counts, height, width) {
  const mask = new Uint8Array(height * width);
  let at = 0;
  let value = 0;
  for (const run of unpackRuns(counts)) {
    if (at + run > mask.length) throw new RangeError("The mask's run lengths exceed its grid.");
    if (value) for (let k = at; k < at + run; k++) mask[(k % height) * width + Math.floor(k / height)] = 1;
    at += run;
    value ^= 1;
  }
  return mask;
}

// From the fourth run on, the difference to the run two before is stored: neighbouring columns are alike.
function packRuns(runs) {
  let text = "";
  runs.forEach((run, index) => {
    let rest = index > 2 ? run - runs[index - 2] : run;
    let more = true;
    while (more) {
      let bits = rest & 0x1f;
      rest >>= 5;
      more = bits & 0x10 ? rest !== -1 : rest !== 0;
      if (more) bits |= 0x20;
      text += String.fromCharCode(bits + 48);
    }
  });
  return text;
}

function unpackRuns(text) {
  const runs = [];
  let at = 0;
  while (at < text.length) {
    let value = 0;
    let shift = 0;
    let bits;
    do {
      bits = text.charCodeAt(at++) - 48;
      if (!(bits >= 0 && bits < 64)) throw new RangeError("The mask's run lengths contain an invalid character.");
      value |= (bits & 0x1f) << shift;
      shift += 5;
    } while (bits & 0x20);
    if (bits & 0x10 && shift < 32) value |= -1 << shift;
    if (runs.length > 2) value += runs[runs.length - 2];
    runs.push(value);
  }
  return runs;
}
