// The cards at hand: a small buffer, what was decided, what was snoozed; refuses to show a decided card again.
const BUFFER = 6;

const cardKey = (card) => `${card.id}:${card.version}`;

const cardQueue = () => {
  let cards = [];
  let snoozed = [];
  const done = new Set();
  const known = (card) => done.has(cardKey(card)) || [...cards, ...snoozed].some((other) => other.id === card.id);
  return {
    current: () => cards[0],
    size: () => cards.length,
    needed: () => BUFFER - cards.length,
    ids: () => [...cards, ...snoozed].map((card) => card.id),
    offer(items) {
      for (const card of items) if (!known(card)) cards.push(card);
    },
    finish(card) {
      done.add(cardKey(card));
      cards = cards.filter((other) => other.id !== card.id);
    },
    giveBack(card, first = true) {
      done.delete(cardKey(card));
      snoozed = snoozed.filter((other) => other.id !== card.id);
      cards = cards.filter((other) => other.id !== card.id);
      if (first) cards.unshift(card);
      else cards.splice(1, 0, card);
    },
    replace(card) {
      const at = cards.findIndex((other) => other.id === card.id);
      if (at >= 0) cards[at] = card;
      return at >= 0;
    },
    drop(id) {
      cards = cards.filter((card) => card.id !== id);
      snoozed = snoozed.filter((card) => card.id !== id);
    },
    snooze() {
      if (cards.length) snoozed.push(cards.shift());
    },
    wake() {
      cards = [...cards, ...snoozed];
      snoozed = [];
    },
    snoozed: () => snoozed.length,
  };
};
