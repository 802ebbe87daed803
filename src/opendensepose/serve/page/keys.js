// The photo's point moved, and the body turned, by keyboard.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TURN = Math.PI / 24, ZOOM = 1.15;

// signal: an AbortSignal that ends it.
export function watchKeys(data, photo, body, signal) {
  let place = middleOf(data);
  photo.section.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    const far = (event.shiftKey ? 10 : 1) * Math.max(1, Math.round(1 / photo.scale));
    const sizes = [data.width, data.height];
    place = place.map((at, axis) => Math.min(sizes[axis] - 1, Math.max(0, at + far * arrow[axis])));
    const pixel = place[1] * data.width + place[0];
    if (data.person[pixel]) return showPixel(data, photo, body, pixel);
    photo.mark([pixel]);
    body.mark(null);
    document.getElementById("said").textContent = `Background, pixel ${photoPixel(data, pixel).join(", ")}`;
  }, { signal });
  body.section.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (arrow) turn(body, arrow[0] * TURN, arrow[1] * TURN);
    else if ("+=".includes(event.key)) zoom(body, 1 / ZOOM);
    else if (event.key === "-") zoom(body, ZOOM);
    else return;
    event.preventDefault();
  }, { signal });
}

// The labelled pixel in the middle of the list: on somebody; without people the photo's middle.
function middleOf(data) {
  if (!data.labelled.length) return [data.width >> 1, data.height >> 1];
  const pixel = data.labelled[data.labelled.length >> 1];
  return [pixel % data.width, Math.floor(pixel / data.width)];
}

function turn(body, around, up) {
  const offset = body.camera.position.clone().sub(body.controls.target);
  const side = new THREE.Vector3(offset.z, 0, -offset.x).normalize();
  const tilted = offset.clone().applyAxisAngle(side, up).applyAxisAngle(new THREE.Vector3(0, 1, 0), around);
  if (Math.abs(tilted.y) > 0.97 * tilted.length()) return;  // not over the head
  body.camera.position.copy(body.controls.target).add(tilted);
  body.controls.update();
  body.draw();
}

function zoom(body, factor) {
  const offset = body.camera.position.clone().sub(body.controls.target).multiplyScalar(factor);
  body.camera.position.copy(body.controls.target).add(offset);
  body.controls.update();
  body.draw();
}
