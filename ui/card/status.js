// What stands above the card: numbers, trouble, messages, and the words for a screen reader; refuses to hide a refusal.
const NOTICES = 4;

const medianOf = (times) => {
  const sorted = [...times].sort((one, other) => one - other);
  return sorted.length ? `${(sorted[Math.floor((sorted.length - 1) / 2)] / 1000).toFixed(1)} s` : '–';
};

const statusArea = (onRetry) => {
  const live = el('div', { class: 'rc-live', 'aria-live': 'polite' });
  const banner = el('div', { class: 'rc-banner', role: 'alert', hidden: true });
  const notices = el('div', { class: 'rc-notices', role: 'status' });
  const stats = el('p', { class: 'rc-stats' });
  const hinted = el('p', { class: 'rc-soft rc-hint', role: 'status', hidden: true });
  const number = (value, label, name) => el('span', { class: name || '' }, el('b', {}, value), ` ${label}`);
  return {
    live, banner, notices, stats, hinted,
    hint(text) {
      hinted.hidden = !text;
      hinted.textContent = text;
    },
    say(text) { live.textContent = text; },
    notice(text) {
      const line = el('div', { class: 'rc-notice' }, el('span', {}, marked(text)),
        el('button', { type: 'button', class: 'rc-small', 'aria-label': 'Dismiss this message', on: { click: () => line.remove() } }, 'Dismiss'));
      notices.append(line);
      while (notices.children.length > NOTICES) notices.firstChild.remove();
    },
    trouble(kind, unsent) {
      banner.hidden = !kind;
      if (!kind) return;
      const kept = unsent ? `${plural(unsent, 'decision is', 'decisions are')} kept here and will be sent again. Leave this tab open.` : 'Nothing is lost.';
      const out = kind === 'signed out';
      fill(banner, el('strong', {}, out ? 'You are signed out. ' : 'The desk cannot be reached. '), kept, ' ',
        out ? el('a', { href: `${basePath()}/sign-in`, target: '_blank', rel: 'noopener' }, 'Sign in again') : null,
        el('button', { type: 'button', class: 'rc-small', on: { click: onRetry } }, 'Try now'));
    },
    numbers({ waiting, due: soon }, times) {
      fill(stats, number(waiting >= 1000 ? '1000+' : String(waiting), 'waiting'), soon ? number(String(soon), 'due within 10 min', 'rc-due') : null,
        times.length ? [number(String(times.length), 'decided by you here'), number(medianOf(times), 'your median')] : null);
    },
  };
};
