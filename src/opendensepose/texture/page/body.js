"use strict";
// The body at the right: which of its points is pointed at, and a marker on one point.

class BodyView {
  constructor(section, data, texture) {
    this.section = section;
    this.data = data;
    this.marker = section.querySelector(".marker");
    this.place = null;
    this.renderer = new THREE.WebGLRenderer({ canvas: section.querySelector("canvas"), antialias: true });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.scene = new THREE.Scene();
    this.scene.background = new THREE.Color("#1f242d");
    this.camera = new THREE.PerspectiveCamera(28, 1, 0.05, 30);
    this.camera.position.set(0, 0.05, 4.6);
    this.light = new THREE.DirectionalLight("#ffffff", 1.7);
    this.scene.add(new THREE.AmbientLight("#ffffff", 1.5), this.light);
    this.materials = {
      photo: new THREE.MeshStandardMaterial({ map: asTexture(texture), roughness: 1 }),
      charts: new THREE.MeshStandardMaterial({ vertexColors: true, roughness: 1 }),
    };
    this.mesh = new THREE.Mesh(bodyGeometry(data), this.materials.photo);
    this.scene.add(this.mesh);
    this.raycaster = new THREE.Raycaster();
    this.controls = new THREE.OrbitControls(this.camera, this.renderer.domElement);
    this.controls.target.set(0, -0.05, -0.05);
    this.controls.minDistance = 0.4;
    this.controls.maxDistance = 8;
    this.controls.addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.fit()).observe(section);
    this.controls.update();
    this.fit();
  }

  fit() {
    const { clientWidth, clientHeight } = this.section;
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.camera.aspect = clientWidth / clientHeight;
    this.camera.fov = Math.min(70, 28 * Math.max(1, 0.72 / this.camera.aspect));
    this.camera.updateProjectionMatrix();
    this.draw();
  }

  // image: of the texture, another photo's.
  wear(image) {
    this.materials.photo.map.dispose();
    this.materials.photo.map = asTexture(image);
    this.draw();
  }

  show(kind) {
    this.mesh.material = this.materials[kind];
    this.draw();
  }

  draw() {
    this.light.position.copy(this.camera.position).add(new THREE.Vector3(-1, 1.6, 0));
    this.renderer.render(this.scene, this.camera);
    this.placeMarker();
  }

  cast(target) {
    this.scene.updateMatrixWorld();
    this.camera.updateMatrixWorld();
    this.raycaster.setFromCamera(target, this.camera);
    return this.raycaster.intersectObject(this.mesh)[0];
  }

  // The face under the pointer, the weights of its second and third corner, and the place.
  pointAt(event) {
    const bounds = this.renderer.domElement.getBoundingClientRect();
    const x = ((event.clientX - bounds.left) / bounds.width) * 2 - 1;
    const y = 1 - ((event.clientY - bounds.top) / bounds.height) * 2;
    const hit = this.cast(new THREE.Vector2(x, y));
    if (!hit) return null;
    return { face: hit.faceIndex, second: hit.barycoord.y, third: hit.barycoord.z, place: hit.point.toArray() };
  }

  mark(place) {
    this.place = place;
    this.placeMarker();
  }

  placeMarker() {
    this.marker.hidden = this.place === null;
    if (this.marker.hidden) return;
    const at = new THREE.Vector3(...this.place).project(this.camera);
    this.marker.style.left = `${((at.x + 1) / 2) * this.section.clientWidth}px`;
    this.marker.style.top = `${((1 - at.y) / 2) * this.section.clientHeight}px`;
  }

  // Turns the body until the place can be seen.
  turnTo(place, normal) {
    const at = new THREE.Vector3(...place), target = at.clone().project(this.camera);
    const hit = this.cast(new THREE.Vector2(target.x, target.y));
    const away = this.camera.position.clone().sub(at).normalize();
    if (hit && hit.point.distanceTo(at) < 0.02 && away.dot(new THREE.Vector3(...normal)) > 0.15) return;
    const offset = this.camera.position.clone().sub(this.controls.target), distance = offset.length();
    const wanted = new THREE.Vector3(normal[0], Math.max(-0.6, Math.min(0.6, normal[1])), normal[2]);
    const isTurning = Boolean(this.turn);
    this.turn = { from: offset.normalize(), to: wanted.normalize(), distance, start: performance.now() };
    if (!isTurning) requestAnimationFrame(() => this.turnOn());
  }

  turnOn() {
    if (!this.turn) return;
    const part = Math.min(1, (performance.now() - this.turn.start) / 350), eased = part * part * (3 - 2 * part);
    const angle = this.turn.from.angleTo(this.turn.to), axis = new THREE.Vector3().crossVectors(this.turn.from, this.turn.to);
    if (axis.lengthSq() < 1e-6) axis.set(0, 1, 0);
    const offset = this.turn.from.clone().applyAxisAngle(axis.normalize(), angle * eased);
    this.camera.position.copy(this.controls.target).addScaledVector(offset, this.turn.distance);
    if (part === 1) this.turn = null;
    this.controls.update();
    this.draw();
    if (this.turn) requestAnimationFrame(() => this.turnOn());
  }
}

function asTexture(image) {
  const texture = new THREE.CanvasTexture(image);
  texture.colorSpace = THREE.SRGBColorSpace;
  texture.flipY = false;
  texture.anisotropy = 4;
  return texture;
}

// Each face has corners of its own, so that it can have its chart's colour.
function bodyGeometry(data) {
  const geometry = new THREE.BufferGeometry(), count = data.faces.length;
  const position = new Float32Array(3 * count), normal = new Float32Array(3 * count);
  const uv = new Float32Array(2 * count), colour = new Float32Array(3 * count);
  const colours = data.chartColours.map((one) => new THREE.Color(`rgb(${one.join(",")})`).toArray());
  data.faces.forEach((vertex, k) => {
    position.set(data.vertices.subarray(3 * vertex, 3 * vertex + 3), 3 * k);
    normal.set(data.normals.subarray(3 * vertex, 3 * vertex + 3), 3 * k);
    uv.set(data.textureXy.subarray(2 * vertex, 2 * vertex + 2), 2 * k);
    colour.set(colours[data.faceChart[Math.floor(k / 3)]], 3 * k);
  });
  for (const [name, values, size] of [["position", position, 3], ["normal", normal, 3], ["uv", uv, 2], ["color", colour, 3]]) {
    geometry.setAttribute(name, new THREE.BufferAttribute(values, size));
  }
  return geometry;
}
