// The colour of a labelled pixel in each layer: [red, green, blue, alpha].

const LAYERS = {
  overlay: (data) => (pixel) => [...data.chartColours[data.faceChart[data.face[pixel]]], 165],
  parts: (data) => (pixel) => [...data.partColours[data.chartParts[data.faceChart[data.face[pixel]]]], 230],
  u: (data) => (pixel) => [...ramped(data.uvRamp, pointOf(data, pixel).u), 235],
  v: (data) => (pixel) => [...ramped(data.uvRamp, pointOf(data, pixel).v), 235],
  confidence: (data) => (pixel) => [...ramped(data.confidenceRamp, data.confidence[pixel] / 255), 235],
};

function pointOf(data, pixel) {
  return chartPoint(data, data.face[pixel], data.first[pixel] / 255, data.second[pixel] / 255);
}

function ramped(ramp, value) {
  return ramp[Math.round(255 * Math.min(1, Math.max(0, value)))];
}

// null for the photo as it is
export function colourOf(layer, data) {
  return layer in LAYERS ? LAYERS[layer](data) : null;
}
