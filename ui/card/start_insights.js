// Shows all classes and the chosen one, keeps both fresh, and redraws the charts when the width changes.
const insightsRoot = element.querySelector('.rc-root');
const lines = el('ul', { class: 'in-list', 'aria-label': 'Classes of actions' });
const emptyNote = el('p', { class: 'rv-empty', role: 'status' }, 'Loading…');
const place = el('div', { class: 'in-place' });
const reviewersPlace = el('section', { 'aria-label': 'Reviewers', hidden: true });
const loadReviewers = reviewersView(reviewersPlace);
const below = el('div', { hidden: true }, reviewersPlace);
const signing = signingDialog();
let you = { may_sign: false, why_not: '' };
const FEW = 6; // so many classes are listed at once, and always the chosen one
const allButton = el('button', { type: 'button', class: 'rv-button in-all', hidden: true, on: { click: () => { listed = known.length; paintLines(); lines.querySelectorAll('.in-line')[FEW].focus(); } } });
let known = [];
let listed = FEW;
let chosenClass = '';
let shownClass = '';
let drawn = null;

const chartWidth = () => {
  const whole = drawn.charts.clientWidth || insightsRoot.clientWidth;
  return Math.max(290, Math.floor((whole > 860 ? (whole - 20) / 2 : whole) - 40));
};
const redraw = () => { if (drawn && chartWidth() !== drawn.width) { drawn.width = chartWidth(); drawn.paint(drawn.width); } };

const showClass = (insight, said) => {
  const now = JSON.stringify(insight);
  if (now === shownClass && !said) return;
  shownClass = now;
  drawn = classView(insight, { signing, you, onDone: changed, said });
  fill(place, drawn.view);
  redraw();
};
const changed = (insight, said) => { showClass(insight, said); loadLines(); };

const classPath = ({ agent, tool }) => `/api/insights/${agent.split('/').map(encodeURIComponent).join('/')}/${encodeURIComponent(tool)}`;
let classTurn = 0;
const loadClass = async (line) => {
  const mine = ++classTurn;
  const { status, body } = await settled('GET', classPath(line));
  if (mine !== classTurn) return;
  place.classList.remove('in-busy');
  if (status === 200) { you = body; showClass(body.class); } else fill(place, el('p', { class: 'rv-empty' }, body.message));
};
const choose = async (line) => {
  chosenClass = classKey(line);
  history.replaceState(null, '', `#${encodeURIComponent(chosenClass)}`);
  for (const button of lines.querySelectorAll('.in-line')) button.setAttribute('aria-pressed', String(button.dataset.class === chosenClass));
  place.classList.add('in-busy');
  await loadClass(line);
  if (place.getBoundingClientRect().top > innerHeight - 120) place.scrollIntoView({ block: 'start' });
};

const wished = () => { try { return decodeURIComponent(location.hash.slice(1)); } catch { return ''; } };
const paintLines = () => {
  const held = lines.contains(document.activeElement) ? document.activeElement.dataset.class : '';
  const shown = known.filter((line, at) => at < listed || classKey(line) === chosenClass);
  fill(lines, shown.map((line) => classLine(line, chosenClass, choose)));
  allButton.hidden = shown.length === known.length;
  allButton.textContent = `Show all ${known.length} classes`;
  if (held) { const again = [...lines.querySelectorAll('.in-line')].find((button) => button.dataset.class === held); if (again) again.focus(); }
};
const loadLines = async () => {
  const { status, body } = await settled('GET', '/api/insights');
  if (status !== 200) { emptyNote.hidden = false; emptyNote.textContent = body.message; return null; }
  you = body;
  known = byUrgency(body.classes);
  const current = known.find((line) => classKey(line) === (chosenClass || wished())) || known[0];
  chosenClass = current ? classKey(current) : '';
  paintLines();
  lines.hidden = !known.length;
  emptyNote.hidden = Boolean(known.length);
  fill(emptyNote, 'No agent has proposed an action yet. Write a message in the ', el('a', { href: `${basePath()}/playground` }, 'Playground'), '; what its class earns appears here.');
  return current;
};

fill(insightsRoot, el('div', { class: 'rv-head' }, el('h2', {}, 'What the agents have earned'), el('p', { class: 'rc-soft' }, 'A class is one agent’s use of one tool.')), lines, allButton, emptyNote, place, below, signing.dialog);
lines.hidden = true;
const refresh = async () => {
  const reviewers = loadReviewers();
  const current = await loadLines();
  if (current && !shownClass) fill(place, el('p', { class: 'in-loading', role: 'status' }, 'Loading…'));
  if (current) await loadClass(current);
  await reviewers;
  below.hidden = false;
};
new ResizeObserver(redraw).observe(insightsRoot);
clearInterval(window.assentInsights);
window.assentInsights = setInterval(() => { if (document.visibilityState === 'visible' && !signing.dialog.open) refresh(); }, 60000);
refresh();
