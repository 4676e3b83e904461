// What a class has earned in sentences: the risk a lead signs, the certificate, what the next level needs, and warnings.
const ASSUMED = 'The bound holds for actions like those that were counted: drawn with the same chance, one of each conversation, under the same model, prompt, policy and tool schema. It certifies agreement with reviewers, so what they miss is not in it.';
const NO_RISK = 'Nothing of this class passes without a person, so there is no risk of the machine’s to sign. What reviewers miss shows below.';

const riskSentence = (insight) => (insight.evidence.system_risk ? insight.evidence.system_risk.sentence : NO_RISK);

const stepSentence = (body) => (body.to === undefined ? null : `The class is ${LEVELS[body.level].name}; its next level is ${LEVELS[body.to].name}${body.share ? `, at which ${shortPercent(body.share)} of what passes is audited` : ''}.`);

const evidenceSentences = (body) => {
  const { certificate, head, monitor, requirements = [], system_risk: risk } = body;
  return [risk ? risk.sentence : null, stepSentence(body),
    certificate ? `Certificate ${certificate.id}: at most ${percent(certificate.bound, 2)} of what passes is wrong, with ${percent(1 - certificate.delta, 1)} confidence. Of ${certificate.rows} rows ${certificate.n} pass at confidence ${certificate.threshold.toFixed(3)} or more, and ${certificate.k} of them were wrong. Promised are at most ${shortPercent(certificate.alpha)}.` : null,
    head ? `Confidence is made of: ${head.told}.` : null,
    ...requirements.filter(({ name }) => name !== 'certificate' || !certificate).map(({ told }) => told),
    monitor && !requirements.some(({ name }) => name === 'monitor') ? `The monitor saw ${plural(monitor.audits, 'audit', 'audits')}, ${monitor.errors} wrong; evidence ${figure(monitor.evidence)}, alarm at 20.` : null,
    leftOutSentence(body), certificate ? ASSUMED : null].filter(Boolean);
};

const leftOutSentence = ({ report }) => {
  const found = report && report.left_out;
  if (!found || !found.left_out || found.bound_if_wrong === null) return null;
  return `${found.left_out} of ${found.decisions} decisions were neither right nor wrong, and the bound leaves them out. Were all of them wrong and had passed, it would be ${percent(found.bound_if_wrong, 2)}.`;
};

const riskView = (insight) => el('section', { class: 'ev-risk', 'aria-labelledby': 'ev-risk-title' },
  el('h4', { id: 'ev-risk-title' }, 'System risk'),
  el('p', { class: 'ev-sentence' }, marked(riskSentence(insight))),
  insight.evidence.system_risk ? el('p', { class: 'rc-soft ev-assumed' }, ASSUMED) : null);

const needRow = ({ text, have, need }) => {
  const bar = el('div', { class: 'ev-bar', 'aria-hidden': 'true' }, el('i'));
  bar.firstChild.style.width = `${Math.max(0, Math.min(100, (100 * have) / (need || 1)))}%`;
  return el('li', { class: 'ev-counted' }, el('span', {}, marked(text)), el('span', { class: 'ev-count' }, `${have} of ${need}`), bar, have < need ? el('span', { class: 'rc-soft' }, `${need - have} more`) : null);
};

const requirementRow = ({ met, told }) => el('li', { class: met ? 'ev-met' : 'ev-unmet' }, el('span', { class: 'ev-tick' }, met ? 'met' : 'missing'), el('span', {}, marked(told)));

const missingView = (insight) => {
  const rules = insight.evidence.requirements || [];
  const signature = { met: false, told: 'The signature of a lead or an admin.' };
  const [open, met] = [[...rules.filter((one) => !one.met), ...(insight.signable ? [signature] : [])], rules.filter((one) => one.met)];
  return el('section', { class: 'ev-box' },
    el('h4', {}, insight.to === insight.level ? `What ${LEVELS[insight.to].name} needs again` : `What the next level needs: ${LEVELS[insight.to].name}`),
    el('ul', { class: 'ev-needs' }, open.map(requirementRow), insight.progress.map(needRow), met.map(requirementRow)));
};

const PROMISE_ROWS = [
  ['For level', (promise) => levelWords(promise.level)],
  ['Promise', (promise) => `at most ${shortPercent(promise.alpha)} wrong, with ${percent(1 - promise.delta)} confidence`],
  ['Bound', (promise) => `${percent(promise.bound, 2)}: ${promise.k} wrong of ${promise.n} that pass`],
  ['Passes', (promise) => `${shortPercent(promise.coverage)} of ${promise.rows} certifying rows`],
  ['From', (promise) => `confidence ${promise.threshold.toFixed(3)} up`],
  ['Made', (promise) => clock(promise.created)],
];

const certificateView = (insight) => {
  const shown = [['In force', insight.signed], ['To be signed', insight.offered]].filter(([, promise]) => promise);
  const title = shown.length === 2 ? 'Certificates' : insight.offered ? 'Certificate to be signed' : 'Certificate in force';
  const none = insight.level ? 'None: every action is reviewed.' : 'None: nothing of this class runs.';
  return el('section', { class: 'ev-box' }, el('h4', { id: 'ev-certificate' }, title), !shown.length ? el('p', { class: 'rc-soft' }, none)
    : el('table', { class: 'ev-promise', 'aria-labelledby': 'ev-certificate' },
      shown.length === 2 ? el('thead', {}, el('tr', {}, el('td', {}), shown.map(([name]) => el('th', { scope: 'col' }, name)))) : null,
      el('tbody', {}, PROMISE_ROWS.map(([name, tell]) => el('tr', {}, el('th', { scope: 'row' }, name), shown.map(([, promise]) => el('td', {}, tell(promise))))))));
};

const driftView = (insight) => el('section', { class: 'ev-box' }, el('h4', {}, 'Early warnings'),
  insight.drift.length ? el('ul', { class: 'ev-warnings' }, insight.drift.map((one) => el('li', {}, marked(one.text), one.at ? el('span', { class: 'rc-soft' }, ` ${clock(one.at)}`) : null)))
    : el('p', { class: 'rc-soft' }, marked(insight.drift_note)));
