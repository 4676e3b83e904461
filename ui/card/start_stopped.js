// On every page: what is stopped, what is in flight and how much waits; refuses to be overlooked.
const stopped = element.querySelector('.rc-root');
let shownStops = '';

watchStops(({ stops, may_stop: mayStop }) => {
  const now = JSON.stringify([stops, mayStop]);
  if (now === shownStops) return;
  shownStops = now;
  fill(stopped, stops.length ? el('div', { class: 'sb-banner', role: 'alert' }, stops.map((stop) => el('div', { class: 'sb-stop' },
    el('p', {}, stopWords(stop), ' ', stopNumbers(stop)), mayStop ? liftButton(stop, () => {}) : null))) : null);
});
