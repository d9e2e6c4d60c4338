/* report.mjs: the result of a run, for people and for programs. */
import { isCounted } from './expected.mjs'

const KINDS = ['required', 'optimal', 'check']

export function count (rows) {
  return Object.fromEntries(KINDS.map(kind => {
    const all = rows.filter(row => row.kind === kind)
    return [kind, { passed: all.filter(row => row.passed).length, of: all.length }]
  }))
}

function failing (rows) {
  const lines = []
  for (const kind of KINDS.filter(kind => kind !== 'check')) {
    const left = rows.filter(row => row.kind === kind && !row.passed)
    if (left.length > 0) lines.push('', `not passed, ${kind}:`)
    for (const row of left) {
      const why = row.verdict === 'dependency' ? `needs ${row.needs.join(', ')}` : row.message
      lines.push(`  ${row.id.padEnd(46)} ${row.verdict.padEnd(13)} ${why}`)
    }
  }
  return lines
}

function changes ({ lost, gained }, rows) {
  const lines = []
  if (gained.length > 0) lines.push('', 'passed for the first time (to keep it so: ./dev conformance --accept):')
  lines.push(...gained.map(id => `  ${id}`))
  if (lost.length > 0) lines.push('', 'FAILED, and passed before:')
  for (const id of lost) {
    const row = rows.find(row => row.id === id)
    const what = row === undefined ? 'the suite has no such test' : `${row.verdict}. ${row.name}. ${row.message}`
    lines.push(`  ${id}: ${what}`)
  }
  return lines
}

/* The last line is the runner's own count for ./dev test: failed are those that passed before. */
export function asText (rows, difference, seconds) {
  const counts = count(rows)
  const passed = rows.filter(row => isCounted(row) && row.passed).length
  return [
    ...failing(rows), ...changes(difference, rows), '',
    `required ${counts.required.passed} of ${counts.required.of}, ` +
      `optimal ${counts.optimal.passed} of ${counts.optimal.of}, ` +
      `check ${counts.check.passed} yes of ${counts.check.of}  (${seconds.toFixed(1)} s)`,
    `${passed} passed, ${difference.lost.length} failed`
  ].join('\n').trimStart()
}

export function asJson (rows, difference, seconds) {
  const tests = Object.fromEntries(rows.map(({ id, needs, ...row }) => [id, row]))
  return JSON.stringify({ counts: count(rows), ...difference, seconds, tests }, null, 2)
}
