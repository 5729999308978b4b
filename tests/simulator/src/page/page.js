// Keeps the page up to date and uploads files that are dropped on a folder or chosen for it.
'use strict';

const PAUSE = 400;
const page = `/?workspace=${document.querySelector('main')?.dataset.workspace ?? ''}`;
let known = '';

document.documentElement.classList.add('scripted');

/** Makes `have` what `want` is, and touches nothing else: pictures, open folders and the place that
 *  one has scrolled to stay as they are. Elements with an id are the same element wherever they are;
 *  only one that moves down to another parent is made anew. */
function merge(have, want) {
  for (const { name, value } of want.attributes) {
    if (name !== 'open' && have.getAttribute(name) !== value) have.setAttribute(name, value);
  }
  let at = have.firstChild;
  for (const wanted of [...want.childNodes]) {
    const same = wanted.id ? document.getElementById(wanted.id) : alike(at, wanted) ? at : null;
    if (!same) {
      have.insertBefore(wanted, at);
      if (wanted.id) appear(wanted);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else have.insertBefore(same, at);
    if (same.nodeType !== Node.ELEMENT_NODE) same.data = wanted.data;
    else if (!same.isEqualNode(wanted)) merge(same, wanted);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function alike(have, want) {
  return have && !have.id && have.nodeName === want.nodeName;
}

function appear(element) {
  const colour = getComputedStyle(element).getPropertyValue('--wash');
  element.animate([{ opacity: 0, backgroundColor: colour }, { opacity: 1 }], { duration: 900, easing: 'ease-out' });
}

async function refresh() {
  try {
    if (!document.hidden) await update();
  } catch {
    known = ''; // The simulator is not there at the moment.
  }
  setTimeout(refresh, PAUSE);
}

async function update() {
  const answer = await fetch(page, { cache: 'no-store', headers: known ? { 'If-None-Match': known } : {} });
  if (answer.status !== 200) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const part of ['header', 'main']) {
    const [have, want] = [document.querySelector(part), fresh.querySelector(part)];
    if (have && want) merge(have, document.adoptNode(want));
  }
  known = answer.headers.get('etag') ?? '';
}

function upload(folder, file) {
  const note = document.createElement('div');
  const bar = document.createElement('progress');
  note.append(file.name, bar);
  document.getElementById('uploads').append(note);
  const wrong = (text) => {
    note.className = 'wrong';
    note.textContent = `${file.name}: ${text}`;
    setTimeout(() => note.remove(), 10000);
  };
  const { workspace } = document.querySelector('main').dataset;
  const request = new XMLHttpRequest();
  request.open('POST', `/control/upload?${new URLSearchParams({ workspace, folder, name: file.name })}`);
  request.upload.onprogress = ({ loaded, total }) => Object.assign(bar, { max: total, value: loaded });
  request.onerror = () => wrong('could not be read and sent; folders cannot be');
  request.onload = () => {
    if (request.status === 201) setTimeout(() => note.remove(), 800);
    else wrong(reason(request));
  };
  request.send(file);
}

function reason(request) {
  try {
    return JSON.parse(request.responseText).error;
  } catch {
    return `HTTP ${request.status}`;
  }
}

/** The folder that something is dropped on; beside all of them, it is the root. */
function under(event) {
  return event.target.closest?.('[data-folder]') ?? document.querySelector('[data-folder=root]');
}

function mark(folder) {
  for (const other of document.querySelectorAll('[data-over]')) if (other !== folder) delete other.dataset.over;
  if (folder) folder.dataset.over = '';
}

document.addEventListener('dragover', (event) => {
  if (!event.dataTransfer.types.includes('Files')) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = 'copy';
  mark(under(event));
});
document.addEventListener('dragleave', (event) => {
  if (!event.relatedTarget) mark(null);
});
document.addEventListener('drop', (event) => {
  if (!event.dataTransfer.types.includes('Files')) return;
  event.preventDefault();
  mark(null);
  const folder = under(event)?.dataset.folder;
  if (folder) for (const file of event.dataTransfer.files) upload(folder, file);
});
document.addEventListener('change', ({ target }) => {
  const folder = target.closest('[data-folder]')?.dataset.folder;
  if (target.type !== 'file' || !folder) return;
  for (const file of target.files) upload(folder, file);
  target.value = '';
});

refresh();
