// The panels that put a card off, pass it on or give it more time; refuses to do the latter two without a reason.
const SNOOZES = [['15 minutes', () => 15], ['1 hour', () => 60], ['Tomorrow at 9', () => minutesToMorning()]];
const EXTENSIONS = [['1 hour', () => 60], ['4 hours', () => 240], ['1 day', () => 1440]];

const minutesToMorning = () => {
  const morning = new Date();
  morning.setDate(morning.getDate() + 1);
  morning.setHours(9, 0, 0, 0);
  return (morning.getTime() - Date.now()) / 60000;
};

const inMinutes = (minutes, from = 0) => new Date(Math.max(from, Date.now() + skew) + minutes * 60000).toISOString();

const snoozePanel = (onSnooze, onBack) => {
  const digit = (at) => { if (SNOOZES[at]) onSnooze(inMinutes(SNOOZES[at][1]())); };
  const node = el('div', { class: 'rc-panel' }, el('h3', { tabindex: '-1' }, 'Snooze: until when?'),
    el('p', { class: 'rc-soft' }, 'Nobody is shown this card until then. It still expires when it is due.'),
    el('div', { class: 'rc-reasons' }, SNOOZES.map(([label], at) => keyed(label, String(at + 1), '', () => digit(at)))),
    el('div', { class: 'rc-row' }, keyed('Back', 'Esc', '', onBack)));
  return { node, digit, focus: () => node.querySelector('h3').focus(), submit: () => false };
};

const reasonedPanel = ({ title, note, label, options, action, onDone, onBack }) => {
  const choice = el('select', { id: 'rc-move-to' }, options.map(([value, text]) => el('option', { value }, marked(text))));
  const reason = el('textarea', { id: 'rc-move-why', rows: 2, maxlength: 400, 'aria-describedby': 'rc-move-problem' });
  const problem = el('div', { class: 'rc-problem', role: 'alert', id: 'rc-move-problem' });
  const submit = () => {
    if (reason.value.trim()) onDone(choice.value, reason.value.trim());
    else { problem.textContent = 'Say why.'; reason.focus(); }
    return true;
  };
  const node = el('div', { class: 'rc-panel' }, el('h3', {}, title), el('p', { class: 'rc-soft' }, note),
    el('label', { for: 'rc-move-to' }, label), choice, el('label', { for: 'rc-move-why' }, 'Why?'), reason, problem,
    el('div', { class: 'rc-row' }, keyed(action, 'Ctrl ⏎', 'rc-primary', submit), keyed('Back', 'Esc', '', onBack)));
  return { node, submit, focus: () => choice.focus(), tell: (message) => { problem.textContent = message; } };
};

const escalatePanel = (people, you, onDone, onBack) => reasonedPanel({
  title: 'Escalate', note: 'It stays pending. Whoever you name is told, and it moves up in their queue.', label: 'To whom?', action: 'Escalate',
  options: [['role:lead', 'Every lead'], ['role:admin', 'Every admin'],
    ...people.filter((one) => one.name !== you.name && mayDecide(one)).map((one) => [`user:${one.name}`, `${one.name} (${one.role})`])],
  onDone, onBack,
});

const extendPanel = (card, onDone, onBack) => reasonedPanel({
  title: 'Extend the due time', note: `It is due at ${clock(card.due)}. Everybody sees that it was extended, by whom and why.`, label: 'By how much?', action: 'Extend',
  options: EXTENSIONS.map(([label], at) => [String(at), label]),
  onDone: (at, reason) => onDone(inMinutes(EXTENSIONS[Number(at)][1](), Date.parse(card.due)), reason), onBack,
});
