// Where a lead promotes or demotes a class: frozen evidence in sentences, a typed reason, the digest of what was read; refuses stale evidence.
const AGAIN = 'look again';

const signingDialog = () => {
  const title = el('h2', { id: 'sg-title', tabindex: '-1' });
  const body = el('div', { class: 'sg-body', id: 'sg-body', tabindex: '0', role: 'group', 'aria-label': 'What you sign' });
  const why = el('textarea', { id: 'sg-why', maxlength: 400, rows: 3 });
  const problem = el('div', { class: 'rc-problem', role: 'alert' });
  const go = el('button', { type: 'submit', class: 'rv-button sg-go' });
  const back = el('button', { type: 'button', class: 'rv-button', on: { click: () => dialog.close() } }, 'Back');
  const label = el('label', { for: 'sg-why' });
  const form = el('form', { on: { submit: (event) => { event.preventDefault(); submit(); } } }, label, why, problem, el('div', { class: 'rv-actions' }, go, back));
  const dialog = el('dialog', { class: 'sg-dialog', 'aria-labelledby': 'sg-title' }, title, body, form);
  let send = null;
  let sending = false;
  const submit = async () => {
    const reason = why.value.trim();
    if (!reason) { problem.textContent = 'Say why.'; why.focus(); return; }
    if (sending) return;
    sending = true;
    const failed = await send(reason);
    sending = false;
    if (failed === AGAIN) return;
    if (failed) problem.textContent = failed; else dialog.close();
  };
  const open = ({ heading, content, ask, confirm, danger, onSend, keep }) => {
    fill(title, heading);
    fill(body, content);
    label.textContent = ask;
    go.textContent = confirm;
    go.className = `rv-button ${danger ? 'rv-danger' : 'sg-go'}`;
    if (!keep) why.value = '';
    problem.textContent = '';
    send = onSend;
    if (!dialog.open) dialog.showModal();
    title.focus();
  };
  return { dialog, open };
};

const sentenceList = (sentences, before) => el('ol', { class: 'sg-sentences' }, sentences.map((text) => el('li', { class: before && !before.includes(text) ? 'sg-new' : '' }, marked(text))));

const promotion = (signing, insight, to, onDone, before) => {
  const sentences = evidenceSentences(insight.evidence);
  const gone = before ? before.filter((text) => !sentences.includes(text)) : [];
  signing.open({
    heading: [before ? 'This changed while you looked: ' : '', 'promote ', marked(words(insight.title || insight.tool)), ` to ${LEVELS[to].name}?`],
    content: [
      before ? el('p', { class: 'sg-changed', role: 'alert' }, 'What is new is marked. Read it again before you sign.') : null,
      gone.length ? el('div', {}, el('h3', {}, 'No longer true'), el('ul', { class: 'sg-gone' }, gone.map((text) => el('li', {}, el('del', {}, marked(text)))))) : null,
      el('h3', {}, 'What you let happen'), el('p', {}, `${levelWords(insight.level)} → ${levelWords(to)}. ${LEVELS[to].what}`),
      el('h3', {}, 'The evidence, which is frozen into the audit log with your signature'), sentenceList(sentences, before),
      el('p', { class: 'rc-soft' }, 'Agent ', el('code', {}, marked(insight.agent)), ', tool ', el('code', {}, marked(insight.tool)), '. Evidence ', el('code', {}, insight.evidence_digest.slice(0, 16)), '…'),
    ],
    ask: 'Why are you convinced?', confirm: `Sign for ${LEVELS[to].name}`, keep: Boolean(before),
    onSend: async (reason) => {
      const certificate = insight.offered ? insight.offered.id : '';
      const request = { agent: insight.agent, tool: insight.tool, to, certificate, evidence: insight.evidence_digest, shown: insight.evidence, reason };
      const { status, body } = await settled('POST', '/api/autonomy/promote', request);
      if (status === 200) { onDone(body.class, `Promoted to ${LEVELS[to].name}.`); return ''; }
      if (body.error === 'stale_evidence' && body.class) {
        onDone(body.class, '');
        if (!body.class.signable) return body.message;
        promotion(signing, body.class, body.class.to, onDone, sentences);
        return AGAIN;
      }
      return body.message;
    },
  });
};

const demotion = (signing, insight, onDone) => {
  const lower = LEVELS.map((_, level) => level).filter((level) => level < insight.level || (!insight.version && level === insight.level)).reverse();
  const to = el('select', { id: 'sg-to' }, lower.map((level) => el('option', { value: level }, `${levelWords(level)}${level === insight.level ? ', without a stated threshold' : ''}`)));
  signing.open({
    heading: ['Demote ', marked(words(insight.title || insight.tool)), '?'],
    content: [el('p', {}, 'It takes effect with the next action. What has been started ends by itself.'),
      el('p', { class: 'sg-to' }, el('label', { for: 'sg-to' }, 'To the level'), to)],
    ask: 'Why?', confirm: 'Demote', danger: true,
    onSend: async (reason) => {
      const { status, body } = await settled('POST', '/api/autonomy/demote', { agent: insight.agent, tool: insight.tool, to: Number(to.value), reason });
      if (status === 200) { onDone(body.class, `Demoted to ${LEVELS[Number(to.value)].name}.`); return ''; }
      return body.message;
    },
  });
};
