// Everything that waits as a table: search, two filters, and each row leads to its card.
const inbox = element.querySelector('.rc-root');
const LIMIT = 200;
const ANY = 'any';
const tools = new Set();

const pick = (id, label, values) => {
  const select = el('select', { id, on: { change: () => paint() } });
  const offer = (names) => {
    const chosen = select.value || ANY;
    fill(select, [ANY, ...names].map((name) => el('option', { value: name }, name)));
    select.value = names.includes(chosen) ? chosen : ANY;
  };
  offer(values);
  return { node: el('span', { class: 'rv-pick' }, el('label', { for: id }, label), select), select, offer };
};
const search = el('input', { type: 'search', id: 'rv-search-inbox', on: { input: () => { clearTimeout(timer); timer = setTimeout(load, 250); } } });
const byTool = pick('rv-tool', 'Tool', []);
const byConsequence = pick('rv-consequence', 'Consequence', CONSEQUENCE_NAMES);
const count = el('span', { role: 'status' }, 'Loading…');
const stuck = el('a', { class: 'ib-stuck', href: `${location.pathname}#assent-tasks`, hidden: true });
const body = el('tbody');
const table = el('table', { class: 'rv-table ib-table', hidden: true }, el('thead', {}, el('tr', {},
  ['Review', 'Action', 'Consequence', 'Requester', 'Why', 'Since'].map((name) => el('th', { scope: 'col' }, name)))), body);
let lines = [];
let timer = 0;
let turn = 0;

const address = (line) => `${basePath()}/?review=${encodeURIComponent(line.id)}`;

const holding = (line) => [
  line.quorum > 1 || line.approvals.length ? `${line.approvals.length} of ${line.quorum} approved` : '',
  line.holder && secondsTo(line.held_until) > 0 ? `${line.holder} works on it` : '',
  line.edited_by ? `edited by ${line.edited_by}` : '',
].filter(Boolean).join(' · ');

const inboxRow = (line) => el('tr', { on: { click: (event) => { if (!event.target.closest('a') && !String(getSelection())) location.assign(address(line)); } } },
  el('th', { scope: 'row' }, el('a', { href: address(line) }, `RQ-${line.number}`)),
  el('td', { class: 'rv-title' }, el('div', { class: 'ib-cut' }, marked(words(line.title || line.tool))), toolUnlessTitle(line.tool, line.title) ? el('div', { class: 'rc-soft rc-mono ib-cut ib-tool' }, marked(line.tool)) : null),
  el('td', { class: 'ib-consequence' }, el('span', { class: `rv-word rv-word-is-${lookOf(line.consequence)}` }, marked(line.consequence))),
  el('td', { class: 'ib-requester' }, el('div', { class: 'ib-cut' }, marked(line.requester))), el('td', { class: 'rc-text' }, el('div', { class: 'ib-cut' }, marked(line.why)), holding(line) ? el('div', { class: 'rv-holding' }, marked(holding(line))) : null),
  el('td', { class: 'rv-when' }, age(line.created), line.due ? el('div', { class: secondsTo(line.due) < 600 ? 'rv-due-soon' : '' }, due(line.due)) : null));

const paint = () => {
  const fits = (value, wish) => wish === ANY || value === wish;
  const shown = lines.filter((line) => fits(line.tool, byTool.select.value) && fits(line.consequence, byConsequence.select.value));
  const held = document.activeElement && body.contains(document.activeElement) ? document.activeElement.textContent : null;
  fill(body, shown.map(inboxRow));
  table.hidden = !shown.length;
  const filtered = search.value || shown.length !== lines.length;
  count.textContent = shown.length ? `${shown.length}${lines.length === LIMIT ? ' of the first 200' : ''} waiting`
    : filtered ? 'Nothing that waits fits these filters.' : 'Nothing waits. New actions appear here by themselves.';
  if (held) { const link = [...body.querySelectorAll('a')].find((one) => one.textContent === held); if (link) link.focus(); }
};
const load = async () => {
  const mine = ++turn;
  const { status, body: reply } = await settled('GET', `/api/inbox?search=${encodeURIComponent(search.value)}`);
  if (mine !== turn) return;
  inbox.classList.remove('rv-loading');
  if (status !== 200) { count.textContent = reply.message; return; }
  lines = reply.inbox;
  lines.forEach((line) => tools.add(line.tool));
  byTool.offer([...tools].sort());
  paint();
};

fill(inbox, el('div', { class: 'rv-head' }, el('h2', {}, 'Inbox'), el('span', { class: 'rv-pick' }, el('label', { for: 'rv-search-inbox' }, 'Search'), search), byTool.node, byConsequence.node),
  el('p', { class: 'rc-soft ib-count' }, count, stuck), el('div', { class: 'rv-scroll', tabindex: '0', role: 'region', 'aria-label': 'Waiting reviews' }, table));
inbox.classList.add('rv-loading');
addEventListener('assent:tasks', ({ detail }) => {
  stuck.hidden = !detail;
  stuck.textContent = `${plural(detail, 'action needs', 'actions need')} a person`;
});
clearInterval(window.assentInbox);
window.assentInbox = setInterval(() => { if (document.visibilityState === 'visible') load(); }, 10000);
load();
