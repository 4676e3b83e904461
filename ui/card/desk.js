// The desk itself: shows one card, takes one key, moves on at once and puts a card back when the desk refuses.
const STEADY_MS = 700;
const ROUNDS = 8; // so often more is asked for when all that came is for others
const CLOSED = ['already_decided', 'expired', 'superseded', 'unknown_review', 'stale_digest'];

const waitsStill = (decided) => {
  if (decided.status !== 'pending') return '';
  return decided.quorum > 1 ? `approved, ${decided.approvals} of ${decided.quorum}` : 'edited, waits for a second person';
};

const reviewDesk = (root) => {
  const queue = cardQueue();
  const drafts = new Map();
  const state = { you: { name: '', role: '' }, mode: 'look', panel: null, before: null, since: 0, steadyUntil: 0, times: [], stats: { waiting: 0, due: 0 }, loading: true, trouble: '', barred: '', rounds: 0 };
  const stage = el('div', { class: 'rc-stage' });
  const status = statusArea(() => { box.drain(); refresh(); });
  const { say, notice } = status;
  const strip = undoStrip({ onUndo: (line) => undo(line) });
  const bar = actionBar((key) => press(key));
  const help = helpDialog(() => say(keysOn() ? 'Single keys are on' : 'Single keys are off'));
  const mayRetire = () => ['lead', 'admin'].includes(state.you.role);
  const atHand = () => [...queue.ids(), ...box.waiting().map((entry) => entry.id)].slice(-200);
  const box = outbox({
    holding: atHand,
    onReply: (entry, reply) => replied(entry, reply),
    onTrouble: (kind) => trouble(kind),
    onClear: () => { trouble(''); refresh(); },
  });

  const lease = cardLease({ may: () => mayDecide(state.you), onNews: (...what) => news(...what) });
  const doors = cardDoors({ queue, strip, state, status, lease, refresh: () => refresh(), paint: () => paint(), enter: (...how) => enter(...how), leave: () => leave(), putBack: (card) => putBack(card) });

  const trouble = (kind) => { state.trouble = kind; status.trouble(kind, box.waiting().length); };
  const paintNumbers = () => status.numbers(state.stats, state.times.map((one) => one.seen));
  const workable = (card) => !whyNot(card, state.you);
  const barred = () => (queue.current() ? whyNot(queue.current(), state.you) : '');
  const folded = () => (state.mode === 'look' && stage.querySelector('.rc-facts .rc-fold') ? 'Open every folded detail (O) before you approve.' : '');
  const paintBar = () => {
    state.barred = barred();
    bar.paint({ barred: state.barred, folded: folded(), looker: !mayDecide(state.you), empty: !queue.current() });
  };
  const standing = (card) => standingView(card, state.you, { extend: () => press('d'), takeOver: () => press('k'), wake: () => doors.wake(card) });
  const paintStanding = () => {
    const place = stage.querySelector('.rc-standing');
    if (place && queue.current()) place.replaceWith(standing(queue.current()));
    paintBar();
  };
  const paint = () => {
    queue.arrange(workable);
    const card = queue.current();
    Object.assign(state, { mode: 'look', panel: null, since: performance.now() });
    root.classList.remove('rc-busy');
    paintNumbers();
    const before = card && state.before && state.before.id === card.id ? state.before.shown : null;
    fill(stage, card ? cardView(card, before, standing(card), mayRetire, paintBar) : emptyView(state.loading, queue.skipped(), () => press('n')));
    paintBar();
    lease.show(card || null);
  };

  const enter = (mode, panel) => {
    Object.assign(state, { mode, panel });
    const place = stage.querySelector('.rc-decide');
    if (mode === 'edit') fill(place, panel.node);
    else place.append(panel.node);
    root.classList.add('rc-busy');
    panel.focus();
    panel.node.scrollIntoView({ block: 'nearest' });
  };
  const leave = () => {
    const { since } = state;
    if (state.mode === 'edit') drafts.set(cardKey(queue.current()), state.panel.draft());
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
    queue.finish(card);
    strip.add({ entry, card, type: decision.type, state: 'sending', until: 0 });
    state.times.push({ id: card.id, seen });
    state.stats.waiting = Math.max(0, state.stats.waiting - 1);
    box.put(entry);
    if (!queue.current()) state.loading = true;
    paint();
    if (root.getBoundingClientRect().top < 0) root.scrollIntoView({ block: 'start' });
    const next = queue.current();
    say(`RQ-${card.number} ${DONE_WORDS[decision.type]}. ${next ? `Next: RQ-${next.number}, ${words(next.title)}` : ''}`);
    const heading = stage.querySelector('h2');
    if (decision.type !== 'approve') heading.focus({ preventScroll: true });
  };
  const forget = (entry) => {
    const line = strip.find(entry);
    if (line) strip.remove(line);
    state.times = state.times.filter((one) => one.id !== entry.id);
  };
  const putBack = (card) => {
    state.steadyUntil = performance.now() + STEADY_MS;
    queue.giveBack(card, state.mode === 'look');
    if (state.mode === 'look') paint();
  };
  const rollBack = (entry, card) => {
    forget(entry);
    putBack(card);
  };

  const refused = (entry, { error, message, problems, card: current }) => {
    const name = `RQ-${entry.card.number}`;
    say(`${name}: ${message}`);
    if (error === 'stale_digest' && current && current.status === 'pending') {
      state.before = entry.card;
      rollBack(entry, current);
      notice(`${name} changed while you looked at it, so your decision does not count. What is new is marked; decide again.`);
    } else if (CLOSED.includes(error)) {
      forget(entry);
      paintNumbers();
      notice(`${name}: ${message}`);
    } else {
      rollBack(entry, entry.card);
      notice(`${name} was put back: ${message}`);
      if (error !== 'invalid_edit' || state.mode !== 'look' || queue.current() !== entry.card) return;
      openEdit();
      state.panel.tell(problems || {}, message);
    }
  };
  const replied = (entry, { status: code, body }) => {
    if (code !== 200) refused(entry, body);
    else {
      drafts.delete(cardKey(entry.card));
      accept(body);
      const line = strip.find(entry);
      if (line) strip.settle(line, body.undo_seconds, waitsStill(body.decided));
      if (line && line.undoWanted && !body.decided.probe) undo(line);
      status.hint(body.decided.hasty ? `RQ-${entry.card.number}: ${body.decided.hasty}` : '');
      if (body.decided.revealed) notice(`RQ-${entry.card.number}: ${body.decided.revealed}`);
    }
    if (state.loading && !box.waiting().length) refresh();
  };
  const accept = (body) => {
    const had = queue.current();
    queue.offer(body.items);
    Object.assign(state.stats, body.stats, { waiting: Math.max(0, body.stats.waiting - box.waiting().length) });
    if (body.items.length || !box.waiting().length) state.loading = false;
    if (had && (state.mode !== 'look' || had.chosen || workable(had))) paintNumbers();
    else if (!had || queue.ready(workable)) paint();
    if (body.items.length && !queue.ready(workable) && state.rounds < ROUNDS) { state.rounds += 1; refresh(); } else if (queue.ready(workable)) state.rounds = 0;
  };
  const changed = (card, current) => {
    state.before = card;
    state.steadyUntil = performance.now() + STEADY_MS;
    if (state.mode !== 'look') notice(`RQ-${card.number} changed while you worked on it; what you wrote was about the older version.`);
    drafts.delete(cardKey(card));
    queue.replace({ ...current, chosen: true });
    paint();
    say(`RQ-${card.number} changed while you looked at it`);
  };
  const news = (asked, code, body, over) => {
    const card = queue.current();
    if (!card || card.id !== asked.id || cardKey(card) !== cardKey(asked)) return;
    if (code !== 200) {
      if (over) notice(`RQ-${card.number}: ${body.message}`);
      if (code === 404) { queue.drop(card.id); notice(`RQ-${card.number}: ${body.message}`); paint(); }
      return;
    }
    if (over && body.problem) notice(`RQ-${card.number}: ${body.problem}`);
    Object.assign(card, body.standing);
    if (body.standing.status !== 'pending') { queue.drop(card.id); notice(gone(card)); paint(); refresh(); return; }
    if (body.card) { changed(card, body.card); return; }
    if (state.mode === 'look' && !card.chosen && !workable(card) && queue.ready(workable)) { say(`RQ-${card.number}: ${whyNot(card, state.you)}`); paint(); } else paintStanding();
  };
  const undo = async (line) => {
    if (!line) return;
    const name = `RQ-${line.card.number}`;
    if (!line.entry) { if (line.state === 'done' && await doors.wake(line.card)) strip.remove(line); return; }
    if (line.state === 'sending') {
      if (box.takeBack(line.entry)) rollBack(line.entry, line.card);
      else line.undoWanted = true;
      return;
    }
    const { status: code, body } = await settled('POST', `/api/reviews/${encodeURIComponent(line.card.id)}/withdraw`);
    if (code !== 200) { notice(`${name} could not be taken back: ${body.message}`); return; }
    state.stats.waiting += 1;
    rollBack(line.entry, body.card);
    say(`${name} is pending again`);
  };

  const looking = {
    a: () => {
      if (performance.now() < state.steadyUntil) say('This card just came back. Look at it first.');
      else if (folded()) say(folded());
      else decide({ type: 'approve' });
    },
    e: openEdit,
    r: () => enter('reject', rejectPanel((reason, feedback) => decide({ type: 'reject', reason, feedback }), leave)),
    t: () => enter('respond', respondPanel((message) => decide({ type: 'respond', message }), leave)),
    ...doors.keys,
    o: () => stage.querySelectorAll('.rc-fold').forEach((button) => button.click()),
  };
  const always = { '?': help.show, u: () => undo(strip.latest()), escape: () => { if (state.mode !== 'look') leave(); } };
  const press = (key) => {
    if (help.node.open) return false;
    if (key in always) always[key]();
    else if (!queue.current() && key === 'n' && queue.skipped()) { queue.takeUp(); paint(); }
    else if (state.mode !== 'look' && state.panel.digit && /^[1-6]$/.test(key)) state.panel.digit(Number(key) - 1);
    else if (state.mode === 'look' && queue.current() && 'aert'.includes(key) && barred()) say(barred());
    else if (state.mode === 'look' && queue.current() && key in looking) looking[key]();
    else return false;
    return true;
  };

  const wanted = new URLSearchParams(location.search).get('review');
  const showWanted = async () => {
    const { status: code, body } = await settled('GET', `/api/reviews/${encodeURIComponent(wanted)}`);
    if (code !== 200) notice(body.message);
    else if (body.status !== 'pending') notice(gone(body));
    else { queue.giveBack({ ...body, chosen: true }); paint(); }
  };
  const refresh = async () => {
    const query = atHand().map((id) => `holding=${encodeURIComponent(id)}`).join('&');
    try {
      const { status: code, body } = await call('GET', `/api/desk?${query}`);
      if (code !== 200) { state.loading = false; notice(body.message); return; }
      if (!box.waiting().length) Object.assign(state, { loading: false });
      if (state.trouble && !box.waiting().length) trouble('');
      const first = !state.you.name;
      state.you = body.you;
      accept(body);
      if (!first) return;
      box.open(state.you.name);
      for (const entry of box.waiting()) queue.finish(entry.card); // decided before this page was loaded, and sent just now
      paint();
      doors.lookUpPeople();
      if (wanted) await showWanted();
    } catch (problem) {
      trouble(problem instanceof SignedOut ? 'signed out' : 'unreachable');
    }
  };

  fill(root, status.live, status.banner, el('div', { class: 'rc-top' }, status.stats, strip.node), status.hinted, status.notices, stage, bar.node, help.node);
  paint();
  installKeys(root, press, () => (state.panel ? state.panel.submit() : false));
  clearInterval(window.assentBeat);
  window.assentBeat = setInterval(() => { if (root.isConnected && barred() !== state.barred) paintStanding(); }, 1000);
  clearInterval(window.assentPoll);
  window.assentPoll = setInterval(() => { if (document.visibilityState === 'visible') refresh(); }, 10000);
  refresh();
};
