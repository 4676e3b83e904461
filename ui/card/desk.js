// The desk itself: shows one card, takes one key, moves on at once and puts a card back when the desk refuses.
const STEADY_MS = 700;

const CONSEQUENCES = { read: 'read only', reversible: 'reversible', costly: 'costly', irreversible: 'cannot be undone' };

const cardHead = (card) => el('header', { class: 'rc-head' },
  el('div', { class: 'rc-meta' }, el('span', {}, `RQ-${card.number}`),
    el('span', { class: `rc-chip rc-chip-${card.consequence in CONSEQUENCES ? card.consequence : 'irreversible'}` }, CONSEQUENCES[card.consequence] || marked(card.consequence)),
    el('span', {}, 'for ', el('b', {}, marked(card.requester))), el('span', {}, age(card.created)),
    card.due ? el('span', { class: 'rc-due' }, due(card.due)) : null),
  el('h2', { tabindex: '-1' }, marked(words(card.title || card.tool))),
  el('p', { class: 'rc-soft' }, el('code', {}, marked(card.tool)), card.description ? ' · ' : '', marked(card.description || '')));

const reviewDesk = (root) => {
  const queue = cardQueue();
  const drafts = new Map();
  const state = { you: { name: '', role: '' }, mode: 'look', panel: null, before: null, since: 0, steadyUntil: 0, byYou: 0, times: [], stats: { waiting: 0, due: 0 }, loading: true, trouble: '' };
  const live = el('div', { class: 'rc-live', 'aria-live': 'polite' });
  const banner = el('div', { class: 'rc-banner', role: 'alert', hidden: true });
  const notices = el('div', { class: 'rc-notices', role: 'status' });
  const statsLine = el('p', { class: 'rc-stats' });
  const stage = el('div', { class: 'rc-stage' });
  const say = (text) => { live.textContent = text; };
  const notice = (text) => {
    const line = el('div', { class: 'rc-notice' }, el('span', {}, marked(text)),
      el('button', { type: 'button', class: 'rc-small', 'aria-label': 'Dismiss this message', on: { click: () => line.remove() } }, 'Dismiss'));
    notices.append(line);
    while (notices.children.length > 4) notices.firstChild.remove();
  };
  const strip = undoStrip({ onUndo: (line) => undo(line) });
  const bar = actionBar((key) => press(key));
  const help = helpDialog(() => say(keysOn() ? 'Single keys are on' : 'Single keys are off'));
  const box = outbox({
    holding: () => [...queue.ids(), ...box.waiting().map((entry) => entry.id)].slice(-200),
    onReply: (entry, reply) => replied(entry, reply),
    onTrouble: (kind, count) => { state.trouble = kind; paintBanner(count); },
    onClear: () => { state.trouble = ''; paintBanner(0); refresh(); },
  });
  const desk = { mayRetire: () => ['lead', 'admin'].includes(state.you.role) };

  const paintBanner = (count) => {
    const kept = count ? `${plural(count, 'decision is', 'decisions are')} kept here and will be sent again. Leave this tab open.` : 'Nothing is lost.';
    banner.hidden = !state.trouble;
    if (!state.trouble) return;
    const out = state.trouble === 'signed out';
    fill(banner, el('strong', {}, out ? 'You are signed out. ' : 'The desk cannot be reached. '), kept, ' ',
      out ? el('a', { href: `${basePath()}/sign-in`, target: '_blank', rel: 'noopener' }, 'Sign in again') : null,
      el('button', { type: 'button', class: 'rc-small', on: { click: () => { box.drain(); refresh(); } } }, 'Try now'));
  };
  const median = () => {
    const sorted = [...state.times].sort((one, other) => one - other);
    return sorted.length ? `${(sorted[Math.floor((sorted.length - 1) / 2)] / 1000).toFixed(1)} s` : '–';
  };
  const paintStats = () => {
    const { waiting, due: soon } = state.stats;
    const text = (value, label, name) => el('span', { class: name || '' }, el('b', {}, value), ` ${label}`);
    fill(statsLine, text(waiting >= 1000 ? '1000+' : String(waiting), 'waiting'), soon ? text(String(soon), 'due within 10 min', 'rc-due') : null,
      text(String(state.byYou), 'decided by you here'), text(median(), 'your median'));
  };
  const blocked = () => (stage.querySelector('.rc-facts [data-folded] .rc-fold') ? 'Open every folded detail (O) before you approve.' : '');
  const paintBar = () => bar.paint({ blocked: state.mode === 'look' ? blocked() : '', empty: !queue.current() });
  const emptyState = () => el('div', { class: 'rc-empty' },
    el('h2', { tabindex: '-1' }, state.loading ? 'Loading…' : queue.snoozed() ? 'Only what you snoozed is left' : 'Nothing waits for you'),
    state.loading ? null : el('p', { class: 'rc-soft' }, queue.snoozed() ? 'Take it up again, or come back later.'
      : 'New actions appear here by themselves. To see one being made, write a message in the Playground.'),
    !state.loading && queue.snoozed() ? keyed('Show what was snoozed', 'S', 'rc-primary', () => press('s')) : null,
    !state.loading && !queue.snoozed() ? el('a', { class: 'rc-button rc-primary', href: `${basePath()}/playground` }, 'Open the Playground') : null);

  const paint = () => {
    const card = queue.current();
    state.mode = 'look';
    state.panel = null;
    paintStats();
    if (!card) {
      fill(stage, emptyState());
      paintBar();
      return;
    }
    state.since = performance.now();
    const before = state.before && state.before.id === card.id ? state.before.shown : null;
    const main = el('div', { class: 'rc-main' }, el('div', { class: 'rc-decide' }, facts(card, before, paintBar)), conversationSection(card));
    const side = el('aside', { class: 'rc-side', 'aria-label': 'What speaks for and against it' },
      whySection(card), evidenceSection(card), confidenceSection(card), precedentSection(card, desk));
    fill(stage, el('article', { class: `rc-card rc-is-${card.consequence in CONSEQUENCES ? card.consequence : 'irreversible'}`, 'aria-label': `RQ-${card.number}`, 'data-review': card.id },
      cardHead(card), el('div', { class: 'rc-columns' }, main, side)));
    paintBar();
  };
  const enter = (mode, panel) => {
    state.mode = mode;
    state.panel = panel;
    const place = stage.querySelector('.rc-decide');
    if (mode === 'edit') fill(place, panel.node);
    else place.append(panel.node);
    root.classList.add('rc-busy');
    panel.focus();
    panel.node.scrollIntoView({ block: 'nearest' });
  };
  const leave = () => {
    const card = queue.current();
    if (card && state.mode === 'edit') drafts.set(cardKey(card), state.panel.draft());
    const since = state.since;
    root.classList.remove('rc-busy');
    paint();
    state.since = since;
    bar.node.querySelector('button').focus({ preventScroll: true });
  };
  const openEdit = () => {
    const card = queue.current();
    enter('edit', editPanel(card, drafts.get(cardKey(card)), (edit, draft) => {
      drafts.set(cardKey(card), draft);
      decide({ type: 'edit', ...edit });
    }, leave));
  };

  const decide = (decision) => {
    const card = queue.current();
    const seen = Math.min(86400000, Math.round(performance.now() - state.since));
    const entry = { id: card.id, card, body: { digest: card.digest, decision, seen_ms: seen, key: newKey() } };
    const line = { entry, card, type: decision.type, state: 'sending', until: 0 };
    queue.finish(card);
    root.classList.remove('rc-busy');
    strip.add(line);
    state.byYou += 1;
    state.times.push(seen);
    state.stats.waiting = Math.max(0, state.stats.waiting - 1);
    box.put(entry);
    if (!queue.current()) state.loading = true;
    paint();
    if (root.getBoundingClientRect().top < 0) root.scrollIntoView({ block: 'start' });
    const next = queue.current();
    say(`RQ-${card.number} ${DONE_WORDS[decision.type]}. ${next ? `Next: RQ-${next.number}, ${words(next.title)}` : 'Nothing else is loaded'}`);
    if (decision.type !== 'approve') focusCard();
  };
  const focusCard = () => { const heading = stage.querySelector('h2'); if (heading) heading.focus({ preventScroll: true }); };

  const rollBack = (entry, card) => {
    const line = strip.find(entry);
    if (line) strip.remove(line);
    state.byYou -= 1;
    state.times.pop();
    state.steadyUntil = performance.now() + STEADY_MS;
    queue.giveBack(card, state.mode === 'look');
    if (state.mode === 'look') paint();
  };
  const refused = (entry, reply) => {
    const { card } = entry;
    const { error, message } = reply.body;
    const name = `RQ-${card.number}`;
    if (error === 'stale_digest' && reply.body.card && reply.body.card.status === 'pending') {
      state.before = card;
      rollBack(entry, reply.body.card);
      notice(`${name} changed while you looked at it. What is new is marked; decide again.`);
    } else if (['already_decided', 'expired', 'superseded', 'unknown_review', 'stale_digest'].includes(error)) {
      strip.remove(strip.find(entry));
      state.byYou -= 1;
      notice(`${name}: ${message}`);
    } else {
      rollBack(entry, card);
      notice(`${name} was put back: ${message}`);
      if (error === 'invalid_edit' && queue.current() === card && state.mode === 'look') {
        openEdit();
        state.panel.tell(reply.body.problems || {}, message);
      }
    }
    say(`${name}: ${message}`);
  };
  const replied = (entry, reply) => {
    if (reply.status !== 200) refused(entry, reply);
    else {
      const line = strip.find(entry);
      drafts.delete(cardKey(entry.card));
      accept(reply.body);
      if (line && reply.body.undo_seconds > 0) strip.settle(line, reply.body.undo_seconds);
      else if (line) strip.settle(line, 0);
      if (line && line.undoWanted) undo(line);
    }
    if (state.loading && !box.waiting().length) refresh();
  };
  const accept = (body) => {
    const had = queue.current();
    queue.offer(body.items);
    Object.assign(state.stats, body.stats, { waiting: Math.max(0, body.stats.waiting - box.waiting().length) });
    if (body.items.length || !box.waiting().length) state.loading = false;
    if (!had) paint();
    else paintStats();
  };
  const undo = async (line) => {
    if (!line) return;
    if (line.state === 'sending') {
      if (box.takeBack(line.entry)) { rollBack(line.entry, line.card); say(`RQ-${line.card.number} is back`); } else line.undoWanted = true;
      return;
    }
    const { status, body } = await settled('POST', `/api/reviews/${encodeURIComponent(line.card.id)}/withdraw`);
    if (status === 200) {
      rollBack(line.entry, body.card);
      state.stats.waiting += 1;
      paintStats();
      say(`RQ-${line.card.number} is pending again`);
    } else notice(`RQ-${line.card.number} could not be taken back: ${body.message}`);
  };

  const openFolds = () => { stage.querySelectorAll('.rc-fold').forEach((button) => button.click()); return true; };
  const looking = {
    a: () => { if (!blocked()) decide({ type: 'approve' }); else say(blocked()); },
    e: openEdit,
    r: () => enter('reject', rejectPanel((reason, feedback) => decide({ type: 'reject', reason, feedback }), leave)),
    t: () => enter('respond', respondPanel((message) => decide({ type: 'respond', message }), leave)),
    s: () => { const card = queue.current(); queue.snooze(); paint(); say(`RQ-${card.number} snoozed`); if (!queue.current()) refresh(); },
    o: openFolds,
  };
  const press = (key) => {
    if (help.node.open) return false;
    if (key === '?') { help.show(); return true; }
    if (key === 'u') { undo(strip.latest()); return true; }
    if (key === 'escape') { if (state.mode === 'look') return false; leave(); return true; }
    if (!queue.current()) {
      if (key !== 's' || !queue.snoozed()) return false;
      queue.wake();
      paint();
      return true;
    }
    if (state.mode === 'reject' && /^[1-6]$/.test(key)) { state.panel.reject(Number(key) - 1); return true; }
    if (!(key in looking) || (state.mode !== 'look' && state.mode !== 'reject')) return false;
    if (state.mode === 'reject') return false;
    if (performance.now() < state.steadyUntil && key === 'a') { say('This card just came back. Look at it first.'); return true; }
    looking[key]();
    return true;
  };

  const wanted = new URLSearchParams(location.search).get('review');
  const showWanted = async () => {
    const { status, body } = await settled('GET', `/api/reviews/${encodeURIComponent(wanted)}`);
    if (status !== 200) notice(body.message);
    else if (body.status !== 'pending') notice(`RQ-${body.number} is no longer pending: ${body.status}.`);
    else { queue.giveBack(body); paint(); }
  };
  const refresh = async () => {
    const query = [...queue.ids(), ...box.waiting().map((entry) => entry.id)].slice(-200).map((id) => `holding=${encodeURIComponent(id)}`).join('&');
    try {
      const { status, body } = await call('GET', `/api/desk?${query}`);
      if (status !== 200) { state.loading = false; notice(body.message); paintStats(); return; }
      if (state.trouble && !box.waiting().length) { state.trouble = ''; paintBanner(0); }
      const first = !state.you.name;
      state.you = body.you;
      if (!box.waiting().length) state.loading = false;
      accept(body);
      if (first) { box.open(state.you.name); if (wanted) await showWanted(); }
      if (!queue.current()) paint();
    } catch (problem) {
      state.trouble = problem instanceof SignedOut ? 'signed out' : 'unreachable';
      paintBanner(box.waiting().length);
    }
  };

  fill(root, live, banner, el('div', { class: 'rc-top' }, statsLine, strip.node), notices, stage, bar.node, help.node);
  paint();
  installKeys(root, press, () => (state.panel ? state.panel.submit() : false));
  clearInterval(window.assentPoll);
  window.assentPoll = setInterval(() => { if (document.visibilityState === 'visible') refresh(); }, 10000);
  refresh();
};
