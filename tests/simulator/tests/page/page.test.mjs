// The script of the page: what is dropped is uploaded, and what comes is merged into what is there.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { createContext, runInContext } from 'node:vm';

import { documentOf, el, ELEMENT_NODE } from './dom.mjs';

const SCRIPT = readFileSync(new URL('../../src/page/page.js', import.meta.url), 'utf8');
/** Milliseconds between two requests for the page. */
const PAUSE = 400;
const HOSTILE = '<img src=x onerror=alert(1)>&?.png';

/** `<main>` with a root folder; `below` are in it. */
const main = (...below) =>
  el('main', { 'data-workspace': '42' }, el('details', { id: 'folder-root', 'data-folder': 'root', open: '' }, ...below));

/** Runs the script on a page. `answers` are those to the requests for the page, one after the other. */
async function open(content, answers = []) {
  const document = documentOf(el('header'), content, el('aside', { id: 'uploads' }));
  const [asked, timers, requests] = [[], [], []];
  class XMLHttpRequest {
    upload = {};
    open = (method, url) => Object.assign(this, { method, url: new URL(url, 'http://page/') });
    send = (body) => requests.push(Object.assign(this, { body }));
    answer = (status, responseText) => (Object.assign(this, { status, responseText }), this.onload());
  }
  const world = {
    document,
    Node: { ELEMENT_NODE },
    URLSearchParams,
    XMLHttpRequest,
    DOMParser: class { parseFromString = (page) => documentOf(...page()); },
    getComputedStyle: () => ({ getPropertyValue: () => 'gold' }),
    setTimeout: (then, after) => timers.push({ then, after }),
    fetch: async (url, { headers }) => {
      asked.push({ url, headers: { ...headers } });
      const answer = answers.shift() ?? { status: 304 };
      if (answer instanceof Error) throw answer;
      const { status = 200, etag = 'etag', page } = answer;
      return { status, text: async () => page, headers: new Map([['etag', etag]]) };
    },
  };
  runInContext(SCRIPT, createContext(world));
  const settle = () => new Promise((done) => setImmediate(done));
  await settle();
  /** Lets the timers of a kind run. */
  const pass = async (after) => {
    const due = timers.filter((timer) => timer.after === after);
    for (const timer of due) timers.splice(timers.indexOf(timer), 1);
    for (const { then } of due) then();
    await settle();
  };
  return { document, asked, requests, pass, refresh: () => pass(PAUSE) };
}

/** A drag of files over something, or of text when there are none. */
function drag(target, ...files) {
  const types = files.length ? ['Files'] : ['text/plain'];
  const event = { target, prevented: false, relatedTarget: null, dataTransfer: { types, files } };
  return Object.assign(event, { preventDefault: () => (event.prevented = true) });
}

const query = ({ url }) => Object.fromEntries(url.searchParams);

test('files that are dropped on a folder are uploaded there', async () => {
  const inside = el('span');
  const { document, requests } = await open(main(el('details', { id: 'folder-2a', 'data-folder': '2a' }, inside)));
  const files = [{ name: HOSTILE }, { name: 'ä b.jpg' }];
  const drop = drag(inside, ...files);
  document.fire('drop', drop);
  assert.equal(drop.prevented, true, 'the browser would open the file');
  assert.deepEqual(requests.map(query), files.map(({ name }) => ({ workspace: '42', folder: '2a', name })));
  for (const [index, { method, url, body }] of requests.entries()) {
    assert.deepEqual([method, url.pathname, body], ['POST', '/control/upload', files[index]]);
  }
});

test('files that are dropped beside all folders go to the root', async () => {
  const { document, requests } = await open(main());
  document.fire('drop', drag(document.querySelector('header'), { name: 'a.txt' }));
  assert.equal(query(requests[0]).folder, 'root');
});

test('dragged text is none of the page\'s business', async () => {
  const { document, requests } = await open(main());
  for (const type of ['dragover', 'drop']) {
    const event = drag(document.querySelector('main'));
    document.fire(type, event);
    assert.equal(event.prevented, false, type);
  }
  assert.deepEqual(requests, []);
});

test('one folder is marked while files are over it', async () => {
  const inner = el('details', { id: 'folder-2a', 'data-folder': '2a' });
  const { document } = await open(main(inner));
  const marked = () => document.querySelectorAll('[data-over]').map(({ dataset }) => dataset.folder);
  document.fire('dragover', drag(document.querySelector('main'), {}));
  assert.deepEqual(marked(), ['root']);
  document.fire('dragover', drag(inner, {}));
  assert.deepEqual(marked(), ['2a']);
  document.fire('dragleave', { relatedTarget: inner });
  assert.deepEqual(marked(), ['2a'], 'it has only gone from one element to another');
  document.fire('dragleave', { relatedTarget: null });
  assert.deepEqual(marked(), []);
  document.fire('dragover', drag(inner, {}));
  document.fire('drop', drag(inner, { name: 'a.txt' }));
  assert.deepEqual(marked(), []);
});

test('files that are chosen are uploaded, and can be chosen again', async () => {
  const input = Object.assign(el('input'), { type: 'file', files: [{ name: 'a.txt' }], value: 'a.txt' });
  const { document, requests } = await open(main(el('label', {}, input)));
  document.fire('change', { target: input });
  assert.deepEqual(query(requests[0]), { workspace: '42', folder: 'root', name: 'a.txt' });
  assert.equal(input.value, '');
});

test('an upload shows how far it is, and goes when it is done', async () => {
  const { document, requests, pass } = await open(main());
  document.fire('drop', drag(document.querySelector('main'), { name: HOSTILE }));
  const uploads = document.getElementById('uploads');
  assert.equal(uploads.textContent, HOSTILE, 'as text');
  requests[0].upload.onprogress({ loaded: 3, total: 7 });
  const { max, value } = uploads.querySelector('progress');
  assert.deepEqual([max, value], [7, 3]);
  requests[0].answer(201, '{}');
  await pass(800);
  assert.equal(uploads.childNodes.length, 0);
});

test('an upload that fails says why', async () => {
  const { document, requests, pass } = await open(main());
  const uploads = document.getElementById('uploads');
  for (const [fail, said] of [
    [(request) => request.answer(409, '{"error": "the folder is gone"}'), 'a.txt: the folder is gone'],
    [(request) => request.answer(502, '<b>Bad Gateway</b>'), 'a.txt: HTTP 502'],
    [(request) => request.onerror(), 'a.txt: could not be read and sent; folders cannot be'],
  ]) {
    document.fire('drop', drag(document.querySelector('main'), { name: 'a.txt' }));
    fail(requests.at(-1));
    assert.equal(uploads.textContent, said);
    assert.equal(uploads.firstChild.getAttribute('class'), 'wrong');
    await pass(10000);
    assert.equal(uploads.childNodes.length, 0);
  }
});

test('what comes is merged, and what stays is the same element', async () => {
  const file = (id, text) => el('div', { id, title: text }, el('small', {}, text));
  const page = () => [el('header', {}, 'new'), main(file('file-new', 'n'), file('file-b', 'b2'), file('file-a', 'a'))];
  const [a, b] = [file('file-a', 'a'), file('file-b', 'b')];
  const content = main(a, file('file-gone', 'g'), b);
  const root = content.firstChild;
  root.setAttribute('open', 'as somebody has left it');
  const { document } = await open(content, [{ page }]);
  assert.equal(document.querySelector('header').textContent, 'new');
  assert.equal(document.getElementById('folder-root'), root);
  assert.equal(root.getAttribute('open'), 'as somebody has left it');
  const [added, ...stayed] = root.childNodes;
  assert.equal(added.id, 'file-new');
  assert.ok(stayed.length === 2 && stayed[0] === b && stayed[1] === a, 'in their new order');
  assert.deepEqual([b.textContent, b.getAttribute('title')], ['b2', 'b2']);
  assert.deepEqual([added, a, b].map(({ animations }) => animations.length), [1, 0, 0], 'only the new one appears');
});

test('an element that comes elsewhere is moved there, not doubled', async () => {
  const folder = (id, ...files) => el('details', { id }, ...files);
  const file = (title) => el('div', { id: 'file-a', title });
  const up = () => [el('header'), main(folder('folder-x', file('up')), folder('folder-y'))];
  const down = () => [el('header'), main(folder('folder-x'), folder('folder-y', file('down')))];
  const moved = file('new');
  const { document, refresh } = await open(main(folder('folder-x'), folder('folder-y', moved)), [{ page: up }, { page: down }]);
  const where = () => document.querySelectorAll('#file-a').map((found) => [found.parentNode.id, found.getAttribute('title')]);
  assert.deepEqual(where(), [['folder-x', 'up']]);
  assert.equal(document.getElementById('file-a'), moved);
  await refresh();
  assert.deepEqual(where(), [['folder-y', 'down']]);
});

test('the page is asked for again and again, and sent only when it has changed', async () => {
  const page = () => [el('header'), main(el('p', { id: 'new' }))];
  const answers = [{ page, etag: '"1"' }, { status: 304 }, new Error('connection refused'), { page, etag: '"2"' }];
  const { document, asked, refresh } = await open(main(), answers);
  for (let round = 0; round < 4; round++) await refresh();
  document.hidden = true;
  await refresh();
  assert.deepEqual(asked.map(({ url }) => url), Array(5).fill('/?workspace=42'), 'a page that nobody sees asks for nothing');
  const known = asked.map(({ headers }) => headers['If-None-Match']);
  assert.deepEqual(known, [undefined, '"1"', '"1"', undefined, '"2"'], 'after a failure everything is asked for');
  assert.ok(document.getElementById('new'));
});
