// Builds the edit form from the tool's schema and reads it back as JSON text per field; refuses to lose a type.
const resolved = (schema, root) => {
  let found = schema || {};
  for (let depth = 0; depth < 8 && found.$ref; depth += 1) {
    const steps = found.$ref.replace(/^#\//, '').split('/');
    const target = steps.reduce((node, step) => (node || {})[step], root) || {};
    found = { ...target, ...Object.fromEntries(Object.entries(found).filter(([name]) => name !== '$ref')) };
  }
  const options = found.anyOf || found.oneOf;
  if (!options) return found;
  const real = options.filter((option) => option.type !== 'null').map((option) => resolved(option, root));
  const nullable = real.length < options.length;
  if (real.length === 1) return { ...found, ...real[0], title: found.title || real[0].title, nullable };
  return { ...found, nullable, type: real.some((option) => option.type === 'string') ? 'string' : 'object' };
};

const fieldKind = (schema) => {
  if (schema.enum || schema.const !== undefined) return 'choice';
  if (['integer', 'number', 'boolean', 'string'].includes(schema.type)) return schema.type;
  return 'json';
};

const labelOf = (schema, name) => {
  const title = schema.title || '';
  return !title || title.toLowerCase() === words(name).toLowerCase() ? words(name) : title;
};

const sameJson = (one, other) => JSON.stringify(one) === JSON.stringify(other);

const distinct = (values) => values.filter((value, at) => values.findIndex((other) => sameJson(value, other)) === at);

const shownText = (shown) => (shown ? shown.text : '');

const legalValues = (field, form) => {
  const { choices } = form;
  if (!choices || !choices.length) return null;
  const earlier = form.fields.slice(0, form.fields.indexOf(field));
  const fitting = choices.filter((choice) => earlier.every((other) => !(other.name in choice) || sameJson(choice[other.name], other.value())));
  const pool = fitting.length ? fitting : choices;
  if (pool.some((choice) => !(field.name in choice))) return null;
  return distinct(pool.map((choice) => choice[field.name]));
};

const optionLabel = (value) => marked(typeof value === 'string' ? value : JSON.stringify(value)).map((node) => node.textContent).join('');

const selectFrom = (values, current, attributes) => {
  const select = el('select', attributes);
  const known = values.some((value) => sameJson(value, current));
  if (!known && current !== undefined) select.append(el('option', { value: JSON.stringify(current) }, `${optionLabel(current)} (not offered)`));
  if (!known && current === undefined) select.append(el('option', { value: '' }, 'choose…'));
  for (const value of values) select.append(el('option', { value: JSON.stringify(value) }, optionLabel(value)));
  select.value = current === undefined ? '' : JSON.stringify(current);
  return select;
};

const textControl = (kind, text, attributes) => {
  if (kind === 'json' || (kind === 'string' && (text.length > 60 || text.includes('\n')))) {
    const rows = Math.min(14, Math.max(3, text.split('\n').length, Math.ceil(text.length / 70)));
    return el('textarea', { ...attributes, rows, spellcheck: kind === 'string', value: text, class: kind === 'json' ? 'rc-mono' : '' });
  }
  const numeric = kind === 'integer' ? 'numeric' : kind === 'number' ? 'decimal' : 'text';
  return el('input', { ...attributes, type: 'text', inputmode: numeric, value: text });
};

const readers = {
  integer: (text) => (/^-?(0|[1-9]\d*)$/.test(text.trim()) ? { json: text.trim() } : { problem: 'Write a whole number.' }),
  number: (text) => (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text.trim()) ? { json: text.trim() } : { problem: 'Write a number, like 12.5.' }),
  string: (text) => ({ json: JSON.stringify(text) }),
  json: (text) => {
    try {
      JSON.parse(text);
      return { json: text };
    } catch (problem) {
      return { problem: 'This is not valid JSON.' };
    }
  },
};

const readField = (field) => {
  const text = field.control.value;
  if (field.control.tagName === 'SELECT') return text === '' ? { absent: true } : { json: text };
  if (text === '' && (!field.required || field.schema.nullable) && field.kind !== 'string') return field.schema.nullable ? { json: 'null' } : { absent: true };
  if (text === '' && field.kind === 'string' && !field.present && !field.required) return { absent: true };
  if (text === '' && field.kind === 'string' && field.schema.nullable && field.original === null) return { json: 'null' };
  return readers[field.kind](text);
};

const controlFor = (field, form) => {
  const attributes = { id: field.id, 'aria-describedby': `${field.id}-problem` };
  const legal = legalValues(field, form);
  const current = field.control ? field.value() : field.original;
  if (legal) return selectFrom(legal, current, attributes);
  if (field.kind === 'choice') return selectFrom(field.schema.enum || [field.schema.const], current, attributes);
  if (field.kind === 'boolean') return selectFrom(field.schema.nullable ? [true, false, null] : [true, false], current, attributes);
  const kept = field.control && field.control.tagName !== 'SELECT' ? field.control.value : null;
  const first = !field.present || field.original === null ? '' : field.text;
  const picked = field.control && field.control.tagName === 'SELECT' ? field.value() ?? '' : null;
  const chosen = picked === null || typeof picked === 'string' ? picked : JSON.stringify(picked);
  return textControl(field.kind, kept ?? chosen ?? first, attributes);
};
