// Changes that are not saved yet, kept in the browser's storage: a page that is closed and opened again has them.

const nameOf = (id) => `unsaved.${id}`;

/** Keeps a person's waiting changes, which were made on `version`. */
export function keepUnsaved(id, version, changes) {
  const kept = changes.map(({ method, path, body, key, request }) => ({ method, path, body, key, request }));
  if (kept.length) localStorage.setItem(nameOf(id), JSON.stringify({ version, kept }));
  else forgetUnsaved(id);
}

/** Changes that an earlier visit left: {version, kept}, or null. */
export const unsavedChanges = (id) => JSON.parse(localStorage.getItem(nameOf(id)) || "null");

export const forgetUnsaved = (id) => localStorage.removeItem(nameOf(id));
