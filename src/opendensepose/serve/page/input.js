// Where photos come from: a file, dropped, pasted, the camera, the example.
const element = (id) => document.getElementById(id);

// take: what to do with a photo, a Blob. tell: says a sentence.
export function watchInputs(take, tell) {
  element("file").addEventListener("change", ({ target }) => {
    if (target.files.length) take(target.files[0]);
    target.value = "";  // so that the same file can be chosen again
  });
  watchDrop(take, tell);
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
    if (file) take(file);
  });
  element("example").addEventListener("click", async () => {
    try {
      take(await (await fetch("/static/example.webp")).blob());
    } catch {
      tell("The server cannot be reached.", true);
    }
  });
  watchCamera(take, tell);
}

function watchDrop(take, tell) {
  let depth = 0;  // of elements that were entered and not left
  const show = () => document.body.classList.toggle("dragging", depth > 0);
  document.addEventListener("dragenter", () => { depth++; show(); });
  document.addEventListener("dragleave", () => { depth--; show(); });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    show();
    const [file] = event.dataTransfer.files;
    if (file) take(file);
    else tell("Drop a file: what was dropped is none.", true);
  });
}

function watchCamera(take, tell) {
  const dialog = element("camera-dialog"), video = dialog.querySelector("video"), button = element("camera");
  button.addEventListener("click", async () => {
    button.disabled = true;  // while the browser asks: a second stream would never be stopped
    try {
      // browsers give the camera to pages of https and of this machine only
      if (!navigator.mediaDevices) throw new Error("only pages of https or of this machine may use it");
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } });
    } catch (error) {
      return tell(`The camera cannot be used: ${error.message}.`, true);
    } finally {
      button.disabled = false;
    }
    dialog.showModal();
    await video.play();
    dialog.dataset.live = "yes";
  });
  element("take").addEventListener("click", async () => {
    if (!video.videoWidth) return;
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    canvas.getContext("2d").drawImage(video, 0, 0);
    dialog.close();
    take(await canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 }));
  });
  element("close-camera").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    delete dialog.dataset.live;
  });
}
