// What a class has earned in sentences: the risk a lead signs, the certificate, what the next level needs, and warnings.
const riskView = (insight) => el('section', { class: 'ev-risk', 'aria-labelledby': 'ev-risk-title' },
  el('h4', { id: 'ev-risk-title' }, 'System risk'),
  el('p', { class: 'ev-sentence' }, marked(insight.risk.sentence)),
  insight.risk.assumptions.length ? el('details', {}, el('summary', {}, 'What this stands on'), el('ul', { class: 'ev-list' }, insight.risk.assumptions.map((text) => el('li', {}, marked(text))))) : null);

const needRow = ({ text, have, need }) => {
  const counted = need !== null && need > 0;
  const bar = counted ? el('div', { class: 'ev-bar', 'aria-hidden': 'true' }, el('i')) : null;
  if (bar) bar.firstChild.style.width = `${Math.max(0, Math.min(100, (100 * have) / need))}%`;
  return el('li', {}, el('span', {}, marked(text)), counted ? el('span', { class: 'ev-count' }, `${have} of ${need}`) : null, bar);
};

const missingView = (insight) => {
  if (insight.level >= LEVELS.length - 1) return null;
  return el('section', { class: 'ev-box' }, el('h4', {}, 'What the next level needs'),
    insight.missing.length ? el('ul', { class: 'ev-needs' }, insight.missing.map(needRow)) : el('p', { class: 'rc-soft' }, 'Nothing is missing but a signature.'));
};

const promiseRows = (promise) => [
  ['Promise', `at most ${shortPercent(promise.alpha)} wrong, with ${percent(1 - promise.delta)} confidence`],
  ['Bound', `${percent(promise.bound, 2)} (${promise.k} wrong of ${promise.n} passing)`],
  ['Passes', `${shortPercent(promise.coverage)} of ${promise.rows} certifying rows, from confidence ${promise.threshold.toFixed(3)} up`],
  ['For level', levelWords(promise.level)],
  ['Made', clock(promise.created)],
];

const promiseView = (promise, title) => el('section', { class: 'ev-box' }, el('h4', {}, title),
  promise ? el('dl', { class: 'ev-promise' }, promiseRows(promise).map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))))
    : el('p', { class: 'rc-soft' }, 'None: every action is reviewed.'));

const certificateView = (insight) => [
  insight.signed || !insight.offered ? promiseView(insight.signed, 'Certificate in force') : null,
  insight.offered ? promiseView(insight.offered, 'Certificate to be signed') : null,
];

const driftView = (insight) => el('section', { class: 'ev-box' }, el('h4', {}, 'Early warnings'),
  insight.drift.length ? el('ul', { class: 'ev-warnings' }, insight.drift.map((one) => el('li', {}, marked(one.text), one.at ? el('span', { class: 'rc-soft' }, ` ${clock(one.at)}`) : null)))
    : el('p', { class: 'rc-soft' }, marked(insight.drift_note || 'None. Scores, edits and rejections are as they were.')));
