// What a person does with a card besides deciding it: put it off, pass it on, take it over, look away; refuses to lose it on the way.
const PASSED_MS = 5000;

const cardDoors = ({ queue, strip, state, status, lease, paint, refresh, enter, leave, putBack }) => {
  const { say, notice } = status;
  const path = (card, door) => `/api/reviews/${encodeURIComponent(card.id)}/${door}`;
  let people = [];
  const move = async (door, request, { type, until, said }) => {
    const card = queue.current();
    const line = { card, type, state: 'sending', until: 0, entry: null };
    queue.putAway(card, until);
    strip.add(line);
    if (!queue.current()) state.loading = true;
    paint();
    say(`RQ-${card.number} ${said}`);
    const { status: code, body } = await settled('POST', path(card, door), request);
    if (code === 200) strip.settle(line, 0);
    else {
      strip.remove(line);
      putBack(card);
      notice(`RQ-${card.number} was put back: ${body.message}`);
    }
    refresh();
  };
  const snooze = (until) => move('snooze', { until }, { type: 'snooze', until, said: `is snoozed until ${clock(until)}` });
  const escalate = (to, reason) => move('escalate', { to, reason },
    { type: 'escalate', until: new Date(Date.now() + skew + PASSED_MS).toISOString(), said: `is escalated to ${addressee(to)}` });
  const extend = async (until, reason) => {
    const card = queue.current();
    const { status: code, body } = await settled('POST', path(card, 'extend'), { until, reason });
    if (code !== 200) { state.panel.tell(body.message); return; }
    queue.replace({ ...body.card, chosen: card.chosen });
    leave();
    say(`RQ-${card.number} is due at ${clock(body.card.due)}`);
  };
  const wake = async (card) => {
    const { status: code, body } = await settled('POST', path(card, 'unsnooze'), {});
    if (code !== 200) { notice(`RQ-${card.number} could not be woken: ${body.message}`); return false; }
    queue.giveBack(body.card, state.mode === 'look');
    if (state.mode === 'look') paint();
    say(`RQ-${card.number} waits again`);
    return true;
  };
  const operates = () => mayDecide(state.you) || (say('You may look, but not decide.'), false);
  const leads = () => isLead(state.you) || (say('Only a lead may do that.'), false);
  return {
    wake,
    lookUpPeople: async () => { const { status: code, body } = await settled('GET', '/api/people'); if (code === 200) people = body.people; },
    keys: {
      s: () => { if (operates()) enter('snooze', snoozePanel(snooze, leave)); },
      x: () => { if (operates()) enter('escalate', escalatePanel(people, state.you, escalate, leave)); },
      d: () => {
        const card = queue.current();
        if (!leads()) return;
        if (!card.due) say('This card has no due time.');
        else enter('extend', extendPanel(card, extend, leave));
      },
      k: () => { if (leads() && heldByOther(queue.current(), state.you)) lease.takeOver(); },
      n: () => { say(`RQ-${queue.current().number} is at the end of your list`); queue.skip(); paint(); if (!queue.current()) refresh(); },
    },
  };
};
