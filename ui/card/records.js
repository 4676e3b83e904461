// Lists of what was decided, what needs a person and what is taught; refuses to change a past decision.
const shownValue = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

const wordChip = (text, known) => el('span', { class: `rv-word rv-word-${known.includes(text) ? text : 'other'}` }, words(text));

const argumentRows = (args, accepted) => {
  const names = [...new Set([...Object.keys(args || {}), ...Object.keys(accepted || {})])];
  const row = (name) => {
    const before = name in args ? shownValue(args[name]) : '';
    const after = accepted ? (name in accepted ? shownValue(accepted[name]) : '') : before;
    const value = before === after ? el('span', { class: 'rc-text' }, marked(before.length > 600 ? `${before.slice(0, 600)}… (${before.length} characters)` : before)) : diffView(before, after);
    return el('div', {}, el('dt', {}, marked(words(name))), el('dd', {}, value));
  };
  return el('dl', { class: 'rv-fields' }, names.map(row));
};

const listView = (root, { title, about, path, field, row, empty, search, extra, also, onBody }) => {
  const list = el('ul', { class: 'rv-list', 'aria-label': title });
  const note = el('div', { class: 'rv-empty', role: 'status' }, 'Loading…');
  const box = search ? el('input', { type: 'search', id: `rv-search-${field}`, on: { input: () => { clearTimeout(timer); timer = setTimeout(load, 250); } } }) : null;
  const more = also ? el('input', { type: 'checkbox', id: `rv-also-${field}`, on: { change: () => load() } }) : null;
  let timer = 0;
  let turn = 0;
  const show = (items) => {
    const active = list.contains(document.activeElement) ? document.activeElement : null;
    const [held, label] = active && active.closest('[data-action]') ? [active.closest('[data-action]').dataset.action, active.textContent] : [null, ''];
    fill(list, items.map((item) => row(item, { load, show })));
    const again = held && [...list.children].find((one) => one.dataset.action === held);
    if (again) ([...again.querySelectorAll('button, summary')].find((one) => one.textContent === label) || list).focus();
    list.hidden = !items.length;
    note.hidden = Boolean(items.length);
    note.textContent = box && box.value ? 'Nothing fits that search.' : empty;
  };
  const load = async () => {
    const mine = ++turn;
    const query = new URLSearchParams({ ...(box && box.value ? { search: box.value } : {}), ...(more && more.checked ? { [also.name]: 'true' } : {}) });
    const { status, body } = await settled('GET', `${path}?${query}`);
    if (mine !== turn) return;
    root.classList.remove('rv-loading');
    if (status === 200) { show(body[field]); if (onBody) onBody(body); }
    else { list.hidden = true; note.hidden = false; note.textContent = body.message; }
  };
  list.hidden = true;
  root.classList.add('rv-loading');
  fill(root, el('div', { class: 'rv-head' }, el('h2', {}, title), more ? el('label', { for: more.id }, more, also.label) : null, box ? el('span', { class: 'rv-pick' }, el('label', { for: box.id }, 'Search'), box) : null, extra), about ? el('p', { class: 'rc-soft rv-about' }, about) : null, list, note);
  load();
  return load;
};
