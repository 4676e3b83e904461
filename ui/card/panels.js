// The bar of decisions and the panels for rejecting and answering; refuses to decide anything itself.
const REASONS = [['wrong_action', 'Wrong action'], ['wrong_details', 'Wrong details'], ['not_allowed', 'Not allowed'],
  ['not_needed', 'Not needed'], ['unclear', 'Unclear'], ['suspicious', 'Suspicious']];

// the second click of a double click would meet the next card, which nobody has read
const onceOf = (handler) => (event) => { if (event.detail < 2) handler(event); };

const keyed = (label, key, className, handler) => el('button', { type: 'button', class: `rc-button ${className}`, on: { click: onceOf(handler) } },
  el('span', {}, label), el('kbd', { 'aria-hidden': 'true' }, key));

const actionBar = (press) => {
  const button = (label, key, className) => keyed(label, key, className, () => press(key.toLowerCase()));
  const deciding = [button('Approve', 'A', 'rc-approve'), button('Edit', 'E', ''), button('Reject', 'R', 'rc-reject'), button('Respond', 'T', '')];
  const passing = [button('Snooze', 'S', 'rc-lesser'), button('Escalate', 'X', 'rc-lesser'), button('Next', 'N', 'rc-lesser')];
  const help = el('button', { type: 'button', class: 'rc-button rc-quiet', 'aria-label': 'Keys', on: { click: () => press('?') } }, el('kbd', { 'aria-hidden': 'true' }, '?'));
  const hint = el('span', { class: 'rc-hint', role: 'status' });
  const node = el('div', { class: 'rc-actions', role: 'toolbar', 'aria-label': 'Decide' }, deciding, passing, help, hint);
  return {
    node,
    paint({ barred, folded, looker, empty }) {
      deciding.forEach((one, at) => { one.disabled = empty || Boolean(barred) || (at === 0 && Boolean(folded)); });
      passing.forEach((one, at) => { one.disabled = empty || (looker && at < 2); });
      node.classList.toggle('rc-nothing', Boolean(empty));
      hint.textContent = empty ? '' : barred || folded || '';
    },
  };
};

const rejectPanel = (onReject, onBack) => {
  const feedback = el('textarea', { id: 'rc-feedback', rows: 2, maxlength: 4000 });
  const reject = (at) => { if (REASONS[at]) onReject(REASONS[at][0], feedback.value.trim()); };
  const node = el('div', { class: 'rc-panel' },
    el('h3', { tabindex: '-1' }, 'Reject: why?'),
    el('div', { class: 'rc-reasons' }, REASONS.map(([, label], at) => keyed(label, String(at + 1), 'rc-reject', () => reject(at)))),
    el('label', { for: 'rc-feedback' }, 'Tell the agent more ', el('span', { class: 'rc-soft' }, 'optional, write it before you choose')), feedback,
    el('div', { class: 'rc-row' }, keyed('Back', 'Esc', '', onBack)));
  return { node, digit: reject, focus: () => node.querySelector('h3').focus(), submit: () => false };
};

const respondPanel = (onRespond, onBack) => {
  const message = el('textarea', { id: 'rc-message', rows: 4, maxlength: 4000, 'aria-describedby': 'rc-message-problem' });
  const problem = el('div', { class: 'rc-problem', role: 'alert', id: 'rc-message-problem' });
  const submit = () => {
    if (message.value.trim()) onRespond(message.value.trim());
    else { problem.textContent = 'Write what the agent should know.'; message.focus(); }
    return true;
  };
  const node = el('div', { class: 'rc-panel' },
    el('h3', {}, 'Answer the agent'), el('label', { for: 'rc-message' }, 'The action will not run; the agent reads this instead.'), message, problem,
    el('div', { class: 'rc-row' }, keyed('Send the answer', 'Ctrl ⏎', 'rc-primary', submit), keyed('Back', 'Esc', '', onBack)));
  return { node, submit, focus: () => message.focus() };
};

const editPanel = (card, draft, onEdit, onBack) => {
  const problem = el('div', { class: 'rc-problem', role: 'alert' });
  const form = editForm(card, () => { problem.textContent = ''; });
  if (draft) form.restore(draft);
  const submit = () => {
    const read = form.read();
    const others = form.tell(read.problems);
    if (Object.keys(read.problems).length) problem.textContent = others.join(' ') || 'Some fields need another look.';
    else if (!read.changed) problem.textContent = 'Nothing is changed. Press Esc, then approve it as it is.';
    else onEdit({ changes: read.changes, removed: read.removed }, form.draft());
    return true;
  };
  const node = el('div', { class: 'rc-panel rc-panel-edit' }, el('h3', {}, 'Edit, then approve'), form.node, problem,
    el('div', { class: 'rc-row' }, keyed('Approve the edit', 'Ctrl ⏎', 'rc-approve', submit), keyed('Back', 'Esc', '', onBack)));
  const tell = (problems, message) => { problem.textContent = form.tell(problems).join(' ') || message; };
  const focus = () => { const first = node.querySelector('input, select, textarea'); if (first) first.focus(); };
  return { node, submit, focus, tell, draft: form.draft };
};
