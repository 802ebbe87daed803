"use strict";
// What Python packed: arrays by name, each deflated and in base64, and settings as they are.

async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

const ARRAY_KINDS = {
  vertices: Float32Array, normals: Float32Array, textureXy: Float32Array, surfaceVertex: Uint16Array,
  faces: Uint16Array, faceChart: Uint8Array, faceUv: Float32Array,
  face: Uint16Array, first: Uint8Array, second: Uint8Array, person: Uint8Array, confidence: Uint8Array,
};

async function unpackAll(packed) {
  const data = { ...packed };
  await Promise.all(Object.keys(packed).filter((name) => name in ARRAY_KINDS).map(async (name) => {
    data[name] = new ARRAY_KINDS[name](await unpack(packed[name]));
  }));
  return data;
}

// Chart, U and V of a point of a face; weights of its second and third corner.
function chartPoint(data, face, second, third) {
  const weights = [1 - second - third, second, third];
  const [u, v] = [0, 1].map((axis) => weights.reduce((sum, w, k) => sum + w * data.faceUv[6 * face + 2 * k + axis], 0));
  return { chart: data.faceChart[face], u, v };
}

// The place at rest of a point of a face; weights of its second and third corner.
function placeOf(data, face, second, third) {
  const place = [0, 0, 0];
  [1 - second - third, second, third].forEach((weight, corner) => {
    const vertex = data.faces[3 * face + corner];
    for (let axis = 0; axis < 3; axis++) place[axis] += weight * data.vertices[3 * vertex + axis];
  });
  return place;
}

// data.labelled: the indices of all pixels that show a person; data.places: where each lies on the body.
function addPixelPlaces(data) {
  data.labelled = Uint32Array.from(data.person.keys()).filter((pixel) => data.person[pixel] > 0);
  data.places = new Float32Array(3 * data.labelled.length);
  data.labelled.forEach((pixel, k) => {
    data.places.set(placeOf(data, data.face[pixel], data.first[pixel] / 255, data.second[pixel] / 255), 3 * k);
  });
}

// Of each person the pixel that shows the place nearest to this one, no farther than data.reach metres.
function pixelsNear(data, [x, y, z]) {
  const best = new Map();
  for (let k = 0; k < data.labelled.length; k++) {
    const dx = data.places[3 * k] - x, dy = data.places[3 * k + 1] - y, dz = data.places[3 * k + 2] - z;
    const distance = dx * dx + dy * dy + dz * dz;
    if (distance > data.reach * data.reach) continue;
    const person = data.person[data.labelled[k]];
    if (!best.has(person) || distance < best.get(person).distance) {
      best.set(person, { distance, pixel: data.labelled[k] });
    }
  }
  return [...best.values()].map((one) => one.pixel);
}
