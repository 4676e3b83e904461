// The cards at hand: a small buffer, what was decided, what was put off; refuses to show a decided card again.
const cardKey = (card) => `${card.id}:${card.version}`;

const cardQueue = () => {
  let cards = [];
  let skipped = [];
  const done = new Map();
  const away = new Map();
  const isAway = (card) => away.has(card.id) && secondsTo(away.get(card.id)) > 0;
  const known = (card) => done.has(cardKey(card)) || isAway(card) || [...cards, ...skipped].some((other) => other.id === card.id);
  const without = (id) => {
    cards = cards.filter((other) => other.id !== id);
    skipped = skipped.filter((other) => other.id !== id);
  };
  return {
    current: () => cards[0],
    ids: () => [...[...done.values()].slice(-120), ...[...cards, ...skipped].map((card) => card.id)],
    ready: (workable) => cards.filter(workable).length,
    offer(items) {
      for (const card of items) if (!known(card)) cards.push(card);
    },
    arrange(workable) {
      const [first, ...rest] = cards;
      if (!first || first.chosen || workable(first)) cards = first ? [first, ...rest.filter(workable), ...rest.filter((card) => !workable(card))] : [];
      else cards = [...rest.filter(workable), first, ...rest.filter((card) => !workable(card))];
    },
    finish(card) {
      done.set(cardKey(card), card.id);
      cards = cards.filter((other) => other.id !== card.id);
    },
    putAway(card, until) {
      away.set(card.id, until);
      without(card.id);
    },
    giveBack(card, first = true) {
      done.delete(cardKey(card));
      away.delete(card.id);
      without(card.id);
      if (first) cards.unshift(card);
      else cards.splice(1, 0, card);
    },
    replace(card) {
      const at = cards.findIndex((other) => other.id === card.id);
      if (at >= 0) cards[at] = card;
      return at >= 0;
    },
    drop: without,
    skip() {
      if (cards.length) skipped.push({ ...cards.shift(), chosen: false });
    },
    takeUp() {
      cards = [...cards, ...skipped];
      skipped = [];
    },
    skipped: () => skipped.length,
  };
};
