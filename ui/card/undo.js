// The strip of what was done last with the seconds left to take each back; refuses to promise more than the desk allows.
const STRIP_LENGTH = 10;
const DONE_WORDS = { approve: 'approved', edit: 'approved with edits', reject: 'rejected', respond: 'answered', snooze: 'snoozed', escalate: 'escalated' };

const undoStrip = ({ onUndo }) => {
  const node = el('ol', { class: 'rc-strip', 'aria-label': 'Your last decisions' });
  let lines = [];
  const secondsLeft = (line) => (line.until ? Math.max(0, Math.ceil((line.until - Date.now()) / 1000)) : 0);
  const open = (line) => line.state === 'sending' || (line.state === 'done' && (line.type === 'snooze' || secondsLeft(line) > 0));
  const paint = () => {
    fill(node, lines.map((line) => {
      const text = line.state === 'sending' ? 'sending' : line.words || DONE_WORDS[line.type];
      const left = secondsLeft(line);
      return el('li', { class: `rc-line rc-line-${line.type}` }, `RQ-${line.card.number} ${text} `,
        open(line) ? el('button', { type: 'button', class: 'rc-small', 'aria-label': `Undo RQ-${line.card.number}`, on: { click: () => onUndo(line) } },
          left ? `Undo · ${left} s` : 'Undo') : null);
    }));
    node.hidden = !lines.length;
  };
  const tick = () => {
    if (!node.isConnected && node.dataset.shown) { clearInterval(timer); return; }
    if (node.isConnected) node.dataset.shown = 'yes';
    const running = lines.some((line) => line.until);
    lines.forEach((line) => { if (line.until && Date.now() >= line.until) line.until = 0; });
    if (running) paint();
  };
  const timer = setInterval(tick, 500);
  return {
    node,
    add(line) { lines = [line, ...lines].slice(0, STRIP_LENGTH); paint(); },
    settle(line, seconds, text = '') { Object.assign(line, { state: 'done', words: text, until: Date.now() + seconds * 1000 }); paint(); },
    remove(line) { lines = lines.filter((other) => other !== line); paint(); },
    find: (entry) => lines.find((line) => line.entry === entry),
    latest: () => lines.find(open),
  };
};
