// Makes cases.json: what Grafana's own code says to units, reducers, intervals, legends and thresholds. test_grafana_agreement.py compares ours.
// Run in a copy of this folder: npm install --ignore-scripts && node make_cases.cjs > cases.json
Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'node', language: 'en-US', languages: ['en-US'], platform: 'linux' } });
const data = require('@grafana/data');

const cases = [];
const add = (kind, asked, expected) => cases.push({ kind, ...asked, expected });

const UNITS = {
  none: [0, 1, 0.5, 1234.5678, -3.14159, 1e21, 0.000123], short: [0, 999, 1000, 1234567, -2500, 1e10, 0.0042], '': [3.14159],
  sishort: [0.002, 1500, 2.5e9], percent: [0, 12.345, 99.95, 100], percentunit: [0, 0.9995, 0.034, 1, -0.2],
  bytes: [0, 512, 1024, 1536, 123456789, 5e12, 0.5], decbytes: [999, 1e3, 1.5e9], kbytes: [1, 2048], decmbytes: [1, 1500], mbytes: [0.001, 1024],
  Bps: [1200, 2.5e6], binBps: [1024, 3e6], bps: [1e6], binbps: [2048], MBs: [0.5, 1200], pps: [10, 12500],
  s: [0, 5e-7, 0.0004, 0.0345, 1, 59.94, 60, 90, 3600, 5400, 90000, 700000, 4e7, -0.25], ms: [0.2, 999, 1000, 61000, 4e6, 9e7, 4e10], 'µs': [10, 1500, 2e6],
  ns: [12, 1500, 2e6, 3e9, 9e10, 5e12, 9e13], m: [5, 90, 3000, 20000, 1e6], h: [1, 30, 200, 10000], d: [1, 10, 400],
  dtdurations: [0, 61, 3700, 90061, -5], dtdurationms: [0, 1500, 61000], dthms: [0, 61, 3700, 100000, -61], dtdhms: [90061, 3600], timeticks: [500],
  clocks: [0, 0.25, 5, 61.5, 3700, 100000, -5], clockms: [250, 61500], dateTimeAsUS: [1780272000000, 1780315200000],
  reqps: [0, 12.5, 1500], ops: [0.25, 2e6], cps: [7], iops: [1234], rpm: [60], currencyUSD: [0, 12.5, 1234.5, -3, 2.5e6], currencyEUR: [99.99], currencySEK: [1200],
  hertz: [50, 2.4e9], watt: [0.005, 1500], kwatth: [12], celsius: [21.5], humidity: [40], rotrpm: [1200], hex: [255, -16], hex0x: [255], sci: [12345, 0.00012],
  locale: [1234567.891, 12], pressurepsi: [14.7, 1500], lengthmm: [2500], massg: [1500], bool: [0, 1], bool_on_off: [1], bool_yes_no: [0],
  'suffix:orders': [12.25], 'prefix:No ': [3], 'si:mF': [0.5, 1500], 'si:B': [2e6], 'count:orders': [1500], 'currency:CHF': [12], 'bool:up/down': [1, 0],
  farenheit: [70], something: [1.5], dateTimeAsIso: [1780272000000],
};
for (const [unit, values] of Object.entries(UNITS)) {
  for (const value of values) {
    add('unit', { unit, value, decimals: null }, data.formattedValueToString(data.getValueFormat(unit)(value, null, null, 'utc')));
  }
}
for (const [unit, value, decimals] of [['s', 0.0345, 2], ['s', 90, 0], ['percentunit', 0.99954, 3], ['percent', 12, 2], ['bytes', 1536, 2], ['short', 1234567, 1],
  ['none', 2, 3], ['none', 2.345, 2], ['none', 1.005, 2], ['none', -2.5, 0], ['none', 0, 2], ['currencyUSD', 1234.5, 2], ['dtdurations', 90061, 2], ['dtdurations', 3700, 1],
  ['reqps', 1500, 0], ['ms', 1234, 1], ['locale', 1234.5678, 1], ['sci', 12345, 2], ['m', 90, 1], ['d', 10, 1],
  ['clocks', 100000, 0], ['clocks', 100000, 1], ['clocks', 61.5, 1], ['clocks', 0.25, 0]]) {
  add('unit', { unit, value, decimals }, data.formattedValueToString(data.getValueFormat(unit)(value, decimals, null, 'utc')));
}

const SERIES = {
  plain: [3, 1, 4, 1, 5, 9, 2, 6], gaps: [null, 2, null, 8, 5, null], resets: [10, 20, 30, 5, 15, 25], zeros: [0, 0, 0], one: [7], none: [null, null], empty: [], signs: [-3, 0, 2.5, -1],
};
const REDUCERS = ['lastNotNull', 'last', 'firstNotNull', 'first', 'min', 'max', 'mean', 'median', 'variance', 'stdDev', 'sum', 'count', 'countAll', 'range', 'delta', 'step',
  'diff', 'diffperc', 'changeCount', 'distinctCount', 'p95', 'p50', 'p25'];
for (const [name, values] of Object.entries(SERIES)) {
  for (const reducer of REDUCERS) {
    const field = { name: 'x', type: 'number', config: {}, values: [...values] };
    const found = data.reduceField({ field, reducers: [reducer] })[reducer];
    add('reducer', { series: name, values, reducer }, found === undefined || Number.isNaN(found) ? null : found);
  }
}

for (const ms of [0, 9, 10, 14, 15, 34, 74, 149, 349, 749, 1499, 1500, 3499, 7499, 12499, 17499, 24999, 44999, 45000, 89999, 209999, 449999, 749999, 1049999, 1499999,
  2699999, 5399999, 8999999, 16199999, 32399999, 86399999, 604799999, 1814399999, 3628799999, 3628800000]) {
  add('rounded', { interval_ms: ms }, data.rangeUtil.roundInterval(ms));
}
for (const seconds of [0.0004, 0.02, 0.5, 1, 30, 90, 3600, 5400, 86400, 100000, 604800, 40000000]) add('words', { seconds }, data.rangeUtil.secondsToHms(seconds));
for (const text of ['10s', '>1m', '1h', '2d', '500ms', '15', '1w', '1M']) add('milliseconds', { text }, data.rangeUtil.intervalToMs(text.replace(/^>/, '')));
for (const [hours, points, least] of [[0.5, 600, '5s'], [1, 600, '15s'], [6, 1200, '1m'], [24, 600, '60s'], [168, 800, '60s'], [720, 500, '60s'], [0.1, 1000, '1s'], [48, 300, '5m']]) {
  const to = data.dateTime(1780272000000), from = data.dateTime(1780272000000 - hours * 3600000);
  add('step', { range_ms: hours * 3600000, points, least }, data.rangeUtil.calculateInterval({ from, to }, points, least).intervalMs);
}

for (const [pattern, labels] of [['{{job}}', { job: 'shop' }], ['{{ job }} {{route}}', { job: 'a', route: '/x' }], ['{{missing}}', { job: 'a' }], ['plain', {}], ['{{job}}-{{job}}', { job: 'b' }],
  ['{{ }}', { job: 'c' }], ['{{job', { job: 'd' }], ['{{le}} s', { le: '0.5' }], ['{{empty}}', { empty: '' }], ['p95 {{service}} ({{instance}})', { service: 's', instance: 'i:1' }]]) {
  add('legend', { pattern, labels }, data.renderLegendFormat(pattern, labels));
}
for (const steps of [[[70, 'yellow'], [90, 'red']], [[null, 'green'], [70, 'yellow'], [90, 'red']], [[0, 'green'], [70, 'red']], [[null, 'red'], [0.99, 'green']], [[0.99, 'red'], [0.999, 'green']]]) {
  for (const value of [-1, 0, 0.5, 0.99, 69.9, 70, 95]) {
    add('color', { steps, value }, data.getActiveThreshold(value, steps.map(([edge, color]) => ({ value: edge, color }))).color);
  }
}
process.stdout.write('[\n' + cases.map((one) => JSON.stringify(one)).join(',\n') + '\n]\n');
