// The four charts of a class: reliability, coverage against risk, the monitor's evidence, what people changed; each says its finding.
const RAW = { name: 'raw', mark: MARKS.round('raw') };
const FITTED = { name: 'fitted', mark: MARKS.square('fitted') };

const share = { domain: [0, 1], ticks: evenly(5), format: (value) => percent(value) };

const intervalBar = (box, name, x, [low, high]) => sv('line', { class: `ch-bar ch-${name}`, x1: x, x2: x, y1: box.toY(low), y2: box.toY(high) });

const binMarks = (box, bins, { name, mark }, shift) => bins.map((bin) => {
  const x = box.toX(bin.confidence) + shift;
  return [intervalBar(box, name, x, bin.interval), mark(x, box.toY(bin.share))];
});

const offBy = (diagram) => `${(diagram.error * 100).toFixed(1)} points`;

const reliabilityFinding = (raw, fitted) => {
  const first = raw.bins.length ? `Agreement alone is off by ${offBy(raw)} on average (n ${raw.n})` : '';
  const second = fitted.bins.length ? `the fitted confidence is off by ${offBy(fitted)} (n ${fitted.n})` : '';
  return `${[first, second].filter(Boolean).join('; ').replace(/^t/, 'T')}. Bars: 95%, Clopper-Pearson.${fitted.bins.length ? '' : ` ${fitted.note}`}`;
};

const binRow = (what) => (bin) => [what, `${decimal(bin.low)} to ${decimal(bin.high)}`, decimal(bin.confidence), percent(bin.share, 1), `${percent(bin.interval[0], 1)} to ${percent(bin.interval[1], 1)}`, String(bin.correct), String(bin.n)];

const reliabilityChart = (insight, width) => {
  const { raw, calibrated: fitted } = insight;
  const title = 'Can the confidence be taken at its word?';
  if (!raw.bins.length && !fitted.bins.length) return withoutChart('reliability', title, raw.note || fitted.note);
  const series = [[raw, RAW, 'n raw', 'agreement alone'], [fitted, FITTED, 'n fitted', 'fitted confidence']].filter(([diagram]) => diagram.bins.length);
  return chart({
    id: 'reliability', title, width, finding: reliabilityFinding(raw, fitted),
    x: { ...share, label: 'confidence' }, y: { ...share, label: 'right in fact' },
    counts: series.map(([diagram, { name }, label]) => ({ name, label, values: diagram.bins.map((bin) => [bin.confidence, bin.n]) })),
    legend: [...series.map(([, { mark }, , name]) => ({ name, mark })), { name: 'as good as its word', mark: MARKS.dash('even') }],
    draw: (box) => [sv('line', { class: 'ch-line ch-dashed ch-even', x1: box.toX(0), y1: box.toY(0), x2: box.toX(1), y2: box.toY(1) }),
      series.map(([diagram, one], place) => binMarks(box, diagram.bins, one, series.length > 1 ? place * 6 - 3 : 0))],
    columns: ['Confidence', 'From, to', 'Mean', 'Right', '95% interval', 'Right (count)', 'n'],
    rows: series.flatMap(([diagram, , , name]) => diagram.bins.map(binRow(name))),
  });
};

const atThreshold = (points, threshold) => points.filter((point) => point.threshold >= threshold - 1e-12).pop();

const promiseLine = (box, value, text) => [sv('line', { class: 'ch-line ch-dashed ch-alarm', x1: box.left, x2: box.right, y1: box.toY(value), y2: box.toY(value) }),
  besides(box.left + 4, box.toY(value) - 6, text, 'alarm')];

const certifiedMark = (box, at, certified) => {
  if (!at) return null;
  const [x, y] = [box.toX(at.coverage), box.toY(at.risk)];
  const top = box.toY(Math.min(certified.bound, box.most));
  const [beside, anchor] = at.coverage > 0.5 ? [x + 6, 'end'] : [x - 6, 'start'];
  return [sv('line', { class: 'ch-bar ch-certified', x1: x, x2: x, y1: y, y2: top }), MARKS.diamond('certified')(x, y),
    besides(beside, Math.min(top, box.toY(certified.alpha)) - 22, `${shortPercent(certified.coverage)} pass, at most ${shortPercent(certified.bound)} wrong`, 'certified', anchor)];
};

const curveFinding = ({ certified, n }, at) => (certified
  ? `At the ${certified.status === 'signed' ? 'certified' : 'offered'} threshold ${decimal(certified.threshold)}, ${shortPercent(certified.coverage)} pass and at most ${shortPercent(certified.bound)} of that is wrong (${percent(1 - certified.delta)} confidence; ${certified.k} wrong of ${certified.n} that pass).${at ? ` The line shows the ${n} decided actions that certify.` : ''}`
  : `No threshold is certified. Where the line is low, much could pass with few errors, but a point read off it promises nothing (n ${n}).`);

const thinned = (points, most = 40) => points.filter((_, place) => place % Math.max(1, Math.ceil(points.length / most)) === 0 || place === points.length - 1);

const curveChart = (insight, width) => {
  const { curve } = insight;
  const title = 'What could pass, and how much of it would be wrong?';
  if (!curve.points.length) return withoutChart('curve', title, curve.note);
  const { certified } = curve;
  const at = certified ? atThreshold(curve.points, certified.threshold) : null;
  const steady = curve.points.filter((point) => point.n >= 10);
  const most = niceMost(1.15 * Math.max(0.02, ...steady.map((point) => point.risk), certified ? certified.bound : 0, certified ? certified.alpha : 0));
  return chart({
    id: 'curve', title, width, finding: curveFinding(curve, at),
    x: { ...share, label: 'share that passes without a person' },
    y: { domain: [0, most], ticks: evenly(SCALES[most], most), format: (value) => percent(value, most <= 0.02 ? 1 : 0), label: 'wrong among what passes' },
    legend: [{ name: 'decided actions', mark: (x, y) => sv('line', { class: 'ch-line ch-fitted', x1: x - 10, x2: x + 10, y1: y, y2: y }) },
      ...(certified ? [{ name: `${certified.status === 'signed' ? 'certified' : 'offered'} point, bar up to its bound`, mark: (x, y) => MARKS.diamond('certified')(x, y, 5) }] : [])],
    draw: (box) => {
      box.most = most;
      const shown = steady.length ? steady : curve.points;
      return [certified ? promiseLine(box, certified.alpha, `promised: at most ${shortPercent(certified.alpha)}`) : null,
        sv('path', { class: 'ch-line ch-fitted', d: path(shown.map((point) => [box.toX(point.coverage), box.toY(Math.min(point.risk, most))])) }),
        shown.length <= 12 ? shown.map((point) => FITTED.mark(box.toX(point.coverage), box.toY(Math.min(point.risk, most)), 3)) : null, certifiedMark(box, at, certified || {})];
    },
    columns: ['Threshold', 'Passes', 'Wrong among it', 'Wrong (count)', 'n'],
    rows: thinned(curve.points).map((point) => [decimal(point.threshold), percent(point.coverage, 1), percent(point.risk, 1), String(point.wrong), String(point.n)]),
  });
};

const monitorFinding = (watch) => {
  const seen = `${plural(watch.errors, 'audited action was', 'audited actions were')} wrong, of ${watch.audits}; the promise allows ${shortPercent(watch.alpha)}.${watch.left_out ? ` ${watch.left_out}` : ''}`;
  const ended = watch.ended ? ` The certificate ended on ${clock(watch.ended)}.` : '';
  return watch.alarmed ? `Alarm: the evidence reached ${watch.alarm}. ${seen}${ended}` : `Evidence that the promise is broken: ${figure(watch.evidence)}, alarm at ${watch.alarm}. ${seen}${ended}`;
};

const watchSaid = (watch) => [watch.note, watch.left_out].filter(Boolean).join(' ');

const monitorChart = (insight, width) => {
  const { watch } = insight;
  const title = 'Is the promise still kept?';
  if (!watch.series.length) return withoutChart('monitor', title, watchSaid(watch));
  const values = watch.series.map((point) => point.evidence);
  const low = 10 ** Math.max(-4, Math.min(-1, Math.floor(Math.log10(Math.min(...values)))));
  const high = 10 ** Math.max(2, Math.min(8, Math.ceil(Math.log10(Math.max(...values)))));
  const powers = Array.from({ length: Math.log10(high / low) + 1 }, (_, step) => low * 10 ** step);
  const [first, last] = [watch.series[0].audits - 1, watch.series[watch.series.length - 1].audits];
  return chart({
    id: 'monitor', title, width, finding: monitorFinding(watch),
    x: { domain: [first, last], ticks: roundSteps(first, last), format: String, label: 'audits since it was signed' },
    y: { log: true, domain: [low, high], ticks: powers, format: (value) => (value >= 1000 ? figure(value) : String(Number(value.toPrecision(1)))), label: 'evidence against the promise' },
    legend: [{ name: 'evidence', mark: (x, y) => sv('line', { class: 'ch-line ch-fitted', x1: x - 10, x2: x + 10, y1: y, y2: y }) },
      { name: 'an audit found it wrong', mark: (x, y) => MARKS.round('raw')(x, y, 4) }],
    draw: (box) => [promiseLine(box, watch.alarm, `alarm at ${watch.alarm}`),
      sv('path', { class: 'ch-line ch-fitted', d: path([...(first ? [] : [[box.toX(0), box.toY(watch.begin)]]), ...watch.series.map((point) => [box.toX(point.audits), box.toY(point.evidence)])]) }),
      watch.series.map((point, place) => (point.errors > (place ? watch.series[place - 1].errors : 0) ? MARKS.round('raw')(box.toX(point.audits), box.toY(point.evidence), 4) : null))],
    columns: ['Audit', 'Answered', 'Wrong so far', 'Evidence'],
    rows: thinned(watch.series, 60).map((point) => [String(point.audits), clock(point.at), String(point.errors), figure(point.evidence)]),
  });
};

const weekName = (iso) => new Date(`${iso}T12:00:00Z`).toLocaleDateString('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });

const weeksChart = (insight, width) => {
  const weeks = insight.weeks.slice(-13);
  const title = 'How often do people change what the agent proposed?';
  if (!weeks.length) return withoutChart('weeks', title, 'Nothing of this class was decided by a person in these 90 days.');
  const decided = weeks.reduce((sum, week) => sum + week.n, 0);
  if (decided < 10) return withoutChart('weeks', title, `${10 - decided} more decided actions until this can be drawn.`);
  const when = (week) => Math.round((Date.parse(week.monday) - Date.parse(weeks[0].monday)) / 604800000);
  const last = when(weeks[weeks.length - 1]);
  const steps = [...insight.history].reverse().map((step) => ({ level: step.after, at: (Date.parse(step.at) - Date.parse(weeks[0].monday)) / 604800000 - 0.5 })).filter(({ at }) => at > -0.4 && at < last + 0.4);
  const total = weeks.reduce((sum, week) => ({ n: sum.n + week.n, edited: sum.edited + week.edited, rejected: sum.rejected + week.rejected }), { n: 0, edited: 0, rejected: 0 });
  const most = niceMost(1.1 * Math.max(0.1, ...weeks.flatMap((week) => [week.rejected / week.n, week.edited / week.n])));
  const every = Math.max(1, Math.ceil(weeks.length / (width < 420 ? 4 : 7)));
  const line = (box, field, { name, mark }) => [sv('path', { class: `ch-line ch-${name}`, d: path(weeks.map((week) => [box.toX(when(week)), box.toY(week[field] / week.n)])) }),
    weeks.map((week) => mark(box.toX(when(week)), box.toY(week[field] / week.n)))];
  return chart({
    id: 'weeks', title, width,
    finding: `Of ${total.n} decided in ${plural(weeks.length, 'week', 'weeks')}, ${total.rejected} were rejected (${shortPercent(total.rejected / total.n)}) and ${total.edited} edited (${shortPercent(total.edited / total.n)}).${steps.some(({ level }) => level >= 2) ? ' Where things pass, people see only the less confident rest and the audits, so these shares rise by that alone.' : ''}`,
    x: { domain: last ? [-0.4, last + 0.4] : [-1, 1], ticks: weeks.filter((_, place) => (weeks.length - 1 - place) % every === 0).map(when), format: (place) => weekName(weeks.find((week) => when(week) === place).monday), label: 'week that begins on' },
    y: { domain: [0, most], ticks: evenly(SCALES[most], most), format: (value) => percent(value), label: 'of what was decided' },
    counts: [{ name: 'even', label: 'n', values: weeks.map((week) => [when(week), week.n]) }],
    legend: [{ name: 'rejected', mark: RAW.mark }, { name: 'edited', mark: FITTED.mark }, ...(steps.length ? [{ name: 'level changed', mark: (x, y) => sv('line', { class: 'ch-line ch-dashed ch-even', x1: x, x2: x, y1: y - 6, y2: y + 6 }) }] : [])],
    draw: (box) => [steps.map(({ at, level }) => [sv('line', { class: 'ch-line ch-dashed ch-even', x1: box.toX(at), x2: box.toX(at), y1: box.top, y2: box.bottom }),
      sv('text', { class: 'ch-count', x: box.toX(at) + 3, y: box.top + 9 }, `L${level}`)]), line(box, 'rejected', RAW), line(box, 'edited', FITTED)],
    columns: ['Week of', 'Decided', 'Approved', 'Edited', 'Rejected', 'Answered'],
    rows: weeks.map((week) => [weekName(week.monday), String(week.n), String(week.approved), String(week.edited), String(week.rejected), String(week.answered)]),
  });
};

const figuresView = (insight, width) => {
  const order = insight.watch.alarmed ? [monitorChart, weeksChart, reliabilityChart, curveChart] : [reliabilityChart, curveChart, monitorChart, weeksChart];
  const made = order.map((one) => one(insight, width));
  return [...made.filter((one) => !one.classList.contains('ch-missing')), ...made.filter((one) => one.classList.contains('ch-missing'))];
};
